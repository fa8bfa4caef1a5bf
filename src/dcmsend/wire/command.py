"""Command sets of C-STORE and C-ECHO (PS3.7 9.3.1, 9.3.5), always implicit VR little endian (PS3.7 6.3.1).

Encode and decode work on the same table of elements. UIDs are padded with NUL to even length here, unlike in
negotiation items.
"""

from __future__ import annotations

import _struct as struct

from dcmsend.light import Frozen
from dcmsend.reasons import because
from dcmsend.uids import VERIFICATION_SOP_CLASS
from dcmsend.wire.reader import MalformedPDU, encode_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

C_STORE_RQ: Final = 0x0001
C_STORE_RSP: Final = 0x8001
C_ECHO_RQ: Final = 0x0030
C_ECHO_RSP: Final = 0x8030

NO_DATA_SET: Final = 0x0101
_DATA_SET_FOLLOWS: Final = 0x0001
MAX_COMMAND_LENGTH: Final = 16384  # no response of PS3.7 comes near it
_REQUESTS: Final = {
    C_STORE_RQ: "C-STORE-RQ",
    0x0010: "C-GET-RQ",
    0x0020: "C-FIND-RQ",
    0x0021: "C-MOVE-RQ",
    C_ECHO_RQ: "C-ECHO-RQ",
    0x0100: "N-EVENT-REPORT-RQ",
    0x0110: "N-GET-RQ",
    0x0120: "N-SET-RQ",
    0x0130: "N-ACTION-RQ",
    0x0140: "N-CREATE-RQ",
    0x0150: "N-DELETE-RQ",
    0x0FFF: "C-CANCEL-RQ",
}

_ELEMENT: Final = struct.Struct("<HHI")
_US_ELEMENT: Final = struct.Struct("<HHIH")
_GROUP_LENGTH: Final = struct.Struct("<HHII")

# Element numbers of group 0000 (PS3.7 E.1).
_AFFECTED_SOP_CLASS = 0x0002
_COMMAND_FIELD = 0x0100
_MESSAGE_ID = 0x0110
_MESSAGE_ID_RESPONDED_TO = 0x0120
_PRIORITY = 0x0700
_DATA_SET_TYPE = 0x0800
_STATUS = 0x0900
_OFFENDING_ELEMENT = 0x0901
_ERROR_COMMENT = 0x0902
_AFFECTED_SOP_INSTANCE = 0x1000

_FOUR_US: Final = struct.Struct("<HHIHHHIHHHIHHHIH")
_OF_A_RESPONSE: Final = tuple(
    (0, number, 2) for number in (_COMMAND_FIELD, _MESSAGE_ID_RESPONDED_TO, _DATA_SET_TYPE, _STATUS)
)
_GROUP_LENGTH_HEADER: Final = struct.pack("<HHI", 0, 0, 4)
_SOP_INSTANCE_TAG: Final = struct.pack("<HH", 0, _AFFECTED_SOP_INSTANCE)
_SHORTEST: Final = _GROUP_LENGTH.size + _FOUR_US.size


class Response(Frozen):
    """A response message's command set: what any C-STORE-RSP or C-ECHO-RSP says (PS3.7 9.3.1.2, 9.3.5.2).

    ``offending`` are the tags that the peer complains about; ``comment`` is its own text, untrusted. What it is about
    need not be said: ``sop_class`` and ``sop_instance`` may be empty. ``context_id``: in which presentation context it
    came, 0 where that is not known.
    """

    command_field: int
    message_id: int
    status: int
    has_data_set: bool = False
    comment: str = ""
    offending: tuple[int, ...] = ()
    sop_instance: str = ""
    sop_class: str = ""
    context_id: int = 0

    def encode(self) -> bytes:
        """The response as a peer would send it (for tests and simulated peers)."""
        tags = b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in self.offending)
        elements = [
            _value(_AFFECTED_SOP_CLASS, _uid(self.sop_class)) if self.sop_class else b"",
            _us(_COMMAND_FIELD, self.command_field),
            _us(_MESSAGE_ID_RESPONDED_TO, self.message_id),
            _us(_DATA_SET_TYPE, _DATA_SET_FOLLOWS if self.has_data_set else NO_DATA_SET),
            _us(_STATUS, self.status),
            _value(_OFFENDING_ELEMENT, tags) if tags else b"",
            _value(_ERROR_COMMENT, _padded(self.comment.encode(), b" ")) if self.comment else b"",
            _value(_AFFECTED_SOP_INSTANCE, _uid(self.sop_instance)) if self.sop_instance else b"",
        ]
        return _command_set(b"".join(elements))


def encode_store_request(message_id: int, sop_class: str, sop_instance: str, priority: int = 0) -> bytes:
    """C-STORE-RQ (PS3.7 9.3.1.1). ``priority``: 0 medium, 1 high, 2 low."""
    return _command_set(
        _value(_AFFECTED_SOP_CLASS, _uid(sop_class))
        + _FOUR_US.pack(
            *(0, _COMMAND_FIELD, 2, C_STORE_RQ),
            *(0, _MESSAGE_ID, 2, message_id),
            *(0, _PRIORITY, 2, priority),
            *(0, _DATA_SET_TYPE, 2, _DATA_SET_FOLLOWS),
        )
        + _value(_AFFECTED_SOP_INSTANCE, _uid(sop_instance))
    )


def encode_echo_request(message_id: int) -> bytes:
    """C-ECHO-RQ (PS3.7 9.3.5.1)."""
    return _command_set(
        _value(_AFFECTED_SOP_CLASS, _uid(VERIFICATION_SOP_CLASS))
        + _us(_COMMAND_FIELD, C_ECHO_RQ)
        + _us(_MESSAGE_ID, message_id)
        + _us(_DATA_SET_TYPE, NO_DATA_SET)
    )


def decode_response(command_set: bytes, context_id: int = 0) -> Response:
    """The command set of a response that came in a presentation context.

    Raises ``MalformedPDU`` where it is none, lacks what must be there, or says something twice.
    """
    return _decode_ordinary(command_set, context_id) or _decode_any(command_set, context_id)


def _decode_ordinary(command_set: bytes, context_id: int) -> Response | None:
    """A response with the elements that every one has, in their order (PS3.7 9.3.1.2), and at most a UID behind them.

    ``None`` for any other, though there may be nothing wrong with it. A third of the time of the long way.
    """
    if len(command_set) < _SHORTEST or command_set[:8] != _GROUP_LENGTH_HEADER:
        return None
    group, number, length = _ELEMENT.unpack_from(command_set, _GROUP_LENGTH.size)
    at = _GROUP_LENGTH.size
    sop_class = b""
    if (group, number) == (0, _AFFECTED_SOP_CLASS):
        at += _ELEMENT.size + length
        sop_class = command_set[at - length : at]
    if len(command_set) < at + _FOUR_US.size:
        return None
    found = _FOUR_US.unpack_from(command_set, at)
    if (found[:3], found[4:7], found[8:11], found[12:15]) != _OF_A_RESPONSE:
        return None
    rest = command_set[at + _FOUR_US.size :]
    if rest:
        if rest[:4] != _SOP_INSTANCE_TAG or len(rest) < _ELEMENT.size:
            return None
        rest = rest[_ELEMENT.size :] if int.from_bytes(rest[4:8], "little") == len(rest) - _ELEMENT.size else b""
        if not rest:
            return None
    return Response(
        command_field=found[3],
        message_id=found[7],
        status=found[15],
        has_data_set=found[11] != NO_DATA_SET,
        sop_instance=_text(rest),
        sop_class=_text(sop_class),
        context_id=context_id,
    )


def _decode_any(command_set: bytes, context_id: int) -> Response:
    elements = _decode_elements(command_set)
    field = _unsigned(elements, _COMMAND_FIELD, "Command Field")
    if field in _REQUESTS:
        raise MalformedPDU(because("request_by_peer", name=_REQUESTS[field]))
    offending = elements.get(_OFFENDING_ELEMENT, b"")
    tags = struct.unpack(f"<{len(offending) // 4 * 2}H", offending[: len(offending) // 4 * 4])
    return Response(
        command_field=field,
        message_id=_unsigned(elements, _MESSAGE_ID_RESPONDED_TO, "Message ID Being Responded To"),
        status=_unsigned(elements, _STATUS, "Status"),
        has_data_set=_unsigned(elements, _DATA_SET_TYPE, "Command Data Set Type") != NO_DATA_SET,
        comment=elements.get(_ERROR_COMMENT, b"").decode("utf-8", "replace").strip(" \0"),
        offending=tuple(tags[i] << 16 | tags[i + 1] for i in range(0, len(tags), 2)),
        sop_instance=_text(elements.get(_AFFECTED_SOP_INSTANCE, b"")),
        sop_class=_text(elements.get(_AFFECTED_SOP_CLASS, b"")),
        context_id=context_id,
    )


def _text(uid: bytes) -> str:
    """A UID in a response: bytes that no UID has are kept, for it may be what we have sent."""
    return uid.decode("utf-8", "surrogateescape").strip(" \0")


def _decode_elements(command_set: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    offset = 0
    while offset < len(command_set):
        if len(command_set) - offset < _ELEMENT.size:
            raise MalformedPDU(because("cut_command"))
        group, number, length = _ELEMENT.unpack_from(command_set, offset)
        offset += _ELEMENT.size
        if length > len(command_set) - offset:
            raise MalformedPDU(because("long_command_element", tag=f"({group:04x},{number:04x})"))
        if group == 0:
            if number in elements:
                raise MalformedPDU(because("twice_in_command", tag=f"(0000,{number:04x})"))
            elements[number] = command_set[offset : offset + length]
        offset += length
    return elements


def _unsigned(elements: dict[int, bytes], number: int, name: str) -> int:
    value = elements.get(number, b"")
    if len(value) != 2:
        raise MalformedPDU(because("missing_in_response", name=name, tag=f"(0000,{number:04x})"))
    return int.from_bytes(value, "little")


def _command_set(elements: bytes) -> bytes:
    return _GROUP_LENGTH.pack(0, 0, 4, len(elements)) + elements


def _us(number: int, value: int) -> bytes:
    return _US_ELEMENT.pack(0, number, 2, value)


def _value(number: int, value: bytes) -> bytes:
    return _ELEMENT.pack(0, number, len(value)) + value


def _uid(uid: str) -> bytes:
    return _padded(encode_uid(uid), b"\0")


def _padded(value: bytes, padding: bytes) -> bytes:
    return value + padding if len(value) % 2 else value
