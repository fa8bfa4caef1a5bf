"""Where the bytes of an outgoing data set stand: in memory, in a file, in a stream that is made on the way.

A piece gives its bytes out once, from the first to the last, into buffers that belong to the sender. It knows nothing
of data elements, transfer syntaxes or PDUs. Memory never depends on the length of a piece, apart from ``Memory``.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.files.sources import read_at, read_into
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import IO, Final, Protocol

    class Piece(Protocol):
        """``length`` bytes that are given out one after the other."""

        @property
        def length(self) -> int:
            """How many bytes there are in all."""

        def fill(self, views: list[memoryview]) -> None:
            """Fill the writable ``views`` in order with the next bytes: there must be enough. Raises FileError."""


SPOOL_LIMIT: Final = 16 << 20  # bytes that a spool holds in memory
SHRUNK: Final = because("became_shorter")
_MAX_VIEWS: Final = 512  # per system call; Linux takes 1024
_CHUNK: Final = 65536


class Memory:
    """Bytes that are at hand."""

    __slots__ = ("_given", "_view", "length")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(data)
        self._given = 0
        self.length = len(self._view)

    def fill(self, views: list[memoryview]) -> None:
        position = self._given
        for view in views:
            view[:] = self._view[position : position + len(view)]
            position += len(view)
        self._given = position


class FileRange:
    """Bytes of an open file, read straight into the sender's buffers. The caller owns ``descriptor``."""

    __slots__ = ("_descriptor", "_position", "length")

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self._descriptor = descriptor
        self._position = offset
        self.length = length

    def fill(self, views: list[memoryview]) -> None:
        first = 0
        while first < len(views):
            count = read_into(self._descriptor, views[first : first + _MAX_VIEWS], self._position)
            if not count:
                raise FileError(SHRUNK)
            self._position += count
            while first < len(views) and count >= len(views[first]):
                count -= len(views[first])
                first += 1
            if count:
                views[first] = views[first][count:]


class Chunks:
    """``length`` bytes that come in chunks of any size from something that makes them when they are asked for."""

    __slots__ = ("_chunks", "_rest", "length")

    def __init__(self, chunks: Iterable[bytes], length: int) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self.length = length

    def fill(self, views: list[memoryview]) -> None:
        for view in views:
            filled = 0
            while filled < len(view):
                if not self._rest:
                    self._rest = memoryview(next(self._chunks, b""))
                    if not self._rest:
                        raise FileError(SHRUNK)
                count = min(len(view) - filled, len(self._rest))
                view[filled : filled + count] = self._rest[:count]
                self._rest = self._rest[count:]
                filled += count


class Spool:
    """Bytes that are made before they are sent: in memory up to ``limit``, beyond that in a file without a name.

    ``go_on`` is called before each write, and may raise. Close it when its piece has been given out.
    """

    def __init__(self, go_on: Callable[[], None] = lambda: None, limit: int = SPOOL_LIMIT) -> None:
        self.length = 0
        self._go_on = go_on
        self._limit = limit
        self._memory: bytearray | memoryview = bytearray()
        self._file: IO[bytes] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes at the end. Raises FileError where the system's temporary folder does not take them."""
        self._go_on()
        size = memoryview(data).nbytes
        if self._file is None and self.length + size > self._limit:
            self._spill()
        if self._file is None:
            self._memory = self._memory if isinstance(self._memory, bytearray) else bytearray(self._memory)
            self._memory += data
        else:
            _write(self._file, data)
        self.length += size

    def take(self, data: memoryview) -> None:
        """Like ``write``, of memory that does not change any more: kept without a copy where it is the first."""
        if self.length or data.nbytes > self._limit:
            self.write(data)
            return
        self._go_on()
        self._memory = data
        self.length = data.nbytes

    def piece(self, begin: int = 0, end: int | None = None) -> Piece:
        """What was written from ``begin`` to ``end`` (all of it), to be given out once. Nothing may be written then."""
        end = self.length if end is None else end
        if self._file is None:
            return Memory(memoryview(self._memory)[begin:end])
        return FileRange(self._file.fileno(), begin, end - begin)

    def close(self) -> None:
        """Let go of memory and file; closing twice does no harm."""
        self._memory = bytearray()
        if self._file is not None:
            self._file.close()

    def _spill(self) -> None:
        from tempfile import TemporaryFile

        try:
            self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the spool
        except OSError as error:
            raise _no_room(error) from None
        _write(self._file, self._memory)
        self._memory = bytearray()


def _write(file: IO[bytes], data: bytes | bytearray | memoryview) -> None:
    view = memoryview(data).cast("B")
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise _no_room(error) from None


def _no_room(error: OSError) -> FileError:
    return FileError(because("spool_full", of_system(error)))


def chunks_of_file(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    """Bytes of an open file in chunks, fewer where the file ends. Raises FileError."""
    end = offset + length
    while offset < end:
        chunk = read_at(descriptor, min(_CHUNK, end - offset), offset)
        if not chunk:
            return
        offset += len(chunk)
        yield chunk


def cut(views: Sequence[memoryview], start: int, end: int) -> Iterator[memoryview]:
    """The bytes from ``start`` to ``end`` of the views laid end to end, without empty pieces."""
    for view in views:
        length = len(view)
        if start <= 0 and length <= end:
            if length:
                yield view
        elif start < length:
            yield view[max(start, 0) : end]
        start -= length
        end -= length
        if end <= 0:
            return
