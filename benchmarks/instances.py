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
from encoding import EXPLICIT_VR_LITTLE_ENDIAN, Element, Style, part10
from framing import frame
from functional_groups import enhanced

_FUNCTIONAL_GROUP_FRAMES = 2000  # with 25 or more elements each
_SMALL_FRAME = 16  # pixels along a side: what is measured are the attributes
_PIXELS = pictures.SIDE * pictures.SIDE
_IN_FOLDER = 1000  # files
_LINKED = 100  # files: a file may have 65,000 names in ext4


@dataclass(frozen=True)
class Work:
    """Instances and where they go. ``megabytes``: of pixels, uncompressed.

    ``accepted``: the transfer syntax of which alone the receiver shall be, ``implicit`` or ``explicit``; empty for
    instances that are sent as they are. Senders that convert get ``options``.
    """

    name: str
    what: str
    count: int
    megabytes: float
    write: Callable[[Path], None]
    accepted: str = ""
    options: tuple[str, ...] = ()


def make(work: Work, folder: Path) -> None:
    """Put the instances of a work into a folder that does not exist yet."""
    unfinished = folder.with_name(f"{folder.name}.unfinished-{os.getpid()}")
    unfinished.mkdir(parents=True)
    work.write(unfinished)
    unfinished.rename(folder)
    os.sync()  # so that the first runs do not share the disk with it


def read(folder: Path) -> None:
    """Read all files once, so that no run has to wait for the disk."""
    buffer = bytearray(1 << 20)
    for within, _, names in os.walk(folder):
        for name in names:
            with open(Path(within, name), "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


# Sent as they are: random pixels.


@dataclass(frozen=True)
class _Kind:
    """Instances of one modality; ``kilobytes`` of pixels."""

    modality: str
    sop_class: str
    side: int
    frames: int = 1

    @property
    def kilobytes(self) -> float:
        return self.frames * self.side * self.side * 2 / 1e3

    def write(self, number: int, path: Path) -> None:
        instance = f"{datasets.ROOT}.{number}"
        elements = [
            Element(0x00080016, "UI", self.sop_class),
            Element(0x00080018, "UI", instance),
            Element(0x00080060, "CS", self.modality),
            Element(0x00100010, "PN", "Benchmark^Synthetic"),
            Element(0x00100020, "LO", "BENCHMARK"),
            Element(0x0020000D, "UI", f"{datasets.ROOT}.0"),
            Element(0x0020000E, "UI", f"{datasets.ROOT}.0.0"),
            Element(0x00200013, "IS", str(number)),
            *datasets.image_pixel(self.frames, self.side, bits=16),
        ]
        frame = os.urandom(self.side * self.side * 2)
        with path.open("wb") as file:
            file.write(part10(self.sop_class, instance, elements, Style()))
            file.write(b"\xe0\x7f\x10\0OW\0\0" + (self.frames * len(frame)).to_bytes(4, "little"))
            for _ in range(self.frames):
                file.write(frame)


_MR = "1.2.840.10008.5.1.4.1.1.4"
_TINY = _Kind("MR", _MR, side=128)
_SMALL = _Kind("MR", _MR, side=8)


def _as_they_are(name: str, kind: _Kind, count: int) -> Work:
    frames = f"{kind.frames} frames of " if kind.frames > 1 else ""
    what = f"{kind.modality}, {frames}{kind.side} x {kind.side} pixels, sent as they are"
    return Work(name, what, count, count * kind.kilobytes / 1e3, partial(_write_random, kind, count))


def _write_random(kind: _Kind, count: int, folder: Path) -> None:
    for number in range(1, count + 1):
        kind.write(number, folder / f"{kind.modality}{number:06d}.dcm")


def _spread(name: str, count: int) -> Work:
    """Small files of their own in folders of a thousand."""
    what = f"MR, {_SMALL.side} x {_SMALL.side} pixels, in folders of {_IN_FOLDER}"
    return Work(name, what, count, count * _SMALL.kilobytes / 1e3, partial(_write_spread, count))


def _write_spread(count: int, folder: Path) -> None:
    for number in range(count):
        _SMALL.write(number, _place(folder, number))


def _links(name: str, count: int) -> Work:
    """Names of a few small files."""
    what = f"hard links to {_LINKED} files, MR, {_SMALL.side} x {_SMALL.side} pixels, in folders of {_IN_FOLDER}"
    return Work(name, what, count, count * _SMALL.kilobytes / 1e3, partial(_write_links, count))


def _write_links(count: int, folder: Path) -> None:
    for number in range(count):
        path = _place(folder, number)
        if number < _LINKED:
            _SMALL.write(number, path)
        else:  # file systems have a limit of the links to one file, some of them for each folder
            os.link(_place(folder, number % _LINKED), path)


def _place(folder: Path, number: int) -> Path:
    within = folder / f"{number // _IN_FOLDER:04d}"
    if number % _IN_FOLDER == 0:
        within.mkdir(exist_ok=True)
    return within / f"{number % _IN_FOLDER:03d}.dcm"


def _framed(name: str, kind: _Kind, max_pdu: int) -> Work:
    """One instance as a whole conversation, for the raw limit."""
    what = f"one instance with all that a sender writes around it, in PDUs of {max_pdu} bytes"
    return Work(name, what, 1, kind.kilobytes / 1e3, partial(_write_framed, kind, max_pdu))


def _write_framed(kind: _Kind, max_pdu: int, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        plain = Path(scratch, "plain.dcm")
        kind.write(1, plain)
        frame(plain, kind.sop_class, EXPLICIT_VR_LITTLE_ENDIAN, max_pdu, folder / "framed")


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


def _decode(name: str, what: str, command: tuple[str, ...], count: int, bits: int = 16) -> Work:
    options = ("+dly",) if bits == 8 else ()  # what is lossy is decoded only on request
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


def works(scale: float = 1) -> dict[str, Work]:
    """All works by name. ``scale``: the part of their instances, or frames of a large one, that there shall be."""

    def part(count: int) -> int:
        return max(1, int(count * scale))

    large = _Kind("CT", datasets.ENHANCED_CT, side=512, frames=part(1900))
    huge = _Kind("CT", datasets.ENHANCED_CT, side=1024, frames=part(2047))
    slices = part(1000)
    found = (
        _as_they_are("one", _TINY, 1),
        _as_they_are("few", _TINY, part(300)),
        _as_they_are("tiny", _TINY, part(500)),
        _as_they_are("many", _TINY, part(5000)),
        _as_they_are("series", _Kind("CT", datasets.CT, side=512), part(1000)),
        _as_they_are("large", large, 1),
        _framed("framed-16k", large, 16384),
        _framed("framed-128k", large, 131072),
        _as_they_are("huge", huge, 1),
        _spread("scan", part(100_000)),
        _links("million", part(1_000_000)),
        Work(
            name="recode",
            what="CT slices with 130 to 250 elements, explicit to implicit VR",
            count=slices,
            megabytes=slices * _PIXELS * 2 / 1e6,
            write=partial(_write_slices, slices),
            accepted="implicit",
        ),
        _groups("groups", explicit=True, delimited=False),
        _groups("groups-delimited", explicit=True, delimited=True),
        _groups("groups-implicit", explicit=False, delimited=False),
        _groups("groups-implicit-delimited", explicit=False, delimited=True),
        _decode("decode-jpeg-lossless", "JPEG Lossless SV1, decoded", ("dcmcjpeg", "+e1"), part(500)),
        _decode("decode-jpeg-ls", "JPEG-LS Lossless, decoded", ("dcmcjpls", "+el"), part(500)),
        _decode("decode-rle", "RLE Lossless, decoded", ("dcmcrle",), part(500)),
        _decode("decode-jpeg-baseline", "JPEG Baseline (8 bit), decoded", ("dcmcjpeg", "+eb"), part(500), bits=8),
    )
    return {work.name: work for work in found}


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the instances of a work.")
    parser.add_argument("work", choices=works())
    parser.add_argument("folder", type=Path, help="must not exist yet")
    options = parser.parse_args()
    make(works()[options.work], options.folder)


if __name__ == "__main__":
    main()
