"""The Image Pixel description (PS3.3 C.7.6.3) and what decoding makes of it (PS3.5 8.2)."""

from __future__ import annotations

import pytest

from dcmsend.errors import FileError
from dcmsend.light import replace
from dcmsend.payload import pixels
from dcmsend.payload.codestreams import Codestream
from dcmsend.payload.pixels import Image, changed_attributes, check_codestream, read_image
from tests.files.encode import is_one_line

GREY = Image(
    rows=4,
    columns=6,
    samples=1,
    bits_allocated=16,
    bits_stored=12,
    high_bit=11,
    representation=0,
    photometric="MONOCHROME2",
    planar=None,
    frames=1,
)
COLOUR = replace(GREY, samples=3, bits_allocated=8, bits_stored=8, high_bit=7, photometric="RGB", planar=0)
GREY_STREAM = Codestream(rows=4, columns=6, samples=1, precision=12)
COLOUR_STREAM = Codestream(rows=4, columns=6, samples=3, precision=8)


def us(number: int) -> bytes:
    return number.to_bytes(2, "little")


VALUES = {
    pixels.SAMPLES: us(1),
    pixels.PHOTOMETRIC: b"MONOCHROME2 ",
    pixels.ROWS: us(4),
    pixels.COLUMNS: us(6),
    pixels.BITS_ALLOCATED: us(16),
    pixels.BITS_STORED: us(12),
    pixels.HIGH_BIT: us(11),
    pixels.REPRESENTATION: us(0),
}
COLOUR_VALUES = VALUES | {
    pixels.SAMPLES: us(3),
    pixels.PHOTOMETRIC: b"RGB ",
    pixels.PLANAR: us(0),
    pixels.BITS_ALLOCATED: us(8),
    pixels.BITS_STORED: us(8),
    pixels.HIGH_BIT: us(7),
}


@pytest.mark.parametrize(
    ("values", "image"),
    [
        pytest.param(VALUES, GREY, id="grey"),
        pytest.param(COLOUR_VALUES, COLOUR, id="colour"),
        pytest.param(VALUES | {pixels.PLANAR: us(0)}, GREY, id="Planar Configuration of a single sample"),
        pytest.param(VALUES | {pixels.FRAMES: b"12"}, replace(GREY, frames=12), id="frames"),
        pytest.param(VALUES | {pixels.FRAMES: b" 3\0"}, replace(GREY, frames=3), id="frames with padding"),
        pytest.param(
            VALUES | {pixels.PHOTOMETRIC: b"PALETTE COLOR\0"}, replace(GREY, photometric="PALETTE COLOR"), id="NUL"
        ),
    ],
)
def test_it_is_read_from_raw_values(values: dict[int, bytes], image: Image) -> None:
    assert read_image(values) == image


@pytest.mark.parametrize(
    ("value", "frames"),
    [
        (b"+2", 2), (b" 2", 2), (b"2 ", 2), (b"2\\", 2), (b" +2\\7 ", 2), (b"007 ", 7), (b"4294967296", 4294967296),
        (b"1.0 ", 1), (b"2.", 2), (b"3.00", 3),
        (b"", 0), (b"  ", 0), (b"0 ", 0), (b"+0", 0), (b"-1", 0), (b"2.5 ", 0), (b"many\n", 0), (b"\\2", 0),
        (b"9" * 400, 0), (b"\xb2 ", 0), (b"\xd9\xa2", 0),
    ],
)  # fmt: skip
def test_number_of_frames_is_an_integer_string(value: bytes, frames: int) -> None:
    """With a sign, blanks and several values (PS3.5 6.2); 0 stands for what is no number of frames."""
    values = VALUES | {pixels.FRAMES: value}
    image = read_image(values)
    assert image == replace(GREY, frames=frames)
    changes, notices = pixels.corrected_frames(values, image)
    assert len(notices) == (not frames or b"." in value)
    text = b"%d " % (frames or 1)
    assert changes == ({pixels.FRAMES: (b"IS", text)} if notices and value.strip() else {})
    for notice in notices:
        assert is_one_line(notice)
        assert notice.startswith("Number of Frames (0028,0008) is '")
        assert notice.endswith(f"which is taken for {frames or 1}")


def test_without_number_of_frames_there_is_one() -> None:
    assert pixels.corrected_frames(VALUES, read_image(VALUES)) == ({}, ())


def test_what_is_needless_may_be_missing() -> None:
    """Then nothing is made up that is written: only what differs is."""
    described = read_image(VALUES)
    bare = {tag: value for tag, value in VALUES.items() if tag not in pixels.MEANING}
    image = read_image(bare, pixels.MEANING)
    meaning = {"photometric": "", "bits_stored": 16, "high_bit": 15}
    assert image == replace(described, **meaning)
    assert pixels.changed_attributes(image, image) == {}
    assert read_image(VALUES, pixels.MEANING) == described
    assert read_image(bare | {pixels.BITS_STORED: b""}, pixels.MEANING) == image


@pytest.mark.parametrize("tag", sorted(VALUES))
def test_what_is_missing_is_named(tag: int) -> None:
    with pytest.raises(FileError, match=r"^[A-Z][A-Za-z ]+ \(0028,0[0-9a-f]{3}\) is missing") as caught:
        read_image({other: value for other, value in VALUES.items() if other != tag})
    assert is_one_line(str(caught.value.reason))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({pixels.ROWS: us(0)}, r"Rows \(0028,0010\) is 0"),
        ({pixels.COLUMNS: us(0)}, "Columns"),
        ({pixels.ROWS: b"\4"}, "Rows"),
        ({pixels.SAMPLES: us(0)}, "Samples per Pixel"),
        ({pixels.SAMPLES: us(60000)}, "Samples per Pixel"),
        ({pixels.SAMPLES: us(3)}, "Samples per Pixel is 3, but MONOCHROME2 has 1"),
        ({pixels.PHOTOMETRIC: b"YBR_FULL"}, "Samples per Pixel is 1, but YBR_FULL has 3"),
        ({pixels.BITS_ALLOCATED: us(12)}, "neither 1 nor a multiple of 8"),
        ({pixels.BITS_ALLOCATED: us(0)}, "Bits Allocated"),
        ({pixels.BITS_STORED: us(17)}, "Bits Stored"),
        ({pixels.HIGH_BIT: us(16)}, "High Bit"),
        ({pixels.REPRESENTATION: us(2)}, "Pixel Representation"),
    ],
)
def test_what_pixel_data_cannot_have_is_refused(changed: dict[int, bytes], complaint: str) -> None:
    with pytest.raises(FileError, match=complaint) as caught:
        read_image(VALUES | changed)
    assert is_one_line(str(caught.value.reason))


@pytest.mark.parametrize(
    ("image", "bits", "size"),
    [
        pytest.param(GREY, 4 * 6 * 16, 48, id="16 bits"),
        pytest.param(COLOUR, 4 * 6 * 24, 72, id="colour"),
        pytest.param(replace(COLOUR, photometric="YBR_FULL_422"), 4 * 6 * 16, 48, id="subsampled by 2"),
        pytest.param(replace(COLOUR, photometric="YBR_PARTIAL_420"), 4 * 6 * 12, 36, id="subsampled by 4"),
        pytest.param(replace(GREY, bits_allocated=1, rows=3, columns=3), 9, 2, id="single bits"),
    ],
)
def test_the_size_of_a_native_frame(image: Image, bits: int, size: int) -> None:
    assert (image.frame_bits, image.frame_bytes) == (bits, size)


@pytest.mark.parametrize(
    ("image", "stream", "complaint"),
    [
        (GREY, GREY_STREAM._replace(rows=5), "has 6 x 5 pixels, but Columns x Rows is 6 x 4"),
        (GREY, GREY_STREAM._replace(rows=65535, columns=65535), "has 65535 x 65535 pixels"),
        (GREY, GREY_STREAM._replace(samples=3), "has 3 samples per pixel, Samples per Pixel is 1"),
        (COLOUR, GREY_STREAM._replace(precision=8), "has 1 samples per pixel, Samples per Pixel is 3"),
        (COLOUR, COLOUR_STREAM._replace(precision=12), "has 12 bits per sample, Bits Allocated is 8"),
        (replace(GREY, bits_allocated=32), GREY_STREAM._replace(precision=24), "24 bits per sample cannot be decoded"),
        (replace(COLOUR, samples=4, photometric="CMYK"), COLOUR_STREAM._replace(samples=4), "4 samples per pixel"),
    ],
)
def test_a_codestream_must_be_what_the_attributes_say(image: Image, stream: Codestream, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        check_codestream(image, stream)


def test_a_codestream_may_have_fewer_bits_than_are_allocated() -> None:
    check_codestream(replace(GREY, bits_allocated=32), GREY_STREAM)


YBR, RGB = COLOUR_STREAM._replace(colour="YBR"), COLOUR_STREAM._replace(colour="RGB")
LOSSLESS = COLOUR_STREAM._replace(lossless=True)


@pytest.mark.parametrize(
    ("stated", "stream", "becomes", "converted"),
    [
        ("YBR_FULL_422", YBR, "RGB", True),
        ("YBR_FULL", YBR, "RGB", True),
        ("YBR_FULL", COLOUR_STREAM, "RGB", True),
        ("YBR_PARTIAL_422", YBR, "RGB", True),
        ("RGB", RGB, "RGB", False),
        ("RGB", YBR, "RGB", True),
        ("RGB", COLOUR_STREAM, "RGB", False),
        ("HSV", COLOUR_STREAM, "HSV", False),
        ("RGB", LOSSLESS, "RGB", False),
        ("YBR_FULL", LOSSLESS, "YBR_FULL", False),
        ("YBR_FULL_422", LOSSLESS, "YBR_FULL", False),
    ],
)
def test_jpeg_colours(stated: str, stream: Codestream, becomes: str, converted: bool) -> None:
    image = replace(COLOUR, photometric=stated, planar=1)
    assert pixels.after_jpeg(image, stream) == replace(image, photometric=becomes, planar=0)
    assert pixels.converts(image, stream) is converted


@pytest.mark.parametrize(
    ("image", "stream", "complaint"),
    [
        (replace(COLOUR, photometric="HSV"), YBR, "is HSV, but the codestream's colours are YCbCr"),
        (replace(COLOUR, representation=1), YBR, "signed samples"),
        (COLOUR, YBR._replace(lossless=True), "is RGB, but the codestream's colours are YCbCr"),
        (replace(COLOUR, photometric="YBR_FULL"), RGB, "is YBR_FULL, but the codestream's colours are RGB"),
        (replace(COLOUR, photometric="YBR_RCT"), COLOUR_STREAM, "YBR_RCT does not fit"),
        (replace(COLOUR, photometric="YBR_PARTIAL_422"), LOSSLESS, "YBR_PARTIAL_422 does not fit"),
        (replace(COLOUR, photometric="YBR_FULL", representation=1), YBR, "signed samples"),
    ],
)
def test_jpeg_colours_that_contradict_each_other_are_refused(image: Image, stream: Codestream, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        pixels.after_jpeg(image, stream)


@pytest.mark.parametrize(
    ("precision", "before", "after"),
    [
        pytest.param(12, (16, 12, 11), (16, 12, 11), id="as stated"),
        pytest.param(8, (16, 8, 7), (8, 8, 7), id="8 bits in 16"),
        pytest.param(12, (16, 16, 15), (16, 12, 11), id="fewer than stored"),
        pytest.param(16, (16, 12, 11), (16, 12, 11), id="more than stored"),
    ],
)
def test_jpeg_bits_follow_the_precision(
    precision: int, before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    image = replace(GREY, bits_allocated=before[0], bits_stored=before[1], high_bit=before[2])
    expected = replace(GREY, bits_allocated=after[0], bits_stored=after[1], high_bit=after[2])
    assert pixels.after_jpeg(image, GREY_STREAM._replace(precision=precision)) == expected


@pytest.mark.parametrize(
    ("stated", "transformed", "becomes"),
    [
        ("YBR_RCT", True, "RGB"),
        ("YBR_ICT", True, "RGB"),
        ("RGB", True, "RGB"),
        ("RGB", False, "RGB"),
        ("YBR_FULL", False, "YBR_FULL"),
        ("YBR_FULL_422", False, "YBR_FULL"),
    ],
)
def test_jpeg_2000_colours(stated: str, transformed: bool, becomes: str) -> None:
    image = replace(COLOUR, photometric=stated)
    stream = COLOUR_STREAM._replace(transformed=transformed)
    assert pixels.after_jpeg_2000(image, stream) == replace(COLOUR, photometric=becomes)


@pytest.mark.parametrize(
    ("stated", "transformed"),
    [("YBR_RCT", False), ("YBR_ICT", False), ("YBR_FULL", True), ("YBR_PARTIAL_420", False)],
)
def test_jpeg_2000_colours_that_contradict_each_other_are_refused(stated: str, transformed: bool) -> None:
    with pytest.raises(FileError, match=f"Photometric Interpretation (is )?{stated}"):
        pixels.after_jpeg_2000(replace(COLOUR, photometric=stated), COLOUR_STREAM._replace(transformed=transformed))


@pytest.mark.parametrize(
    ("before", "planar", "photometric"),
    [
        pytest.param(COLOUR, 0, "RGB", id="by pixel"),
        pytest.param(replace(COLOUR, planar=1), 1, "RGB", id="by plane"),
        pytest.param(replace(COLOUR, planar=None), 0, "RGB", id="not said"),
        pytest.param(replace(COLOUR, photometric="YBR_FULL_422"), 0, "YBR_FULL", id="all samples are there"),
    ],
)
def test_jpeg_ls_keeps_planar_configuration(before: Image, planar: int, photometric: str) -> None:
    expected = replace(before, planar=planar, photometric=photometric)
    assert pixels.after_jpeg_ls(before, COLOUR_STREAM) == expected


def test_jpeg_xl_gives_rgb() -> None:
    assert pixels.after_jpeg_xl(replace(COLOUR, photometric="XYB", planar=None), COLOUR_STREAM) == COLOUR
    with pytest.raises(FileError, match="YBR_FULL_422"):
        pixels.after_jpeg_xl(replace(COLOUR, photometric="YBR_FULL_422"), COLOUR_STREAM)


def test_rle_needs_planar_configuration_and_keeps_it() -> None:
    by_plane = replace(COLOUR, planar=1)
    assert pixels.after_run_length(by_plane) == by_plane
    with pytest.raises(FileError, match=r"Planar Configuration \(0028,0006\) is missing"):
        pixels.after_run_length(replace(COLOUR, planar=None))


def test_changes_are_values_of_even_length() -> None:
    before = replace(COLOUR, photometric="YBR_FULL_422", planar=None, bits_allocated=16, high_bit=11, bits_stored=12)
    assert changed_attributes(before, COLOUR) == {
        pixels.PHOTOMETRIC: (b"CS", b"RGB "),
        pixels.PLANAR: (b"US", b"\0\0"),
        pixels.BITS_ALLOCATED: (b"US", b"\x08\0"),
        pixels.BITS_STORED: (b"US", b"\x08\0"),
        pixels.HIGH_BIT: (b"US", b"\x07\0"),
    }
    assert changed_attributes(GREY, GREY) == {}
