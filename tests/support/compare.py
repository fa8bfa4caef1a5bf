"""Two files element by element: what one data set says that the other does not, whatever their transfer syntaxes.

pydicom reads both; values are compared as bytes, in little endian. Not a difference are: lengths that are defined here
and undefined there; UN, or no VR at all, beside a known VR; a sequence beside the bytes of one; padding at the end of
values; the numbers in group lengths, which every encoding has its own of; Data Set Trailing Padding; the file meta
information. Pixels may be allowed to differ by a little.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from pydicom import DataElement, Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_sequence
from pydicom.filewriter import write_data_element

PIXEL_DATA: Final = 0x7FE00010
TRAILING_PADDING: Final = 0xFFFCFFFC
BITS_ALLOCATED: Final = 0x00280100
PIXEL_REPRESENTATION: Final = 0x00280103

_HEADER: Final = 8  # bytes, in implicit VR
_ITEM: Final = b"\xfe\xff\x00\xe0"
_UNKNOWN: Final = ("UN", "")
# Their padding at the end is no part of the value (PS3.5 6.2).
_TEXT: Final = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UN", "UR", "UT", "")
)
# Bytes that are turned around in big endian (PS3.5 7.3).
_UNITS: Final = {"AT": 2, "OW": 2, "SS": 2, "US": 2, "FL": 4, "OF": 4, "OL": 4, "SL": 4, "UL": 4, "FD": 8, "OD": 8,
                 "OV": 8, "SV": 8, "UV": 8}  # fmt: skip

File: TypeAlias = bytes | Path


class Value(NamedTuple):
    """An element's VR, empty where none was written, and its bytes in little endian, or its items."""

    vr: str
    value: bytes | Sequence[Dataset]
    encapsulated: bool = False

    def __str__(self) -> str:
        if not isinstance(self.value, bytes):
            return f"{self.vr} with {len(self.value)} items"
        more = "..." if len(self.value) > 32 else ""
        return f"{self.vr or 'no VR'}, {len(self.value)} bytes, {self.value[:32]!r}{more}"


def differences(ours: File, theirs: File, *, pixels: int = 0, group_lengths: bool = True) -> list[str]:
    """What is different, a line each; empty where both say the same.

    ``pixels``: how much samples of pixel data may differ. ``group_lengths``: whether one that only one has counts.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values, which are as they are
        return list(_of_data_sets(_read(ours), _read(theirs), "", Rules(pixels, group_lengths)))


class Rules(NamedTuple):
    """What counts as a difference."""

    pixels: int
    group_lengths: bool


def _read(file: File) -> Dataset:
    return dcmread(BytesIO(file) if isinstance(file, bytes) else file, force=True)


def _of_data_sets(ours: Dataset, theirs: Dataset, where: str, rules: Rules) -> Iterator[str]:
    for tag in sorted(_tags(ours, rules) | _tags(theirs, rules)):
        name = f"{where}({tag >> 16:04x},{tag & 0xFFFF:04x})"
        if tag not in ours:
            yield f"{name}: only theirs has it: {_value(theirs, tag)}"
        elif tag not in theirs:
            yield f"{name}: only ours has it: {_value(ours, tag)}"
        elif not tag & 0xFFFF:
            continue
        elif tag == PIXEL_DATA:
            yield from _of_pixels(ours, theirs, name, rules.pixels)
        else:
            yield from _of_values(_value(ours, tag), _value(theirs, tag), name, rules)


def _tags(dataset: Dataset, rules: Rules) -> set[int]:
    tags = {int(tag) for tag in dataset.keys()} - {TRAILING_PADDING}  # noqa: SIM118
    return {tag for tag in tags if tag & 0xFFFF or rules.group_lengths}


def _value(dataset: Dataset, tag: int) -> Value:
    raw: Any = dataset.get_item(tag)
    if not raw.is_raw:
        return Value("SQ", list(raw.value)) if raw.VR == "SQ" else Value(raw.VR, _written(raw))
    vr, value = raw.VR or "", raw.value
    if vr == "SQ" or (vr in _UNKNOWN and value.startswith(_ITEM)):
        items = _items(value, raw.is_implicit_VR or vr != "SQ", raw.is_little_endian or vr != "SQ")
        if items is not None:
            return Value("SQ", items)
    unit = 1 if raw.is_little_endian else _UNITS.get(vr, 1)
    return Value(vr, _turned(value, unit), raw.length == 0xFFFFFFFF)


def _written(element: DataElement) -> bytes:
    """The bytes of a value that pydicom has made something of: while it reads it needs some, and all empty ones."""
    if element.is_empty:
        return b""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_data_element(buffer, element)
    return bytes(buffer.getvalue()[_HEADER:])


def _items(value: bytes, is_implicit: bool, is_little: bool) -> list[Dataset] | None:
    """The items in the value of a sequence of defined length, or None where it is none."""
    try:
        return list(read_sequence(BytesIO(value), is_implicit, is_little, len(value), "iso8859"))
    except (OSError, EOFError, ValueError, NotImplementedError, struct.error):
        return None


def _turned(value: bytes, unit: int) -> bytes:
    turned = bytearray(value)
    for place in range(unit if unit > 1 else 0):
        turned[place::unit] = value[unit - 1 - place :: unit]
    return bytes(turned)


def _of_values(ours: Value, theirs: Value, name: str, rules: Rules) -> Iterator[str]:
    if not isinstance(ours.value, bytes) and not isinstance(theirs.value, bytes):
        if len(ours.value) != len(theirs.value):
            yield f"{name}: {ours}, theirs {theirs}"
        for number, (our, their) in enumerate(zip(ours.value, theirs.value, strict=False)):
            yield from _of_data_sets(our, their, f"{name}[{number}].", rules)
    elif not _same_kind(ours, theirs) or not _same(ours, theirs):
        yield f"{name}: {ours}, theirs {theirs}"


def _same_kind(ours: Value, theirs: Value) -> bool:
    return ours.vr == theirs.vr or not {ours.vr, theirs.vr}.isdisjoint(_UNKNOWN)


def _same(ours: Value, theirs: Value) -> bool:
    one, other = ours.value, theirs.value
    if not isinstance(one, bytes) or not isinstance(other, bytes):
        return not one and not other  # an empty sequence, and the same without its VR
    if one == other:
        return True
    if {ours.vr, theirs.vr} <= _TEXT:
        return one.rstrip(b" \0") == other.rstrip(b" \0")
    return _even(one) == _even(other)


def _even(value: bytes) -> bytes:
    return value + bytes(len(value) % 2)


# Pixel data: OB and OW are the same for 8 bits (PS3.5 8.2, A.1).


def _of_pixels(ours: Dataset, theirs: Dataset, name: str, allowed: int) -> Iterator[str]:
    our, their = _value(ours, PIXEL_DATA), _value(theirs, PIXEL_DATA)
    assert isinstance(our.value, bytes)
    assert isinstance(their.value, bytes)
    if our.encapsulated != their.encapsulated:
        yield f"{name}: {'ours' if our.encapsulated else 'theirs'} alone is encapsulated"
    elif len(_even(our.value)) != len(_even(their.value)):
        yield f"{name}: {len(our.value)} bytes, theirs {len(their.value)}"
    elif _even(our.value) != _even(their.value):
        if our.encapsulated:
            yield f"{name}: other fragments"
            return
        count, most = pixel_difference(our.value, their.value, _sample_type(ours))
        if most > allowed:
            yield f"{name}: {count} samples differ, by up to {most}"


def _sample_type(dataset: Dataset) -> str:
    bits, signed = (_number(dataset, tag) for tag in (BITS_ALLOCATED, PIXEL_REPRESENTATION))
    return ("<i" if signed else "<u") + str(max(bits, 8) // 8)


def _number(dataset: Dataset, tag: int) -> int:
    value = _value(dataset, tag).value if tag in dataset else b""
    return int.from_bytes(value[:2], "little") if isinstance(value, bytes) else 0


def pixel_difference(ours: bytes, theirs: bytes, sample_type: str) -> tuple[int, int]:
    """How many samples are not the same, and the largest difference between two; numpy's names for the type."""
    import numpy as np

    kind = np.dtype(sample_type)
    end = min(len(ours), len(theirs)) // kind.itemsize * kind.itemsize
    pair = (np.frombuffer(values[:end], kind).astype(np.int64) for values in (ours, theirs))
    apart = np.abs(next(pair) - next(pair))
    return int(np.count_nonzero(apart)), int(apart.max(initial=0))
