"""Lists of files (``--files-from``) -> names, as they come.

Owns the format: one name after the other, bytes as the file system has them, no comments and no quotes. What does not
end where it should, or cannot be read, is told: a list that is cut off must not look like one that has ended. From
pipes and terminals names are read in a thread of its own, so that nobody waits for who writes them. Loaded where the
option is given.
"""

from __future__ import annotations

import os
import stat
import sys

from dcmsend.cli.words import CommandLineError
from dcmsend.errors import ConfigurationError, ListError
from dcmsend.files.sources import reason_of
from dcmsend.light import NamedTuple
from dcmsend.model import Later
from dcmsend.printable import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from queue import Queue
    from typing import Final

    from dcmsend.cli.grammar import Arguments

STANDARD_INPUT: Final = "-"
MAX_NAME: Final = 65536  # bytes of a name; no system has paths of that length
CHUNK: Final = 65536  # bytes that are read at once
CHUNKS: Final = 16  # that are read ahead of a pipe

_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"))


class _Open(NamedTuple):
    """A list that is open for reading. ``name``: as it is shown."""

    name: str
    descriptor: int


def sources(arguments: Arguments) -> Iterator[str | Later]:
    """The files of the command line, then the names in the lists, as they are asked for.

    The lists are opened at once. Raises CommandLineError where standard input would be read twice, ConfigurationError
    where a list cannot be read at all; later ListError where one cannot be read on.
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
    name = "standard input" if path == STANDARD_INPUT else f"list '{plain(path)}'"
    try:
        if path == STANDARD_INPUT:
            if sys.stdin is None:
                raise ConfigurationError("cannot read standard input (--files-from): it is closed")
            return _Open(name, _standard_input(sys.stdin.fileno()))
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        reason = reason_of(error)
    except ValueError:
        reason = "Invalid filename"
    else:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return _Open(name, descriptor)
        os.close(descriptor)
        reason = "Is a directory"
    raise ConfigurationError(f"cannot read {name} (--files-from): {reason}")


def _names(files: tuple[str, ...], lists: list[_Open], separator: bytes) -> Iterator[str | Later]:
    """First an empty name, for nobody; then the files, then what the lists name."""
    try:
        yield ""
        yield from files
        while lists:
            yield from _listed(lists[0], separator)
            os.close(lists.pop(0).descriptor)
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
    for chunk in _chunks(opened):
        if isinstance(chunk, Later):
            yield chunk
            continue
        *whole, rest = (rest + chunk).split(separator)
        if not any(whole):  # there may be nothing but empty names, without end, and a run must be able to stop
            yield Later(lambda call: call())
        for name in whole:
            number += 1
            if name := _checked(name, number, opened, separator):
                yield os.fsdecode(name)
        if len(rest) > MAX_NAME:
            break
    if name := _checked(rest, number + 1, opened, separator):
        yield os.fsdecode(name)


def _checked(name: bytes, number: int, opened: _Open, separator: bytes) -> bytes:
    """A name without what does not belong to it. Raises ListError where it cannot be one."""
    if len(name) > MAX_NAME:
        raise ListError(f"name {number} in {opened.name} (--files-from) has more than {MAX_NAME} bytes")
    if separator == b"\0":
        return name
    if b"\0" in name:
        hint = "--null is for lists that have NUL characters between the names"
        raise ListError(f"name {number} in {opened.name} (--files-from) has a NUL character in it", hint=hint)
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
        raise ListError(f"cannot read on in {opened.name} (--files-from): {reason_of(error)}") from None


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
