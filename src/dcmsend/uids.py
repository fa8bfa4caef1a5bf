"""UIDs of the standard: names, predicates and the syntax rule. Ground floor: imports nothing of ours.

Names are the ones that DCMTK 3.6.7 prints, because programs parse reports for them; where it knows none,
the keyword of PS3.6 Annex A stands. The tables hold facts only; what to do about a UID is decided elsewhere.
"""

from __future__ import annotations

from dcmsend.light import Enum, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Uncompressed transfer syntaxes (PS3.5 Annex A) and the few others that the code names.
IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
JPIP_REFERENCED_DEFLATE: Final = "1.2.840.10008.1.2.4.95"
JPIP_HTJ2K_REFERENCED_DEFLATE: Final = "1.2.840.10008.1.2.4.205"

VERIFICATION_SOP_CLASS: Final = "1.2.840.10008.1.1"
MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"

# Ours, from the 2.25 arc (PS3.5 B.2): a UUID made once for this project.
IMPLEMENTATION_CLASS_UID: Final = "2.25.159425278716207017546082374146445422875"

MAX_UID_LENGTH: Final = 64


class Family(Enum):
    """What a transfer syntax does to pixel data and data set, as far as sending is concerned."""

    NATIVE = "native"  # uncompressed; convertible into one another without loss
    DEFLATED = "deflated"  # the whole data set is one deflate stream (PS3.5 A.5)
    LOSSLESS = "lossless"
    LOSSY = "lossy"
    ENCAPSULATED_NATIVE = "encapsulated uncompressed"
    REFERENCED = "referenced"  # pixel data by URL (JPIP)


class TransferSyntax(NamedTuple):
    """A transfer syntax of PS3.6 Table A-1.

    ``explicit`` and ``little`` describe the encoding of the elements (PS3.5 7.1); ``encapsulated`` says whether
    the pixel data is a sequence of fragments (PS3.5 A.4); ``deflated`` whether the data set is a deflate stream.
    """

    uid: str
    name: str
    family: Family
    explicit: bool = True
    little: bool = True

    @property
    def encapsulated(self) -> bool:
        return self.family in (Family.LOSSLESS, Family.LOSSY, Family.ENCAPSULATED_NATIVE)

    @property
    def deflated(self) -> bool:
        return self.uid in _DEFLATE_STREAMS


_DEFLATE_STREAMS: Final = frozenset(
    (DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, JPIP_REFERENCED_DEFLATE, JPIP_HTJ2K_REFERENCED_DEFLATE)
)
_LOSSLESS, _LOSSY = Family.LOSSLESS, Family.LOSSY

# Suffix of 1.2.840.10008.1.2 -> name, family. JPIP with deflate is a deflate stream too, but its pixel data is by URL.
_TRANSFER_SYNTAXES: Final[dict[str, tuple[str, Family]]] = {
    "": ("Little Endian Implicit", Family.NATIVE),
    ".1": ("Little Endian Explicit", Family.NATIVE),
    ".2": ("Big Endian Explicit", Family.NATIVE),
    ".1.98": ("Encapsulated Uncompressed Explicit VR Little Endian", Family.ENCAPSULATED_NATIVE),
    ".1.99": ("Deflated Explicit VR Little Endian", Family.DEFLATED),
    ".4.50": ("JPEG Baseline", _LOSSY),
    ".4.51": ("JPEG Extended, Process 2+4", _LOSSY),
    ".4.52": ("JPEG Extended, Process 3+5", _LOSSY),
    ".4.53": ("JPEG Spectral Selection, Non-hierarchical, Process 6+8", _LOSSY),
    ".4.54": ("JPEG Spectral Selection, Non-hierarchical, Process 7+9", _LOSSY),
    ".4.55": ("JPEG Full Progression, Non-hierarchical, Process 10+12", _LOSSY),
    ".4.56": ("JPEG Full Progression, Non-hierarchical, Process 11+13", _LOSSY),
    ".4.57": ("JPEG Lossless, Non-hierarchical, Process 14", _LOSSLESS),
    ".4.58": ("JPEG Lossless, Non-hierarchical, Process 15", _LOSSLESS),
    ".4.59": ("JPEG Extended, Hierarchical, Process 16+18", _LOSSY),
    ".4.60": ("JPEG Extended, Hierarchical, Process 17+19", _LOSSY),
    ".4.61": ("JPEG Spectral Selection, Hierarchical, Process 20+22", _LOSSY),
    ".4.62": ("JPEG Spectral Selection, Hierarchical, Process 21+23", _LOSSY),
    ".4.63": ("JPEG Full Progression, Hierarchical, Process 24+26", _LOSSY),
    ".4.64": ("JPEG Full Progression, Hierarchical, Process 25+27", _LOSSY),
    ".4.65": ("JPEG Lossless, Hierarchical, Process 28", _LOSSLESS),
    ".4.66": ("JPEG Lossless, Hierarchical, Process 29", _LOSSLESS),
    ".4.70": ("JPEG Lossless, Non-hierarchical, 1st Order Prediction", _LOSSLESS),
    ".4.80": ("JPEG-LS Lossless", _LOSSLESS),
    ".4.81": ("JPEG-LS Lossy (Near-lossless)", _LOSSY),
    ".4.90": ("JPEG 2000 (Lossless only)", _LOSSLESS),
    ".4.91": ("JPEG 2000 (Lossless or Lossy)", _LOSSY),
    ".4.92": ("JPEG 2000 Part 2 Multicomponent Image Compression (Lossless only)", _LOSSLESS),
    ".4.93": ("JPEG 2000 Part 2 Multicomponent Image Compression (Lossless or Lossy)", _LOSSY),
    ".4.94": ("JPIP Referenced", Family.REFERENCED),
    ".4.95": ("JPIP Referenced Deflate", Family.REFERENCED),
    ".4.100": ("MPEG2 Main Profile @ Main Level", _LOSSY),
    ".4.100.1": ("Fragmentable MPEG2 Main Profile @ Main Level", _LOSSY),
    ".4.101": ("MPEG2 Main Profile @ High Level", _LOSSY),
    ".4.101.1": ("Fragmentable MPEG2 Main Profile @ High Level", _LOSSY),
    ".4.102": ("MPEG-4 AVC/H.264 High Profile / Level 4.1", _LOSSY),
    ".4.102.1": ("Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", _LOSSY),
    ".4.103": ("MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", _LOSSY),
    ".4.103.1": ("Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", _LOSSY),
    ".4.104": ("MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", _LOSSY),
    ".4.104.1": ("Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", _LOSSY),
    ".4.105": ("MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", _LOSSY),
    ".4.105.1": ("Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", _LOSSY),
    ".4.106": ("MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", _LOSSY),
    ".4.106.1": ("Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", _LOSSY),
    ".4.107": ("HEVC/H.265 Main Profile / Level 5.1", _LOSSY),
    ".4.108": ("HEVC/H.265 Main 10 Profile / Level 5.1", _LOSSY),
    ".4.110": ("JPEG XL Lossless", _LOSSLESS),
    ".4.111": ("JPEG XL JPEG Recompression", _LOSSY),
    ".4.112": ("JPEG XL", _LOSSY),
    ".4.201": ("High-Throughput JPEG 2000 Image Compression (Lossless Only)", _LOSSLESS),
    ".4.202": ("High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", _LOSSLESS),
    ".4.203": ("High-Throughput JPEG 2000 Image Compression", _LOSSY),
    ".4.204": ("JPIP HTJ2K Referenced", Family.REFERENCED),
    ".4.205": ("JPIP HTJ2K Referenced Deflate", Family.REFERENCED),
    ".5": ("RLE Lossless", _LOSSLESS),
    ".8.1": ("Deflated Image Frame Compression", _LOSSLESS),
}


def _standard(suffix: str, name: str, family: Family) -> TransferSyntax:
    return TransferSyntax._make((IMPLICIT_VR_LITTLE_ENDIAN + suffix, name, family, suffix != "", suffix != ".2"))


TRANSFER_SYNTAXES: Final[dict[str, TransferSyntax]] = {
    syntax.uid: syntax for syntax in (_standard(suffix, *facts) for suffix, facts in _TRANSFER_SYNTAXES.items())
}
# The one private syntax that DCMTK knows: the data set is implicit little endian, native pixels big endian.
TRANSFER_SYNTAXES["1.2.840.113619.5.2"] = TransferSyntax(
    uid="1.2.840.113619.5.2",
    name="Private GE Little Endian Implicit with big endian pixel data",
    family=Family.REFERENCED,
    explicit=False,
)


def transfer_syntax_name(uid: str) -> str:
    """Name of a transfer syntax as DCMTK prints it; ``Unknown Transfer Syntax`` for one that is not in the table."""
    known = TRANSFER_SYNTAXES.get(uid)
    return known.name if known else "Unknown Transfer Syntax"


def transfer_syntax_label(uid: str) -> str:
    """What to call a transfer syntax in a sentence: its name, or the UID of one that is not in the table."""
    known = TRANSFER_SYNTAXES.get(uid)
    return known.name if known else uid


def sop_class_name(uid: str) -> str:
    """Keyword of a storage SOP class as DCMTK prints it; ``unknown`` for one that is not in the table."""
    return _storage_class(uid)[0]


def modality_code(uid: str) -> str:
    """Two to four letters that stand for the SOP class in log lines (``OT`` for unknown ones)."""
    return _storage_class(uid)[1]


def is_storage_class(uid: str) -> bool:
    """Whether instances of this SOP class may be sent: every storage class, known or future, and private ones."""
    if not uid.startswith(_STANDARD_ROOT):
        return True
    return uid.startswith(_STORAGE_ARC) or _storage_class(uid) != _UNKNOWN_CLASS


def is_valid_uid(uid: str) -> bool:
    """Whether a UID, without its padding, follows PS3.5 section 9.1 (first arcs are not checked)."""
    if len(uid) > MAX_UID_LENGTH or not uid.isascii() or not uid.replace(".", "").isdecimal():
        return False
    components = f".{uid}."
    if ".." in components:
        return False
    if ".0" not in components:
        return True
    apart = components.replace(".", "..")
    return apart.count(".0") == apart.count(".0.")


def _storage_class(uid: str) -> tuple[str, str]:
    from dcmsend.storage_classes import STORAGE_CLASSES  # only a log or a report shows names

    suffix = uid[len(_CLASS_ROOT) :] if uid.startswith(_CLASS_ROOT) else ""
    return STORAGE_CLASSES.get(suffix, _UNKNOWN_CLASS)


_STANDARD_ROOT: Final = "1.2.840.10008."
_CLASS_ROOT: Final = "1.2.840.10008.5.1."
_STORAGE_ARC: Final = "1.2.840.10008.5.1.4.1.1."
_UNKNOWN_CLASS: Final = ("unknown", "OT")
