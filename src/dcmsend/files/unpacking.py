"""Bytes of an open file as they are when unpacked, forwards only: deflate, gzip, bzip2, xz, or as they stand.

Owns how much is held at once, whatever comes out: a few chunks, and what the xz format needs. It knows nothing of what
is in the bytes. Raises FileError where they are damaged, and where they end too early.
"""

from __future__ import annotations

import os
from zlib import crc32

from dcmsend.errors import FileError
from dcmsend.files.parts import OpenMemory, OpenPart
from dcmsend.files.sources import FileSource, read_at
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from dcmsend.files.opening import OpenFile

STORED: Final = "stored"
DEFLATE: Final = "deflate"  # raw, as in zip archives
GZIP: Final = "gzip"
BZIP2: Final = "bzip2"
XZ: Final = "xz"

CHUNK: Final = 65536
MAX_XZ_MEMORY: Final = 128 << 20  # bytes that unpacking xz may take; its strongest setting wants 65 MiB
MEMORY_LIMIT: Final = 64 << 20  # bytes of an unpacked file that are kept in memory; a longer one goes to a file
MAX_LOOK: Final = 17 << 20  # bytes of a file that are looked at for its head
CUT: Final = because("archive_cut")


class Stream:
    """What is between two offsets of an open file, unpacked. ``position`` counts the bytes given out."""

    def __init__(self, descriptor: int, start: int, end: int, method: str = STORED) -> None:
        self.position = 0
        self.stored = method == STORED
        self._descriptor = descriptor
        self._start = self._at = start
        self._end = end
        self._method = method
        self._unpacker = _unpacker(method)
        self._ready = b""

    def read(self, count: int) -> bytes:
        """So many bytes, fewer only at the end."""
        pieces = []
        left = count
        while left and (piece := self._take(left)):
            pieces.append(piece)
            left -= len(piece)
        self.position += count - left
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip(self, count: int) -> None:
        """Pass over so many bytes, which must be there."""
        if self.stored:
            if self._at + count > self._end:
                raise FileError(CUT)
            self._at += count
            self.position += count
            return
        while count:
            passed = len(self.read(min(count, CHUNK)))
            if not passed:
                raise FileError(CUT)
            count -= passed

    def _take(self, count: int) -> bytes:
        """Some of the next bytes."""
        if self._unpacker is None:
            return self._packed(count)
        if not self._ready:
            self._ready = self._unpack()
        data, self._ready = self._ready[:count], self._ready[count:]
        return data

    def _packed(self, count: int) -> bytes:
        data = read_at(self._descriptor, min(count, self._end - self._at), self._at)
        if not data and self._at < self._end:
            raise FileError(CUT)
        self._at += len(data)
        return data

    def _unpack(self) -> bytes:
        """The next bytes; none at the end of the last stream."""
        unpacker = self._unpacker
        while True:
            if unpacker.eof and not self._go_on(unpacker):
                return b""
            unpacker = self._unpacker
            data = self._packed(CHUNK) if unpacker.needs_input else b""
            at_end = unpacker.needs_input and not data
            try:
                chunk: bytes = unpacker.decompress(data, CHUNK)
            except Exception as error:  # noqa: BLE001 - each library has its own
                raise FileError(because("archive_cut", because("unpacking", words=str(error)))) from None
            if chunk:
                return chunk
            if at_end and not unpacker.eof:
                raise FileError(CUT)

    def _go_on(self, unpacker: Any) -> bool:
        """Behind the end of a stream: whether another one follows, as these formats allow."""
        if self._method == DEFLATE:
            return False
        rest = unpacker.unused_data.lstrip(b"\0")
        while not rest:
            data = self._packed(CHUNK)
            if not data:
                return False
            rest = data.lstrip(b"\0")
        self._at -= len(rest)
        self._unpacker = _unpacker(self._method)
        return True


class _Zlib:
    """A decompressor of zlib with the manners of the others."""

    def __init__(self, window: int) -> None:
        from zlib import decompressobj

        self._object = decompressobj(window)

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._object.decompress(self._object.unconsumed_tail + data, most)

    @property
    def needs_input(self) -> bool:
        return not self._object.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data


def _unpacker(method: str) -> Any:
    if method == DEFLATE:
        return _Zlib(-15)
    if method == GZIP:
        return _Zlib(31)
    if method == BZIP2:
        from bz2 import BZ2Decompressor

        return BZ2Decompressor()
    if method == XZ:
        from lzma import FORMAT_XZ, LZMADecompressor

        return LZMADecompressor(FORMAT_XZ, MAX_XZ_MEMORY)
    return None


class HeadSource(FileSource):
    """The beginning of a file that comes as a stream: as much as somebody wants to see, up to a limit, is kept."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[int], bytes], size: int, head_size: int) -> None:
        self._read = read
        self.descriptor = -1
        self.size = size
        self.head = b""
        self._buffer, self._base = b"", 0
        self._grow(min(size, head_size))

    def window(self, offset: int, need: int) -> tuple[bytes, int]:
        end = min(offset + need, self.size)
        if end > len(self.head):
            if end > MAX_LOOK:
                raise FileError(because("member_long_head", most=MAX_LOOK))
            self._grow(min(max(end, 2 * len(self.head)), self.size, MAX_LOOK))
        return self.head, 0

    def _grow(self, length: int) -> None:
        self.head += self._read(length - len(self.head))
        if len(self.head) < length:
            raise FileError(CUT)


def unpacked(stream: Stream, size: int, checksum: int | None = None) -> OpenFile:
    """The next ``size`` bytes of a stream as an open file. Raises FileError also where the checksum is another one."""
    if size > MEMORY_LIMIT:
        return _in_a_file(stream, size, checksum)
    data = stream.read(size)
    if len(data) < size:
        raise FileError(CUT)
    _require(checksum, crc32(data) if checksum is not None else 0)
    return OpenMemory(data)


def _in_a_file(stream: Stream, size: int, checksum: int | None) -> OpenFile:
    """In a file without a name, in the folder for temporary files."""
    from tempfile import TemporaryFile

    found = left = 0
    try:
        with TemporaryFile(buffering=0) as file:
            left = size
            while left:
                chunk = stream.read(min(left, CHUNK * 16))
                if not chunk:
                    raise FileError(CUT)
                found = crc32(chunk, found) if checksum is not None else 0
                left -= len(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]
            _require(checksum, found)
            return OpenPart(file.fileno(), 0, size)
    except OSError as error:
        raise FileError(because("no_temporary_room", of_system(error))) from None


def require_checksum(stream: Stream, size: int, checksum: int) -> None:
    """Read on for ``size`` bytes, which must have that checksum."""
    found = 0
    while size:
        chunk = stream.read(min(size, CHUNK * 16))
        if not chunk:
            raise FileError(CUT)
        found = crc32(chunk, found)
        size -= len(chunk)
    _require(checksum, found)


def _require(checksum: int | None, found: int) -> None:
    if checksum is not None and checksum != found:
        raise FileError(because("archive_checksum"))


def mark_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file is replaced or written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
