"""Lists of files (``--files-from``) -> names, as they come.

Owns the format: one name after the other, bytes as the file system has them, no comments and no quotes; a byte order
mark before the first line is none of a name. What does not end where it should, or cannot be read, is told: a list that
is cut off must not look like one that has ended. From
pipes and terminals names are read in a thread of its own, so that nobody waits for who writes them. Loaded where the
option is given.
"""

from __future__ import annotations

import os
import stat
import sys

from dcmsend.cli.words import CommandLineError
from dcmsend.errors import ConfigurationError, ListError
from dcmsend.light import NamedTuple
from dcmsend.model import Later
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from queue import Queue
    from typing import Final

    from dcmsend.cli.grammar import Arguments
    from dcmsend.reasons import Reason

STANDARD_INPUT: Final = "-"
MAX_NAME: Final = 65536  # bytes of a name; no system has paths of that length
CHUNK: Final = 65536  # bytes that are read at once
CHUNKS: Final = 16  # that are read ahead of a pipe
OPTION: Final = "--files-from"
_UTF8: Final = b"\xef\xbb\xbf"  # byte order marks
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_MARKS: Final = (_UTF8, *_UTF16)

_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"))


class _Open(NamedTuple):
    """A list that is open for reading. ``name``: as it is shown."""

    name: str
    descriptor: int


def sources(arguments: Arguments) -> Iterator[str | Later | ListError]:
    """The files of the command line, then the names in the lists, as they are asked for.

    The lists are opened at once. Raises CommandLineError where standard input would be read twice, ConfigurationError
    where a list cannot be read at all. Where one cannot be read on, the last that comes says why.
    """
    _require_one_reader(arguments)
    opened: list[_Open] = []
    names = _names(arguments.files, opened, b"\0" if arguments.null_separated else b"\n")
    next(names)  # from now on it closes what is open
    opened.extend(map(_opened, arguments.files_from))
    return names


def _require_one_reader(arguments: Arguments) -> None:
    """Raises CommandLineError where two options want standard input."""
    login = arguments.login
    wanted = [f"--files-from {STANDARD_INPUT}"] * arguments.files_from.count(STANDARD_INPUT)
    if login is not None and login.password_file == STANDARD_INPUT:
        wanted.append(f"--password-file {STANDARD_INPUT}")
    if len(wanted) > 1 and arguments.files_from.count(STANDARD_INPUT):
        raise CommandLineError(
            f"standard input can be read once: {wanted[0]} not allowed with {wanted[-1]}", log_level=arguments.log.level
        )


def _opened(path: str) -> _Open:
    name = "standard input" if path == STANDARD_INPUT else f"list '{path}'"
    try:
        if path == STANDARD_INPUT:
            if sys.stdin is None:
                raise _not_opened(name, because("list_closed"))
            return _Open(name, _standard_input(sys.stdin.fileno()))
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise _not_opened(name, of_system(error)) from None
    except ValueError:
        raise _not_opened(name, because("list_name_invalid")) from None
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_opened(name, because("list_is_a_folder"))
    return _Open(name, descriptor)


def _not_opened(name: str, reason: Reason) -> ConfigurationError:
    return ConfigurationError(because("list_not_opened", reason, list=name, option=OPTION))


def _names(files: tuple[str, ...], lists: list[_Open], separator: bytes) -> Iterator[str | Later | ListError]:
    """First an empty name, for nobody; then the files, then what the lists name."""
    try:
        yield ""
        yield from files
        while lists:
            yield from _listed(lists[0], separator)
            os.close(lists.pop(0).descriptor)
    except ListError as error:
        yield error
    finally:
        for left in lists:
            os.close(left.descriptor)


def _standard_input(descriptor: int) -> int:
    """Standard input under another number; who else reads it finds nothing: names must not be taken for a password."""
    taken = os.dup(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    return taken


def _listed(opened: _Open, separator: bytes) -> Iterator[str | Later]:
    number = 0
    rest = b""
    began = separator == b"\0"  # in such a list nothing but names can be
    for chunk in _chunks(opened):
        if isinstance(chunk, Later):
            yield chunk
            continue
        if not began:
            beginning = rest + chunk
            if any(mark.startswith(beginning) and mark != beginning for mark in _MARKS):
                rest = beginning  # too little to tell
                continue
            rest, chunk, began = b"", _without_mark(beginning, opened), True
        *whole, rest = (rest + chunk).split(separator)
        if not any(whole):  # there may be nothing but empty names, without end, and a run must be able to stop
            yield Later(lambda call: call())
        for name in whole:
            number += 1
            if name := _checked(name, number, opened, separator):
                yield os.fsdecode(name)
        if len(rest) > MAX_NAME:
            break
    if not began:
        rest = _without_mark(rest, opened)
    if name := _checked(rest, number + 1, opened, separator):
        yield os.fsdecode(name)


def _without_mark(beginning: bytes, opened: _Open) -> bytes:
    """The beginning of a list without the mark of editors. Raises ListError where it says that names are no bytes."""
    if beginning.startswith(_UTF16):
        raise ListError(because("list_in_utf16", list=opened.name, option=OPTION))
    return beginning.removeprefix(_UTF8)


def _checked(name: bytes, number: int, opened: _Open, separator: bytes) -> bytes:
    """A name without what does not belong to it. Raises ListError where it cannot be one."""
    if len(name) > MAX_NAME:
        raise ListError(because("list_name_too_long", number=number, list=opened.name, option=OPTION, most=MAX_NAME))
    if separator == b"\0":
        return name
    if b"\0" in name:
        raise ListError(because("list_name_has_nul", number=number, list=opened.name, option=OPTION))
    return name.removesuffix(b"\r")


def _chunks(opened: _Open) -> Iterator[bytes | Later]:
    """What is in a list, a bit at a time. Raises ListError where it cannot be read."""
    if stat.S_ISREG(os.fstat(opened.descriptor).st_mode):
        while chunk := _read(opened):
            yield chunk
        return
    reader = _Reader(opened)
    try:
        while (chunk_or_error := reader.next()) != b"":
            if isinstance(chunk_or_error, ListError):
                raise chunk_or_error
            yield chunk_or_error
    finally:
        reader.leave()


def _read(opened: _Open) -> bytes:
    try:
        return os.read(opened.descriptor, CHUNK)
    except OSError as error:
        raise ListError(because("list_broken", of_system(error), list=opened.name, option=OPTION)) from None


class _Reader:
    """A thread that reads a pipe or a terminal, a bounded bit ahead.

    It ends with the list, or when it was left and something comes, or with the program.
    """

    def __init__(self, opened: _Open) -> None:
        from queue import Queue
        from threading import Lock, Thread

        # It has a descriptor of its own: whoever owns the other one may close it while this one waits.
        self._opened = opened._replace(descriptor=os.dup(opened.descriptor))
        self._chunks: Queue[bytes | ListError] = Queue(CHUNKS)
        self._lock = Lock()
        self._call: Callable[[], None] | None = None
        self._left = False
        Thread(target=self._work, daemon=True, name="files-from").start()

    def next(self) -> bytes | ListError | Later:
        """The next bytes, none at the end; or what is to be done until there are some."""
        from queue import Empty

        try:
            return self._chunks.get_nowait()
        except Empty:
            return Later(self._notify)

    def leave(self) -> None:
        """Nobody wants more of it."""
        self._left = True
        while not isinstance(self.next(), Later):
            pass

    def _notify(self, call: Callable[[], None]) -> None:
        with self._lock:
            if self._chunks.empty():
                self._call = call
                return
        call()

    def _work(self) -> None:
        chunk: bytes | ListError = b"-"
        while chunk and not isinstance(chunk, ListError) and not self._left:
            try:
                chunk = _read(self._opened)
            except ListError as error:
                chunk = error
            self._chunks.put(chunk)
            with self._lock:
                call, self._call = self._call, None
            if call is not None:
                call()
        os.close(self._opened.descriptor)
