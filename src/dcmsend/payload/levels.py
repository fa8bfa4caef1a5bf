"""What a recoder knows of the data set, sequence or item that it is in, and how headers are written there.

Pure values and small rules (PS3.5 7.1, 7.2, 7.5); who walks and writes is elsewhere.
"""

from __future__ import annotations

from struct import Struct

from dcmsend.files.dataset import TRAILING_PADDING
from dcmsend.files.elements import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, LONG_VRS, SHORT_VRS
from dcmsend.light import Enum, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from dcmsend.files.elements import Encoding

# Bytes of the unit that is turned around between the byte orders (PS3.5 7.3); 1 for all others.
UNITS: Final[dict[bytes, int]] = {
    **dict.fromkeys((b"AT", b"OW", b"SS", b"US"), 2),
    **dict.fromkeys((b"FL", b"OF", b"OL", b"SL", b"UL"), 4),
    **dict.fromkeys((b"FD", b"OD", b"OV", b"SV", b"UV"), 8),
}
UNDEFINED_LENGTH: Final = 0xFFFFFFFF
MAX_SHORT: Final = 0xFFFE


class Value(NamedTuple):
    """What an attribute becomes: a VR and a little endian value of even length. An empty VR takes it out."""

    vr: bytes
    value: bytes


class Codec:
    """How headers are written in an encoding."""

    def __init__(self, encoding: Encoding) -> None:
        order = "<" if encoding.little else ">"
        self.explicit, self.little = encoding
        self.pack_short = Struct(order + "HH2sH").pack
        self.pack_long = Struct(order + "HH2s2xL").pack
        self.pack_implicit = Struct(order + "HHL").pack
        self.length = Struct(order + "L")

    def header(self, tag: int, vr: bytes, length: int) -> bytes:
        """A header; ``length`` may be UNDEFINED. A value too long for a short length field becomes UN (PS3.5 6.2.2)."""
        length &= UNDEFINED_LENGTH
        if not self.explicit:
            return self.pack_implicit(tag >> 16, tag & 0xFFFF, length)
        if vr not in SHORT_VRS:
            return self.pack_long(tag >> 16, tag & 0xFFFF, vr, length)
        if length > MAX_SHORT:
            return self.pack_long(tag >> 16, tag & 0xFFFF, b"UN", length)
        return self.pack_short(tag >> 16, tag & 0xFFFF, vr, length)


class Manner(NamedTuple):
    """How the elements of a level go from one encoding to the other.

    ``plain``: VRs of elements that keep the size of their header, so that they are copied many at once; ``patch`` says
    what is then changed behind their tags.
    """

    codec: Codec
    plain: frozenset[bytes]
    patch: Patch


class Patch(Enum):
    """What changes in the eight bytes of a header."""

    NOTHING = 0
    TO_LENGTH = 1  # VR and 16 bit length become a 32 bit length
    TO_VR = 2


def manner(source: Encoding, target: Encoding) -> Manner:
    """The manner of a whole data set. Nothing is plain where the byte order changes or is big endian."""
    return _MANNERS[source, target]


_CODECS: Final = {encoding: Codec(encoding) for encoding in (IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE)}
_SAME: Final = (SHORT_VRS | LONG_VRS) - {b"SQ"}
_PATCHES: Final = {
    (IMPLICIT_LE, IMPLICIT_LE): (_SAME, Patch.NOTHING),
    (EXPLICIT_LE, EXPLICIT_LE): (_SAME, Patch.NOTHING),
    (EXPLICIT_LE, IMPLICIT_LE): (SHORT_VRS, Patch.TO_LENGTH),
    (IMPLICIT_LE, EXPLICIT_LE): (SHORT_VRS, Patch.TO_VR),
}
_MANNERS: Final = {
    (source, target): Manner(_CODECS[target], *_PATCHES.get((source, target), (frozenset(), Patch.NOTHING)))
    for source in _CODECS
    for target in _CODECS
}
# The elements inside of UN of undefined length are implicit, have no VR for us, and stay as they are (CP-246).
INSIDE_UNKNOWN: Final = Manner(_CODECS[IMPLICIT_LE], frozenset((b"",)), Patch.NOTHING)


class Level:
    """A data set, a sequence (of ``depth`` -1) or an item while its elements are written.

    ``before``: tags below it need no look at edits and group lengths; ``last`` is the one before. ``runs``: where its
    elements stand in the source. Of a sequence, ``items`` counts them, and ``unlike`` those that were like no
    other; of fragments, it is how long their offset table is.
    """

    __slots__ = (
        "before",
        "codec",
        "depth",
        "edits",
        "group",
        "group_at",
        "group_from",
        "items",
        "last",
        "manner",
        "notes",
        "runs",
        "unlike",
    )

    def __init__(self, depth: int, manner: Manner, runs: Sequence[tuple[int, int]] = ()) -> None:
        self.depth = depth
        self.manner = manner
        self.codec = manner.codec
        self.runs = runs
        self.edits: list[tuple[int, Value]] = NO_EDITS
        self.before = TRAILING_PADDING
        self.group = -1  # whose length is waiting to be known; where that goes, and from where it counts
        self.group_at = self.group_from = 0
        self.last = -1
        self.items = self.unlike = 0
        self.notes: Notes | None = None

    def look_out(self) -> None:
        """Find the first tag that is not plain because of where it stands."""
        self.before = min(
            self.edits[-1][0] if self.edits else TRAILING_PADDING,
            (self.group + 1) << 16 if self.group >= 0 else TRAILING_PADDING,
        )


class Notes:
    """What the VRs of an implicit data set or item depend on: private creators, and numbers such as Bits Allocated."""

    def __init__(self) -> None:
        self.group = -1
        self.creators: dict[int, str] = {}  # of this group
        self.numbers: dict[int, int | None] = {}


class Container(NamedTuple):
    """A sequence, an item or encapsulated data that has been begun. ``length_at`` is -1 where it is delimited."""

    depth: int
    tag: int
    length_at: int
    begins: int
    around: Level
    fragments: bool = False


NO_EDITS: Final[list[tuple[int, Value]]] = []  # never added to
