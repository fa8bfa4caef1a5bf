"""The one walker over encoded data elements (PS3.5 section 7): where each one stands, how long it is, where it ends.

It owns tags, VRs, lengths, sequences, items and fragments. It looks at no value and knows no meaning of any tag:
what the elements say is decided by those who walk.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.errors import FileError
from dcmsend.light import NamedTuple
from dcmsend.reasons import Reason, because
from dcmsend.uids import TRANSFER_SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Generator
    from typing import Any, Final, TypeAlias

    from dcmsend.files.sources import Source


class Encoding(NamedTuple):
    """How data elements are written (PS3.5 7.1): with their VR or without, and the byte order."""

    explicit: bool
    little: bool


IMPLICIT_LE: Final = Encoding(explicit=False, little=True)
EXPLICIT_LE: Final = Encoding(explicit=True, little=True)
EXPLICIT_BE: Final = Encoding(explicit=True, little=False)

# depth, tag, VR (b"" in implicit encoding and for items), offset of the header, offset of the value, length
# (UNDEFINED for an undefined one). A plain tuple: naming its fields would double the cost of the walk.
Element: TypeAlias = tuple[int, int, bytes, int, int, int]

UNDEFINED: Final = -1
ITEM: Final = 0xFFFEE000
END: Final = 1 << 32  # not a tag: greater than all of them, and the last element of every walk
UNBOUNDED: Final = 1 << 62  # the end of a source that ends when it ends
MAX_NESTING: Final = 64

SHORT_VRS: Final = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US")
)  # fmt: skip
LONG_VRS: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
KNOWN_VRS: Final = SHORT_VRS | LONG_VRS
_FRAGMENT_VRS: Final = frozenset((b"OB", b"OW"))
_PIXEL_DATA: Final = 0x7FE00010
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF

_HEADERS: Final = {True: Struct("<HH2sH").unpack_from, False: Struct(">HH2sH").unpack_from}
_LENGTHS: Final = {True: Struct("<L").unpack_from, False: Struct(">L").unpack_from}


class StructureError(FileError):
    """The encoding breaks at ``offset``, in an element at nesting ``depth`` (0 for the data set's own elements)."""

    def __init__(self, tag: int, offset: int, depth: int, why: Reason) -> None:
        super().__init__(because("at_element", why, tag=tag_text(tag), offset=offset))
        self.tag = tag
        self.offset = offset
        self.depth = depth


# What stands at a level of nesting.
_ELEMENTS: Final = 0
_ITEMS: Final = 1  # of a sequence
_FRAGMENTS: Final = 2  # of encapsulated pixel data


def tag_text(tag: int) -> str:
    """A tag as it is usually written: ``(0010,0020)``."""
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def is_vr(vr: bytes) -> bool:
    """Return True if this is a VR, or may become one: two capital letters."""
    return vr.isalpha() and vr.isupper()


def encoding_of(transfer_syntax: str) -> Encoding:
    """How data elements are written in a transfer syntax. Unknown and private ones are explicit little endian."""
    known = TRANSFER_SYNTAXES.get(transfer_syntax)
    return Encoding(known.explicit, known.little) if known else EXPLICIT_LE


def walk(  # noqa: C901 - one loop with everything in local variables: most of a check's time is spent here
    source: Source,
    encoding: Encoding,
    start: int,
    end: int,
    descend: Container[int] = frozenset(),
    stop: int = END,
) -> Generator[Element, int | None, None]:
    """All elements from ``start`` to ``end`` in file order, then one with the tag ``END`` where the walk ended.

    Sequences, items and fragments are shown only inside the elements whose tags are in ``descend``; all others are
    passed over, by their length or by looking for their delimiter. ``descend`` is asked after the element was yielded.
    A VR that is none comes out as it stands there: whoever writes it anew makes UN of it.
    The walk ends before the first element of the outermost level with a tag of at least ``stop``. A source that ends
    before ``end`` is taken as it is. An offset that is sent into the generator when it has yielded an item is where it
    goes on: behind that item. Raises StructureError, and FileError from the source.
    """
    explicit, little = encoding
    header, long_length = _HEADERS[little], _LENGTHS[little]
    kind, limit, delimited, shown = _ELEMENTS, end, False, True
    owner, owner_offset = 0, start
    stack: list[Any] = []  # what these four lines say, for each level around the present one
    position = start
    depth = tag = 0
    buffer, base = source.window(position, 12)
    held = base + len(buffer)
    bound = min(held, limit)  # within which nothing but headers has to be looked at
    while True:
        if position + 12 > bound:
            if position >= limit:
                if delimited:
                    raise StructureError(owner, owner_offset, depth - 1, because("end_missing"))
                if not stack:
                    yield 0, END, b"", position, position, 0
                    return
                explicit, header, long_length, kind, limit, delimited, shown, owner, owner_offset = stack.pop()
                bound = min(held, limit)
                depth -= 1
                continue
            if position + 12 > held:
                buffer, base = source.window(position, 12)
                held = base + len(buffer)
                bound = min(held, limit)
            if position + 8 > held or position + 8 > limit:
                if position == held and not stack and end == UNBOUNDED:
                    yield 0, END, b"", position, position, 0
                    return
                raise _cut_short(tag, position, held, depth)
        group, number, vr, length = header(buffer, position - base)
        tag = group << 16 | number
        if tag >= stop and not depth:
            yield 0, END, b"", position, position, 0
            return
        if group == 0xFFFE or kind:
            # An item, a fragment or a delimiter (PS3.5 7.5): no VR, whatever the encoding.
            (length,) = long_length(buffer, position - base + 4)
            value = position + 8
            if tag != ITEM or not kind:
                # One that ends what has a defined length is needless, but may stand at its very end.
                ends = delimited or (stack and value == limit)
                if not ends or tag != (_SEQUENCE_END if kind else _ITEM_END):
                    raise StructureError(tag, position, depth, because("out_of_place"))
                explicit, header, long_length, kind, limit, delimited, shown, owner, owner_offset = stack.pop()
                bound = min(held, limit)
                depth -= 1
                position = value
                continue
            unlimited = length == _UNDEFINED_LENGTH
            if unlimited:
                if kind == _FRAGMENTS:
                    raise StructureError(ITEM, position, depth, because("open_fragment"))
            elif value + length > limit:
                raise _too_long(ITEM, position, depth, length)
            if shown:
                jump = yield depth, ITEM, b"", position, value, UNDEFINED if unlimited else length
                if jump is not None:
                    if jump > limit:
                        raise _too_long(ITEM, position, depth, jump - value)
                    position = jump
                    continue
            if not unlimited and (kind == _FRAGMENTS or not shown):
                position = value + length
                continue
            stack.append((explicit, header, long_length, kind, limit, delimited, shown, owner, owner_offset))
            kind = _ELEMENTS
        else:
            if explicit:
                if vr in SHORT_VRS or not (vr in LONG_VRS or (vr.isalpha() and vr.isupper())):
                    # Two capital letters may be a VR of the future, which has a long length (PS3.5 7.1.2); all else
                    # is none, as devices write it for what they do not know, with a short one.
                    value = position + 8
                else:
                    value = position + 12
                    if value > held or value > limit:
                        raise _cut_short(tag, position, held, depth)
                    (length,) = long_length(buffer, position - base + 8)
            else:
                (length,) = long_length(buffer, position - base + 4)
                value = position + 8
                vr = b""
            unlimited = length == _UNDEFINED_LENGTH
            if not unlimited:
                following = value + length
                if following > limit:
                    raise _too_long(tag, position, depth, length)
                if shown:
                    yield depth, tag, vr, position, value, length
                if tag not in descend or not shown:
                    position = following
                    continue
            elif shown:
                yield depth, tag, vr, position, value, UNDEFINED
            stack.append((explicit, header, long_length, kind, limit, delimited, shown, owner, owner_offset))
            kind = _ITEMS
            if vr == b"UN":  # PS3.5 6.2.2 note 4 (CP-246)
                explicit, header, long_length = False, _HEADERS[True], _LENGTHS[True]
            elif vr in _FRAGMENT_VRS or (tag == _PIXEL_DATA and not vr):
                kind = _FRAGMENTS
            shown = shown and tag in descend
        if depth >= 2 * MAX_NESTING:
            raise StructureError(tag, position, depth, because("nested_too_deep", most=MAX_NESTING))
        depth += 1
        owner, owner_offset = tag, position
        delimited = unlimited
        if not unlimited:
            limit = value + length
            bound = min(held, limit)
        position = value


def _too_long(tag: int, position: int, depth: int, length: int) -> StructureError:
    code = "past_what_holds_it" if depth else "past_the_end"
    return StructureError(tag, position, depth, because(code, length=length))


def _cut_short(tag: int, position: int, held: int, depth: int) -> StructureError:
    if position > held:
        return StructureError(tag, held, depth, because("value_cut_off"))
    return StructureError(tag, position, depth, because("header_cut_off"))
