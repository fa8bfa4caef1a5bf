"""Write data elements, data sets and files byte by byte, as PS3.5 7 and PS3.10 7.1 draw them."""

from __future__ import annotations

import struct
import zlib
from typing import Final

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
DICOMDIR: Final = "1.2.840.10008.1.3.10"
INSTANCE: Final = "1.2.3.4"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
JPEG: Final = "1.2.840.10008.1.2.4.50"
PREAMBLE: Final = bytes(128) + b"DICM"
UNDEFINED: Final = 0xFFFFFFFF

_LONG: Final = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"ZZ")


def explicit(tag: int, vr: bytes, value: bytes, *, order: str = "<", length: int | None = None) -> bytes:
    """An element with its VR (PS3.5 7.1.2); ``length`` as given, right or wrong."""
    length = len(value) if length is None else length
    head = struct.pack(order + "HH2s", tag >> 16, tag & 0xFFFF, vr)
    return head + struct.pack(order + ("HL" if vr in _LONG else "H"), *((0,) if vr in _LONG else ()), length) + value


def implicit(tag: int, value: bytes, *, length: int | None = None) -> bytes:
    """An element without its VR (PS3.5 7.1.3). Items and delimiters look like this in every little endian encoding."""
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(value: bytes) -> bytes:
    return implicit(0xFFFEE000, value)


def open_item(value: bytes) -> bytes:
    return implicit(0xFFFEE000, b"", length=UNDEFINED) + value + implicit(0xFFFEE00D, b"")


SEQUENCE_END: Final = implicit(0xFFFEE0DD, b"")


def uid(text: str) -> bytes:
    return text.encode() + b"\0" * (len(text) % 2)


def dataset(sop_class: str = CT, sop_instance: str = INSTANCE, rest: bytes = b"") -> bytes:
    """An explicit little endian data set: the two UIDs, a patient's name, and ``rest``."""
    name = explicit(0x00100010, b"PN", b"A^B ")
    return explicit(0x00080016, b"UI", uid(sop_class)) + explicit(0x00080018, b"UI", uid(sop_instance)) + name + rest


def meta(sop_class: str = CT, sop_instance: str = INSTANCE, syntax: str = EXPLICIT) -> bytes:
    """File meta information with its group length."""
    group = b"".join(
        explicit(tag, b"UI", uid(text))
        for tag, text in ((0x00020002, sop_class), (0x00020003, sop_instance), (0x00020010, syntax))
    )
    return explicit(0x00020000, b"UL", struct.pack("<L", len(group))) + group


def part10(
    data: bytes | None = None, *, syntax: str = EXPLICIT, sop_class: str = CT, sop_instance: str = INSTANCE
) -> bytes:
    """A whole file."""
    data = dataset(sop_class, sop_instance) if data is None else data
    return PREAMBLE + meta(sop_class, sop_instance, syntax) + data


def deflate(data: bytes) -> bytes:
    """A raw deflate stream (PS3.5 A.5)."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def record(file_id: str, sop_class: str = CT, sop_instance: str = INSTANCE, syntax: str = EXPLICIT) -> bytes:
    """A directory record that refers to a file."""
    file_id += " " * (len(file_id) % 2)
    return item(
        explicit(0x00041500, b"CS", file_id.encode())
        + explicit(0x00041510, b"UI", uid(sop_class))
        + explicit(0x00041511, b"UI", uid(sop_instance))
        + explicit(0x00041512, b"UI", uid(syntax))
    )


def dicomdir(*records: bytes) -> bytes:
    """A DICOMDIR with these records."""
    return PREAMBLE + meta(DICOMDIR) + explicit(0x00041220, b"SQ", b"".join(records))


def is_one_line(text: str) -> bool:
    """Whether text can stand in a log: it ends no line, moves no cursor, turns no direction of reading."""
    return len(text.splitlines()) <= 1 and not set(text) & FORGERY


FORGERY = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u200e", "\u202a", "\u202e", "\u2066", "\u2028"}
