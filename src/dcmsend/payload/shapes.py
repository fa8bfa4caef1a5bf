"""Items of a sequence that are alike but for their values: seen once, the next is written in one go.

An item whose bytes outside of values are those of an earlier one has the same elements in the same places (PS3.5 7.5),
so what was written for that one is written again around its own values. Functional groups of enhanced images hold
thousands of such items. Nothing is guessed: each byte of an item is either compared or a value that is copied.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from dcmsend.files.elements import UNDEFINED
from dcmsend.files.sources import InflateSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dcmsend.files.sources import Source
    from dcmsend.payload.levels import Level

_MOST_SHAPES: Final = 512  # in all: a shape takes a few KiB
_MOST_TRIED: Final = 24  # for items of one length
_LARGEST: Final = 16384  # bytes of an item
_UNLIKE: Final = 3  # items of a sequence that are written one by one before their likes are looked for


class Copy(NamedTuple):
    """A value of ``length`` bytes that went from an offset in an item to a place in what was written for it."""

    offset: int
    place: int
    length: int


class Shape(NamedTuple):
    """``fixed`` and ``values`` take the ``size`` bytes of an item apart, ``parts`` is what is written around values."""

    size: int
    fixed: Callable[[bytes, int], tuple[bytes, ...]]
    expected: tuple[bytes, ...]
    values: Callable[[bytes, int], tuple[bytes, ...]]
    parts: list[bytes]


def shape_of(item: bytes, header: bytes, written: bytes | bytearray, copies: Sequence[Copy]) -> Shape:
    """The shape of an item, for which ``written`` was written behind an item's ``header``."""
    fixed = values = "<"
    expected: list[bytes] = []
    parts: list[bytes] = []
    read = place = 0
    for copy in copies:
        between = copy.offset - read
        fixed += f"{between}s{copy.length}x"
        values += f"{between}x{copy.length}s"
        expected.append(item[read : copy.offset])
        parts += (bytes(written[place : copy.place]), b"")
        read, place = copy.offset + copy.length, copy.place + copy.length
    fixed += f"{len(item) - read}s"
    expected.append(item[read:])
    parts.append(bytes(written[place:]))
    parts[0] = header + parts[0]
    return Shape(len(item), Struct(fixed).unpack_from, tuple(expected), Struct(values).unpack_from, parts)


class Shapes:
    """The shapes met in one data set. ``learn`` makes one of the bytes of an item, if they tell of others at all."""

    def __init__(self, source: Source, learn: Callable[[bytes, bool], Shape | None]) -> None:
        self._source = source
        self._learn = learn
        self._backwards = not isinstance(source, InflateSource)
        self._shapes: dict[tuple[int, int], list[Shape]] = {}
        self._left = _MOST_SHAPES

    def write(self, out: bytearray, tag: int, sequence: Level, start: int, value: int, length: int) -> int:
        """Write an item of the sequence ``tag`` if it is like another one; the offset behind it then, else 0.

        ``start``, ``value`` and ``length`` are those of the item in the source; ``length`` may be UNDEFINED.
        """
        if sequence.items <= _UNLIKE or length > _LARGEST:
            return 0
        if sequence.unlike:
            self._add((tag, UNDEFINED), sequence.unlike, start)
            sequence.unlike = 0
        shapes = self._shapes.setdefault((tag, length), [])
        for index, shape in enumerate(shapes):
            buffer, base = self._source.window(value, shape.size)
            at = value - base
            if at + shape.size <= len(buffer) and shape.fixed(buffer, at) == shape.expected:
                shape.parts[1::2] = shape.values(buffer, at)
                out += b"".join(shape.parts)
                if index:
                    shapes.insert(0, shapes.pop(index))
                return value + shape.size
        if length == UNDEFINED:
            sequence.unlike = value if self._backwards else 0
        else:
            self._add((tag, length), value, value + length)
        return 0

    def _add(self, key: tuple[int, int], begin: int, end: int) -> None:
        """Take the item that stands there for a pattern, unless there are enough."""
        shapes = self._shapes[key]
        if self._left and 0 < end - begin <= _LARGEST and len(shapes) < _MOST_TRIED:
            self._left -= 1
            buffer, base = self._source.window(begin, end - begin)
            shape = self._learn(buffer[begin - base : end - base], key[1] == UNDEFINED)
            if shape is not None:
                shapes.append(shape)
