"""Files that are not as the standard has them and that are sent all the same: what each is about is its name.

Small and made here. What uncompressed pixels the encapsulated ones hold is known.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import imagecodecs
import numpy

from tests.support.builder import part10
from tests.support.pictures import SECONDARY as SECONDARY

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
RLE: Final = "1.2.840.10008.1.2.5"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
NO_VRS: Final = {"dashes": b"--", "blanks": b"  ", "NULs": b"\0\0", "lower case": b"lo", "marks": b"??"}
ROWS, COLUMNS = 12, 16
FRAME: Final = (numpy.arange(ROWS * COLUMNS) * 7 % 251).astype("u1")
SAMPLES: Final = FRAME.tobytes()
RED, GREEN, BLUE = COLOUR = (200, 30, 90)

TEXT_FOR_SEQUENCE: Final = "text where a sequence should be"
SEQUENCE_FOR_TEXT: Final = "a sequence where text should be"
JFIF_AS_RGB: Final = "JPEG with a JFIF header that is called RGB"
RAW_AS_JPEG: Final = "raw pixels that are called JPEG"

Tagged = tuple[int, str, bytes]


def encode(elements: list[Tagged], syntax: str) -> bytes:
    """A data set; items of sequences have to be encoded already."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    data = b""
    for tag, vr, value in elements:
        data += struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
        if syntax == IMPLICIT:
            data += struct.pack("<I", len(value))
        elif vr in ("OB", "OW", "SQ", "UN", "UT"):
            data += vr.encode() + struct.pack(order + "HI", 0, len(value))
        else:
            data += vr.encode("latin-1") + struct.pack(order + "H", len(value))
        data += value
    return data


def instance(name: str) -> str:
    return f"1.2.3.{sum(name.encode()) * 1000 + len(name)}"


def file(name: str, syntax: str, elements: list[Tagged], *, front: bytes = b"") -> bytes:
    """A Part 10 file; ``front`` stands before the elements of the data set."""
    uids: list[Tagged] = [(0x00080016, "UI", SECONDARY.encode()), (0x00080018, "UI", instance(name).encode())]
    uids = [(tag, vr, value + bytes(len(value) % 2)) for tag, vr, value in uids]
    data = front + encode(sorted(uids + elements), syntax)
    return part10(SECONDARY, instance(name), transfer_syntax=syntax, data_set=data)


def natives() -> Iterator[tuple[str, bytes]]:
    """Those without pixels, by their names."""
    for kind, syntax in (("explicit", EXPLICIT), ("big endian", BIG_ENDIAN)):
        for name, vr in NO_VRS.items():
            title = f"VR of {name}, {kind}"
            more: list[Tagged] = [(0x00081030, vr.decode("latin-1"), b"a text"), (0x00100010, "PN", b"A^B ")]
            yield title, file(title, syntax, more)
    for kind, syntax in (("explicit", EXPLICIT), ("big endian", BIG_ENDIAN), ("implicit", IMPLICIT)):
        title = f"needless delimiters, {kind}"
        yield title, file(title, syntax, [(0x00081140, "SQ", delimited(syntax)), (0x00100010, "PN", b"A^B ")])
        title = f"group 2 in the data set, {kind}"
        front = encode([(0x00020003, "UI", b"1.2.3.77"), (0x00020016, "AE", b"SOURCE")], syntax)
        yield title, file(title, syntax, [(0x00100010, "PN", b"A^B ")], front=front)
    title = "private creator in capitals"
    creator: list[Tagged] = [(0x20010010, "LO", b"PHILIPS IMAGING DD 001"), (0x20011003, "FL", b"\0\0\x80\x3f")]
    yield title, file(title, IMPLICIT, creator)
    title = TEXT_FOR_SEQUENCE
    yield title, file(title, EXPLICIT, [(0x00120064, "LO", b"BASIC ")])
    title = SEQUENCE_FOR_TEXT
    inner = encode([(0x00080100, "SH", b"CODE")], EXPLICIT)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    yield title, file(title, EXPLICIT, [(0x00081030, "SQ", item)])


def delimited(syntax: str) -> bytes:
    """Two items of defined length that end in needless delimiters, and the delimiter of a sequence."""
    order = ">" if syntax == BIG_ENDIAN else "<"
    inner = encode([(0x00081150, "UI", b"1.2.3.4\0")], syntax)
    inner += struct.pack(order + "HHI", 0xFFFE, 0xE00D, 0)
    item = struct.pack(order + "HHI", 0xFFFE, 0xE000, len(inner)) + inner
    return item * 2 + struct.pack(order + "HHI", 0xFFFE, 0xE0DD, 0)


def encapsulated(frames: list[bytes]) -> bytes:
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    items = b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, len(one) + len(one) % 2) + one + bytes(len(one) % 2)
        for one in (b"", *frames)
    )
    return head + items + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def description(samples: int, photometric: str, frames: bytes | None, leave_out: tuple[int, ...] = ()) -> list[Tagged]:
    """The Image Pixel attributes of 8 bits."""

    def number(tag: int, value: int) -> Tagged:
        return tag, "US", struct.pack("<H", value)

    described = [
        number(0x00280002, samples),
        (0x00280004, "CS", photometric.encode() + b" " * (len(photometric) % 2)),
        *([number(0x00280006, 0)] if samples > 1 else []),
        *([(0x00280008, "IS", frames)] if frames is not None else []),
        number(0x00280010, ROWS),
        number(0x00280011, COLUMNS),
        number(0x00280100, 8),
        number(0x00280101, 8),
        number(0x00280102, 7),
        number(0x00280103, 0),
    ]
    return [one for one in described if one[0] not in leave_out]


def run_length(surplus: bytes = b"") -> bytes:
    """RLE of the samples in literal runs of 64 (PS3.5 Annex G); ``surplus`` goes into the last one."""
    parts = [SAMPLES[at : at + 64] for at in range(0, len(SAMPLES), 64)]
    parts[-1] += surplus
    segment = b"".join(bytes((len(part) - 1,)) + part for part in parts)
    return struct.pack("<16L", 1, 64, *[0] * 14) + segment


def image(name: str, syntax: str, described: list[Tagged], frames: list[bytes]) -> bytes:
    made = file(name, syntax, described)
    return made + encapsulated(frames)


def images() -> Iterator[tuple[str, bytes, bytes]]:
    """Those with encapsulated pixels: name, file, and the native pixels."""
    for text, frames in (
        (b"+2", 2),
        (b" 2", 2),
        (b"2\\", 2),
        (b"2 ", 2),
        (b"0 ", 1),
        (b"1.0 ", 1),
        (b"", 1),
        (None, 1),
    ):
        title = f"Number of Frames {text!r}"
        described = description(1, "MONOCHROME2", text)
        yield title, image(title, RLE, described, [run_length()] * frames), SAMPLES * frames
    title = "RLE with a byte too many"
    yield title, image(title, RLE, description(1, "MONOCHROME2", None), [run_length(b"\x55")]), SAMPLES
    for what, tag in {"Photometric Interpretation": 0x00280004, "Bits Stored": 0x00280101, "High Bit": 0x00280102,
                      "Pixel Representation": 0x00280103}.items():  # fmt: skip
        title = f"RLE without {what}"
        yield title, image(title, RLE, description(1, "MONOCHROME2", None, (tag,)), [run_length()]), SAMPLES


def jfif() -> bytes:
    """A JPEG frame of one colour, with a JFIF header."""
    pixels = numpy.empty((ROWS, COLUMNS, 3), "u1")
    pixels[:, :] = COLOUR
    return bytes(imagecodecs.jpeg8_encode(pixels, 100))


def write(folder: Path) -> dict[str, bytes]:
    """All of them into a folder; name -> native pixels, of those that have some."""
    pixels: dict[str, bytes] = {}
    for name, data in natives():
        (folder / f"{name}.dcm").write_bytes(data)
    for name, data, native in images():
        (folder / f"{name}.dcm").write_bytes(data)
        pixels[name] = native
    rgb = description(3, "RGB", None)
    (folder / f"{JFIF_AS_RGB}.dcm").write_bytes(image(JFIF_AS_RGB, JPEG_BASELINE, rgb, [jfif()]))
    raw = file(RAW_AS_JPEG, JPEG_BASELINE, [*description(1, "MONOCHROME2", None), (0x7FE00010, "OB", SAMPLES)])
    (folder / f"{RAW_AS_JPEG}.dcm").write_bytes(raw)
    return pixels
