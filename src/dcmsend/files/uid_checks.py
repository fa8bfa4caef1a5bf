"""Whether the three UIDs of an instance allow it to be sent: DCMTK's checks, in its order and its words.

It owns the rules and nothing else: where the UIDs came from, and what becomes of a file that fails, others decide.
"""

from __future__ import annotations

from dcmsend.printable import plain
from dcmsend.uids import MAX_UID_LENGTH, MEDIA_STORAGE_DIRECTORY, TRANSFER_SYNTAXES, is_storage_class, is_valid_uid

_STANDARD_ROOT = "1.2.840.10008."
# Classes of the standard that store nothing (PS3.6 Table A-1): notification, commitment, procedure steps, print,
# query and retrieve, worklists. DCMTK calls them invalid here, and all others that it does not know unknown.
_OTHER_SUFFIXES = """
    1.1 1.9 1.20.1 1.20.2 1.40 1.42 3.1.2.1.1 3.1.2.1.4 3.1.2.2.1 3.1.2.3.1 3.1.2.3.2 3.1.2.3.3 3.1.2.3.4
    3.1.2.3.5 3.1.2.5.1 3.1.2.5.4 3.1.2.5.5 3.1.2.6.1 4.2 5.1.1.1 5.1.1.2 5.1.1.4 5.1.1.4.1 5.1.1.4.2 5.1.1.9
    5.1.1.9.1 5.1.1.14 5.1.1.15 5.1.1.16 5.1.1.16.376 5.1.1.18 5.1.1.18.1 5.1.1.22 5.1.1.23 5.1.1.24 5.1.1.26
    5.1.1.31 5.1.1.32 5.1.1.33 5.1.4.1.2.1.1 5.1.4.1.2.1.2 5.1.4.1.2.1.3 5.1.4.1.2.2.1 5.1.4.1.2.2.2
    5.1.4.1.2.2.3 5.1.4.1.2.3.1 5.1.4.1.2.3.2 5.1.4.1.2.3.3 5.1.4.1.2.4.2 5.1.4.1.2.4.3 5.1.4.1.2.5.3 5.1.4.31
    5.1.4.32 5.1.4.32.1 5.1.4.32.2 5.1.4.32.3 5.1.4.33 5.1.4.34.2 5.1.4.34.3 5.1.4.34.4 5.1.4.34.4.1
    5.1.4.34.4.2 5.1.4.34.4.3 5.1.4.34.5 5.1.4.34.6 5.1.4.34.6.1 5.1.4.34.6.2 5.1.4.34.6.3 5.1.4.34.6.4
    5.1.4.34.6.5 5.1.4.34.8 5.1.4.37.1 5.1.4.37.2 5.1.4.37.3 5.1.4.38.2 5.1.4.38.3 5.1.4.38.4 5.1.4.39.2
    5.1.4.39.3 5.1.4.39.4 5.1.4.41 5.1.4.42 5.1.4.43.2 5.1.4.43.3 5.1.4.43.4 5.1.4.44.2 5.1.4.44.3 5.1.4.44.4
    5.1.4.45.2 5.1.4.45.3 5.1.4.45.4
"""
_OTHER_CLASSES = frozenset(_STANDARD_ROOT + suffix for suffix in _OTHER_SUFFIXES.split())


def complaint(sop_class: str, sop_instance: str, transfer_syntax: str, *, checks: bool = True) -> str:
    """Why an instance with these UIDs must not be sent, or nothing.

    Without ``checks`` anything that can be written into a message will do.
    """
    if not checks:
        return _unchecked(sop_class, sop_instance, transfer_syntax)
    return (
        sop_class_complaint(sop_class)
        or instance_complaint(sop_instance)
        or _transfer_syntax_complaint(transfer_syntax)
    )


def sop_class_complaint(sop_class: str, *, checks: bool = True) -> str:
    """Why instances of this SOP class must not be sent, or nothing."""
    if not checks:
        return "" if _sendable(sop_class) else _invalid("SOP Class UID", sop_class)
    if sop_class == MEDIA_STORAGE_DIRECTORY:
        return (
            f"{_invalid('SOP Class UID', sop_class)} (a DICOMDIR: --read-from-dicomdir sends the files that it lists)"
        )
    if not is_valid_uid(sop_class):
        return _invalid("SOP Class UID", sop_class)
    if is_storage_class(sop_class):
        return ""
    if sop_class in _OTHER_CLASSES or sop_class in TRANSFER_SYNTAXES:
        return _invalid("SOP Class UID", sop_class)
    return f"Unknown Storage SOP Class: {sop_class}"


def instance_complaint(sop_instance: str, *, checks: bool = True) -> str:
    """Why an instance with this UID must not be sent, or nothing."""
    good = is_valid_uid(sop_instance) if checks else _sendable(sop_instance)
    return "" if good else _invalid("SOP Instance UID", sop_instance)


def _transfer_syntax_complaint(transfer_syntax: str) -> str:
    if not is_valid_uid(transfer_syntax):
        return _invalid("Transfer Syntax UID", transfer_syntax)
    return "" if transfer_syntax in TRANSFER_SYNTAXES else f"Unknown Transfer Syntax: {transfer_syntax}"


def _unchecked(*uids: str) -> str:
    names = ("SOP Class UID", "SOP Instance UID", "Transfer Syntax UID")
    return next((_invalid(name, uid) for name, uid in zip(names, uids, strict=True) if not _sendable(uid)), "")


def _sendable(uid: str) -> bool:
    return 0 < len(uid) <= MAX_UID_LENGTH and uid.isascii() and uid.isprintable()


def _invalid(name: str, uid: str) -> str:
    return f"Invalid {name}: {plain(uid)}" if uid else f"Invalid {name}"
