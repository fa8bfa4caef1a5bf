"""Tag and private creator -> VR, for elements that were written without one (PS3.5 7.1.3, 7.8; PS3.6).

It owns where that knowledge comes from: pydicom's dictionaries, and files in DCMTK's format, whose entries win. It
knows no data set. An attribute with more than one VR gets a name in lower case, as in DCMTK's files: ``ox`` (OB or
OW), ``px`` (pixel data), ``xs`` (US or SS), ``lt`` (US, SS or OW). ``ambiguous`` says which it is in its context.
"""

from __future__ import annotations

import os
import re

from dcmsend.errors import ConfigurationError, FileError
from dcmsend.files.elements import LONG_VRS, SHORT_VRS
from dcmsend.files.opening import OpenFile
from dcmsend.light import NamedTuple
from dcmsend.reasons import because, of_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Final

    from dcmsend.reasons import Reason

UNKNOWN: Final = b"UN"
GROUP_LENGTH: Final = b"UL"
PRIVATE_CREATOR: Final = b"LO"

_PRIVATE: Final = 0x10000  # the bit that makes a group number odd
_PIXEL_DATA: Final = 0x7FE00010
_BLOCK: Final = 0xFF00  # of an element's number: the part that the private creator's element reserves (PS3.5 7.8.1)
_FIRST_BLOCK: Final = 0x1000
_MOST_KEPT: Final = 1 << 16  # answers; a file can ask for 2**32 tags
_LONGEST_FILE: Final = 4 << 20  # bytes; DCMTK's largest dictionary has 251,326
_LONGEST_LINE: Final = 2048  # bytes; DCMTK's limit too

# DCMTK's names: the VRs, those that depend on the context, offsets in a DICOMDIR, and items, which are no elements.
_VRS: Final[dict[str, bytes]] = {
    **{vr.decode(): vr for vr in SHORT_VRS | LONG_VRS},
    "ox": b"ox",
    "px": b"px",
    "xs": b"xs",
    "lt": b"lt",
    "up": b"UL",
    "na": UNKNOWN,
}
# pydicom's names where they differ; OB_OW stands in its private dictionary, once.
_PYDICOM_VRS: Final[dict[str, bytes]] = {
    "OB or OW": b"ox",
    "OB_OW": b"ox",
    "US or SS": b"xs",
    "US or OW": b"lt",
    "US or SS or OW": b"lt",
}


class _Entry(NamedTuple):
    """A line of a dictionary file: the tags that it is about, whose they are, and their VR."""

    groups: range
    elements: range
    creator: str
    vr: bytes

    def covers(self, tag: int) -> bool:
        return tag >> 16 in self.groups and tag & 0xFFFF in self.elements


class Dictionary:
    """VRs by tag and private creator. Immutable apart from a cache; threads may share one.

    ``standard`` and ``private`` are asked for what ``entries`` do not tell: they return a VR in pydicom's words, or
    raise KeyError. A private creator that is not found as it is written is found whatever its case.
    """

    __slots__ = ("_entries", "_known", "_private", "_ranges", "_standard")

    def __init__(
        self,
        standard: Callable[[int], str],
        private: Callable[[int, str], str],
        entries: Iterable[_Entry] = (),
    ) -> None:
        self._standard = standard
        self._private = private
        written: dict[tuple[int, str], bytes] = {}
        ranges: dict[tuple[range, range, str], _Entry] = {}
        for entry in entries:  # a later one replaces an earlier one
            groups, elements, creator, vr = entry
            if len(groups) == 1 and len(elements) == 1:
                written[groups[0] << 16 | elements[0], creator] = vr
            else:
                ranges[groups, elements, creator] = entry
        self._entries = {(tag, creator.upper()): vr for (tag, creator), vr in written.items()} | written
        # The entry for the fewest tags is the one that is meant.
        self._ranges = sorted(ranges.values(), key=lambda entry: len(entry.groups) * len(entry.elements))
        self._known: dict[tuple[int, str], bytes] = {}

    def vr(self, tag: int, creator: str = "") -> bytes:
        """The VR of an attribute as two letters, ``UN`` where it is unknown; lower case where it depends on others.

        ``tag`` has the full element number, block included; ``creator`` is that of its block (PS3.5 7.8.1), without
        padding, and empty for standard attributes and where there is none.
        """
        return self._known.get((tag, creator)) or self._look_up(tag, creator)

    def _look_up(self, tag: int, creator: str) -> bytes:
        owner = creator if tag & 0x10000 and tag & 0xFFFF >= _FIRST_BLOCK else ""
        tags = (tag, tag & ~_BLOCK) if owner else (tag,)
        # As in DCMTK, a line of a file that names no creator holds for all of them.
        vr = (
            self._from_entries(tags, owner) or self._from_entries(tags, owner.upper()) or self._from_entries((tag,), "")
        )
        vr = vr or _by_rule(tag, owner) or self._from_dictionaries(tags, owner)
        if owner or not tag & _PRIVATE:  # private ones without a creator are as many as a file likes, and not worth it
            if len(self._known) >= _MOST_KEPT:
                self._known = {}
            self._known[tag, creator] = vr
        return vr

    def _from_entries(self, tags: tuple[int, ...], creator: str) -> bytes | None:
        for tag in tags:
            if vr := self._entries.get((tag, creator)):
                return vr
        for entry in self._ranges:
            if creator in (entry.creator, entry.creator.upper()) and any(map(entry.covers, tags)):
                return entry.vr
        return None

    def _from_dictionaries(self, tags: tuple[int, ...], creator: str) -> bytes:
        for tag in tags:
            try:
                name = self._private(tag, creator) if creator else self._standard(tag)
            except KeyError:
                continue
            if tag == _PIXEL_DATA:
                return b"px"
            return _PYDICOM_VRS.get(name) or _VRS.get(name, UNKNOWN)
        return UNKNOWN


def _by_rule(tag: int, creator: str) -> bytes | None:
    """What needs no dictionary (PS3.5 7.2, 7.8.1), or None."""
    element = tag & 0xFFFF
    if not element:
        return GROUP_LENGTH
    if not tag >> 16 & 1:
        return None
    if 0x10 <= element <= 0xFF:
        return PRIVATE_CREATOR
    return None if creator else UNKNOWN


def load_dictionary(paths: Sequence[str] = ()) -> Dictionary:
    """pydicom's dictionaries, and before them the files of ``paths``; of these a later entry replaces an earlier one.

    Raises ConfigurationError, with file and line, where a file cannot be read or understood.
    """
    from dcmsend.payload.pydicom_tables import load_tables

    return Dictionary(*load_tables(), [entry for path in paths for entry in _read(path)])


def dictionary_paths(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The files that DCMDICTPATH names, separated as the system separates paths."""
    return tuple(filter(None, environment.get("DCMDICTPATH", "").split(os.pathsep)))


def check_paths(paths: Sequence[str]) -> None:
    """Raises ConfigurationError where one of the files cannot be opened; what is in them is not looked at."""
    for path in paths:
        _open(path).close()


def _open(path: str) -> OpenFile:
    try:
        file = OpenFile(path)
        try:
            file.require_regular()
        except FileError:
            file.close()
            raise
    except FileError as error:
        raise _unusable(path, error.reason) from None
    return file


def _unusable(path: str, reason: Reason) -> ConfigurationError:
    return ConfigurationError(because("dictionary_unreadable", reason, path=path))


def _read(path: str) -> Iterator[_Entry]:
    """The entries of a file in DCMTK's format."""
    for number, line in enumerate(_content(path).split(b"\n"), 1):
        try:
            # Latin-1 keeps every byte; a creator is compared byte by byte.
            if len(line) > _LONGEST_LINE:
                raise _BadLine(because("dictionary_line_too_long", most=_LONGEST_LINE))
            text = line.decode("latin-1").strip()
            if text and not text.startswith("#"):
                yield _entry(text)
        except _BadLine as error:
            raise ConfigurationError(because("dictionary_line", error.why, path=path, line=number)) from None


def _content(path: str) -> bytes:
    with _open(path) as file:
        try:
            with open(file.descriptor, "rb", closefd=False) as stream:
                content = stream.read(_LONGEST_FILE + 1)
        except OSError as error:
            raise _unusable(path, of_system(error)) from None
    if len(content) > _LONGEST_FILE:
        raise _unusable(path, because("dictionary_too_large", most=_LONGEST_FILE))
    return content.removeprefix(b"\xef\xbb\xbf")


class _BadLine(Exception):
    """A line of a dictionary file that cannot be understood."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why)
        self.why = why


_NUMBERS: Final = r"\s*([0-9A-Fa-f]{1,4})\s*(?:-\s*(?:([EOUeou])\s*-\s*)?([0-9A-Fa-f]{1,4})\s*)?"
_TAG: Final = re.compile(rf'\({_NUMBERS},(?:\s*"([^"]*)"\s*,)?{_NUMBERS}\)')
_MULTIPLICITY: Final = re.compile(r"[0-9]+(?:\s*-\s*(?:[0-9]+|[0-9]*n))?", re.ASCII)


def _entry(line: str) -> _Entry:
    """Tag, VR and name, then maybe value multiplicity and version, separated by single tabs. Raises _BadLine."""
    fields = [field.strip() for field in line.split("\t")]
    if not 3 <= len(fields) <= 5:
        raise _BadLine(because("dictionary_fields", fields=len(fields)))
    tag, name = _TAG.fullmatch(fields[0]), fields[1]
    if not tag:
        raise _BadLine(because("dictionary_tag", text=_cut(fields[0], 80)))
    vr = _VRS.get(name) or _VRS.get(name.upper())
    if not vr:
        raise _BadLine(because("dictionary_vr", text=_cut(name, 20)))
    if len(fields) > 3 and not _MULTIPLICITY.fullmatch(fields[3]):
        raise _BadLine(because("dictionary_multiplicity", text=_cut(fields[3], 20)))
    return _Entry(_numbers(*tag.group(1, 2, 3)), _numbers(*tag.group(5, 6, 7)), (tag[4] or "").strip(), vr)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _numbers(first: str, kind: str | None, last: str | None) -> range:
    """The numbers from ``first`` to ``last``: even ones, or with the kind ``o`` odd ones, with ``u`` all."""
    start = int(first, 16)
    if last is None:
        return range(start, start + 1)
    kind = (kind or "e").lower()
    if kind != "u":
        start += start & 1 ^ (kind == "o")
    numbers = range(start, int(last, 16) + 1, 1 if kind == "u" else 2)
    if not numbers:
        raise _BadLine(because("dictionary_numbers", text=f"{first}-{kind}-{last}"))
    return numbers
