"""What is wrong with a file ends as a reason in one line, or does no harm: files by name, and by the thousand.

``DCMSEND_MUTATIONS`` is how many damaged files are tried; 100,000 take about ten minutes.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from dcmsend.errors import FileError
from dcmsend.model import Conversion, Instance, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from tests.files.encode import is_one_line
from tests.payload import campaign
from tests.support import mutate
from tests.support.campaign import survey
from tests.support.mutate import ITEM, UNDEFINED, File

if TYPE_CHECKING:
    from collections.abc import Callable

DATA: Final = Path(__file__).parents[1] / "data"
MUTATIONS: Final = int(os.environ.get("DCMSEND_MUTATIONS", "400"))

EXPLICIT: Final = "1.2.840.10008.1.2.1"
JPEG: Final = "samples/sc_jpeg_baseline.dcm"
JPEG_EXTENDED: Final = "samples/sc_jpeg_extended.dcm"
JPEG_LOSSLESS: Final = "samples/sc_jpeg_lossless_sv1.dcm"
JPEG_LS: Final = "samples/mr_enhanced_jpeg_ls.dcm"  # 10 frames in 10 fragments
JPEG_LS_SPLIT: Final = "samples/ct_enhanced_jpeg_ls_near_lossless.dcm"  # 2 frames in 8 fragments
JPEG_2000: Final = "samples/seg_jpeg_2000_lossless.dcm"  # 3 frames
JPEG_2000_ONE: Final = "samples/ct_jpeg_2000.dcm"
HTJ2K: Final = "odd/htj2k_lossless.dcm"
RLE: Final = "samples/us_rle.dcm"
DEFLATED_FRAMES: Final = "odd/deflated_image_frame.dcm"  # 3 frames
NATIVE: Final = "samples/mr_implicit.dcm"
EXPLICIT_NATIVE: Final = "samples/ct_explicit.dcm"


def good(name: str) -> File:
    return mutate.take_apart((DATA / name).read_bytes())


def convert(file: File, folder: Path, target: str = EXPLICIT) -> bytes:
    """The data set that would be sent for a file."""
    path = folder / "case.dcm"
    path.write_bytes(mutate.put_together(file))
    instance = Instance(str(path), file.sop_class, file.sop_instance, file.syntax, path.stat().st_size)
    with PayloadOpener(ScanOptions(), Conversion()).open(instance, target) as payload:
        given = bytearray(payload.length)
        assert payload.fill([memoryview(given)]) == payload.length
        assert payload.fill([memoryview(bytearray(1))]) == 0
        return bytes(given)


def fragments(file: File) -> list[mutate.Place]:
    """The fragments, without the basic offset table."""
    return [place for place in file.places() if place.fragment][1:]


# What can be wrong with a file. Each function gives the function that makes it so.


def number(tag: int, value: int) -> Callable[[File], File]:
    return lambda file: file.with_attribute(tag, b"US", file.number(value))


def frames(text: str) -> Callable[[File], File]:
    return lambda file: file.with_attribute(mutate.NUMBER_OF_FRAMES, b"IS", (text + " " * (len(text) % 2)).encode())


def sizes(rows: int, columns: int) -> Callable[[File], File]:
    return lambda file: number(mutate.COLUMNS, columns)(number(mutate.ROWS, rows)(file))


def half_a_fragment(file: File) -> File:
    """The last fragment has lost the second half of its bytes; the structure around it is sound."""
    last = fragments(file)[-1]
    return file.with_value(last, file.data[last.value : last.value + (last.end - last.value) // 4 * 2])


def empty_fragment(file: File) -> File:
    return file.with_value(fragments(file)[-1], b"")


def no_fragments(file: File) -> File:
    first, last = fragments(file)[0], fragments(file)[-1]
    return file.with_data(file.data[: first.start], file.data[last.end :])


def one_fragment_less(file: File) -> File:
    last = fragments(file)[-1]
    return file.with_data(file.data[: last.start], file.data[last.end :])


def one_fragment_twice(file: File) -> File:
    last = fragments(file)[-1]
    return file.with_data(file.data[: last.end], file.data[last.start : last.end], file.data[last.end :])


def cut_in_a_fragment(file: File) -> File:
    return file.with_data(file.data[: fragments(file)[-1].end - 2])


def cut_before_the_end(file: File) -> File:
    return file.with_data(file.data[: fragments(file)[-1].end])


def fragment_of_undefined_length(file: File) -> File:
    at = fragments(file)[0].length_at
    return file.with_data(file.data[:at], struct.pack("<L", UNDEFINED), file.data[at + 4 :])


def nested(levels: int, *, defined: bool = False, closed: bool = True) -> Callable[[File], File]:
    def change(file: File) -> File:
        at = next(place.start for place in file.places() if place.tag == mutate.PIXEL_DATA)
        bomb = mutate.nested(file, levels, defined=defined, closed=closed)
        return file.with_data(file.data[:at], bomb, file.data[at:])

    return change


def frame_header(marker: bytes, at: int, replacement: bytes) -> Callable[[File], File]:
    """Other bytes ``at`` so many behind a marker of the first codestream."""

    def change(file: File) -> File:
        first = fragments(file)[0]
        start = file.data.index(marker, first.value, first.end) + at
        return file.with_data(file.data[:start], replacement, file.data[start + len(replacement) :])

    return change


def whole_value(value: bytes) -> Callable[[File], File]:
    """Another value in the first fragment."""
    return lambda file: file.with_value(fragments(file)[0], value)


MALFORMED: Final = [
    # Fragments that are cut short or missing.
    pytest.param(JPEG, cut_in_a_fragment, "bytes run past the end", id="file ends in a fragment"),
    pytest.param(JPEG_LS, cut_before_the_end, "its end is missing", id="file ends before the sequence delimiter"),
    pytest.param(JPEG_LS, fragment_of_undefined_length, "undefined length", id="fragment of undefined length"),
    pytest.param(RLE, half_a_fragment, "", id="half a frame of RLE"),
    pytest.param(JPEG_LOSSLESS, half_a_fragment, "", id="half a frame of lossless JPEG"),
    pytest.param(JPEG_LS, half_a_fragment, "", id="half a frame of JPEG-LS"),
    pytest.param(JPEG_2000, half_a_fragment, "", id="half a frame of JPEG 2000"),
    pytest.param(HTJ2K, half_a_fragment, "", id="half a frame of HTJ2K"),
    pytest.param(DEFLATED_FRAMES, half_a_fragment, "", id="half a deflated frame"),
    pytest.param(JPEG, empty_fragment, "0 fragments", id="the only fragment is empty"),
    pytest.param(JPEG, no_fragments, "0 fragments", id="no fragment"),
    pytest.param(JPEG_LS, empty_fragment, "holds 9 fragments, but Number of Frames says 10", id="an empty frame"),
    pytest.param(JPEG_LS, one_fragment_less, "holds 9 fragments, but Number of Frames says 10", id="a frame less"),
    pytest.param(JPEG_LS, one_fragment_twice, "holds 11 images, but Number of Frames says 10", id="a frame more"),
    # Wrong frame counts.
    pytest.param(JPEG_LS, frames("9"), "holds 10 images, but Number of Frames says 9", id="9 frames, not 10"),
    pytest.param(JPEG_LS, frames("1"), "holds 10 images, but Number of Frames says 1", id="1 frame, not 10"),
    pytest.param(JPEG_LS, frames("11"), "holds 10 fragments, but Number of Frames says 11", id="11 frames, not 10"),
    pytest.param(JPEG_LS, frames("2147483647"), "", id="2147483647 frames"),
    pytest.param(JPEG_LS, frames("99999999999"), "", id="a count beyond IS"),
    pytest.param(JPEG_LS, frames("0"), "", id="no frames"),
    pytest.param(JPEG_LS, frames("-1"), "", id="less than no frames"),
    pytest.param(JPEG_LS, frames("ten"), "", id="a count in words"),
    # Pixel data of the wrong length, or of the wrong kind.
    pytest.param(RLE, number(mutate.ROWS, 601), "", id="more rows than RLE holds"),
    pytest.param(RLE, number(mutate.ROWS, 0), "", id="no rows"),
    pytest.param(RLE, number(mutate.BITS_ALLOCATED, 16), "", id="RLE of 8 bits for 16"),
    pytest.param(JPEG_LS, number(mutate.COLUMNS, 511), "", id="JPEG-LS of other columns"),
    pytest.param(JPEG_2000_ONE, number(mutate.COLUMNS, 513), "", id="JPEG 2000 of other columns"),
    pytest.param(DEFLATED_FRAMES, number(mutate.ROWS, 700), "", id="deflated frames of fewer rows"),
    pytest.param(JPEG, whole_value(b"not JPEG at all!"), "", id="no codestream"),
    pytest.param(JPEG, lambda file: file._replace(syntax=good(RLE).syntax), "", id="JPEG called RLE"),
    pytest.param(RLE, lambda file: file._replace(syntax=good(JPEG).syntax), "", id="RLE called JPEG"),
    pytest.param(RLE, lambda file: file._replace(syntax=EXPLICIT), "encapsulated", id="RLE called uncompressed"),
    # Sequences that never end, or hold too many others.
    pytest.param(NATIVE, nested(1, closed=False), "", id="a sequence that never ends"),
    pytest.param(RLE, nested(10, closed=False), "", id="ten sequences that never end"),
    pytest.param(NATIVE, nested(65), "nested more than 64 deep", id="65 levels, implicit"),
    pytest.param(EXPLICIT_NATIVE, nested(65), "nested more than 64 deep", id="65 levels, explicit"),
    pytest.param(EXPLICIT_NATIVE, nested(10_000), "nested more than 64 deep", id="10,000 levels, delimited"),
    pytest.param(EXPLICIT_NATIVE, nested(10_000, closed=False), "", id="10,000 levels that never end"),
    pytest.param(NATIVE, nested(10_000, closed=False), "", id="10,000 implicit levels that never end"),
    # Frames that claim to be larger than anybody's memory.
    pytest.param(RLE, sizes(65535, 65535), "", id="bomb of RLE"),
    pytest.param(JPEG, sizes(65535, 65535), "", id="bomb of JPEG, by attributes"),
    pytest.param(JPEG, frame_header(b"\xff\xc0", 5, b"\xff\xff\xff\xff"), "", id="bomb of JPEG, by codestream"),
    pytest.param(JPEG_LS, sizes(65535, 65535), "", id="bomb of JPEG-LS, by attributes"),
    pytest.param(JPEG_LS, frame_header(b"\xff\xf7", 5, b"\xff\xff\xff\xff"), "", id="bomb of JPEG-LS, by codestream"),
    pytest.param(JPEG_2000, sizes(65535, 65535), "", id="bomb of JPEG 2000, by attributes"),
    pytest.param(
        JPEG_2000, frame_header(b"\xff\x51", 6, b"\0\0\xff\xff" * 2), "", id="bomb of JPEG 2000, by codestream"
    ),
    pytest.param(DEFLATED_FRAMES, sizes(65535, 65535), "", id="bomb of deflated frames"),
]


@pytest.mark.parametrize(("name", "change", "words"), MALFORMED)
@pytest.mark.parametrize("target", [EXPLICIT, "1.2.840.10008.1.2"], ids=["to explicit", "to implicit"])
def test_malformed(name: str, change: Callable[[File], File], words: str, target: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        convert(change(good(name)), tmp_path, target)
    assert words in str(caught.value.reason)
    assert is_one_line(str(caught.value.reason))


@pytest.mark.parametrize("defined", [True, False], ids=["defined", "delimited"])
@pytest.mark.parametrize("target", [EXPLICIT, "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_64_levels_are_not_too_many(target: str, defined: bool, tmp_path: Path) -> None:
    assert convert(nested(63, defined=defined)(good(EXPLICIT_NATIVE)), tmp_path, target)


OFFSETS: Final = (
    pytest.param((), id="empty"),
    pytest.param((0,), id="too few"),
    pytest.param((0, 0), id="not rising"),
    pytest.param((8, 4), id="falling"),
    pytest.param((0, 1), id="in a fragment"),
    pytest.param((0, UNDEFINED), id="beyond the end"),
    pytest.param((0,) * 100_000, id="100,000 entries"),
)


@pytest.mark.parametrize("offsets", OFFSETS)
@pytest.mark.parametrize("name", [JPEG_LS, JPEG_LS_SPLIT, JPEG_2000, RLE])
def test_offset_tables_that_lie_do_no_harm(name: str, offsets: tuple[int, ...], tmp_path: Path) -> None:
    file = good(name)
    table = next(place for place in file.places() if place.fragment)
    lie = file.with_value(table, struct.pack(f"<{len(offsets)}L", *offsets))
    assert convert(lie, tmp_path) == convert(file, tmp_path)


@pytest.mark.parametrize("cut", [1, 2, 1000, 10**9], ids=lambda cut: f"of {cut} bytes")
@pytest.mark.parametrize("name", [JPEG_LS, JPEG_EXTENDED, RLE, JPEG_2000, DEFLATED_FRAMES])
def test_any_fragments_make_the_same_frames(name: str, cut: int, tmp_path: Path) -> None:
    """The first frame in fragments of another size, with empty ones between, and a true offset table."""
    file = good(name)
    place, *others = fragments(file)
    value = file.data[place.value : place.end]
    parts = (
        [value[at : at + cut] for at in range(0, len(value), cut)] if cut >= 1000 else [value[:cut], b"", value[cut:]]
    )
    items = b"".join(file.element(ITEM, b"", part) for part in parts)
    lengths = [len(items), *(other.end - other.start for other in others)]
    table = struct.pack(f"<{len(lengths)}L", *(sum(lengths[:index]) for index in range(len(lengths))))
    pixels = next(found for found in file.places() if found.tag == mutate.PIXEL_DATA)
    split = file.with_data(file.data[: pixels.end], file.element(ITEM, b"", table), items, file.data[place.end :])
    assert convert(split, tmp_path) == convert(file, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="memory is bounded by resource.setrlimit")
def test_mutations(tmp_path: Path) -> None:
    """Damaged files: a reason in one line, or a payload as long as it says. No traceback, no hang, no memory."""
    found = survey("tests.payload.campaign", tmp_path, MUTATIONS)
    assert not found.wrong, "\n".join(found.wrong)
    assert found.peak < campaign.MEMORY
    assert found.counts["converted"] > MUTATIONS // 10
    assert found.counts["failed"] > MUTATIONS // 10
