"""Elements that are alike but for their values: seen once in a sequence, the next is written in one go.

An element, with all that is nested in it, whose bytes outside of values are those of an earlier one has the same
structure (PS3.5 7.5), so what was written for that one is written again around its own values. Functional groups of
enhanced images hold thousands of such elements. Nothing is guessed: each byte is compared, or is a value and copied.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.files.elements import ITEM
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from dcmsend.files.sources import Source
    from dcmsend.payload.output import Output

UNLIKE: Final = 3  # items of a sequence that are written one by one before their likes are looked for
LARGEST: Final = 16384  # bytes of an item
_MOST_SHAPES: Final = 1024  # in all: a shape takes a few KiB
_MOST_TRIED: Final = 24  # of those that begin with the same bytes
_HEADER: Final = 8  # bytes of an item's header, and of the shortest one of an element
_ITEM_HEADER: Final = Struct("<HHL")
_LENGTH: Final = Struct("<L")
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM_END: Final = b"\xfe\xff\x0d\xe0\0\0\0\0"


class Copy(NamedTuple):
    """A value of ``length`` bytes that went from an offset in an element to a place in what was written for it."""

    offset: int
    place: int
    length: int


class Shape(NamedTuple):
    """``fixed`` and ``values`` take the ``size`` bytes of an element apart; ``parts`` is written around values."""

    tag: int
    size: int
    fixed: Callable[[bytes, int], tuple[bytes, ...]]
    expected: tuple[bytes, ...]
    values: Callable[[bytes, int], tuple[bytes, ...]]
    parts: list[bytes]


def shape_of(tag: int, element: bytes, written: bytes | bytearray, copies: Sequence[Copy]) -> Shape:
    """The shape of an element for which ``written`` was written."""
    fixed = values = "<"
    expected: list[bytes] = []
    parts: list[bytes] = []
    read = place = 0
    for copy in copies:
        between = copy.offset - read
        fixed += f"{between}s{copy.length}x"
        values += f"{between}x{copy.length}s"
        expected.append(element[read : copy.offset])
        parts += (bytes(written[place : copy.place]), b"")
        read, place = copy.offset + copy.length, copy.place + copy.length
    fixed += f"{len(element) - read}s"
    expected.append(element[read:])
    parts.append(bytes(written[place:]))
    return Shape(tag, len(element), Struct(fixed).unpack_from, tuple(expected), Struct(values).unpack_from, parts)


# Stands where there is no shape: no element is as long as it.
_NONE: Final = [Shape(0, 1 << 62, Struct("").unpack_from, (), Struct("").unpack_from, [])]


class Shapes:
    """The shapes met in one data set.

    ``learn`` takes bytes that begin with an element, and makes a shape of it if it tells of others at all.
    ``long_header``: bytes of a sequence's header in the source.
    """

    def __init__(self, source: Source, long_header: int, learn: Callable[[bytes], Shape | None]) -> None:
        self._source = source
        self._learn = learn
        self._left = _MOST_SHAPES
        self._beginning = long_header + 2 * _HEADER  # of a sequence, its first item and the first element in that
        self._short: dict[bytes, Shape] = {}  # by their headers, those that hold nothing but a value
        self._nested: dict[bytes, list[Shape]] = {}  # by their beginnings

    def write(self, output: Output, start: int, end: int) -> int:
        """Write items from the one whose header is at ``start`` on, as long as all their elements are like others.

        ``end``: where their sequence ends at the latest. The offset behind the last one, ``start`` if there is none.
        """
        while start < end:
            buffer, base = self._source.window(start, LARGEST)
            size = self._item(output.data, buffer, start - base)
            if not size:
                break
            start += size
            output.check()
        return start

    def _item(self, out: bytearray, buffer: bytes, begin: int) -> int:
        """Write one item if it can be; how many bytes it has in the buffer, 0 where nothing was written."""
        position = begin + _HEADER
        if position > len(buffer):
            return 0
        group, number, length = _ITEM_HEADER.unpack_from(buffer, begin)
        end = position + length
        if group << 16 | number != ITEM or (end > len(buffer) and length != _UNDEFINED):
            return 0
        mark, held = len(out), len(buffer)
        out += buffer[begin:position]
        nested, beginning = self._nested, self._beginning
        last = -1
        while position < end:
            if length == _UNDEFINED and buffer.startswith(_ITEM_END, position):
                out += _ITEM_END
                return position + _HEADER - begin
            shapes = nested.get(buffer[position : position + beginning], _NONE)
            tag, size, fixed, expected, values, parts = shapes[0]  # most often the one that was last seen
            if position + size > held or fixed(buffer, position) != expected:
                shape = self._find(buffer, position, shapes)
                if shape is None:
                    break
                tag, size, _, _, values, parts = shape
            if tag <= last:
                break
            parts[1::2] = values(buffer, position)
            out += b"".join(parts)
            last = tag
            position += size
        if position != end:
            del out[mark:]
            return 0
        _LENGTH.pack_into(out, mark + 4, len(out) - mark - _HEADER)
        return position - begin

    def _find(self, buffer: bytes, position: int, shapes: list[Shape]) -> Shape | None:
        """The shape of the element at ``position``, if it is not the first of those that begin like it; learnt now if
        need be.
        """
        shape = self._short.get(buffer[position : position + _HEADER])
        if shape is not None and position + shape.size <= len(buffer):
            return shape
        for index in range(1, len(shapes)):
            shape = shapes[index]
            if position + shape.size <= len(buffer) and shape.fixed(buffer, position) == shape.expected:
                shapes.insert(0, shapes.pop(index))
                return shape
        if not self._left or len(shapes) >= _MOST_TRIED:
            return None
        self._left -= 1
        shape = self._learn(buffer[position : position + LARGEST])
        if shape is not None:
            if len(shape.expected[0]) == _HEADER and not any(shape.expected[1:]):
                self._short[shape.expected[0]] = shape
            else:
                self._nested.setdefault(buffer[position : position + self._beginning], []).append(shape)
        return shape
