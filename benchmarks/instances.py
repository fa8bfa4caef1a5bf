"""Synthetic instances: Part 10 files of any size, written without any library."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_ROOT = "2.25.329800735698586629295641978511506172918"


@dataclass(frozen=True)
class Work:
    """``count`` instances of a SOP class with square frames of 16-bit pixels."""

    name: str
    sop_class: str
    modality: str
    count: int
    side: int
    frames: int = 1

    @property
    def megabytes(self) -> float:
        return self.count * self.frames * self.side * self.side * 2 / 1e6


WORKS = {
    work.name: work
    for work in (
        Work("tiny", "1.2.840.10008.5.1.4.1.1.4", "MR", count=500, side=128),
        Work("series", "1.2.840.10008.5.1.4.1.1.2", "CT", count=1000, side=512),
        Work("large", "1.2.840.10008.5.1.4.1.1.2.1", "CT", count=1, side=512, frames=1900),
        Work("huge", "1.2.840.10008.5.1.4.1.1.2.1", "CT", count=1, side=1024, frames=2047),
    )
}


def write(work: Work, folder: Path) -> None:
    """Put the instances of a work into a folder, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, work.count + 1):
        with (folder / f"{work.modality}{number:06d}.dcm").open("wb") as file:
            file.write(_header(work, number))
            frame = os.urandom(work.side * work.side * 2)
            for _ in range(work.frames):
                file.write(frame)


def _header(work: Work, number: int) -> bytes:
    instance = f"{_ROOT}.{number}"
    meta = (
        _element(0x0002, 0x0001, "OB", b"\0\1")
        + _element(0x0002, 0x0002, "UI", work.sop_class)
        + _element(0x0002, 0x0003, "UI", instance)
        + _element(0x0002, 0x0010, "UI", EXPLICIT_VR_LITTLE_ENDIAN)
    )
    data_set = (
        _element(0x0008, 0x0016, "UI", work.sop_class)
        + _element(0x0008, 0x0018, "UI", instance)
        + _element(0x0008, 0x0060, "CS", work.modality)
        + _element(0x0010, 0x0010, "PN", "Benchmark^Synthetic")
        + _element(0x0010, 0x0020, "LO", "BENCHMARK")
        + _element(0x0020, 0x000D, "UI", f"{_ROOT}.0")
        + _element(0x0020, 0x000E, "UI", f"{_ROOT}.0.0")
        + _element(0x0020, 0x0013, "IS", str(number))
        + _element(0x0028, 0x0002, "US", struct.pack("<H", 1))
        + _element(0x0028, 0x0004, "CS", "MONOCHROME2")
        + _element(0x0028, 0x0008, "IS", str(work.frames))
        + _element(0x0028, 0x0010, "US", struct.pack("<H", work.side))
        + _element(0x0028, 0x0011, "US", struct.pack("<H", work.side))
        + _element(0x0028, 0x0100, "US", struct.pack("<H", 16))
        + _element(0x0028, 0x0101, "US", struct.pack("<H", 16))
        + _element(0x0028, 0x0102, "US", struct.pack("<H", 15))
        + _element(0x0028, 0x0103, "US", struct.pack("<H", 0))
        + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, work.frames * work.side * work.side * 2)
    )
    return b"\0" * 128 + b"DICM" + _element(0x0002, 0x0000, "UL", struct.pack("<I", len(meta))) + meta + data_set


def _element(group: int, number: int, vr: str, value: bytes | str) -> bytes:
    data = value.encode("ascii") if isinstance(value, str) else value
    if len(data) % 2:
        data += b"\0" if vr == "UI" else b" "
    if vr in ("OB", "OW"):
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, len(data)) + data
    return struct.pack("<HH2sH", group, number, vr.encode(), len(data)) + data
