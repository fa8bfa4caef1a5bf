"""Files that are none of the file system's: bytes in memory, and a stretch of an open file.

They look like ``opening.OpenFile`` to those who read them. Loaded where there are any.
"""

from __future__ import annotations

import os

from dcmsend.files.opening import OpenFile
from dcmsend.files.sources import WINDOW, FileSource, read_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class MemorySource(FileSource):
    """Bytes in memory, all of them at hand. There is no descriptor."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:  # what the base sets, without reading
        self.descriptor = -1
        self.size = len(data)
        self.head = data
        self._buffer, self._base = data, 0

    def window(self, offset: int, need: int) -> tuple[bytes, int]:  # noqa: ARG002
        return self.head, 0


class PartSource(FileSource):
    """``size`` bytes of an open file from ``start``; offsets count from there."""

    __slots__ = ("start",)

    def __init__(self, descriptor: int, start: int, size: int, head_size: int) -> None:
        self.start = start
        self.descriptor = descriptor
        self.size = size
        self.go_on = None
        self.head = read_at(descriptor, min(size, head_size), start)
        self._buffer, self._base = self.head, 0

    def window(self, offset: int, need: int) -> tuple[bytes, int]:
        end = min(offset + need, self.size)
        if end <= len(self.head):
            return self.head, 0
        if offset < self._base or end > self._base + len(self._buffer):
            if self.go_on is not None:
                self.go_on()
            length = min(max(need, WINDOW), max(self.size - offset, 0))
            self._buffer, self._base = read_at(self.descriptor, length, self.start + offset), offset
        return self._buffer, self._base


class OpenMemory(OpenFile):
    """Bytes in memory as an open file."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.descriptor = -1

    def source(self, head_size: int, most: int = 0) -> FileSource:  # noqa: ARG002
        return MemorySource(self._data)

    def require_regular(self) -> None:
        pass

    def require_unchanged(self) -> None:
        pass

    def close(self) -> None:
        self._data = b""


class OpenPart(OpenFile):
    """``size`` bytes from ``start`` of a file, for which it gets a descriptor of its own.

    ``unchanged`` raises FileError where somebody has written to that file meanwhile.
    """

    __slots__ = ("_size", "_start", "_unchanged")

    def __init__(self, descriptor: int, start: int, size: int, unchanged: Callable[[], None] = lambda: None) -> None:
        self._start = start
        self._size = size
        self._unchanged = unchanged
        self.descriptor = os.dup(descriptor)

    def source(self, head_size: int, most: int = 0) -> FileSource:
        size = self._size
        return PartSource(self.descriptor, self._start, size, size if size <= most else head_size)

    def require_regular(self) -> None:
        pass

    def require_unchanged(self) -> None:
        self._unchanged()
