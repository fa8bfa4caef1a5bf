"""Tar archives (POSIX.1 pax, ustar, GNU): headers one after the other, and members as open files.

Owns the format and the way through it: forwards. A member that lies behind is only there if it was passed over lately;
else the archive is read from its beginning once more.
"""

from __future__ import annotations

from _thread import allocate_lock

from dcmsend.errors import FileError
from dcmsend.files.names import Names
from dcmsend.files.parts import OpenMemory, OpenPart
from dcmsend.files.unpacking import CUT, STORED, Stream, unpacked
from dcmsend.light import NamedTuple
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from dcmsend.files.opening import OpenFile

BLOCK: Final = 512  # bytes
MAX_RECORDS: Final = 1 << 20  # bytes of a long name, or of the records in front of a member
MAX_MEMBERS: Final = 10_000_000
CACHE: Final = 64 << 20  # bytes of members that were passed over
CACHED: Final = 4096  # members that were passed over
MAX_REST: Final = 64 << 20  # bytes behind the end of the archive, which are looked at

FILE: Final = ""
FOLDER: Final = "folder"
SPARSE: Final = "sparse file"
_KINDS: Final = {
    b"0": FILE,
    b"\0": FILE,
    b"7": FILE,
    b"1": "link",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": FOLDER,
    b"6": "FIFO",
    b"S": SPARSE,
}
_GLOBAL, _RECORDS, _LONG_NAME, _LONG_LINK = b"g", b"x", b"L", b"K"


class Header(NamedTuple):
    """A member. ``name``: as it is shown. ``kind``: empty for a file, else what it is in a word."""

    name: str
    kind: str
    size: int
    offset: int  # of its first byte in the unpacked archive


def is_header(block: bytes) -> bool:
    """Whether a block is the header of a member: its checksum is right."""
    if len(block) < BLOCK or not any(block[:257]):
        return False
    try:
        stated = _number(block[148:156])
    except FileError:
        return False
    return stated == sum(block[:148]) + 8 * 32 + sum(block[156:BLOCK])


class Walk:
    """The members of an archive one after the other. ``names`` has those that were met."""

    def __init__(self, stream: Stream) -> None:
        self.names = Names()
        self.stream = stream
        self._next = 0  # where the next header stands
        self._count = 0

    def next(self) -> Header | None:
        """The next member, whose bytes come next in the stream; none at the end. Raises FileError."""
        name, size = b"", -1
        sparse = False
        while True:
            self.stream.skip(self._next - self.stream.position)
            block = self.stream.read(BLOCK)
            if block == bytes(BLOCK):
                self._read_rest()
                return None
            if not is_header(block):
                raise FileError(CUT)
            length, kind = _number(block[124:136]), block[156:157]
            if kind in (_RECORDS, _GLOBAL, _LONG_NAME, _LONG_LINK):
                records = self._records(length)
                if kind == _LONG_NAME:
                    name = records.rstrip(b"\0")
                elif kind == _RECORDS:
                    found = _parsed(records)
                    name, sparse = found.get(b"path", name), any(key.startswith(b"GNU.sparse.") for key in found)
                    size = _decimal(found[b"size"]) if b"size" in found else size
                continue
            return self._header(block, name, length if size < 0 else size, sparse=sparse)

    def _header(self, block: bytes, name: bytes, size: int, *, sparse: bool) -> Header:
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise FileError(because("archive_too_many", most=MAX_MEMBERS))
        if not name:
            name = block[:100].split(b"\0")[0]
            if block[257:263] == b"ustar\0" and block[345:346] != b"\0":
                name = block[345:500].split(b"\0")[0] + b"/" + name
        kind = SPARSE if sparse else _KINDS.get(block[156:157], "member of unknown kind")
        if kind == FILE and name.endswith(b"/"):
            kind = FOLDER
        if kind in ("link", "device", "FIFO", FOLDER):
            size = 0 if kind != FOLDER else size
        offset = self.stream.position
        self._next = offset + -(-size // BLOCK) * BLOCK
        return Header(self.names.unused(name), kind, size, offset)

    def _records(self, length: int) -> bytes:
        if length > MAX_RECORDS:
            raise FileError(because("archive_long_name", most=MAX_RECORDS))
        records = self.stream.read(length)
        if len(records) < length:
            raise FileError(CUT)
        self._next = self.stream.position + -length % BLOCK
        return records

    def _read_rest(self) -> None:
        """What follows the end: the checksum of a packed archive comes last, and no member must stand there."""
        left = MAX_REST
        while left > 0 and (chunk := self.stream.read(128 * BLOCK)):
            left -= len(chunk)
            if any(chunk) and any(is_header(chunk[at : at + BLOCK]) for at in range(0, len(chunk), BLOCK)):
                raise FileError(because("archive_joined"))


def _number(field: bytes) -> int:
    """A number of a header: octal digits, or with the first bit set a binary one (GNU)."""
    if field[:1] >= b"\x80":
        if field[0] != 0x80:  # below zero
            raise FileError(CUT)
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    if digits.strip(b"01234567"):
        raise FileError(CUT)
    return int(digits or b"0", 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise FileError(CUT)
    return int(text)


def _parsed(records: bytes) -> dict[bytes, bytes]:
    """The records of a pax header: ``length key=value`` and a line end each."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(records) and records[at]:
        length_text, _, _ = records[at : at + 20].partition(b" ")
        length = _decimal(length_text)
        record = records[at : at + length]
        if length <= len(length_text) + 1 or len(record) < length:
            raise FileError(CUT)
        key, _, value = record[len(length_text) + 1 : -1].partition(b"=")
        found[key] = value
        at += length
    return found


class Reader:
    """Members of an archive by their names, asked for by several threads nearly in the order of the archive.

    ``restarts`` counts how often it had to begin anew.
    """

    def __init__(self, descriptor: int, size: int, method: str, unchanged: Callable[[], None]) -> None:
        self.restarts = 0
        self._descriptor = descriptor
        self._size = size
        self._method = method
        self._unchanged = unchanged
        self._lock = allocate_lock()
        self._passed: dict[str, Header | bytes] = {}  # members that nobody has asked for yet
        self._held = 0  # bytes in these
        self._walk = self._begin()

    def open(self, name: str) -> OpenFile:
        """Raises FileError where it is not there, or damaged."""
        with self._lock:
            passed = self._passed.pop(name, None)
            if isinstance(passed, bytes):
                self._held -= len(passed)
                return OpenMemory(passed)
            if passed is not None:
                return self._part(passed)
            if name in self._walk.names:
                self.restarts += 1
                self._walk = self._begin()
            try:
                return self._forward(name)
            except FileError:
                self._walk = self._begin()  # where it stands now nobody knows
                raise

    def _forward(self, name: str) -> OpenFile:
        while header := self._walk.next():
            if header.name == name and header.kind == FILE:
                return self._part(header) if self._method == STORED else unpacked(self._walk.stream, header.size)
            if header.kind == FILE:
                self._pass(header)
        raise FileError(because("not_in_archive"))

    def _pass(self, header: Header) -> None:
        """Keep what is passed over, for it may be asked for next."""
        if header.name in self._passed:
            return
        if self._method == STORED:
            self._passed[header.name] = header
        elif header.size <= CACHE // 4:
            data = self._walk.stream.read(header.size)
            if len(data) < header.size:
                raise FileError(CUT)
            self._passed[header.name] = data
            self._held += header.size
        while self._held > CACHE or len(self._passed) > CACHED:
            oldest = self._passed.pop(next(iter(self._passed)))
            self._held -= len(oldest) if isinstance(oldest, bytes) else 0

    def _part(self, header: Header) -> OpenFile:
        if header.offset + header.size > self._size:
            raise FileError(CUT)
        return OpenPart(self._descriptor, header.offset, header.size, self._unchanged)

    def _begin(self) -> Walk:
        return Walk(Stream(self._descriptor, 0, self._size, self._method))
