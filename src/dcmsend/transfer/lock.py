"""A file that one process at a time holds, until it ends in whatever way: the system lets go of it then."""

from __future__ import annotations

import os
import sys

from dcmsend.errors import JournalError
from dcmsend.reasons import because
from dcmsend.transfer.ledger_file import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class FileLock:
    """Holds ``path`` from the beginning, for the sake of the journal ``name``; the file goes when it is released.

    Raises ``JournalError`` where another process holds it, or the system refuses.
    """

    def __init__(self, path: str, name: str) -> None:
        self.released = False
        self._path = path
        try:
            self._descriptor = self._taken(name)
        except (OSError, ValueError) as error:
            raise failed(error, name) from error

    def __repr__(self) -> str:
        return f"<FileLock {self._path}>"

    def _taken(self, name: str) -> int:
        while True:
            descriptor = os.open(self._path, _FLAGS, 0o666)
            try:
                if not _lock(descriptor):
                    raise _in_use(name)
                if _same(descriptor, self._path):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # whoever held it has removed it meanwhile

    def release(self) -> None:
        """Let go of it, once. Only while it is held may it be removed: others look whether it is still there."""
        if self.released:
            return
        self.released = True
        if sys.platform != "win32":
            try:
                os.unlink(self._path)
            except OSError:
                pass
        os.close(self._descriptor)


def require_free(path: str, name: str) -> None:
    """Raises ``JournalError`` where another process holds the lock ``path`` of the journal ``name``. Makes no file."""
    try:
        descriptor = os.open(path, _FLAGS & ~os.O_CREAT)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise failed(error, name) from error
    try:
        if not _lock(descriptor):
            raise _in_use(name)
    except OSError as error:
        raise failed(error, name) from error
    finally:
        os.close(descriptor)


def _in_use(name: str) -> JournalError:
    return JournalError(because("journal_in_use", path=name))


def _same(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        """Whether the file is ours now."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Whether the file is ours now."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
