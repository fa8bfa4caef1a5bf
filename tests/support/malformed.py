"""What a hostile peer says: PDUs of every kind, right, damaged, in the wrong place or without end (PS3.8 9.3).

All of it follows from a seed alone, so that each case can be made again. ``responses`` says what a stream of bytes
answers, by a reading of its own that stops where it can make no sense of it.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support import pdus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
OFFERS: Final = (
    pdus.Offer(1, CT, (EXPLICIT,)),
    pdus.Offer(3, CT, (pdus.IMPLICIT_LITTLE, "1.2.840.10008.1.2.2")),
    pdus.Offer(5, pdus.VERIFICATION, (pdus.IMPLICIT_LITTLE,)),
)
REQUEST: Final = pdus.Request("ANY-SCP", "TEST", OFFERS)

LENGTHS: Final = (0, 1, 2, 3, 4, 5, 7, 8, 0xFF, 0x100, 0x3FFF, 0x4000, 0x4001, 0x7FFF, 0xFFFE, 0xFFFF, 0x10000, 1 << 20,
                  (1 << 20) + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)  # fmt: skip
MAXIMUM_LENGTHS: Final = (0, 8, 9, 64, 1024, 4096, 16382, 16384, 131072, 1 << 20, 0xFFFFFFFF)
USELESS_LENGTHS: Final = (1, 2, 5, 6, 7)
STATUSES: Final = (0x0000, 0x0000, 0x0000, 0x0001, 0x0107, 0x0122, 0xA700, 0xA900, 0xB000, 0xB007, 0xC000, 0xFE00,
                   0xFF00, 0xFFFF)  # fmt: skip
MESSAGE_IDS: Final = (0, 1, 2, 255, 256, 4711, 0x7FFF, 0x8000, 0xFFFF)
TEXTS: Final = (b"", b"out of disk", b"\0\n\r\x1b[31m", b"\xff\xfe\x80", "\u202eevil\u2028".encode(), b"A" * 64,
                b"B" * 5000)  # fmt: skip
JUNK: Final = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"\x15\x03\x01\x00\x02\x02\x28",
               b"220 mail ESMTP\r\n", bytes(1), bytes(6), bytes(64), b"\xff" * 6, b"\xff" * 70, b"\r\n")  # fmt: skip
PROVIDED: Final = (b"", b"\x53\0\0\4\0\1\0\1", b"\x53\0\0\4\0\4\0\1", b"\x53\0\0\4\0\0\0\0",
                   b"\x54\0\0\x08\0\0041.22\1\0", b"\x59\0\0\4\0\2ok", b"\x5f\0\0\2??")  # fmt: skip


class Known(NamedTuple):
    """What a peer knows when it speaks: the Message IDs that it may answer."""

    asked: tuple[int, ...] = ()


def said(random: Random, kind: int, known: Known) -> bytes:
    """What a well-behaved peer says where it has to say ``kind``, a type of PDU."""
    return _RIGHT[kind](random, known)


def lied(random: Random, kind: int, known: Known) -> bytes:
    """What a hostile one says there: one to three things, of which at least the last one may be anything."""
    parts = [_anything(random, kind, known) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    if random.random() < 0.3:
        parts.insert(0, said(random, kind, known))
    return b"".join(parts)


def _anything(random: Random, kind: int, known: Known) -> bytes:
    way = random.random()
    if way < 0.55:
        return damaged(random, said(random, kind, known))
    if way < 0.7:
        return said(random, random.choice(_KINDS), known)
    if way < 0.85:
        return damaged(random, said(random, random.choice(_KINDS), known))
    if way < 0.93:
        return random.choice(FLOODS)(random, known)
    return junk(random)


def damaged(random: Random, data: bytes) -> bytes:
    """``data`` with one to three kinds of damage."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(DAMAGE)(random, data)
    return data


# What is right. Each function makes one PDU, or the few PDUs of one message.


def acceptance(random: Random, _: Known) -> bytes:
    """An A-ASSOCIATE-AC that accepts the first context."""
    results = {offer.context_id: random.choice((0, 0, 0, 1, 3, 4, 255)) for offer in OFFERS[1:]}
    maximum = random.choice(MAXIMUM_LENGTHS) if random.random() < 0.5 else 16384
    return pdus.associate_ac(REQUEST, results=results, max_pdu=maximum, user=random.choice(PROVIDED))


def rejection(random: Random, _: Known) -> bytes:
    return pdus.associate_rj(random.randrange(4), random.randrange(5), random.randrange(9))


def request(random: Random, _: Known) -> bytes:
    return pdus.associate_rq(OFFERS[: random.randrange(4)])


def response(random: Random, known: Known) -> bytes:
    """A C-STORE-RSP to one of the requests, whole or in pieces."""
    asked = random.choice(known.asked) if known.asked else random.choice(MESSAGE_IDS)
    return answer(random, asked)


def answer(random: Random, message_id: int) -> bytes:
    """A C-STORE-RSP to this Message ID."""
    way = random.random()
    status = random.choice(STATUSES)
    context_id = 1 if way < 0.9 else random.choice((0, 2, 3, 7, 255))
    if way < 0.5:
        return pdus.p_data(context_id, response_set(message_id, status))
    text, follows = random.choice(TEXTS), way > 0.8
    command = response_set(message_id, status, comment=text, offending=random.randrange(3), follows=follows)
    pieces = list(_pieces(random, command))
    sent = [(True, index == len(pieces), piece) for index, piece in enumerate(pieces, 1)]
    if follows:
        sent += [(False, False, bytes(200))] * random.randrange(3) + [(False, True, b"")]
    if random.random() < 0.5:
        return b"".join(pdus.p_data(context_id, data, command=is_command, last=last) for is_command, last, data in sent)
    values = (_value(context_id, is_command, last, data) for is_command, last, data in sent)
    return pdus.pdu(pdus.P_DATA_TF, b"".join(values))


def release_request(_: Random, __: Known) -> bytes:
    return pdus.release_rq()


def release_response(_: Random, __: Known) -> bytes:
    return pdus.release_rp()


def abort(random: Random, _: Known) -> bytes:
    return pdus.abort(random.randrange(4), random.randrange(8))


_RIGHT: Final[dict[int, Callable[[Random, Known], bytes]]] = {
    pdus.A_ASSOCIATE_RQ: request,
    pdus.A_ASSOCIATE_AC: acceptance,
    pdus.A_ASSOCIATE_RJ: rejection,
    pdus.P_DATA_TF: response,
    pdus.A_RELEASE_RQ: release_request,
    pdus.A_RELEASE_RP: release_response,
    pdus.A_ABORT: abort,
}
_KINDS: Final = tuple(_RIGHT)


@cache
def _store_elements(follows: bool) -> tuple[tuple[int, bytes], ...]:
    sop_class = CT.encode() + b"\0" * (len(CT) % 2)
    return (0x0002, sop_class), (0x0100, b"\x01\x80"), (0x0800, b"\0\0" if follows else b"\1\1")


def response_set(
    message_id: int, status: int, *, comment: bytes = b"", offending: int = 0, follows: bool = False
) -> bytes:
    """The command set of a C-STORE-RSP; ``follows``: it says that a data set comes behind it."""
    sop_class, field, kind = _store_elements(follows)
    number, state = ((tag, struct.pack("<H", value)) for tag, value in ((0x0120, message_id), (0x0900, status)))
    more = [(0x0901, b"\x10\0\x10\0" * offending)] if offending else []
    more += [(0x0902, comment + b" " * (len(comment) % 2))] if comment else []
    return pdus.command_set(sop_class, field, number, kind, state, *more)


def _pieces(random: Random, data: bytes) -> Iterator[bytes]:
    """``data`` in a few pieces, some of them empty."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 1, 2, 5))))
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        yield data[start:end]


def _value(context_id: int, is_command: bool, last: bool, data: bytes) -> bytes:
    control = (1 if is_command else 0) | (2 if last else 0)
    return struct.pack(">IBB", len(data) + 2, context_id, control) + data


# What goes on and on. All of them come to an end here, but far behind what anybody needs.


def no_values(random: Random, _: Known) -> bytes:
    """P-DATA-TF without anything in them."""
    return pdus.pdu(pdus.P_DATA_TF, b"") * _many(random, 6)


def empty_pieces(random: Random, _: Known) -> bytes:
    """Pieces of a command set that has no bytes, and never a last one."""
    return pdus.p_data(1, b"", last=False) * _many(random, 12)


def short_pieces(random: Random, _: Known) -> bytes:
    """The same, a byte at a time."""
    return pdus.p_data(1, b"\0", last=False) * _many(random, 13)


def endless_command(random: Random, _: Known) -> bytes:
    return pdus.p_data(1, bytes(4096), last=False) * _many(random, 4108)


def endless_data(random: Random, known: Known) -> bytes:
    """A response with a data set that has no end."""
    size = random.choice((0, 1, 1000, 16000))
    asked = random.choice(known.asked or (1,))
    begin = pdus.p_data(1, response_set(asked, 0, follows=True))
    return begin + pdus.p_data(1, bytes(size), command=False, last=False) * _many(random, size + 12)


def full_pdu(random: Random, _: Known) -> bytes:
    """As many values as fit into one PDU."""
    return pdus.pdu(pdus.P_DATA_TF, _value(1, True, random.random() < 0.5, b"") * 2730)


def many_responses(random: Random, known: Known) -> bytes:
    """The same response again and again, or one to every Message ID."""
    if random.random() < 0.5:
        return response(random, known) * _many(random, 100)
    return b"".join(pdus.p_data(1, response_set(number, 0)) for number in range(_many(random, 100) % 3000))


def many_releases(random: Random, _: Known) -> bytes:
    return random.choice((pdus.release_rq(), pdus.release_rp(), pdus.release_rq() + pdus.release_rp())) * _many(
        random, 20
    )


def many_items(random: Random, _: Known) -> bytes:
    """An A-ASSOCIATE-AC with thousands of items, or of sub-items."""
    kind, value = random.choice(((0x21, b"\1\0\0\0\x40\0\0\0"), (0x7F, b""), (0x50, b""), (0x10, b"1"), (0x40, b"1")))
    extra = pdus.item(kind, value) * _many(random, len(value) + 4)
    user = pdus.item(random.choice((0x51, 0x53, 0x55, 0x57, 0x58, 0x5F)), b"") * random.choice((0, 3, 1000))
    return pdus.associate_ac(REQUEST, extra=extra, user=user)


def _many(random: Random, size: int) -> int:
    """How many of something of ``size`` bytes: mostly a few, now and then some 100 KB."""
    return random.choice((2, 3, 20, 20, 200)) if random.random() < 0.97 else 200_000 // size


FLOODS: Final[tuple[Callable[[Random, Known], bytes], ...]] = (
    no_values, empty_pieces, short_pieces, endless_command, endless_data, full_pdu, many_responses, many_releases,
    many_items,
)  # fmt: skip


# Damage. Each function takes any bytes, and gives other ones.


def truncate(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def cut_head(random: Random, data: bytes) -> bytes:
    return data[random.randrange(len(data) + 1) :]


def flip_bits(random: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def change_bytes(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    some = random.choice((b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f", random.randbytes(3)))
    return data[:at] + some + data[at + len(some) :]


def put_in(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice((random.randbytes(random.choice((1, 2, 6, 40))), data[:at][-20:])) + data[at:]


def take_out(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.choice((1, 2, 4, 8, 30)) :]


def change_length(random: Random, data: bytes) -> bytes:
    """Another number in one of the fields that say how long something is."""
    fields = length_fields(data)
    if not fields:
        return truncate(random, data)
    at, width, order = random.choice(fields)
    (true,) = struct.unpack_from(order + _WIDTHS[width], data, at)
    length = random.choice((*LENGTHS, true - 1, true + 1, true + 2, true - 2, true * 2, len(data), len(data) - at))
    changed = struct.pack(order + _WIDTHS[width], length & (1 << 8 * width) - 1)
    return data[:at] + changed + data[at + width :]


def change_kind(random: Random, data: bytes) -> bytes:
    """Another type of PDU."""
    return bytes((random.choice((*range(9), 0x54, 0x80, 0xFF)),)) + data[1:]


def change_value(random: Random, data: bytes) -> bytes:
    """Another context ID or control header in a P-DATA-TF, another version or reserved byte elsewhere."""
    at = random.choice((1, 6, 7, 8, 9, 10, 11))
    return data[:at] + bytes((random.choice((0, 1, 2, 3, 4, 5, 7, 0x80, 0xFF)),)) + data[at + 1 :]


def repeat(_: Random, data: bytes) -> bytes:
    return data + data


DAMAGE: Final[tuple[Callable[[Random, bytes], bytes], ...]] = (
    truncate, truncate, cut_head, flip_bits, flip_bits, change_bytes, put_in, take_out, change_length, change_length,
    change_length, change_kind, change_value, change_value, repeat,
)  # fmt: skip
_WIDTHS: Final = {2: "H", 4: "I"}


def junk(random: Random) -> bytes:
    """What is no PDU, and what may look like one by chance."""
    if random.random() < 0.5:
        return random.choice(JUNK)
    return bytes((random.randrange(9),)) + random.randbytes(random.choice((0, 4, 5, 20, 200)))


def length_fields(data: bytes) -> list[tuple[int, int, str]]:
    """Where lengths stand, as far as they can be found: offset, width in bytes, byte order."""
    fields: list[tuple[int, int, str]] = []
    for start, kind, end in _pdus(data):
        fields.append((start - 4, 4, ">"))
        if kind in (pdus.A_ASSOCIATE_RQ, pdus.A_ASSOCIATE_AC):
            _item_lengths(data, start + 68, end, fields)
        elif kind == pdus.P_DATA_TF:
            for value, control, behind in _values(data, start, end):
                fields.append((value - 6, 4, ">"))
                if control & 1:
                    _element_lengths(data, value, behind, fields)
        if len(fields) > _MOST_FIELDS:
            break
    return fields


_MOST_FIELDS: Final = 200
_INSIDE: Final = {0x20: 4, 0x21: 4, 0x50: 0}  # items that have others in them, behind so many bytes


def _pdus(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each whole PDU: where its body begins, its type, where it ends."""
    at = 0
    while at + 6 <= len(data):
        kind, length = struct.unpack_from(">BxI", data, at)
        if at + 6 + length > len(data):
            return
        yield at + 6, kind, at + 6 + length
        at += 6 + length


def _values(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each whole PDV of a P-DATA-TF: where its data begins, its control header, where it ends."""
    while at + 6 <= end:
        length, _, control = struct.unpack_from(">IBB", data, at)
        if length < 2 or at + 4 + length > end:
            return
        yield at + 6, control, at + 4 + length
        at += 4 + length


def _item_lengths(data: bytes, at: int, end: int, fields: list[tuple[int, int, str]]) -> None:
    while at + 4 <= end and len(fields) <= _MOST_FIELDS:
        kind, length = struct.unpack_from(">BxH", data, at)
        fields.append((at + 2, 2, ">"))
        if kind in _INSIDE:
            _item_lengths(data, at + 4 + _INSIDE[kind], min(at + 4 + length, end), fields)
        at += 4 + length


def _element_lengths(data: bytes, at: int, end: int, fields: list[tuple[int, int, str]]) -> None:
    while at + 8 <= end:
        fields.append((at + 4, 4, "<"))
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")


# What a stream says.


def responses(data: bytes) -> list[tuple[int, int]]:
    """Message ID and status of each response in a stream of PDUs, in order, as far as it is one."""
    found: list[tuple[int, int]] = []
    command = bytearray()
    for start, kind, end in _pdus(data):
        if kind != pdus.P_DATA_TF:
            continue
        for value, control, behind in _values(data, start, end):
            if control & 1:
                command += data[value:behind]
            if control & 3 == 3:
                answered = _answered(bytes(command))
                if answered is None:
                    return found
                found.append(answered)
                command.clear()
    return found


def _answered(command: bytes) -> tuple[int, int] | None:
    values: dict[int, bytes] = {}
    at = 0
    while at + 8 <= len(command):
        group, element, length = struct.unpack_from("<HHI", command, at)
        if at + 8 + length > len(command):
            return None
        values[group << 16 | element] = command[at + 8 : at + 8 + length]
        at += 8 + length
    if at < len(command) or len(values.get(0x0120, b"")) != 2 or len(values.get(0x0900, b"")) != 2:
        return None
    return int.from_bytes(values[0x0120], "little"), int.from_bytes(values[0x0900], "little")
