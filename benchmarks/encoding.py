"""Nested data elements -> bytes of a Part 10 file (PS3.5 7, PS3.10 7), written without any library."""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_LONG_VRS = frozenset(("OB", "OW", "SQ", "UN", "UT"))
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

Items: TypeAlias = "list[list[Element]]"
Numbers: TypeAlias = "int | float | tuple[int | float, ...]"


class Element(NamedTuple):
    """One data element. ``value``: bytes, text, numbers (US, SS, UL, SL, FL, FD), or the items of a sequence (SQ)."""

    tag: int
    vr: str
    value: bytes | str | Numbers | Items


class Style(NamedTuple):
    """How elements are written; ``delimited``: sequences and items have no length, but an end."""

    explicit: bool = True
    delimited: bool = False

    @property
    def transfer_syntax(self) -> str:
        return EXPLICIT_VR_LITTLE_ENDIAN if self.explicit else IMPLICIT_VR_LITTLE_ENDIAN


def part10(sop_class: str, sop_instance: str, elements: list[Element], style: Style) -> bytes:
    """A whole file: preamble, file meta information, and the elements in the order of their tags."""
    meta = encode(
        [
            Element(0x00020001, "OB", b"\0\1"),
            Element(0x00020002, "UI", sop_class),
            Element(0x00020003, "UI", sop_instance),
            Element(0x00020010, "UI", style.transfer_syntax),
        ],
        Style(),
    )
    length = encode([Element(0x00020000, "UL", len(meta))], Style())
    return bytes(128) + b"DICM" + length + meta + encode(elements, style)


def encode(elements: list[Element], style: Style) -> bytes:
    """The elements of a data set or an item."""
    return b"".join(_element(element, style) for element in sorted(elements, key=lambda element: element.tag))


def count(elements: list[Element]) -> int:
    """How many elements there are, on all levels; items are not counted."""
    return sum(1 + (sum(map(count, element.value)) if isinstance(element.value, list) else 0) for element in elements)


def _element(element: Element, style: Style) -> bytes:
    tag, vr, value = element
    if isinstance(value, list):
        length, data = _sequence(value, style)
    else:
        data = _padded(vr, value)
        length = len(data)
    group_and_number = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not style.explicit:
        return group_and_number + struct.pack("<I", length) + data
    if vr in _LONG_VRS:
        return group_and_number + struct.pack("<2sHI", vr.encode(), 0, length) + data
    return group_and_number + struct.pack("<2sH", vr.encode(), length) + data


def _sequence(items: Items, style: Style) -> tuple[int, bytes]:
    """Length field and value of a sequence."""
    contents = [encode(item, style) for item in items]
    if style.delimited:
        parts = [_mark(_ITEM, _UNDEFINED) + content + _mark(_ITEM_END, 0) for content in contents]
        return _UNDEFINED, b"".join(parts) + _mark(_SEQUENCE_END, 0)
    data = b"".join(_mark(_ITEM, len(content)) + content for content in contents)
    return len(data), data


def _mark(tag: int, length: int) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)


def _padded(vr: str, value: bytes | str | Numbers) -> bytes:
    if isinstance(value, str):
        value = value.encode("ascii")
    elif not isinstance(value, bytes):
        numbers = value if isinstance(value, tuple) else (value,)
        value = struct.pack(f"<{len(numbers)}{_NUMBERS[vr]}", *numbers)
    return value + (b"\0" if vr in ("UI", "OB", "UN") else b" ") if len(value) % 2 else value
