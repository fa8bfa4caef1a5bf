"""Data sets as values, and their bytes in each encoding, written independently of the package (PS3.5 7).

Values are little endian and of even length, as in the default transfer syntax; in big endian their units are turned.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from dcmsend.files.elements import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dcmsend.files.elements import Encoding

ENCODINGS: Final = {"implicit": IMPLICIT_LE, "explicit": EXPLICIT_LE, "big endian": EXPLICIT_BE}
UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD

# PS3.5 7.1.2: the VRs with a length of 16 bits, and how many bytes are turned around in big endian (7.3).
SHORT: Final = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST",
                "TM", "UI", "UL", "US"}  # fmt: skip
UNITS: Final = {"AT": 2, "OW": 2, "SS": 2, "US": 2, "FL": 4, "OF": 4, "OL": 4, "SL": 4, "UL": 4, "FD": 8, "OD": 8,
                "OV": 8, "SV": 8, "UV": 8}  # fmt: skip
# Hanging protocols have an attribute for each VR (PS3.3 C.23.4): Selector AE Value and so on.
SELECTORS: Final = {
    "AE": 0x0072005E, "AS": 0x0072005F, "AT": 0x00720060, "DA": 0x00720061, "CS": 0x00720062, "DT": 0x00720063,
    "IS": 0x00720064, "OB": 0x00720065, "LO": 0x00720066, "OF": 0x00720067, "LT": 0x00720068, "OW": 0x00720069,
    "PN": 0x0072006A, "TM": 0x0072006B, "SH": 0x0072006C, "UN": 0x0072006D, "ST": 0x0072006E, "UC": 0x0072006F,
    "UT": 0x00720070, "UR": 0x00720071, "DS": 0x00720072, "OD": 0x00720073, "FD": 0x00720074, "OL": 0x00720075,
    "FL": 0x00720076, "UL": 0x00720078, "US": 0x0072007A, "SL": 0x0072007C, "SS": 0x0072007E, "UI": 0x0072007F,
    "SQ": 0x00720080, "OV": 0x00720081, "SV": 0x00720082, "UV": 0x00720083,
}  # fmt: skip


class Item(NamedTuple):
    """An item; ``open``: of undefined length."""

    elements: tuple[Element, ...] = ()
    open: bool = False


class Element(NamedTuple):
    """An element, or with items for its value a sequence; ``open``: of undefined length."""

    tag: int
    vr: str
    value: bytes | tuple[Item, ...]
    open: bool = False


def sequence(tag: int, *items: Item, vr: str = "SQ") -> Element:
    """A sequence of defined length."""
    return Element(tag, vr, items)


def open_sequence(tag: int, *items: Item, vr: str = "SQ") -> Element:
    """A sequence of undefined length."""
    return Element(tag, vr, items, open=True)


def item(*elements: Element) -> Item:
    return Item(elements)


def open_item(*elements: Element) -> Item:
    return Item(elements, open=True)


def write(elements: Sequence[Element], encoding: Encoding) -> bytes:
    """A data set in an encoding."""
    return b"".join(write_element(element, encoding) for element in elements)


def write_element(element: Element, encoding: Encoding) -> bytes:
    tag, vr, value, is_open = element
    if isinstance(value, tuple):
        # The value of UN is implicit VR little endian, whatever is around it (PS3.5 6.2.2).
        inside = IMPLICIT_LE if vr == "UN" else encoding
        content = b"".join(_write_item(one, inside) for one in value)
        content += marker(SEQUENCE_END, 0, inside) if is_open else b""
    else:
        too_long = vr in SHORT and len(value) > 0xFFFE and encoding.explicit
        vr = "UN" if too_long else vr
        content = value if encoding.little else turned(value, UNITS.get(vr, 1))
    return header(tag, vr, UNDEFINED if is_open else len(content), encoding) + content


def header(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    """The header of an element, with a length that may be wrong."""
    order = "<" if encoding.little else ">"
    start = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not encoding.explicit:
        return start + struct.pack(order + "L", length)
    if vr in SHORT:
        return start + vr.encode() + struct.pack(order + "H", length)
    return start + vr.encode() + struct.pack(order + "HL", 0, length)


def marker(tag: int, length: int, encoding: Encoding) -> bytes:
    """The header of an item, or a delimiter: without a VR in every encoding (PS3.5 7.5)."""
    return struct.pack("<HHL" if encoding.little else ">HHL", tag >> 16, tag & 0xFFFF, length)


def turned(value: bytes, unit: int) -> bytes:
    """The bytes with each unit in the other byte order."""
    return b"".join(value[at : at + unit][::-1] for at in range(0, len(value), unit))


def _write_item(one: Item, encoding: Encoding) -> bytes:
    content = write(one.elements, encoding)
    if one.open:
        return marker(ITEM, UNDEFINED, encoding) + content + marker(ITEM_END, 0, encoding)
    return marker(ITEM, len(content), encoding) + content
