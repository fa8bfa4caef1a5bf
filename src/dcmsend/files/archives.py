"""Archives that stand for the files in them (``--scan-archives``). Loaded where that is wanted.

Owns which files are archives, by their content; the paths of members (that of the archive, ``/``, the member's name);
and which archives are open. Nothing is unpacked to a place with a name. Archives within archives are not opened.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from functools import partial

from dcmsend.errors import FileError
from dcmsend.files import tars, zips
from dcmsend.files.dicom_names import in_context
from dcmsend.files.foreign import is_tar
from dcmsend.files.head import read_head
from dcmsend.files.natural import in_natural_order
from dcmsend.files.opening import OpenFile
from dcmsend.files.part10 import has_prefix
from dcmsend.files.scan import HEAD_SIZE, Scanner
from dcmsend.files.sources import BytesSource, read_at
from dcmsend.files.unpacking import BZIP2, GZIP, STORED, XZ, HeadSource, Stream, mark_of
from dcmsend.model import Notice, Refusal
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons import because, of_system
from dcmsend.uids import MEDIA_STORAGE_DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from dcmsend.files.scan import Found, Unusual
    from dcmsend.model import ScanOptions
    from dcmsend.reasons import Reason

MOST_OPEN: Final = 4  # archives, beside those in use

ZIP: Final = "zip"
_ZIPS: Final = (b"PK\3\4", b"PK\5\6")
_PACKED: Final = ((b"\x1f\x8b\x08", GZIP), (b"BZh", BZIP2), (b"\xfd7zXZ\0", XZ))


def kind_of(descriptor: int, size: int) -> str:
    """What kind of archive a file is: ``zip``, or how a tar archive is packed; empty where it is none."""
    block = read_at(descriptor, tars.BLOCK, 0)
    if block[:4] in _ZIPS:
        return ZIP
    if tars.is_header(block) or _is_damaged_tar(block):
        return STORED
    method = next((method for magic, method in _PACKED if block.startswith(magic)), "")
    if method:
        try:
            return method if tars.is_header(Stream(descriptor, 0, size, method).read(tars.BLOCK)) else ""
        except FileError:
            return method  # whoever unpacks it finds out what is wrong
    return ""


def _is_damaged_tar(block: bytes) -> bool:
    """Return True if this was the first header of a tar archive: whoever reads it finds out what is wrong."""
    source = BytesSource(block)
    return is_tar(source) and not has_prefix(source)


def _looks_like_archive(head: bytes) -> bool:
    return (
        head[:4] in _ZIPS or any(head.startswith(magic) for magic, _ in _PACKED) or tars.is_header(head[: tars.BLOCK])
    )


class _Archive:
    """An archive that is open. ``users``: how many are reading it."""

    def __init__(self, path: str) -> None:
        self.users = 0
        self.file = OpenFile(path)
        self._confirm = partial(_require_unchanged, self.file)  # no method of its own, which would hold the archive
        try:
            self.file.require_regular()
            self.size = self.file.status.st_size
            self.kind = kind_of(self.file.descriptor, self.size)
            self.members: dict[str, zips.Member] = {}
            self.reader: tars.Reader | None = None
            if self.kind == ZIP:
                found = zips.read_directory(self.file.descriptor, self.size)
                self.members = {member.name: member for member in in_natural_order(found, _name_of)}
            elif self.kind:
                self.reader = tars.Reader(self.file.descriptor, self.size, self.kind, self._confirm)
        except BaseException:
            self.file.close()
            raise

    def open(self, name: str) -> OpenFile:
        if self.reader is not None:
            return self.reader.open(name)
        member = self.members.get(name)
        if member is None:
            raise FileError(because("not_in_archive"))
        return zips.opened(self.file.descriptor, member, self._confirm)


def _require_unchanged(file: OpenFile) -> None:
    """Raises FileError where an archive is not what it was when it was opened."""
    if mark_of(os.fstat(file.descriptor)) != mark_of(file.status):
        raise FileError(because("archive_changed"))


def _name_of(member: zips.Member) -> str:
    return member.name


class Archives:
    """The archives of a run, by their paths; those that were used last are open. For several threads at once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int, int, int]] = {}  # what each was when it was looked at
        self._open: dict[str, _Archive] = {}  # the one used last is the last one
        self._lock = allocate_lock()

    def enter(self, path: str) -> _Archive:
        """The archive at a path, to be left when it was used. Raises FileError, also where it is another one now."""
        with self._lock:
            archive = self._open.pop(path, None)
            if archive is None:
                archive = _Archive(path)
                status = mark_of(archive.file.status)
                if self._known.setdefault(path, status) != status:
                    archive.file.close()
                    raise FileError(because("archive_changed"))
            archive.users += 1
            self._open[path] = archive
            idle = [other for other, one in self._open.items() if not one.users]
            for other in idle[: max(len(self._open) - MOST_OPEN, 0)]:
                self._open.pop(other).file.close()
            return archive

    def leave(self, archive: _Archive) -> None:
        with self._lock:
            archive.users -= 1

    def opener(self, otherwise: Callable[[str], OpenFile]) -> Callable[[str], OpenFile]:
        """What opens paths, those of members too."""

        def opened(path: str) -> OpenFile:
            try:
                return otherwise(path)
            except FileError:
                place = self._split(path)
                if place is None:
                    raise
            return self._opened(*place)

        return opened

    def _opened(self, path: str, name: str) -> OpenFile:
        try:
            now = mark_of(os.stat(path))
        except OSError as error:
            raise FileError(because("archive_gone", of_system(error))) from None
        if now != self._known[path]:
            raise FileError(because("archive_changed"))
        archive = self.enter(path)
        try:
            return archive.open(name)
        finally:
            self.leave(archive)

    def looker(self, otherwise: Callable[[str], tuple[int, int]]) -> Callable[[str], tuple[int, int]]:
        """What tells a path's file from others: of members of zip archives size and checksum, of tars the archive's."""

        def look(path: str) -> tuple[int, int]:
            place = self._split(path)
            if place is None:
                return otherwise(path)
            archive = self._open.get(place[0])
            member = archive.members.get(place[1]) if archive else None
            return (member.size, member.checksum) if member else self._known[place[0]][2:]

        return look

    def _split(self, path: str) -> tuple[str, str] | None:
        """The path of an archive, and the name of a member in it."""
        at = path.find("/")
        while at >= 0:
            if path[:at] in self._known:
                return path[:at], path[at + 1 :]
            at = path.find("/", at + 1)
        return None

    def close(self) -> None:
        with self._lock:
            for archive in self._open.values():
                archive.file.close()
            self._open.clear()


_NAMES: Final = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz")


def _called_an_archive(refusal: Refusal) -> Refusal:
    """What is called an archive and begins like none is not passed over: somebody may still be writing it."""
    if refusal.left_out or not refusal.path.lower().endswith(_NAMES):
        return refusal
    return Refusal(refusal.path, because("archive_cut", refusal.reason))


class ArchiveScanner(Scanner):
    """A scan that looks into archives as well."""

    def __init__(self, options: ScanOptions, archives: Archives, unusual: Unusual | None = None) -> None:
        super().__init__(options, unusual)
        self._archives = archives

    def _file(self, path: str, *, named: bool = False) -> Iterator[Found]:
        status = self._status_of_archive(path)
        if status is None:
            for found in super()._file(path, named=named):
                yield _called_an_archive(found) if isinstance(found, Refusal) else found
        else:
            yield from self._once(status, path, self._in_archive(path))

    def _other(self, path: str) -> Iterator[Found]:
        if self._status_of_archive(path) is not None:
            yield from self._file(path)

    def _status_of_archive(self, path: str) -> os.stat_result | None:
        """What the system says of a file, if that is an archive."""
        try:
            with OpenFile(path) as file:
                file.require_regular()
                return file.status if kind_of(file.descriptor, file.status.st_size) else None
        except FileError:
            return None

    def _in_archive(self, path: str) -> Iterator[Found]:
        try:
            archive = self._archives.enter(path)
        except FileError as error:
            yield Refusal(path, error.reason)
            return
        empty = True
        try:
            for found in self._members(path, archive):
                empty = False
                yield found
        except FileError as error:  # what came before stays
            empty = False
            yield Refusal(path, error.reason)
        finally:
            self._archives.leave(archive)
        if empty:
            yield Notice(f"{plain(path, MAX_PATH)}: there are no files in this archive", empty=True)

    def _members(self, path: str, archive: _Archive) -> Iterator[Found]:
        descriptor = archive.file.descriptor
        if archive.kind == ZIP:
            for member in archive.members.values():
                if self._wanted(member.name):
                    yield from self._in_zip(f"{path}/{member.name}", descriptor, member)
            return
        walk = tars.Walk(Stream(descriptor, 0, archive.size, archive.kind))
        while header := walk.next():
            if header.kind == tars.FILE:
                if self._wanted(header.name):
                    yield from self._in_tar(f"{path}/{header.name}", walk, header)
            elif header.kind == tars.SPARSE:
                if self._wanted(header.name):
                    yield Refusal(f"{path}/{header.name}", because("member_sparse"))
            elif header.kind != tars.FOLDER:
                yield Notice(f"ignoring {header.kind} in an archive: {plain(f'{path}/{header.name}', MAX_PATH)}")

    def _wanted(self, name: str) -> bool:
        return self._matches is None or bool(self._matches(name.rpartition("/")[2]))

    def _in_zip(self, path: str, descriptor: int, member: zips.Member) -> Iterator[Found]:
        try:
            stream, _ = zips.stream_of(descriptor, member)
            source = HeadSource(stream.read, member.size, HEAD_SIZE)
            for found in self._member(path, source):
                yield Refusal(path, _why(found.reason, descriptor, member)) if isinstance(found, Refusal) else found
        except FileError as error:
            reason = in_context(error.reason, path, member.size, named=False)
            yield Refusal(path, _why(reason, descriptor, member))

    def _in_tar(self, path: str, walk: tars.Walk, header: tars.Header) -> Iterator[Found]:
        """A member, when it is known to be there whole. Raises FileError where it is not."""
        source = HeadSource(walk.stream.read, header.size, HEAD_SIZE)
        try:
            found = list(self._member(path, source))
        except FileError as error:
            if error.reason.code == "archive_cut":
                raise
            found = [Refusal(path, in_context(error.reason, path, header.size, named=False))]
        walk.stream.skip(header.offset + header.size - walk.stream.position)
        yield from found

    def _member(self, path: str, source: HeadSource) -> Iterator[Found]:
        if _looks_like_archive(source.head):
            yield Refusal(path, because("archive_in_archive"))
            return
        head = read_head(source, self._options.read_mode)
        if self._options.dicomdir and head.meta_sop_class == MEDIA_STORAGE_DIRECTORY:
            words = "ignoring DICOMDIR in an archive, which stands for all files in it"
            yield Notice(f"{words}: {plain(path, MAX_PATH)}")
            return
        yield from self.judged(path, head, source.size)


def _why(reason: Reason, descriptor: int, member: zips.Member) -> Reason:
    """Why a member is refused: what is damaged may have been another file, and a DICOM file."""
    try:
        zips.verify(descriptor, member)
    except FileError as damage:
        return damage.reason
    return reason
