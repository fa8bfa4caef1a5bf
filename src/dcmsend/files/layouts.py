"""Heads that look alike: in most files of a series, all that differs before the UIDs is the UID of the instance.

What was found in one head holds for another one in which everything that led to it is the same: each header up to the
one behind the UIDs, SOP class and transfer syntax. One comparison of numbers under a mask tells; nothing is guessed.
"""

from __future__ import annotations

from dcmsend.files.dataset import SOP_CLASS, SOP_INSTANCE
from dcmsend.files.elements import END
from dcmsend.files.flat import OPEN
from dcmsend.files.head import ordinary_head, places_in
from dcmsend.files.part10 import META_SOP_CLASS, META_SOP_INSTANCE, META_TRANSFER_SYNTAX, PREFIX_OFFSET, uid_of
from dcmsend.files.uid_checks import complaint, instance_complaint
from dcmsend.reasons import NONE
from dcmsend.uids import MEDIA_STORAGE_DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from dcmsend.files.head import Head

    # SOP class, SOP instance, transfer syntax.
    Uids: TypeAlias = tuple[str, str, str]

# Which layout may be the one: group length and SOP class where the meta information is complete; where it is not, the
# root of an instance's UID may be in it.
_HINT: Final = slice(140, 192)
_MOST_LAYOUTS: Final = 256
_PATIENCE: Final = 3  # heads that look different before a layout is given up: to make one takes as long as to read them

_EVERYTHING: Final = range(END)
_SAME: Final = (META_SOP_CLASS, META_TRANSFER_SYNTAX, SOP_CLASS)  # whose values are part of a layout


class Layouts:
    """Reads one head after the other and remembers how they looked. ``checks``: whether UIDs are checked."""

    def __init__(self, *, checks: bool) -> None:
        self._checks = checks
        self._known: dict[bytes, _Layout] = {}

    def uids(self, data: bytes) -> Uids | None:
        """The UIDs of a file that begins with ``data``, if it may be sent and nothing else is to be said about it."""
        layout = self._known.get(data[_HINT])
        if layout is None:
            return self._read(data)
        if int.from_bytes(data[PREFIX_OFFSET : layout.end], "little") & layout.mask == layout.wanted:
            value = data[layout.instance]
            if value == data[layout.again] and len(data) >= layout.needed:
                uid = uid_of(value)
                if instance_complaint(uid, checks=self._checks) is NONE:
                    return layout.sop_class, uid, layout.transfer_syntax
        layout.patience -= 1
        return self._read(data, remember=layout.patience <= 0)

    def _read(self, data: bytes, *, remember: bool = True) -> Uids | None:
        head = ordinary_head(data)
        if head is None or head.sop_class == MEDIA_STORAGE_DIRECTORY:
            return None
        uids = head.sop_class, head.sop_instance, head.transfer_syntax
        if complaint(*uids, checks=self._checks) is not NONE:
            return None
        if remember:
            if len(self._known) >= _MOST_LAYOUTS:
                self._known.clear()
            self._known[data[_HINT]] = _Layout(data, head)
        return uids


class _Layout:
    """What heads have in common: what is ``wanted`` under a ``mask`` from the prefix to ``end``.

    ``instance`` and ``again`` are where the instance's UID stands, which must be the same; ``needed``: the bytes that
    there must be. When ``patience`` is at its end, it makes room for another one.
    """

    __slots__ = (
        "again", "end", "instance", "mask", "needed", "patience", "sop_class", "transfer_syntax", "wanted",
    )  # fmt: skip

    def __init__(self, data: bytes, head: Head) -> None:
        places, behind = places_in(data, head, _EVERYTHING)
        self.sop_class, self.transfer_syntax = head.sop_class, head.transfer_syntax
        self.instance, self.again = (
            slice(value, value + length) for _, value, length in (places[META_SOP_INSTANCE], places[SOP_INSTANCE])
        )
        self.end, self.needed = behind + 4, behind + 8  # the next tag; its header
        mask = bytearray(self.end)
        ends = [*(start for start, _, _ in places.values()), behind][1:]
        for (tag, (start, value, length)), following in zip(places.items(), ends, strict=True):
            same = following if tag in _SAME or length == OPEN else value
            mask[start:same] = b"\xff" * (same - start)
        for start, end in ((PREFIX_OFFSET, PREFIX_OFFSET + 4), (behind, self.end)):
            mask[start:end] = b"\xff" * (end - start)
        self.mask = int.from_bytes(mask[PREFIX_OFFSET:], "little")
        self.wanted = int.from_bytes(data[PREFIX_OFFSET : self.end], "little") & self.mask
        self.patience = _PATIENCE
