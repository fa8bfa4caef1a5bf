"""The works: which instances are sent, how they are made, and what the receiver accepts.

Instances are synthetic and always the same, except for the random pixels of those that are sent as they are. They
are made without any library; DCMTK's programs compress those that are to be decoded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import datasets
import pictures
from encoding import Element, Style, part10
from functional_groups import enhanced

MR = "1.2.840.10008.5.1.4.1.1.4"
_FUNCTIONAL_GROUP_FRAMES = 2000  # with 25 or more elements each
_SMALL_FRAME = 16  # pixels along a side: what is measured are the attributes
_PIXELS = pictures.SIDE * pictures.SIDE


@dataclass(frozen=True)
class Work:
    """Instances and where they go. ``megabytes``: of pixels, uncompressed.

    ``receiver``: a key of ``run.RECEIVERS``. Senders that convert get ``options``.
    """

    name: str
    what: str
    count: int
    megabytes: float
    write: Callable[[Path], None]
    receiver: str = "anything"
    options: tuple[str, ...] = ()


def make(work: Work, folder: Path) -> None:
    """Put the instances of a work into a folder that does not exist yet."""
    unfinished = folder.with_name(f"{folder.name}.unfinished-{os.getpid()}")
    unfinished.mkdir(parents=True)
    work.write(unfinished)
    unfinished.rename(folder)


# Sent as they are: random pixels.


def _as_they_are(name: str, modality: str, sop_class: str, count: int, side: int, frames: int = 1) -> Work:
    write = partial(_write_random, modality, sop_class, count, side, frames)
    return Work(name, f"{side} x {side} pixels, sent as they are", count, count * frames * side * side * 2 / 1e6, write)


def _write_random(modality: str, sop_class: str, count: int, side: int, frames: int, folder: Path) -> None:
    for number in range(1, count + 1):
        instance = f"{datasets.ROOT}.{number}"
        elements = [
            Element(0x00080016, "UI", sop_class),
            Element(0x00080018, "UI", instance),
            Element(0x00080060, "CS", modality),
            Element(0x00100010, "PN", "Benchmark^Synthetic"),
            Element(0x00100020, "LO", "BENCHMARK"),
            Element(0x0020000D, "UI", f"{datasets.ROOT}.0"),
            Element(0x0020000E, "UI", f"{datasets.ROOT}.0.0"),
            Element(0x00200013, "IS", str(number)),
            *datasets.image_pixel(frames, side, bits=16),
        ]
        frame = os.urandom(side * side * 2)
        with (folder / f"{modality}{number:06d}.dcm").open("wb") as file:
            file.write(part10(sop_class, instance, elements, Style()))
            file.write(b"\xe0\x7f\x10\0OW\0\0" + (frames * len(frame)).to_bytes(4, "little"))
            for _ in range(frames):
                file.write(frame)


# Recoded.


def _write_slices(count: int, folder: Path) -> None:
    """CT slices in Explicit VR Little Endian; a few pictures are used again and again."""
    pixels = [pictures.words(pictures.picture(number, 10)) for number in range(10)]
    for number in range(count):
        elements = datasets.ct_slice(number, count)
        elements.append(Element(0x7FE00010, "OW", pixels[number % len(pixels)]))
        _write(folder / f"CT{number:06d}.dcm", elements, Style())


def _write_groups(style: Style, folder: Path) -> None:
    elements = enhanced(_FUNCTIONAL_GROUP_FRAMES, _SMALL_FRAME)
    pixels = bytes(_FUNCTIONAL_GROUP_FRAMES * _SMALL_FRAME * _SMALL_FRAME * 2)
    _write(folder / "enhanced.dcm", [*elements, Element(0x7FE00010, "OW", pixels)], style)


def _groups(name: str, *, explicit: bool, delimited: bool) -> Work:
    style = Style(explicit=explicit, delimited=delimited)
    length = "undefined" if delimited else "defined"
    direction = "explicit to implicit" if explicit else "implicit to explicit"
    what = f"50,000 elements in functional groups of {length} length, {direction} VR"
    megabytes = _FUNCTIONAL_GROUP_FRAMES * _SMALL_FRAME * _SMALL_FRAME * 2 / 1e6
    receiver = "implicit" if explicit else "explicit"
    return Work(name, what, 1, megabytes, partial(_write_groups, style), receiver)


# Decoded.


def _decode(name: str, what: str, command: tuple[str, ...], options: tuple[str, ...] = (), bits: int = 16) -> Work:
    count = 500
    write = partial(_write_compressed, command, count, bits)
    return Work(name, f"slices in {what}", count, count * _PIXELS * bits / 8e6, write, "explicit", options)


def _write_compressed(command: tuple[str, ...], count: int, bits: int, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch, "plain.dcm")
        for number in range(count):
            picture = pictures.picture(number, count)
            if bits == 8:
                elements = datasets.secondary_capture(number, pictures.SIDE)
                elements.append(Element(0x7FE00010, "OB", pictures.windowed(picture)))
            else:
                elements = datasets.ct_slice(number, count)
                elements.append(Element(0x7FE00010, "OW", pictures.words(picture)))
            _write(plain, elements, Style())
            subprocess.run([*command, str(plain), str(folder / f"CT{number:06d}.dcm")], check=True)


def _write(path: Path, elements: list[Element], style: Style) -> None:
    uids = {element.tag: str(element.value) for element in elements if element.tag in (0x00080016, 0x00080018)}
    path.write_bytes(part10(uids[0x00080016], uids[0x00080018], elements, style))


WORKS = {
    work.name: work
    for work in (
        _as_they_are("tiny", "MR", MR, count=500, side=128),
        _as_they_are("series", "CT", datasets.CT, count=1000, side=512),
        _as_they_are("large", "CT", datasets.ENHANCED_CT, count=1, side=512, frames=1900),
        _as_they_are("huge", "CT", datasets.ENHANCED_CT, count=1, side=1024, frames=2047),
        Work(
            name="recode",
            what="CT slices with 130 to 250 elements, explicit to implicit VR",
            count=1000,
            megabytes=1000 * _PIXELS * 2 / 1e6,
            write=partial(_write_slices, 1000),
            receiver="implicit",
        ),
        _groups("groups", explicit=True, delimited=False),
        _groups("groups-delimited", explicit=True, delimited=True),
        _groups("groups-implicit", explicit=False, delimited=False),
        _groups("groups-implicit-delimited", explicit=False, delimited=True),
        _decode("decode-jpeg-lossless", "JPEG Lossless SV1, decoded", ("dcmcjpeg", "+e1")),
        _decode("decode-jpeg-ls", "JPEG-LS Lossless, decoded", ("dcmcjpls", "+el")),
        _decode("decode-rle", "RLE Lossless, decoded", ("dcmcrle",)),
        _decode("decode-jpeg-baseline", "JPEG Baseline (8 bit), decoded", ("dcmcjpeg", "+eb"), ("+dly",), bits=8),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the instances of a work.")
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("folder", type=Path, help="must not exist yet")
    options = parser.parse_args()
    make(WORKS[options.work], options.folder)


if __name__ == "__main__":
    main()
