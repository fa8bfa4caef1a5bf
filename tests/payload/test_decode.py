"""All frames of encapsulated pixel data, end to end: against what was encoded, and against DCMTK's decoders."""

from __future__ import annotations

import subprocess
import zlib
from typing import TYPE_CHECKING, NamedTuple

import imagecodecs
import numpy
import pydicom
import pytest

from dcmsend.errors import FileError
from dcmsend.files.elements import EXPLICIT_LE, UNDEFINED, walk
from dcmsend.files.head import read_head
from dcmsend.files.sources import BytesSource, FileSource
from dcmsend.light import replace
from dcmsend.model import ReadMode
from dcmsend.payload import decode as module
from dcmsend.payload import pixels
from dcmsend.payload.decode import Decoded, decode_pixels
from dcmsend.payload.pieces import Spool
from tests.files.encode import SEQUENCE_END, is_one_line, item
from tests.payload.test_codecs import DEFLATED, J2K, JPEG, JPEG_LS, RLE, UNCOMPRESSED, noise, pack_bits, rle, run_length
from tests.payload.test_pixels import COLOUR, COLOUR_VALUES, GREY, VALUES, us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PIXEL_DATA = 0x7FE00010


class Result(NamedTuple):
    decoded: Decoded
    data: bytes


def decode(values: Mapping[int, bytes], syntax: str, *fragments: bytes) -> Result:
    data = item(b"") + b"".join(map(item, fragments)) + SEQUENCE_END
    return _decode(BytesSource(data), 0, len(data), values, syntax)


def _decode(source: BytesSource | FileSource, value: int, end: int, values: Mapping[int, bytes], syntax: str) -> Result:
    spool = Spool()
    try:
        decoded = decode_pixels(source, value, end, values, syntax, spool)
        data = bytearray(spool.length)
        spool.piece().fill([memoryview(data)])
    finally:
        spool.close()
    return Result(decoded, bytes(data))


def decode_file(path: Path) -> tuple[Result, dict[int, bytes]]:
    """The pixel data of a file, and the attributes that go with it as they are after decoding."""
    with path.open("rb") as file:
        source = FileSource(file.fileno(), path.stat().st_size)
        head = read_head(source, ReadMode.FILE_OR_DATASET)
        values: dict[int, bytes] = {}
        for _, tag, _, _, value, length in walk(
            source, EXPLICIT_LE, head.dataset_offset, source.size, stop=PIXEL_DATA + 1
        ):
            if tag in pixels.IMAGE_TAGS:
                buffer, base = source.window(value, length)
                values[tag] = buffer[value - base : value - base + length]
            elif tag == PIXEL_DATA:
                assert length == UNDEFINED
                result = _decode(source, value, source.size, values, head.transfer_syntax)
    return result, values | {tag: changed.value for tag, changed in result.decoded.changes.items()}


def test_frames_are_laid_end_to_end() -> None:
    frames = [bytes([number]) * 48 for number in range(3)]
    result = decode(VALUES | {pixels.FRAMES: b"3 "}, UNCOMPRESSED, *frames)
    assert result.data == b"".join(frames)
    assert result.decoded == Decoded({}, b"OW")


def test_an_odd_length_is_filled_up() -> None:
    values = VALUES | {tag: us(3) for tag in (pixels.ROWS, pixels.COLUMNS)} | {pixels.FRAMES: b"3 "}
    values |= {pixels.BITS_ALLOCATED: us(8), pixels.BITS_STORED: us(8), pixels.HIGH_BIT: us(7)}
    frames = [bytes(range(number, number + 9)) for number in (10, 20, 30)]
    assert decode(values, UNCOMPRESSED, *(frame + b"\0" for frame in frames)).data == b"".join(frames) + b"\0"


@pytest.mark.parametrize("syntax", [UNCOMPRESSED, DEFLATED, RLE, J2K])
def test_single_bits_go_on_within_a_byte(syntax: str) -> None:
    """PS3.5 8.1.1: a frame of 9 pixels of 1 bit is padded where it is encapsulated, not where it is native."""
    bits = numpy.random.default_rng(1).integers(0, 2, (4, 3, 3), "u1")
    values = VALUES | {tag: us(1) for tag in (pixels.BITS_ALLOCATED, pixels.BITS_STORED)}
    values |= {pixels.HIGH_BIT: us(0), pixels.FRAMES: b"4 ", pixels.ROWS: us(3), pixels.COLUMNS: us(3)}
    frames = []
    for frame in bits:
        packed = numpy.packbits(frame.reshape(-1), bitorder="little")
        deflater = zlib.compressobj(wbits=-15)
        frames.append({
            UNCOMPRESSED: packed.tobytes(),
            DEFLATED: deflater.compress(packed.tobytes()) + deflater.flush(),
            RLE: run_length(packed.reshape(1, -1)),
            J2K: bytes(imagecodecs.jpeg2k_encode(frame, codecformat="j2k", reversible=True, level=0, bitspersample=1)),
        }[syntax])  # fmt: skip
    native = numpy.packbits(bits.reshape(-1), bitorder="little").tobytes()
    assert len(native) == 5
    assert decode(values, syntax, *frames).data == native + b"\0"


def test_a_frame_may_come_in_fragments() -> None:
    image = replace(COLOUR, rows=16, columns=16)
    array = noise(image, 8)
    coded = bytes(imagecodecs.jpegls_encode(array))
    values = COLOUR_VALUES | {pixels.ROWS: us(16), pixels.COLUMNS: us(16)}
    assert decode(values, JPEG_LS, coded[:100], coded[100:101], coded[101:]).data == array.tobytes()


def test_attributes_follow() -> None:
    coded = bytes(imagecodecs.jpeg8_encode(noise(COLOUR, 8), 90))
    values = COLOUR_VALUES | {pixels.PHOTOMETRIC: b"YBR_FULL_422", pixels.PLANAR: us(1)}
    changes = decode(values, JPEG, coded).decoded.changes
    assert changes == {pixels.PHOTOMETRIC: (b"CS", b"RGB "), pixels.PLANAR: (b"US", us(0))}


BITS_8 = {pixels.BITS_ALLOCATED: us(8), pixels.BITS_STORED: us(8), pixels.HIGH_BIT: us(7)}
PIXELS = bytes(range(24))
GREY_FRAME = run_length(numpy.frombuffer(PIXELS, "u1").reshape(4, 6))


@pytest.mark.parametrize("stated", [b"", b"0 ", b"1.0 ", b"-1", b"some"])
@pytest.mark.parametrize("fragments", [(GREY_FRAME,), (GREY_FRAME[:70], GREY_FRAME[70:])], ids=["one", "two"])
def test_one_frame_needs_no_number_of_frames(stated: bytes, fragments: tuple[bytes, ...]) -> None:
    result = decode(VALUES | BITS_8 | {pixels.FRAMES: stated}, RLE, *fragments)
    assert result.data == PIXELS
    text = stated.decode().strip()
    assert result.decoded.notices == (f"Number of Frames (0028,0008) is '{text}', which is taken for 1",)
    assert result.decoded.changes == ({pixels.FRAMES: (b"IS", b"1 ")} if stated else {})


@pytest.mark.parametrize("stated", [b"", b"0 ", b"1.5 ", b"-2", b"some"])
def test_several_frames_need_a_number_of_frames(stated: bytes) -> None:
    with pytest.raises(FileError, match="Number of Frames is no number of frames") as caught:
        decode(VALUES | BITS_8 | {pixels.FRAMES: stated}, RLE, GREY_FRAME, GREY_FRAME)
    assert (caught.value.reason.code, caught.value.reason.fact("images")) == ("frames_unknown", 2)


@pytest.mark.parametrize("stated", [b"+2", b" 2", b"2\\", b"2\\9 ", b"2.0 "])
def test_number_of_frames_as_it_may_be_written(stated: bytes) -> None:
    result = decode(VALUES | BITS_8 | {pixels.FRAMES: stated}, RLE, GREY_FRAME, GREY_FRAME)
    assert result.data == PIXELS * 2
    assert len(result.decoded.notices) == (b"." in stated)


SURPLUS = {
    "in a literal run": b"\x18" + PIXELS + b"\x55",
    "in a run of its own": b"\x17" + PIXELS + b"\0\x55",
    "in a replicated run": b"\x15" + PIXELS[:22] + b"\xfe\x55",
}


@pytest.mark.parametrize("name", SURPLUS)
@pytest.mark.parametrize("padding", [b"", b"\0", b"\0\0", b"\x80"])
def test_a_surplus_byte_of_a_segment_is_cut_off(name: str, padding: bytes) -> None:
    """By pixel and by plane, in one segment and in several; what was cut off is told."""
    expected = PIXELS if "replicated" not in name else PIXELS[:22] + b"\x55\x55"
    segment = SURPLUS[name] + padding
    result = decode(VALUES | BITS_8, RLE, rle(segment))
    assert result.data == expected
    assert result.decoded.notices == ("1 of 1 frames: an RLE segment holds a byte too many, which was cut off",)
    for planar in (0, 1):
        values = COLOUR_VALUES | {pixels.PLANAR: us(planar), pixels.FRAMES: b"2 "}
        result = decode(values, RLE, rle(segment, segment, segment), rle(*[pack_bits(PIXELS)] * 3))
        first, second = result.data[:72], result.data[72:]
        for data, plane in ((first, expected), (second, PIXELS)):
            assert data == (plane * 3 if planar else b"".join(bytes((value,)) * 3 for value in plane))
        assert result.decoded.notices == ("1 of 2 frames: an RLE segment holds a byte too many, which was cut off",)


@pytest.mark.parametrize("syntax", [RLE, UNCOMPRESSED, DEFLATED])
def test_bytes_are_decoded_whatever_they_mean(syntax: str) -> None:
    """RLE and its like need no Bits Stored, High Bit, Pixel Representation or Photometric Interpretation."""
    deflater = zlib.compressobj(wbits=-15)
    frame = {RLE: GREY_FRAME, UNCOMPRESSED: PIXELS, DEFLATED: deflater.compress(PIXELS) + deflater.flush()}[syntax]
    values = {tag: value for tag, value in (VALUES | BITS_8).items() if tag not in pixels.MEANING}
    result = decode(values, syntax, frame)
    assert (result.data, result.decoded.changes, result.decoded.notices) == (PIXELS, {}, ())
    if syntax == RLE:
        values |= {pixels.SAMPLES: us(3), pixels.PLANAR: us(1)}
        assert decode(values, RLE, rle(*[pack_bits(PIXELS)] * 3)).data == PIXELS * 3


def test_jpeg_that_calls_itself_ycbcr_is_converted() -> None:
    """By its JFIF header, whatever Photometric Interpretation says."""
    picture = numpy.zeros((4, 6, 3), "u1")
    picture[:, :] = (200, 30, 90)
    coded = bytes(imagecodecs.jpeg8_encode(picture, 100))
    assert b"JFIF" in coded
    result = decode(COLOUR_VALUES, JPEG, coded)
    found = numpy.frombuffer(result.data, "u1").reshape(4, 6, 3).astype(int)
    assert abs(found - picture).max() <= 2
    assert result.decoded.changes == {}
    (notice,) = result.decoded.notices
    assert notice.startswith("1 of 1 frames: Photometric Interpretation is RGB, but the codestream says YCbCr")
    assert decode(COLOUR_VALUES | {pixels.PHOTOMETRIC: b"YBR_FULL_422"}, JPEG, coded).data == result.data


@pytest.mark.parametrize(
    ("values", "fragments", "complaint"),
    [
        pytest.param(VALUES, (b"\0" * 46,), "frame 1 of 1: 46 bytes, not 48", id="a short frame"),
        pytest.param(
            VALUES | {pixels.FRAMES: b"2 "}, (bytes(48), bytes(20)), "frame 2 of 2: 20 bytes", id="second frame"
        ),
        pytest.param(
            VALUES | {pixels.FRAMES: b"2 "}, (bytes(48),), "1 fragments, but Number of Frames says 2", id="missing"
        ),
        pytest.param(
            VALUES | {pixels.FRAMES: b"2147483647"}, (bytes(48),), "Number of Frames says 2147483647", id="many"
        ),
        pytest.param(VALUES, (), "0 fragments", id="no fragment"),
        pytest.param(VALUES | {pixels.ROWS: us(0)}, (bytes(48),), "Rows", id="no rows"),
    ],
)
def test_what_cannot_be_decoded_says_why(
    values: dict[int, bytes], fragments: tuple[bytes, ...], complaint: str
) -> None:
    with pytest.raises(FileError, match=complaint) as caught:
        decode(values, UNCOMPRESSED, *fragments)
    assert is_one_line(str(caught.value.reason))


def test_all_frames_must_be_coded_alike() -> None:
    values = VALUES | {pixels.FRAMES: b"2 ", pixels.BITS_STORED: us(8), pixels.HIGH_BIT: us(7)}
    small = bytes(imagecodecs.jpeg8_encode(noise(GREY, 8), lossless=True))
    large = bytes(imagecodecs.jpeg8_encode(noise(GREY, 12), lossless=True, bitspersample=12))
    with pytest.raises(FileError, match="frame 2 of 2: it is coded otherwise"):
        decode(values, JPEG, small, large)


def test_more_than_a_data_element_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PIXEL_DATA", 95)
    assert decode(VALUES, UNCOMPRESSED, bytes(48)).data == bytes(48)
    with pytest.raises(FileError, match="96 bytes of decoded pixel data do not fit into one data element"):
        decode(VALUES | {pixels.FRAMES: b"2 "}, UNCOMPRESSED, bytes(48), bytes(48))


# Against DCMTK

TOOLS = {
    **dict.fromkeys(("50", "51", "53", "55", "57", "70"), "dcmdjpeg"),
    **dict.fromkeys(("80", "81"), "dcmdjpls"),
    "5": "dcmdrle",
}
FILES = [
    "samples/sc_jpeg_baseline.dcm",
    "samples/sc_jpeg_extended.dcm",
    "samples/ct_enhanced_jpeg_lossless.dcm",
    "samples/sc_jpeg_lossless_sv1.dcm",
    "samples/mr_enhanced_jpeg_ls.dcm",
    "samples/ct_enhanced_jpeg_ls_near_lossless.dcm",
    "samples/us_rle.dcm",
    "samples/sm_jpeg_ls.dcm",
    "odd/jpeg_spectral_selection.dcm",
    "odd/jpeg_full_progression.dcm",
    "odd/rle_trailing_padding.dcm",
    "odd/meta_without_preamble.dcm",
    "odd/no_study.dcm",
]


def _as_dcmtk(path: Path, tool: str, folder: Path) -> tuple[bytes, dict[int, bytes]]:
    output = folder / "decoded.dcm"
    subprocess.run([tool, path, output], check=True, capture_output=True)
    data_set = pydicom.dcmread(output, force=True)
    values = {tag: data_set.get_item(tag) for tag in pixels.IMAGE_TAGS}
    return data_set.PixelData, {tag: found.value for tag, found in values.items() if found is not None}


def _compare(path: Path, dcmtk: Callable[[str], str], folder: Path) -> None:
    with path.open("rb") as file:
        syntax = read_head(FileSource(file.fileno(), path.stat().st_size), ReadMode.FILE_OR_DATASET).transfer_syntax
    expected, expected_values = _as_dcmtk(path, dcmtk(TOOLS[syntax.rpartition(".")[2]]), folder)
    result, values = decode_file(path)
    assert {tag: value.strip() for tag, value in values.items()} == {
        tag: value.strip() for tag, value in expected_values.items()
    }
    assert result.data == expected


@pytest.mark.parametrize("name", FILES)
def test_real_files_become_what_dcmtk_makes_of_them(
    name: str, data: Path, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    _compare(data / name, dcmtk, tmp_path)


ENCODERS = [
    ("dcmcjpeg", "+e1"),
    ("dcmcjpeg", "+el +sv 7"),
    ("dcmcjpeg", "+eb +cr"),
    ("dcmcjpeg", "+eb +s2"),
    ("dcmcjpeg", "+eb +np"),
    ("dcmcjpeg", "+ee +s4"),
    ("dcmcjpeg", "+es +s4"),
    ("dcmcjpeg", "+ep +np"),
    ("dcmcjpeg", "+eb +fs 1 -ot"),
    ("dcmcjpls", "+el +il"),
    ("dcmcjpls", "+en +is"),
    ("dcmcrle", ""),
]


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize(("encoder", "options"), ENCODERS)
def test_colour_becomes_what_dcmtk_makes_of_it(
    encoder: str, options: str, planar: int, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    ramp = numpy.add.outer(numpy.arange(37) * 5, numpy.arange(53) * 3)
    array = (numpy.stack([ramp, ramp // 2, 255 - ramp], -1) % 256).astype("u1")
    frames = numpy.stack([array, array[::-1]])
    data_set = pydicom.dataset.Dataset()
    data_set.file_meta = pydicom.dataset.FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7.4", "1.2.3"
    data_set.Rows, data_set.Columns, data_set.SamplesPerPixel, data_set.NumberOfFrames = 37, 53, 3, 2
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 8, 8, 7, 0
    data_set.PhotometricInterpretation, data_set.PlanarConfiguration = "RGB", planar
    data_set.add_new(PIXEL_DATA, "OB", (numpy.moveaxis(frames, -1, 1) if planar else frames).tobytes())
    native, coded = tmp_path / "native.dcm", tmp_path / "coded.dcm"
    data_set.save_as(native, enforce_file_format=True)
    subprocess.run([dcmtk(encoder), *options.split(), native, coded], check=True, capture_output=True)
    _compare(coded, dcmtk, tmp_path)
