"""What the name of a file says about why it is refused: what is called like a DICOM file is missed when it is empty.

Loaded when a file is refused.
"""

from __future__ import annotations

import os

from dcmsend.reasons import because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.reasons import Reason

SHORTEST: Final = 132  # bytes: preamble and prefix (PS3.10 7.1)
_EXTENSIONS: Final = frozenset((".DCM", ".DCM30", ".DIC", ".DICM", ".DICOM", ".IMA"))
_PREFIXES: Final = ("IM", "IMG", "IMAGE", "MR", "CT", "I", "DICOMDIR")
_DOTS_OF_A_UID: Final = 3  # at least


def in_context(reason: Reason, path: str, size: int, *, named: bool) -> Reason:
    """The reason why a file of ``size`` bytes is refused, once its name is taken into account.

    An empty file is left out if somebody ``named`` it or it is called like a DICOM file, and else is none; a file that
    is too short to have the prefix of DICOM files is left out if it is called like one.
    """
    if reason.code == "empty_file":
        return reason if named or is_dicom_name(path) else because("empty_no_dicom")
    if 0 < size < SHORTEST and reason.no_dicom and is_dicom_name(path):
        return because("too_short", size=size)
    return reason


def is_dicom_name(path: str) -> bool:
    """Return True if a file is called as DICOM files mostly are.

    That is: by one of their extensions, or without one as on media (``IM000001``, ``DICOMDIR``) or by a UID.
    """
    name = os.path.basename(path).upper()
    if os.path.splitext(name)[1] in _EXTENSIONS:
        return True
    if name.count(".") >= _DOTS_OF_A_UID:
        return name.replace(".", "").isdigit()
    return name.rstrip("0123456789") in _PREFIXES and name not in _PREFIXES[:-1]
