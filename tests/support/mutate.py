"""Damaged DICOM files, made from good ones: which damage is decided by a seed alone, so that each can be made again.

The elements of the good file are found by a short scan of its own, which trusts what it reads; what a mutation leaves
behind is nobody's data set any more, and need not be read by anything.
"""

from __future__ import annotations

import struct
import zlib
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support import builder, part10

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Mutation: TypeAlias = Callable[["File", Random], "File"]

IMPLICIT: Final = "1.2.840.10008.1.2"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
UNDEFINED: Final = 0xFFFFFFFF

ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
SAMPLES: Final = 0x00280002
NUMBER_OF_FRAMES: Final = 0x00280008
PHOTOMETRIC: Final = 0x00280004
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
BITS_ALLOCATED: Final = 0x00280100
OFFSETS: Final = 0x7FE00001
OFFSET_LENGTHS: Final = 0x7FE00002
PIXEL_DATA: Final = 0x7FE00010

# Samples, planar configuration, rows, columns, bits allocated and stored, high bit, pixel representation.
NUMBERS: Final = (SAMPLES, 0x00280006, ROWS, COLUMNS, BITS_ALLOCATED, 0x00280101, 0x00280102, 0x00280103)
NUMBER_VALUES: Final = (0, 1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 32, 64, 255, 256, 32767, 32768, 65534, 65535)
COUNTS: Final = (b"", b"0", b"1", b"2", b"3", b"-1", b"1000000", b"2147483647", b"2147483648", b"99999999999", b"1e3",
                 b"1\\2", b"two", b" 1 ", b"\xff\xff", b"1" * 400)  # fmt: skip
COLOURS: Final = (b"", b"MONOCHROME1", b"MONOCHROME2", b"PALETTE COLOR", b"RGB", b"YBR_FULL", b"YBR_FULL_422",
                  b"YBR_ICT", b"YBR_RCT", b"YBR_PARTIAL_420", b"ARGB", b"CMYK", b"XYB", b"rgb", b"\0\n\x1b[31m",
                  b"A" * 300)  # fmt: skip
LENGTHS: Final = (0, 1, 2, 7, 8, 0xFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFE,
                  UNDEFINED)  # fmt: skip
LEVELS: Final = (1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 10000)
VRS: Final = (b"AE", b"AT", b"CS", b"DS", b"FD", b"FL", b"IS", b"LO", b"LT", b"OB", b"OD", b"OF", b"OL", b"OV", b"OW",
              b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"SV", b"UC", b"UI", b"UL", b"UN", b"UR", b"US", b"UT", b"UV",
              b"??", b"ox", b"\0\0")  # fmt: skip
COMPRESSED: Final = tuple(
    "1.2.840.10008.1.2" + suffix
    for suffix in (".1.98", ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81", ".4.90", ".4.91", ".4.110", ".4.111",
                   ".4.112", ".4.201", ".4.202", ".4.203", ".5", ".8.1")
)  # fmt: skip


class Place(NamedTuple):
    """Where an element, item or fragment stands in a data set.

    The length field of ``width`` bytes is at ``length_at``; the value goes up to ``end``, which is where it begins
    for an undefined length and for everything that has elements or items inside.
    """

    tag: int
    vr: bytes
    start: int
    length_at: int
    width: int
    value: int
    end: int
    depth: int
    fragment: bool = False


class File(NamedTuple):
    """A file taken apart: what its meta information says, and its data set, inflated where it was deflated."""

    sop_class: str
    sop_instance: str
    syntax: str
    data: bytes

    @property
    def order(self) -> str:
        return ">" if self.syntax == BIG_ENDIAN else "<"

    @property
    def explicit(self) -> bool:
        return self.syntax != IMPLICIT

    def places(self) -> list[Place]:
        """All elements, items and fragments in file order, as far as they can be read."""
        return _scan(self.data, self.order, self.explicit)

    def element(self, tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
        """An element as this file writes them; ``length`` as given, right or wrong."""
        length = len(value) if length is None else length
        head = struct.pack(self.order + "HH", tag >> 16, tag & 0xFFFF)
        if tag >> 16 == 0xFFFE or not self.explicit:
            return head + struct.pack(self.order + "L", length) + value
        if vr in part10.LONG_VRS:
            return head + vr + struct.pack(self.order + "HL", 0, length) + value
        return head + vr + struct.pack(self.order + "H", length & 0xFFFF) + value

    def with_data(self, *parts: bytes | bytearray) -> File:
        return self._replace(data=b"".join(parts))

    def with_value(self, place: Place, value: bytes) -> File:
        """This file with another value in an element, whose length follows."""
        element = self.element(place.tag, place.vr, value)
        return self.with_data(self.data[: place.start], element, self.data[place.end :])

    def with_attribute(self, tag: int, vr: bytes, value: bytes) -> File:
        """This file with an element of its outermost level set, or put in where it belongs."""
        places = [place for place in self.places() if not place.depth and place.tag >= tag]
        if places and places[0].tag == tag:
            return self.with_value(places[0], value)
        at = places[0].start if places else len(self.data)
        return self.with_data(self.data[:at], self.element(tag, vr, value), self.data[at:])

    def number(self, value: int) -> bytes:
        return struct.pack(self.order + "H", value)


def take_apart(file: bytes) -> File:
    """A whole Part 10 file as values."""
    meta, data = part10.split(file)
    syntax = part10.uid(meta[part10.TRANSFER_SYNTAX])
    if syntax == part10.DEFLATED:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data)
    sop_class, sop_instance = part10.uid(meta[part10.SOP_CLASS]), part10.uid(meta[part10.SOP_INSTANCE])
    return File(sop_class, sop_instance, syntax, data)


def put_together(file: File) -> bytes:
    """The Part 10 file that holds these values."""
    data = file.data
    if file.syntax == part10.DEFLATED:
        stream = zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS)
        data = stream.compress(data) + stream.flush()
    return builder.part10(file.sop_class, file.sop_instance, transfer_syntax=file.syntax, data_set=data)


def mutated(file: bytes, seed: int, mutations: Sequence[Mutation] = ()) -> bytes:
    """``file`` with one to three kinds of damage; the same for the same seed."""
    random = Random(seed)
    parts = take_apart(file)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        parts = _damage(parts, random, mutations or MUTATIONS)
    whole = put_together(parts)
    return _scratched(whole, random) if random.random() < 0.05 else whole


def scratched(file: bytes, seed: int) -> bytes:
    """``file`` with damage anywhere, whatever is there: for files that cannot be taken apart, and for heads."""
    random = Random(seed)
    data = bytearray(file)
    behind = random.choice((len(data), 140, 400, 1000))
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(min(len(data), behind) + 1)
        some = random.choice(
            (b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", random.randbytes(random.choice((1, 2, 8))))
        )
        way = random.random()
        if way < 0.5:
            data[at : at + len(some)] = some
        elif way < 0.7:
            data[at:at] = some
        elif way < 0.85:
            del data[at : at + random.choice((1, 2, 4, 100))]
        else:
            del data[at:]
    return bytes(data)


def _damage(file: File, random: Random, mutations: Sequence[Mutation]) -> File:
    """The outcome of a mutation that finds something to damage; one that flips bits always does."""
    for mutation in random.sample(mutations, len(mutations)):
        changed = mutation(file, random)
        if changed != file:
            return changed
    return file


def _scratched(whole: bytes, random: Random) -> bytes:
    """Damage below the elements: to a deflate stream, or to the file meta information."""
    changed = bytearray(whole[: random.choice((len(whole), random.randrange(132, len(whole) + 1)))])
    for _ in range(random.randrange(3)):
        changed[random.randrange(min(132, len(changed) - 1), len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


# The scan.


def _scan(data: bytes, order: str, explicit: bool) -> list[Place]:
    """Headers one after the other: what has items or elements inside is entered, all else passed over."""
    places: list[Place] = []
    ends: list[int] = []  # of what has been entered; UNDEFINED for those that a delimiter ends
    position = 0
    fragments = False
    while position + 8 <= len(data):
        group, number = struct.unpack_from(order + "HH", data, position)
        tag, vr, at, width = group << 16 | number, b"", position + 4, 4
        if group != 0xFFFE and explicit:
            vr = data[position + 4 : position + 6]
            at, width = (position + 8, 4) if vr in part10.LONG_VRS else (position + 6, 2)
        value = at + width
        if value > len(data):
            break
        (length,) = struct.unpack_from(order + ("H" if width == 2 else "L"), data, at)
        inside = length == UNDEFINED or (tag == ITEM and not fragments) or vr == b"SQ"
        inside = inside or (tag != ITEM and data[value : value + 4] == struct.pack(order + "HH", 0xFFFE, 0xE000))
        end = value if inside else value + length
        if end > len(data):
            break
        while ends and position >= ends[-1]:
            ends.pop()
        places.append(Place(tag, vr, position, at, width, value, end, len(ends), fragments and tag == ITEM))
        if inside:
            ends.append(UNDEFINED if length == UNDEFINED else value + length)
        elif tag in (ITEM_END, SEQUENCE_END) and ends:
            ends.pop()
        fragments = (fragments or (tag == PIXEL_DATA and length == UNDEFINED)) and tag != SEQUENCE_END
        position = end
    return places


def pick(file: File, random: Random, wanted: Callable[[Place], object] = bool) -> Place | None:
    """Any of the places that are ``wanted``, or None."""
    places = [place for place in file.places() if wanted(place)]
    return random.choice(places) if places else None


# The mutations. Each takes a file, which may be damaged already, and gives another one; where there is nothing of the
# kind that it damages, it gives the file as it is.


def flip_bits(file: File, random: Random) -> File:
    data = bytearray(file.data or b"\0")
    behind = random.choice((len(data), min(len(data), 2000)))
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        data[random.randrange(behind)] ^= 1 << random.randrange(8)
    return file.with_data(data)


def truncate(file: File, random: Random) -> File:
    place = pick(file, random)
    if place is None or random.random() < 0.5:
        return file.with_data(file.data[: random.randrange(len(file.data) + 1)])
    return file.with_data(file.data[: random.choice((place.start, place.length_at, place.value, place.end))])


def change_length(file: File, random: Random) -> File:
    place = pick(file, random)
    if place is None:
        return file
    true, left = place.end - place.value, len(file.data) - place.value
    near = (true - 2, true - 1, true + 1, true + 2, true * 2, left, left - 8, left + 1)
    length = random.choice((*LENGTHS, *near)) & (UNDEFINED if place.width == 4 else 0xFFFF)
    raw = struct.pack(file.order + ("L" if place.width == 4 else "H"), length)
    return file.with_data(file.data[: place.length_at], raw, file.data[place.length_at + place.width :])


def change_tag(file: File, random: Random) -> File:
    """Give a place the tag of another one, or exchange the two."""
    one, other = pick(file, random), pick(file, random)
    if one is None or other is None:
        return file
    data = bytearray(file.data)
    data[one.start : one.start + 4] = file.data[other.start : other.start + 4]
    if random.random() < 0.5:
        data[other.start : other.start + 4] = file.data[one.start : one.start + 4]
    return file.with_data(data)


def change_vr(file: File, random: Random) -> File:
    place = pick(file, random, lambda place: place.vr)
    if place is None:
        return file
    at = place.start + 4
    if random.random() < 0.5:
        return file.with_data(file.data[:at], random.choice(VRS), file.data[at + 2 :])
    changed = place._replace(vr=random.choice(VRS))
    return file.with_value(changed, file.data[place.value : place.end])


def change_value(file: File, random: Random) -> File:
    """A value of another length, or of other bytes: mostly of odd length, or larger than its VR can be."""
    place = pick(file, random)
    if place is None:
        return file
    value = file.data[place.value : place.end]
    values = (b"", value[:-1], value + b"x", value * 2, bytes(3), b"\xff" * 9, b"A" * 65533, b"B" * 65534, b"C" * 70001)
    return file.with_value(place, random.choice(values))


def splice(file: File, random: Random) -> File:
    """Take a stretch of elements out, or put a copy of it somewhere else."""
    one, other, target = pick(file, random), pick(file, random), pick(file, random)
    if one is None or other is None or target is None:
        return file
    start, end = min(one.start, other.start), max(one.end, other.end)
    if random.random() < 0.5:
        return file.with_data(file.data[:start], file.data[end:])
    stretch = file.data[start : min(end, start + 100_000)]
    return file.with_data(file.data[: target.start], stretch, file.data[target.start :])


def drop(file: File, random: Random) -> File:
    """Leave out one element, fragment or delimiter."""
    place = pick(file, random)
    return file if place is None else file.with_data(file.data[: place.start], file.data[place.end :])


def drop_end(file: File, random: Random) -> File:
    """Leave out one of the ends of items and sequences, so that it lasts for ever."""
    place = pick(file, random, lambda place: place.tag in (ITEM_END, SEQUENCE_END))
    return file if place is None else file.with_data(file.data[: place.start], file.data[place.end :])


def change_image(file: File, random: Random) -> File:
    """Another number, or no number, in what describes the pixels."""
    tag = random.choice(NUMBERS)
    value = file.number(random.choice(NUMBER_VALUES))
    return file.with_attribute(tag, b"US", random.choice((value, value, value, value, value + value, b"", value[:1])))


def change_count(file: File, random: Random) -> File:
    return file.with_attribute(NUMBER_OF_FRAMES, b"IS", random.choice(COUNTS))


def change_colours(file: File, random: Random) -> File:
    return file.with_attribute(PHOTOMETRIC, b"CS", random.choice(COLOURS))


def change_offsets(file: File, random: Random) -> File:
    """Damage the basic offset table, put one in, or say it all in an extended one."""
    places = [place for place in file.places() if place.fragment]
    if not places:
        return file
    table, *fragments = places
    true = [place.start - fragments[0].start for place in fragments]
    numbers = _damaged(true, random)
    if random.random() < 0.7:
        return file.with_value(table, struct.pack(f"<{len(numbers)}L", *(number & UNDEFINED for number in numbers)))
    lengths = _damaged([place.end - place.value for place in fragments], random)
    longs = [struct.pack(f"<{len(row)}Q", *(number & (1 << 64) - 1 for number in row)) for row in (numbers, lengths)]
    return file.with_attribute(OFFSETS, b"OV", longs[0]).with_attribute(OFFSET_LENGTHS, b"OV", longs[1])


def _damaged(numbers: list[int], random: Random) -> list[int]:
    if numbers and random.random() < 0.7:
        at = random.randrange(len(numbers))
        near = (0, numbers[at] + 1, numbers[at] + 2, numbers[at] - 8, 0x7FFFFFFF, UNDEFINED, 1 << 63, -1)
        return [*numbers[:at], random.choice(near), *numbers[at + 1 :]]
    return random.choice(([], [0], numbers[:-1], numbers * 2, numbers[::-1], [0] * 1000))


def change_fragments(file: File, random: Random) -> File:
    """Split, empty or cut a fragment, put it twice, or join it with what comes behind."""
    place = pick(file, random, lambda place: place.fragment)
    if place is None:
        return file
    before, behind = file.data[: place.start], file.data[place.end :]
    value = file.data[place.value : place.end]
    cut = random.randrange(len(value) + 1)
    whole, left, right = (file.element(ITEM, b"", part) for part in (value, value[:cut], value[cut:]))
    empty = file.element(ITEM, b"", b"")
    ways = (left + right, left, right, empty, whole + whole, whole + empty, whole + left, empty * 1000, left * 50)
    return file.with_data(before, random.choice(ways), behind)


def change_codestream(file: File, random: Random) -> File:
    """Other bytes where a codestream says how large its image is and how it is coded."""
    place = pick(file, random, lambda place: place.fragment and place.end > place.value)
    if place is None:
        return file
    value = bytearray(file.data[place.value : place.end])
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(min(len(value), random.choice((16, 64, 200, len(value)))))
        some = random.choice((b"\0", b"\xff", b"\xff\xff", b"\0\0", b"\x7f\xff\xff\xff", random.randbytes(1)))
        value[at : at + len(some)] = some
    return file.with_value(place, bytes(value))


def change_syntax(file: File, random: Random) -> File:
    """Say that the pixel data is compressed in another way."""
    return file._replace(syntax=random.choice(COMPRESSED)) if any(place.fragment for place in file.places()) else file


def change_pixels(file: File, random: Random) -> File:
    """Native pixel data of the wrong length, or encapsulated where it is native and the other way round."""
    pixels = pick(file, random, lambda place: place.tag == PIXEL_DATA)
    if pixels is None:
        return file
    value = file.data[pixels.value : pixels.end]
    before, behind = file.data[: pixels.start], file.data[pixels.end :]
    items = file.element(ITEM, b"", b"") + file.element(ITEM, b"", value) + file.element(SEQUENCE_END, b"", b"")
    ways = (
        file.element(PIXEL_DATA, pixels.vr, value[:-2]),
        file.element(PIXEL_DATA, pixels.vr, value + b"\0"),
        file.element(PIXEL_DATA, b"OB", value),
        file.element(PIXEL_DATA, b"UN", value),
        file.element(PIXEL_DATA, b"OB", items, UNDEFINED),
        file.element(0x7FE00008, b"OF", value) + file.element(PIXEL_DATA, pixels.vr, value),
    )
    return file.with_data(before, random.choice(ways), behind)


def nest(file: File, random: Random) -> File:
    """Put in sequences within sequences, closed or not."""
    at = next((place.start for place in file.places() if place.tag > 0x7F000000), len(file.data))
    bomb = nested(file, random.choice(LEVELS), defined=random.random() < 0.5, closed=random.random() < 0.7)
    return file.with_data(file.data[:at], bomb, file.data[at:])


def nested(file: File, levels: int, *, defined: bool, closed: bool = True) -> bytes:
    """Sequences of one item in one another, of undefined or of defined length, with or without their ends."""
    heads: list[bytes] = []
    length = 0
    for level in reversed(range(levels)):
        tag = 0x7F000050 if level == 0 else 0x0040A730
        heads.append(file.element(ITEM, b"", b"", length if defined else UNDEFINED))
        heads.append(file.element(tag, b"SQ", b"", length + 8 if defined else UNDEFINED))
        length += len(heads[-2]) + len(heads[-1])
    end = file.element(ITEM_END, b"", b"") + file.element(SEQUENCE_END, b"", b"")
    return b"".join(reversed(heads)) + (end * levels if closed and not defined else b"")


MUTATIONS: Final[tuple[Mutation, ...]] = (
    flip_bits, truncate, change_length, change_tag, change_vr, change_value, splice, drop, drop_end, change_image,
    change_count, change_colours, change_offsets, change_fragments, change_codestream, change_codestream, change_syntax,
    change_pixels, nest,
)  # fmt: skip
