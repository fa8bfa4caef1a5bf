"""Windows on the bytes of a file: all of them at hand, read on demand, or inflated on the way.

A source owns where bytes come from and how many are held at once; it knows nothing of data elements. Offsets are
absolute: bytes of the file, or of the inflated data set (PS3.5 A.5).
"""

from __future__ import annotations

import os
from struct import pack

from dcmsend.errors import FileError
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Protocol

    class Source(Protocol):
        """Something that can show its bytes from any offset onwards, a window at a time."""

        def window(self, offset: int, need: int) -> tuple[bytes, int]:
            """A buffer, and the absolute offset of its first byte, which is at most ``offset``.

            The buffer holds ``need`` bytes from ``offset``, or all that there are. Raises FileError.
            """


WINDOW: Final = 65536
_SMALL_WINDOW: Final = 4096
_HAS_PREAD: Final = hasattr(os, "pread")


class BytesSource:
    """Bytes that are already in memory."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def window(self, offset: int, need: int) -> tuple[bytes, int]:  # noqa: ARG002
        return self._data, 0


class FileSource:
    """An open file of ``size`` bytes. Its first ``head_size`` bytes are read at once and kept.

    The caller owns ``descriptor``. ``go_on`` is called before more is read, and raises where nobody wants it any more.
    Raises FileError where the system cannot read.
    """

    __slots__ = ("_base", "_buffer", "descriptor", "go_on", "head", "size")
    start = 0  # where its first byte stands in what ``descriptor`` is for

    def __init__(self, descriptor: int, size: int, head_size: int = WINDOW) -> None:
        self.descriptor = descriptor
        self.size = size
        self.go_on: Callable[[], None] | None = None
        self.head = read_at(descriptor, min(size, head_size), 0)
        self._buffer, self._base = self.head, 0

    def window(self, offset: int, need: int) -> tuple[bytes, int]:
        end = min(offset + need, self.size)
        if end <= len(self.head):
            return self.head, 0
        held = self._base + len(self._buffer)
        if offset < self._base or end > held:
            if self.go_on is not None:
                self.go_on()
            # After a jump (over a value, from fragment to fragment) chances are that only a header is wanted.
            ahead = _SMALL_WINDOW if offset > held + WINDOW else WINDOW
            self._buffer = read_at(self.descriptor, min(max(need, ahead), max(self.size - offset, 0)), offset)
            self._base = offset
        return self._buffer, self._base


class InflateSource:
    """A raw deflate stream (RFC 1951, PS3.5 A.5) from ``start`` to ``end`` of another source, forwards only.

    At most two windows are held. ``limit`` bounds how many bytes are inflated: what lies behind is not shown.
    Raises FileError where the stream is not deflate data.
    """

    __slots__ = (
        "_base",
        "_broken",
        "_buffer",
        "_checksum",
        "_checksum_of",
        "_end",
        "_inflater",
        "_limit",
        "_position",
        "_source",
    )

    def __init__(self, source: Source, start: int, end: int, limit: int | None = None) -> None:
        self._source = source
        self._position, self._end = start, end
        self._limit = limit
        import zlib  # most data sets are not deflated

        self._broken = zlib.error
        self._checksum_of = zlib.crc32
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._buffer, self._base = b"", 0
        self._checksum = 0

    def window(self, offset: int, need: int) -> tuple[bytes, int]:
        if offset < self._base:
            raise FileError(because("deflate_backwards"))
        while self._base + len(self._buffer) < offset + need:
            chunk = self._inflate()
            if not chunk:
                break
            keep = self._buffer[max(offset - self._base, 0) :]
            self._base += len(self._buffer) - len(keep)
            self._buffer = keep + chunk
        return self._buffer, self._base

    @property
    def complete(self) -> bool:
        """Whether the end of the stream has been reached, and was there."""
        return self._inflater.eof

    @property
    def position(self) -> int:
        """Where the compressed bytes that are still unread begin: behind the stream once it is ``complete``."""
        return self._position

    @property
    def gzip_trailer(self) -> bytes:
        """What gzip would write behind the stream (RFC 1952 2.3.1), as far as the stream has been inflated."""
        return pack("<LL", self._checksum, (self._base + len(self._buffer)) & 0xFFFFFFFF)

    def _inflate(self) -> bytes:
        """The next inflated bytes; none at the end of the stream, of the source, or behind the limit."""
        held = self._base + len(self._buffer)
        while not self._inflater.eof and (self._limit is None or held < self._limit):
            compressed = self._compressed()
            try:
                chunk = self._inflater.decompress(compressed, WINDOW)
            except self._broken as error:
                raise FileError(because("deflate_damaged", words=str(error))) from None
            left = len(self._inflater.unconsumed_tail) or len(self._inflater.unused_data)
            self._position += len(compressed) - left
            self._checksum = self._checksum_of(chunk, self._checksum)
            if chunk or not compressed:
                return chunk
        return b""

    def _compressed(self) -> bytes:
        buffer, base = self._source.window(self._position, 1)
        begin = self._position - base
        return buffer[begin : begin + min(WINDOW, max(self._end - self._position, 0))]


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """``length`` bytes of an open file from ``offset``, fewer only where it ends. Raises FileError."""
    data = _read_once(descriptor, length, offset)
    while 0 < len(data) < length:
        more = _read_once(descriptor, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def read_into(descriptor: int, views: list[memoryview], offset: int) -> int:
    """Read once from ``offset`` into ``views`` in order; the number of bytes, 0 at the end. Raises FileError."""
    try:
        if _HAS_PREADV:
            return os.preadv(descriptor, views, offset)
        data = _read_once(descriptor, len(views[0]), offset)
    except OSError as error:
        raise FileError(of_system(error)) from None
    views[0][: len(data)] = data
    return len(data)


_HAS_PREADV: Final = hasattr(os, "preadv")


def _read_once(descriptor: int, length: int, offset: int) -> bytes:
    try:
        if _HAS_PREAD:
            return os.pread(descriptor, length, offset)
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, length)
    except OSError as error:
        raise FileError(of_system(error)) from None
