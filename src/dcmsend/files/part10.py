"""The head of a Part 10 file: preamble, prefix, file meta information, and where the data set begins (PS3.10 7.1).

It owns group 0002 and knows nothing of the data set behind it. Always explicit little endian, except that some writers
leave the VRs out or the byte order is the other one. The group ends where its last element does: its length, which is
missing or wrong too often, only tells which elements of group 0002 stand in the data set behind it.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.files.elements import KNOWN_VRS, Encoding, StructureError, walk
from dcmsend.light import NamedTuple
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.files.sources import Source

PREFIX_OFFSET: Final = 128
META_OFFSET: Final = PREFIX_OFFSET + 4
MAX_META: Final = 16 << 20  # bytes
MAX_UID_VALUE: Final = 1024  # bytes that are read of a UID's value: enough to see that it is too long

META_GROUP: Final = 0x0002
META_GROUP_LENGTH: Final = 0x00020000
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
    encoding = _encoding(source, start)
    uids: dict[int, str] = {}
    previous, stated, offset = -1, -1, start
    try:
        for depth, tag, vr, offset, value, length in walk(source, encoding, start, end, stop=NEXT_GROUP):
            if tag >> 16 != META_GROUP and not depth:
                break
            if offset == stated and (tag <= previous or (vr and vr not in KNOWN_VRS)):
                break  # it belongs to the data set, in the order or in the encoding of that
            previous = tag
            if tag == META_GROUP_LENGTH:
                stated = value + length + _number(source, value, length, encoding)
            elif tag in META_UIDS and tag not in uids:
                uids[tag] = read_uid(source, value, length)
    except StructureError as error:
        if error.offset != stated and (error.depth or error.tag >> 16 == META_GROUP):
            if end == size:
                raise FileError(because("cut_short", error.reason)) from None
            raise FileError(because("meta_too_long", error.reason, most=MAX_META)) from None
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
        raise FileError(because("empty_file"))
    if has_prefix(source):
        if size == META_OFFSET:
            raise FileError(because("cut_short"))
        return META_OFFSET
    buffer, base = source.window(0, 4)
    if not prefix_needed and base == 0 and (buffer[:2] + buffer[3:4] == b"\2\0\0" or buffer[:3] == b"\0\2\0"):
        return 0
    from dcmsend.files.foreign import foreign_file  # most files are none

    raise FileError(foreign_file(source))


def _encoding(source: Source, start: int) -> Encoding:
    buffer, base = source.window(start, 6)
    head = buffer[start - base : start - base + 6]
    return Encoding(explicit=head[4:] in KNOWN_VRS, little=head[:2] != b"\0\2")


def _number(source: Source, value: int, length: int, encoding: Encoding) -> int:
    """The number in a value of four bytes; 0 where it has another length."""
    if length != 4:
        return 0
    buffer, base = source.window(value, length)
    return int.from_bytes(buffer[value - base : value - base + length], "little" if encoding.little else "big")
