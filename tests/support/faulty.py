"""A bad link: a proxy before a server that drops, resets, delays, cuts, damages and forgets connections at random.

Every connection draws its fate from a seed and its number. What is damaged are the headers of PDUs and PDVs: damage
within values, which TCP's checksum keeps away, DICOM itself cannot find out. Every wait ends with the sender.
"""

from __future__ import annotations

import random
import select
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tests.support.listening import LIMIT, Listening

CHUNK: Final = 4096
HEADERS: Final = 12  # bytes of a PDU's header, and of its first PDV's (PS3.8 9.3.1, 9.3.5.1)
FATES: Final = ("pass", "pass", "pass", "drop", "reset", "delay", "cut", "damage", "forget", "restart")


class FaultyLink(Listening):
    """A ``Listening`` proxy that passes on to the port that ``server`` gives. Stop it.

    ``restart`` is called for a server that goes down and comes back. ``most``: bytes after which a connection meets its
    fate at the latest.
    """

    def __init__(
        self, seed: int, server: Callable[[], int], restart: Callable[[], None], *, most: int = 20_000
    ) -> None:
        self.fates_met: list[str] = []
        self._seed = seed
        self._server = server
        self._restart = restart
        self._most = most
        self._lock = threading.Lock()
        super().__init__()

    def _serve(self, connected: socket.socket, number: int) -> None:
        fortune = random.Random(self._seed << 16 | number)
        with connected as client:
            with self._lock:  # a server that is being restarted takes nobody
                port = self._server()
            try:
                server = socket.create_connection(("127.0.0.1", port), LIMIT)
            except OSError:
                return
            with server, suppress(OSError):
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    one.settimeout(LIMIT)
                _Passage(self, client, server, fortune).run()

    def restart(self) -> None:
        with self._lock:
            self._restart()


class _Passage:
    """One connection and its fate."""

    def __init__(self, link: FaultyLink, client: socket.socket, server: socket.socket, fortune: random.Random) -> None:
        self._link = link
        self._ends = {client: server, server: client}
        self._client = client
        self._fortune = fortune
        self._fate = fortune.choice(FATES)
        self._left = fortune.randrange(link._most)  # bytes until then
        self._damaged = fortune.choice((client, server))
        self._framing = {client: _Framing(), server: _Framing()}
        link.fates_met.append(self._fate)

    def run(self) -> None:
        while True:
            ready, _, _ = select.select(list(self._ends), [], [], LIMIT)
            if not ready:
                return
            for end in ready:
                data = end.recv(CHUNK)
                if not data or not self._pass(end, data):
                    return

    def _pass(self, end: socket.socket, data: bytes) -> bool:
        """Pass on what came from an end; whether the connection goes on."""
        headers = self._framing[end].headers(data)
        if self._fate == "pass" or self._left > len(data):
            self._left -= len(data)
            self._ends[end].sendall(data)
            return True
        return getattr(self, f"_{self._fate}")(end, data, headers)  # type: ignore[no-any-return]

    def _drop(self, *_: object) -> bool:
        return False

    def _reset(self, *_: object) -> bool:
        for end in self._ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _cut(self, end: socket.socket, data: bytes, _: list[int]) -> bool:
        self._ends[end].sendall(data[: self._left])
        return False

    def _delay(self, end: socket.socket, data: bytes, _: list[int]) -> bool:
        """A byte at a time, from now on, with a pause that ends when the other side says something."""
        for at in range(len(data)):
            self._ends[end].sendall(data[at : at + 1])
            if at % 512 == 0:
                select.select([self._ends[end]], [], [], 0.001)
        return True

    def _damage(self, end: socket.socket, data: bytes, headers: list[int]) -> bool:
        """Change a bit of a header; everything before and behind gets through."""
        if end is self._damaged and headers:
            changed = bytearray(data)
            changed[self._fortune.choice(headers)] ^= 1 << self._fortune.randrange(8)
            data = bytes(changed)
            self._fate = "pass"
        self._ends[end].sendall(data)
        return True

    def _forget(self, *_: object) -> bool:
        """Nothing gets through any more, in either direction, and nobody is told."""
        while self._client.recv(CHUNK):
            pass
        return False

    def _restart(self, *_: object) -> bool:
        self._link.restart()
        return False


class _Framing:
    """Where the headers of PDUs are in a stream of bytes."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0  # bytes of the PDU behind its header

    def headers(self, data: bytes) -> list[int]:
        """The places in ``data`` that belong to headers."""
        found: list[int] = []
        at = 0
        while at < len(data):
            if self._left:
                count = min(self._left, len(data) - at)
                body = len(self._header) - HEADERS  # negative while the first PDV's header is not over
                found += range(at, at + min(count, max(-body, 0)))
                self._header += bytes(min(count, max(-body, 0)))
                self._left -= count
                at += count
                if not self._left:
                    self._header.clear()
                continue
            found.append(at)
            self._header.append(data[at])
            at += 1
            if len(self._header) == 6:
                self._left = struct.unpack(">I", self._header[2:])[0]
                if not self._left:
                    self._header.clear()
        return found
