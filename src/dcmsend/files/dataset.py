"""Data sets: which encoding one has, what instance it is, and whether its structure holds before it is sent.

It owns the structural check: lengths fit, the chain ends exactly where the data does, the elements of the top level
rise or can be sorted. Values are not looked at, apart from the two UIDs (PS3.5 7; PS3.3 C.12.1).
"""

from __future__ import annotations

from itertools import islice, pairwise

from dcmsend.errors import FileError
from dcmsend.files.elements import (
    END,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    KNOWN_VRS,
    UNBOUNDED,
    UNDEFINED,
    StructureError,
    encoding_of,
    is_vr,
    tag_text,
    walk,
)
from dcmsend.files.flat import OPEN, flat_encoding, follow
from dcmsend.files.part10 import read_uid
from dcmsend.files.sources import WINDOW, InflateSource
from dcmsend.light import NamedTuple
from dcmsend.printable import plain
from dcmsend.reasons import because
from dcmsend.uids import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
    Family,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from dcmsend.files.elements import Element, Encoding
    from dcmsend.files.flat import Place
    from dcmsend.files.sources import Source

SOP_CLASS: Final = 0x00080016
SOP_INSTANCE: Final = 0x00080018
PIXEL_DATA: Final = 0x7FE00010
TRAILING_PADDING: Final = 0xFFFCFFFC

_TRANSFER_SYNTAX_OF: Final = {
    IMPLICIT_LE: IMPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_LE: EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_BE: EXPLICIT_VR_BIG_ENDIAN,
}


class Checked(NamedTuple):
    """A data set that may be sent: from its offset in the file to ``end``.

    ``pad`` counts the NUL bytes to be sent behind it (PS3.5 A.5). An empty UID is one that is missing. ``faulty``: it
    must be written anew to be sent, for which ``runs`` say where elements stand (offsets in the data set as it is when
    inflated) that are in order one after the other.
    """

    end: int
    pad: int
    sop_class: str
    sop_instance: str
    notices: tuple[str, ...]
    runs: tuple[tuple[int, int], ...]
    faulty: bool = False


def guess_transfer_syntax(source: Source, offset: int) -> str:
    """The uncompressed transfer syntax of a bare data set, from its first six bytes.

    A VR behind the tag means explicit; the byte order is the one in which the group number is the smaller one.
    """
    buffer, base = source.window(offset, 6)
    head = buffer[offset - base : offset - base + 6]
    if head[4:6] not in KNOWN_VRS:
        return _TRANSFER_SYNTAX_OF[IMPLICIT_LE]
    little = head[1] == 0 or head[0] != 0
    return _TRANSFER_SYNTAX_OF[EXPLICIT_LE if little else EXPLICIT_BE]


def read_uids(source: Source, offset: int, size: int, transfer_syntax: str) -> tuple[str, str]:
    """SOP class and instance UID from the beginning of a data set, empty where they are missing.

    Of a deflated data set only the beginning is inflated. Raises FileError.
    """
    inside, start, end = opened(source, offset, size, transfer_syntax, WINDOW)
    elements = walk(inside, encoding_of(transfer_syntax), start, end, stop=SOP_INSTANCE + 1)
    return _uids_among(inside, islice(elements, _MAX_SORTED))


def find_uids(source: Source, offset: int, size: int, transfer_syntax: str) -> tuple[str, str]:
    """The same of a data set whose elements need not be in order, however far it has to be read. Raises FileError."""
    inside, start, end = opened(source, offset, size, transfer_syntax, None)
    elements = walk(inside, encoding_of(transfer_syntax), start, end)
    uids = _uids_among(inside, islice(elements, _MAX_SORTED))
    if not all(uids) and next(elements, None) is not None:
        raise FileError(because("too_many_elements", most=_MAX_SORTED))
    return uids


def _uids_among(source: Source, elements: Iterable[Element]) -> tuple[str, str]:
    uids = {SOP_CLASS: "", SOP_INSTANCE: ""}
    for _, tag, _, _, value, length in elements:
        if tag in uids and not uids[tag]:
            uids[tag] = read_uid(source, value, length)
    return uids[SOP_CLASS], uids[SOP_INSTANCE]


def check(source: Source, offset: int, size: int, transfer_syntax: str) -> Checked:
    """Check the data set from ``offset`` to the end of a file of ``size`` bytes.

    Trailing padding and trailing zero bytes are not part of what is to be sent. Raises FileError with the reason
    why the data set must not be sent.
    """
    known = TRANSFER_SYNTAXES.get(transfer_syntax)
    if known is not None and known.deflated:
        return _check_deflated(source, offset, size, transfer_syntax)
    ordinary = _check_ordinary(source, offset, size, transfer_syntax)
    if ordinary is not None:
        return ordinary
    chain = _Chain(source, transfer_syntax)
    end = chain.follow(walk(source, encoding_of(transfer_syntax), offset, size), size)
    runs: tuple[tuple[int, int], ...] = ((offset, end),)
    if chain.unsorted:
        runs = _sorted(source, transfer_syntax, offset, end)
        chain.notices.append("its elements are not in order, they are sorted before sending")
    faulty = chain.unsorted or (end - offset) % 2 == 1  # an odd length cannot be sent (PS3.8 E.2)
    return Checked(end, 0, chain.uids[SOP_CLASS], chain.uids[SOP_INSTANCE], tuple(chain.notices), runs, faulty)


def _check_ordinary(source: Source, offset: int, size: int, transfer_syntax: str) -> Checked | None:
    """What the check comes to where there is nothing to be said about a data set, else None."""
    encoding = flat_encoding(transfer_syntax)
    followed = encoding and follow(source, encoding, offset, size, _ORDINARY, _LOOKED_AT)
    if not encoding or not followed:
        return None
    end, places = followed
    if (end - offset) & 1 or (end != size and not _is_padding(source, encoding, end, size)):
        return None
    pixels = places.get(PIXEL_DATA)
    if pixels and _encapsulated(transfer_syntax) not in (None, pixels[2] == OPEN):
        return None
    sop_class, sop_instance = _uid_at(source, places.get(SOP_CLASS)), _uid_at(source, places.get(SOP_INSTANCE))
    return Checked(end, 0, sop_class, sop_instance, (), ((offset, end),))


def _is_padding(source: Source, encoding: Encoding, start: int, end: int) -> bool:
    """Whether there is nothing from ``start`` to ``end`` but trailing padding."""
    elements = walk(source, encoding, start, end)
    try:
        return next(elements)[1] == TRAILING_PADDING and next(elements)[1] == END
    except FileError:
        return False


def _uid_at(source: Source, place: Place | None) -> str:
    return read_uid(source, place[1], place[2]) if place and place[2] != OPEN else ""


def _sorted(source: Source, transfer_syntax: str, offset: int, end: int) -> tuple[tuple[int, int], ...]:
    """Where each element begins and ends, by rising tags. Raises FileError where a tag has two different values."""
    found = islice(walk(source, encoding_of(transfer_syntax), offset, end), _MAX_SORTED + 2)
    elements = [(tag, start, behind) for (_, tag, _, start, _, _), (_, _, _, behind, _, _) in pairwise(found)]
    if len(elements) > _MAX_SORTED:
        raise FileError(because("too_many_to_sort", most=_MAX_SORTED))
    runs: list[tuple[int, int]] = []
    previous = (-1, 0, 0)
    for element in sorted(elements):
        tag, start, behind = element
        if tag != previous[0]:
            runs.append((start, behind))
            previous = element
        elif not _same(source, previous[1:], (start, behind)):
            raise FileError(because("stands_twice", tag=tag_text(tag)))
    return tuple(runs)


def _same(source: Source, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two stretches of the source hold the same bytes."""
    length = first[1] - first[0]
    return length == second[1] - second[0] and all(
        _bytes_at(source, first[0] + at, min(WINDOW, length - at))
        == _bytes_at(source, second[0] + at, min(WINDOW, length - at))
        for at in range(0, length, WINDOW)
    )


def _check_deflated(source: Source, offset: int, size: int, transfer_syntax: str) -> Checked:
    inflated = InflateSource(source, offset, size)
    chain = _Chain(inflated, transfer_syntax)
    try:
        inside = chain.follow(walk(inflated, encoding_of(transfer_syntax), 0, UNBOUNDED), None)
    except StructureError:
        if not inflated.complete and inflated.position >= size:
            raise FileError(because("deflate_cut_off")) from None
        raise
    if not inflated.complete:
        raise FileError(because("deflate_cut_off"))
    end = inflated.position
    if size - end == _GZIP_TRAILER and _bytes_at(source, end, _GZIP_TRAILER) == inflated.gzip_trailer:
        chain.notices.append("the checksum that a gzip library left behind the deflated data set is not sent")
    elif not all_zero(source, end, size):
        raise FileError(because("deflate_surplus", count=size - end, offset=end))
    elif size - end > 1:
        chain.notices.append(_zeros_left(size - end))
    if chain.unsorted:
        raise FileError(because("deflate_unsorted"))
    pad = (end - offset) % 2
    runs = ((0, inside),)
    return Checked(end, pad, chain.uids[SOP_CLASS], chain.uids[SOP_INSTANCE], tuple(chain.notices), runs)


_MAX_SORTED: Final = 65536
_GZIP_TRAILER: Final = 8  # bytes


class _Chain:
    """One pass over the elements of the top level, and what it found."""

    def __init__(self, source: Source, transfer_syntax: str) -> None:
        self.uids = {SOP_CLASS: "", SOP_INSTANCE: ""}
        self.notices: list[str] = []
        self.unsorted = False
        self._source = source
        self._encapsulated = _encapsulated(transfer_syntax)
        self._padding: int | None = None

    def follow(self, elements: Iterator[Element], size: int | None) -> int:
        """Where the data that is to be sent ends. Zero bytes may stand between there and ``size``."""
        previous = -1
        end = 0
        odd = first_odd = nameless = 0
        first_nameless: tuple[int, bytes] | tuple[()] = ()
        try:
            for _, tag, vr, start, value, length in elements:
                if self._padding is not None and tag != END:
                    raise StructureError(tag, start, 0, because("behind_padding"))
                if tag == 0 <= previous and size is not None and all_zero(self._source, start, size):
                    end = start
                    self.notices.append(_zeros_left(size - end))
                    break
                self.unsorted |= tag <= previous
                previous = tag
                end = start
                if length & 1 and length > 0 and tag != TRAILING_PADDING:
                    odd += 1
                    first_odd = first_odd or tag
                if vr not in _VRS and not is_vr(vr):
                    if not tag >> 16:  # zeros are no element without a VR, but a hole
                        raise StructureError(tag, start, 0, because("not_a_vr", vr=vr.decode("latin-1")))
                    nameless += 1
                    first_nameless = first_nameless or (tag, vr)
                if tag < _FIRST_GROUP or tag in _LOOKED_AT:
                    self._look(tag, start, value, length)
        except StructureError as error:
            if size is None or error.depth or error.offset >= size or not all_zero(self._source, error.offset, size):
                raise
            end = error.offset
            self.notices.append(_zeros_left(size - end))
        if nameless:
            self.notices.append(_nameless(nameless, *first_nameless))
        if odd:
            self.notices.append(f"{odd} values have an odd length, the first one in {tag_text(first_odd)}")
        return end if self._padding is None else self._padding

    def _look(self, tag: int, start: int, value: int, length: int) -> None:
        if tag in self.uids:
            self.uids[tag] = read_uid(self._source, value, length)
        elif tag == TRAILING_PADDING:
            self._padding = start
        elif tag == PIXEL_DATA:
            found = length == UNDEFINED
            if self._encapsulated is not None and self._encapsulated != found:
                raise StructureError(tag, start, 1, because("encapsulated" if found else "not_encapsulated"))
        elif tag >> 16 in _NOT_IN_DATA_SETS:
            self.notices.append(f"{tag_text(tag)} does not belong in a data set")


def _encapsulated(transfer_syntax: str) -> bool | None:
    """Whether pixel data is encapsulated in a transfer syntax; None where it may be either."""
    known = TRANSFER_SYNTAXES.get(transfer_syntax)
    return known.encapsulated if known and known.family is not Family.REFERENCED else None


_FIRST_GROUP: Final = 0x00080000
_ORDINARY: Final = (_FIRST_GROUP, TRAILING_PADDING & 0xFFFF0000)  # tags from the first one, less than the second one
_NOT_IN_DATA_SETS: Final = frozenset((0x0000, 0x0002))
_VRS: Final = KNOWN_VRS | {b""}
_LOOKED_AT: Final = frozenset((SOP_CLASS, SOP_INSTANCE, PIXEL_DATA, TRAILING_PADDING))


def all_zero(source: Source, start: int, end: int) -> bool:
    """Whether every byte from ``start`` to ``end`` is zero."""
    while start < end:
        buffer, base = source.window(start, 1)
        chunk = buffer[start - base : end - base]
        if not chunk or chunk.count(0) != len(chunk):
            return False
        start += len(chunk)
    return True


def _bytes_at(source: Source, offset: int, length: int) -> bytes:
    buffer, base = source.window(offset, length)
    return buffer[offset - base : offset - base + length]


def opened(source: Source, offset: int, size: int, transfer_syntax: str, limit: int | None) -> tuple[Source, int, int]:
    """The source, start and end of the elements: those of the file, or of what its deflate stream holds."""
    known = TRANSFER_SYNTAXES.get(transfer_syntax)
    if known is None or not known.deflated:
        return source, offset, size
    return InflateSource(source, offset, size, limit), 0, UNBOUNDED


def _nameless(count: int, tag: int, vr: bytes) -> str:
    first = f"'{plain(vr.decode('latin-1'))}' of {tag_text(tag)}"
    return f"{first} is no VR" if count == 1 else f"{count} elements have VRs that are none, the first one is {first}"


def _zeros_left(count: int) -> str:
    return f"{count} zero bytes at the end of the file do not belong to the data set and are not sent"
