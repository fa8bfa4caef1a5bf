"""Files that dcmsend itself has written, known by how they begin: journals and reports. And DICOM files, by theirs.

Pure but for ``what_is``, which reads the beginning of a file. Loaded where a file turns out to be no DICOM file, or a
report is to be written: none of these may be sent, and the precious ones must not be written over.
"""

from __future__ import annotations

from dcmsend.errors import FileError
from dcmsend.files.opening import read_beginning
from dcmsend.light import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

BEGINNING: Final = 1024  # bytes that tell


class What(Enum):
    """What a file is, as far as that matters here."""

    DICOM = "DICOM file"
    JOURNAL = "journal"
    REPORT = "report"
    OTHER = "something else"


_DICM: Final = slice(128, 132)  # PS3.10 7.1
_SQLITE: Final = b"SQLite format 3\0"
_APPLICATION: Final = slice(68, 72)  # of the header of an SQLite database
_OURS: Final = b"DCMS"
_BESIDE_A_JOURNAL: Final = ("-lock", "-wal", "-shm", "-journal")
_TEXT: Final = b"Detailed Report on the Transfer of Instances"
_JSON: Final = b'{\n  "schema_version": '
_PROGRAM: Final = b'"name": "dcmsend"'
_CSV: Final = b"number,path,sop_class_uid,sop_class_name,sop_instance_uid,"
_HTML: Final = b"<!DOCTYPE html>"
_GENERATOR: Final = b'<meta name="generator" content="dcmsend '


def what_begins(beginning: bytes) -> What:
    """What a file is whose first ``BEGINNING`` bytes these are."""
    if beginning[_DICM] == b"DICM":
        return What.DICOM
    if beginning.startswith(_SQLITE) and beginning[_APPLICATION] == _OURS:
        return What.JOURNAL
    text = beginning.lstrip(b"\r\n")
    if (
        text.startswith((_TEXT, _CSV))
        or (text.startswith(_JSON) and _PROGRAM in text)
        or (text.startswith(_HTML) and _GENERATOR in text)
    ):
        return What.REPORT
    return What.OTHER


def what_is(path: str) -> What:
    """What the file at ``path`` is, if it is one that can be read. What SQLite keeps beside a journal is part of it."""
    found = _beginning(path)
    if found is What.OTHER:
        for suffix in _BESIDE_A_JOURNAL:
            if path.endswith(suffix) and _beginning(path.removesuffix(suffix)) is What.JOURNAL:
                return What.JOURNAL
    return found


def is_own(path: str) -> bool:
    """Return True if dcmsend has written this file, so that a scan may pass over it."""
    return what_is(path) in (What.JOURNAL, What.REPORT)


def _beginning(path: str) -> What:
    try:
        return what_begins(read_beginning(path, BEGINNING)[1])
    except (FileError, OSError, ValueError):
        return What.OTHER
