"""Opening files without being fooled: special files are seen before they block, and no file is taken twice.

The only place that opens files for reading. It knows nothing of what is in them.
"""

from __future__ import annotations

import os
import stat

from dcmsend.errors import FileError
from dcmsend.files.sources import FileSource, read_at, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final, Self

# Without O_NONBLOCK opening a FIFO waits for a writer; it has no effect on regular files.
_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT")
)
INVALID_NAME: Final = "Invalid filename"


class OpenFile:
    """A file that is open for reading, whatever its kind. Raises FileError where the system refuses.

    ``status`` is what ``os.fstat`` says of it.
    """

    __slots__ = ("descriptor", "status")

    def __init__(self, path: str) -> None:
        if not path:
            raise FileError(INVALID_NAME)
        try:
            self.descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise FileError(reason_of(error)) from None
        except ValueError:  # a NUL, or a character that no file name can have
            raise FileError(INVALID_NAME) from None
        try:
            self.status = os.fstat(self.descriptor)
        except OSError as error:
            self.close()
            raise FileError(reason_of(error)) from None

    def source(self, head_size: int, most: int = 0) -> FileSource:
        """Its bytes: the first ``head_size`` are read at once, or all where these are no more than ``most``."""
        size = self.status.st_size
        return FileSource(self.descriptor, size, size if size <= most else head_size)

    def require_regular(self) -> None:
        """Raises FileError where this is no regular file."""
        if not stat.S_ISREG(self.status.st_mode):
            raise FileError(f"not a regular file but a {kind_of(self.status)}")

    def require_unchanged(self) -> None:
        """Raises FileError where somebody has written to the file since it was opened, as far as the system tells."""
        try:
            status = os.fstat(self.descriptor)
        except OSError as error:
            raise FileError(reason_of(error)) from None
        if (status.st_size, status.st_mtime_ns) != (self.status.st_size, self.status.st_mtime_ns):
            raise FileError("the file changed while it was being sent")

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


def read_beginning(path: str, most: int) -> tuple[os.stat_result, bytes]:
    """What ``os.fstat`` says of a file, and its first bytes: all, or ``most`` of them.

    Raises FileError or OSError where the system refuses; nothing is read of what is no regular file.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if status.st_mode & _KIND != _REGULAR:
            raise FileError("not a regular file")
        size = status.st_size
        return status, read_at(descriptor, min(most, size), 0)
    finally:
        os.close(descriptor)


_KIND: Final = 0o170000
_REGULAR: Final = stat.S_IFREG


class Seen:
    """Which files and folders were met before, by their identity rather than by their names.

    What is kept of a file is one bit: 64 numbers that stand in a row share an integer. In the folders of most file
    systems they do; where they do not, it is an entry in a dictionary for each file.
    """

    __slots__ = ("_devices", "_paths")

    def __init__(self) -> None:
        self._devices: dict[int, dict[int, int]] = {}
        self._paths: set[str] = set()

    def again(self, status: os.stat_result, path: str) -> bool:
        """Whether this file was met before; from now on it was."""
        number = status.st_ino
        if not number:  # some file systems of Windows have none
            return self._path_again(os.path.realpath(path))
        rows = self._devices.get(status.st_dev)
        if rows is None:
            rows = self._devices[status.st_dev] = {}
        row, bit = number >> 6, _BITS[number & 63]
        bits = rows.get(row)
        if bits is None:
            rows[row] = bit
            return False
        rows[row] = bits | bit
        return bits & bit != 0

    def _path_again(self, path: str) -> bool:
        known = path in self._paths
        self._paths.add(path)
        return known


_BITS: Final = tuple(1 << place for place in range(64))


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
