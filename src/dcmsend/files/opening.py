"""Opening files without being fooled: special files are seen before they block, and no file is taken twice.

The only place that opens files for reading. It knows nothing of what is in them.
"""

from __future__ import annotations

import os
import stat
from time import time_ns

from dcmsend.errors import FileError
from dcmsend.files.sources import FileSource, read_at
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final, Self

# Without O_NONBLOCK opening a FIFO waits for a writer; it has no effect on regular files.
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT")
)


class OpenFile:
    """A file that is open for reading, whatever its kind. Raises FileError where the system refuses.

    ``status`` is what ``os.fstat`` says of it.
    """

    __slots__ = ("descriptor", "status")

    def __init__(self, path: str) -> None:
        if not path:
            raise FileError(because("invalid_file_name"))
        try:
            self.descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise FileError(of_system(error)) from None
        except ValueError:  # a NUL, or a character that no file name can have
            raise FileError(because("invalid_file_name")) from None
        try:
            self.status = os.fstat(self.descriptor)
        except OSError as error:
            self.close()
            raise FileError(of_system(error)) from None

    def source(self, head_size: int, most: int = 0) -> FileSource:
        """Its bytes: the first ``head_size`` are read at once, or all where these are no more than ``most``."""
        size = self.status.st_size
        return FileSource(self.descriptor, size, size if size <= most else head_size)

    def require_regular(self) -> None:
        """Raises FileError where this is no regular file."""
        if not stat.S_ISREG(self.status.st_mode):
            raise FileError(because("not_a_regular_file", kind=kind_of(self.status)))

    def require_unchanged(self) -> None:
        """Raises FileError where somebody has written to the file since it was opened, as far as the system tells.

        With the code ``touched_while_sent`` that is not sure: its time of modification is as it was, but that may have
        been put back.
        """
        if require_same(self.descriptor, self.status).st_ctime_ns != self.status.st_ctime_ns:
            raise FileError(because("touched_while_sent"))

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            try:
                os.close(descriptor)
            except OSError:  # it is closed all the same, and all that was wanted has been read
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def require_same(descriptor: int, before: os.stat_result) -> os.stat_result:
    """What the system says of an open file now. Raises FileError where its size or time of modification changed."""
    try:
        now = os.fstat(descriptor)
    except OSError as error:  # a network share that is gone
        raise FileError(of_system(error)) from None
    if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise FileError(because("changed_while_sent"))
    return now


def read_beginning(path: str, most: int) -> tuple[os.stat_result, bytes]:
    """What ``os.fstat`` says of a file, and its first bytes: all, or ``most`` of them.

    Raises FileError or OSError where the system refuses; nothing is read of what is no regular file.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if status.st_mode & _KIND != _REGULAR:
            raise FileError(because("not_a_regular_file", kind=kind_of(status)))
        size = status.st_size
        return status, read_at(descriptor, min(most, size), 0)
    finally:
        os.close(descriptor)


_KIND: Final = 0o170000
_REGULAR: Final = stat.S_IFREG


class Seen:
    """Which files and folders were met before, by their identity rather than by their names.

    Device and inode number name a file only as long as there is one: the next file may get the numbers of one that is
    gone. So a mark of 8 bytes is kept of each, made of its size and times: another file has another time of its last
    change. Where the clock of the file system may not have moved on between two files, their first bytes count too.
    What is taken for a new file by mistake, as its mode was changed, is sent twice, and no more.

    64 numbers that stand in a row share an entry. In the folders of most file systems they do; where they do not, it
    is an entry in a dictionary for each file.
    """

    __slots__ = ("_devices", "_young")

    def __init__(self) -> None:
        self._devices: dict[int, dict[int, bytes]] = {}  # by rows of numbers: which of them, and their marks in order
        self._young: dict[tuple[int, int], int | None] = {}  # first bytes of those that had only just changed

    def again(self, status: os.stat_result, path: str) -> bool:
        """Whether this file was met before; from now on it was."""
        device, number = status.st_dev, status.st_ino or _number_of(path)
        mark = hash((status.st_ctime_ns, status.st_mtime_ns, status.st_size)).to_bytes(8, "little", signed=True)
        rows = self._devices.get(device)
        if rows is None:
            rows = self._devices[device] = {}
        row, bit = number >> 6, 1 << (number & 63)
        entry = rows.get(row, _NONE)
        bits = int.from_bytes(entry[:8], "little")
        at = ((bits & (bit - 1)).bit_count() + 1) * 8
        behind = at + 8 if bits & bit else at
        if entry[at:behind] != mark:
            rows[row] = (bits | bit).to_bytes(8, "little") + entry[8:at] + mark + entry[behind:]
        elif (device, number) not in self._young or self._has_same_beginning(device, number, path):
            return True
        if _is_young(status):
            self._keep_beginning(device, number, path)
        elif self._young:
            self._young.pop((device, number), None)
        return False

    def forget(self, status: os.stat_result, path: str) -> None:
        """It was not met after all: nothing has come of it."""
        number = status.st_ino or _number_of(path)
        rows = self._devices.get(status.st_dev, {})
        row, bit = number >> 6, 1 << (number & 63)
        entry = rows.get(row, _NONE)
        bits = int.from_bytes(entry[:8], "little")
        if bits & bit:
            at = ((bits & (bit - 1)).bit_count() + 1) * 8
            rows[row] = (bits ^ bit).to_bytes(8, "little") + entry[8:at] + entry[at + 8 :]

    def _keep_beginning(self, device: int, number: int, path: str) -> None:
        if len(self._young) >= _MOST_YOUNG:  # the oldest is older than any clock is slow
            del self._young[next(iter(self._young))]
        self._young[device, number] = _beginning(path)

    def _has_same_beginning(self, device: int, number: int, path: str) -> bool:
        beginning = _beginning(path)
        return beginning is not None and beginning == self._young[device, number]


_NONE: Final = bytes(8)
_MOST_YOUNG: Final = 16384
_BEGINNING: Final = 1024  # bytes, in which the SOP Instance UID stands
_TICK: Final = 100_000_000  # nanoseconds: no clock of a file system is slower,
_SLOW_TICK: Final = 2_000_000_000  # but for those that know whole seconds alone


def _is_young(status: os.stat_result) -> bool:
    """Return True if another file may get the same time of its last change."""
    changed = status.st_ctime_ns
    return time_ns() - changed < (_TICK if changed % 1_000_000_000 else _SLOW_TICK)


def _beginning(path: str) -> int | None:
    """A number for the first bytes of a file; a folder has none, and is better scanned once more."""
    try:
        return hash(read_beginning(path, _BEGINNING)[1])
    except (FileError, OSError, ValueError):
        return None


def _number_of(path: str) -> int:
    """Where the file system has no numbers, as some of Windows: one of the path."""
    return hash(os.path.realpath(path)) & (1 << 62) - 1


def kind_of(status: os.stat_result) -> str:
    """What a file is, in a word."""
    return next((word for is_kind, word in _KINDS if is_kind(status.st_mode)), "special file")


_KINDS: Final = (
    (stat.S_ISDIR, "directory"),
    (stat.S_ISFIFO, "FIFO"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)
