"""A ``Stream`` through TLS: the same promises, with records in between.

The socket does not block, and there may be more to do than is seen from outside: what comes may be no data but a
ticket, a new key or half a record, and to go on with writing it may be necessary to read first. So each step is tried,
and what it lacks is waited for, with the limits of ``Stream`` and in its way. Nobody but the thread that owns the
stream touches the TLS state; from elsewhere the socket can only be shut down.
"""

from __future__ import annotations

import socket
import ssl
from time import monotonic

from dcmsend.errors import ConnectionLost, NetworkError, PeerTimeout
from dcmsend.net.stream import Stream, poller
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from dcmsend.net.pace import Pace

_RECORD: Final = 16384  # bytes of data in a record, at most (RFC 8446 5.1)


class TlsStream(Stream):
    """A connection on which ``begin`` has to be called first.

    ``name``: whom the certificate must be for. ``certificate``: whether we have one to show.
    """

    def __init__(
        self,
        secured: ssl.SSLSocket,
        socket_timeout: float | None,
        pace: Pace | None,
        *,
        name: str,
        certificate: bool,
    ) -> None:
        super().__init__(secured, socket_timeout, pace)
        self._tls = secured
        self._poll_room = poller(secured, only_writing=True)
        self._name = name
        self._certificate = certificate
        self._needs_room = False  # what lacks for reading is room to write
        self._held: bytes | NetworkError | None = None  # was found by ``readable``, and is still to be received
        self._over = False

    @property
    def security(self) -> str:
        from dcmsend.net.suites import rfc_name

        name, version, _ = self._tls.cipher() or ("", "", 0)
        return f"{self._tls.version() or version}, {rfc_name(name)}"

    def begin(self, timeout: float | None) -> None:
        """The handshake (RFC 8446 4, RFC 5246 7.3), within ``timeout`` seconds; without, as long as it may stall."""
        limit = self._socket_timeout if timeout is None else timeout
        deadline = _deadline(limit)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                poll = self._poll
            except ssl.SSLWantWriteError:
                poll = self._poll_room
            except OSError as error:
                from dcmsend.net.tls_words import handshake_error

                raise handshake_error(error, self._name, certificate=self._certificate, secured=self._tls) from error
            else:
                return
            if not poll(writing=False, timeout=_left(deadline))[1]:
                raise PeerTimeout("handshake_timeout", limit or 0)

    def _send(self, data: bytes | memoryview, incoming: Callable[[bytes], None]) -> None:
        """As of plain connections: a record at a time leaves. An unfinished one is tried again from where it began."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._write(view) :]
            except ssl.SSLWantWriteError:
                readable, ready = self._poll(writing=True, timeout=self._socket_timeout)
                if not ready:
                    raise PeerTimeout("sending_timeout", self._socket_timeout or 0) from None
                if readable:
                    self._hear(incoming)
            except ssl.SSLWantReadError:  # the peer has begun to negotiate anew
                if not self._poll(writing=False, timeout=self._socket_timeout)[1]:
                    raise PeerTimeout("renegotiation_timeout", self._socket_timeout or 0) from None
            except OSError as error:
                raise self._failure(error, sending=True) from error

    def _hear(self, incoming: Callable[[bytes], None]) -> None:
        data = self.receive_pending()
        if data is not None:
            incoming(data)

    def receive(self, left: float | None, phase: str, timeout: float | None) -> bytes:
        deadline = _deadline(left)
        while True:
            self._acknowledge_at_once()
            if self._held is None and not self._tls.pending():
                poll = self._poll_room if self._needs_room else self._poll
                if not poll(writing=False, timeout=_left(deadline))[1]:
                    raise PeerTimeout(phase, timeout or 0)
            data = self.receive_pending()
            if data is not None:
                return data

    def readable(self) -> bool:
        """The same, by reading: only that tells data from what is none."""
        self._acknowledge_at_once()
        if self._held is None:
            try:
                self._held = self.receive_pending()
            except NetworkError as error:
                self._held = error
        return self._held is not None

    def receive_now(self) -> bytes:
        """What is there. Raises ``ConnectionLost`` where there is nothing yet, as plain connections do."""
        data = self.receive_pending()
        if data is None:
            raise ConnectionLost(because("lost", words="nothing is there"))
        return data

    def receive_pending(self) -> bytes | None:
        held, self._held = self._held, None
        if isinstance(held, NetworkError):
            raise held
        if held is not None:
            return held
        self._needs_room = False
        try:
            return self._tls.recv(_RECORD)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLWantWriteError:
            self._needs_room = True
            return None
        except OSError as error:
            raise self._failure(error, sending=False) from error

    def last_words(self, data: bytes, patience: float = 0) -> None:
        """What fits, then close_notify (RFC 8446 6.1), and the end of both directions."""
        if self._over:
            return
        self._over = True
        try:
            if data and patience:
                self._poll_room(writing=False, timeout=patience)
            if data:
                self._tls.send(data)
            self._tls.unwrap()  # says goodbye, and does not wait for an answer
        except (OSError, ValueError):
            pass
        self.interrupt(b"")

    def interrupt(self, data: bytes) -> None:  # noqa: ARG002
        """End both directions at once. Nothing is said: another thread may be in the middle of a record."""
        try:
            socket.socket.shutdown(self._tls, socket.SHUT_RDWR)
        except OSError:
            pass

    def _failure(self, error: OSError, *, sending: bool) -> NetworkError:
        from dcmsend.net.tls_words import stream_error

        return stream_error(error, sending=sending, certificate=self._certificate)


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else monotonic() + seconds


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else deadline - monotonic()
