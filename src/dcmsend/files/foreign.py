"""What a file without the prefix of DICOM files is, by its first bytes: an archive, or packed, or nobody knows.

Loaded when such a file is met.
"""

from __future__ import annotations

from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.files.sources import Source
    from dcmsend.reasons import Reason

# What a file begins with -> what it is, and the reason why it is refused.
_BEGINNINGS: Final = (
    (b"PK\3\4", "zip archive", "archive_not_opened"),
    (b"PK\5\6", "zip archive", "archive_not_opened"),
    (b"\x1f\x8b\x08", "gzip file", "packed_not_opened"),
    (b"BZh", "bzip2 file", "packed_not_opened"),
    (b"\xfd7zXZ\0", "xz file", "packed_not_opened"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive", "archive_unknown"),
    (b"Rar!\x1a\7", "rar archive", "archive_unknown"),
    (b"\x28\xb5\x2f\xfd", "zstd file", "archive_unknown"),
)
_TAR: Final = (257, b"ustar")
_DISC: Final = (32769, b"CD001")  # ISO 9660: the first volume descriptor, in the 17th sector


def foreign_file(source: Source) -> Reason:
    """Why a file is no DICOM file. Raises FileError where it cannot be read."""
    for begins, kind, code in _BEGINNINGS:
        if _has(source, 0, begins):
            return because(code, kind=kind)
    if is_tar(source):
        return because("archive_not_opened", kind="tar archive")
    if _has(source, *_DISC):
        return because("archive_unknown", kind="disc image (ISO 9660)")
    return because("no_prefix")


def is_tar(source: Source) -> bool:
    """Return True if a file says that it is a tar archive. Raises FileError where it cannot be read."""
    return _has(source, *_TAR)


def _has(source: Source, offset: int, wanted: bytes) -> bool:
    buffer, base = source.window(offset, len(wanted))
    return buffer[offset - base : offset - base + len(wanted)] == wanted
