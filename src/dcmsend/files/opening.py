"""Opening files without being fooled: special files are seen before they block, and no file is taken twice.

The only place that opens files for reading. It knows nothing of what is in them.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from dcmsend.errors import FileError
from dcmsend.files.sources import reason_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

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
        self.status = os.fstat(self.descriptor)

    def require_regular(self) -> None:
        """Raises FileError where this is no regular file."""
        if not stat.S_ISREG(self.status.st_mode):
            raise FileError(f"not a regular file but a {kind_of(self.status)}")

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Seen:
    """Which files and folders were met before, by their identity rather than by their names."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[int | str] = set()

    def again(self, status: os.stat_result, path: str) -> bool:
        """Whether this file was met before; from now on it was."""
        # One int is the smallest thing to keep for a file. Some file systems of Windows have no numbers.
        identity = status.st_dev << 64 | status.st_ino if status.st_ino else os.path.realpath(path)
        if identity in self._seen:
            return True
        self._seen.add(identity)
        return False


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
