"""How a report's file is written: whole or not at all, whatever its format.

Owns the file; must not know what is in it. A reader never sees half a report, and an older one stays until the new one
is complete. What is not a plain file of ours (``/dev/stdout``, a FIFO, a link) is written as it is. Pieces are
streamed: memory does not grow with their number.
"""

from __future__ import annotations

import os
import stat

from dcmsend.errors import JournalError, ReportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Final, Protocol

    class _Put(Protocol):
        def __call__(self, data: bytes, /) -> object: ...


_CHUNK: Final = 1 << 16  # characters that are gathered before a write


def write(path: str, pieces: Iterator[str]) -> None:
    """Write the pieces of text to ``path``, in UTF-8. Raises ``ReportError`` where that or their list fails."""
    try:
        partial = _open_partial(path) if _replaceable(path) else None
        if partial is None:
            with _open_direct(path) as direct:
                _pour(direct.write, pieces)
        else:
            _write_and_replace(path, partial, pieces)
    except (OSError, ValueError, JournalError) as error:  # ValueError: a path with a NUL character
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ReportError(f"cannot write report file '{path}': {why}") from error


def overwrites(path: str) -> bool:
    """Whether writing a report to ``path`` takes the place of a file."""
    return os.path.isfile(path) and _own_output(path) is None


def _pour(put: _Put, pieces: Iterator[str]) -> None:
    """Write the pieces in large portions."""
    gathered: list[str] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            put("".join(gathered).encode())
            gathered.clear()
            size = 0
    put("".join(gathered).encode())


def _replaceable(path: str) -> bool:
    """Whether a new file may take the place of ``path``: there is none yet, or a plain one of ours without links."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return True
    if _own_output(path) is not None:
        return False
    ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return ours and stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and os.access(path, os.W_OK)


def _open_direct(path: str) -> BinaryIO:
    """``path`` for writing. What is our output already is continued: ``/dev/stdout`` may be a log that others write."""
    output = _own_output(path)
    return open(path, "wb") if output is None else open(os.dup(output), "wb")


def _own_output(path: str) -> int | None:
    """The descriptor of standard output or standard error if ``path`` is another name of it."""
    for descriptor in (1, 2):
        try:
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        except (OSError, ValueError):  # one of the two is not there
            continue
    return None


def _open_partial(path: str) -> int | None:
    """A new file beside ``path``, or None where the folder takes none."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(_partial_name(path), flags, 0o666)
    except OSError:
        return None


def _partial_name(path: str) -> str:
    return f"{path}.{os.getpid()}.part"


def _write_and_replace(path: str, descriptor: int, pieces: Iterator[str]) -> None:
    partial = _partial_name(path)
    try:
        with open(descriptor, "wb") as stream:
            if os.path.exists(path):
                os.chmod(partial, stat.S_IMODE(os.stat(path).st_mode))
            _pour(stream.write, pieces)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
