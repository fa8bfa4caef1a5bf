"""A TCP connection that never waits for nothing and never for ever: connect, send, receive, deadlines.

Knows bytes, not PDUs. Every ``OSError`` becomes one of our errors here and nowhere else. The socket is non-blocking;
waiting is done in one place, with a limit in seconds, for both directions at once, so that a peer that aborts in the
middle of a large data set is heard even when it no longer reads.
"""

from __future__ import annotations

import errno
import os
import select

from dcmsend.errors import ConnectError, ConnectionLost, NameResolutionError, PeerTimeout
from dcmsend.model import AddressFamily
from dcmsend.printable import MAX_HOST, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Final

    from dcmsend.meter import Gauge
    from dcmsend.net.pace import Pace
    from dcmsend.stop import Stop
else:
    import _socket as socket  # the module around it takes as long to import as sending a small file

_FAMILIES: Final = {
    AddressFamily.IPV4: socket.AF_INET,
    AddressFamily.IPV6: socket.AF_INET6,
    AddressFamily.ANY: socket.AF_UNSPEC,
}
_UNDER_WAY: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK)
_CHUNK: Final = 8192  # bytes that are read at once: responses are short
_LONGEST: Final = 2_000_000.0  # seconds; what waits longer than 23 days need not be told apart from for ever
# Linux acknowledges late by default, and a peer that writes its response in two pieces with Nagle's algorithm on waits
# for that acknowledgement, 40 ms each time. The option does not last, so it is set again before each wait.
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


def connect(host: str, port: int, *, family: AddressFamily, timeout: float | None, stop: Stop) -> socket.socket:
    """A connection to the first address of ``host`` that takes one; ``timeout`` in seconds for each address.

    Raises ``NameResolutionError``, ``ConnectError`` (naming the last address that was tried).
    """
    name = plain(host, MAX_HOST)
    failure = ConnectError(f"cannot connect to {name}:{port}")
    for kind, address in _resolve(host, port, family):
        connection = socket.socket(kind, socket.SOCK_STREAM)
        stop.wakers[connection] = _shutting_down(connection)
        try:
            words = _open(connection, address, timeout, stop)
        except OSError as error:
            words = error.strerror or str(error)
        finally:
            del stop.wakers[connection]
        if not words:
            return connection
        connection.close()
        failure = ConnectError(f"cannot connect to {name}:{port} ({address[0]}): {words}")
        if stop.aborted:
            break
    raise failure


def _open(connection: socket.socket, address: tuple[str, int], timeout: float | None, stop: Stop) -> str:
    """Connect; why that cannot be done, empty where it was.

    An abort before the attempt has begun finds nothing to shut down, so it is asked for once more in between.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)  # noqa: FBT003
    problem = connection.connect_ex(address)
    if stop.aborted:
        return "stopped by the user"
    if problem in _UNDER_WAY:
        if not poller(connection)(writing=True, timeout=timeout)[1]:
            return f"no answer within {timeout or 0:g} seconds"
        problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return os.strerror(problem) if problem else ""


class Stream:
    """An established connection. ``socket_timeout``: seconds without any byte moving in mid-sentence, or ``None``.

    ``pace`` limits what is sent, if there is one.
    """

    def __init__(self, connection: socket.socket, socket_timeout: float | None, pace: Pace | None = None) -> None:
        self._socket = connection
        self._socket_timeout = socket_timeout
        self._pace = pace
        self._poll = poller(connection)
        self._write: Callable[[memoryview], int] = connection.send

    @property
    def security(self) -> str:
        """What protects the connection: nothing."""
        return ""

    def begin(self, timeout: float | None) -> None:
        """What has to be done before anything is sent, in at most ``timeout`` seconds. Raises ``NetworkError``."""

    def measure(self, gauge: Gauge) -> None:
        """From now on count what is written. Nothing has to be asked at each write where nobody counts."""
        write = self._write

        def counted(view: memoryview) -> int:
            count = write(view)
            gauge.sent += count
            return count

        self._write = counted

    def send(self, data: bytes | memoryview, incoming: Callable[[bytes], None]) -> None:
        """Send all of ``data``; bytes that arrive while the peer takes none are given to ``incoming``.

        Raises ``ConnectionLost``, ``PeerTimeout``, and whatever ``incoming`` raises.
        """
        if self._pace is None:
            self._send(data, incoming)
            return
        view = memoryview(data)
        for start in range(0, len(view), self._pace.piece):
            piece = view[start : start + self._pace.piece]
            delay = self._pace.delay(len(piece))
            if delay > 0 and self._poll(writing=False, timeout=delay)[1]:
                self._hear(incoming)
            self._send(piece, incoming)

    def _send(self, data: bytes | memoryview, incoming: Callable[[bytes], None]) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._write(view) :]
            except BlockingIOError:
                readable, ready = self._poll(writing=True, timeout=self._socket_timeout)
                if not ready:
                    raise PeerTimeout("sending to a peer that takes nothing", self._socket_timeout or 0) from None
                if readable:
                    self._hear(incoming)
            except OSError as error:
                raise ConnectionLost(f"connection lost while sending: {error.strerror or error}") from error

    def _hear(self, incoming: Callable[[bytes], None]) -> None:
        """Hand on what has come while something was being sent."""
        incoming(self.receive_now())

    def receive(self, left: float | None, phase: str, timeout: float | None) -> bytes:
        """Some bytes, or none at the end of the connection; ``left`` seconds remain of ``timeout``.

        Raises ``ConnectionLost``, ``PeerTimeout`` (it names the phase and the whole timeout).
        """
        self._acknowledge_at_once()
        if not self._poll(writing=False, timeout=left)[1]:
            raise PeerTimeout(phase, timeout or 0)
        return self.receive_now()

    def readable(self) -> bool:
        """Whether there is something to be received, be it the end of the connection; what comes is acknowledged."""
        self._acknowledge_at_once()
        return self._poll(writing=False, timeout=0)[1]

    def receive_now(self) -> bytes:
        """What is there, or none at the end of the connection. Raises ``ConnectionLost``."""
        try:
            return self._socket.recv(_CHUNK)
        except OSError as error:
            raise ConnectionLost(f"connection lost: {error.strerror or error}") from error

    def receive_pending(self) -> bytes | None:
        """What is there, none at the end of the connection, ``None`` while it is silent. Raises ``ConnectionLost``."""
        try:
            return self._socket.recv(_CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ConnectionLost(f"connection lost: {error.strerror or error}") from error

    def _acknowledge_at_once(self) -> None:
        if _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def last_words(self, data: bytes, patience: float = 0) -> None:
        """Send what fits, and end both directions. Never raises: nobody is left to be told.

        ``patience``: seconds that a peer which is taking what we send gets to make room.
        """
        try:
            if data and patience:
                poller(self._socket, only_writing=True)(writing=False, timeout=patience)
            if data:
                self._socket.send(data)
        except OSError:
            pass
        _shut_down(self._socket)

    def interrupt(self, data: bytes) -> None:
        """The same from a signal handler or another thread."""
        self.last_words(data)

    def close(self) -> None:
        self._socket.close()


def _resolve(host: str, port: int, family: AddressFamily) -> list[tuple[int, tuple[str, int]]]:
    try:
        if "\0" in host:  # which would end the name for some systems
            raise ValueError("not a host name")
        # Of text Python would make bytes by the rules for international names, which it would load for that.
        name = host.encode("ascii") if host.isascii() else host
        found = socket.getaddrinfo(name, port, _FAMILIES[family], socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "not a host name"
        kind = "" if family is AddressFamily.ANY else f" {family.value}"
        again = isinstance(error, OSError) and error.errno == socket.EAI_AGAIN
        name = plain(host, MAX_HOST)
        raise NameResolutionError(f"no{kind} address found for host '{name}': {words}", retryable=again) from error
    return [(entry[0], entry[4]) for entry in found]  # type: ignore[misc]


def _shutting_down(connection: socket.socket) -> Callable[[], None]:
    return lambda: _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # not connected any more: that is what was wanted


def _bounded(timeout: float) -> float:
    """Seconds that the system takes: a deadline may have passed, or lie further away than it can count."""
    return min(max(timeout, 0.0), _LONGEST)


if hasattr(select, "poll"):

    def poller(connection: socket.socket, *, only_writing: bool = False) -> Callable[..., tuple[bool, bool]]:
        """Makes ``poll(writing, timeout)``, which waits for a socket at most ``timeout`` seconds.

        It says whether the socket is readable, and whether it is ready at all. It waits for something to read, or for
        that and for room to write; with ``only_writing`` for room alone.
        """
        reading, both = select.poll(), select.poll()
        reading.register(connection, select.POLLOUT if only_writing else select.POLLIN)
        both.register(connection, select.POLLIN | select.POLLOUT)

        def poll(*, writing: bool, timeout: float | None) -> tuple[bool, bool]:
            events = (both if writing else reading).poll(None if timeout is None else _bounded(timeout) * 1000)
            return bool(events) and bool(events[0][1] & _READABLE), bool(events)

        return poll

    _READABLE: Final = select.POLLIN | select.POLLHUP

else:

    def poller(connection: socket.socket, *, only_writing: bool = False) -> Callable[..., tuple[bool, bool]]:
        """The same where there is no ``poll`` (Windows)."""

        def poll(*, writing: bool, timeout: float | None) -> tuple[bool, bool]:
            limit = None if timeout is None else _bounded(timeout)
            wanted = [connection]
            to_read, to_write = [] if only_writing else wanted, wanted if writing or only_writing else []
            readable, writable, failed = select.select(to_read, to_write, wanted, limit)
            return bool(readable), bool(readable or writable or failed)

        return poll
