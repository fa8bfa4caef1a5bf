"""What happens over time, from the events of a run: throughput, response times, associations.

A listener of events, and pure: the time of an event is what the clock says when it is told; how long a response took
is measured by who has asked. Its memory is bounded
whatever the length of the run: intervals of time are merged when there are too many, response times are counted in
classes, and of associations the first and the last are kept. Times are seconds from the start.
"""

from __future__ import annotations

from array import array
from collections import deque
from math import ceil, exp2, isnan, log2, nan
from time import monotonic

from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    InstanceFinished,
    InstancePostponed,
)
from dcmsend.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, TypeAlias

    from dcmsend.events import Event

    Listener: TypeAlias = Callable[[Event], None]

MOST_INTERVALS: Final = 240
SHORTEST_INTERVAL: Final = 1 / 16  # seconds; each merger doubles it, so that it stays a number that binary can write
MOST_ASSOCIATIONS: Final = 400  # half of them the first, half the last
MOST_TIMED: Final = 1_000_000  # instances whose own response time is kept: four bytes each
MOST_TEXT: Final = 4096  # characters of a path or a reason
CLASSES_PER_DOUBLING: Final = 8  # of response times: what is said of them is right to about a tenth
_SHORTEST: Final = 2.0**-16  # seconds: the end of the first class
_CLASSES: Final = 40 * CLASSES_PER_DOUBLING  # up to half a year


class Interval(NamedTuple):
    """What got its outcome within a stretch of time; ``stored_bytes`` are those of the data sets."""

    start: float
    stored: int
    not_stored: int
    stored_bytes: int


class TimeClass(NamedTuple):
    """How many response times were more than ``above`` and at most ``up_to`` seconds."""

    above: float
    up_to: float
    responses: int


class AssociationRecord:
    """One association. ``accepted`` is None where the peer did not; ``ended`` as long as it has not."""

    def __init__(self, number: int, requested: float, contexts: int) -> None:
        self.number = number
        self.requested = requested
        self.contexts = contexts  # proposed
        self.contexts_accepted = 0
        self.accepted: float | None = None
        self.ended: float | None = None
        self.stored = 0
        self.not_stored = 0
        self.stored_bytes = 0
        self.max_pdu = 0
        self.implementation = ""
        self.security = ""
        self.reason = ""

    def __repr__(self) -> str:
        return f"<AssociationRecord {self.number}: {self.stored} stored>"


class Throughput:
    """Counts in equal intervals of time, whose length doubles when there would be more than ``MOST_INTERVALS``."""

    def __init__(self) -> None:
        self.seconds = SHORTEST_INTERVAL
        self._counts: list[list[int]] = []

    def add(self, when: float, *, stored: bool, size: int) -> None:
        """Count an instance that got its outcome; ``size`` in bytes."""
        while when >= self.seconds * MOST_INTERVALS:
            self._merge()
        place = max(int(when / self.seconds), 0)
        while len(self._counts) <= place:
            self._counts.append([0, 0, 0])
        counts = self._counts[place]
        counts[0 if stored else 1] += 1
        counts[2] += size if stored else 0

    def intervals(self) -> Iterator[Interval]:
        """From the start to the last outcome, without gaps."""
        for place, (stored, not_stored, size) in enumerate(self._counts):
            yield Interval(place * self.seconds, stored, not_stored, size)

    def _merge(self) -> None:
        counts = self._counts
        if len(counts) % 2:
            counts.append([0, 0, 0])
        pairs = zip(counts[::2], counts[1::2], strict=True)
        self._counts = [[a + b for a, b in zip(*pair, strict=True)] for pair in pairs]
        self.seconds *= 2


class ResponseTimes:
    """Seconds from the beginning of a request to its response, counted in classes of a fixed ratio."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.shortest = 0.0
        self.longest = 0.0
        self._counts = [0] * _CLASSES

    def add(self, seconds: float) -> None:
        self.shortest = min(self.shortest, seconds) if self.count else seconds
        self.longest = max(self.longest, seconds)
        self.count += 1
        self.total += seconds
        self._counts[_class_of(seconds)] += 1

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """So many percent of the responses took at most this long: the end of a class, right to about a tenth."""
        wanted = max(ceil(self.count * percent / 100), 1)
        for place, count in enumerate(self._counts):
            wanted -= count
            if wanted <= 0:
                return min(max(self._end(place), self.shortest), self.longest)
        return self.longest

    def classes(self) -> Iterator[TimeClass]:
        """The classes that are not empty, shortest first."""
        for place, count in enumerate(self._counts):
            if count:
                yield TimeClass(_end_of(place - 1) if place else 0.0, self._end(place), count)

    def _end(self, place: int) -> float:
        """The end of a class: that of the last one is the longest time."""
        return max(_end_of(place), self.longest) if place == _CLASSES - 1 else _end_of(place)


def _class_of(seconds: float) -> int:
    if seconds <= _SHORTEST:
        return 0
    return min(ceil(log2(seconds / _SHORTEST) * CLASSES_PER_DOUBLING), _CLASSES - 1)


def _end_of(place: int) -> float:
    return _SHORTEST * exp2(place / CLASSES_PER_DOUBLING)


class Recorder:
    """Listens to a run, and tells ``after``, if given, of each event as well.

    ``clock`` gives seconds. What it has seen: ``throughput``, ``response_times``, ``associations``,
    ``postponed`` as the number of attempts that were followed by another.
    """

    def __init__(self, after: Listener | None = None, *, clock: Callable[[], float] = monotonic) -> None:
        self.throughput = Throughput()
        self.response_times = ResponseTimes()
        self.postponed = 0
        self.association_count = 0
        self._after = after
        self._clock = clock
        self._began = clock()
        self._first: list[AssociationRecord] = []
        self._last: deque[AssociationRecord] = deque(maxlen=MOST_ASSOCIATIONS // 2)
        self._open: dict[int, AssociationRecord] = {}
        self._seconds = array("f")  # by the instance's number
        self._heed: dict[type[Event], Callable[[Any, float], None]] = {
            AssociationRequested: self._requested,
            AssociationAccepted: self._accepted,
            AssociationEnded: self._ended,
            InstancePostponed: self._postponed,
            InstanceFinished: self._finished,
        }

    def __repr__(self) -> str:
        return f"<Recorder of {self.association_count} associations, {self.response_times.count} responses>"

    def __call__(self, event: Event) -> None:
        heed = self._heed.get(type(event))
        if heed is not None:
            heed(event, self.elapsed())
        if self._after is not None:
            self._after(event)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    @property
    def associations(self) -> list[AssociationRecord]:
        """Those that are kept, in order."""
        return [*self._first, *self._last]

    def seconds_of(self, number: int) -> float | None:
        """How long the response to an instance took, where that is known."""
        seconds = self._seconds[number] if 0 <= number < len(self._seconds) else nan
        return None if isnan(seconds) else seconds

    def _requested(self, event: AssociationRequested, when: float) -> None:
        self.association_count += 1
        record = self._open[event.number] = AssociationRecord(event.number, when, len(event.contexts))
        if len(self._first) < MOST_ASSOCIATIONS // 2:
            self._first.append(record)
        else:
            self._last.append(record)

    def _accepted(self, event: AssociationAccepted, when: float) -> None:
        record = self._open.get(event.number)
        if record is not None:
            record.accepted = when
            record.max_pdu = event.max_pdu
            record.implementation = event.implementation
            record.security = event.security
            record.contexts_accepted = sum(1 for context in event.contexts if context.accepted)

    def _ended(self, event: AssociationEnded, when: float) -> None:
        record = self._open.pop(event.number, None)
        if record is not None:
            record.ended = when
            record.reason = str(event.reason)[:MOST_TEXT]

    def _postponed(self, _event: InstancePostponed, _: float) -> None:
        self.postponed += 1

    def _finished(self, event: InstanceFinished, when: float) -> None:
        outcome, stored = event.outcome, event.outcome.stored
        if event.seconds is not None:
            self.response_times.add(event.seconds)
            self._time(outcome.number, event.seconds)
        self.throughput.add(when, stored=stored, size=outcome.dataset_size)
        record = self._open.get(outcome.association)
        if record is not None:
            record.stored += stored
            record.not_stored += not stored
            record.stored_bytes += outcome.dataset_size if stored else 0

    def _time(self, number: int, seconds: float) -> None:
        if number <= MOST_TIMED:
            if number >= len(self._seconds):
                self._seconds.extend([nan] * (number + 1 - len(self._seconds)))
            self._seconds[number] = seconds
