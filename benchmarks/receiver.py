"""A storage SCP that counts and throws away: as fast a peer as a sender can have.

    python benchmarks/receiver.py --max-pdu 131072

It prints the port that it listens on, accepts every association, context and operation, agrees to any asynchronous
operations window, and prints what it has seen as JSON when its standard input ends, or on SIGTERM.

One thread serves all associations: on two processors the other one belongs to the sender. Of a data set only PDU and
PDV headers are looked at (PS3.8 9.3.5), of a command set the elements that a response repeats (PS3.7 9.1.1.2). What one
read has completed is answered in one write.

``--discard`` makes it a peer without any protocol, which reads until the end and then closes: the other end of the
raw limit (``raw.py``).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

BUFFER = 1 << 20  # bytes read at once: more fall out of the processor's cache before they are looked at
LONGEST_HEADER = 12  # PDU header and PDV header

_HEADERS = struct.Struct(">BxIIBB")  # of a PDU and of the PDV that begins it (PS3.8 Tables 9-22 and 9-23)
_PDU = struct.Struct(">BxI")
_PDV = struct.Struct(">IBB")
_ITEM = struct.Struct(">BxH")
_WINDOW = struct.Struct(">HH")

_ASSOCIATE_RQ, _ASSOCIATE_AC, _DATA, _RELEASE_RQ, _RELEASE_RP, _ABORT = 1, 2, 4, 5, 6, 7
_RELEASE_SIZE = 10  # bytes of A-RELEASE-RQ, A-RELEASE-RP and A-ABORT
_COMMAND, _LAST = 1, 2  # message control header (PS3.8 E.2)
_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
_IMPLEMENTATION = b"2.25.329800735698586629295641978511506172918.1"
_ECHO, _STORE, _RESPONSE = 0x0030, 0x0001, 0x8000
_NO_DATA_SET = 0x0101


@dataclass
class Statistics:
    """What has been seen. Times are those of the monotonic clock, which all processes share."""

    instances: int = 0
    bytes: int = 0  # of data sets, or all that was discarded
    associations: int = 0
    most_associations: int = 0  # at a time
    windows: dict[str, int] = field(default_factory=dict)  # agreed upon, how often; "1" where it was not negotiated
    echoes: int = 0
    aborts: int = 0
    unreleased: int = 0  # connections that ended in another way, also without any association
    first_data: float = 0.0
    last_answer: float = 0.0
    per_second: dict[int, int] = field(default_factory=dict)  # instances, by full seconds since the first data
    processor: float = 0.0  # seconds, user and system, of this process

    def count(self, size: int) -> None:
        """One instance is complete."""
        self.last_answer = time.monotonic()
        second = int(self.last_answer - self.first_data)
        self.per_second[second] = self.per_second.get(second, 0) + 1
        self.instances += 1
        self.bytes += size


class Finished(Exception):
    """The connection has nothing more to say."""


class Stopped(Exception):
    """SIGTERM."""


class Association:
    """One connection: bytes in, answers out."""

    def __init__(self, statistics: Statistics, max_pdu: int, largest_window: int) -> None:
        self._statistics = statistics
        self._max_pdu = max_pdu
        self._largest_window = largest_window
        self._skip = 0  # bytes of the current PDV that are still to come and of no interest
        self._rest = 0  # bytes of the current PDU behind the current PDV
        self._last = False  # the current PDV is the last one of a data set
        self._command = b""
        self._answer = b""  # to the store under way
        self._size = 0  # bytes of its data set
        self.answers: list[bytes] = []
        self.released = False

    def received(self, buffer: bytearray, end: int) -> int:
        """Look at ``buffer[:end]``: where the part begins that is to be shown again with what follows."""
        position = 0
        while True:
            skipped = min(self._skip, end - position)
            self._skip -= skipped
            position += skipped
            if self._last and not self._skip:
                self._complete()
            following = (self._pdv if self._rest else self._pdu)(buffer, position, end)
            if following is None:
                return position
            position = following

    def _pdu(self, buffer: bytearray, position: int, end: int) -> int | None:
        """Where the PDU that begins here goes on; None: more bytes are needed."""
        if end - position < LONGEST_HEADER:
            return self._short(buffer, position, end)
        kind, size, length, context, control = _HEADERS.unpack_from(buffer, position)
        if kind == _DATA:
            return self._fragment(buffer, position + LONGEST_HEADER, end, size - 4 - length, length, context, control)
        begin = position + _PDU.size
        if end - begin < size:
            return None
        self._other(kind, bytes(buffer[begin : begin + size]))
        return begin + int(size)

    def _short(self, buffer: bytearray, position: int, end: int) -> int | None:
        """Fewer bytes than the headers of a P-DATA-TF: releases and aborts are shorter than these."""
        if end - position < _RELEASE_SIZE or buffer[position] not in (_RELEASE_RQ, _ABORT):
            return None
        self._other(buffer[position], b"")
        return position + _RELEASE_SIZE

    def _pdv(self, buffer: bytearray, position: int, end: int) -> int | None:
        """One more PDV in the PDU."""
        if end - position < _PDV.size:
            return None
        length, context, control = _PDV.unpack_from(buffer, position)
        return self._fragment(buffer, position + _PDV.size, end, self._rest - 4 - length, length, context, control)

    def _fragment(
        self, buffer: bytearray, position: int, end: int, rest: int, length: int, context: int, control: int
    ) -> int | None:
        """The content of a PDV begins here; ``rest``: what the PDU has behind it."""
        size = length - 2
        if size < 0 or rest < 0:
            raise Finished
        if not control & _COMMAND:
            self._rest = rest
            self._data(size, last=bool(control & _LAST))
            return position
        if end - position < size:
            return None
        self._rest = rest
        self._command += buffer[position : position + size]
        if control & _LAST:
            self._commanded(context)
        return position + size

    def _data(self, size: int, *, last: bool) -> None:
        """A fragment of a data set begins."""
        if not self._statistics.first_data:
            self._statistics.first_data = time.monotonic()
        self._skip = size
        self._size += size
        self._last = last

    def _complete(self) -> None:
        self.answers.append(self._answer)
        self._statistics.count(self._size)
        self._size = 0
        self._last = False

    def _commanded(self, context: int) -> None:
        elements = dict(_elements(self._command))
        self._command = b""
        (command,) = struct.unpack("<H", elements[0x0100])
        answer = _message(context, _response(command | _RESPONSE, elements))
        if command == _STORE:
            self._answer = answer
        elif command == _ECHO:
            self._statistics.echoes += 1
            self.answers.append(answer)
        else:
            raise Finished

    def _other(self, kind: int, body: bytes) -> None:
        if kind == _ASSOCIATE_RQ:
            acceptance, window = _accept(body, self._max_pdu, self._largest_window)
            self.answers.append(acceptance)
            windows = self._statistics.windows
            windows[window] = windows.get(window, 0) + 1
            self._statistics.associations += 1
        elif kind == _RELEASE_RQ:
            self.released = True
            self.answers.append(_PDU.pack(_RELEASE_RP, 4) + bytes(4))
        else:
            self._statistics.aborts += kind == _ABORT
            raise Finished


def _elements(command: bytes) -> Iterator[tuple[int, bytes]]:
    """Number in group 0000 and value of each element of a command set (PS3.7 6.3.1)."""
    position = 0
    while position + 8 <= len(command):
        number, length = struct.unpack_from("<2xHI", command, position)
        position += 8 + length
        yield number, command[position - length : position]


def _response(command: int, request: dict[int, bytes]) -> bytes:
    """The command set of a response: success."""
    elements = {
        0x0002: request[0x0002],
        0x0100: struct.pack("<H", command),
        0x0120: request[0x0110],
        0x0800: struct.pack("<H", _NO_DATA_SET),
        0x0900: struct.pack("<H", 0),
    }
    if 0x1000 in request:
        elements[0x1000] = request[0x1000]
    encoded = b"".join(struct.pack("<HHI", 0, number, len(value)) + value for number, value in elements.items())
    return struct.pack("<HHII", 0, 0, 4, len(encoded)) + encoded


def _message(context: int, command: bytes) -> bytes:
    """A command set as one P-DATA-TF PDU."""
    length = len(command) + 2
    return _PDU.pack(_DATA, length + 4) + _PDV.pack(length, context, _COMMAND | _LAST) + command


def _items(body: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    while position + _ITEM.size <= len(body):
        kind, length = _ITEM.unpack_from(body, position)
        position += _ITEM.size + length
        yield kind, body[position - length : position]


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _accept(request: bytes, max_pdu: int, largest_window: int) -> tuple[bytes, str]:
    """A-ASSOCIATE-AC (PS3.8 9.3.3) and the agreed window: every context with the first syntax that it offers."""
    items = [_item(0x10, _APPLICATION_CONTEXT)]
    user = [_item(0x51, max_pdu.to_bytes(4, "big")), _item(0x52, _IMPLEMENTATION)]
    window = "1"
    for kind, value in _items(request, 68):
        if kind == 0x20:
            syntax = next(uid for kind, uid in _items(value, 4) if kind == 0x40)
            items.append(_item(0x21, bytes((value[0], 0, 0, 0)) + _item(0x40, syntax)))
        elif kind == 0x50:
            proposed = dict(_items(value, 0)).get(0x53)
            if proposed:
                invoked, performed = _WINDOW.unpack(proposed)
                if largest_window and (invoked == 0 or invoked > largest_window):
                    invoked = largest_window
                user.append(_item(0x53, _WINDOW.pack(invoked, performed)))
                window = "unlimited" if invoked == 0 else str(invoked)
    items.append(_item(0x50, b"".join(user)))
    body = request[:68] + b"".join(items)
    return _PDU.pack(_ASSOCIATE_AC, len(body)) + body, window


class Connection:
    """A socket, its association, and what could not be written yet."""

    def __init__(self, connection: socket.socket, association: Association) -> None:
        self.socket = connection
        self.association = association
        self._kept = b""  # read, but to be shown again with what follows
        self._unwritten = b""

    def read(self, buffer: bytearray, view: memoryview) -> None:
        """Read once. Raises ``Finished`` at the end and where the connection breaks."""
        kept = len(self._kept)
        buffer[:kept] = self._kept
        try:
            size = self.socket.recv_into(view[kept:])
        except BlockingIOError:
            return
        except OSError as error:
            raise Finished from error
        if size == 0:
            raise Finished
        end = kept + size
        self._kept = bytes(view[self.association.received(buffer, end) : end])
        if self.association.answers:
            self._unwritten += b"".join(self.association.answers)
            self.association.answers.clear()
            self.write()

    def write(self) -> None:
        try:
            sent = self.socket.send(self._unwritten)
        except BlockingIOError:
            return
        except OSError as error:
            raise Finished from error
        self._unwritten = self._unwritten[sent:]

    @property
    def waits_to_write(self) -> bool:
        return bool(self._unwritten)


class Discarding(Connection):
    """Reads and forgets."""

    def __init__(self, connection: socket.socket, statistics: Statistics) -> None:
        super().__init__(connection, Association(statistics, 0, 0))
        self._statistics = statistics

    def read(self, buffer: bytearray, view: memoryview) -> None:  # noqa: ARG002
        try:
            size = self.socket.recv_into(view)
        except BlockingIOError:
            return
        except OSError as error:
            raise Finished from error
        if size == 0:
            raise Finished
        self._statistics.first_data = self._statistics.first_data or time.monotonic()
        self._statistics.bytes += size


def serve(listener: socket.socket, statistics: Statistics, options: argparse.Namespace) -> None:
    """Serve all connections until standard input ends."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    with contextlib.suppress(PermissionError):  # a device or a file, which does not end
        selector.register(sys.stdin, selectors.EVENT_READ)
    buffer = bytearray(BUFFER)
    view = memoryview(buffer)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listener:
                _open(listener, selector, statistics, options)
                continue
            connection: Connection = key.data
            try:
                if connection.waits_to_write:
                    connection.write()
                connection.read(buffer, view)
            except Finished:
                statistics.unreleased += not connection.association.released
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.waits_to_write else 0)
                if events != key.events:
                    selector.modify(connection.socket, events, connection)
            if options.until_first and statistics.first_data:
                return


def _open(
    listener: socket.socket, selector: selectors.BaseSelector, statistics: Statistics, options: argparse.Namespace
) -> None:
    connected, _ = listener.accept()
    connected.settimeout(0)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if options.discard:
        connection: Connection = Discarding(connected, statistics)
    else:
        connection = Connection(connected, Association(statistics, options.max_pdu, options.window))
    selector.register(connected, selectors.EVENT_READ, connection)
    open_now = sum(isinstance(key.data, Connection) for key in selector.get_map().values())
    statistics.most_associations = max(statistics.most_associations, open_now)


def main() -> None:
    parser = argparse.ArgumentParser(description="A storage SCP that counts and throws away.")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1 (default: a free one)")
    parser.add_argument("--max-pdu", type=int, default=16384, help="largest PDU to be received (default 16384)")
    parser.add_argument("--window", type=int, default=0, help="largest window to agree to (default 0: any)")
    parser.add_argument("--until-first", action="store_true", help="end when the first instance begins to arrive")
    parser.add_argument("--discard", action="store_true", help="no protocol: read until the end, then close")
    options = parser.parse_args()
    statistics = Statistics()
    with socket.create_server(("127.0.0.1", options.port), backlog=256) as listener:
        signal.signal(signal.SIGTERM, _stop)
        print(listener.getsockname()[1], flush=True)
        with contextlib.suppress(Stopped):
            serve(listener, statistics, options)
    times = os.times()
    statistics.processor = times.user + times.system
    print(json.dumps(asdict(statistics)), flush=True)


def _stop(*_: object) -> None:
    raise Stopped


if __name__ == "__main__":
    main()
