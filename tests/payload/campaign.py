"""Damaged files through scan and converter: the cases of ``tests.support.campaign``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from dcmsend.errors import FileError
from dcmsend.files.dataset import check
from dcmsend.files.scan import scan
from dcmsend.files.sources import BytesSource
from dcmsend.model import Conversion, Instance, Notice, Refusal, ScanOptions
from dcmsend.payload.opening import PayloadOpener
from tests.files.encode import is_one_line
from tests.support import builder, mutate

if TYPE_CHECKING:
    from collections.abc import Callable

DATA: Final = Path(__file__).parents[1] / "data"
MEMORY: Final = 500 << 20  # bytes that the process may have at any time
CASE: Final = "case.dcm"

NATIVE: Final = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
)
FILES: Final = (
    "samples/ct_enhanced_jpeg_ls_near_lossless.dcm",
    "samples/ct_explicit.dcm",
    "samples/ct_jpeg_2000.dcm",
    "samples/mr_enhanced_jpeg_ls.dcm",
    "samples/mr_implicit.dcm",
    "samples/rtstruct_implicit.dcm",
    "samples/sc_jpeg_baseline.dcm",
    "samples/sc_jpeg_extended.dcm",
    "samples/sc_jpeg_lossless_sv1.dcm",
    "samples/seg_jpeg_2000_lossless.dcm",
    "samples/sm_jpeg_ls.dcm",
    "samples/sr_basic_text.dcm",
    "samples/us_big_endian.dcm",
    "samples/us_rle.dcm",
    "odd/big_endian_tiff_preamble.dcm",
    "odd/deflated_image_frame.dcm",
    "odd/j2k_trailing_padding.dcm",
    "odd/jpeg_full_progression.dcm",
    "odd/jpeg_spectral_selection.dcm",
    "odd/meta_disagrees.dcm",
    "odd/meta_disagrees_big_endian.dcm",
    "odd/odd_length_deflated.dcm",
    "odd/rle_trailing_padding.dcm",
    "odd/vr_unknown.dcm",
    "made/encapsulated_uncompressed.dcm",
    "made/jpeg_xl.dcm",
)  # fmt: skip
LARGE_FILES: Final = (
    "odd/htj2k.dcm",
    "odd/htj2k_lossless.dcm",
    "samples/ct_deflated.dcm",
    "samples/ct_enhanced_jpeg_lossless.dcm",
    "samples/ecg_waveform.dcm",
)
# 9 columns and 7 rows of 8 bits, lossless: 0, 3, 6 ...
COMPRESSED_FRAME: Final = bytes.fromhex("ff0a303010143702080401005c004b2824c6970a129262e234804f00073000033000033000")


class Case(NamedTuple):
    """What is done to which file: all of it follows from the number."""

    number: int
    name: str
    target: str


def case(number: int) -> Case:
    """Every file meets every native transfer syntax; the large ones come up once where the others do eight times."""
    index, turn = number % len(FILES), number // len(FILES)
    name = FILES[index]
    if turn % 8 == 7:
        name = LARGE_FILES[index % len(LARGE_FILES)]
    return Case(number, name, NATIVE[(turn + turn // 8) % len(NATIVE)])


def good(name: str) -> bytes:
    """An undamaged file."""
    if name == "made/encapsulated_uncompressed.dcm":
        return _image("1.2.840.10008.1.2.1.98", [bytes(range(63)) + b"\0", bytes(63) + b"\0"])
    if name == "made/jpeg_xl.dcm":
        return _image("1.2.840.10008.1.2.4.110", [COMPRESSED_FRAME, COMPRESSED_FRAME])
    return (DATA / name).read_bytes()


def _image(syntax: str, frames: list[bytes]) -> bytes:
    """A file with frames of 9 columns and 7 rows of 8 bits."""
    empty = mutate.File("", "", syntax, b"")
    numbers = ((0x00280100, 8), (0x00280101, 8), (0x00280102, 7), (0x00280103, 0))
    sop_class = "1.2.840.10008.5.1.4.1.1.7.2"
    items = [empty.element(mutate.ITEM, b"", value) for value in (b"", *frames)]
    end = empty.element(mutate.SEQUENCE_END, b"", b"")
    data = (
        builder.element(0x00080016, "UI", sop_class.encode())
        + builder.element(0x00080018, "UI", b"1.2.3.4")
        + builder.element(0x00280002, "US", b"\1\0")
        + builder.element(0x00280004, "CS", b"MONOCHROME2")
        + builder.element(0x00280008, "IS", str(len(frames)).encode())
        + builder.element(0x00280010, "US", b"\7\0")
        + builder.element(0x00280011, "US", b"\x09\0")
        + b"".join(builder.element(tag, "US", bytes((number, 0))) for tag, number in numbers)
        + empty.element(mutate.PIXEL_DATA, b"OB", b"".join(items) + end, mutate.UNDEFINED)
    )
    return builder.part10(sop_class, "1.2.3.4", transfer_syntax=syntax, data_set=data)


def outcome(opener: PayloadOpener, path: Path, target: str) -> str:
    """What becomes of a file: the words of its refusal or failure, or nothing where it was converted.

    Raises AssertionError where a payload is not what it says, and whatever else should never be raised.
    """
    converted = True
    for found in scan([str(path)], ScanOptions()):
        if isinstance(found, Instance):
            try:
                give_out(opener, found, target)
            except FileError as error:
                return one_line(str(error.reason))
        elif isinstance(found, Refusal):
            return one_line(str(found.reason))
        elif isinstance(found, Notice):
            one_line(found.text)
            converted = not found.empty
    assert converted, "neither a reason nor a payload"
    return ""


def give_out(opener: PayloadOpener, instance: Instance, target: str) -> None:
    """Take the whole payload. Only opening it may fail."""
    with opener.open(instance, target) as payload:
        list(map(one_line, payload.notices))
        given = bytearray()
        room = memoryview(bytearray(50_001))
        try:
            while count := payload.fill([room[:1], room[1:]]):
                given += room[:count]
        except FileError as error:
            raise AssertionError(f"failed half-way: {error.reason}") from None
        assert len(given) == payload.length, f"{len(given)} bytes given out, {payload.length} announced"
        assert len(given) % 2 == 0, "an odd number of bytes"
        assert payload.transfer_syntax == target
        assert (payload.sop_class, payload.sop_instance) == _read_again(bytes(given), target), "the UIDs changed"


def _read_again(data: bytes, target: str) -> tuple[str, str]:
    """What was given out is a data set of the transfer syntax, with its elements in order; its UIDs."""
    try:
        checked = check(BytesSource(data), 0, len(data), target)
    except FileError as error:
        raise AssertionError(f"what was given out cannot be read: {error.reason}") from None
    assert not checked.faulty, f"what was given out is not in order: {checked.notices}"
    return checked.sop_class, checked.sop_instance


def one_line(text: str) -> str:
    assert text, "a reason without words"
    assert is_one_line(text), f"not one line: {text!r}"
    assert len(text) < 1000, f"{len(text)} characters: {text[:200]!r}"
    return text


def prepare(folder: Path) -> Callable[[int], tuple[str]]:
    """Have every library loaded, and each undamaged file converted."""
    opener = PayloadOpener(ScanOptions(), Conversion())
    path = folder / CASE
    for name in (*FILES, *LARGE_FILES):
        path.write_bytes(good(name))
        words = outcome(opener, path, NATIVE[1])
        assert not words, f"{name}: {words}"

    def work(number: int) -> tuple[str]:
        one = case(number)
        path.write_bytes(mutate.mutated(good(one.name), number))
        return ("failed" if outcome(opener, path, one.target) else "converted",)

    return work
