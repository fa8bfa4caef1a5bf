"""The upper layer's PDUs (PS3.8 9.3) and C-STORE's command sets (PS3.7 9.3.1), just enough for a peer in a test.

Written with ``struct`` alone, independently of the package.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

A_ASSOCIATE_RQ: Final = 0x01
A_ASSOCIATE_AC: Final = 0x02
A_ASSOCIATE_RJ: Final = 0x03
P_DATA_TF: Final = 0x04
A_RELEASE_RQ: Final = 0x05
A_RELEASE_RP: Final = 0x06
A_ABORT: Final = 0x07

APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
VERIFICATION: Final = "1.2.840.10008.1.1"
IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"

C_STORE_RQ: Final = 0x0001
C_STORE_RSP: Final = 0x8001
C_ECHO_RQ: Final = 0x0030
C_ECHO_RSP: Final = 0x8030
NO_DATA_SET: Final = 0x0101


@dataclass(frozen=True, slots=True)
class Offer:
    """A presentation context of an A-ASSOCIATE-RQ."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What an A-ASSOCIATE-RQ says. ``user`` maps the type of each user information sub-item to its bodies."""

    called_ae: str
    calling_ae: str
    offers: tuple[Offer, ...]
    user: dict[int, list[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A DIMSE message: the context, the command set as tag to value, and the data set's bytes, if one came."""

    context_id: int
    command: dict[int, bytes]
    dataset: bytes | None

    def number(self, tag: int) -> int:
        """A US value of the command set."""
        value: int = struct.unpack("<H", self.command[tag])[0]
        return value

    def uid(self, tag: int) -> str:
        """A UI value of the command set."""
        return self.command[tag].rstrip(b"\0").decode("ascii")

    @property
    def command_field(self) -> int:
        return self.number(0x0100)

    @property
    def message_id(self) -> int:
        return self.number(0x0110)

    @property
    def sop_class(self) -> str:
        return self.uid(0x0002)

    @property
    def sop_instance(self) -> str:
        return self.uid(0x1000)


def pdu(kind: int, body: bytes) -> bytes:
    """A PDU of any type: type, reserved byte, length, body."""
    return struct.pack(">BxI", kind, len(body)) + body


def item(kind: int, body: bytes) -> bytes:
    """An item or sub-item: type, reserved byte, length, body."""
    return struct.pack(">BxH", kind, len(body)) + body


def associate_rq(
    offers: tuple[Offer, ...], *, called_ae: str = "ANY-SCP", calling_ae: str = "TEST", max_pdu: int = 16384
) -> bytes:
    """An A-ASSOCIATE-RQ (Table 9-11)."""
    contexts = b"".join(
        item(
            0x20,
            bytes((offer.context_id, 0, 0, 0))
            + item(0x30, offer.abstract_syntax.encode())
            + b"".join(item(0x40, syntax.encode()) for syntax in offer.transfer_syntaxes),
        )
        for offer in offers
    )
    return pdu(A_ASSOCIATE_RQ, _titles(called_ae, calling_ae) + _context_item() + contexts + _user(max_pdu))


def associate_ac(
    request: Request,
    *,
    result: int = 0,
    syntaxes: dict[int, str] | None = None,
    results: dict[int, int] | None = None,
    max_pdu: int = 16384,
    extra: bytes = b"",
    user: bytes = b"",
) -> bytes:
    """An A-ASSOCIATE-AC (Table 9-17) that answers every context of the request.

    Each gets ``result``, or that of ``results`` by context ID, with its first transfer syntax, or that of
    ``syntaxes`` by context ID. ``extra`` is put in after the contexts, ``user`` after the known user sub-items.
    """
    answers = b"".join(
        item(
            0x21,
            bytes((offer.context_id, 0, (results or {}).get(offer.context_id, result), 0))
            + item(0x40, (syntaxes or {}).get(offer.context_id, offer.transfer_syntaxes[0]).encode()),
        )
        for offer in request.offers
    )
    titles = _titles(request.called_ae, request.calling_ae)
    return pdu(A_ASSOCIATE_AC, titles + _context_item() + answers + extra + _user(max_pdu, user))


def associate_rj(result: int = 1, source: int = 1, reason: int = 1) -> bytes:
    """An A-ASSOCIATE-RJ (Table 9-21)."""
    return pdu(A_ASSOCIATE_RJ, bytes((0, result, source, reason)))


def release_rq() -> bytes:
    """An A-RELEASE-RQ (Table 9-24)."""
    return pdu(A_RELEASE_RQ, bytes(4))


def release_rp() -> bytes:
    """An A-RELEASE-RP (Table 9-25)."""
    return pdu(A_RELEASE_RP, bytes(4))


def abort(source: int = 2, reason: int = 0) -> bytes:
    """An A-ABORT (Table 9-26)."""
    return pdu(A_ABORT, bytes((0, 0, source, reason)))


def p_data(context_id: int, data: bytes, *, command: bool = True, last: bool = True) -> bytes:
    """A P-DATA-TF (Table 9-22) with one PDV."""
    control = (1 if command else 0) | (2 if last else 0)
    return pdu(P_DATA_TF, struct.pack(">IBB", len(data) + 2, context_id, control) + data)


def element(tag: int, value: bytes) -> bytes:
    """An element of a command set: implicit VR little endian, group 0000."""
    return struct.pack("<HHI", 0, tag, len(value)) + value


def command_set(*elements: tuple[int, bytes]) -> bytes:
    """A command set with its group length."""
    body = b"".join(element(tag, value) for tag, value in elements)
    return element(0x0000, struct.pack("<I", len(body))) + body


def store_rq(context_id: int, sop_class: str, sop_instance: str, dataset: bytes, *, max_pdu: int = 16384) -> bytes:
    """The P-DATA-TF PDUs of a C-STORE-RQ (PS3.7 Table 9.3-1), Message ID 1, and of its data set."""
    elements = (
        (0x0002, _ui(sop_class)),
        (0x0100, _us(C_STORE_RQ)),
        (0x0110, _us(1)),
        (0x0700, _us(0)),
        (0x0800, _us(1)),
        (0x1000, _ui(sop_instance)),
    )
    size = max_pdu - 6
    pieces = [dataset[at : at + size] for at in range(0, len(dataset), size)]
    data = (p_data(context_id, piece, command=False, last=False) for piece in pieces[:-1])
    return p_data(context_id, command_set(*elements)) + b"".join(data) + p_data(context_id, pieces[-1], command=False)


def store_rsp(message: Message, *, status: int = 0, message_id: int | None = None, comment: str = "") -> bytes:
    """A P-DATA-TF with the C-STORE-RSP (PS3.7 Table 9.3-2) to a C-STORE-RQ."""
    answered = message.message_id if message_id is None else message_id
    text = comment.encode() + b" " * (len(comment) % 2)
    elements = [
        (0x0002, message.command[0x0002]),
        (0x0100, _us(C_STORE_RSP)),
        (0x0120, _us(answered)),
        (0x0800, _us(NO_DATA_SET)),
        (0x0900, _us(status)),
        *([(0x0902, text)] if comment else []),
        (0x1000, message.command[0x1000]),
    ]
    return p_data(message.context_id, command_set(*elements))


def echo_rsp(message: Message, *, status: int = 0) -> bytes:
    """A P-DATA-TF with the C-ECHO-RSP (PS3.7 Table 9.3-13) to a C-ECHO-RQ."""
    elements = (
        (0x0002, message.command[0x0002]),
        (0x0100, _us(C_ECHO_RSP)),
        (0x0120, _us(message.message_id)),
        (0x0800, _us(NO_DATA_SET)),
        (0x0900, _us(status)),
    )
    return p_data(message.context_id, command_set(*elements))


def parse_request(body: bytes) -> Request:
    """Read the body of an A-ASSOCIATE-RQ."""
    offers: list[Offer] = []
    user: dict[int, list[bytes]] = {}
    for kind, content in _items(body[68:]):
        if kind == 0x20:
            parts = _items(content[4:])
            abstract = next(value.decode() for part, value in parts if part == 0x30)
            offers.append(Offer(content[0], abstract, tuple(value.decode() for part, value in parts if part == 0x40)))
        elif kind == 0x50:
            for part, value in _items(content):
                user.setdefault(part, []).append(value)
    return Request(body[4:20].decode().strip(), body[20:36].decode().strip(), tuple(offers), user)


def parse_results(body: bytes) -> dict[int, int]:
    """Read the body of an A-ASSOCIATE-AC: context ID to result."""
    return {content[0]: content[2] for kind, content in _items(body[68:]) if kind == 0x21}


def parse_pdvs(body: bytes) -> list[tuple[int, bool, bool, bytes]]:
    """Read the body of a P-DATA-TF: context ID, is command, is last, fragment."""
    pdvs: list[tuple[int, bool, bool, bytes]] = []
    at = 0
    while at < len(body):
        length, context_id, control = struct.unpack_from(">IBB", body, at)
        pdvs.append((context_id, bool(control & 1), bool(control & 2), body[at + 6 : at + 4 + length]))
        at += 4 + length
    return pdvs


def parse_command(data: bytes) -> dict[int, bytes]:
    """Read a command set: element number to value."""
    values: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        _, tag, length = struct.unpack_from("<HHI", data, at)
        values[tag] = data[at + 8 : at + 8 + length]
        at += 8 + length
    return values


def _us(value: int) -> bytes:
    return struct.pack("<H", value)


def _ui(value: str) -> bytes:
    return value.encode() + b"\0" * (len(value) % 2)


def _titles(called_ae: str, calling_ae: str) -> bytes:
    return struct.pack(">Hxx16s16s32x", 1, called_ae.ljust(16).encode(), calling_ae.ljust(16).encode())


def _context_item() -> bytes:
    return item(0x10, APPLICATION_CONTEXT.encode())


def _user(max_pdu: int, more: bytes = b"") -> bytes:
    return item(0x50, item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"2.25.1") + item(0x55, b"TEST") + more)


def _items(data: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(">BxH", data, at)
        found.append((kind, data[at + 4 : at + 4 + length]))
        at += 4 + length
    return found
