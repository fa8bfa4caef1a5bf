"""Whether the three UIDs of an instance allow it to be sent: DCMTK's checks, in its order and its words.

It owns the rules and nothing else: where the UIDs came from, and what becomes of a file that fails, others decide.
"""

from __future__ import annotations

from dcmsend.reasons import NONE, because
from dcmsend.uids import MAX_UID_LENGTH, MEDIA_STORAGE_DIRECTORY, TRANSFER_SYNTAXES, is_storage_class, is_valid_uid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.reasons import Reason

_MAX_SHOWN: Final = 200  # characters of a UID in a sentence
_SOP_CLASS: Final = "SOP Class UID"
_SOP_INSTANCE: Final = "SOP Instance UID"
_TRANSFER_SYNTAX: Final = "Transfer Syntax UID"


def complaint(sop_class: str, sop_instance: str, transfer_syntax: str, *, checks: bool = True) -> Reason:
    """Why an instance with these UIDs must not be sent, or ``NONE``.

    Without ``checks`` anything that can be written into a message will do.
    """
    return (
        sop_class_complaint(sop_class, checks=checks)
        or instance_complaint(sop_instance, checks=checks)
        or _transfer_syntax_complaint(transfer_syntax, checks=checks)
    )


def sop_class_complaint(sop_class: str, *, checks: bool = True) -> Reason:
    """Why instances of this SOP class must not be sent, or ``NONE``."""
    if not checks:
        return NONE if _sendable(sop_class) else _invalid(_SOP_CLASS, sop_class)
    if sop_class == MEDIA_STORAGE_DIRECTORY:
        return because("is_dicomdir", uid=sop_class)
    if not is_valid_uid(sop_class):
        return _invalid(_SOP_CLASS, sop_class)
    if is_storage_class(sop_class):
        return NONE
    from dcmsend.files.other_classes import other_class_name  # most classes are those of storage

    known = TRANSFER_SYNTAXES.get(sop_class)
    name = known.name if known else other_class_name(sop_class)
    return because("not_storage", uid=sop_class, name=name) if name else because("unknown_sop_class", uid=sop_class)


def instance_complaint(sop_instance: str, *, checks: bool = True) -> Reason:
    """Why an instance with this UID must not be sent, or ``NONE``."""
    good = is_valid_uid(sop_instance) if checks else _sendable(sop_instance)
    return NONE if good else _invalid(_SOP_INSTANCE, sop_instance)


def _transfer_syntax_complaint(transfer_syntax: str, *, checks: bool) -> Reason:
    if not (is_valid_uid(transfer_syntax) if checks else _sendable(transfer_syntax)):
        return _invalid(_TRANSFER_SYNTAX, transfer_syntax)
    known = not checks or transfer_syntax in TRANSFER_SYNTAXES
    return NONE if known else because("unknown_transfer_syntax", uid=transfer_syntax)


def _sendable(uid: str) -> bool:
    return 0 < len(uid) <= MAX_UID_LENGTH and uid.isascii() and uid.isprintable()


def _invalid(name: str, uid: str) -> Reason:
    return because("invalid_uid", name=name, uid=uid[:_MAX_SHOWN]) if uid else because("missing_uid", name=name)
