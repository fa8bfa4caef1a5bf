"""The short cut through data elements that are in order: loops over headers that are at hand (PS3.5 7).

It says what the walker of ``elements`` would say, or nothing at all: then there is something out of the ordinary, and
whoever asked takes the long way, which finds out what. Nothing is decided here that is not decided there.
"""

from __future__ import annotations

from struct import Struct
from struct import error as _NotAtHand  # noqa: N812 - what unpacking behind the end raises

from dcmsend.errors import FileError
from dcmsend.files.elements import EXPLICIT_LE, IMPLICIT_LE, LONG_VRS, MAX_NESTING, SHORT_VRS, walk
from dcmsend.uids import TRANSFER_SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any, Final, TypeAlias

    from dcmsend.files.elements import Encoding
    from dcmsend.files.sources import Source

    # Where an element's header begins and its value does, and the length that is stated (OPEN for an undefined one).
    Place: TypeAlias = tuple[int, int, int]
    Header: TypeAlias = Callable[[bytes, int], tuple[Any, ...]]

OPEN: Final = 0xFFFFFFFF

# group, element, VR (empty where there is none), length
_HEADERS: Final = {True: Struct("<HH2sH").unpack_from, False: Struct("<HH0sL").unpack_from}
_LONG_LENGTH: Final = Struct("<L").unpack_from
_ITEM_HEADER: Final = Struct("<LL").unpack_from  # the tag as one number, its halves exchanged
_ITEM: Final = 0xE000FFFE
_SEQUENCE_END: Final = 0xE0DDFFFE
_ITEM_GROUP: Final = 0xFFFE
_ITEM_END: Final = 0xE00D
_SHORT_HEADERS: Final = SHORT_VRS | {b""}
_SEQUENCES: Final = frozenset((b"SQ", b""))  # UN of undefined length is implicit inside
_PIXEL_DATA: Final = 0x7FE00010


def flat_encoding(transfer_syntax: str) -> Encoding | None:
    """How elements are written in a transfer syntax, where there is a short cut for it."""
    known = TRANSFER_SYNTAXES.get(transfer_syntax)
    if known is None or not known.little or known.deflated:
        return None
    return EXPLICIT_LE if known.explicit else IMPLICIT_LE


def follow(
    source: Source, encoding: Encoding, start: int, end: int, tags: tuple[int, int], wanted: Container[int]
) -> tuple[int, dict[int, Place]] | None:
    """Where the elements of the outermost level end, and the places of those that are ``wanted``.

    They end at ``end`` or behind it, or before the first tag that is not less than the second one of ``tags``. None
    where one is less than the first one, where they do not rise, a length is odd, a VR unknown, or a header cut off.
    """
    header = _HEADERS[encoding.explicit]
    least, stop = tags
    previous = least - 1
    found: dict[int, Place] = {}
    position = start
    lengths = 0
    data, base = source.window(start, 12)
    while position < end:
        at = position - base
        try:
            group, number, vr, length = header(data, at)
            tag = group << 16 | number
            if tag <= previous:
                return None
            if tag >= stop:
                break
            if vr in _SHORT_HEADERS:
                value = position + 8
            elif vr in LONG_VRS:
                value = position + 12
                (length,) = _LONG_LENGTH(data, at + 8)
            else:
                return None
        except _NotAtHand:
            held, (data, base) = data, source.window(position, 12)
            if not at or data is held:
                return None
            continue
        if tag in wanted:
            found[tag] = position, value, length
        previous = tag
        if length != OPEN:
            lengths |= length
            position = value + length
        else:
            inside = vr in _SEQUENCES and tag != _PIXEL_DATA
            following = _behind_sequence(data, header, value - base) if inside else 0
            position = base + following if following else _behind(source, encoding, position, end)
    return None if lengths & 1 else (position, found)


def _behind_sequence(data: bytes, header: Header, position: int) -> int:  # noqa: C901 - one loop, local variables
    """Where a sequence of undefined length ends whose first item is at ``position``; 0 where there is more to it.

    Levels are items and elements in turn. What has a defined length is passed over, so that all levels are delimited.
    """
    depth = 1
    try:
        while 0 < depth < 2 * MAX_NESTING:
            if depth & 1:
                tag, length = _ITEM_HEADER(data, position)
                position += 8
                if tag == _SEQUENCE_END:
                    depth -= 1
                elif tag != _ITEM:
                    return 0
                elif length == OPEN:
                    depth += 1
                else:
                    position += length
                continue
            group, number, vr, length = header(data, position)
            if group == _ITEM_GROUP:
                if number != _ITEM_END:
                    return 0
                position += 8
                depth -= 1
                continue
            if vr in _SHORT_HEADERS:
                position += 8
            elif vr in LONG_VRS:
                (length,) = _LONG_LENGTH(data, position + 8)
                position += 12
            else:
                return 0
            if length != OPEN:
                position += length
            elif vr in _SEQUENCES and group << 16 | number != _PIXEL_DATA:
                depth += 1
            else:
                return 0
    except _NotAtHand:
        return 0
    return 0 if depth else position


def _behind(source: Source, encoding: Encoding, position: int, end: int) -> int:
    """Where the element behind the one at ``position`` begins; behind ``end`` where its own end is not to be found."""
    elements = walk(source, encoding, position, end)
    try:
        next(elements)
        return next(elements)[3]
    except FileError:
        return end + 1
