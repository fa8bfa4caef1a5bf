"""How far a run is: events and a meter in, numbers out. Pure but for the clock, which is passed in.

Events may come from one thread while another one looks. What is done never falls; what is under way counts by the share
of it that has left, and counts no longer where the attempt has failed.
"""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    InstanceStarted,
    ScanFinished,
)
from dcmsend.light import Frozen, NamedTuple
from dcmsend.model import Refusal, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from typing import Final

    from dcmsend.events import Event
    from dcmsend.meter import Gauge, Meter
    from dcmsend.model import Instance
else:
    from _collections import deque  # the package around it takes longer to import than all of this

_RECENT: Final = 10.0  # seconds over which the rate is taken
_LONG: Final = 300.0  # the same for the time left, which should not jump
_APART: Final = 0.5  # seconds between two samples
_ENOUGH: Final = 2.0  # seconds after which the time left may be told


class Sending(Frozen, kw_only=True):
    """What an open association is doing.

    ``path`` is empty before its first instance; ``length`` of its bytes ``sent`` have left. ``answered``: how many the
    peer has answered on it.
    """

    association: int
    path: str
    length: int
    sent: int
    answered: int


class Standing(Frozen, kw_only=True):
    """How far a run is.

    ``found`` instances of ``size`` bytes are to be sent, so far or, where ``scanned``, in all. ``done`` of them have
    their outcome: ``stored``, or ``failed`` for good; ``known`` of the stored ones were so by an earlier run.
    ``postponed`` ones have failed and will be tried again. ``done_size``: bytes of files that are done, and what has
    left of those under way. ``left_out``: what was named and could not be taken on.

    ``sent`` bytes have gone out, ``rate`` of them a second lately. ``elapsed`` seconds, ``left``: how many more it will
    take, ``None`` where nobody can tell. ``fraction``: how much is done, 0 to 1.
    """

    found: int
    size: int
    scanned: bool
    done: int
    done_size: int
    stored: int
    failed: int
    known: int
    postponed: int
    left_out: int
    sent: int
    rate: float
    elapsed: float
    left: float | None
    fraction: float
    associations: tuple[Sending, ...]


class _Sample(NamedTuple):
    """What was done by this run at a time."""

    time: float
    sent: int
    size: int
    instances: float


class _Association:
    """An open association: its gauge, and the instances that were begun and have no outcome, by number."""

    __slots__ = ("answered", "gauge", "under_way")

    def __init__(self, gauge: Gauge | None) -> None:
        self.gauge = gauge
        self.answered = 0
        self.under_way: dict[int, Instance] = {}

    def share(self, instance: Instance) -> float:
        """How much of an instance has left: all of it where the association is at a later one."""
        sending = self.gauge.sending if self.gauge else None
        if self.gauge is None or sending is None:
            return 0.0
        known, length, before = sending
        return min(1.0, (self.gauge.sent - before) / max(1, length)) if known is instance else 1.0


class Progress:
    """Counts one run. Call it with each event; ``standing`` may be asked by another thread, some times a second."""

    def __init__(self, meter: Meter, clock: Callable[[], float] = monotonic) -> None:
        self._meter = meter
        self._clock = clock
        self._lock = allocate_lock()
        self._began = clock()
        self._scanned = False
        self._stored = self._failed = self._left_out = self._known = 0
        self._done_size = self._known_size = 0
        self._sent = 0  # by associations that have ended
        self._postponed: set[int] = set()
        self._open: dict[int, _Association] = {}
        self._samples: deque[_Sample] = deque((_Sample(self._began, 0, 0, 0.0),))
        self._take: dict[type[Event], Callable[..., None]] = {
            ScanFinished: self._scan_finished,
            Refusal: self._refusal,
            AssociationAccepted: self._accepted,
            AssociationEnded: self._ended,
            InstanceStarted: self._started,
            InstancePostponed: self._set_aside,
            InstanceKnown: self._met,
            InstanceFinished: self._finished,
        }

    def __repr__(self) -> str:
        return f"<Progress: {self._stored} instances stored, {self._failed} not>"

    def __call__(self, event: Event) -> None:
        take = self._take.get(type(event))
        if take is not None:
            with self._lock:
                take(event)

    def standing(self) -> Standing:
        """How far it is now."""
        with self._lock:
            return self._standing(self._clock())

    # --- events

    def _scan_finished(self, _: ScanFinished) -> None:
        self._scanned = True

    def _refusal(self, refusal: Refusal) -> None:
        self._left_out += refusal.left_out

    def _accepted(self, event: AssociationAccepted) -> None:
        self._open[event.number] = _Association(self._meter.gauges.get(event.number))

    def _ended(self, event: AssociationEnded) -> None:
        self._open.pop(event.number, None)
        gauge = self._meter.gauges.pop(event.number, None)
        self._sent += gauge.sent if gauge else 0

    def _started(self, event: InstanceStarted) -> None:
        if event.association in self._open:
            self._open[event.association].under_way[event.number] = event.instance

    def _set_aside(self, event: InstancePostponed) -> None:
        self._postponed.add(event.outcome.number)
        self._leave(event.outcome.association, event.outcome.number)

    def _met(self, event: InstanceKnown) -> None:
        self._known += 1
        self._known_size += event.instance.size

    def _finished(self, event: InstanceFinished) -> None:
        outcome = event.outcome
        self._postponed.discard(outcome.number)
        self._stored += outcome.stored
        self._failed += not outcome.stored
        self._done_size += event.instance.size
        association = self._leave(outcome.association, outcome.number)
        if association is not None:
            association.answered += outcome.state is State.ANSWERED

    def _leave(self, association: int, number: int) -> _Association | None:
        """The instance is not under way any more on this association, which is given back if it is open."""
        found = self._open.get(association)
        if found is not None:
            found.under_way.pop(number, None)
        return found

    # --- numbers

    def _standing(self, now: float) -> Standing:
        found, size = self._meter.found()
        begun = [(one.share(each), each.size) for one in self._open.values() for each in one.under_way.values()]
        sample = _Sample(
            time=now,
            sent=self._sent + sum(gauge.sent for gauge in tuple(self._meter.gauges.values())),
            size=self._done_size + int(sum(share * length for share, length in begun)),
            instances=self._stored + self._failed + sum(share for share, _ in begun),
        )
        done = self._stored + self._failed + self._known
        self._keep(sample)
        return Standing(
            found=found,
            size=size,
            scanned=self._scanned,
            done=done,
            done_size=self._known_size + sample.size,
            stored=self._stored + self._known,
            failed=self._failed,
            known=self._known,
            postponed=len(self._postponed),
            left_out=self._left_out,
            sent=sample.sent,
            rate=_slope(self._before(now - _RECENT), sample, "sent"),
            elapsed=now - self._began,
            left=self._left(found, size, sample) if self._scanned else None,
            fraction=_fraction(self._known_size + sample.size, size, self._known + sample.instances, found),
            associations=tuple(_sending(number, one) for number, one in sorted(self._open.items())),
        )

    def _keep(self, sample: _Sample) -> None:
        """Keep a sample now and then, and those of the last minutes only."""
        if sample.time - self._samples[-1].time >= _APART:
            self._samples.append(sample)
        while len(self._samples) > 2 and self._samples[1].time <= sample.time - _LONG:
            self._samples.popleft()

    def _before(self, time: float) -> _Sample:
        """The last sample that is at least so old, or the first."""
        for sample in reversed(self._samples):
            if sample.time <= time:
                return sample
        return self._samples[0]

    def _left(self, found: int, size: int, sample: _Sample) -> float | None:
        """Seconds for the rest: by bytes where sizes are known, else by instances."""
        first = self._before(sample.time - _LONG)
        if sample.time - first.time < _ENOUGH:
            return None
        if size:
            rest, speed = float(size - self._known_size - sample.size), _slope(first, sample, "size")
        else:
            rest, speed = found - self._known - sample.instances, _slope(first, sample, "instances")
        return max(0.0, rest) / speed if speed > 0 else None


def _slope(first: _Sample, last: _Sample, what: str) -> float:
    """How fast a number has grown; 0 where there was no time for it yet."""
    time = last.time - first.time
    return max(0.0, (getattr(last, what) - getattr(first, what)) / time) if time > 0 else 0.0


def _fraction(size: int, of_size: int, instances: float, of_instances: int) -> float:
    """How much of the bytes is done, or of the instances where no size is known."""
    part, whole = (size, of_size) if of_size else (instances, of_instances)
    return min(1.0, max(0.0, part / whole)) if whole else 0.0


def _sending(number: int, association: _Association) -> Sending:
    instance, length, before = (association.gauge and association.gauge.sending) or (None, 0, 0)
    sent = association.gauge.sent - before if association.gauge and instance else 0
    return Sending(
        association=number,
        path=instance.path if instance else "",
        length=length,
        sent=max(0, min(length, sent)),
        answered=association.answered,
    )
