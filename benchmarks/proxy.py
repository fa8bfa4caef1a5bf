"""A TCP proxy that makes a round trip take longer: what comes in leaves half of that time later, in both directions.

    python benchmarks/proxy.py --to 11112 --round-trip 20

It prints the port that it listens on, and ends when its standard input does, or on SIGTERM. Bandwidth is not limited,
and nothing is lost. The kernel completes the handshake of a connection at once; to make up for it, the first bytes
from the client wait for the round trip that the handshake would have taken.

Not modelled: a slow start, and Nagle's algorithm or delayed acknowledgements across the link. Each half of the
connection is a local one, where acknowledgements come at once.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import itertools
import selectors
import signal
import socket
import sys
import time
from collections import deque

CHUNK = 1 << 18


class Stopped(Exception):
    """SIGTERM."""


class Flow:
    """One direction of a connection. An empty chunk is its end."""

    def __init__(self, source: socket.socket, destination: socket.socket, not_before: float) -> None:
        self.source = source
        self.destination = destination
        self.not_before = not_before  # when the handshake would have been over
        self.chunks: deque[tuple[float, bytes]] = deque()
        self.reading = True
        self.blocked = False  # the destination takes no more at the moment
        self.ended = False

    def forward(self, now: float) -> None:
        """Write what is due. While the destination takes nothing, nothing is read either."""
        self.blocked = False
        while self.chunks and self.chunks[0][0] <= now:
            due, chunk = self.chunks.popleft()
            try:
                if not chunk:
                    self.ended = True
                    self.destination.shutdown(socket.SHUT_WR)
                    return
                sent = self.destination.send(chunk)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.give_up()
                return
            if sent < len(chunk):
                self.chunks.appendleft((due, chunk[sent:]))
                self.blocked = True
                return

    def read(self) -> bytes | None:
        """What has come; None for nothing."""
        try:
            return self.source.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def give_up(self) -> None:
        self.ended = True
        self.reading = False
        self.chunks.clear()


class Proxy:
    """All connections, and when something is due."""

    def __init__(self, listener: socket.socket, port: int, round_trip: float) -> None:
        self._listener = listener
        self._port = port
        self._round_trip = round_trip
        # select() takes microseconds; the finer interfaces round up to milliseconds
        self._selector = selectors.SelectSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        with contextlib.suppress(PermissionError):
            self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._due: list[tuple[float, int, Flow]] = []
        self._order = itertools.count()
        self._flows: dict[socket.socket, tuple[Flow, Flow]] = {}  # by socket: what it is the source of, and the other

    def run(self) -> None:
        """Until standard input ends."""
        while True:
            wait = max(self._due[0][0] - time.monotonic(), 0) if self._due else None
            for key, events in self._selector.select(wait):
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is self._listener:
                    self._open()
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._ready(key.fileobj, events)
            self._forward_due()

    def _open(self) -> None:
        client, _ = self._listener.accept()
        now = time.monotonic()
        server = socket.socket()
        try:
            server.connect(("127.0.0.1", self._port))
        except OSError:
            server.close()
            client.close()
            return
        onward, back = Flow(client, server, now + self._round_trip), Flow(server, client, now)
        for each, flows in ((client, (onward, back)), (server, (back, onward))):
            each.settimeout(0)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._flows[each] = flows
            self._selector.register(each, selectors.EVENT_READ)

    def _ready(self, which: socket.socket, events: int) -> None:
        if which not in self._flows:
            return  # closed a moment ago
        outgoing, incoming = self._flows[which]
        if events & selectors.EVENT_WRITE:
            incoming.forward(time.monotonic())
        if events & selectors.EVENT_READ:
            self._read(outgoing)
        self._tidy(outgoing, incoming)

    def _read(self, flow: Flow) -> None:
        chunk = flow.read()
        if chunk is None:
            return
        flow.reading = bool(chunk)
        due = max(time.monotonic(), flow.not_before) + self._round_trip / 2
        flow.chunks.append((due, chunk))
        heapq.heappush(self._due, (due, next(self._order), flow))

    def _forward_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, flow = heapq.heappop(self._due)
            if flow.source in self._flows:
                flow.forward(now)
                self._tidy(*self._flows[flow.source])

    def _tidy(self, flow: Flow, other: Flow) -> None:
        """Wait for what the two flows of a connection need now, or close it when both have ended."""
        if flow.ended and other.ended:
            for each in (flow.source, flow.destination):
                self._wait_for(each, 0)
                del self._flows[each]
                each.close()
            return
        for one, opposite in ((flow, other), (other, flow)):
            reads = selectors.EVENT_READ if one.reading and not one.blocked else 0
            self._wait_for(one.source, reads | (selectors.EVENT_WRITE if opposite.blocked else 0))

    def _wait_for(self, which: socket.socket, events: int) -> None:
        key = self._selector.get_map().get(which)
        if key is None and events:
            self._selector.register(which, events)
        elif key is not None and not events:
            self._selector.unregister(which)
        elif key is not None and key.events != events:
            self._selector.modify(which, events)


def main() -> None:
    parser = argparse.ArgumentParser(description="A TCP proxy that makes a round trip take longer.")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1 (default: a free one)")
    parser.add_argument("--to", type=int, required=True, help="port of 127.0.0.1 to connect to")
    parser.add_argument("--round-trip", type=float, default=20, help="milliseconds (default 20)")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", options.port), backlog=256) as listener:
        signal.signal(signal.SIGTERM, _stop)
        print(listener.getsockname()[1], flush=True)
        with contextlib.suppress(Stopped):
            Proxy(listener, options.to, options.round_trip / 1000).run()


def _stop(*_: object) -> None:
    raise Stopped


if __name__ == "__main__":
    main()
