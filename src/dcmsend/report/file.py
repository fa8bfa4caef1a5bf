"""How a report's file is written: whole or not at all, whatever its format.

Owns the file; must not know what is in it. A reader never sees half a report, and an older one stays until the new one
is complete. What is not a plain file of ours (``/dev/stdout``, a FIFO, a link) is written as it is. DICOM files and
journals are never written over. Pieces are streamed: memory does not grow with their number.
"""

from __future__ import annotations

import os
import stat
from _thread import allocate_lock, start_new_thread

from dcmsend.errors import JournalError, ReportError
from dcmsend.files.own_files import What, what_is
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO, Final, TypeVar

    from dcmsend.reasons import Reason
    from dcmsend.stop import Stop

    T = TypeVar("T")

_CHUNK: Final = 1 << 16  # characters that are gathered before a write
# What must not be lost, and why.
_PRECIOUS: Final = {What.DICOM: "report_over_dicom", What.JOURNAL: "report_over_journal"}
_partial: set[str] = set()  # files that are half written


def write(path: str, pieces: Iterator[str], stop: Stop | None = None) -> None:
    """Write the pieces of text to ``path``, in UTF-8.

    Where that may have to wait for a reader (a FIFO, a pipe), a request to ``stop`` gives it up. Raises ``ReportError``
    where writing or the list of instances fails.
    """
    try:
        objection = precious(path)
        if objection is not None:
            raise ReportError(because("report_not_written", objection, path=path))
        partial = _open_partial(path) if _replaceable(path) else None
        if partial is not None:
            _write_and_replace(path, partial, pieces)
        elif stop is None or os.path.isfile(path):
            with _open_direct(path) as direct:
                _pour(direct.write, pieces)
        else:
            _write_patiently(path, pieces, stop)
    except (OSError, ValueError, MemoryError, JournalError) as error:
        raise ReportError(because("report_not_written", _why(error), path=path)) from error


def objection(path: str) -> Reason | None:
    """Why a report could not be written to ``path`` as things are, or ``None``. Leaves nothing behind."""
    try:
        against = precious(path)
        if against is not None:
            return against
        if _replaceable(path):
            partial = _open_partial(path)
            if partial is not None:
                os.close(partial)
                discard_partial()
            elif not os.path.exists(path):
                os.close(os.open(path, _NEW, 0o666))  # it says why not, or shows that it can be done without
                os.unlink(path)
        elif os.path.isdir(path) or (os.path.isfile(path) and not os.access(path, os.W_OK)):
            os.close(os.open(path, os.O_WRONLY))  # it says why not
    except (OSError, ValueError) as error:
        return because("report_cannot_be_made", _why(error))
    return None


def precious(path: str) -> Reason | None:
    """Why what ``path`` names must not be written over, or ``None`` where it may be."""
    code = _PRECIOUS.get(what_is(path))
    return because(code) if code else None


def overwrites(path: str) -> bool:
    """Return True if writing a report to ``path`` takes the place of a file."""
    return os.path.isfile(path) and own_output(path) is None


def discard_partial() -> None:
    """Remove what is half written. May be called by a signal handler that ends the process."""
    for name in tuple(_partial):
        try:
            os.unlink(name)
        except OSError:
            pass
        _partial.discard(name)


def _why(error: OSError | ValueError | MemoryError | JournalError) -> Reason:
    if isinstance(error, JournalError):
        return error.why
    if isinstance(error, OSError | MemoryError):
        return of_system(error)
    return because("report_name_invalid")  # a path with a NUL character


def _pour(put: Callable[[bytes], object], pieces: Iterator[str]) -> None:
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
    if own_output(path) is not None:
        return False
    ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    return ours and stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and os.access(path, os.W_OK)


def _open_direct(path: str) -> BinaryIO:
    """``path`` for writing. What is our output already is continued: ``/dev/stdout`` may be a log that others write."""
    output = own_output(path)
    return open(path, "wb") if output is None else open(os.dup(output), "wb")


def own_output(path: str) -> int | None:
    """The descriptor of standard output or standard error if ``path`` is another name of it."""
    for descriptor in (1, 2):
        try:
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        except (OSError, ValueError):  # one of the two is not there
            continue
    return None


# --- a file that takes another one's place

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _open_partial(path: str) -> int | None:
    """A new file beside ``path``, or None where the folder takes none."""
    name = _partial_name(path)
    _partial.add(name)  # before it is there: a signal may come behind any line
    try:
        return os.open(name, _NEW, 0o666)
    except OSError:
        _partial.discard(name)
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
    finally:
        discard_partial()  # where it has got its name, nothing is left


# --- what may take nothing for ever


def _write_patiently(path: str, pieces: Iterator[str], stop: Stop) -> None:
    """Write to a FIFO or the like. The pieces are made in this thread, which waits for another one that writes."""
    try:
        hand = _Hand(stop)
    except RuntimeError:  # the system allows no thread
        with _open_direct(path) as direct:
            _pour(direct.write, pieces)
        return
    try:
        with_it = hand.do(lambda: _open_direct(path))
        _pour(lambda data: hand.do(lambda: with_it.write(data)), pieces)
        hand.do(with_it.close)
    finally:
        hand.leave()  # what it has opened by itself goes with it


class _Hand:
    """A thread that does one thing after the other, for somebody who can be called away from waiting for it.

    Raises RuntimeError where the system allows no thread. Leave it: it ends when it has nothing to do.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._act: Callable[[], object] | None = None
        self._came: tuple[Any, OSError | ValueError | None] | None = None
        self._given = allocate_lock()
        self._done = allocate_lock()
        self._given.acquire()
        self._done.acquire()
        start_new_thread(self._work, ())
        stop.nudges[self] = lambda: _open(self._done)

    def do(self, act: Callable[[], T]) -> T:
        """What ``act`` gives or raises; ReportError where a request to stop comes before."""
        self._act, self._came = act, None
        self._given.release()
        self._done.acquire()
        if self._came is None:
            raise ReportError(because("report_given_up"))
        result, error = self._came
        if error is not None:
            raise error
        return result

    def leave(self) -> None:
        self._stop.nudges.pop(self, None)
        self._act = None
        _open(self._given)

    def _work(self) -> None:
        while True:
            self._given.acquire()
            act = self._act
            if act is None:
                return
            try:
                self._came = act(), None
            except (OSError, ValueError) as error:
                self._came = None, error
            _open(self._done)


def _open(gate: object) -> None:
    try:
        gate.release()  # type: ignore[attr-defined]
    except RuntimeError:  # somebody else has done so
        pass
