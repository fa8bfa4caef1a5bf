"""Fuzz targets of the wire: PDUs, user information, command sets, and the requestor's machine."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from fuzz.target import Target, require_one_line
from tests.support import malformed, pdus
from tests.wire.vectors import PDUS

from dcmsend.wire import command, extensions  # noqa: F401 - to be watched from the start
from dcmsend.wire.fragment import MAX_PIECES
from dcmsend.wire.items import decode_user_items, encode_user_items
from dcmsend.wire.pdu import MAX_ASSOCIATE_LENGTH, PDU, PDUBuffer
from dcmsend.wire.reader import MalformedPDU, Reader
from dcmsend.wire.requestor import Requestor, Responded, State, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RECEIVE: Final = 16384
_KINDS: Final = (pdus.A_ASSOCIATE_AC, pdus.P_DATA_TF, pdus.A_ASSOCIATE_RJ, pdus.A_RELEASE_RP, pdus.A_ABORT)
_LARGEST_ITEM: Final = 0xFFFF


def decode_pdus(data: bytes) -> None:
    """A stream, whole and in two pieces: the same PDUs, which are the same when they are written and read again."""
    at = data[0] * 4 if data else 0
    whole = list(PDUBuffer(MAX_RECEIVE).feed(data[1:]))
    parts = PDUBuffer(MAX_RECEIVE)
    assert [*parts.feed(data[1 : 1 + at]), *parts.feed(data[1 + at :])] == whole
    if len(data) < _LARGEST_ITEM:
        for pdu in whole:
            assert _read(pdu.encode()) == [pdu]


def _read(data: bytes) -> list[PDU]:
    return list(PDUBuffer(MAX_ASSOCIATE_LENGTH).feed(data))


def _pdu_seeds() -> Iterator[bytes]:
    for _, vector in PDUS:
        yield b"\x05" + vector
    for seed in range(20):
        random = Random(seed)
        yield bytes((seed,)) + b"".join(malformed.said(random, kind, malformed.Known((1,))) for kind in _KINDS)


def decode_user_information(data: bytes) -> None:
    """The value of a user information item; what is known in it is the same when it is written and read again."""
    items = decode_user_items(Reader(data))
    assert decode_user_items(Reader(encode_user_items(items))) == items
    for item in items:
        assert len(repr(item)) < 5 * len(data) + 200


def _user_seeds() -> Iterator[bytes]:
    yield from malformed.PROVIDED
    for _, vector in PDUS:
        at = vector.find(b"\x50\0", 74)
        if at >= 0:
            yield vector[at + 4 :]


def decode_command_set(data: bytes) -> None:
    """The short way says what the long way says."""
    ordinary = command._decode_ordinary(data, 1)
    found = command.decode_response(data, 1)
    assert ordinary in (None, command._decode_any(data, 1))
    assert 0 <= found.message_id <= 0xFFFF
    assert 0 <= found.status <= 0xFFFF


def _command_seeds() -> Iterator[bytes]:
    for status in malformed.STATUSES:
        for text in malformed.TEXTS:
            yield malformed.response_set(1, status, comment=text[:100], offending=len(text) % 3, follows=status == 0)


_STATES: Final = (State.REQUESTED, State.ESTABLISHED, State.RELEASING, State.COLLIDED)


def feed_machine(data: bytes) -> None:
    """Bytes in chunks to a machine in one of its states, which must not grow, nor go where there is no way.

    The first byte says the state, the second one how long the chunks are.
    """
    if len(data) < 2:
        return
    machine = _machine(_STATES[data[0] % len(_STATES)])
    size = data[1] % 64 * 16 + 1
    for at in range(2, len(data) + size, size):  # the last one is empty: the end of the connection
        chunk = data[at : at + size]
        before = machine.state
        events = machine.receive(chunk)
        machine.outgoing = b""
        assert before is not State.CLOSED or not events
        assert len(machine._buffer._received) <= MAX_ASSOCIATE_LENGTH + size
        assert machine._assembler._pieces <= MAX_PIECES
        for event in events:
            if not isinstance(event, Responded):
                assert repr(event)
            if hasattr(event, "complaint"):
                require_one_line(str(event.complaint))
    assert machine.closed


def _machine(state: State) -> Requestor:
    machine = Requestor(MAX_RECEIVE)
    machine.act(Trigger.REQUEST)
    if state is not State.REQUESTED:
        machine.receive(pdus.associate_ac(malformed.REQUEST))
    if state in (State.RELEASING, State.COLLIDED):
        machine.act(Trigger.RELEASE)
    if state is State.COLLIDED:
        machine.receive(pdus.release_rq())
    machine.outgoing = b""
    return machine


def _machine_seeds() -> Iterator[bytes]:
    for number, seed in enumerate(_pdu_seeds()):
        yield bytes((number, number * 7 % 256)) + seed[1:]


_WORDS: Final = (b"\4\0\0\0", b"\0\0\0\0", b"\1\3", b"\1\2", b"\1\0", b"\1\1", b"1.2.840.10008.1.2", b"\x51\0\0\4",
                 b"\x21\0", b"\x40\0", b"\x50\0", b"\xff" * 4, b"\x20\1\2\0\0\0", b"\0\x09\2\0\0\0")  # fmt: skip
TARGETS: Final = (
    Target("pdus", decode_pdus, (MalformedPDU,), _pdu_seeds, _WORDS),
    Target("user-information", decode_user_information, (MalformedPDU,), _user_seeds, _WORDS),
    Target("command-sets", decode_command_set, (MalformedPDU,), _command_seeds, _WORDS),
    Target("machine", feed_machine, (), _machine_seeds, _WORDS),
)
