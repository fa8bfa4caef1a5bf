"""The VRs of an implicit data set: from the dictionary, private creators and what is around (PS3.5 A.1, 7.8).

Looks into the source where a VR depends on another attribute; writes nothing.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.files.dataset import PIXEL_DATA
from dcmsend.files.elements import IMPLICIT_LE, UNDEFINED, StructureError, walk
from dcmsend.payload.ambiguous import resolve
from dcmsend.payload.levels import UNITS, Notes
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from dcmsend.files.sources import Source
    from dcmsend.payload.dictionary import Dictionary
    from dcmsend.payload.levels import Level

PRIVATE: Final = 0x10000  # the bit that makes a group number odd
_NUMBERS: Final = frozenset((0x00280103, 0x54001004))  # Pixel Representation, Waveform Bits Allocated
_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF
_MAX_CREATOR: Final = 64  # bytes; a private creator is an LO
_NUMBER: Final = Struct("<H")
_ITEM_TAG: Final = b"\xfe\xff\x00\xe0"


class ImplicitVrs:
    """Finds VRs for the elements of one data set. ``levels`` in its methods: the data set or item, and those around."""

    def __init__(self, source: Source, dictionary: Dictionary) -> None:
        self._source = source
        self._dictionary = dictionary
        self.depended = False  # whether a VR depended on a value, or a value was such that others' VRs depend on it
        self.known = dictionary.vr  # for elements of the standard that depend on nothing else

    def vr(self, levels: Sequence[Level], tag: int, start: int, value: int, length: int) -> bytes:
        """The VR of an element that has none (PS3.5 A.1): from the dictionary, private creators and what is around."""
        level = levels[0]
        self.depended |= tag in _NUMBERS or bool(tag & PRIVATE)
        creator = self._creator(level, tag, value, length) if tag & PRIVATE else ""
        if length == UNDEFINED:
            if tag == PIXEL_DATA:
                raise StructureError(tag, start, level.depth, because("encapsulated_without_vr"))
            return b"SQ"
        vr = self._dictionary.vr(tag, creator)
        if vr.islower():
            self.depended = True
            vr = resolve(vr, tag, length, lambda wanted: self._find(levels, wanted))
        if vr == b"SQ" and length and (length < 8 or self._bytes(value, 4) != _ITEM_TAG):
            self.depended = True
            return b"UN"  # the dictionary means another attribute
        if (tag & PRIVATE or length & 1) and length % UNITS.get(vr, 1):
            return b"UN"  # here too, or the value is damaged
        return vr

    def _creator(self, level: Level, tag: int, value: int, length: int) -> str:
        """Who reserved the private block of an element (PS3.5 7.8.1); notes it where this element does that."""
        notes = level.notes = level.notes or Notes()
        if notes.group != tag >> 16:  # groups rise: what was reserved in the one before is no longer asked for
            notes.group = tag >> 16
            notes.creators.clear()
        if _FIRST_BLOCK <= tag & 0xFFFF <= _LAST_BLOCK:
            text = self._bytes(value, min(length, _MAX_CREATOR)) if length > 0 else b""
            notes.creators[tag] = text.strip(b" \0").decode("latin-1")
            return ""
        return notes.creators.get(tag & 0xFFFF0000 | (tag >> 8 & 0xFF), "")

    def _find(self, levels: Sequence[Level], tag: int) -> int | None:
        """The number in an attribute of the nearest data set or item around that has it, where it has 16 bits."""
        numbers = (self._number(level, tag) for level in levels if level.depth >= 0)
        return next((number for number in numbers if number is not None), None)

    def _number(self, level: Level, tag: int) -> int | None:
        notes = level.notes = level.notes or Notes()
        if tag not in notes.numbers:
            notes.numbers[tag] = None
            for start, end in level.runs:
                for depth, found, _, _, value, length in walk(self._source, IMPLICIT_LE, start, end, stop=tag + 1):
                    if found == tag and not depth and length >= _NUMBER.size:
                        (notes.numbers[tag],) = _NUMBER.unpack(self._bytes(value, _NUMBER.size))
        return notes.numbers[tag]

    def _bytes(self, value: int, length: int) -> bytes:
        buffer, base = self._source.window(value, length)
        return buffer[value - base : value - base + length]
