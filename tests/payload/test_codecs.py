"""Each decoder against an encoder, what codestreams say of themselves, and what must not be decoded."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy
import pytest

from dcmsend.errors import FileError
from dcmsend.light import replace
from dcmsend.payload import codecs
from dcmsend.payload.boxed import read_jpeg_2000, read_jpeg_xl
from dcmsend.payload.codecs import FrameDecoder, decodable, library_missing, working_decoders
from dcmsend.payload.codestreams import read_jpeg, read_jpeg_ls
from dcmsend.uids import TRANSFER_SYNTAXES
from tests.files.encode import is_one_line
from tests.payload.test_pixels import COLOUR, GREY

if TYPE_CHECKING:
    from collections.abc import Callable

    from dcmsend.payload.pixels import Image

PREFIX = "1.2.840.10008.1.2"
JPEG, LOSSLESS, JPEG_LS, J2K, HTJ2K = (PREFIX + suffix for suffix in (".4.50", ".4.57", ".4.80", ".4.90", ".4.203"))
JXL, JXL_JPEG, RLE = PREFIX + ".4.110", PREFIX + ".4.111", PREFIX + ".5"
DEFLATED, UNCOMPRESSED = PREFIX + ".8.1", PREFIX + ".1.98"
LIBRARY_FREE = [UNCOMPRESSED, DEFLATED]
ALL = [
    UNCOMPRESSED,
    *(PREFIX + suffix for suffix in (".4.50", ".4.51", ".4.53", ".4.55", ".4.57", ".4.70", ".4.80", ".4.81", ".4.90")),
    *(PREFIX + suffix for suffix in (".4.91", ".4.201", ".4.202", ".4.203", ".4.110", ".4.112", ".4.111", ".5")),
    DEFLATED,
]


def noise(image: Image, bits: int) -> Any:
    shape = (image.rows, image.columns, image.samples)[: 3 if image.samples > 1 else 2]
    dtype = numpy.dtype("u2" if bits > 8 else "u1")
    return numpy.random.default_rng(7).integers(0, 1 << bits, shape, dtype)


def decode(syntax: str, image: Image, frame: bytes) -> bytes:
    return bytes(FrameDecoder(syntax, image).decode(frame).data)


def refusal(syntax: str, image: Image, frame: bytes) -> str:
    with pytest.raises(FileError) as caught:
        FrameDecoder(syntax, image).decode(frame)
    assert is_one_line(str(caught.value.reason))
    return str(caught.value.reason)


def pack_bits(data: bytes) -> bytes:
    """An RLE segment of literal runs (PS3.5 G.3), filled up to an even length."""
    runs = b"".join(bytes((len(part) - 1,)) + part for part in (data[at : at + 128] for at in range(0, len(data), 128)))
    return runs + bytes(len(runs) % 2)


def rle(*segments: bytes) -> bytes:
    offsets = [64]
    for segment in segments[:-1]:
        offsets.append(offsets[-1] + len(segment))
    return struct.pack("<16L", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def run_length(array: Any) -> bytes:
    """Segments for each byte of each sample, the most significant one first (PS3.5 G.2)."""
    planes = numpy.moveaxis(array.reshape(*array.shape[:2], -1), -1, 0).astype(array.dtype.newbyteorder(">"))
    columns = planes.reshape(planes.shape[0], -1).view("u1").reshape(planes.shape[0], -1, array.itemsize)
    return rle(*(pack_bits(plane[:, byte].tobytes()) for plane in columns for byte in range(array.itemsize)))


def deflate(array: Any) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(array.tobytes()) + deflater.flush()


def j2k(array: Any, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(array, level=0, codecformat="j2k", reversible=True, **options))


def lossless_jpeg(array: Any, **options: Any) -> bytes:
    options = {"colorspace": "RGB", "outcolorspace": "RGB", **options} if array.ndim == 3 else options
    return bytes(imagecodecs.jpeg8_encode(array, lossless=True, **options))


def jxl(array: Any, **options: Any) -> bytes:
    return bytes(imagecodecs.jpegxl_encode(array, lossless=True, **options))


def deep(array: Any) -> bytes:
    return lossless_jpeg(array, bitspersample=16)


@pytest.mark.parametrize(
    ("syntax", "encode", "image"),
    [
        pytest.param(LOSSLESS, deep, replace(GREY, bits_stored=16, high_bit=15), id="JPEG 16 bits"),
        *(
            pytest.param(
                LOSSLESS, lambda array, n=n: lossless_jpeg(array, predictor=n), COLOUR, id=f"JPEG predictor {n}"
            )
            for n in range(1, 8)
        ),
        pytest.param(JPEG_LS, imagecodecs.jpegls_encode, replace(GREY, bits_stored=16, high_bit=15), id="JPEG-LS"),
        pytest.param(JPEG_LS, imagecodecs.jpegls_encode, COLOUR, id="JPEG-LS colour"),
        pytest.param(J2K, lambda array: j2k(array, bitspersample=12), GREY, id="JPEG 2000"),
        pytest.param(J2K, j2k, COLOUR, id="JPEG 2000 colour"),
        pytest.param(HTJ2K, imagecodecs.htj2k_encode, replace(GREY, bits_stored=16, high_bit=15), id="HTJ2K"),
        pytest.param(HTJ2K, imagecodecs.htj2k_encode, COLOUR, id="HTJ2K colour"),
        pytest.param(HTJ2K, lambda array: imagecodecs.htj2k_encode(array, tile=(4, 3)), COLOUR, id="HTJ2K tiles"),
        pytest.param(JXL, lambda array: jxl(array, bitspersample=12), GREY, id="JPEG XL 12 bits"),
        pytest.param(JXL, jxl, replace(GREY, bits_stored=16, high_bit=15), id="JPEG XL 16 bits"),
        pytest.param(JXL, lambda array: jxl(array, usecontainer=True), COLOUR, id="JPEG XL colour in a container"),
        pytest.param(RLE, run_length, COLOUR, id="RLE colour"),
        pytest.param(RLE, run_length, replace(GREY, bits_stored=16, high_bit=15), id="RLE 16 bits"),
        pytest.param(DEFLATED, deflate, GREY, id="deflated"),
        pytest.param(UNCOMPRESSED, lambda array: array.tobytes(), COLOUR, id="uncompressed"),
    ],
)
def test_lossless_codestreams_are_decoded_bit_for_bit(
    syntax: str, encode: Callable[[Any], bytes], image: Image
) -> None:
    image = replace(image, rows=11, columns=13)
    array = noise(image, image.bits_stored)
    decoder = FrameDecoder(syntax, image)
    for padding in (b"", b"\0"):
        frame = decoder.decode(bytes(encode(array)) + padding)
        assert bytes(frame.data) == array.astype(array.dtype.newbyteorder("<")).tobytes()
        assert frame.image == image


@pytest.mark.parametrize("syntax", [JPEG_LS, RLE])
def test_colour_by_plane_where_planar_configuration_says_so(syntax: str) -> None:
    array = noise(COLOUR, 8)
    frame = run_length(array) if syntax == RLE else bytes(imagecodecs.jpegls_encode(array))
    assert decode(syntax, replace(COLOUR, planar=1), frame) == numpy.moveaxis(array, -1, 0).tobytes()


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [(JPEG_LS, imagecodecs.jpegls_encode), (J2K, j2k), (JXL, jxl)],
    ids=["JPEG-LS", "JPEG 2000", "JPEG XL"],
)
def test_samples_fill_the_allocated_bits(syntax: str, encode: Callable[[Any], bytes]) -> None:
    image = replace(GREY, bits_stored=8, high_bit=7)
    assert decode(syntax, image, bytes(encode(noise(image, 8)))) == noise(image, 8).astype("<u2").tobytes()


@pytest.mark.parametrize(
    ("representation", "expected"),
    [pytest.param(1, [-2048, -1, 0, 2047], id="signed"), pytest.param(0, [0x800, 0xFFF, 0, 0x7FF], id="unsigned")],
)
def test_the_sign_of_jpeg_2000_samples(representation: int, expected: list[int]) -> None:
    image = replace(GREY, rows=1, columns=4, representation=representation)
    frame = j2k(numpy.array([[-2048, -1, 0, 2047]], "i2"), bitspersample=12)
    assert read_jpeg_2000(frame).signed
    assert decode(J2K, image, frame) == numpy.array(expected, "<i2").tobytes()


def test_lossy_high_throughput_samples_do_not_overflow() -> None:
    image = replace(COLOUR, rows=64, columns=64)
    array = numpy.where(noise(image, 8) > 127, 255, 0).astype("u1")
    decoded = decode(HTJ2K, image, bytes(imagecodecs.htj2k_encode(array, level=0.02, reversible=False)))
    errors = numpy.abs(numpy.frombuffer(decoded, "u1").astype(int) - array.reshape(-1))
    assert 0 < errors.max() < 60


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_ycbcr_becomes_rgb(photometric: str) -> None:
    image = replace(COLOUR, photometric=photometric, rows=16, columns=16)
    array = numpy.full((16, 16, 3), (200, 40, 90), "u1")
    frame = FrameDecoder(JPEG, image).decode(bytes(imagecodecs.jpeg8_encode(array, 100, subsampling="422")))
    assert frame.image == replace(image, photometric="RGB")
    assert numpy.abs(numpy.frombuffer(frame.data, "u1").reshape(-1, 3).astype(int) - (200, 40, 90)).max() <= 2


def test_lossless_ycbcr_stays_what_it_is() -> None:
    image = replace(COLOUR, photometric="YBR_FULL")
    array = noise(image, 8)
    coded = lossless_jpeg(array).replace(ADOBE_RGB, b"")  # which is what the encoder writes
    coded = coded.replace(b"R\x11\0G\x11\0B\x11\0", b"\1\x11\0\2\x11\0\3\x11\0").replace(b"R\0G\0B\0", b"\1\0\2\0\3\0")
    frame = FrameDecoder(LOSSLESS, image).decode(coded)
    assert (bytes(frame.data), frame.image) == (array.tobytes(), image)


def test_a_recompressed_jpeg_is_made_again_before_it_is_decoded() -> None:
    image = replace(COLOUR, photometric="YBR_FULL_422", rows=40, columns=50)
    original = bytes(imagecodecs.jpeg8_encode(noise(image, 8), 80, subsampling="420"))
    recompressed = imagecodecs.jpegxl_encode_jpeg(original, usecontainer=True)
    assert decode(JXL_JPEG, image, bytes(recompressed)) == decode(JPEG, image, original)
    assert "transcode" in refusal(JXL_JPEG, image, jxl(noise(image, 8)))


@pytest.mark.parametrize("lossless", [False, True])
def test_a_jpeg_end_marker_may_be_missing_but_no_data(lossless: bool) -> None:
    image = replace(GREY, rows=64, columns=64, bits_allocated=8, bits_stored=8, high_bit=7)
    complete = bytes(imagecodecs.jpeg8_encode(noise(image, 8), lossless=lossless))
    assert decode(LOSSLESS, image, complete[:-2]) == decode(LOSSLESS, image, complete)
    assert decode(LOSSLESS, image, complete[:-2] + b"\0") == decode(LOSSLESS, image, complete)
    for length in (len(complete) - 40, len(complete) * 2 // 3, len(complete) // 2):
        assert refusal(LOSSLESS, image, complete[:length]) == "the JPEG codestream is cut off"


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (JPEG_LS, imagecodecs.jpegls_encode),
        (J2K, j2k),
        (HTJ2K, imagecodecs.htj2k_encode),
        (JXL, jxl),
        (RLE, run_length),
        (DEFLATED, deflate),
        (UNCOMPRESSED, lambda array: array.tobytes()),
    ],
    ids=["JPEG-LS", "JPEG 2000", "HTJ2K", "JPEG XL", "RLE", "deflated", "uncompressed"],
)
def test_a_codestream_that_is_cut_off_is_refused(syntax: str, encode: Callable[[Any], bytes]) -> None:
    image = replace(GREY, rows=64, columns=64, bits_stored=16, high_bit=15)
    complete = bytes(encode(noise(image, 16)))
    for length in (0, 1, 3, 20, 63, len(complete) // 3, len(complete) - 40):
        refusal(syntax, image, complete[:length])


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [(JPEG_LS, imagecodecs.jpegls_encode), (J2K, j2k), (HTJ2K, imagecodecs.htj2k_encode)],
    ids=["JPEG-LS", "JPEG 2000", "HTJ2K"],
)
def test_end_markers_may_be_missing(syntax: str, encode: Callable[[Any], bytes]) -> None:
    image = replace(GREY, bits_stored=16, high_bit=15)
    complete = bytes(encode(noise(image, 16)))
    assert decode(syntax, image, complete[:-2]) == decode(syntax, image, complete)


# RLE


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0\0", b"\x80\0"], ids=["one NUL", "NULs", "no operation"])
def test_what_follows_the_last_run_of_a_segment_is_padding(padding: bytes) -> None:
    image = replace(COLOUR, photometric="MONOCHROME2", samples=1, planar=None)
    assert decode(RLE, image, rle(pack_bits(bytes(range(24))) + padding)) == bytes(range(24))


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        pytest.param(rle(b"\x00\x01"), "has 1 segments, not 2", id="too few segments"),
        pytest.param(rle(*[b"\0\0"] * 3), "has 3 segments, not 2", id="too many segments"),
        pytest.param(rle(b"\xe9\1", b"\xe9\1")[:66], "offsets", id="offset behind the end"),
        pytest.param(rle(b"\xe9\1", b"\xe9\1").replace(b"\x40", b"\x41", 1), "offsets", id="first offset"),
        pytest.param(rle(b"\xe9\1", b"\xe9\1\xe9\1"), "more than 24 bytes", id="long segment"),
        pytest.param(rle(b"\xe9\1", b"\xea\1"), "23 bytes, not 24", id="short segment"),
        pytest.param(rle(b"\xe9\1", b"\xe7\1"), "more than 24 bytes", id="a run two bytes past the end"),
        pytest.param(rle(b"\xe9\1", b"\xe9\1\1ab"), "more than 24 bytes", id="two bytes more"),
        pytest.param(rle(b"\xe9\1", b"\x17ab"), "cannot be decoded", id="a literal run that is cut off"),
        pytest.param(b"\2\0\0\0", "header is cut off", id="cut off in the header"),
    ],
)
def test_wrong_run_lengths_are_refused(frame: bytes, complaint: str) -> None:
    assert complaint in refusal(RLE, GREY, frame)


# Headers


def segment(marker: int, parameters: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(parameters) + 2) + parameters


def frame_header(*components: tuple[int, int], marker: int = 0xC0) -> bytes:
    described = b"".join(bytes((name, sampling, 0)) for name, sampling in components)
    return segment(marker, struct.pack(">BHHB", 8, 4, 6, len(components)) + described)


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
ADOBE_RGB, ADOBE_YBR = (segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes((transform,))) for transform in (0, 1))
PLAIN = frame_header((1, 0x11), (2, 0x11), (3, 0x11))
SUBSAMPLED = frame_header((1, 0x21), (2, 0x11), (3, 0x11))
NAMED = frame_header((82, 0x11), (71, 0x11), (66, 0x11))
SCAN = segment(0xDA, b"\3\1\0\2\x11\3\x11\0\x3f\0")


@pytest.mark.parametrize(
    ("header", "colour"),
    [
        pytest.param(PLAIN, "", id="not said"),
        pytest.param(JFIF + PLAIN, "YBR", id="JFIF"),
        pytest.param(ADOBE_YBR + PLAIN, "YBR", id="Adobe 1"),
        pytest.param(ADOBE_RGB + PLAIN, "RGB", id="Adobe 0"),
        pytest.param(NAMED, "RGB", id="components R, G, B"),
        pytest.param(SUBSAMPLED, "YBR", id="subsampled"),
        pytest.param(JFIF + frame_header((1, 0x11), (2, 0x11), (3, 0x11), marker=0xC3), "", id="JFIF, but lossless"),
    ],
)
def test_colours_that_a_jpeg_codestream_certainly_has(header: bytes, colour: str) -> None:
    stream = read_jpeg(b"\xff\xd8" + header + SCAN + b"\xff\xd9")
    assert (stream.rows, stream.columns, stream.samples, stream.precision) == (4, 6, 3, 8)
    assert stream.colour == colour


@pytest.mark.parametrize("header", [JFIF + ADOBE_RGB + PLAIN, ADOBE_RGB + SUBSAMPLED, JFIF + NAMED])
def test_a_jpeg_codestream_that_contradicts_itself_is_refused(header: bytes) -> None:
    with pytest.raises(FileError, match="RGB in one place and YCbCr in another"):
        read_jpeg(b"\xff\xd8" + header + SCAN)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        pytest.param(b"", "does not begin with FFD8", id="empty"),
        pytest.param(b"\xff\xd8", "no marker at byte 2", id="nothing follows"),
        pytest.param(b"\xff\xd8" + PLAIN[:-4], "cut off in its header", id="cut off"),
        pytest.param(b"\xff\xd8" + SCAN, "has no frame header", id="no frame header"),
        pytest.param(b"\xff\xd8" + PLAIN + PLAIN + SCAN, "frame header .* is damaged", id="two frame headers"),
        pytest.param(b"\xff\xd8" + frame_header(marker=0xC0)[:-1] + b"\3" + SCAN, "damaged", id="components missing"),
        pytest.param(b"\xff\xd8" + frame_header((1, 0x11), marker=0xC9) + SCAN, "FFC9", id="arithmetic coding"),
        pytest.param(b"\xff\xd8" + frame_header((1, 0x11), marker=0xF7) + SCAN, "FFF7", id="JPEG-LS"),
        pytest.param(b"\xff\xd8\xff\xe0\0\1" + PLAIN + SCAN, "cut off", id="a segment shorter than its length"),
        pytest.param(b"\xff\xd8" + PLAIN + SCAN * 502, "more than 500 scans", id="scans"),
    ],
)
def test_jpeg_headers_that_are_refused(frame: bytes, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        read_jpeg(frame)


def test_fill_bytes_between_segments_are_passed_over() -> None:
    assert read_jpeg(b"\xff\xd8" + JFIF + b"\xff\xff" + PLAIN + b"\xff" + SCAN).colour == "YBR"


@pytest.mark.parametrize(("interleave", "planar"), [(0, True), (1, False), (2, False)])
def test_the_interleave_mode_of_jpeg_ls(interleave: int, planar: bool) -> None:
    header = frame_header((1, 0x11), (2, 0x11), (3, 0x11), marker=0xF7)
    scan = segment(0xDA, b"\3\1\0\2\0\3\0\0" + bytes((interleave, 0)))
    assert read_jpeg_ls(b"\xff\xd8" + header + scan).planar is planar


def siz(**changed: int) -> bytes:
    fields = {
        "width": 6,
        "height": 4,
        "left": 0,
        "top": 0,
        "tile_width": 6,
        "tile_height": 4,
        "tile_left": 0,
        "tile_top": 0,
    }
    depth, step = changed.pop("depth", 11), changed.pop("step", 1)
    fields |= changed
    return segment(0x51, b"\0\0" + struct.pack(">8LH", *fields.values(), 1) + bytes((depth, step, step)))


def cod(*precincts: int, block: int = 4) -> bytes:
    style = bytes((bool(precincts), 0, 0, 1, 0, max(len(precincts) - 1, 0), block, block, 0, 1))
    return segment(0x52, style + bytes(precincts))


def tile_part(contents: bytes = b"", tile: int = 0, part: int = 0, parts: int = 1, length: int | None = None) -> bytes:
    size = 12 + len(contents) + 2 if length is None else length
    return segment(0x90, struct.pack(">HLBB", tile, size, part, parts)) + contents + b"\xff\x93"


END = b"\xff\xd9"


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        pytest.param(siz(width=0) + cod(), "no possible image size", id="no columns"),
        pytest.param(siz(tile_width=0) + cod(), "no possible image size", id="no tiles"),
        pytest.param(siz(left=7) + cod(), "no possible image size", id="offset"),
        pytest.param(siz(step=2) + cod(), "components of different sizes", id="subsampled"),
        pytest.param(
            siz(width=65535, height=65535, tile_width=1, tile_height=1) + cod(), "more than 4096 tiles", id="tiles"
        ),
        pytest.param(siz() + cod(0x33), "too small", id="precincts"),
        pytest.param(siz() + cod(block=0), "too small", id="code-blocks"),
        pytest.param(siz() + cod()[:8], "cut off|no marker", id="cut off"),
        pytest.param(siz() + cod() + END, "no marker|cut off", id="no tile"),
        pytest.param(siz() + cod() + tile_part(length=9000), "tile-parts are missing", id="tile-part cut off"),
        pytest.param(siz() + cod() + tile_part(parts=2) + END, "tile-parts are missing", id="second tile-part missing"),
        pytest.param(siz(tile_width=3) + cod() + tile_part() + END, "tile-parts are missing", id="second tile missing"),
        pytest.param(siz() + cod() + tile_part(cod(0x11)) + END, "too small", id="precincts of a tile"),
        pytest.param(siz() + cod() + tile_part(length=0), "tile-parts are missing", id="no end"),
    ],
)
def test_jpeg_2000_headers_that_are_refused(header: bytes, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        read_jpeg_2000(b"\xff\x4f" + header)


def test_a_jpeg_2000_header() -> None:
    codestream = b"\xff\x4f" + siz(left=1) + cod(0xFF) + tile_part() + END
    stream = read_jpeg_2000(codestream)
    assert stream[:5] == (4, 5, 1, 12, False)
    assert stream.data == codestream


def test_a_file_format_around_jpeg_2000_is_taken_off() -> None:
    image = replace(COLOUR, photometric="YBR_RCT")
    array = noise(image, 8)
    file = bytes(imagecodecs.jpeg2k_encode(array, level=0, codecformat="jp2", reversible=True, mct=True))
    assert file[4:8] == b"jP  "
    assert decode(J2K, image, file) == array.tobytes()


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (40, 256), (11, 13), (8, 12), (513, 1), (1, 8193), (30, 40)])
@pytest.mark.parametrize("container", [False, True])
def test_a_jpeg_xl_header(rows: int, columns: int, container: bool) -> None:
    frame = jxl(numpy.zeros((rows, columns), "u2"), bitspersample=10, usecontainer=container)
    stream = read_jpeg_xl(frame)
    assert (stream.rows, stream.columns, stream.precision) == (rows, columns, 10)


def test_jpeg_xl_in_the_parts_of_a_container() -> None:
    array = noise(COLOUR, 8)
    codestream = jxl(array, usecontainer=False)
    boxes = [
        (b"JXL ", b"\r\n\x87\n"),
        (b"ftyp", b"jxl \0\0\0\0jxl "),
        (b"jxlp", b"\0\0\0\0" + codestream[:20]),
        (b"jxlp", b"\x80\0\0\1" + codestream[20:]),
    ]
    file = b"".join(struct.pack(">L", 8 + len(contents)) + kind + contents for kind, contents in boxes)
    assert decode(JXL, COLOUR, file) == array.tobytes()


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        pytest.param(numpy.zeros((2, 8, 8, 3), "u1"), "animated", id="animated"),
        pytest.param(numpy.zeros((8, 8), "f4"), "floating point", id="floating point"),
    ],
)
def test_jpeg_xl_that_is_no_plain_image_is_refused(array: Any, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        read_jpeg_xl(jxl(array))


# Bounds


BOMB = replace(GREY, rows=65535, columns=65535)


@pytest.mark.parametrize("syntax", ALL)
def test_a_frame_that_is_too_large_is_refused_before_anything_is_decoded(syntax: str) -> None:
    with pytest.raises(FileError, match=f"8589672450 bytes, more than {codecs.MAX_FRAME_BYTES}"):
        FrameDecoder(syntax, BOMB)


def test_a_decoder_that_would_take_too_much_memory_is_not_started() -> None:
    image = replace(GREY, rows=8000, columns=8000)
    assert "MB of memory, more than 384" in refusal(J2K, image, b"")


def test_a_deflate_bomb_is_not_inflated() -> None:
    assert (
        refusal(DEFLATED, GREY, deflate(numpy.zeros(1 << 20, "u1")))
        == "the deflate stream does not hold the 48 bytes of a frame"
    )


def test_bounds_fit_each_other() -> None:
    assert codecs.MAX_FRAME_BYTES < codecs.MAX_MEMORY < 500 << 20


# What is installed


def test_the_table() -> None:
    assert working_decoders() == ALL
    assert [uid for uid in TRANSFER_SYNTAXES if decodable(uid)] == sorted(ALL, key=list(TRANSFER_SYNTAXES).index)
    assert not any(map(library_missing, TRANSFER_SYNTAXES))


@pytest.mark.parametrize("syntax", [".4.52", ".4.66", ".4.92", ".4.100", ".4.107", ".4.94", ".1"])
def test_what_is_not_in_the_table_says_so(syntax: str) -> None:
    with pytest.raises(FileError, match=r"^pixel data in .+ cannot be decoded$"):
        FrameDecoder(PREFIX + syntax, GREY)


@pytest.mark.parametrize("package", ["imagecodecs", "numpy"])
def test_without_its_library_a_syntax_cannot_be_decoded(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert [uid for uid in ALL if decodable(uid)] == LIBRARY_FREE
    assert working_decoders() == LIBRARY_FREE
    assert {library_missing(uid) for uid in ALL} == {"pip install imagecodecs", ""}
    with pytest.raises(FileError, match=r"without a library \(pip install imagecodecs\)") as caught:
        FrameDecoder(J2K, GREY)
    assert is_one_line(str(caught.value.reason))
    assert decode(UNCOMPRESSED, GREY, bytes(48)) == bytes(48)
    assert decode(DEFLATED, GREY, deflate(noise(GREY, 12))) == noise(GREY, 12).tobytes()


def test_a_library_that_does_not_load_is_a_library_that_is_missing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imagecodecs.py").write_text("raise OSError('libjpeg.so.8: cannot open\\nshared object file')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "imagecodecs")
    assert working_decoders() == LIBRARY_FREE
    with pytest.raises(FileError, match=r"pip install imagecodecs\): libjpeg.so.8: cannot open$"):
        FrameDecoder(J2K, GREY)


@pytest.mark.parametrize(
    ("content", "reason"), [("", "too old"), ("class JPEG2K:\n    available = False", "built without")]
)
def test_a_part_of_the_library_may_be_missing(
    content: str, reason: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imagecodecs.py").write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "imagecodecs")
    with pytest.raises(FileError, match=f"imagecodecs (is|was) {reason}"):
        FrameDecoder(J2K, GREY)


def test_asking_what_can_be_decoded_imports_no_library() -> None:
    program = (
        "import sys; from dcmsend.payload import decode; from dcmsend.payload.codecs import decodable;"
        f"assert decodable({J2K!r}); print(sorted({{'numpy', 'imagecodecs', 'pydicom'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
