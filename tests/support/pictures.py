"""Small images in every transfer syntax that is converted: made here, compressed by DCMTK's programs or by imagecodecs.

What DCMTK compresses is for what it decodes itself. For the rest the pixels that were compressed are known.
"""

from __future__ import annotations

import struct
import subprocess
import warnings
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy
from pydicom import dcmread
from pydicom.encaps import generate_frames

from tests.support.builder import element, part10

SYNTAX: Final = "1.2.840.10008.1.2"
SECONDARY: Final = "1.2.840.10008.5.1.4.1.1.7.4"  # Multi-frame True Color Secondary Capture Image
FRAMES, ROWS, COLUMNS = 2, 41, 57  # odd sizes: padding, partial blocks, frames that end within a byte


class Picture(NamedTuple):
    """Pixels: frame, row, column and, for colours, sample. ``stored``: bits of a sample."""

    pixels: Any
    stored: int
    photometric: str = "MONOCHROME2"

    @property
    def signed(self) -> bool:
        return bool(self.pixels.dtype.kind == "i")

    @property
    def allocated(self) -> int:
        return 1 if self.stored == 1 else int(self.pixels.itemsize * 8)

    def native(self) -> bytes:
        """Native pixel data (PS3.5 8.1.1)."""
        if self.stored == 1:
            data: bytes = numpy.packbits(self.pixels.reshape(-1), bitorder="little").tobytes()
        else:
            data = self.pixels.tobytes()
        return data + bytes(len(data) % 2)


def _smooth(highest: int) -> Any:
    """Waves and a little noise, as images have them, from 0 to ``highest``."""
    frames, rows, columns = numpy.mgrid[:FRAMES, :ROWS, :COLUMNS]
    waves = numpy.sin(rows / 9 + frames) + numpy.cos(columns / 13) + rows * columns / (ROWS * COLUMNS)
    noise = numpy.random.default_rng(7).normal(0, 0.02, waves.shape)
    scaled = (waves + noise + 2.2) / 5.4
    return numpy.clip(scaled * highest, 0, highest)


def _colours() -> Any:
    red = _smooth(255)
    return numpy.stack((red, red[:, ::-1], red[:, :, ::-1]), -1).astype("u1")


PICTURES: Final = {
    "grey 1": Picture((_smooth(255) > 128).astype("u1"), 1),
    "grey 8": Picture(_smooth(255).astype("u1"), 8),
    "grey 12": Picture(_smooth(4095).astype("<u2"), 12),
    "grey 16": Picture(_smooth(65535).astype("<u2"), 16),
    "signed 16": Picture((_smooth(65535) - 32768).astype("<i2"), 16),
    "colour": Picture(_colours(), 8, "RGB"),
}


def write(
    path: Path, picture: Picture, syntax: str, pixel_data: bytes, *, photometric: str = "", more: bytes = b""
) -> None:
    """A Part 10 file with explicit VR. ``pixel_data``: the whole element. ``more``: elements of groups 0008 to 0027."""
    instance = f"2.25.{zlib.crc32(path.name.encode())}"
    colour = picture.pixels.ndim == 4

    def number(tag: int, value: int) -> bytes:
        return element(tag, "US", struct.pack("<H", value))

    data_set = b"".join((
        element(0x00080016, "UI", SECONDARY.encode()),
        element(0x00080018, "UI", instance.encode()),
        more,
        number(0x00280002, 3 if colour else 1),
        element(0x00280004, "CS", (photometric or picture.photometric).encode()),
        number(0x00280006, 0) if colour else b"",
        element(0x00280008, "IS", str(FRAMES).encode()),
        number(0x00280010, ROWS),
        number(0x00280011, COLUMNS),
        number(0x00280100, picture.allocated),
        number(0x00280101, picture.stored),
        number(0x00280102, picture.stored - 1),
        number(0x00280103, int(picture.signed)),
        pixel_data,
    ))  # fmt: skip
    path.write_bytes(part10(SECONDARY, instance, transfer_syntax=syntax, data_set=data_set))


def encapsulated(frames: Iterable[bytes]) -> bytes:
    """Encapsulated pixel data with one fragment for each frame (PS3.5 A.4)."""
    items = [b"", *(frame + bytes(len(frame) % 2) for frame in frames)]
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    fragments = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return head + fragments + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


# By DCMTK: name -> picture, program, options.
BY_DCMTK: Final[dict[str, tuple[str, str, str]]] = {
    "4.50 grey": ("grey 8", "dcmcjpeg", "+eb"),
    "4.50 YBR 422": ("colour", "dcmcjpeg", "+eb"),
    "4.50 YBR 444": ("colour", "dcmcjpeg", "+eb +s4"),
    "4.50 RGB": ("colour", "dcmcjpeg", "+eb +cr"),
    "4.51 grey 8": ("grey 8", "dcmcjpeg", "+ee"),
    "4.51 grey 12": ("grey 12", "dcmcjpeg", "+ee"),
    "4.53 grey 12": ("grey 12", "dcmcjpeg", "+es"),
    "4.53 colour": ("colour", "dcmcjpeg", "+es"),
    "4.55 grey 12": ("grey 12", "dcmcjpeg", "+ep"),
    "4.55 colour": ("colour", "dcmcjpeg", "+ep"),
    **{f"4.57 predictor {number}": ("grey 16", "dcmcjpeg", f"+el +sv {number}") for number in range(1, 8)},
    "4.57 signed": ("signed 16", "dcmcjpeg", "+el"),
    "4.57 colour": ("colour", "dcmcjpeg", "+el"),
    "4.70 grey 8": ("grey 8", "dcmcjpeg", "+e1"),
    "4.70 grey 12": ("grey 12", "dcmcjpeg", "+e1"),
    "4.70 signed": ("signed 16", "dcmcjpeg", "+e1"),
    "4.70 colour": ("colour", "dcmcjpeg", "+e1"),
    "4.80 grey 8": ("grey 8", "dcmcjpls", "+el"),
    "4.80 grey 12": ("grey 12", "dcmcjpls", "+el"),
    "4.80 signed": ("signed 16", "dcmcjpls", "+el"),
    **{f"4.80 colour {way}": ("colour", "dcmcjpls", f"+el {way}") for way in ("+il", "+is", "+in")},
    "4.81 grey 8": ("grey 8", "dcmcjpls", "+en"),
    "4.81 grey 12": ("grey 12", "dcmcjpls", "+en +md 5"),
    **{f"4.81 colour {way}": ("colour", "dcmcjpls", f"+en {way}") for way in ("+il", "+is", "+in")},
    **{f"5 {name}": (name, "dcmcrle", "") for name in ("grey 8", "grey 12", "grey 16", "signed 16", "colour")},
}


def _j2k(pixels: Any, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", **{"level": 0, "reversible": True, **options}))


def _j2k_lossy(pixels: Any) -> bytes:
    return _j2k(pixels, level=45, reversible=False)


def _htj2k(pixels: Any, **options: Any) -> bytes:
    return bytes(imagecodecs.htj2k_encode(pixels, **options))


def _htj2k_lossy(pixels: Any) -> bytes:
    return _htj2k(pixels, level=0.002, reversible=False)


def _jxl(pixels: Any, **options: Any) -> bytes:
    return bytes(imagecodecs.jpegxl_encode(pixels, **{"lossless": True, **options}))


def _jxl_lossy(pixels: Any) -> bytes:
    return _jxl(pixels, lossless=False, distance=0.5)


def _deflate(pixels: Any) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(pixels.tobytes()) + deflater.flush()


def _deflate_bits(pixels: Any) -> bytes:
    return _deflate(numpy.packbits(pixels.reshape(-1), bitorder="little"))


def _run_length_bits(pixels: Any) -> bytes:
    """One segment (PS3.5 Annex G) of packed bits, as literal runs."""
    data = numpy.packbits(pixels.reshape(-1), bitorder="little").tobytes()
    runs = b"".join(bytes((len(part) - 1,)) + part for part in (data[at : at + 128] for at in range(0, len(data), 128)))
    return struct.pack("<16L", 1, 64, *[0] * 14) + runs


def _bytes(pixels: Any) -> bytes:
    return bytes(pixels.tobytes())


# By imagecodecs and zlib: name -> picture, photometric interpretation of what is compressed if another, encoder.
BY_OTHERS: Final[dict[str, tuple[str, str, Callable[[Any], bytes]]]] = {
    "4.90 grey 1": ("grey 1", "", lambda pixels: _j2k(pixels, bitspersample=1)),
    "4.90 grey 8": ("grey 8", "", _j2k),
    "4.90 grey 12": ("grey 12", "", lambda pixels: _j2k(pixels, bitspersample=12)),
    "4.90 grey 16": ("grey 16", "", _j2k),
    "4.90 signed 16": ("signed 16", "", _j2k),
    "4.90 RCT": ("colour", "YBR_RCT", _j2k),
    "4.90 RGB": ("colour", "", lambda pixels: _j2k(pixels, mct=False)),
    "4.91 reversible": ("grey 16", "", _j2k),
    "4.91 grey 8": ("grey 8", "", _j2k_lossy),
    "4.91 grey 16": ("grey 16", "", _j2k_lossy),
    "4.91 signed 16": ("signed 16", "", _j2k_lossy),
    "4.91 ICT": ("colour", "YBR_ICT", _j2k_lossy),
    "4.201 grey 8": ("grey 8", "", _htj2k),
    "4.201 grey 16": ("grey 16", "", _htj2k),
    "4.201 signed 16": ("signed 16", "", _htj2k),
    "4.201 RCT": ("colour", "YBR_RCT", _htj2k),
    "4.202 grey 16": ("grey 16", "", _htj2k),
    "4.203 grey 8": ("grey 8", "", _htj2k_lossy),
    "4.203 grey 16": ("grey 16", "", _htj2k_lossy),
    "4.203 ICT": ("colour", "YBR_ICT", _htj2k_lossy),
    "4.110 grey 8": ("grey 8", "", _jxl),
    "4.110 grey 12": ("grey 12", "", lambda pixels: _jxl(pixels, bitspersample=12)),
    "4.110 grey 16": ("grey 16", "", _jxl),
    "4.110 colour": ("colour", "", _jxl),
    "4.112 reversible": ("grey 16", "", _jxl),
    "4.112 grey 8": ("grey 8", "", _jxl_lossy),
    "4.112 grey 16": ("grey 16", "", _jxl_lossy),
    "4.112 colour": ("colour", "XYB", _jxl_lossy),
    "1.98 grey 8": ("grey 8", "", _bytes),
    "1.98 grey 16": ("grey 16", "", _bytes),
    "1.98 colour": ("colour", "", _bytes),
    "5 grey 1": ("grey 1", "", _run_length_bits),
    "8.1 grey 1": ("grey 1", "", _deflate_bits),
    "8.1 grey 16": ("grey 16", "", _deflate),
    "8.1 colour": ("colour", "", _deflate),
}  # fmt: skip


# How far from the picture a sample may be of what is compressed with loss here.
LOSSY: Final = {
    "4.91 grey 8": 10,
    "4.91 grey 16": 2000,
    "4.91 signed 16": 2000,
    "4.91 ICT": 10,
    "4.203 grey 8": 2,
    "4.203 grey 16": 300,
    "4.203 ICT": 4,
    "4.112 grey 8": 6,
    "4.112 grey 16": 1200,
    "4.112 colour": 12,
}
_LOSSY_JPEG: Final = ("4.50", "4.51", "4.53", "4.55", "4.81")
LOSSLESS: Final = [name for name in (*BY_DCMTK, *BY_OTHERS) if name not in LOSSY and not name.startswith(_LOSSY_JPEG)]

# JPEG by DCMTK, recompressed: name -> name of that, photometric interpretation of what is compressed.
RECOMPRESSED: Final = {
    "4.111 grey 8": ("4.50 grey", ""),
    "4.111 YBR 422": ("4.50 YBR 422", "YBR_FULL_422"),
    "4.111 YBR 444": ("4.50 YBR 444", "YBR_FULL"),
}


def picture_of(name: str) -> Picture:
    """The picture that was compressed."""
    return PICTURES[BY_DCMTK[name][0] if name in BY_DCMTK else BY_OTHERS[name][0]]


def frames(path: Path) -> list[bytes]:
    """The compressed frames of a file, found by pydicom."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about values, which are as they are
        dataset = dcmread(path, force=True)
        number = int(dataset.get("NumberOfFrames") or 1)
        return list(generate_frames(dataset.PixelData, number_of_frames=number))


def by_dcmtk(folder: Path, find: Callable[[str], str]) -> None:
    """Write native files, and what DCMTK compresses of them. ``find``: name of a program -> its path."""
    for name, picture in PICTURES.items():
        data = picture.native()
        vr = b"OW" if picture.allocated == 16 else b"OB"
        head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, vr, 0, len(data))
        write(folder / f"native {name}.dcm", picture, SYNTAX + ".1", head + data)
    for name, (picture_name, program, options) in BY_DCMTK.items():
        words: list[str | Path] = [
            find(program),
            "-q",
            *options.split(),
            folder / f"native {picture_name}.dcm",
            folder / f"{name}.dcm",
        ]
        subprocess.run(words, stdin=subprocess.DEVNULL, check=True)


def by_others(folder: Path) -> None:
    """Write what DCMTK 3.6.7 neither compresses nor decodes; some of it from what it has compressed."""
    for name, (picture_name, photometric, encode) in BY_OTHERS.items():
        picture = PICTURES[picture_name]
        compressed = [bytes(encode(frame)) for frame in picture.pixels]
        write(folder / f"{name}.dcm", picture, syntax_of(name), encapsulated(compressed), photometric=photometric)
    for name, (original, photometric) in RECOMPRESSED.items():
        picture = PICTURES[BY_DCMTK[original][0]]
        compressed = [bytes(imagecodecs.jpegxl_encode_jpeg(jpeg)) for jpeg in frames(folder / f"{original}.dcm")]
        write(folder / f"{name}.dcm", picture, syntax_of(name), encapsulated(compressed), photometric=photometric)


def syntax_of(name: str) -> str:
    """The transfer syntax that the name of a compressed file begins with."""
    return f"{SYNTAX}.{name.split()[0]}"
