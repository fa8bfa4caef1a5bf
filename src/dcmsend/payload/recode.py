"""A data set from one encoding of its elements to another: implicit or explicit VR, little or big endian (PS3.5 7, A).

One pass over the elements. Headers, small values and recalculated lengths go into memory, large values stay where they
are and are named as pieces, so memory does not depend on pixel data. Values stay the same; what the encoding demands
is mended on the way: values of odd length are padded, group lengths recalculated, trailing padding left out.

It knows nothing of pixels: decoded ones are handed in, with the attributes that change with them.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.errors import FileError
from dcmsend.files.dataset import PIXEL_DATA, SOP_CLASS, SOP_INSTANCE, TRAILING_PADDING
from dcmsend.files.elements import END, ITEM, LONG_VRS, SHORT_VRS, UNDEFINED, StructureError, tag_text, walk
from dcmsend.payload.implicit import PRIVATE, ImplicitVrs
from dcmsend.payload.levels import (
    INSIDE_UNKNOWN,
    MAX_SHORT,
    NO_EDITS,
    UNDEFINED_LENGTH,
    UNITS,
    Container,
    Level,
    Patch,
    manner,
)
from dcmsend.payload.output import MAX_LENGTH, Output
from dcmsend.payload.sequences import SEQUENCES
from dcmsend.payload.shapes import UNLIKE, Shape, Shapes
from dcmsend.payload.work import ROOT, swapped
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Final

    from dcmsend.files.elements import Element
    from dcmsend.payload.pieces import Piece
    from dcmsend.payload.work import Work

LARGE: Final = 4096  # bytes from which a value is not copied

_UIDS: Final = frozenset((SOP_CLASS, SOP_INSTANCE))  # which the command repeats, whatever their VR pretends
_PADDED_WITH_SPACE: Final = frozenset(
    (b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"LO", b"LT", b"PN", b"SH", b"ST", b"TM", b"UC", b"UR", b"UT")
)
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_PLAIN_LENGTHS: Final = range(0, LARGE, 2)
_SEQUENCES: Final = frozenset((b"SQ", b"UN", b""))
_OF_ITEMS: Final = frozenset((b"SQ", b"UN"))
_VRS: Final = SHORT_VRS | LONG_VRS | {b""}
_LONG_HEADERS: Final = {False: 8, True: 12}  # bytes
_MOST_UNLIKE: Final = 8  # items of a sequence that were like no other before they are no longer compared
_ODD: Final = 1  # what ``Level.last`` says behind a fragment that was padded
_OFFSET_TABLE: Final = 1  # the first item of encapsulated pixel data (PS3.5 A.4)
_BEFORE_FIRST: Final = 0x0007FFFF  # groups below are no part of a data set
_PATCH_LENGTH: Final = Struct("<L").pack_into
_PATCH_VR: Final = Struct("<2sH").pack_into


def recode(work: Work) -> list[Piece]:
    """The data set in the encoding of the target. Raises FileError where that cannot be done faithfully."""
    return Recoder(work).run()


class Recoder:
    """One run over a data set. ``Learner`` makes one over a single element."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._output = Output()
        self._out = self._output.data
        self._descend: set[int] = set()
        self._stack: list[Container] = []
        self._swaps = work.encoding.little != work.target.little
        self._vrs: ImplicitVrs | None = None
        self._sequences: frozenset[int] = frozenset()
        if not work.encoding.explicit and work.dictionary:
            self._vrs = ImplicitVrs(work.source, work.dictionary())
        elif work.encoding.explicit and not work.target.explicit:  # where only dictionaries tell what a sequence is
            self._sequences = SEQUENCES
        self._elements: Generator[Element, int | None, None]
        self._shapes: Shapes | None = None
        if not self._swaps and work.target.little and not work.edits.keys() - {ROOT}:
            self._shapes = Shapes(work.source, _LONG_HEADERS[work.encoding.explicit], lambda begun: _learn(work, begun))
        self._level = Level(0, manner(work.encoding, work.target), work.runs)
        self._end = max(end for _, end in work.runs)
        self._level.last = _BEFORE_FIRST if work.strict else -1
        self._apply_edits(ROOT)

    def run(self) -> list[Piece]:
        for start, end in self._work.runs:
            self._elements = walk(self._work.source, self._work.encoding, start, end, self._descend)
            self._follow()
        self._one(0, END, b"", 0, 0, 0)
        return self._output.pieces()

    def _follow(self) -> None:
        """Write the elements of a run, most of them here and now: the loop that all the time is spent in."""
        out, window = self._out, self._work.source.window
        lookup, sequences = self._vrs.known if self._vrs else None, self._sequences
        work, base, held = bytearray(), 0, 0  # what the source shows, to be changed in place
        begin = end = -1  # of the elements in it that are to be copied
        level = self._level
        here, last, before, (_, plain, patch) = level.depth, level.last, level.before, level.manner
        for depth, tag, vr, start, value, length in self._elements:
            if lookup is not None:
                vr = b"" if tag & PRIVATE else lookup(tag)
            if (
                depth == here
                and last < tag < before
                and length in _PLAIN_LENGTHS
                and vr in plain
                and tag & 0xFFFF
                and tag not in sequences
            ):
                last = tag
                following = value + length
                if following > held or start < base:
                    out += work[begin - base : end - base]
                    buffer, base = window(start, following - start)
                    work, held = bytearray(buffer), base + len(buffer)
                    begin = start
                    self._output.check()
                elif start != end:
                    out += work[begin - base : end - base] if end != -1 else b""
                    begin = start
                end = following
                if patch is Patch.TO_LENGTH:
                    _PATCH_LENGTH(work, start - base + 4, length)
                elif patch is Patch.TO_VR:
                    _PATCH_VR(work, start - base + 4, vr, length)
            elif tag != END:
                if end != -1:
                    out += work[begin - base : end - base]
                    begin = end = -1
                level.last = last
                self._special(depth, tag, vr, start, value, length)
                level = self._level
                here, last, before, (_, plain, patch) = level.depth, level.last, level.before, level.manner
        out += work[begin - base : end - base] if end != -1 else b""

    def _special(self, depth: int, tag: int, vr: bytes, start: int, value: int, length: int) -> None:
        """Whatever is more than a header and a few bytes behind it, and what follows where the walk is sent on."""
        while tag != END:
            done = self._one(depth, tag, vr, start, value, length)
            if not done:
                return
            depth, tag, vr, start, value, length = self._elements.send(done)

    def _one(self, depth: int, tag: int, vr: bytes, start: int, value: int, length: int) -> int:
        """One element or item; the offset behind it where all that it holds has been written, else 0."""
        while self._stack and self._stack[-1].depth >= depth:
            self._close()
        if tag == ITEM:
            return self._item(depth, start, value, length)
        level = self._level
        if depth != level.depth:
            raise StructureError(tag, start, depth, because("element_outside_item"))
        if level.manner is INSIDE_UNKNOWN:
            self._leave_alone(depth, tag, vr, start, value, length)
            return 0
        in_order = level.last < tag
        if not in_order and (self._work.strict or level.edits is not NO_EDITS):
            raise StructureError(tag, start, depth, because("out_of_order", after=tag_text(level.last)))
        level.last = tag
        if (not in_order or tag >= level.before) and self._edit(level, tag):
            return 0
        if tag in (END, TRAILING_PADDING):
            return 0
        if self._vrs:
            vr = self._vrs.vr(self._levels(), tag, start, value, length)
        if start in self._work.pixels:
            self._external(tag, *self._work.pixels[start])
        elif not tag & 0xFFFF:
            self._begin_group(level, tag)
        elif length == UNDEFINED or vr == b"SQ":
            self._open(depth, tag, vr, start, value, length)
        else:
            self._write(tag, vr, start, value, length)
        return 0

    def _leave_alone(self, depth: int, tag: int, vr: bytes, start: int, value: int, length: int) -> None:
        """An element inside of UN of undefined length: nothing about it is known to be wrong, so nothing is mended."""
        if length == UNDEFINED:
            self._open(depth, tag, vr, start, value, length)
        else:
            self._write(tag, vr, start, value, length)

    # Values.

    def _write(self, tag: int, vr: bytes, start: int, value: int, length: int) -> None:
        """An element with a value."""
        if tag in self._sequences and length and vr not in _SEQUENCES:
            words = because("no_sequence_in_dictionary", vr=vr.decode("latin-1"))
            raise StructureError(tag, start, self._level.depth, words)
        none = vr not in _VRS and not (vr.isalpha() and vr.isupper())  # such a one may be of the future
        if none or (length > MAX_SHORT and vr in SHORT_VRS and self._level.codec.explicit):
            vr = b"UN"  # which is little endian everywhere (PS3.5 6.2.2)
        unit = UNITS.get(vr, 1) if self._swaps and tag not in _UIDS else 1
        if length % unit:
            raise StructureError(tag, start, 0, because("length_no_multiple", length=length, unit=unit))
        odd = length & 1
        if length >= LARGE:
            self._external(tag, vr, self._work.large(value, length, unit), pad=odd)
        else:
            self._add(tag, vr, swapped(self._bytes(value, length), unit))

    def _add(self, tag: int, vr: bytes, value: bytes) -> None:
        """An element whose value is at hand, in the byte order of the target."""
        if len(value) & 1:
            value += b" " if vr in _PADDED_WITH_SPACE else b"\0"
        self._out += self._level.codec.header(tag, vr, len(value))
        self._out += value
        self._output.check()

    def _external(self, tag: int, vr: bytes, piece: Piece, *, pad: int = 0) -> None:
        """An element whose value is sent from where it stands."""
        if piece.length + pad > MAX_LENGTH:
            raise FileError(because("value_too_long", tag=tag_text(tag), length=piece.length))
        self._out += self._level.codec.header(tag, vr, piece.length + pad)
        self._output.add(piece)
        if pad:
            self._out += b" " if vr in _PADDED_WITH_SPACE else b"\0"
        self._output.check()

    def _bytes(self, value: int, length: int) -> bytes:
        buffer, base = self._work.source.window(value, length)
        return buffer[value - base : value - base + length]

    # Edits, and group lengths (PS3.5 7.2).

    def _apply_edits(self, offset: int) -> None:
        """Have the edits of an item ready, the first one last."""
        edits = self._work.edits.get(offset)
        if edits:
            self._level.edits = sorted(edits.items(), reverse=True)
            self._level.look_out()

    def _edit(self, level: Level, tag: int) -> bool:
        """Write the edits that stand before or at ``tag``, end a group before it; whether an edit takes its place."""
        replaced = False
        while level.edits and level.edits[-1][0] <= tag:
            edited, (vr, value) = level.edits.pop()
            self._end_group(level, edited)
            replaced = edited == tag
            if vr:
                self._add(edited, vr, value if level.codec.little else swapped(value, UNITS.get(vr, 1)))
        self._end_group(level, tag)
        level.look_out()
        return replaced

    def _begin_group(self, level: Level, tag: int) -> None:
        self._add(tag, b"UL", bytes(4))
        level.group = tag >> 16
        level.group_at, level.group_from = len(self._out) - 4, self._output.position
        level.look_out()

    def _end_group(self, level: Level, tag: int) -> None:
        if tag >> 16 != level.group >= 0:
            self._output.patch(level.group_at, level.group_from, level.codec.length)
            level.group = -1

    # Sequences, items and fragments (PS3.5 7.5, A.4).

    def _open(self, depth: int, tag: int, vr: bytes, start: int, value: int, length: int) -> None:
        """Begin a sequence, or encapsulated data that stays as it is."""
        level = self._level
        fragments = vr in (b"OB", b"OW") or (tag == PIXEL_DATA and not vr)  # as the walker takes it
        if fragments and not self._work.fragments and level.manner is not INSIDE_UNKNOWN:
            raise StructureError(tag, start, depth, because("encapsulated_in_native"))
        if not fragments and vr not in _SEQUENCES:
            raise StructureError(tag, start, depth, because("undefined_length", vr=vr.decode("latin-1")))
        if self._sequences and tag not in self._sequences and length and vr in _OF_ITEMS and not tag & PRIVATE:
            self._look_up(tag, start, depth)
        self._out += level.codec.header(tag, vr or b"SQ", length)
        length_at = len(self._out) - 4 if length != UNDEFINED else -1
        self._stack.append(Container(depth, tag, length_at, self._output.position, level, fragments))
        end = value + length if length != UNDEFINED else self._end
        self._level = Level(-1, INSIDE_UNKNOWN if vr == b"UN" else level.manner, ((value, end),))
        if length:
            self._descend.add(tag)

    def _look_up(self, tag: int, start: int, depth: int) -> None:
        """Raises StructureError where the dictionary does not know of the sequence that an attribute is."""
        vr = self._work.dictionary().vr(tag) if self._work.dictionary else b"UN"
        if vr not in _OF_ITEMS:
            raise StructureError(tag, start, depth, because("sequence_not_in_dictionary", vr=vr.decode()))

    def _item(self, depth: int, start: int, value: int, length: int) -> int:
        """Begin an item, or write all of it where it looks like another one; the offset behind it then, else 0."""
        around = self._stack[-1] if self._stack else None
        if around is None or around.depth != depth - 1 or around.tag == ITEM:
            raise StructureError(ITEM, start, depth, because("item_outside_sequence"))
        self._descend.discard(around.tag)
        level = self._level
        level.items += 1
        if around.fragments:
            self._fragment(around, value, length)
            return 0
        worth = level.items > UNLIKE and level.unlike < _MOST_UNLIKE and level.manner is not INSIDE_UNKNOWN
        if self._shapes and worth:
            behind = self._shapes.write(self._output, start, level.runs[0][1])
            if behind > start:
                return behind
            level.unlike += 1
        self._out += level.codec.pack_implicit(ITEM >> 16, ITEM & 0xFFFF, length & UNDEFINED_LENGTH)
        length_at = len(self._out) - 4 if length != UNDEFINED else -1
        self._stack.append(Container(depth, ITEM, length_at, self._output.position, level))
        end = value + length if length != UNDEFINED else self._end
        self._level = Level(depth + 1, level.manner, ((value, end),))
        self._apply_edits(start)
        return 0

    def _fragment(self, around: Container, value: int, length: int) -> None:
        pad = length & 1
        level = self._level
        if level.items == _OFFSET_TABLE:
            level.unlike = length
        elif level.last == _ODD and level.unlike:
            raise StructureError(around.tag, value, around.depth, because("behind_odd_fragment"))
        level.last = _ODD if pad else level.last
        self._out += self._level.codec.pack_implicit(ITEM >> 16, ITEM & 0xFFFF, length + pad)
        if length < LARGE:
            self._out += self._bytes(value, length)
        else:
            self._output.add(self._work.large(value, length, 1))
        self._out += bytes(pad)
        self._output.check()

    def _close(self) -> None:
        """End the innermost sequence or item."""
        level = self._level
        if level.depth >= 0 and level.manner is not INSIDE_UNKNOWN:
            self._edit(level, END)
        container = self._stack.pop()
        self._descend.discard(container.tag)
        codec = level.codec if container.tag == ITEM else container.around.codec
        if container.length_at >= 0:
            self._output.patch(container.length_at, container.begins, codec.length)
        else:
            end = _ITEM_END if container.tag == ITEM else _SEQUENCE_END
            self._out += level.codec.pack_implicit(end >> 16, end & 0xFFFF, 0)
        self._level = container.around
        self._output.check()

    def _levels(self) -> list[Level]:
        around = (container.around for container in reversed(self._stack))
        return [self._level, *(level for level in around if level.depth >= 0)]


def _learn(work: Work, begun: bytes) -> Shape | None:
    """The shape of an element. No method: shapes that know their recoder would keep each other, and all it holds."""
    from dcmsend.payload.learner import Learner  # which is a recoder itself

    return Learner(work, begun).shape()
