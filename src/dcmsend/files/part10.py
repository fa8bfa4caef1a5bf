"""The head of a Part 10 file: preamble, prefix, file meta information, and where the data set begins (PS3.10 7.1).

It owns group 0002 and knows nothing of the data set behind it. Always explicit little endian, except that some writers
leave the VRs out. The group length is not looked at: it is missing or wrong too often, and the group ends where its
last element does. Reasons are in DCMTK's words.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.files.elements import EXPLICIT_LE, IMPLICIT_LE, LONG_VRS, SHORT_VRS, StructureError, walk
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.files.elements import Encoding
    from dcmsend.files.sources import Source

PREFIX_OFFSET: Final = 128
META_OFFSET: Final = PREFIX_OFFSET + 4
MAX_META: Final = 16 << 20  # bytes
MAX_UID_VALUE: Final = 1024  # bytes that are read of a UID's value: enough to see that it is too long

MISSING: Final = "File meta information header missing"
CUT_SHORT: Final = "I/O suspension or premature end of stream"
EMPTY: Final = "End of stream"

META_GROUP: Final = 0x0002
NEXT_GROUP: Final = 0x00030000  # the first tag that is not in it
META_SOP_CLASS: Final = 0x00020002
META_SOP_INSTANCE: Final = 0x00020003
META_TRANSFER_SYNTAX: Final = 0x00020010
META_UIDS: Final = frozenset((META_SOP_CLASS, META_SOP_INSTANCE, META_TRANSFER_SYNTAX))


class Meta(NamedTuple):
    """What the file meta information says; an empty UID is one that is missing."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    dataset_offset: int


def read_meta(source: Source, size: int, *, prefix_needed: bool = True) -> Meta:
    """The file meta information of a file of ``size`` bytes.

    Without ``prefix_needed`` it may also stand at the very beginning of the file, where writers forgot the preamble.
    Raises FileError.
    """
    start = _meta_offset(source, size, prefix_needed=prefix_needed)
    end = min(size, start + MAX_META)
    uids: dict[int, str] = {}
    offset = start
    try:
        for depth, tag, _, offset, value, length in walk(  # noqa: B007 - where the loop leaves it, the data set begins
            source, _encoding(source, start), start, end, stop=NEXT_GROUP
        ):
            if tag >> 16 != META_GROUP and not depth:
                break
            if tag in META_UIDS and tag not in uids:
                uids[tag] = read_uid(source, value, length)
    except StructureError as error:
        if error.depth or error.tag >> 16 == META_GROUP:
            words = CUT_SHORT if end == size else f"File meta information is longer than {MAX_META} bytes"
            raise FileError(f"{words}: {error.reason}") from None
        offset = error.offset  # the data set begins here, in another encoding and with an element of a low group
    sop_class, sop_instance, transfer_syntax = (
        uids.get(tag, "") for tag in (META_SOP_CLASS, META_SOP_INSTANCE, META_TRANSFER_SYNTAX)
    )
    return Meta(sop_class, sop_instance, transfer_syntax, offset)


def has_prefix(source: Source) -> bool:
    """Whether DICM stands behind a preamble."""
    buffer, base = source.window(PREFIX_OFFSET, 4)
    return buffer[PREFIX_OFFSET - base : META_OFFSET - base] == b"DICM"


def read_uid(source: Source, value: int, length: int) -> str:
    """The UID in a value of ``length`` bytes (undefined: none) at offset ``value``."""
    length = min(length, MAX_UID_VALUE)
    if length <= 0:
        return ""
    buffer, base = source.window(value, length)
    return uid_of(buffer[value - base : value - base + length])


def uid_of(value: bytes) -> str:
    """The UID in an element's value, without its padding (PS3.5 9.1; blanks are seen instead of NUL)."""
    return value.rstrip(b"\0 ").decode("latin-1")


def _meta_offset(source: Source, size: int, *, prefix_needed: bool) -> int:
    if size == 0:
        raise FileError(EMPTY)
    if has_prefix(source):
        if size == META_OFFSET:
            raise FileError(CUT_SHORT)
        return META_OFFSET
    buffer, base = source.window(0, 4)
    if not prefix_needed and base == 0 and buffer[:2] == b"\x02\x00" and buffer[3:4] == b"\x00":
        return 0
    raise FileError(f"{MISSING} (if it is a bare data set: --read-file takes these too)")


def _encoding(source: Source, start: int) -> Encoding:
    buffer, base = source.window(start, 6)
    vr = buffer[start - base + 4 : start - base + 6]
    return EXPLICIT_LE if vr in SHORT_VRS or vr in LONG_VRS else IMPLICIT_LE
