"""A TCP connection that never waits for nothing and never for ever: connect, send, receive, deadlines.

Knows bytes, not PDUs. Every ``OSError`` becomes one of our errors here and nowhere else. The socket is non-blocking;
waiting is done in one place, with a limit in seconds, for both directions at once, so that a peer that aborts in the
middle of a large data set is heard even when it no longer reads.
"""

from __future__ import annotations

import errno
import os
import select

from dcmsend.errors import ConnectError, ConnectionLost, PeerTimeout
from dcmsend.model import AddressFamily
from dcmsend.printable import MAX_HOST
from dcmsend.reasons import NONE, because

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Final

    from dcmsend.meter import Gauge
    from dcmsend.net.pace import Pace
    from dcmsend.reasons import Reason
    from dcmsend.stop import Stop
else:
    import _socket as socket  # the module around it takes as long to import as sending a small file

_FAMILIES: Final = {
    AddressFamily.IPV4: socket.AF_INET,
    AddressFamily.IPV6: socket.AF_INET6,
    AddressFamily.ANY: socket.AF_UNSPEC,
}
_UNDER_WAY: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK)
# What the system says of a connection; anything else is "network_error".
_CONNECTION: Final = {
    errno.ECONNREFUSED: "connection_refused",
    errno.ETIMEDOUT: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EACCES: "connection_forbidden",
    errno.EPERM: "connection_forbidden",
    errno.EAFNOSUPPORT: "no_address_family",
    errno.EPROTONOSUPPORT: "no_address_family",
    errno.EMFILE: "too_many_open_files",
    errno.ENFILE: "too_many_open_files",
    errno.ENOMEM: "no_memory",
    errno.ENOBUFS: "no_memory",
}
_CHUNK: Final = 8192  # bytes that are read at once: responses are short
_LONGEST: Final = 2_000_000.0  # seconds; what waits longer than 23 days need not be told apart from for ever
# Linux acknowledges late by default, and a peer that writes its response in two pieces with Nagle's algorithm on waits
# for that acknowledgement, 40 ms each time. The option does not last, so it is set again before each wait.
_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


def connect(host: str, port: int, *, family: AddressFamily, timeout: float | None, stop: Stop) -> socket.socket:
    """A connection to the first address of ``host`` that takes one.

    ``timeout``: seconds for each address, and for finding out which there are. Raises ``NameResolutionError``,
    ``ConnectError``, which names the last address that was tried.
    """
    failure = because("host_unknown", host=host[:MAX_HOST], wanted="address", words="it has none")
    for kind, address in _resolve(host, port, family, timeout, stop):
        try:
            connection = socket.socket(kind, socket.SOCK_STREAM)
        except OSError as error:
            why = _of_network(error.errno or 0)
        else:
            why = _opened(connection, address, timeout, stop)
            if not why:
                return connection
            connection.close()
        if failure.code == "host_unknown" or why.code != "no_address_family":  # which says nothing of the peer
            failure = because("cannot_connect", why, host=host[:MAX_HOST], port=port, address=address[0])
        if stop.aborted:
            break
    raise ConnectError(failure)


def _opened(connection: socket.socket, address: tuple[str, int], timeout: float | None, stop: Stop) -> Reason:
    """Connect; why that cannot be done, nothing where it was.

    An abort before the attempt has begun finds nothing to shut down, so it is asked for once more in between.
    """
    stop.wakers[connection] = _shutting_down(connection)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)  # noqa: FBT003
        problem = connection.connect_ex(address)
        if stop.aborted:
            return because("stopped")
        if problem in _UNDER_WAY:
            if not poller(connection)(writing=True, timeout=timeout)[1]:
                return because("connect_timeout", seconds=f"{timeout or 0:g}")
            problem = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except OSError as error:
        problem = error.errno or errno.EIO
    finally:
        del stop.wakers[connection]
    return _of_network(problem) if problem else NONE


def _of_network(number: int) -> Reason:
    """What an error of the system means for a connection, by its number."""
    return because(_CONNECTION.get(number, "network_error"), words=os.strerror(number))


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
                    raise PeerTimeout("sending_timeout", self._socket_timeout or 0) from None
                if readable:
                    self._hear(incoming)
            except OSError as error:
                raise ConnectionLost(because("lost_while_sending", words=error.strerror or str(error))) from None

    def _hear(self, incoming: Callable[[bytes], None]) -> None:
        """Hand on what has come while something was being sent."""
        incoming(self.receive_now())

    def receive(self, left: float | None, phase: str, timeout: float | None) -> bytes:
        """Some bytes, or none at the end of the connection; ``left`` seconds remain of ``timeout``.

        Raises ``ConnectionLost``, ``PeerTimeout``, for the reason ``phase`` and with the whole timeout.
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
            raise ConnectionLost(because("lost", words=error.strerror or str(error))) from None

    def receive_pending(self) -> bytes | None:
        """What is there, none at the end of the connection, ``None`` while it is silent. Raises ``ConnectionLost``."""
        try:
            return self._socket.recv(_CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ConnectionLost(because("lost", words=error.strerror or str(error))) from None

    def _acknowledge_at_once(self) -> None:
        if _QUICKACK is not None:
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            except OSError:  # the connection is gone: whoever reads from it will be told
                pass

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


def _resolve(
    host: str, port: int, family: AddressFamily, timeout: float | None, stop: Stop
) -> list[tuple[int, tuple[str, int]]]:
    """The addresses of a host. What is an address itself is so at once; for others somebody has to be asked."""
    if host.isascii():
        try:
            name, kind = host.encode("ascii"), _FAMILIES[family]
            found = socket.getaddrinfo(name, port, kind, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
            return [(entry[0], entry[4]) for entry in found]  # type: ignore[misc]
        except (OSError, ValueError):
            pass
    from dcmsend.net.lookup import look_up

    return look_up(host, port, family, timeout, stop)


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
