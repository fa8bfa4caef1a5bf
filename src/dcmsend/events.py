"""What happens in a run, in order, as frozen values. Ground floor: imports nothing of ours but the model.

One stream of these leaves the transfer; the log, the report and any progress display listen to it and to nothing else.
"""

from __future__ import annotations

from dcmsend.light import Frozen
from dcmsend.model import Instance, Notice, Outcome, Refusal
from dcmsend.reasons import NONE, Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class ScanStarted(Frozen):
    """The arguments are about to be looked at; ``directories`` says whether folders are searched."""

    directories: bool


class ScanFinished(Frozen):
    """All input has been seen.

    ``left_out`` counts what could not be taken on, ``no_dicom`` what is none, and ``left_over`` the instances of
    earlier runs in the journal file that are neither stored nor met in this one.
    """

    instances: int
    left_out: int
    no_dicom: int
    left_over: int = 0


class Context(Frozen):
    """A presentation context as proposed, and the peer's answer (PS3.8 Table 9-18)."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    accepted: str = ""  # the transfer syntax that the peer chose
    result: int | None = None  # None before the answer


class AssociationRequested(Frozen):
    """Association ``number`` (from 1) is about to be asked for."""

    number: int
    contexts: tuple[Context, ...]
    multiple: bool


class AssociationAccepted(Frozen):
    """The peer accepted; ``max_pdu`` is the peer's limit in bytes, 0 for none.

    ``security``: version and cipher suite of TLS, empty without.
    """

    number: int
    max_pdu: int
    contexts: tuple[Context, ...]
    implementation: str
    security: str = ""


class AssociationEnded(Frozen):
    """The association is over. ``reason`` is empty after an orderly release; of the code ``not_released`` it is where
    all was done, but the peer did not confirm the end.
    """

    number: int
    reason: Reason = NONE


class InstanceStarted(Frozen):
    """The C-STORE request of an instance is about to be sent. ``instance`` is what goes out, by its UIDs and its size,
    though it may have been another when the input was looked at.
    """

    number: int
    instance: Instance
    association: int
    message_id: int
    context_id: int
    network_syntax: str


class InstancePostponed(Frozen):
    """An attempt to send an instance has failed, and there will be another one.

    ``outcome`` is what becomes of it if there is none after all. ``aside``: not before all others have been sent.
    """

    instance: Instance
    outcome: Outcome
    aside: bool


class InstanceKnown(Frozen):
    """An instance is not sent, because an earlier run has stored it; ``outcome`` is what the journal file says."""

    instance: Instance
    outcome: Outcome


class InstanceFinished(Frozen):
    """An instance has its outcome. ``instance`` is what went out. ``seconds``: from the beginning of the request to its
    response, where one came.
    """

    instance: Instance
    outcome: Outcome
    seconds: float | None = None


Event: TypeAlias = (
    ScanStarted
    | ScanFinished
    | Refusal
    | Notice
    | AssociationRequested
    | AssociationAccepted
    | AssociationEnded
    | InstanceStarted
    | InstancePostponed
    | InstanceKnown
    | InstanceFinished
)
