"""Small Part 10 files with made-up content, written with ``struct`` alone."""

from __future__ import annotations

import struct

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"


def element(tag: int, vr: str, value: bytes) -> bytes:
    """An explicit VR little endian element (PS3.5 7.1.2), its value padded to even length."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in ("OB", "OW", "UN", "SQ", "UT"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def part10(
    sop_class: str,
    sop_instance: str,
    *,
    transfer_syntax: str = EXPLICIT_LITTLE,
    value: bytes = b"",
    data_set: bytes | None = None,
) -> bytes:
    """A Part 10 file (PS3.10 7.1); ``value`` goes into (7FE0,0010), or ``data_set`` is the whole data set."""
    meta = (
        element(0x00020001, "OB", b"\0\1")
        + element(0x00020002, "UI", sop_class.encode())
        + element(0x00020003, "UI", sop_instance.encode())
        + element(0x00020010, "UI", transfer_syntax.encode())
    )
    if data_set is None:
        data_set = element(0x00080016, "UI", sop_class.encode()) + element(0x00080018, "UI", sop_instance.encode())
        data_set += element(0x7FE00010, "OW", value) if value else b""
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data_set
