"""DICOMDIR -> the instances that its records refer to (PS3.3 F.3, PS3.10 8).

It owns the directory records and the way from a file ID to a file below the DICOMDIR's folder. A DICOMDIR comes from
anywhere: nothing outside that folder is touched unless the caller wants it.
"""

from __future__ import annotations

import os
import re
import stat
from itertools import islice

from dcmsend.errors import FileError
from dcmsend.files.dataset import opened
from dcmsend.files.elements import END, ITEM, UNBOUNDED, UNDEFINED, StructureError, encoding_of, walk
from dcmsend.files.opening import OpenFile, Seen, kind_of
from dcmsend.files.part10 import read_meta, uid_of
from dcmsend.files.sources import FileSource
from dcmsend.files.uid_checks import complaint
from dcmsend.light import NamedTuple
from dcmsend.model import Instance, Notice, Refusal
from dcmsend.printable import plain
from dcmsend.reasons import NONE, Reason, because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from dcmsend.files.elements import Encoding
    from dcmsend.files.sources import Source
    from dcmsend.model import ScanOptions

RECORDS: Final = 0x00041220
FILE_ID: Final = 0x00041500
REFERENCED_CLASS: Final = 0x00041510
REFERENCED_INSTANCE: Final = 0x00041511
REFERENCED_SYNTAX: Final = 0x00041512

_UIDS: Final = (REFERENCED_CLASS, REFERENCED_INSTANCE, REFERENCED_SYNTAX)
_WANTED: Final = frozenset((FILE_ID, *_UIDS))
_MAX_VALUE: Final = 2048  # bytes that are read of a record's value
_MAX_COMPONENTS: Final = 16  # the standard has 8 of 8 characters; discs in the field have longer ones
_MAX_NAME: Final = 255
_MAX_SHOWN: Final = 200  # characters of a file ID in a sentence
_MAX_LISTINGS: Final = 8  # folders whose names are kept
_MAX_NAMES: Final = 65536  # names of a folder that are kept
_VERSION: Final = re.compile(r"(?:;[0-9]+)?\.?(?:;[0-9]+)?\Z")  # how ISO 9660 names show on some systems
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def read_dicomdir(path: str, options: ScanOptions, seen: Seen | None = None) -> Iterator[Instance | Refusal | Notice]:
    """One value for each record with a file ID, in file order; a DICOMDIR that breaks off ends with a Refusal."""
    seen = seen or Seen()
    folder = _Folder(os.path.dirname(path), external=options.external_references)
    try:
        with OpenFile(path) as file:
            file.require_regular()
            for record in _records(FileSource(file.descriptor, file.status.st_size)):
                yield _referenced(record, folder, options, seen)
    except FileError as error:
        yield Refusal(path, error.reason)


class _Record(NamedTuple):
    """The wanted values of a directory record. ``damage``: why there may be more to it, if it is damaged."""

    values: dict[int, bytes]
    damage: Reason = NONE


def _records(source: FileSource) -> Iterator[_Record]:
    """Every directory record that has a file ID or is damaged. Raises FileError where the rest of them is not known.

    The end of the file is no limit for what says how long it is: what stands before it counts.
    """
    meta = read_meta(source, source.size)
    inside, begin, _ = opened(source, meta.dataset_offset, source.size, meta.transfer_syntax, None)
    encoding = encoding_of(meta.transfer_syntax)
    record: dict[int, bytes] = {}
    elements = walk(inside, encoding, begin, UNBOUNDED, descend=frozenset((RECORDS,)))
    jump = None
    try:
        while True:
            depth, tag, _, start, value, length = elements.send(jump)
            jump = None
            if tag == END or (tag == ITEM and depth == 1):
                if FILE_ID in record:
                    yield _Record(record)
                record = {}
                if tag == END:
                    return
                if length != UNDEFINED:  # whatever is wrong in it, the next one stands behind it
                    if inside is source and value + length > source.size:
                        raise StructureError(ITEM, start, 1, because("past_the_end", length=length))
                    jump = value + length
                    found = _record(inside, encoding, value, length)
                    if FILE_ID in found.values or found.damage:
                        yield found
            elif tag in _WANTED and depth == 2:
                record[tag] = _value(inside, value, length)
    except StructureError as error:
        if error.depth <= 1 and FILE_ID in record:
            yield _Record(record)
        raise FileError(because("dicomdir_damaged", error.reason)) from None


def _record(source: Source, encoding: Encoding, start: int, length: int) -> _Record:
    """What is in a record of a defined length."""
    record: dict[int, bytes] = {}
    try:
        for _, tag, _, _, value, count in walk(source, encoding, start, start + length):
            if tag in _WANTED:
                record[tag] = _value(source, value, count)
    except StructureError as error:
        return _Record(record, error.reason)
    return _Record(record)


def _value(source: Source, value: int, length: int) -> bytes:
    length = max(min(length, _MAX_VALUE), 0)
    buffer, base = source.window(value, length)
    return buffer[value - base : value - base + length]


def _components(file_id: str) -> list[str]:
    """The names that a file ID consists of, the folders first.

    What writers put between them, slashes and several of them, means the same. Where it begins with one it leads to
    the root of the file system, which stands as the first component.
    """
    names = [name.strip(" \0") for name in file_id.replace("/", "\\").split("\\")]
    root = [os.sep] if len(names) > 1 and not names[0] else []
    return root + [name for name in names if name not in ("", os.curdir)]


def _referenced(record: _Record, folder: _Folder, options: ScanOptions, seen: Seen) -> Instance | Refusal | Notice:
    """What a record comes to. The file is looked for, but not opened."""
    values = record.values
    components = _components(values.get(FILE_ID, b"").decode("utf-8", "surrogateescape"))
    path = plain(os.path.join(folder.path, *(name.lstrip(os.sep) for name in components)), _MAX_VALUE)
    if record.damage:
        return Refusal(path, because("record_damaged", record.damage))
    if not components:
        return Refusal(path, because("invalid_file_id"))
    sop_class, sop_instance, syntax = (uid_of(values.get(tag, b"")) for tag in _UIDS)
    reason = complaint(sop_class, sop_instance, syntax, checks=options.uid_checks)
    if reason:
        return Refusal(path, reason)
    try:
        path, status = folder.find(components)
    except FileError as error:
        return Refusal(path, error.reason)
    if not stat.S_ISREG(status.st_mode):
        return Refusal(path, because("not_a_regular_file", kind=kind_of(status)))
    if seen.again(status, path) and not options.send_duplicates:
        return Notice(f"ignoring file because it has been added already: {plain(path, _MAX_VALUE)}")
    return Instance(path, sop_class, sop_instance, syntax, status.st_size)


class _Folder:
    """The folder of a DICOMDIR, and the look-up of file IDs below it."""

    def __init__(self, path: str, *, external: bool) -> None:
        self.path = path
        self._external = external
        self._root = os.path.realpath(path or os.curdir)
        self._listings: dict[str, dict[str, str]] = {}

    def find(self, components: list[str]) -> tuple[str, os.stat_result]:
        """The path and status of the file that a file ID means.

        Raises FileError where there is none, or where it must not be read.
        """
        try:
            path = self._path_of(components)
            return path, os.stat(path)
        except OSError as error:
            raise FileError(of_system(error)) from None
        except ValueError:  # a character that no file name can have
            raise FileError(because("invalid_file_id")) from None

    def _path_of(self, components: list[str]) -> str:
        if not self._external:
            _require_plain(components)
        if "\0" in "".join(components):
            raise FileError(because("invalid_file_id"))
        path = os.path.join(self.path, *components)
        if not os.path.lexists(path):
            path = self._find_ignoring_case(components)
        if not self._external and not self._contains(path):
            raise FileError(because("link_leads_out"))
        return path

    def _find_ignoring_case(self, components: list[str]) -> str:
        path = self.path
        for component in components:
            direct = os.path.join(path, component)
            if os.path.lexists(direct):
                path = direct
                continue
            name = self._names(path).get(_folded(component))
            if name is None:
                raise FileError(because("file_id_not_found", id=_written(components)))
            path = os.path.join(path, name)
        return path

    def _names(self, folder: str) -> dict[str, str]:
        """The names in a folder by the form in which they are compared. Only folders inside are looked into."""
        if folder not in self._listings:
            if not self._external and not self._contains(folder):
                raise FileError(because("link_leads_out"))
            if len(self._listings) >= _MAX_LISTINGS:
                self._listings.pop(next(iter(self._listings)))
            try:
                with os.scandir(folder or os.curdir) as entries:
                    names = sorted((entry.name for entry in islice(entries, _MAX_NAMES + 1)), reverse=True)
            except OSError:
                names = []
            if len(names) > _MAX_NAMES:
                raise FileError(because("folder_too_large", most=_MAX_NAMES))
            self._listings[folder] = {_folded(name): name for name in names}
        return self._listings[folder]

    def _contains(self, path: str) -> bool:
        real = os.path.realpath(path or os.curdir)
        return real == self._root or real.startswith(os.path.join(self._root, ""))


def _folded(name: str) -> str:
    return _VERSION.sub("", name, count=1).casefold()


def _written(components: list[str]) -> str:
    """A file ID as the standard writes it."""
    return "\\".join("" if name == os.sep else name for name in components)[:_MAX_SHOWN]


def _require_plain(components: list[str]) -> None:
    if len(components) > _MAX_COMPONENTS:
        raise FileError(because("file_id_too_deep", most=_MAX_COMPONENTS))
    for component in components:
        if len(component) > _MAX_NAME:
            raise FileError(because("file_id_too_long", most=_MAX_NAME))
        if component == os.pardir or "/" in component or _DRIVE.match(component):
            raise FileError(because("file_id_leads_out", id=_written(components)))
