"""The Image Pixel description of an item (PS3.3 C.7.6.3): read from its raw values, checked, and changed by decoding.

It owns the meaning of the attributes that decoding needs or changes. Decoder libraries, fragments and the data
elements around the values are others' business. Where the standard leaves a choice, DCMTK's is taken.
"""

from __future__ import annotations

from math import prod

from dcmsend.errors import FileError
from dcmsend.files.elements import tag_text
from dcmsend.light import Frozen, replace
from dcmsend.payload.levels import Value
from dcmsend.printable import plain
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from dcmsend.payload.codestreams import Codestream

SAMPLES: Final = 0x00280002
PHOTOMETRIC: Final = 0x00280004
PLANAR: Final = 0x00280006
FRAMES: Final = 0x00280008
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
BITS_ALLOCATED: Final = 0x00280100
BITS_STORED: Final = 0x00280101
HIGH_BIT: Final = 0x00280102
REPRESENTATION: Final = 0x00280103
EXTENDED_OFFSETS: Final = 0x7FE00001
EXTENDED_LENGTHS: Final = 0x7FE00002
IMAGE_TAGS: Final = frozenset(
    (
        SAMPLES,
        PHOTOMETRIC,
        PLANAR,
        FRAMES,
        ROWS,
        COLUMNS,
        BITS_ALLOCATED,
        BITS_STORED,
        HIGH_BIT,
        REPRESENTATION,
        EXTENDED_OFFSETS,
        EXTENDED_LENGTHS,
    )
)

_NAMES: Final = {
    SAMPLES: "Samples per Pixel",
    PHOTOMETRIC: "Photometric Interpretation",
    PLANAR: "Planar Configuration",
    FRAMES: "Number of Frames",
    ROWS: "Rows",
    COLUMNS: "Columns",
    BITS_ALLOCATED: "Bits Allocated",
    BITS_STORED: "Bits Stored",
    HIGH_BIT: "High Bit",
    REPRESENTATION: "Pixel Representation",
}
# Samples of a pixel over pixels, where chrominance is subsampled in native pixel data (PS3.3 C.7.6.3.1.2).
_SUBSAMPLED: Final = {"YBR_FULL_422": (2, 1), "YBR_PARTIAL_422": (2, 1), "YBR_PARTIAL_420": (3, 2)}
_SAMPLES_OF: Final = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3}
_MAX_SAMPLES: Final = 4
_MAX_BITS: Final = 64
_MOST_DIGITS: Final = 10


class Image(Frozen):
    """What the attributes say of every frame. ``planar`` is None where there is no Planar Configuration; ``frames`` is
    0 where Number of Frames is there and is no number of frames.
    """

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    representation: int
    photometric: str
    planar: int | None
    frames: int

    @property
    def pixels(self) -> int:
        """Pixels of a frame."""
        return self.rows * self.columns

    @property
    def frame_bits(self) -> int:
        """Bits of a frame of native pixel data, without padding (PS3.5 8.1.1, 8.1.2)."""
        samples, pixels = _SUBSAMPLED.get(self.photometric, (self.samples, 1))
        return self.pixels * samples * self.bits_allocated // pixels

    @property
    def frame_bytes(self) -> int:
        """Bytes that hold one frame; with Bits Allocated 1 the last one may be filled up."""
        return (self.frame_bits + 7) // 8


# What decoders of bytes do not ask for: what the bits of a sample mean, and its colours.
MEANING: Final = frozenset((PHOTOMETRIC, BITS_STORED, HIGH_BIT, REPRESENTATION))


def read_image(values: Mapping[int, bytes], needless: frozenset[int] = frozenset()) -> Image:
    """The description from raw little endian values of one level of a data set.

    Of ``MEANING``, what is ``needless`` may be missing. Raises FileError where one that is needed is missing, or is
    none that pixel data can have.
    """
    samples = _number(values, SAMPLES, 1, _MAX_SAMPLES)
    bits = _number(values, BITS_ALLOCATED, 1, _MAX_BITS)
    if bits != 1 and bits % 8:
        raise FileError(because("bits_allocated_odd", bits=bits))
    values = _filled_up(values, needless, bits)
    image = Image(
        rows=_number(values, ROWS, 1, 0xFFFF),
        columns=_number(values, COLUMNS, 1, 0xFFFF),
        samples=samples,
        bits_allocated=bits,
        bits_stored=_number(values, BITS_STORED, 1, bits),
        high_bit=_number(values, HIGH_BIT, 0, bits - 1),
        representation=_number(values, REPRESENTATION, 0, 1),
        photometric=_text(values, PHOTOMETRIC),
        planar=_number(values, PLANAR, 0, 1) if samples > 1 and values.get(PLANAR) else None,
        frames=_frames(values),
    )
    expected = 3 if image.photometric.startswith("YBR_") else _SAMPLES_OF.get(image.photometric, samples)
    if samples != expected:
        raise FileError(
            because("samples_of_photometric", samples=samples, photometric=image.photometric, expected=expected)
        )
    return image


def _filled_up(values: Mapping[int, bytes], needless: frozenset[int], bits: int) -> Mapping[int, bytes]:
    """The values, and for those that are missing and needless some that fit all samples: they change nothing."""
    numbers = {BITS_STORED: bits, HIGH_BIT: bits - 1, REPRESENTATION: 0}
    made = {tag: number.to_bytes(2, "little") for tag, number in numbers.items()}
    missing = {tag for tag in needless if not values.get(tag)}
    return {**values, **{tag: made.get(tag, b" ") for tag in missing}} if missing else values


def frame_bytes(values: Mapping[int, bytes]) -> int:
    """About how many bytes a decoded frame has, as far as the attributes say it."""
    sizes = (int.from_bytes(values.get(tag, b"\1")[:2], "little") for tag in (ROWS, COLUMNS, SAMPLES, BITS_ALLOCATED))
    return prod(sizes) // 8


def _value(values: Mapping[int, bytes], tag: int) -> bytes:
    value = values.get(tag, b"")
    if not value:
        raise _missing(tag)
    return value


def _missing(tag: int) -> FileError:
    return FileError(because("attribute_missing", **_named(tag)))


def _named(tag: int) -> dict[str, str]:
    """An attribute as facts of a reason."""
    return {"name": _NAMES[tag], "tag": tag_text(tag)}


def _number(values: Mapping[int, bytes], tag: int, lowest: int, highest: int) -> int:
    value = _value(values, tag)
    number = int.from_bytes(value[:2], "little")
    if len(value) < 2 or not lowest <= number <= highest:
        raise FileError(because("attribute_out_of_range", **_named(tag), value=number, least=lowest, most=highest))
    return number


def _text(values: Mapping[int, bytes], tag: int) -> str:
    return plain(_value(values, tag)[:64].decode("ascii", "replace").strip(" \0"))


def _frames(values: Mapping[int, bytes]) -> int:
    """Number of Frames, an IS (PS3.5 6.2) of which the first value counts: 1 where it is not there at all, 0 where it
    is and says nothing.
    """
    if FRAMES not in values:
        return 1
    number, _, fraction = values[FRAMES].partition(b"\\")[0].strip(b" \0").partition(b".")
    digits = number[1:] if number[:1] in (b"+", b"-") else number
    good = digits.isdigit() and len(digits) <= _MOST_DIGITS and not fraction.strip(b"0")  # some write 2.0
    return max(int(number), 0) if good else 0


def corrected_frames(values: Mapping[int, bytes], image: Image) -> tuple[dict[int, Value], tuple[str, ...]]:
    """Changes and notices where Number of Frames had to be read with good will; mostly there are none.

    As in DCMTK it becomes what it was taken for, and where there was nothing, nothing is written.
    """
    stated = values.get(FRAMES, b"").strip(b" \0")
    if image.frames and b"." not in stated:
        return {}, ()
    taken = str(image.frames or 1)
    named = f"{_NAMES[FRAMES]} {tag_text(FRAMES)}"
    notice = f"{named} is '{plain(stated[:16].decode('latin-1'))}', which is taken for {taken}"
    value = Value(b"IS", taken.encode() + b" " * (len(taken) % 2))
    return ({FRAMES: value} if stated else {}), (notice,)


# What decoding makes of the description, for each family of codestreams.


def check_codestream(image: Image, stream: Codestream) -> None:
    """Raise FileError where a codestream is not what the attributes describe (PS3.5 8.2)."""
    if (stream.rows, stream.columns) != (image.rows, image.columns):
        found, stated = f"{stream.columns} x {stream.rows}", f"{image.columns} x {image.rows}"
        raise FileError(because("size_contradicts", found=found, stated=stated))
    if stream.samples and stream.samples != image.samples:
        raise FileError(because("samples_contradict", found=stream.samples, stated=image.samples))
    if image.samples not in (1, 3):
        raise FileError(because("samples_not_decodable", samples=image.samples))
    if stream.precision > image.bits_allocated:
        raise FileError(because("precision_contradicts", found=stream.precision, stated=image.bits_allocated))
    if stream.precision > 16:
        raise FileError(because("precision_not_decodable", bits=stream.precision))


_YBR: Final = frozenset(("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420"))
_FULL: Final = frozenset(("YBR_FULL", "YBR_FULL_422"))  # without subsampling both are the first
_NOT_NATIVE: Final = frozenset(("YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT", "XYB"))


def converts(image: Image, stream: Codestream) -> bool:
    """Whether a JPEG frame is to be converted to RGB: where the attributes say that it is YCbCr, or it does itself.

    A lossless frame is left as it is: conversion would lose.
    """
    return (image.photometric in _YBR or mislabelled(image, stream)) and not stream.lossless


def mislabelled(image: Image, stream: Codestream) -> bool:
    """Whether the attributes call a JPEG frame RGB that is YCbCr by its own words, as by a JFIF header."""
    return image.photometric == "RGB" and stream.colour == "YBR"


def after_jpeg(image: Image, stream: Codestream) -> Image:
    """The description of a decoded JPEG frame. Raises FileError where the codestream contradicts the attributes."""
    bits = 8 if stream.precision <= 8 else 16
    image = replace(
        image,
        bits_allocated=bits,
        bits_stored=min(image.bits_stored, stream.precision),
        high_bit=min(image.high_bit, stream.precision - 1),
    )
    if image.samples == 1:
        return image
    if image.photometric not in _YBR and stream.colour == "YBR" and not converts(image, stream):
        raise _contradiction(image, "YCbCr")
    if image.photometric in _YBR and stream.colour == "RGB":
        raise _contradiction(image, "RGB")
    if not converts(image, stream):
        return replace(image, photometric=_full(image), planar=0)
    if image.representation:
        raise FileError(because("signed_colours"))
    return replace(image, photometric="RGB", planar=0)


def after_jpeg_ls(image: Image, stream: Codestream) -> Image:  # noqa: ARG001
    """The description of a decoded JPEG-LS frame: Planar Configuration stays what it was, as in DCMTK."""
    return image if image.samples == 1 else replace(image, photometric=_full(image), planar=image.planar or 0)


def after_jpeg_2000(image: Image, stream: Codestream) -> Image:
    """The description of a decoded JPEG 2000 frame (PS3.5 8.2.4)."""
    if image.samples == 1:
        return image
    coded = image.photometric in ("YBR_RCT", "YBR_ICT")
    if coded != stream.transformed and (coded or image.photometric != "RGB"):
        raise _contradiction(image, "transformed" if stream.transformed else "not transformed")
    return replace(image, photometric="RGB" if coded else _full(image), planar=0)


def after_jpeg_xl(image: Image, stream: Codestream) -> Image:  # noqa: ARG001
    """The description of a decoded JPEG XL frame: the decoder gives RGB, whatever is inside (PS3.5 8.2.15)."""
    if image.samples == 1:
        return image
    if image.photometric not in ("RGB", "XYB", "YBR_RCT"):
        raise FileError(because("jpeg_xl_photometric", photometric=image.photometric))
    return replace(image, photometric="RGB", planar=0)


def after_run_length(image: Image) -> Image:
    """The description of a decoded RLE frame: Planar Configuration stays what it was."""
    if image.samples == 1:
        return image
    if image.planar is None:
        raise _missing(PLANAR)
    return replace(image, photometric=_full(image))


def _full(image: Image) -> str:
    """Photometric Interpretation of samples that a decoder gave out unconverted, and of all of them."""
    if image.photometric in _NOT_NATIVE:
        raise FileError(because("photometric_of_syntax", photometric=image.photometric))
    return "YBR_FULL" if image.photometric in _FULL else image.photometric


def _contradiction(image: Image, found: str) -> FileError:
    return FileError(because("photometric_contradicts", photometric=image.photometric, found=found))


def changed_attributes(before: Image, after: Image) -> dict[int, Value]:
    """Tag -> VR and little endian value of the attributes that are not what they were."""
    changes: dict[int, Value] = {}
    if after.photometric != before.photometric:
        text = after.photometric.encode("ascii")
        changes[PHOTOMETRIC] = Value(b"CS", text + b" " * (len(text) % 2))
    for tag, old, new in (
        (PLANAR, before.planar, after.planar),
        (BITS_ALLOCATED, before.bits_allocated, after.bits_allocated),
        (BITS_STORED, before.bits_stored, after.bits_stored),
        (HIGH_BIT, before.high_bit, after.high_bit),
    ):
        if new is not None and new != old:
            changes[tag] = Value(b"US", new.to_bytes(2, "little"))
    return changes
