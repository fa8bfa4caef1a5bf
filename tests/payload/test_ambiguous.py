"""Which VR an ambiguous attribute gets, beside what DCMTK and pydicom make of it."""

from __future__ import annotations

import io
import struct
import subprocess
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

from dcmsend.files.elements import UNDEFINED
from dcmsend.payload.ambiguous import PIXEL_REPRESENTATION, WAVEFORM_BITS_ALLOCATED, resolve
from dcmsend.payload.dictionary import load_dictionary
from tests.files import encode

BITS_ALLOCATED: Final = 0x00280100
LUT_DESCRIPTOR: Final = 0x00283002
UNSIGNED: Final = {BITS_ALLOCATED: 8, PIXEL_REPRESENTATION: 0, WAVEFORM_BITS_ALLOCATED: 8}
SIGNED: Final = {BITS_ALLOCATED: 16, PIXEL_REPRESENTATION: 1, WAVEFORM_BITS_ALLOCATED: 16}
DICTIONARY: Final = load_dictionary()


class Row(NamedTuple):
    """An attribute, and its VR where everything is unsigned and has 8 bits, and where it is signed and has 16."""

    tag: int
    ours: str
    dcmtk: str
    pydicom: str  # "? ?" where it leaves the choice open


# DCMTK 3.6.7 knows eleven of the attributes that hold pixel values, and no others; of a waveform only two.
# pydicom 3 takes an implicit waveform for words whatever its bits are.
TABLE: Final = (
    Row(0x00143050, "OB OB", "OB OB", "? ?"),  # Dark Current Counts
    Row(0x00143070, "OB OB", "OB OB", "? ?"),  # Air Counts
    Row(0x00189810, "US SS", "US US", "US SS"),  # Zero Velocity Pixel Value
    Row(0x00221452, "US SS", "US US", "US SS"),  # Mapped Pixel Value
    Row(0x00280071, "US SS", "US US", "? ?"),  # Perimeter Value
    Row(0x00280104, "US SS", "US US", "US SS"),  # Smallest Valid Pixel Value
    Row(0x00280105, "US SS", "US US", "US SS"),  # Largest Valid Pixel Value
    Row(0x00280106, "US SS", "US SS", "US SS"),  # Smallest Image Pixel Value
    Row(0x00280107, "US SS", "US SS", "US SS"),  # Largest Image Pixel Value
    Row(0x00280108, "US SS", "US SS", "US SS"),  # Smallest Pixel Value in Series
    Row(0x00280109, "US SS", "US SS", "US SS"),  # Largest Pixel Value in Series
    Row(0x00280110, "US SS", "US US", "US SS"),  # Smallest Image Pixel Value in Plane
    Row(0x00280111, "US SS", "US US", "US SS"),  # Largest Image Pixel Value in Plane
    Row(0x00280120, "US SS", "US SS", "US SS"),  # Pixel Padding Value
    Row(0x00280121, "US SS", "US SS", "US SS"),  # Pixel Padding Range Limit
    Row(0x00281100, "US SS", "US US", "? ?"),  # Gray Lookup Table Descriptor
    Row(0x00281101, "US SS", "US US", "US SS"),  # Red Palette Color Lookup Table Descriptor
    Row(0x00281102, "US SS", "US US", "US SS"),  # Green Palette Color Lookup Table Descriptor
    Row(0x00281103, "US SS", "US US", "US SS"),  # Blue Palette Color Lookup Table Descriptor
    Row(0x00281111, "US SS", "US US", "? ?"),  # Large Red Palette Color Lookup Table Descriptor
    Row(0x00281112, "US SS", "US US", "? ?"),  # Large Green Palette Color Lookup Table Descriptor
    Row(0x00281113, "US SS", "US US", "? ?"),  # Large Blue Palette Color Lookup Table Descriptor
    Row(0x00281200, "OW OW", "OW OW", "? ?"),  # Gray Lookup Table Data
    Row(LUT_DESCRIPTOR, "US SS", "US SS", "US SS"),
    Row(0x00283006, "OW OW", "OW OW", "OW OW"),  # LUT Data
    Row(0x00409211, "US SS", "US SS", "US SS"),  # Real World Value Last Value Mapped
    Row(0x00409216, "US SS", "US SS", "US SS"),  # Real World Value First Value Mapped
    Row(0x00603004, "US SS", "US SS", "US SS"),  # Histogram First Bin Value
    Row(0x00603006, "US SS", "US SS", "US SS"),  # Histogram Last Bin Value
    Row(0x5000200C, "OB OB", "OB OB", "? ?"),  # Audio Sample Data
    Row(0x50003000, "OB OB", "OB OB", "? ?"),  # Curve Data
    Row(0x54000110, "OB OW", "OB OB", "OW OW"),  # Channel Minimum Value
    Row(0x54000112, "OB OW", "OB OB", "OW OW"),  # Channel Maximum Value
    Row(0x5400100A, "OB OW", "OB OW", "OW OW"),  # Waveform Padding Value
    Row(0x54001010, "OB OW", "OB OW", "OW OW"),  # Waveform Data
    Row(0x60003000, "OW OW", "OW OW", "OW OW"),  # Overlay Data
    Row(0x7F000010, "OB OB", "OB OB", "? ?"),  # Variable Pixel Data
    Row(0x7FE00010, "OW OW", "OW OW", "OW OW"),  # Pixel Data
)
NAMES: Final = [f"{row.tag:08x}" for row in TABLE]
CONTEXTS: Final = {"unsigned": (0, UNSIGNED), "signed": (1, SIGNED)}
contexts: Final = pytest.mark.parametrize(("column", "context"), CONTEXTS.values(), ids=CONTEXTS.keys())


def data_set(context: Mapping[int, int]) -> bytes:
    """An implicit data set with the attributes of ``context`` and every attribute of the table."""
    values = {row.tag: b"\2\0" for row in TABLE} | {LUT_DESCRIPTOR: struct.pack("<3H", 2, 0, 16)}
    values |= {tag: struct.pack("<H", number) for tag, number in context.items()}
    values |= {0x00080016: encode.uid(encode.CT), 0x00080018: encode.uid(encode.INSTANCE)}
    return b"".join(encode.implicit(tag, values[tag]) for tag in sorted(values))


def test_table_has_every_ambiguous_attribute_of_the_dictionary() -> None:
    tags = [*DicomDictionary, *(int(name.replace("x", "0"), 16) for name in RepeatersDictionary)]
    assert sorted(row.tag for row in TABLE) == sorted(tag for tag in tags if DICTIONARY.vr(tag).islower())


@contexts
@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_attribute_gets_its_vr(row: Row, column: int, context: Mapping[int, int]) -> None:
    vr = resolve(DICTIONARY.vr(row.tag), row.tag, 2, context.get)
    assert vr.decode() == row.ours.split()[column]


@contexts
def test_dcmtk_column(column: int, context: Mapping[int, int], dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    """What dcmconv makes of an implicit data set."""
    source, target = tmp_path / "implicit", tmp_path / "explicit.dcm"
    source.write_bytes(data_set(context))
    subprocess.run([dcmtk("dcmconv"), "-f", "-ti", "+te", source, target], check=True, timeout=60)
    found = pydicom.dcmread(target)
    assert {row.tag: found.get_item(row.tag).VR for row in TABLE} == {
        row.tag: row.dcmtk.split()[column] for row in TABLE
    }


@contexts
def test_pydicom_column(column: int, context: Mapping[int, int]) -> None:
    """What pydicom takes the elements of an implicit data set for."""
    head = encode.PREAMBLE + encode.meta(syntax=encode.IMPLICIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pydicom.dcmread(io.BytesIO(head + data_set(context)))
        names = {row.tag: str(found[row.tag].VR) for row in TABLE}
    assert {tag: "?" if " or " in name else name for tag, name in names.items()} == {
        row.tag: row.pydicom.split()[column] for row in TABLE
    }


@pytest.mark.parametrize(
    ("kind", "tag", "length", "context", "expected"),
    [
        (b"xs", 0x00280106, 2, {}, b"US"),  # no Pixel Representation
        (b"xs", 0x00280106, 2, {PIXEL_REPRESENTATION: 2}, b"US"),  # none that the standard knows
        (b"xs", 0x00280106, 0, {PIXEL_REPRESENTATION: 1}, b"SS"),  # empty
        (b"xs", 0x002710A3, 8, {PIXEL_REPRESENTATION: 1}, b"SS"),  # private
        (b"px", 0x7FE00010, UNDEFINED, {}, b"OB"),
        (b"px", 0x7FE00010, 0, {}, b"OW"),
        (b"px", 0x7FE00010, 4, {BITS_ALLOCATED: 8}, b"OW"),
        (b"px", 0x7FE11060, UNDEFINED, {}, b"OB"),
        (b"ox", 0x54001010, 4, {}, b"OB"),  # no Waveform Bits Allocated
        (b"ox", 0x54001010, 4, {WAVEFORM_BITS_ALLOCATED: 32}, b"OW"),
        (b"ox", 0x60003000, 4, {}, b"OW"),
        (b"ox", 0x601E3000, 4, {}, b"OW"),
        (b"ox", 0x60FE3000, 4, {}, b"OW"),
        (b"ox", 0x50FE3000, 4, {}, b"OB"),
        (b"lt", 0x00283006, 70_000, {}, b"OW"),
        (b"PN", 0x00100010, 4, {}, b"PN"),
        (b"UN", 0x00100011, 4, {}, b"UN"),
    ],
)
def test_rule(kind: bytes, tag: int, length: int, context: dict[int, int], expected: bytes) -> None:
    assert resolve(kind, tag, length, context.get) == expected


@pytest.mark.parametrize("kind", [b"px", b"lt"])
def test_nothing_is_looked_for_where_the_rule_needs_nothing(kind: bytes) -> None:
    def find(tag: int) -> int | None:
        raise AssertionError(f"{tag:08x}")

    assert resolve(kind, 0x7FE00010, 2, find) == b"OW"
