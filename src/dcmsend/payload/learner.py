"""What recoding makes of one element, taken for a pattern of others (``shapes``).

A recoder like any other, that notes which values went where and gives up where others could come out otherwise.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.files.dataset import TRAILING_PADDING
from dcmsend.files.elements import UNDEFINED, StructureError, walk
from dcmsend.files.sources import BytesSource
from dcmsend.payload.recode import Recoder
from dcmsend.payload.shapes import Copy, Shape, shape_of
from dcmsend.payload.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.files.elements import Encoding
    from dcmsend.payload.pieces import Piece

_ITEM_END: Final = 0xFFFEE00D


class _NoPatternError(Exception):
    """What one element becomes says nothing about others: VRs depend on values, or a value is large."""


class Learner(Recoder):
    """Recodes one element by itself, and notes which of its values went where."""

    def __init__(self, work: Work, begun: bytes) -> None:
        self._copies: list[Copy] = []
        self._begun = begun
        work = Work(BytesSource(begun), ((0, len(begun)),), work.encoding, work.target, _no_piece, work.dictionary)
        super().__init__(work)
        self._shapes = None
        self._level.manner = self._level.manner._replace(plain=frozenset())

    def shape(self) -> Shape | None:
        """The shape of the element that the bytes begin with; ``None`` where it says nothing about others."""
        try:
            tag, end = _first(self._begun, self._work.encoding)
            self._work = self._work._replace(runs=((0, end),))
            if tag & 0xFFFF and tag < TRAILING_PADDING:
                self.run()
                return shape_of(tag, self._begun[:end], self._out, self._copies)
        except (FileError, _NoPatternError):
            pass
        return None

    def _write(self, tag: int, vr: bytes, start: int, value: int, length: int) -> None:
        if self._vrs and self._vrs.depended:
            raise _NoPatternError
        super()._write(tag, vr, start, value, length)
        if length:
            self._copies.append(Copy(value, len(self._out) - length - (length & 1), length))


def _first(begun: bytes, encoding: Encoding) -> tuple[int, int]:
    """Tag and end of the element that the bytes begin with, which stands in an item. Raises StructureError."""
    elements = walk(BytesSource(begun), encoding, 0, len(begun))
    _, tag, _, _, value, length = next(elements)
    if length != UNDEFINED:
        return tag, value + length
    try:
        return tag, next(elements)[3]
    except StructureError as error:
        if error.tag == _ITEM_END:  # it was the last one in its item
            return tag, error.offset
        raise


def _no_piece(_value: int, _length: int, _unit: int) -> Piece:
    raise _NoPatternError
