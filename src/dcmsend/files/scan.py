"""Arguments -> paths -> Instance | Refusal | Notice, lazily and in order.

It owns what is looked at, in which order and how often: files, folders, DICOMDIRs. Of each file only the head is read.
What a head says is read elsewhere; what becomes of the values is the caller's business.
"""

from __future__ import annotations

import fnmatch
import os
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from dcmsend.errors import FileError
from dcmsend.files.dicomdir import read_dicomdir
from dcmsend.files.head import read_head
from dcmsend.files.opening import OpenFile, Seen, kind_of
from dcmsend.files.sources import FileSource, reason_of
from dcmsend.files.uid_checks import complaint, sop_class_complaint
from dcmsend.model import Instance, Notice, Refusal
from dcmsend.printable import plain
from dcmsend.uids import MEDIA_STORAGE_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dcmsend.model import ScanOptions

Found: TypeAlias = Instance | Refusal | Notice

HEAD_SIZE: Final = 4096  # bytes that are read of each file at first
_MAX_PATH: Final = 4096  # characters of a path in a notice
_NUMBER: Final = re.compile(r"([0-9]+)")
_ESCAPE: Final = re.compile(r"\\(.)|\[\^", re.DOTALL)


def scan(arguments: Iterable[str], options: ScanOptions) -> Iterator[Found]:
    """Everything that the arguments name, in order.

    A file that cannot be sent is a Refusal, and what is passed over a Notice: where there are only notices, there was
    no input.
    """
    scanner = _Scanner(options)
    for argument in arguments:
        yield from scanner.argument(argument)


class _Scanner:
    """One scan: the options, and what was met so far."""

    def __init__(self, options: ScanOptions) -> None:
        self._options = options
        self._files = Seen()
        self._folders = Seen()
        self._matches = _matcher(options.pattern)

    def argument(self, path: str) -> Iterator[Found]:
        if os.path.isdir(path):
            yield from self._folder(path)
        else:
            yield from self._file(path)

    def _folder(self, path: str) -> Iterator[Found]:
        """What is in a folder: without recursion a stack of listings, as deep as the folders are nested."""
        if not self._options.directories:
            yield Notice(f"ignoring directory because option --scan-directories is not set: {plain(path, _MAX_PATH)}")
            return
        stack: list[_Listing] = []
        yield from self._enter(path, stack)
        while stack:
            entry = next(stack[-1].entries, None)
            if entry is None:
                stack.pop()
            elif _is_folder(entry):
                if self._options.recurse:
                    yield from self._enter(stack[-1].prefix + entry.name, stack)
            elif self._matches(entry.name):
                yield from self._entry(entry, stack[-1].prefix + entry.name)

    def _enter(self, path: str, stack: list[_Listing]) -> Iterator[Notice]:
        """Put a folder on the stack, unless that would go in circles."""
        try:
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)
            if any(identity == above.identity for above in stack):
                yield Notice(f"ignoring directory because it is a loop: {plain(path, _MAX_PATH)}")
                return
            if self._folders.again(status, path) and not self._options.send_duplicates:
                yield Notice(f"ignoring directory because it has been scanned already: {plain(path, _MAX_PATH)}")
                return
            with os.scandir(path) as entries:
                ordered = sorted(entries, key=lambda entry: natural_key(entry.name))
        except OSError as error:
            yield Notice(f"cannot read directory: {plain(path, _MAX_PATH)}: {reason_of(error)}")
            return
        prefix = "" if path == os.curdir else os.path.join(path, "")
        stack.append(_Listing(identity, prefix, iter(ordered)))

    def _entry(self, entry: os.DirEntry[str], path: str) -> Iterator[Found]:
        """A file that was found in a folder; what would not be there to be read is not even opened."""
        if not _is_file(entry):
            try:
                kind = kind_of(entry.stat())
            except OSError:
                pass  # a broken link: opening it says so
            else:
                yield Notice(f"ignoring {kind}: {plain(path, _MAX_PATH)}")
                return
        yield from self._file(path)

    def _file(self, path: str) -> Iterator[Found]:
        try:
            with OpenFile(path) as file:
                file.require_regular()
                if self._files.again(file.status, path) and not self._options.send_duplicates:
                    yield Notice(f"ignoring file because it has been added already: {plain(path, _MAX_PATH)}")
                    return
                size = file.status.st_size
                head = read_head(FileSource(file.descriptor, size, HEAD_SIZE), self._options.read_mode)
        except FileError as error:
            yield Refusal(path, error.reason)
            return
        if self._options.dicomdir and head.meta_sop_class == MEDIA_STORAGE_DIRECTORY:
            yield from self._listed(path)
            return
        checks = self._options.uid_checks
        reason = complaint(head.meta_sop_class, head.meta_sop_instance, head.transfer_syntax, checks=checks)
        if not reason and checks and head.sop_class != head.meta_sop_class:
            reason = sop_class_complaint(head.sop_class)
        if reason:
            yield Refusal(path, reason)
            return
        for text in head.notices:
            yield Notice(f"{plain(path, _MAX_PATH)}: {text}")
        yield Instance(path, head.sop_class, head.sop_instance, head.transfer_syntax, size)

    def _listed(self, path: str) -> Iterator[Found]:
        """What a DICOMDIR lists."""
        empty = True
        for found in read_dicomdir(path, self._options, self._files):
            empty = False
            yield found
        if empty:
            yield Notice(f"{plain(path, _MAX_PATH)}: this DICOMDIR refers to no files", empty=True)


class _Listing:
    """A folder under way: its identity, what stands before its names, and the entries that are left."""

    __slots__ = ("entries", "identity", "prefix")

    def __init__(self, identity: tuple[int, int] | str, prefix: str, entries: Iterator[os.DirEntry[str]]) -> None:
        self.identity = identity
        self.prefix = prefix
        self.entries = entries


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorts names as people do: numbers by their value, the rest by its characters."""
    parts: list[str | int] = list(_NUMBER.split(name))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, name


def _matcher(pattern: str) -> Callable[[str], object]:
    """A test for base names: fnmatch of POSIX, case-sensitive, with ``\\`` as escape and ``[^`` as ``[!``."""
    if not pattern:
        return lambda _: True
    return re.compile(fnmatch.translate(_ESCAPE.sub(_as_class, pattern))).match


def _as_class(found: re.Match[str]) -> str:
    escaped = found.group(1)
    if escaped is None:
        return "[!"
    return f"[{escaped}]" if escaped in "*?[" else escaped


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
