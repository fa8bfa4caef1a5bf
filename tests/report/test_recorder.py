"""What happened over time: exact where it can be, and bounded however long the run is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Context,
    Event,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    InstanceStarted,
    ScanStarted,
)
from dcmsend.model import Refusal, State
from dcmsend.reasons import because
from dcmsend.report.recorder import (
    MOST_ASSOCIATIONS,
    MOST_INTERVALS,
    MOST_TIMED,
    SHORTEST_INTERVAL,
    AssociationRecord,
    Recorder,
    ResponseTimes,
    Throughput,
)
from tests.support.runs import CT, EXPLICIT, FULL, GONE, LOST, STORED, Clock, Facts, row

CONTEXTS = (Context(1, CT, (EXPLICIT,), EXPLICIT, 0), Context(3, CT, ("1.2",), "", 4))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    return Recorder(clock=clock)


def _send(recorder: Recorder, clock: Clock, number: int, facts: Facts, seconds: float, association: int = 1) -> None:
    instance, outcome = row(number, facts, association=association)
    recorder(InstanceStarted(number, instance, association, 1, 1, EXPLICIT))
    clock.now += seconds
    recorder(InstanceFinished(instance, outcome, seconds if outcome.state is State.ANSWERED else None))


def test_a_run(recorder: Recorder, clock: Clock) -> None:
    recorder(ScanStarted(True))
    clock.now += 1
    recorder(AssociationRequested(1, CONTEXTS, True))
    clock.now += 0.5
    recorder(AssociationAccepted(1, 65536, CONTEXTS, "PEER_1", "TLS 1.3"))
    _send(recorder, clock, 1, STORED, 0.25)
    _send(recorder, clock, 2, FULL, 0.5)
    _send(recorder, clock, 3, LOST, 2)
    recorder(AssociationEnded(1, because("closed")))
    assert recorder.elapsed() == 4.25
    (record,) = recorder.associations
    assert (record.requested, record.accepted, record.ended) == (1, 1.5, 4.25)
    assert (record.stored, record.not_stored, record.stored_bytes) == (1, 2, 524_288)
    assert (record.contexts, record.contexts_accepted) == (2, 1)
    assert (record.max_pdu, record.implementation, record.security) == (65536, "PEER_1", "TLS 1.3")
    assert record.reason == "peer closed the connection"
    assert (recorder.seconds_of(1), recorder.seconds_of(2)) == (0.25, 0.5)
    assert recorder.seconds_of(3) is None  # no response came
    assert recorder.seconds_of(4) is None
    assert recorder.response_times.count == 2


def test_an_association_that_was_not_accepted(recorder: Recorder, clock: Clock) -> None:
    recorder(AssociationRequested(1, CONTEXTS, True))
    clock.now += 2
    recorder(AssociationEnded(1, because("closed")))
    (record,) = recorder.associations
    assert (record.requested, record.accepted, record.ended) == (0, None, 2)


def test_associations_at_once_are_told_apart(recorder: Recorder, clock: Clock) -> None:
    for number in (1, 2):
        recorder(AssociationRequested(number, CONTEXTS, True))
    for number in (2, 1):
        recorder(AssociationAccepted(number, 0, CONTEXTS, f"peer {number}"))
    for number, association, seconds in ((2, 1, 1), (1, 2, 2)):
        recorder(InstanceFinished(*row(number, STORED, association=association), seconds))
    assert [(one.stored, one.implementation) for one in recorder.associations] == [(1, "peer 1"), (1, "peer 2")]
    assert (recorder.seconds_of(1), recorder.seconds_of(2)) == (2, 1)


def test_an_attempt_that_was_postponed_is_no_response(recorder: Recorder, clock: Clock) -> None:
    instance, outcome = row(1, FULL)
    recorder(InstanceStarted(1, instance, 1, 1, 1, EXPLICIT))
    clock.now += 9
    recorder(InstancePostponed(instance, outcome, True))
    clock.now += 9
    _send(recorder, clock, 1, STORED, 0.5)
    assert recorder.postponed == 1
    assert (recorder.seconds_of(1), recorder.response_times.longest) == (0.5, 0.5)


def test_instances_of_earlier_runs_took_no_time(recorder: Recorder) -> None:
    recorder(InstanceKnown(*row(1, STORED)))
    assert list(recorder.throughput.intervals()) == []


def test_events_are_handed_on_in_order(clock: Clock) -> None:
    heard: list[Event] = []
    recorder = Recorder(heard.append, clock=clock)
    events: list[Event] = [ScanStarted(True), Refusal("a", GONE), AssociationRequested(1, (), True)]
    for event in events:
        recorder(event)
    assert heard == events


# --- throughput


def test_intervals_have_no_gaps() -> None:
    throughput = Throughput()
    throughput.add(0.0, stored=True, size=10)
    throughput.add(3.5 * SHORTEST_INTERVAL, stored=False, size=10)
    throughput.add(3.9 * SHORTEST_INTERVAL, stored=True, size=20)
    assert [tuple(interval)[1:] for interval in throughput.intervals()] == [
        (1, 0, 10), (0, 0, 0), (0, 0, 0), (1, 1, 20),
    ]  # fmt: skip


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_intervals_are_bounded_and_lose_nothing(moments: list[float]) -> None:
    throughput = Throughput()
    for moment in moments:
        throughput.add(moment, stored=True, size=3)
    intervals = list(throughput.intervals())
    assert len(intervals) <= MOST_INTERVALS
    assert sum(interval.stored for interval in intervals) == len(moments)
    assert sum(interval.stored_bytes for interval in intervals) == 3 * len(moments)
    assert intervals[-1].start <= max(moments) < intervals[-1].start + throughput.seconds
    for start, stored, _, _ in intervals:
        assert stored == sum(1 for moment in moments if start <= moment < start + throughput.seconds)


# --- response times


@given(st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=200))
def test_percentiles_are_right_to_a_tenth(taken: list[float]) -> None:
    times = ResponseTimes()
    for seconds in taken:
        times.add(seconds)
    ordered = sorted(taken)
    for percent in (1, 50, 90, 99, 100):
        exact = ordered[max(-(-len(taken) * percent // 100), 1) - 1]
        assert exact * 0.999 <= times.percentile(percent) <= max(exact * 1.1, 2.0**-16)
    assert (times.shortest, times.longest) == (ordered[0], ordered[-1])
    assert times.mean == pytest.approx(sum(taken) / len(taken))
    assert sum(one.responses for one in times.classes()) == len(taken)
    for one in times.classes():
        assert one.responses == sum(1 for each in taken if one.above * (1 + 1e-12) < each <= one.up_to * (1 + 1e-12))


def test_times_without_end_and_without_length() -> None:
    times = ResponseTimes()
    times.add(0.0)
    times.add(1e12)
    assert times.percentile(1) == pytest.approx(0, abs=2e-5)
    assert times.percentile(100) == 1e12


# --- bounds


def test_associations_are_bounded(recorder: Recorder) -> None:
    for number in range(1, 3 * MOST_ASSOCIATIONS + 1):
        recorder(AssociationRequested(number, CONTEXTS, True))
        recorder(AssociationEnded(number, because("closed")))
    assert recorder.association_count == 3 * MOST_ASSOCIATIONS
    numbers = [record.number for record in recorder.associations]
    half = MOST_ASSOCIATIONS // 2
    assert numbers == [*range(1, half + 1), *range(5 * half + 1, 6 * half + 1)]
    assert all(isinstance(record, AssociationRecord) and record.ended is not None for record in recorder.associations)


def test_memory_does_not_grow_with_the_run(clock: Clock) -> None:
    """What is kept for each of a million instances are four bytes; beyond, nothing."""

    def play(numbers: Iterator[int]) -> int:
        tracemalloc.start()
        try:
            recorder = Recorder(clock=clock)
            recorder(AssociationRequested(1, CONTEXTS, True))
            for number in numbers:
                _send(recorder, clock, number, STORED, 0.01)
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    few, many = play(iter(range(1, 2001))), play(iter(range(1, 20_001)))
    assert many - few < 18_000 * 4 + 40_000
    beyond = play(iter(range(MOST_TIMED + 1, MOST_TIMED + 2001)))
    assert beyond < few


def test_an_instance_behind_the_last_that_is_timed(recorder: Recorder, clock: Clock) -> None:
    _send(recorder, clock, MOST_TIMED + 1, STORED, 1)
    assert recorder.seconds_of(MOST_TIMED + 1) is None
    assert recorder.response_times.count == 1
