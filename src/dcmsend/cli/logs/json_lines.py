"""``--log-format json``: events, and whatever else the log says, as one JSON object a line, for machines.

What an event tells is documented: its name, its level, its fields. Names stay what they are, fields may be added. Each
line is ASCII, valid JSON, and bounded. Bytes of names that are no text are shown as ``\\xe9``; other text is as it is,
for JSON escapes what could forge a line.
"""

from __future__ import annotations

import json
import time

from dcmsend.cli.log import Level, Log
from dcmsend.cli.names import OPTIONS
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    InstanceStarted,
    ScanFinished,
    ScanStarted,
)
from dcmsend.model import Notice, Outcome, Refusal, State, StatusClass, status_class, status_text
from dcmsend.printable import MAX_LINE, MAX_PATH, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, TextIO

    from dcmsend.api import Report
    from dcmsend.errors import DcmsendError
    from dcmsend.events import Context, Event
    from dcmsend.model import Instance, Totals
    from dcmsend.report.causes import Cause

LONGEST_TEXT: Final = MAX_LINE  # characters of a text
LONGEST_PATH: Final = MAX_PATH  # characters of a path
MOST_SYNTAXES: Final = 32  # of a presentation context that are shown

_STATES: Final = {
    State.PENDING: "pending",
    State.ANSWERED: "answered",
    State.NO_CONTEXT: "no_context",
    State.FAILED: "failed",
}


class JsonLog(Log):
    """Writes objects. ``clock`` gives seconds since 1970."""

    def __init__(self, stream: TextIO | None, level: Level, clock: Callable[[], float] = time.time) -> None:
        super().__init__(stream, level)
        self._clock = clock

    def __repr__(self) -> str:
        return f"<JsonLog {self.level.name.lower()}>"

    def event(self, level: Level, name: str, **fields: Any) -> None:
        """Write an event with its fields; text in there is bounded and made valid."""
        if self.shows(level):
            self._line(level, name, fields)

    def write(self, level: Level, *lines: str) -> None:
        self.event(level, "message", text="\n".join(lines))

    def always(self, level: Level, *lines: str) -> None:
        self._line(level, "message", {"text": "\n".join(lines).rstrip("\n")})

    def failure(self, level: Level, error: DcmsendError) -> None:
        kind, code = type(error).__name__, error.why.code
        self.event(level, "error", kind=kind, code=code, text=error.message, hint=error.hint_in(OPTIONS))

    def summary(self, totals: Totals) -> None:
        """``finished`` tells it."""

    def causes(self, groups: Sequence[Cause]) -> None:
        for group in groups:
            examples = [valid(path, LONGEST_PATH) for path in group.examples]
            self.event(
                Level.ERROR,
                "cause",
                code=group.code,
                reason=group.reason,
                count=group.count,
                examples=examples,
                hint=group.hint,
            )

    def finished(self, report: Report, code: int) -> None:
        totals = report.totals
        self.event(
            Level.INFO if report.complete else Level.ERROR,
            "run_finished",
            exit_code=int(code),
            complete=report.complete,
            associations=totals.associations,
            presentation_contexts=totals.contexts,
            instances=totals.instances,
            stored=totals.stored,
            stored_earlier=totals.earlier,
            no_context=totals.no_context,
            left_out=totals.left_out,
            no_dicom=totals.no_dicom,
            left_over=totals.left_over,
            by_status={kind.name.lower(): totals.by_class.get(kind, 0) for kind in StatusClass},
        )

    def _line(self, level: Level, name: str, fields: dict[str, Any]) -> None:
        whole = {"time": stamp(self._clock()), "level": level.name.lower(), "event": name}
        whole |= {key: _bounded(key, value) for key, value in fields.items()}
        self.plain((json.dumps(whole, separators=(",", ":")), "\n"))


class JsonListener:
    """Writes a run to a log of JSON lines. ``contexts``: the presentation contexts are shown at level info too."""

    def __init__(self, log: Log, *, halt: bool, contexts: bool) -> None:
        if not isinstance(log, JsonLog):
            raise TypeError("a log of JSON lines is needed")
        self._log = log
        self._halt = halt
        self._shown = log.shows(Level.DEBUG) or contexts
        self._tell: dict[type[Event], Callable[..., None]] = {
            ScanStarted: self._scan_started,
            ScanFinished: self._scan_finished,
            Refusal: self._refusal,
            Notice: self._notice,
            AssociationRequested: self._association_requested,
            AssociationAccepted: self._association_accepted,
            AssociationEnded: self._association_ended,
            InstanceStarted: self._instance_started,
            InstancePostponed: self._instance_postponed,
            InstanceKnown: self._instance_known,
            InstanceFinished: self._instance_finished,
        }

    def __call__(self, event: Event) -> None:
        self._tell[type(event)](event)

    def _scan_started(self, event: ScanStarted) -> None:
        self._log.event(Level.INFO, "scan_started", directories=event.directories)

    def _scan_finished(self, event: ScanFinished) -> None:
        self._log.event(
            Level.INFO,
            "scan_finished",
            instances=event.instances,
            left_out=event.left_out,
            no_dicom=event.no_dicom,
            left_over=event.left_over,
        )

    def _refusal(self, event: Refusal) -> None:
        self._log.event(
            Level.ERROR,
            "left_out" if event.left_out else "no_dicom",
            path=event.path,
            code=event.reason.code,
            reason=str(event.reason),
            ends_run=self._halt and not event.tolerated,
        )

    def _notice(self, event: Notice) -> None:
        self._log.event(Level.WARN, "notice", text=event.text)

    def _association_requested(self, event: AssociationRequested) -> None:
        self._log.event(
            Level.INFO,
            "association_requested",
            association=event.number,
            presentation_contexts=len(event.contexts),
            **self._contexts(event.contexts),
        )

    def _association_accepted(self, event: AssociationAccepted) -> None:
        self._log.event(
            Level.INFO,
            "association_accepted",
            association=event.number,
            max_pdu=event.max_pdu,
            implementation=event.implementation,
            security=event.security,
            presentation_contexts=len([context for context in event.contexts if context.accepted]),
            **self._contexts(event.contexts),
        )

    def _association_ended(self, event: AssociationEnded) -> None:
        level = Level.WARN if event.reason else Level.INFO
        self._log.event(level, "association_ended", association=event.number, reason=str(event.reason))

    def _instance_started(self, event: InstanceStarted) -> None:
        if self._log.shows(Level.INFO):
            self._log.event(
                Level.INFO,
                "instance_started",
                number=event.number,
                **_instance(event.instance),
                association=event.association,
                message_id=event.message_id,
                context_id=event.context_id,
                network_syntax=event.network_syntax,
            )

    def _instance_postponed(self, event: InstancePostponed) -> None:
        outcome = _outcome(event.outcome)
        self._log.event(Level.WARN, "instance_postponed", **_instance(event.instance), **outcome, aside=event.aside)

    def _instance_known(self, event: InstanceKnown) -> None:
        self._log.event(Level.DEBUG, "instance_known", **_instance(event.instance), **_outcome(event.outcome))

    def _instance_finished(self, event: InstanceFinished) -> None:
        outcome = event.outcome
        level = Level.INFO if outcome.stored and outcome.status == 0 else Level.WARN if outcome.stored else Level.ERROR
        if self._log.shows(level):
            self._log.event(level, "instance_finished", **_instance(event.instance), **_outcome(outcome))

    def _contexts(self, contexts: tuple[Context, ...]) -> dict[str, Any]:
        return {"contexts": [_context(context) for context in contexts]} if self._shown else {}


def stamp(moment: float) -> str:
    """A moment, in seconds since 1970, in UTC as ISO 8601 has it."""
    milliseconds = int(moment * 1000)
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{seconds}.{milliseconds % 1000:03}+00:00"


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "path": instance.path,
        "sop_class": instance.sop_class,
        "sop_instance": instance.sop_instance,
        "transfer_syntax": instance.transfer_syntax,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    status = outcome.status
    return {
        "number": outcome.number,
        "stored": outcome.stored,
        "state": _STATES[outcome.state],
        "status": status,
        "status_class": None if status is None else status_class(status).name.lower(),
        "status_text": None if status is None else status_text(status),
        "code": outcome.code,
        "reason": str(outcome.reason),
        "association": outcome.association,
        "context_id": outcome.context_id,
        "network_syntax": outcome.network_syntax,
        "dataset_size": outcome.dataset_size,
        "attempts": outcome.attempts,
    }


def _context(context: Context) -> dict[str, Any]:
    return {
        "context_id": context.context_id,
        "abstract_syntax": valid(context.abstract_syntax, LONGEST_PATH),
        "transfer_syntaxes": [valid(uid, LONGEST_PATH) for uid in context.transfer_syntaxes[:MOST_SYNTAXES]],
        "accepted": valid(context.accepted, LONGEST_PATH),
        "result": context.result,
    }


def _bounded(key: str, value: Any) -> Any:
    return valid(value, LONGEST_PATH if key == "path" else LONGEST_TEXT) if isinstance(value, str) else value


def valid(text: str, longest: int) -> str:
    """At most so many characters of a text, with an escape for each half of a character."""
    cut = text if len(text) <= longest else text[:longest] + "..."
    if cut.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in cut):
        return cut
    return "".join(printable(letter) if "\ud800" <= letter <= "\udfff" else letter for letter in cut)
