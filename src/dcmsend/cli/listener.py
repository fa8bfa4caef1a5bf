"""Events -> log lines, in DCMTK's words where it has them.

Knows the events and the log, and which lines are of its room ``net``, as in DCMTK; what a run amounts to in the end is
told by ``conclusion``. File names come last or in front of a colon, and the log escapes what could forge a line.
"""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Context,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    InstanceStarted,
    ScanFinished,
    ScanStarted,
)
from dcmsend.model import MAX_PDU, Notice, Outcome, Refusal, State, status_text
from dcmsend.printable import MAX_PATH, plain
from dcmsend.uids import modality_code, sop_class_name, transfer_syntax_label, transfer_syntax_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final

    from dcmsend.cli.log import Log
    from dcmsend.events import Event
    from dcmsend.model import Instance, Peer
    from dcmsend.reasons import Reason

_PDV_HEADER: Final = 12  # PDU header and PDV item header (PS3.8 9.3.5)
_RULE: Final = "-" * 65
_ARCHIVES: Final = frozenset(("archive_not_opened", "packed_not_opened", "archive_unknown"))

# PS3.8 Table 9-18
_RESULTS: Final[dict[int | None, str]] = {
    None: "Proposed",
    0: "Accepted",
    1: "User Rejection",
    2: "No Reason",
    3: "Abstract Syntax Not Supported",
    4: "Transfer Syntaxes Not Supported",
}

_UNSENT: Final[dict[State, str]] = {
    State.PENDING: "never tried",
    State.NO_CONTEXT: "no acceptable presentation context",
    State.FAILED: "failed",
}


class Listener:
    """Writes a run to a log. ``halt`` says whether an invalid file ends the run, ``contexts`` whether ``+v`` is on."""

    def __init__(self, log: Log, peer: Peer, *, halt: bool, contexts: bool) -> None:
        self._log = log
        self._net = log.room("net")
        self._peer = peer
        self._halt = halt
        self._advised: set[Reason] = set()
        self._context_level = Level.INFO if contexts else Level.DEBUG
        self._tell: dict[type[Event], Callable[..., None]] = {
            ScanStarted: self._scan_started,
            Refusal: self._refusal,
            Notice: self._notice,
            ScanFinished: self._scan_finished,
            AssociationRequested: self._association_requested,
            AssociationAccepted: self._association_accepted,
            InstanceStarted: self._instance_started,
            InstancePostponed: self._instance_postponed,
            InstanceKnown: self._instance_known,
            InstanceFinished: self._instance_finished,
            AssociationEnded: self._association_ended,
        }

    def __call__(self, event: Event) -> None:
        self._tell[type(event)](event)

    def _scan_started(self, event: ScanStarted) -> None:
        if event.directories:
            self._log.info("determining input files ...")
        self._log.info("checking input files ...")

    def _refusal(self, event: Refusal) -> None:
        path = plain(event.path, MAX_PATH)
        if event.tolerated:
            self._log.warn(f"ignoring directory because option --scan-directories is not set: {path}")
            return
        if path:
            self._net.error(f"cannot add DICOM file to the transfer list: {path}: {event.reason}")
        else:
            self._net.error("cannot add DICOM file with empty filename")
        if not self._halt:
            words = f"bad DICOM file: {path or '<empty string>'}: {event.reason}, ignoring file"
            self._log.warn(words, *self._advice(event.reason))

    def _advice(self, reason: Reason) -> Iterator[str]:
        """What to do with an archive, of which nothing else tells when it is passed over: once for each kind."""
        if reason.code in _ARCHIVES and reason not in self._advised:
            from dcmsend.cli.names import OPTIONS

            self._advised.add(reason)
            yield reason.hint(OPTIONS)

    def _notice(self, event: Notice) -> None:
        self._log.warn(event.text)

    def _scan_finished(self, event: ScanFinished) -> None:
        ignored = event.left_out + event.no_dicom
        self._log.debug(
            f"in total, there are {event.instances} SOP instances to be sent, {ignored} invalid files are ignored"
        )

    def _association_requested(self, event: AssociationRequested) -> None:
        self._log.debug(_RULE)
        if event.multiple:
            self._log.info(f"starting association #{event.number}")
        self._log.info("initializing network ...")
        self._log.info("negotiating network association ...")
        self._dump("Request Parameters:", _proposed(event.contexts))
        self._net.info("Requesting Association")

    def _association_accepted(self, event: AssociationAccepted) -> None:
        self._accepted(event)
        self._log.info("sending SOP instances ...")

    def _accepted(self, event: AssociationAccepted) -> None:
        self._dump("Association Parameters Negotiated:", _negotiated(event))
        largest = min(event.max_pdu or MAX_PDU, MAX_PDU) - _PDV_HEADER
        self._net.info(f"Association Accepted (Max Send PDV: {largest})")
        if event.security:
            self._net.info(f"Secure Transport: {event.security}")

    def _instance_started(self, event: InstanceStarted) -> None:
        if not self._net.shows(Level.INFO):  # that is most often so, and there may be very many of these
            return
        instance = event.instance
        self._net.debug(f"sending SOP instance from file: {instance.path}")
        self._net.debug(f"using presentation context {event.context_id}, {transfer_syntax_name(event.network_syntax)}")
        if event.network_syntax != instance.transfer_syntax:
            names = (transfer_syntax_name(uid) for uid in (instance.transfer_syntax, event.network_syntax))
            self._net.info(f"Converting transfer syntax: {' -> '.join(names)}")
        self._net.info(f"Sending C-STORE Request (MsgID {event.message_id}, {modality_code(instance.sop_class)})")

    def _instance_postponed(self, event: InstancePostponed) -> None:
        outcome = event.outcome
        again = "set aside, to be tried again after all others" if event.aside else "to be tried again"
        if outcome.status is not None:
            self._net.info(f"Received C-STORE Response ({status_text(outcome.status)})")
        self._net.warn(f"{_failure(event.instance, outcome)}; {again} (attempt {outcome.attempts})")

    def _instance_known(self, event: InstanceKnown) -> None:
        if self._net.shows(Level.DEBUG):
            self._net.debug(f"not sent again: {event.instance.path}: {event.outcome.reason}")

    def _instance_finished(self, event: InstanceFinished) -> None:
        outcome = event.outcome
        if outcome.status == 0 and not outcome.reason and not self._net.shows(Level.INFO):  # the usual one
            return
        if outcome.state is State.ANSWERED and outcome.status is not None:
            self._net.info(f"Received C-STORE Response ({status_text(outcome.status)})")
        if not outcome.stored:
            self._net.error(_failure(event.instance, outcome))
        elif outcome.reason:
            self._net.info(f"remark on SOP instance from file: {event.instance.path}: {outcome.reason}")

    def _association_ended(self, event: AssociationEnded) -> None:
        if event.reason:  # if that ends the run, the run's error says so
            ends_run = self._halt and event.reason.code != "not_released"
            level = Level.INFO if ends_run else Level.WARN
            self._net.write(level, f"association #{event.number} has ended: {event.reason}")
        else:
            self._net.info("Releasing Association")

    def _dump(self, title: str, contexts: Iterable[str]) -> None:
        if self._net.shows(self._context_level):
            titles = (
                f"Calling Application Name: {self._peer.calling_ae}",
                f"Called Application Name:  {self._peer.called_ae}",
            )
            self._net.write(self._context_level, title, *titles, *contexts)


def _failure(instance: Instance, outcome: Outcome) -> str:
    if outcome.state is State.ANSWERED and outcome.status is not None:
        status = f"0x{outcome.status:04x} ({status_text(outcome.status)})"
        remark = f": {outcome.reason}" if outcome.reason else ""
        return f"peer did not store SOP instance from file: {instance.path}: {status}{remark}"
    if outcome.reason:
        return f"cannot send SOP instance from file: {instance.path}: {outcome.reason}"
    names = f"{_class(instance.sop_class)} / {transfer_syntax_name(instance.transfer_syntax)}"
    return f"cannot send SOP instance from file: {instance.path}: {_UNSENT.get(outcome.state, 'not sent')}, {names}"


def _proposed(contexts: Iterable[Context]) -> Iterator[str]:
    yield "Presentation Contexts:"
    for context in contexts:
        yield from _context(context)
        yield "    Proposed Transfer Syntax(es):"
        yield from (f"      {transfer_syntax_label(uid)}" for uid in context.transfer_syntaxes)


def _negotiated(event: AssociationAccepted) -> Iterator[str]:
    yield f"Their Implementation: {event.implementation or 'unknown'}"
    yield "Presentation Contexts:"
    for context in event.contexts:
        yield from _context(context)
        if context.accepted:
            yield f"    Accepted Transfer Syntax: {transfer_syntax_label(context.accepted)}"


def _context(context: Context) -> Iterator[str]:
    yield f"  Context ID:        {context.context_id} ({_RESULTS.get(context.result, f'Result {context.result}')})"
    yield f"    Abstract Syntax: {_class(context.abstract_syntax)}"


def _class(uid: str) -> str:
    name = sop_class_name(uid)
    return uid if name == "unknown" else name
