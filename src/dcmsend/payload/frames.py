"""Encapsulated pixel data (PS3.5 A.4): where its fragments stand, and which of them make which frame.

It owns items, offset tables and the first bytes of codestreams; it decodes nothing and knows nothing of pixels. A
frame starts where a fragment starts, and no offset table is believed further than the fragments bear it out. Memory
holds one frame at a time, and 12 bytes for each fragment.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from io import BytesIO
from struct import Struct

from dcmsend.errors import FileError
from dcmsend.files.elements import tag_text
from dcmsend.light import NamedTuple
from dcmsend.reasons import because
from dcmsend.uids import IMPLICIT_VR_LITTLE_ENDIAN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from dcmsend.files.sources import Source

MAX_FRAGMENTS: Final = 1 << 21  # they and the tables of their frames take about 50 MB
MAX_FRAME: Final = 128 << 20  # compressed bytes of one frame that are held in memory

_ITEM: Final = 0xE000FFFE  # tags of items as 32 bit little endian numbers
_SEQUENCE_END: Final = 0xE0DDFFFE
_HEADER: Final = Struct("<LL").unpack_from
_PIECE: Final = 1 << 20


class Fragments(NamedTuple):
    """The fragments of one pixel data element, without the first item, which is the basic offset table.

    ``offset_table``: the 32 bit numbers of the basic offset table, none where it is empty or cannot be one.
    ``starts``: where the bytes of each fragment begin in the source; ``lengths``: how many they are.
    """

    offset_table: array[int]
    starts: array[int]
    lengths: array[int]


def read_fragments(source: Source, value: int, end: int) -> Fragments:
    """Find the fragments of encapsulated pixel data without reading them (PS3.5 A.4).

    ``value`` is the offset of the first item's tag in ``source``, ``end`` where the data ends at the latest. Raises
    FileError where an item is cut off, something else stands in its place, or there are more than MAX_FRAGMENTS.
    """
    # Not files.elements.walk, which needs to start in front of an element: we are called in the middle of one.
    starts, lengths = array("Q"), array("I")
    position = value
    while True:
        buffer, base = source.window(position, 8)
        if position + 8 > min(base + len(buffer), end):
            raise FileError(because("pixel_data_without_end", offset=position))
        tag, length = _HEADER(buffer, position - base)
        position += 8
        if tag == _SEQUENCE_END:
            break
        if tag != _ITEM:
            found = tag_text((tag & 0xFFFF) << 16 | tag >> 16)
            raise FileError(because("between_fragments", tag=found, offset=position - 8))
        if length > end - position:
            raise FileError(because("fragment_too_long", offset=position - 8, length=length))
        if len(starts) > MAX_FRAGMENTS:
            raise FileError(because("too_many_fragments", most=MAX_FRAGMENTS))
        starts.append(position)
        lengths.append(length)
        position += length
    if not starts:
        return Fragments(array("I"), starts, lengths)
    table = _read_offset_table(source, starts.pop(0), lengths.pop(0), len(starts))
    return Fragments(table, starts, lengths)


def frames_of(
    source: Source, fragments: Fragments, count: int, transfer_syntax: str, extended: tuple[bytes, bytes] | None
) -> Iterator[bytes]:
    """The bytes of each of ``count`` frames in turn, its fragments joined, as they stand in the file.

    Where ``count`` is 0 it is not known, and there must be one frame. ``extended`` holds the raw values of Extended
    Offset Table (7FE0,0001) and Extended Offset Table Lengths (7FE0,0002), 64 bit little endian (PS3.3 C.7.6.3.1.8).
    Padding at the end of a frame is left where it is. Raises FileError at once where the fragments are not those of
    ``count`` frames or a frame is larger than MAX_FRAME, and during the iteration where the file has become shorter.
    """
    firsts = _first_fragments(source, fragments, count, transfer_syntax, extended)
    for frame, size in enumerate(_sizes(fragments, firsts), 1):
        if size > MAX_FRAME:
            raise FileError(because("compressed_frame_too_large", frame=frame, size=size, most=MAX_FRAME))
    return (_join(source, fragments, first, behind) for first, behind in _spans(fragments, firsts))


def _read_offset_table(source: Source, start: int, length: int, fragments: int) -> array[int]:
    """The basic offset table, or an empty one where it has more entries than there are fragments."""
    if length % 4 or length > 4 * fragments:
        return array("I")
    return _numbers("I", _read(source, start, length))


def _numbers(kind: str, raw: bytes) -> array[int]:
    """Little endian numbers of 32 (``I``) or 64 (``Q``) bits; none where ``raw`` does not divide into them."""
    numbers = array(kind)
    if len(raw) % numbers.itemsize == 0:
        numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


# Which fragments make which frame. A frame is known by the index of its first fragment; it ends where the next one
# begins, and the last one with the last fragment. Empty fragments belong to the frame in front of them.


def _first_fragments(
    source: Source, fragments: Fragments, count: int, transfer_syntax: str, extended: tuple[bytes, bytes] | None
) -> array[int]:
    filled = array("I", (index for index, length in enumerate(fragments.lengths) if length))
    if not count and len(filled) > 1:
        found = len(_beginnings(source, fragments, filled, transfer_syntax)) or len(filled)
        if found > 1:
            raise FileError(because("frames_unknown", images=found))
    count = count or 1
    if count < 1 or len(filled) < count:
        raise FileError(because("too_few_fragments", fragments=len(filled), frames=count))
    if len(filled) == count:
        return filled
    images = _beginnings(source, fragments, filled, transfer_syntax)
    if len(images) > count:
        raise FileError(because("too_many_codestreams", images=len(images), frames=count))
    if count == 1:
        return filled[:1]
    if len(images) == count and images[0] == filled[0]:
        return images  # an offset table can only say the same, or be wrong
    for table in (_extended_offsets(fragments, extended), fragments.offset_table):
        firsts = _indices(fragments, table)
        if len(firsts) == count and all(_sizes(fragments, firsts)):
            return firsts
    raise FileError(because("frames_not_told_apart", fragments=len(filled), frames=count))


def _indices(fragments: Fragments, offsets: array[int]) -> array[int]:
    """The fragments that an offset table points at; none where it is not true to the fragments.

    Offsets count from the tag of the first fragment, rise, and point at tags of fragments.
    """
    firsts = array("I")
    previous = -1
    for offset in offsets:
        start = fragments.starts[0] + offset
        index = bisect_left(fragments.starts, start)
        if offset <= previous or index == len(fragments.starts) or fragments.starts[index] != start:
            return array("I")
        firsts.append(index)
        previous = offset
    return firsts if firsts and not firsts[0] else array("I")


def _extended_offsets(fragments: Fragments, extended: tuple[bytes, bytes] | None) -> array[int]:
    """The extended offset table, or an empty one where its lengths do not fit the frames that it points at."""
    if extended is None or len(extended[0]) != len(extended[1]) or len(extended[0]) > 8 * len(fragments.starts):
        return array("Q")
    offsets, lengths = _numbers("Q", extended[0]), _numbers("Q", extended[1])
    sizes = _sizes(fragments, _indices(fragments, offsets))
    fit = all(length <= size for length, size in zip(lengths, sizes, strict=False))
    return offsets if fit else array("Q")


def _spans(fragments: Fragments, firsts: array[int]) -> Iterator[tuple[int, int]]:
    """For each frame its first fragment and the one behind its last."""
    last = len(firsts) - 1
    for frame, first in enumerate(firsts):
        yield first, firsts[frame + 1] if frame < last else len(fragments.starts)


def _sizes(fragments: Fragments, firsts: array[int]) -> Iterator[int]:
    return (sum(fragments.lengths[first:behind]) for first, behind in _spans(fragments, firsts))


# Codestreams that say in their first bytes that they are one.

_JPEG: Final = (b"\xff\xd8\xff",)
_JPEG_2000: Final = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")  # a codestream; a file, against PS3.5 A.4.4
_JPEG_XL: Final = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_RLE: Final = tuple(bytes((segments, 0, 0, 0, 64, 0, 0, 0)) for segments in range(1, 16))  # PS3.5 G.5
_SIGNATURES: Final[dict[str, tuple[bytes, ...]]] = {
    IMPLICIT_VR_LITTLE_ENDIAN + suffix: signatures
    for suffixes, signatures in (
        ([f".4.{number}" for number in (*range(50, 67), 70, 80, 81)], _JPEG),
        ([f".4.{number}" for number in (90, 91, 92, 93, 201, 202, 203)], _JPEG_2000),
        ([f".4.{number}" for number in (110, 111, 112)], _JPEG_XL),
        ([".5"], _RLE),
    )
    for suffix in suffixes
}
_TOO_SHORT: Final = 2  # bytes of a signature that may well turn up in coded data


def _beginnings(source: Source, fragments: Fragments, filled: array[int], transfer_syntax: str) -> array[int]:
    """The fragments that begin with the signature of a codestream of this transfer syntax."""
    signatures = _SIGNATURES.get(transfer_syntax, ())
    found = array("I")
    for index in filled if signatures else ():
        head = _read(source, fragments.starts[index], min(fragments.lengths[index], 12))
        signature = next(filter(head.startswith, signatures), None)
        if signature and len(signature) <= _TOO_SHORT:
            signatures = (head[:4],)  # with the size of the image, which is the same in all frames
        if signature:
            found.append(index)
    return found


def _join(source: Source, fragments: Fragments, first: int, behind: int) -> bytes:
    """The bytes of the fragments from ``first`` to the one before ``behind``."""
    spans = [
        span for span in zip(fragments.starts[first:behind], fragments.lengths[first:behind], strict=True) if span[1]
    ]
    if len(spans) == 1:
        return _read(source, *spans[0])
    joined = BytesIO()
    for start, length in spans:
        for offset in range(start, start + length, _PIECE):
            joined.write(_read(source, offset, min(_PIECE, start + length - offset)))
    return joined.getvalue()  # handed over without a copy


def _read(source: Source, start: int, length: int) -> bytes:
    """All of ``length`` bytes; where the source's window is just these, without a copy."""
    buffer, base = source.window(start, length)
    data = buffer[start - base : start - base + length]
    if len(data) < length:
        raise FileError(because("pixel_data_cut_off", offset=start + len(data)))
    return data
