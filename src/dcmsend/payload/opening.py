"""An instance and the transfer syntax that the peer takes it in -> its payload. The only door to this room.

It reads the head of the file, has the structure checked, and decides between the file's own bytes and a conversion:
that one ``if`` is the difference between copying and thinking. All that can be known to be wrong is found before the
first byte is given out.
"""

from __future__ import annotations

from _thread import allocate_lock

from dcmsend.errors import ConfigurationError, FileError
from dcmsend.files.dataset import check, read_uids
from dcmsend.files.elements import StructureError
from dcmsend.files.head import disagreement, read_head
from dcmsend.files.opening import OpenFile
from dcmsend.files.sources import WINDOW
from dcmsend.light import NamedTuple
from dcmsend.payload.passthrough import as_it_is
from dcmsend.payload.payload import Identity, Means, Payload
from dcmsend.payload.pieces import Memory
from dcmsend.printable import plain
from dcmsend.reasons import NONE, Reason, because
from dcmsend.uids import MAX_UID_LENGTH, TRANSFER_SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from dcmsend.files.head import Head
    from dcmsend.files.sources import FileSource
    from dcmsend.model import Conversion, Instance, ScanOptions
    from dcmsend.payload.dictionary import Dictionary
    from dcmsend.payload.payload import Closable
    from dcmsend.payload.pieces import Piece
    from dcmsend.stop import Stop


_HEAD: Final = 16384  # bytes, in which the elements of most images stand; small files are read at once


class PayloadOpener:
    """Opens payloads for one run; safe to be used from several threads at once.

    ``stop``: once it is aborted, conversions under way are given up. ``open_file`` opens what a path means, where that
    is not always a file of that name.
    """

    def __init__(self, options: ScanOptions, conversion: Conversion, stop: Stop | None = None) -> None:
        self.open_file: Callable[[str], OpenFile] = OpenFile
        self._options = options
        self._dictionaries = conversion.dictionaries
        self._means = Means(self._load_dictionary, conversion.compression_level, allocate_lock(), self._go_on)
        self._stop = stop
        self._dictionary: Dictionary | None = None
        self._lock = allocate_lock()

    def open(self, instance: Instance, target: str) -> Payload:
        """The data set of an instance, ready to be sent in the transfer syntax ``target``.

        The caller closes it. Raises FileError where the file cannot be read, is no longer what the scan found, must
        not be sent, or cannot be converted faithfully.
        """
        file = self.open_file(instance.path)
        try:
            file.require_regular()
            return self._payload(file, instance, target)
        except BaseException:
            file.close()
            raise

    def _payload(self, file: OpenFile, instance: Instance, target: str) -> Payload:
        source = file.source(_HEAD, WINDOW)
        source.go_on = self._go_on
        head = read_head(source, self._options.read_mode)
        _require_same(head, instance)
        opened = self._at_once(source, head, target) or self._checked(source, head, target)
        notices = opened.notices + tuple(_disagreements(opened, instance))
        identity = Identity(opened.sop_class, opened.sop_instance, target)
        size = source.size - head.dataset_offset
        behind = (file, *opened.behind)
        read_later = any(not isinstance(piece, Memory) for piece in opened.pieces)
        confirm = file.require_unchanged if read_later else None
        return Payload(identity, opened.pieces, dataset_size=size, notices=notices, behind=behind, confirm=confirm)

    def _checked(self, source: FileSource, head: Head, target: str) -> _Opened:
        """The usual way: check, then take the bytes of the file, or convert them."""
        checked = check(source, head.dataset_offset, source.size, head.transfer_syntax)
        sop_class = _required("SOP Class UID", checked.sop_class)
        sop_instance = _required("SOP Instance UID", checked.sop_instance)
        if target == head.transfer_syntax and not checked.faulty:
            pieces = as_it_is(source, head.dataset_offset, checked)
            return _Opened(sop_class, sop_instance, checked.notices, pieces)
        from dcmsend.payload.convert import Extent, convert  # not needed for most files

        extent = Extent(head.dataset_offset, checked.end, checked.runs)
        converted = convert(source, head.transfer_syntax, extent, target, self._means)
        return _Opened(sop_class, sop_instance, checked.notices, *converted)

    def _at_once(self, source: FileSource, head: Head, target: str) -> _Opened | None:
        """The short way for data sets that are in order: recoding checks them as well as ``check`` does.

        ``None`` where they are not, and in all other cases: the usual way finds out what is the matter.
        """
        known = TRANSFER_SYNTAXES.get(head.transfer_syntax)
        if target == head.transfer_syntax or known is None or known.deflated:
            return None
        from dcmsend.payload.convert import Extent, convert

        extent = Extent(head.dataset_offset, source.size, ((head.dataset_offset, source.size),), checked=False)
        try:
            uids = (head.sop_class, head.sop_instance)
            if not head.seen:
                uids = read_uids(source, head.dataset_offset, source.size, head.transfer_syntax)
            if not all(uids):
                return None
            sop_class = _required("SOP Class UID", uids[0])
            sop_instance = _required("SOP Instance UID", uids[1])
            converted = convert(source, head.transfer_syntax, extent, target, self._means)
        except StructureError:
            return None
        return _Opened(sop_class, sop_instance, (), *converted)

    def _go_on(self) -> None:
        if self._stop is not None and self._stop.aborted:
            raise FileError("stopped by the user")

    def _load_dictionary(self) -> Dictionary:
        from dcmsend.payload.dictionary import load_dictionary

        with self._lock:
            if self._dictionary is None:
                try:
                    self._dictionary = load_dictionary(self._dictionaries)
                except ConfigurationError as error:  # the run goes on: only implicit data sets need it
                    raise FileError(f"{error.message} ({error.hint})") from None
                except ImportError:
                    raise FileError("the data dictionary is not there (pip install pydicom)") from None
            return self._dictionary


def no_decoder(transfer_syntax: str) -> Reason:
    """Why pixel data in a transfer syntax cannot be decoded here, and what to do; empty where it can."""
    from dcmsend.payload.codecs import decodable, library_missing

    if decodable(transfer_syntax):
        return NONE
    hint = library_missing(transfer_syntax)
    return because("decoder_missing", install=hint) if hint else because("decoder_unknown")


def _require_same(head: Head, instance: Instance) -> None:
    if head.transfer_syntax != instance.transfer_syntax:
        found, expected = plain(head.transfer_syntax), plain(instance.transfer_syntax)
        words = "the file changed since it was checked, or its DICOMDIR is wrong"
        raise FileError(f"{words}: transfer syntax {found}, not {expected}")


class _Opened(NamedTuple):
    """What was found in a data set, and its bytes as they are to be sent."""

    sop_class: str
    sop_instance: str
    notices: tuple[str, ...]
    pieces: list[Piece]
    behind: tuple[Closable, ...] = ()


def _disagreements(opened: _Opened, instance: Instance) -> Iterator[str]:
    if opened.sop_class != instance.sop_class:
        yield disagreement("SOP Class UID", opened.sop_class, instance.sop_class)
    if opened.sop_instance != instance.sop_instance:
        yield disagreement("SOP Instance UID", opened.sop_instance, instance.sop_instance)


def _required(name: str, uid: str) -> str:
    if not uid:
        raise FileError(f"missing {name} in data set")
    if len(uid) > MAX_UID_LENGTH or not uid.isascii() or not uid.isprintable():
        raise FileError(f"Invalid {name} in data set: {plain(uid)}")
    return uid
