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
from dcmsend.reasons import NONE, Reason, because, of_system
from dcmsend.uids import MAX_UID_LENGTH, TRANSFER_SYNTAXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final, Protocol, TypeAlias

    from dcmsend.files.head import Head
    from dcmsend.files.sources import FileSource
    from dcmsend.model import Conversion, Instance, ScanOptions
    from dcmsend.payload.dictionary import Dictionary
    from dcmsend.payload.payload import Closable
    from dcmsend.payload.pieces import Piece
    from dcmsend.stop import Stop

    class Way(Protocol):
        """How an instance can go to the peer."""

        @property
        def transfer_syntax(self) -> str:
            """The one that it is sent in."""

    Ways: TypeAlias = Callable[[str, str], Way | None]  # SOP class and transfer syntax -> the best way, if any

_MAX_SHOWN: Final = 200  # characters of a UID that is none
_HEAD: Final = 16384  # bytes, in which the elements of most images stand; small files are read at once


class PayloadOpener:
    """Opens payloads for one run; safe to be used from several threads at once.

    The data set is right: where it has another SOP class, UID or transfer syntax than the instance had when it was
    looked at, it goes as what it is now, with a warning that names both.

    ``stop``: once it is aborted, conversions under way are given up. ``open_file`` opens what a path means, where that
    is not always a file of that name.
    """

    def __init__(self, options: ScanOptions, conversion: Conversion, stop: Stop | None = None) -> None:
        self.open_file: Callable[[str], OpenFile] = OpenFile
        self._options = options
        dictionary = _DictionaryOnce(conversion.dictionaries)
        self._means = Means(dictionary, conversion.compression_level, allocate_lock(), lambda: _go_on(stop))

    def open(self, instance: Instance, target: str, ways: Ways | None = None) -> Payload:
        """The data set of an instance, ready to be sent in the transfer syntax ``target``.

        ``ways`` is asked for another target where the file has another SOP class or transfer syntax by now. The
        caller closes the payload. Raises FileError where the file cannot be read, must not be sent, or cannot be
        converted faithfully, and with the reason ``changed_since_scan`` where there is no way for what it is now.
        """
        file = self.open_file(instance.path)
        try:
            file.require_regular()
            return self._payload(file, instance, target, ways)
        except (OSError, MemoryError) as error:
            file.close()
            raise FileError(of_system(error)) from None
        except BaseException:
            file.close()
            raise

    def _payload(self, file: OpenFile, instance: Instance, target: str, ways: Ways | None) -> Payload:
        source = file.source(_HEAD, WINDOW)
        source.go_on = self._means.go_on
        head = read_head(source, self._options.read_mode)
        target = _target(head, instance, target, ways)
        opened = self._at_once(source, head, target) or self._checked(source, head, target)
        notices = (*opened.notices, *_disagreements(opened, head, instance))
        identity = Identity(opened.sop_class, opened.sop_instance, target, head.transfer_syntax)
        size = source.size - head.dataset_offset
        behind = (file, *opened.behind)
        read_later = any(not isinstance(piece, Memory) for piece in opened.pieces)
        confirm = file.require_unchanged if read_later else None
        return Payload(
            identity,
            opened.pieces,
            dataset_size=size,
            file_size=source.size,
            notices=notices,
            behind=behind,
            confirm=confirm,
        )

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
        pieces, behind, notices = convert(source, head.transfer_syntax, extent, target, self._means)
        return _Opened(sop_class, sop_instance, checked.notices + notices, pieces, behind)

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
            pieces, behind, notices = convert(source, head.transfer_syntax, extent, target, self._means)
        except StructureError:
            return None
        return _Opened(sop_class, sop_instance, notices, pieces, behind)


class _DictionaryOnce:
    """Gives the data dictionary, which is loaded when it is first asked for; raises FileError where it cannot be."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self._dictionary: Dictionary | None = None
        self._lock = allocate_lock()

    def __call__(self) -> Dictionary:
        from dcmsend.payload.dictionary import load_dictionary

        with self._lock:
            if self._dictionary is None:
                try:
                    self._dictionary = load_dictionary(self._paths)
                except ConfigurationError as error:  # the run goes on: only implicit data sets need it
                    raise FileError(error.why) from None
                except ImportError:
                    raise FileError(because("dictionary_missing", install="pip install pydicom")) from None
            return self._dictionary


def _go_on(stop: Stop | None) -> None:
    if stop is not None and stop.aborted:
        raise FileError(because("stopped"))


def no_decoder(transfer_syntax: str) -> Reason:
    """Why pixel data in a transfer syntax cannot be decoded here, and what to do; empty where it can."""
    from dcmsend.payload.codecs import decodable, library_missing

    if decodable(transfer_syntax):
        return NONE
    hint = library_missing(transfer_syntax)
    return because("decoder_missing", install=hint) if hint else because("decoder_unknown")


def _target(head: Head, instance: Instance, target: str, ways: Ways | None) -> str:
    """The transfer syntax to send a file in, by another way where it is not what it was when it was looked at.

    Raises FileError where there is none for its transfer syntax. Where there is none for its SOP class, the sender says
    so.
    """
    found, expected = head.transfer_syntax, instance.transfer_syntax
    if (head.sop_class, found) == (instance.sop_class, expected):
        return target
    way = ways(head.sop_class, found) if ways is not None else None
    if way is not None:
        return way.transfer_syntax
    if found != expected:
        raise FileError(because("changed_since_scan", found=found[:_MAX_SHOWN], expected=expected))
    return target


class _Opened(NamedTuple):
    """What was found in a data set, and its bytes as they are to be sent."""

    sop_class: str
    sop_instance: str
    notices: tuple[str, ...]
    pieces: list[Piece]
    behind: tuple[Closable, ...] = ()


def _disagreements(opened: _Opened, head: Head, instance: Instance) -> Iterator[str]:
    """What the data set says otherwise than what was known of the instance before, and who had said that."""
    for name, found, stated, meta in (
        ("SOP Class UID", opened.sop_class, instance.sop_class, head.meta_sop_class),
        ("SOP Instance UID", opened.sop_instance, instance.sop_instance, head.meta_sop_instance),
        ("Transfer Syntax UID", head.transfer_syntax, instance.transfer_syntax, head.transfer_syntax),
    ):
        if found != stated == meta:
            yield disagreement(name, found, stated)
        elif found != stated:
            known = "that its DICOMDIR or an earlier look at it had"
            yield f"{name} {plain(found)} of the file is used, not {plain(stated)} {known}"


def _required(name: str, uid: str) -> str:
    if not uid:
        raise FileError(because("dataset_uid_missing", name=name))
    if len(uid) > MAX_UID_LENGTH or not uid.isascii() or not uid.isprintable():
        raise FileError(because("dataset_uid_invalid", name=name, uid=uid[:_MAX_SHOWN]))
    return uid
