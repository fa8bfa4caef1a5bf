"""DICOM messages as bytes, for programs that only pretend to be a sender: the raw limit, and the look whether a server
is there (PS3.8 9.3, PS3.7 9.3.1)."""

from __future__ import annotations

import struct
from pathlib import Path

VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
RELEASE_RQ = bytes((5, 0, 0, 0, 0, 4, 0, 0, 0, 0))
ASSOCIATE_AC = 2

_CONTEXT = 1
_COMMAND, _LAST = 1, 2  # message control header (PS3.8 E.2)
_STORE_RQ, _MEDIUM, _WITH_DATA_SET = 0x0001, 0, 0x0000
_META_GROUP_LENGTH = 140  # where its value stands in a Part 10 file


def associate_request(sop_class: str, transfer_syntax: str) -> bytes:
    """A-ASSOCIATE-RQ with one presentation context."""
    context = bytes((_CONTEXT, 0, 0, 0)) + _item(0x30, sop_class) + _item(0x40, transfer_syntax)
    user = _item(0x51, (16384).to_bytes(4, "big")) + _item(0x52, "2.25.329800735698586629295641978511506172918.1")
    items = _item(0x10, "1.2.840.10008.3.1.1.1") + _item(0x20, context) + _item(0x50, user)
    fixed = struct.pack(">H2x16s16s32x", 1, b"ANY-SCP".ljust(16), b"BENCHMARK".ljust(16))
    return _pdu(1, fixed + items)


def frame(file: Path, sop_class: str, transfer_syntax: str, max_pdu: int, target: Path) -> None:
    """All that a sender writes for one file, in one piece: request, C-STORE-RQ, data set in PDUs, release."""
    with file.open("rb") as source, target.open("wb") as stream:
        head = source.read(_META_GROUP_LENGTH + 4)
        source.seek(len(head) + int.from_bytes(head[_META_GROUP_LENGTH:], "little"))
        stream.write(associate_request(sop_class, transfer_syntax))
        stream.write(_pdu(4, _pdv(_COMMAND | _LAST, _store_request(sop_class, "2.25.1"))))
        fragment, following = source.read(max_pdu - 6), source.read(max_pdu - 6)
        while fragment:
            stream.write(_pdu(4, _pdv(0 if following else _LAST, fragment)))
            fragment, following = following, source.read(max_pdu - 6)
        stream.write(RELEASE_RQ)


def _store_request(sop_class: str, sop_instance: str) -> bytes:
    elements = {
        0x0002: _uid(sop_class),
        0x0100: struct.pack("<H", _STORE_RQ),
        0x0110: struct.pack("<H", 1),
        0x0700: struct.pack("<H", _MEDIUM),
        0x0800: struct.pack("<H", _WITH_DATA_SET),
        0x1000: _uid(sop_instance),
    }
    encoded = b"".join(struct.pack("<HHI", 0, number, len(value)) + value for number, value in elements.items())
    return struct.pack("<HHII", 0, 0, 4, len(encoded)) + encoded


def _uid(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def _item(kind: int, value: bytes | str) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return struct.pack(">BxH", kind, len(content)) + content


def _pdv(control: int, content: bytes) -> bytes:
    return struct.pack(">IBB", len(content) + 2, _CONTEXT, control) + content


def _pdu(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(content)) + content
