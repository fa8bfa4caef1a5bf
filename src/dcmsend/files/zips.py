"""Zip archives (APPNOTE.TXT of PKWARE): the directory at the end, and each member as an open file.

Owns the format and what is believed of it: nothing before it was held against the size of the file. The directory is
read whole and kept, nothing else is.
"""

from __future__ import annotations

from itertools import count as counted
from itertools import pairwise
from struct import Struct

from dcmsend.errors import FileError
from dcmsend.files.names import Names
from dcmsend.files.parts import OpenPart
from dcmsend.files.sources import read_at
from dcmsend.files.unpacking import BZIP2, CUT, DEFLATE, STORED, Stream, require_checksum, unpacked
from dcmsend.light import NamedTuple
from dcmsend.reasons import NONE, because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from dcmsend.files.opening import OpenFile
    from dcmsend.reasons import Reason

MAX_DIRECTORY: Final = 128 << 20  # bytes
MAX_MEMBERS: Final = 1_000_000
MAX_RATIO: Final = 1100  # unpacked to packed; deflate comes to 1032 at most
SMALL: Final = 64 << 20  # bytes unpacked, up to which nobody asks for the ratio

_END: Final = Struct("<4s4H2LH")
_END64_PLACE: Final = Struct("<4sLQL")
_END64: Final = Struct("<4sQ2H2L4Q")
_ENTRY: Final = Struct("<4s6H3L5H2L")
_LOCAL: Final = Struct("<4s5H3L2H")
_LONGEST_END: Final = _END.size + 65535  # with a comment
_ZIP64: Final = 1  # the extra field with long numbers
_ALL: Final = 0xFFFFFFFF  # "see there"
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_METHODS: Final = {0: STORED, 8: DEFLATE, 12: BZIP2}


class Member(NamedTuple):
    """A file in an archive. ``name``: as it is shown, and no other member's. Offsets and sizes are in bytes."""

    name: str
    offset: int  # of its own header
    packed: int
    size: int
    checksum: int
    method: int
    encrypted: bool

    @property
    def complaint(self) -> Reason:
        """Why it cannot be read, or ``NONE``."""
        if self.encrypted:
            return because("member_encrypted")
        if self.method not in _METHODS:
            return because("member_method", method=self.method)
        if self.method == 0 and self.packed != self.size:
            return because("member_two_sizes")
        return NONE


def read_directory(descriptor: int, size: int) -> list[Member]:
    """All files in an archive of ``size`` bytes, in the order of its directory. Raises FileError."""
    count, length, start, shift = _find_directory(descriptor, size)
    if length > MAX_DIRECTORY or count > MAX_MEMBERS:
        raise FileError(because("archive_too_large", bytes=MAX_DIRECTORY, entries=MAX_MEMBERS))
    directory = read_at(descriptor, length, start)
    if len(directory) < length:
        raise FileError(CUT)
    members = list(_members(directory, count, shift))
    _require_apart(members, start)
    total = sum(member.size for member in members)
    if total > SMALL and total > MAX_RATIO * size:
        raise FileError(because("archive_bomb", size=total, most=MAX_RATIO))
    return members


def _find_directory(descriptor: int, size: int) -> tuple[int, int, int, int]:
    """Count of entries, length, offset, and by how much offsets are to be raised as something stands in front."""
    tail_at = max(size - _LONGEST_END, 0)
    tail = read_at(descriptor, size - tail_at, tail_at)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise FileError(because("archive_without_directory"))
    _, disk, first_disk, _, count, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_at + at
    place = read_at(descriptor, _END64_PLACE.size, max(end - _END64_PLACE.size, 0))
    if place[:4] == b"PK\6\7":
        end, disk, first_disk, count, length, offset = _find_directory64(descriptor, end, place)
    if disk or first_disk:
        raise FileError(because("archive_in_parts"))
    shift = end - length - offset
    if shift < 0:
        raise FileError(CUT)
    if shift and b"PK\5\6" in read_at(descriptor, min(shift, _LONGEST_END), max(shift - _LONGEST_END, 0)):
        raise FileError(because("archive_joined"))  # its directory does not name what is in the one in front
    return count, length, offset + shift, shift


def _find_directory64(descriptor: int, end: int, place: bytes) -> tuple[int, int, int, int, int, int]:
    """The same for long numbers. ``place``: what says where their record stands."""
    if len(place) < _END64_PLACE.size:
        raise FileError(CUT)
    found = end - _END64_PLACE.size - _END64.size  # where it stands unless it has further fields
    record = read_at(descriptor, _END64.size, max(found, 0))
    if record[:4] != b"PK\6\6":
        found = min(_END64_PLACE.unpack(place)[2], end)
        record = read_at(descriptor, _END64.size, found)
    if len(record) < _END64.size or record[:4] != b"PK\6\6":
        raise FileError(CUT)
    _, _, _, _, disk, first_disk, _, count, length, offset = _END64.unpack(record)
    return found, disk, first_disk, count, length, offset


def _members(directory: bytes, count: int, shift: int) -> Iterator[Member]:
    """All entries. ``count`` may be what is left of their number by 65536: some tools write it so."""
    names = Names()
    at = 0
    for number in counted():
        if number >= count and not (number - count) % 65536 and directory[at : at + 4] != b"PK\1\2":
            return
        if number >= MAX_MEMBERS:
            raise FileError(because("archive_too_large", bytes=MAX_DIRECTORY, entries=MAX_MEMBERS))
        if at + _ENTRY.size > len(directory):
            raise FileError(CUT)
        fields = _ENTRY.unpack_from(directory, at)
        magic, _, _, flags, method, _, _, checksum, packed, size, name_length, extra_length, comment_length = fields[
            :13
        ]
        offset = fields[16]
        name_at = at + _ENTRY.size
        extra_at = name_at + name_length
        at = extra_at + extra_length + comment_length
        if magic != b"PK\1\2" or at > len(directory):
            raise FileError(CUT)
        name = directory[name_at:extra_at]
        if _ALL in (packed, size, offset):
            size, packed, offset = _long(directory[extra_at : extra_at + extra_length], size, packed, offset)
        if not name.endswith((b"/", b"\\")):
            shown = names.unused(name)
            yield Member(shown, offset + shift, packed, size, checksum, method, bool(flags & _ENCRYPTED))


def _long(extra: bytes, *numbers: int) -> Iterator[int]:
    """The numbers, with those in the extra field for long ones in their places."""
    at = 0
    long = b""
    while at + 4 <= len(extra):
        kind, length = int.from_bytes(extra[at : at + 2], "little"), int.from_bytes(extra[at + 2 : at + 4], "little")
        if kind == _ZIP64:
            long = extra[at + 4 : at + 4 + length]
            break
        at += 4 + length
    for number in numbers:
        if number == _ALL:
            if len(long) < 8:
                raise FileError(CUT)
            number, long = int.from_bytes(long[:8], "little"), long[8:]
        yield number


def _require_apart(members: list[Member], directory: int) -> None:
    """Raises FileError where members overlap: then a small archive may unpack to any size."""
    places = sorted((member.offset, member.offset + _LOCAL.size + member.packed) for member in members)
    if any(end > start for (_, end), (start, _) in pairwise(places)) or (places and places[-1][1] > directory):
        raise FileError(because("archive_overlap"))


def stream_of(descriptor: int, member: Member) -> tuple[Stream, int]:
    """What is in a member, and where its packed bytes begin. Raises FileError."""
    if member.complaint:
        raise FileError(member.complaint)
    local = read_at(descriptor, _LOCAL.size, member.offset)
    if len(local) < _LOCAL.size or local[:4] != b"PK\3\4":
        raise FileError(CUT)
    start = member.offset + _LOCAL.size + sum(_LOCAL.unpack(local)[9:])
    return Stream(descriptor, start, start + member.packed, _METHODS[member.method]), start


def verify(descriptor: int, member: Member) -> None:
    """Raises FileError where a member is not what the archive says of it: then nobody knows what it was."""
    stream, _ = stream_of(descriptor, member)
    require_checksum(stream, member.size, member.checksum)


def opened(descriptor: int, member: Member, unchanged: Callable[[], None]) -> OpenFile:
    """A member as an open file: where it is not packed it is read in place. Raises FileError, also if it is damaged."""
    stream, start = stream_of(descriptor, member)
    if member.method == 0:
        require_checksum(stream, member.size, member.checksum)
        return OpenPart(descriptor, start, member.size, unchanged)
    file = unpacked(stream, member.size, member.checksum)
    try:
        if stream.read(1):
            raise FileError(because("member_too_long"))
    except BaseException:
        file.close()
        raise
    return file
