"""What happens in a run, in order, as frozen values. Ground floor: imports nothing of ours but the model.

One stream of these leaves the transfer; the log, the report and any progress display listen to it and to nothing else.
"""

from __future__ import annotations

from dcmsend.model import Instance, Notice, Outcome, Refusal
from dcmsend.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


@value
class ScanStarted:
    """The arguments are about to be looked at; ``directories`` says whether folders are searched."""

    directories: bool


@value
class ScanFinished:
    """All input has been seen."""

    instances: int
    refused: int


@value
class Context:
    """A presentation context as proposed, and the peer's answer (PS3.8 Table 9-18)."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    accepted: str = ""  # the transfer syntax that the peer chose
    result: int | None = None  # None before the answer


@value
class AssociationRequested:
    """Association ``number`` (from 1) is about to be asked for."""

    number: int
    contexts: tuple[Context, ...]
    multiple: bool


@value
class AssociationAccepted:
    """The peer accepted; ``max_pdu`` is the peer's limit in bytes, 0 for none."""

    number: int
    max_pdu: int
    contexts: tuple[Context, ...]
    implementation: str


@value
class AssociationEnded:
    """The association is over. ``reason`` is empty after an orderly release."""

    number: int
    reason: str = ""


@value
class InstanceStarted:
    """The C-STORE request of an instance is about to be sent."""

    number: int
    instance: Instance
    association: int
    message_id: int
    context_id: int
    network_syntax: str


@value
class InstanceFinished:
    """An instance has its outcome."""

    instance: Instance
    outcome: Outcome


Event: TypeAlias = (
    ScanStarted
    | ScanFinished
    | Refusal
    | Notice
    | AssociationRequested
    | AssociationAccepted
    | AssociationEnded
    | InstanceStarted
    | InstanceFinished
)
