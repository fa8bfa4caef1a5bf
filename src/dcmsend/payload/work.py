"""A data set and what is to become of it: what ``recode`` works from.

Values only, and the one thing that is done to bytes whatever they mean: turning them around (PS3.5 7.3).
"""

from __future__ import annotations

from array import array

from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Final

    from dcmsend.files.elements import Encoding
    from dcmsend.files.sources import Source
    from dcmsend.payload.dictionary import Dictionary
    from dcmsend.payload.levels import Value
    from dcmsend.payload.pieces import Piece

ROOT: Final = -1  # the offset by which the outermost level goes in ``Work.edits``
_UNIT_CODES: Final = {array(code).itemsize: code for code in "HILQ"}


class Pixels(NamedTuple):
    """What stands for the encapsulated pixel data at an offset: native pixel data, little endian."""

    vr: bytes
    piece: Piece


class Work(NamedTuple):
    """A data set and what is to become of it.

    ``runs``: offsets in ``source`` where its elements begin and end, in the order in which they are to be written.
    ``large``: offset, length and unit of a value -> its piece, in the byte order of the target. ``edits``: offset of
    an item, or ``ROOT`` -> tag -> value. ``pixels``: offset of a pixel data element -> its replacement.
    ``fragments``: whether encapsulated data may stay. ``strict``: the structure has not been checked; what is not in
    order is an error. ``dictionary`` is asked for where the source is implicit, and where the target is and an unknown
    sequence is met.
    """

    source: Source
    runs: Sequence[tuple[int, int]]
    encoding: Encoding
    target: Encoding
    large: Callable[[int, int, int], Piece]
    dictionary: Callable[[], Dictionary] | None = None
    edits: Mapping[int, Mapping[int, Value]] = {}
    pixels: Mapping[int, Pixels] = {}
    fragments: bool = False
    strict: bool = False


def swapped(data: bytes, unit: int) -> bytes:
    """The bytes with each group of ``unit`` turned around; their number is a multiple of ``unit``."""
    if unit == 1:
        return data
    turned = array(_UNIT_CODES[unit], data)
    turned.byteswap()
    return turned.tobytes()
