"""The data set of a file, byte for byte: checked first, then straight from the file into the sender's buffers.

It owns the open file and the position in it, and knows nothing of PDUs or the network. All that can be known to be
wrong is found before the first byte is given out (PS3.5 7, A.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dcmsend.errors import FileError
from dcmsend.files.dataset import check
from dcmsend.files.head import disagreement, read_head
from dcmsend.files.opening import OpenFile
from dcmsend.files.sources import FileSource, read_into
from dcmsend.printable import plain
from dcmsend.uids import MAX_UID_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from dcmsend.files.dataset import Checked
    from dcmsend.model import Instance, ScanOptions

_MAX_VIEWS: Final = 512  # per system call; Linux takes 1024
_SHRUNK: Final = "the file became shorter while it was being sent"


def open_payload(instance: Instance, options: ScanOptions) -> Payload:
    """The data set of an instance, ready to be sent in its own transfer syntax.

    The caller closes it. Raises FileError where the file cannot be read, is no longer what the scan found, or must
    not be sent.
    """
    file = OpenFile(instance.path)
    try:
        file.require_regular()
        source = FileSource(file.descriptor, file.status.st_size)
        head = read_head(source, options.read_mode)
        if head.transfer_syntax != instance.transfer_syntax:
            found, expected = plain(head.transfer_syntax), plain(instance.transfer_syntax)
            words = "the file changed since it was checked, or its DICOMDIR is wrong"
            raise FileError(f"{words}: transfer syntax {found}, not {expected}")
        checked = check(source, head.dataset_offset, source.size, head.transfer_syntax)
        _require("SOP Class UID", checked.sop_class)
        _require("SOP Instance UID", checked.sop_instance)
        return Payload(file, source, head.dataset_offset, checked, instance)
    except BaseException:
        file.close()
        raise


class Payload:
    """The bytes of one data set. ``sop_class`` and ``sop_instance`` are the data set's own.

    ``length`` is what will be given out, in bytes; ``dataset_size`` what the file holds behind its meta information,
    trailing padding included. ``notices`` are single lines without the file's name.
    """

    __slots__ = (
        "_data_length",
        "_file",
        "_head",
        "_offset",
        "_sent",
        "dataset_size",
        "length",
        "notices",
        "sop_class",
        "sop_instance",
        "transfer_syntax",
    )

    def __init__(self, file: OpenFile, source: FileSource, offset: int, checked: Checked, instance: Instance) -> None:
        self._file = file
        self._head = memoryview(source.head) if checked.end <= len(source.head) else None
        self._offset = offset
        self._data_length = checked.end - offset
        self._sent = 0
        self.sop_class = checked.sop_class
        self.sop_instance = checked.sop_instance
        self.transfer_syntax = instance.transfer_syntax
        self.length = self._data_length + checked.pad
        self.dataset_size = source.size - offset
        self.notices = checked.notices + tuple(_disagreements(checked, instance))

    def fill(self, views: Sequence[memoryview]) -> int:
        """Fill the writable byte ``views`` in order with the next bytes; the number of bytes, 0 at the end.

        Raises FileError where the file has become shorter or cannot be read.
        """
        room = min(sum(map(len, views)), self.length - self._sent)
        data = max(min(room, self._data_length - self._sent), 0)
        if data:
            pieces = list(_cut(views, 0, data))
            if self._head is None:
                self._read(pieces)
            else:
                self._copy(pieces, self._head)
        for pad in _cut(views, data, room):
            pad[:] = bytes(len(pad))
        self._sent += room
        return room

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _copy(self, pieces: list[memoryview], head: memoryview) -> None:
        position = self._offset + self._sent
        for piece in pieces:
            piece[:] = head[position : position + len(piece)]
            position += len(piece)

    def _read(self, pieces: list[memoryview]) -> None:
        position = self._offset + self._sent
        first = 0
        while first < len(pieces):
            count = read_into(self._file.descriptor, pieces[first : first + _MAX_VIEWS], position)
            if not count:
                raise FileError(_SHRUNK)
            position += count
            while first < len(pieces) and count >= len(pieces[first]):
                count -= len(pieces[first])
                first += 1
            if count:
                pieces[first] = pieces[first][count:]


def _cut(views: Sequence[memoryview], start: int, end: int) -> Iterator[memoryview]:
    """The bytes from ``start`` to ``end`` of the views laid end to end, without empty pieces."""
    for view in views:
        piece = view[max(start, 0) : max(end, 0)]
        start -= len(view)
        end -= len(view)
        if piece:
            yield piece
        if end <= 0:
            return


def _disagreements(checked: Checked, instance: Instance) -> Iterator[str]:
    if checked.sop_class != instance.sop_class:
        yield disagreement("SOP Class UID", checked.sop_class, instance.sop_class)
    if checked.sop_instance != instance.sop_instance:
        yield disagreement("SOP Instance UID", checked.sop_instance, instance.sop_instance)


def _require(name: str, uid: str) -> None:
    if not uid:
        raise FileError(f"missing {name} in data set")
    if len(uid) > MAX_UID_LENGTH or not uid.isascii() or not uid.isprintable():
        raise FileError(f"Invalid {name} in data set: {plain(uid)}")
