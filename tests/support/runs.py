"""Runs that are made up, for tests of reports: events by a clock of their own, and the rows that belong to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from dcmsend.cli.names import OPTIONS
from dcmsend.errors import DcmsendError
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Context,
    InstanceFinished,
    InstanceStarted,
)
from dcmsend.model import Conflict, Instance, Outcome, Peer, Refusal, State, Totals, status_class
from dcmsend.reasons import NONE, because
from dcmsend.report.causes import Causes
from dcmsend.report.recorder import Recorder
from dcmsend.report.run import Run

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BASELINE: Final = "1.2.840.10008.1.2.4.50"
STARTED: Final = 1_800_000_000.0
PEER: Final = Peer(host="pacs.example.org", port=11112, called_ae="ARCHIVE", calling_ae="MODALITY")

Row = tuple[Instance, Outcome]
Facts = dict[str, Any]

STORED: Final[Facts] = {"state": State.ANSWERED, "status": 0}
REMARK: Final[Facts] = {
    "state": State.ANSWERED,
    "status": 0xB000,
    "reason": because("remark", words="PatientID was coerced"),
}
FULL: Final[Facts] = {"state": State.ANSWERED, "status": 0xA700, "reason": because("remark", words="disk full")}
NO_CONTEXT: Final[Facts] = {
    "state": State.NO_CONTEXT,
    "reason": because("sop_class_not_supported", syntax="JPEG Baseline"),
}
DAMAGED: Final[Facts] = {"state": State.FAILED, "reason": because("too_short", size=17)}
LOST: Final[Facts] = {
    "state": State.FAILED,
    "reason": because("not_answered", because("said", words="the peer closed the connection")),
}
PENDING: Final[Facts] = {"state": State.PENDING, "reason": because("run_ended", because("stopped"))}
NO_DICOM: Final = because("empty_no_dicom")
GONE: Final = because("not_found", words="No such file or directory")


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Source:
    """The shape of ``api.Report``."""

    given: Sequence[Row]
    totals: Totals
    peer: Peer = PEER
    error: DcmsendError | None = None
    refused: Sequence[Refusal] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def complete(self) -> bool:
        return self.error is None and self.totals.complete

    def rows(self) -> Iterator[Row]:
        return iter(self.given)

    def refusals(self) -> Iterator[Refusal]:
        """What is left out comes first, as in ``api.Report``."""
        return iter(sorted(self.refused, key=lambda refusal: not refusal.left_out))


def row(number: int, facts: Facts, path: str = "", **more: Any) -> Row:
    """An instance and what has become of it."""
    tried = facts["state"] is not State.PENDING
    instance = Instance(
        path or f"archive/2026/study-{number // 200:04}/IM{number:07}.dcm",
        more.pop("sop_class", CT if number % 3 else MR),
        more.pop("sop_instance", f"1.2.826.0.1.3680043.8.498.{number // 200}.4711.{number}"),
        more.pop("transfer_syntax", EXPLICIT),
        524_288,
    )
    defaults: Facts = {
        "number": number, "association": int(tried), "context_id": int(tried), "attempts": int(tried),
        "network_syntax": EXPLICIT if tried else "", "dataset_size": 524_288 if tried else 0,
    }  # fmt: skip
    return instance, Outcome(**(defaults | facts | more))


@dataclass
class Story:
    """A run as it is told: instances one after the other, in ``associations`` at once."""

    rows: list[Row] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    refusals: Sequence[Refusal] = ()
    conflicts: tuple[Conflict, ...] = ()
    left_over: int = 0
    error: DcmsendError | None = None
    reason: str = ""  # why the last association ended
    peer: Peer = PEER
    places: int = 3
    exit_code: int = 0

    def run(self) -> Run:
        recorder = Recorder(clock=self.clock)
        self._tell(recorder)
        rows = self.rows
        counts = Counter(status_class(outcome.status) for _, outcome in rows if outcome.status is not None)
        totals = Totals(
            associations=recorder.association_count, contexts=2 * recorder.association_count, instances=len(rows),
            by_class=dict(counts), no_context=sum(1 for _, outcome in rows if outcome.state is State.NO_CONTEXT),
            left_out=sum(refusal.left_out for refusal in self.refusals),
            no_dicom=sum(not refusal.left_out for refusal in self.refusals), left_over=self.left_over,
        )  # fmt: skip
        causes, left_out = Causes(OPTIONS), Causes(OPTIONS)
        causes.add_all(rows)
        left_out.add_refusals(self.refusals)
        return Run(
            source=Source(rows, totals, self.peer, self.error, self.refusals, self.conflicts),
            recorder=recorder,
            causes=causes,
            left_out=left_out,
            started=STARTED,
            seconds=recorder.elapsed(),
            stored_bytes=sum(outcome.dataset_size for _, outcome in rows if outcome.stored),
            exit_code=self.exit_code or (66 if totals.stored < len(rows) else 0 if totals.complete else 67),
            names=OPTIONS,
        )

    def _tell(self, recorder: Recorder) -> None:
        chance = Random(7)
        for number in range(1, self.places + 1):
            self.clock.now += 0.012
            contexts = (Context(1, CT, (EXPLICIT,), EXPLICIT, 0), Context(3, MR, (EXPLICIT,), "", 3))
            recorder(AssociationRequested(number, contexts, True))
            self.clock.now += 0.035
            recorder(AssociationAccepted(number, 131072, contexts, "OFFIS_DCMTK_367", ""))
        for at, (instance, outcome) in enumerate(self.rows):
            if outcome.state is State.PENDING:
                continue
            recorder(InstanceStarted(outcome.number, instance, outcome.association, 1, 1, EXPLICIT))
            wave = 1 + 0.8 * ((at // 60) % 3)
            took = chance.lognormvariate(-4.6, 0.5) * wave
            self.clock.now += took
            recorder(InstanceFinished(instance, outcome, took if outcome.state is State.ANSWERED else None))
        for number in range(1, self.places + 1):
            self.clock.now += 0.004
            recorder(
                AssociationEnded(
                    number, because("said", words=self.reason) if self.reason and number == self.places else NONE
                )
            )


def everything_stored(count: int = 1234) -> Story:
    return Story([row(number, STORED, association=1 + number % 3) for number in range(1, count + 1)])


def mixed(count: int = 1234) -> Story:
    """Most is stored, and there is something of each kind of failure."""
    kinds = {7: REMARK, 40: FULL, 90: NO_CONTEXT, 130: DAMAGED, 300: LOST}
    rows = []
    for number in range(1, count + 1):
        facts = next((facts for every, facts in reversed(kinds.items()) if number % every == 0), STORED)
        tried = number <= count * 0.97
        rows.append(row(number, facts if tried else PENDING, association=1 + number % 3 if tried else 0))
    refusals = [
        Refusal("archive/2026/README.txt", NO_DICOM),
        Refusal("archive/2026/\udcff/\u202ename.dcm", GONE),
    ]
    return Story(rows, refusals=refusals, reason="peer aborted the association: no reason given", exit_code=66)


def nothing_stored(count: int = 48) -> Story:
    from dcmsend.errors import Interrupted

    rows = [row(number, FULL if number < 6 else PENDING) for number in range(1, count + 1)]
    return Story(rows, error=Interrupted("stopped by the user"), places=1, exit_code=130)
