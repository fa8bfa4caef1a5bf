"""Datagrams to a syslog daemon, and the names of this host. Knows nothing of what is in a datagram.

A remote daemon takes UDP (RFC 5426). The local one has a socket in the file system, which is one of datagrams, or with
old daemons a stream in which each message ends with a NUL.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Protocol

    class Daemon(Protocol):
        """Who takes messages. Both methods are quick; ``send`` raises OSError where the daemon cannot be reached."""

        def send(self, message: bytes, /) -> None: ...

        def close(self) -> None: ...


DEFAULT_PORT: Final = 514
LOCAL: Final = ("/dev/log", "/var/run/syslog")  # Linux and BSD; macOS
LONGEST: Final = 60_000  # bytes of a message; UDP takes 65,507
_PATIENCE: Final = 2.0  # seconds that a local daemon may have no room for a message


class RemoteDaemon:
    """A daemon that takes UDP. Raises OSError, also where the host has no address."""

    def __init__(self, host: str, port: int) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.connect(address)  # so that we are told where nobody listens

    def send(self, message: bytes, /) -> None:
        self._socket.send(message[:LONGEST])

    def close(self) -> None:
        self._socket.close()


class LocalDaemon:
    """The daemon of this host; it is connected to with the first message, and again after a failure."""

    def __init__(self, paths: tuple[str, ...] = LOCAL) -> None:
        self._paths = paths
        self._socket: socket.socket | None = None
        self._end = b""

    def send(self, message: bytes, /) -> None:
        if self._socket is None:
            self._socket = self._connected()
        try:
            self._socket.sendall(message[:LONGEST] + self._end)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connected(self) -> socket.socket:
        if not hasattr(socket, "AF_UNIX"):
            raise OSError("there is no local syslog on this system")
        failure = OSError()
        for path in self._paths:
            for kind, self._end in ((socket.SOCK_DGRAM, b""), (socket.SOCK_STREAM, b"\0")):
                made = socket.socket(socket.AF_UNIX, kind)
                made.settimeout(_PATIENCE)
                try:
                    made.connect(path)
                except OSError as error:
                    made.close()
                    failure = failure if failure.errno else error
                else:
                    return made
        raise failure


def host_name(*, full: bool) -> str:
    """The name of this host, with its domain where that is known and ``full``."""
    name = socket.gethostname()
    if not full:
        return name
    try:
        return socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)[0][3] or name
    except OSError:
        return name
