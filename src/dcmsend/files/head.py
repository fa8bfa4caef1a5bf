"""What instance a file holds, from its first bytes: the three read modes of the command line (``+f``, ``+fo``, ``-f``).

It brings together the file meta information and the beginning of the data set; where they disagree the data set is
right, because its UIDs are what a receiver stores. How a file is opened and what becomes of it is decided elsewhere.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.files.dataset import SOP_CLASS, SOP_INSTANCE, find_uids, guess_transfer_syntax, read_uids
from dcmsend.files.elements import EXPLICIT_LE, StructureError
from dcmsend.files.flat import flat_encoding, follow
from dcmsend.files.part10 import (
    META_GROUP,
    META_OFFSET,
    META_SOP_CLASS,
    META_SOP_INSTANCE,
    META_TRANSFER_SYNTAX,
    META_UIDS,
    NEXT_GROUP,
    PREFIX_OFFSET,
    Meta,
    has_prefix,
    read_meta,
    uid_of,
)
from dcmsend.files.sources import BytesSource
from dcmsend.light import NamedTuple
from dcmsend.model import ReadMode
from dcmsend.printable import plain
from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Final

    from dcmsend.files.flat import Place
    from dcmsend.files.sources import FileSource
    from dcmsend.reasons import Reason


class Head(NamedTuple):
    """The identity of an instance. ``sop_class`` and ``sop_instance`` are those of the data set where it showed them.

    ``seen``: both are, for certain. The ``meta_`` UIDs are what DCMTK goes by: those of the file meta information,
    filled up from the data set in the modes that look at it. ``dataset_offset`` is in bytes.
    """

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    dataset_offset: int
    meta_sop_class: str
    meta_sop_instance: str
    notices: tuple[str, ...] = ()
    seen: bool = False


def read_head(source: FileSource, mode: ReadMode) -> Head:
    """The head of a file, in the way of ``mode``. Raises FileError."""
    if mode is not ReadMode.DATASET_ONLY:
        head = ordinary_head(source.head)
        if head is not None:
            return head
    if mode is ReadMode.FILE_ONLY:
        meta = read_meta(source, source.size)
    elif mode is ReadMode.FILE_OR_DATASET:
        meta = _complete(source, _meta_or_nothing(source))
    else:
        meta = _complete(source, _bare(source))
    return _compare(meta, *_peek(source, meta))


def ordinary_head(data: bytes) -> Head | None:
    """What the first bytes of a file show where all is as it should be; None where it is not, or not to be seen.

    That is: a Part 10 file whose two parts are in order and name the same instance.
    """
    if data[PREFIX_OFFSET:META_OFFSET] != b"DICM":
        return None
    source, end = BytesSource(data), len(data)
    meta = follow(source, EXPLICIT_LE, META_OFFSET, end, _IN_META, META_UIDS)
    if meta is None or len(meta[1]) < len(META_UIDS):
        return None
    offset, places = meta
    sop_class, sop_instance, transfer_syntax = (_uid_at(data, places[tag]) for tag in _META_UIDS)
    encoding = flat_encoding(transfer_syntax)
    if encoding is None or offset >= end or not (sop_class and sop_instance):
        return None
    dataset = follow(source, encoding, offset, end, _UP_TO_UIDS, _UIDS)
    if dataset is None or len(dataset[1]) < len(_UIDS) or dataset[0] >= end:
        return None
    places = dataset[1]
    if _uid_at(data, places[SOP_CLASS]) != sop_class or _uid_at(data, places[SOP_INSTANCE]) != sop_instance:
        return None
    return Head(sop_class, sop_instance, transfer_syntax, offset, sop_class, sop_instance, (), seen=True)


def places_in(data: bytes, head: Head, wanted: Container[int]) -> tuple[dict[int, Place], int]:
    """Where ``wanted`` elements of an ordinary head stand, and where the one behind the UIDs begins."""
    source, end = BytesSource(data), len(data)
    meta = follow(source, EXPLICIT_LE, META_OFFSET, end, _IN_META, wanted)
    encoding = flat_encoding(head.transfer_syntax)
    dataset = encoding and follow(source, encoding, head.dataset_offset, end, _UP_TO_UIDS, wanted)
    if not meta or not dataset:
        raise ValueError("not an ordinary head")
    return meta[1] | dataset[1], dataset[0]


_UIDS: Final = frozenset((SOP_CLASS, SOP_INSTANCE))
_META_UIDS: Final = (META_SOP_CLASS, META_SOP_INSTANCE, META_TRANSFER_SYNTAX)
_IN_META: Final = (META_GROUP << 16, NEXT_GROUP)
_UP_TO_UIDS: Final = (SOP_CLASS & 0xFFFF0000, SOP_INSTANCE + 1)
_USUAL_LENGTH: Final = 256  # bytes


def _uid_at(data: bytes, place: Place) -> str:
    """A UID of usual length; none where it is longer, which is for others to read."""
    _, value, length = place
    return uid_of(data[value : value + length]) if length <= _USUAL_LENGTH else ""


def _meta_or_nothing(source: FileSource) -> Meta:
    try:
        return read_meta(source, source.size, prefix_needed=False)
    except FileError:
        if source.size == 0 or has_prefix(source):
            raise
        return Meta("", "", "", 0)


def _bare(source: FileSource) -> Meta:
    if source.size == 0:
        raise FileError(because("empty_file"))
    if has_prefix(source):
        raise FileError(because("not_bare"))
    return Meta("", "", "", 0)


def _complete(source: FileSource, meta: Meta) -> Meta:
    """``meta`` with what is missing in it taken from the data set, however far that has to be read."""
    if meta.sop_class and meta.sop_instance and meta.transfer_syntax:
        return meta
    offset = meta.dataset_offset
    syntax = meta.transfer_syntax or guess_transfer_syntax(source, offset)
    try:
        sop_class, sop_instance = read_uids(source, offset, source.size, syntax)
        if not ((meta.sop_class or sop_class) and (meta.sop_instance or sop_instance)):
            sop_class, sop_instance = _found_behind(source, offset, syntax) or (sop_class, sop_instance)
    except StructureError as error:
        if offset:
            raise FileError(because("cut_short", error.reason)) from None
        raise FileError(_no_dicom(source, because("no_data_set", error.reason))) from None
    if not offset and not sop_class:
        raise FileError(_no_dicom(source, because("no_identity")))
    return Meta(meta.sop_class or sop_class, meta.sop_instance or sop_instance, syntax, offset)


def _found_behind(source: FileSource, offset: int, syntax: str) -> tuple[str, str] | None:
    """The UIDs of a data set that is not in order; none where what may be no data set is none. Raises FileError."""
    try:
        return find_uids(source, offset, source.size, syntax)
    except FileError:
        if offset:
            raise
        return None


def _no_dicom(source: FileSource, otherwise: Reason) -> Reason:
    """What a file is that is neither a DICOM file nor a bare data set; ``otherwise`` where nobody knows."""
    from dcmsend.files.foreign import foreign_file  # most files are none

    reason = foreign_file(source)
    return otherwise if reason.code == "no_prefix" else reason


def _peek(source: FileSource, meta: Meta) -> tuple[str, str]:
    """The UIDs of the data set as far as the bytes that are already in memory show them."""
    try:
        return read_uids(BytesSource(source.head), meta.dataset_offset, source.size, meta.transfer_syntax)
    except FileError:
        return "", ""


def _compare(meta: Meta, sop_class: str, sop_instance: str) -> Head:
    notices = tuple(
        disagreement(name, found, stated)
        for name, found, stated in (
            ("SOP Class UID", sop_class, meta.sop_class),
            ("SOP Instance UID", sop_instance, meta.sop_instance),
        )
        if found and found != stated
    )
    return Head(
        sop_class or meta.sop_class,
        sop_instance or meta.sop_instance,
        meta.transfer_syntax,
        meta.dataset_offset,
        meta.sop_class,
        meta.sop_instance,
        notices,
        bool(sop_class and sop_instance),
    )


def disagreement(name: str, found: str, stated: str) -> str:
    """The notice that the data set says ``found`` where something else said ``stated``."""
    return f"{name} {plain(found)} of the data set is used, not {plain(stated)} of the file meta information"
