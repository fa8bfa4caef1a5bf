"""What a caller gives that is no path: bytes, open files, data sets of pydicom. Loaded with the first of them.

Owns how long each is kept: from the look at it until it has its outcome, and how much is kept at once. Each gets a name
in angle brackets, by which it is found again; reports and logs show that where others have a path.
"""

from __future__ import annotations

import os
import stat
import sys
from io import BufferedRandom, BufferedReader, BytesIO, FileIO, TextIOBase
from zlib import crc32

from dcmsend.errors import CallersError, DcmsendError, FileError
from dcmsend.files.head import read_head
from dcmsend.files.opening import OpenFile, require_same
from dcmsend.files.parts import OpenMemory, OpenPart
from dcmsend.model import Later, Notice, Refusal
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any, Final

    from dcmsend.files.scan import Found, Scanner
    from dcmsend.model import ScanOptions

MAX_BYTES: Final = 256 << 20  # that are kept in memory at once, beside what is larger alone
MAX_SOURCES: Final = 1024  # that are kept at once
MAX_FILES: Final = 64  # of them that are open
SPOOL_LIMIT: Final = 16 << 20  # bytes of a file object that are kept in memory; what is longer goes to a file
_CHUNK: Final = 1 << 20
_HEAD: Final = 4096

_EXPLICIT_LITTLE: Final = (False, True)  # implicit VR, little endian
_SYNTAXES: Final = {
    (True, True): "1.2.840.10008.1.2",
    _EXPLICIT_LITTLE: "1.2.840.10008.1.2.1",
    (False, False): "1.2.840.10008.1.2.2",
}


class _Kept:
    """A source that is kept: bytes in memory, or a stretch of an open file of our own."""

    __slots__ = ("data", "descriptor", "size", "start", "status")

    def __init__(self, data: bytes | None, descriptor: int = -1, start: int = 0, size: int = 0) -> None:
        self.data = data
        self.descriptor = descriptor
        self.start = start
        self.size = size
        self.status = None if data is not None else os.fstat(descriptor)

    def opened(self) -> OpenFile:
        if self.data is not None:
            return OpenMemory(self.data)
        before = self.status
        begun = before and require_same(self.descriptor, before)

        def require_unchanged() -> None:
            if before and begun and require_same(self.descriptor, before).st_ctime_ns != begun.st_ctime_ns:
                raise FileError(because("touched_while_sent"))

        return OpenPart(self.descriptor, self.start, self.size, require_unchanged)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Given:
    """The sources of a run that are no paths. ``bounded``: no more than so much is kept at once; else all is.

    ``take`` belongs to the thread of the scan, ``opened`` may be called from several.
    """

    def __init__(self, scanner: Scanner, options: ScanOptions, *, bounded: bool) -> None:
        self.scanner = scanner
        self._options = options
        self._bounded = bounded
        self._kept: dict[str, _Kept] = {}
        self._bytes = 0
        self._files = 0

    def take(self, source: object, number: int) -> Iterator[Found]:
        """What source ``number`` comes to. Raises TypeError where it is nothing that can be sent."""
        while self._bounded and self._kept and self._full():
            yield Later()
        if isinstance(source, os.PathLike):
            yield from self.scanner.argument(os.fsdecode(source))
            return
        if isinstance(source, str):  # a class of the caller's own
            yield from self.scanner.argument(str(source))
            return
        path = self._unused(_name(source, number))
        if _is_data_set(source) and _lacks_pixels(source):
            yield Notice(f"{plain(path, MAX_PATH)}: it describes an image, and has no pixel data")
        try:
            kept = _keep(source, number)
        except FileError as error:
            yield Refusal(path, error.reason)
            return
        self._kept[path] = kept
        self._count(kept, 1)
        try:
            with kept.opened() as file:
                head = read_head(opened := file.source(_HEAD), self._options.read_mode)
            for found in self.scanner.judged(path, head, opened.size, named=True):
                if isinstance(found, Refusal):
                    self.release(path)
                yield found
        except FileError as error:
            self.release(path)
            yield Refusal(path, error.reason)

    def opener(self, otherwise: Callable[[str], OpenFile]) -> Callable[[str], OpenFile]:
        """What opens paths, those of these sources too."""

        def opened(path: str) -> OpenFile:
            kept = self._kept.get(path)
            return otherwise(path) if kept is None else kept.opened()

        return opened

    def looker(self, otherwise: Callable[[str], tuple[int, int]]) -> Callable[[str], tuple[int, int]]:
        """What tells a path's file from others, for these sources too: size and checksum of what is in memory."""

        def look(path: str) -> tuple[int, int]:
            kept = self._kept.get(path)
            if kept is None:
                return otherwise(path)
            if kept.data is None:
                return -1, kept.status.st_mtime_ns if kept.status else 0
            return len(kept.data), crc32(kept.data)

        return look

    def release(self, path: str) -> None:
        """Let go of a source that has its outcome."""
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._count(kept, -1)
            kept.close()

    def close(self) -> None:
        """Let go of all that are left."""
        for path in tuple(self._kept):
            self.release(path)

    def _count(self, kept: _Kept, sign: int) -> None:
        self._files += sign * (kept.data is None)
        self._bytes += sign * len(kept.data or b"")

    def _full(self) -> bool:
        return len(self._kept) >= MAX_SOURCES or self._bytes >= MAX_BYTES or self._files >= MAX_FILES

    def _unused(self, words: str) -> str:
        """A name that no other source has, nor any file."""
        name, further = f"<{words}>", 1
        while name in self._kept or os.path.lexists(name):
            further += 1
            name = f"<{words} ({further})>"
        return name


def _name(source: object, number: int) -> str:
    if isinstance(source, bytes | bytearray | memoryview):
        return f"bytes {number}"
    if _is_data_set(source):
        uid = str(source.get("SOPInstanceUID", "") or number)  # type: ignore[attr-defined]
        return f"data set {plain(uid)}"
    name = getattr(source, "name", None)
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    return f"file {name[:MAX_PATH]}" if isinstance(name, str) and _is_name(name) else f"file {number}"


def _is_name(name: str) -> bool:
    try:
        return b"\0" not in os.fsencode(name) != b""
    except ValueError:  # a character that no file name can have
        return False


def _keep(source: object, number: int) -> _Kept:
    """Raises TypeError where it is nothing that can be sent, and FileError where it cannot be read."""
    if isinstance(source, bytes):
        return _Kept(source)
    if isinstance(source, bytearray | memoryview):
        return _Kept(bytes(source))
    if _is_data_set(source):
        return _Kept(_written(source))
    if hasattr(source, "read") and not isinstance(source, TextIOBase):
        return _kept_file(source, number)
    kind = type(source).__name__
    hint = ": open it in binary mode" if isinstance(source, TextIOBase) else ""
    raise TypeError(f"source {number} is of type {kind}, which cannot be sent{hint}")


# --- open files


def _kept_file(stream: Any, number: int) -> _Kept:
    """The rest of a file object: where it stands on a disk it is not read now."""
    try:
        raw = _raw(stream)
        if raw is not None:
            if isinstance(stream, BufferedRandom):
                stream.flush()
            status = os.fstat(raw.fileno())
            if stat.S_ISREG(status.st_mode):  # pipes have no place that could be told
                start = stream.tell()
                return _Kept(None, os.dup(raw.fileno()), start, max(status.st_size - start, 0))
        return _read(stream, number)
    except OSError as error:
        raise FileError(of_system(error)) from None
    except ValueError as error:  # it is closed
        raise FileError(because("source_not_read", words=str(error))) from None


def _raw(stream: Any) -> FileIO | None:
    """The file of the system that a file object is for, where it gives that file's bytes as they are."""
    stream = getattr(stream, "file", stream)  # that of a temporary file
    raw = stream.raw if type(stream) in (BufferedReader, BufferedRandom) else stream
    return raw if type(raw) is FileIO else None


def _read(stream: Any, number: int) -> _Kept:
    """All that it gives: in memory, or in a file without a name."""
    data = bytearray()
    file: IO[bytes] | None = None
    try:
        while (chunk := _next(stream)) or chunk is None:
            if chunk is None:
                raise FileError(because("source_not_ready"))
            if not isinstance(chunk, bytes | bytearray):
                raise TypeError(f"source {number} reads {type(chunk).__name__}, not bytes: open it in binary mode")
            data += chunk
            if len(data) > SPOOL_LIMIT:
                file = file or _temporary()
                file.write(data)
                data.clear()
        if file is None:
            return _Kept(bytes(data))
        file.write(data)
        file.flush()
        descriptor = os.dup(file.fileno())
        return _Kept(None, descriptor, 0, os.fstat(descriptor).st_size)
    finally:
        if file is not None:
            file.close()


def _next(stream: Any) -> Any:
    """What it reads next. What it raises of our kind is the caller's."""
    try:
        return stream.read(_CHUNK)
    except DcmsendError as error:
        raise CallersError(error) from None


def _temporary() -> IO[bytes]:
    from tempfile import TemporaryFile

    return TemporaryFile()


# --- data sets of pydicom, which is not imported for that


def _is_data_set(source: object) -> bool:
    pydicom = sys.modules.get("pydicom.dataset")
    return pydicom is not None and isinstance(source, pydicom.Dataset)


_REPLACED: Final = "Failed to encode value"  # how pydicom begins what it says then
_PIXELS: Final = ("PixelData", "FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL")


def _lacks_pixels(source: Any) -> bool:
    """Return True if a data set has the attributes of an image, and no image."""
    return all(name in source for name in ("Rows", "Columns", "BitsAllocated")) and not any(
        name in source for name in _PIXELS
    )


def _written(source: Any) -> bytes:
    """A data set as a file, in the transfer syntax that it has: explicit VR little endian where nothing says which."""
    import warnings
    from copy import copy

    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset

    meta = getattr(source, "file_meta", None)
    if not (meta and meta.get("TransferSyntaxUID")):
        implicit, little = getattr(source, "original_encoding", (None, None))
        encoding = _EXPLICIT_LITTLE if implicit is None or little is None else (implicit, little)
        if encoding not in _SYNTAXES:
            raise FileError(because("implicit_big_endian"))
        source = copy(source)
        source.file_meta = FileMetaDataset()
        source.file_meta.TransferSyntaxUID = _SYNTAXES[encoding]
    buffer = BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about values, which go as they are
            warnings.filterwarnings("error", _REPLACED)  # or would become question marks
            dcmwrite(buffer, source, enforce_file_format=True)
    except (UserWarning, UnicodeError):
        character_set = str(source.get("SpecificCharacterSet", "") or "ISO_IR 6")
        raise FileError(because("text_not_in_character_set", character_set=character_set)) from None
    except Exception as error:  # noqa: BLE001 - what may be wrong with a data set shows in exceptions of many kinds
        raise FileError(because("not_written", words=str(error))) from None
    return buffer.getvalue()
