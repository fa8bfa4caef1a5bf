"""Arguments -> paths -> Instance | Refusal | Notice, lazily and in order.

It owns what is looked at, in which order and how often: files, folders, DICOMDIRs. Of each file only the head is read.
What a head says is read elsewhere; what becomes of the values is the caller's business.
"""

from __future__ import annotations

import os
from itertools import islice

from dcmsend.errors import FileError, Interrupted, ListError
from dcmsend.files.head import read_head
from dcmsend.files.layouts import Layouts
from dcmsend.files.natural import in_natural_order
from dcmsend.files.opening import OpenFile, Seen, kind_of, read_beginning
from dcmsend.files.uid_checks import complaint, sop_class_complaint
from dcmsend.model import Instance, Later, Notice, ReadMode, Refusal
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons import because, of_system
from dcmsend.uids import MEDIA_STORAGE_DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final, TypeAlias

    from dcmsend.files.head import Head
    from dcmsend.model import ScanOptions
    from dcmsend.stop import Stop

    Unusual: TypeAlias = Callable[[object, int], Iterator["Found"]]
    Entries: TypeAlias = Iterator[os.DirEntry[str]]

Found: TypeAlias = Instance | Refusal | Notice | Later | ListError

HEAD_SIZE: Final = 4096  # bytes that are read of each file at first
RUN: Final = 16384  # entries of a folder that are sorted and kept at once


def scan(arguments: Iterable[object], options: ScanOptions, scanner: Scanner | None = None) -> Iterator[Found]:
    """Everything that the arguments name, in order.

    A file that cannot be sent is a Refusal, and what is passed over a Notice: where there are only notices, there was
    no input. ``Later`` and ``ListError`` among the arguments are handed on.
    """
    scanner = scanner or Scanner(options)
    for number, argument in enumerate(arguments, 1):
        if type(argument) is str:
            yield from scanner.argument(argument)
        elif isinstance(argument, Later | ListError):
            yield argument
        else:
            yield from scanner.unusual(argument, number)


def _unknown(argument: object, number: int) -> Iterator[Found]:
    raise TypeError(f"source {number} is of type {type(argument).__name__}, which cannot be sent")


class Scanner:
    """One scan: the options, and what was met so far. ``unusual`` is asked what an argument is that is no path.

    Once ``stop`` is requested, nothing more is read, and Interrupted is raised.
    """

    def __init__(self, options: ScanOptions, unusual: Unusual | None = None) -> None:
        self.stop: Stop | None = None
        self.unusual = unusual or _unknown
        self._options = options
        self._files = Seen()
        self._folders = Seen()
        self._matches = _matcher(options.pattern)
        self._layouts = Layouts(checks=options.uid_checks)
        self._quick = options.read_mode is not ReadMode.DATASET_ONLY

    def argument(self, path: str) -> Iterator[Found]:
        if os.path.isdir(path):
            yield from self._folder(path)
        else:
            yield from self._file(path, named=True)

    def _folder(self, path: str) -> Iterator[Found]:
        """What is in a folder: without recursion a stack of listings, as deep as the folders are nested."""
        if not self._options.directories:
            yield Refusal(path, because("folder_not_searched"))
            return
        stack: list[_Listing] = []
        try:
            yield from self._enter(path, stack)
            while stack:
                self._require_wanted()  # there may be no end of files that nobody wants
                yield from self._go_on(stack)
        finally:
            for listing in stack:
                listing.close()

    def _go_on(self, stack: list[_Listing]) -> Iterator[Found]:
        """What is in the folder on top of the stack, up to the next folder in it or the end of a run."""
        listing = stack[-1]
        prefix, matches = listing.prefix, self._matches
        for entry in listing.run:
            name = entry.name
            if _is_regular(entry):
                if matches is None or matches(name):
                    path = prefix + name
                    found = self._ordinary(path) if self._quick else None
                    if found is not None:
                        yield found
                    else:
                        yield from self._file(path)
                else:
                    yield from self._other(prefix + name)
            elif _is_folder(entry):
                if self._options.recurse:
                    yield from self._enter(prefix + name, stack)
                    return
            elif matches is None or matches(name):
                yield from self._entry(entry, prefix + name)
            elif _is_file(entry):
                yield from self._other(prefix + name)
        try:
            if not listing.read():
                stack.pop()
        except OSError as error:
            stack.pop()
            yield _unreadable(listing.path, error)

    def _enter(self, path: str, stack: list[_Listing]) -> Iterator[Found]:
        """Put a folder on the stack, unless that would go in circles."""
        try:
            status = os.stat(path)
            identity = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)
            if any(identity == above.identity for above in stack):
                yield Notice(f"ignoring directory because it is a loop: {plain(path, MAX_PATH)}")
                return
            if self._folders.again(status, path) and not self._options.send_duplicates:
                yield Notice(f"ignoring directory because it has been scanned already: {plain(path, MAX_PATH)}")
                return
            try:
                listing = _Listing(identity, path)
                listing.read()
            except OSError:
                self._folders.forget(status, path)
                raise
        except OSError as error:
            yield _unreadable(path, error)
            return
        stack.append(listing)

    def _ordinary(self, path: str) -> Instance | None:
        """The instance in a file about which there is nothing else to say, else None."""
        try:
            status, data = read_beginning(path, HEAD_SIZE)
        except (FileError, OSError, ValueError):
            return None
        uids = self._layouts.uids(data)
        if uids is None or (not self._options.send_duplicates and self._files.again(status, path)):
            return None
        sop_class, sop_instance, transfer_syntax = uids
        return Instance(path, sop_class, sop_instance, transfer_syntax, status.st_size)

    def _entry(self, entry: os.DirEntry[str], path: str) -> Iterator[Found]:
        """A file that was found in a folder; what would not be there to be read is not even opened."""
        if not _is_file(entry):
            try:
                kind = kind_of(entry.stat())
            except OSError:
                pass  # a broken link: opening it says so
            else:
                yield Notice(f"ignoring {kind}: {plain(path, MAX_PATH)}")
                return
        yield from self._file(path)

    def _require_wanted(self) -> None:
        if self.stop is not None and self.stop.requested:
            raise Interrupted(because("stopped"))

    def _other(self, path: str) -> Iterable[Found]:  # noqa: ARG002
        """A file in a folder whose name is none of those that are wanted."""
        return ()

    def _file(self, path: str, *, named: bool = False) -> Iterator[Found]:
        """What a file comes to; ``named``: somebody gave its path, rather than that of a folder above it."""
        size = 0
        try:
            with OpenFile(path) as file:
                file.require_regular()
                size = file.status.st_size
                source = file.source(HEAD_SIZE)
                source.go_on = self._require_wanted
                head = read_head(source, self._options.read_mode)
        except (FileError, OSError) as error:
            from dcmsend.files.dicom_names import in_context  # most files are not refused
            from dcmsend.files.own_files import is_own

            if not named and is_own(path):
                return
            reason = error.reason if isinstance(error, FileError) else of_system(error)
            yield Refusal(path, in_context(reason, path, size, named=named))
            return
        lists = self._options.dicomdir and head.meta_sop_class == MEDIA_STORAGE_DIRECTORY
        found = self._listed(path) if lists else self.judged(path, head, source.size, named=named)
        yield from self._once(file.status, path, found)

    def _once(self, status: os.stat_result, path: str, found: Iterable[Found]) -> Iterator[Found]:
        """What a file comes to, unless something has come of it before."""
        if self._files.again(status, path) and not self._options.send_duplicates:
            yield Notice(f"ignoring file because it has been added already: {plain(path, MAX_PATH)}")
            return
        added = False
        for each in found:
            added |= isinstance(each, Instance)
            yield each
        if not added:
            self._files.forget(status, path)

    def judged(self, path: str, head: Head, size: int, *, named: bool = False) -> Iterator[Found]:
        """What a file comes to that has this head; ``named``: somebody gave it, rather than a folder or an archive."""
        checks = self._options.uid_checks
        reason = complaint(head.meta_sop_class, head.meta_sop_instance, head.transfer_syntax, checks=checks)
        if not reason and head.sop_class != head.meta_sop_class:
            reason = sop_class_complaint(head.sop_class, checks=checks)
        if reason:
            listing = reason.code == "is_dicomdir" and not named  # of files that stand there themselves
            yield Refusal(path, because("dicomdir_found", uid=head.meta_sop_class) if listing else reason)
            return
        for text in head.notices:
            yield Notice(f"{plain(path, MAX_PATH)}: {text}")
        yield Instance(path, head.sop_class, head.sop_instance, head.transfer_syntax, size)

    def _listed(self, path: str) -> Iterator[Found]:
        """What a DICOMDIR lists."""
        from dcmsend.files.dicomdir import read_dicomdir

        empty = True
        for found in read_dicomdir(path, self._options, self._files):
            empty = False
            yield found
        if empty:
            yield Notice(f"{plain(path, MAX_PATH)}: this DICOMDIR refers to no files", empty=True)


class _Listing:
    """A folder under way: its identity, what stands before its names, and the run of its entries that is looked at.

    Entries are read and sorted in runs, so that a huge folder takes neither time nor memory before its first file. A
    folder that fits into one run, as nearly all do, is closed as soon as it has been read.
    """

    __slots__ = ("_broken", "_entries", "identity", "path", "prefix", "run")

    def __init__(self, identity: tuple[int, int] | str, path: str) -> None:
        self.identity = identity
        self.path = path
        self.prefix = "" if path == os.curdir else os.path.join(path, "")
        self.run: Entries = iter(())
        self._broken: OSError | None = None
        self._entries = os.scandir(path)

    def read(self) -> bool:
        """Read the next run; return True if there is one. Raises OSError, once what came before it has been given."""
        if self._broken is not None:
            raise self._broken
        run: list[os.DirEntry[str]] = []
        try:
            run.extend(islice(self._entries, RUN))
        except OSError as error:  # it keeps what came before
            self._broken = error
        if len(run) < RUN:
            self.close()
        self.run = iter(in_natural_order(run, _name_of))
        if not run and self._broken is not None:
            raise self._broken
        return bool(run)

    def close(self) -> None:
        self._entries.close()


def _name_of(entry: os.DirEntry[str]) -> str:
    return entry.name


def _unreadable(path: str, error: OSError) -> Refusal:
    return Refusal(path, because("folder_not_listed", of_system(error)))


def _matcher(pattern: str) -> Callable[[str], object] | None:
    """A test for base names: fnmatch of POSIX, case-sensitive, with ``\\`` as escape and ``[^`` as ``[!``."""
    if not pattern:
        return None
    import fnmatch
    import re

    plainer = re.sub(r"\\(.)|\[\^", _as_class, pattern, flags=re.DOTALL)
    return re.compile(fnmatch.translate(plainer)).match


def _as_class(found: re.Match[str]) -> str:
    escaped = found.group(1)
    if escaped is None:
        return "[!"
    return f"[{escaped}]" if escaped in "*?[" else escaped


def _is_regular(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file and no link to one."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


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
