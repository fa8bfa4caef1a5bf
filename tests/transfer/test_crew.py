"""Several associations at once: each instance has one truthful outcome, whatever becomes of the associations."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import Limits, Peer, Policy, ScanOptions, State, Stop, Timeouts
from dcmsend.errors import AssociationRejected, Interrupted, InvalidInputError, RunStopped
from dcmsend.events import AssociationAccepted, AssociationEnded, AssociationRequested, Event, InstanceFinished
from dcmsend.transfer.scheduler import Scheduler
from tests.support import pdus
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer
from tests.support.listening import LIMIT
from tests.support.scripted import Connection
from tests.support.servers import FolderServer

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
GO_ON: Final = Policy(halt=False)
FOLDER: Final = ScanOptions(directories=True)
SOON: Final = Timeouts(connect=10, acse=10, dimse=0.3, socket=10)  # some responses never come
PATIENT: Final = Timeouts(connect=10, acse=10, dimse=10, socket=10)
SEEDS: Final = range(int(os.environ.get("DCMSEND_SEEDS", "6")))
SERVE: Final = ("serve",)
Flaky = Callable[..., FlakyPeer]


@pytest.fixture
def flaky() -> Iterator[Flaky]:
    started: list[FlakyPeer] = []

    def start(seed: int = 0, fates: tuple[str, ...] = SERVE, **settings: Any) -> FlakyPeer:
        started.append(FlakyPeer(seed, fates, **settings))
        return started[-1]

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    def make(count: int, sop_class: str = CT) -> str:
        for number in range(1, count + 1):
            pixels = bytes([number % 256]) * (20_000 if number % 7 == 0 else 200)
            (tmp_path / f"{number}.dcm").write_bytes(part10(sop_class, f"1.2.3.{number}", value=pixels))
        return str(tmp_path)

    return make


def hold_until_met(server: FlakyPeer, associations: int) -> None:
    """Answer nothing before so many associations are there: no machine is so slow that some find nothing to do."""
    met, plain = threading.Event(), server._answer

    def answer(connection: Connection, message: pdus.Message, status: int) -> None:
        if len(server.fates_met) >= associations:
            met.set()
        assert met.wait(LIMIT)
        plain(connection, message, status)

    server._answer = answer  # type: ignore[method-assign]
    accept = server._associate

    def associate(connection: Connection, fortune: random.Random) -> None:
        if server.associations >= associations:
            met.set()
        accept(connection, fortune)

    server._associate = associate  # type: ignore[method-assign]


def peer_of(server: FlakyPeer) -> Peer:
    return Peer(host="127.0.0.1", port=server.port)


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_instance_has_one_truthful_outcome(
    seed: int, window: int, flaky: Flaky, folder: Callable[..., str]
) -> None:
    """Whatever a peer does to eight associations: what it says is what the report says, and nothing is sent twice."""
    server = flaky(seed, ("serve", "abort", "abort", "close", "stall", "lie", "reject"), window=window)
    finished: list[int] = []
    open_now: set[int] = set()

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished):
            finished.append(event.outcome.number)
        elif isinstance(event, AssociationRequested):
            open_now.add(event.number)
            assert len(open_now) <= 8
        elif isinstance(event, AssociationEnded):
            open_now.remove(event.number)

    limits = Limits(associations=8, async_window=window)
    with dcmsend.send(
        peer_of(server), [folder(200)], scan=FOLDER, policy=GO_ON, limits=limits, timeouts=SOON, listener=listener
    ) as report:
        rows = list(report.rows())
        totals = report.totals
    server.stop()
    assert len(rows) == totals.instances == 200
    assert len(finished) == len(set(finished))
    assert sorted(finished) == [outcome.number for _, outcome in rows if outcome.state is not State.PENDING]
    for instance, outcome in rows:
        answers = server.answered.get(instance.sop_instance, [])
        assert server.seen.get(instance.sop_instance, 0) <= 1
        if outcome.state is State.ANSWERED:
            assert answers == [outcome.status]
        else:
            assert outcome.reason
        if outcome.state is State.PENDING:
            assert not server.seen.get(instance.sop_instance)
            assert report.error is not None
    assert totals.answered == sum(outcome.state is State.ANSWERED for _, outcome in rows)
    assert totals.associations == server.associations
    assert not open_now
    if report.error is None:
        assert not any(outcome.state is State.PENDING for _, outcome in rows)


def test_all_associations_are_used_and_all_is_stored(
    storescp: Callable[..., FolderServer], folder: Callable[..., str]
) -> None:
    server = storescp("--fork")
    requested: list[int] = []

    def listener(event: Event) -> None:
        if isinstance(event, AssociationRequested):
            requested.append(event.number)

    with dcmsend.send(
        Peer(host="127.0.0.1", port=server.port),
        [folder(60)],
        scan=FOLDER,
        limits=Limits(associations=4),
        timeouts=PATIENT,
        listener=listener,
    ) as report:
        assert report.complete
        used = {outcome.association for _, outcome in report.rows()}
        assert [instance.sop_instance for instance, _ in report.rows()] == [f"1.2.3.{n}" for n in range(1, 61)]
    assert sorted(requested) == list(range(1, len(requested) + 1)) and len(requested) > 1
    assert used <= {1, 2, 3, 4}
    assert sorted(server.stored()) == sorted(f"1.2.3.{number}" for number in range(1, 61))


@pytest.mark.parametrize(("instances", "most", "expected"), [(3, 8, 3), (1, 64, 1), (40, 2, 2)])
def test_there_are_no_more_associations_than_instances(
    instances: int, most: int, expected: int, flaky: Flaky, folder: Callable[..., str]
) -> None:
    server = flaky()
    limits = Limits(associations=most)
    with dcmsend.send(peer_of(server), [folder(instances)], scan=FOLDER, limits=limits, timeouts=PATIENT) as report:
        assert report.totals.answered == instances
    assert 1 <= server.associations <= expected


def test_a_rejected_association_leaves_the_run_with_one_less(flaky: Flaky, folder: Callable[..., str]) -> None:
    """Of the fates that this seed has, at least one is to serve, and at least one to be rejected."""
    server = flaky(3, ("serve", "reject"))
    hold_until_met(server, 8)
    ended: list[str] = []

    def listener(event: Event) -> None:
        if isinstance(event, AssociationEnded):
            ended.append(str(event.reason))

    with dcmsend.send(
        peer_of(server),
        [folder(50)],
        scan=FOLDER,
        limits=Limits(associations=8),
        timeouts=PATIENT,
        listener=listener,
    ) as report:
        assert report.error is None
        assert report.totals.answered == 50
    assert {"serve", "reject"} == set(server.fates_met)
    assert server.associations == len(server.fates_met) == 8  # none was asked for again
    assert sum("rejected" in str(reason) for reason in ended) == server.fates_met.count("reject")


def test_when_all_are_rejected_the_run_ends_with_that(flaky: Flaky, folder: Callable[..., str]) -> None:
    server = flaky(0, ("reject",))
    limits = Limits(associations=4)
    with dcmsend.send(
        peer_of(server), [folder(20)], scan=FOLDER, policy=GO_ON, limits=limits, timeouts=PATIENT
    ) as report:
        assert isinstance(report.error, AssociationRejected)
        assert {outcome.state for _, outcome in report.rows()} == {State.PENDING}
        assert all(str(outcome.reason).startswith("not tried: the run ended before") for _, outcome in report.rows())
    assert server.associations == 4


def test_a_slow_association_holds_up_no_other(flaky: Flaky, folder: Callable[..., str]) -> None:
    """One association is slow to answer; it holds that instance and the next one, and the rest goes over the others."""
    server = flaky(0, SERVE)
    plain = FlakyPeer._answer
    stalled: list[str] = []
    rest = threading.Event()

    def answer(self: FlakyPeer, connection: object, message: object, status: int) -> None:
        with self._lock:
            first = not stalled
            if first:
                stalled.append(message.sop_instance)  # type: ignore[attr-defined]
        if first:
            assert rest.wait(30)
        plain(self, connection, message, 0)  # type: ignore[arg-type]
        if len(self.answered) == 38:
            rest.set()

    server._answer = answer.__get__(server)  # type: ignore[method-assign]
    limits = Limits(associations=4)
    with dcmsend.send(peer_of(server), [folder(40)], scan=FOLDER, limits=limits, timeouts=PATIENT) as report:
        assert report.complete
        slow = {outcome.association for instance, outcome in report.rows() if instance.sop_instance == stalled[0]}
        assert sum(outcome.association in slow for _, outcome in report.rows()) == 2


def test_without_no_halt_the_first_failure_ends_all(flaky: Flaky, folder: Callable[..., str]) -> None:
    server = flaky(1, ("abort",), most=3)
    limits = Limits(associations=4)
    with dcmsend.send(peer_of(server), [folder(100)], scan=FOLDER, limits=limits, timeouts=PATIENT) as report:
        assert isinstance(report.error, RunStopped)
        states = [outcome.state for _, outcome in report.rows()]
    assert State.FAILED in states or report.totals.associations <= 4
    assert states.count(State.PENDING) > 50
    assert server.associations <= 4


def test_an_invalid_file_that_is_met_while_sending_ends_the_run(flaky: Flaky, tmp_path: Path) -> None:
    """Also with associations at once: what is under way is finished, nothing else is begun."""
    for number in range(1, 1400):
        (tmp_path / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    (tmp_path / "1400.dcm").write_bytes(b"nothing")
    for associations in (1, 3):
        server = flaky()
        limits = Limits(associations=associations)
        with dcmsend.send(peer_of(server), [str(tmp_path)], scan=FOLDER, limits=limits, timeouts=PATIENT) as report:
            assert isinstance(report.error, InvalidInputError)
            rows = list(report.rows())
        assert len(rows) == 1399
        for instance, outcome in rows:
            assert (outcome.state is State.ANSWERED) == (instance.sop_instance in server.answered)
        assert rows[-1][1].state is State.PENDING
        first = flaky()
        policy = Policy(scan_first=True)
        with dcmsend.send(peer_of(first), [str(tmp_path)], scan=FOLDER, policy=policy, limits=limits) as report:
            assert isinstance(report.error, InvalidInputError)
        assert not first.associations


def test_classes_that_turn_up_later_get_a_further_association(flaky: Flaky, tmp_path: Path) -> None:
    """A peer is asked for them when they are there, and both kinds arrive whole."""
    for number in range(1, 1301):
        sop_class = MR if number > 1100 and number % 2 else CT
        (tmp_path / f"{number}.dcm").write_bytes(part10(sop_class, f"1.2.3.{number}"))
    for associations in (1, 3):
        server = flaky()
        proposed: list[set[str]] = []

        def listener(event: Event, proposed: list[set[str]] = proposed) -> None:
            if isinstance(event, AssociationRequested):
                proposed.append({context.abstract_syntax for context in event.contexts})

        limits = Limits(associations=associations)
        with dcmsend.send(
            peer_of(server), [str(tmp_path)], scan=FOLDER, limits=limits, timeouts=PATIENT, listener=listener
        ) as report:
            assert report.error is None
            assert report.totals.answered == 1300
            assert [instance.sop_instance for instance, _ in report.rows()] == [f"1.2.3.{n}" for n in range(1, 1301)]
        assert proposed[0] == {CT}
        assert MR in proposed[-1]
        assert len(proposed) <= 2 * associations


@pytest.mark.parametrize("requests", [1, 2])
def test_a_request_to_stop_reaches_all(requests: int, flaky: Flaky, folder: Callable[..., str]) -> None:
    server = flaky()
    stop = Stop()

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished) and event.outcome.number == 20:
            for _ in range(requests):
                stop.request()

    limits = Limits(associations=4)
    with dcmsend.send(
        peer_of(server), [folder(200)], scan=FOLDER, limits=limits, timeouts=PATIENT, listener=listener, stop=stop
    ) as report:
        assert isinstance(report.error, Interrupted)
        rows = list(report.rows())
    server.stop()
    assert {outcome.state for _, outcome in rows} >= {State.ANSWERED, State.PENDING}
    for instance, outcome in rows:
        if outcome.state is State.ANSWERED:
            assert server.answered[instance.sop_instance] == [outcome.status]
        if outcome.state is State.PENDING:
            assert instance.sop_instance not in server.seen
    if requests == 1:
        assert State.FAILED not in {outcome.state for _, outcome in rows}
    assert not stop.wakers
    assert not stop.busy


def test_an_error_of_the_listener_ends_all_threads(flaky: Flaky, folder: Callable[..., str]) -> None:
    server = flaky()
    before = set(threading.enumerate())

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished) and event.outcome.number > 10:
            raise LookupError("the listener is broken")

    limits = Limits(associations=4)
    with pytest.raises(LookupError, match="the listener is broken"):
        dcmsend.send(peer_of(server), [folder(200)], scan=FOLDER, limits=limits, timeouts=PATIENT, listener=listener)
    server.stop()
    assert set(threading.enumerate()) <= before


def test_a_defect_in_a_thread_is_raised_where_it_is_seen(
    flaky: Flaky, folder: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = flaky()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("dcmsend.payload.opening.PayloadOpener.open", broken)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        dcmsend.send(peer_of(server), [folder(20)], scan=FOLDER, limits=Limits(associations=2), timeouts=PATIENT)


def test_the_order_of_events_on_an_association_is_kept(flaky: Flaky, folder: Callable[..., str]) -> None:
    server = flaky()
    hold_until_met(server, 3)
    events: list[Event] = []
    limits = Limits(associations=3)
    with dcmsend.send(
        peer_of(server), [folder(30)], scan=FOLDER, limits=limits, timeouts=PATIENT, listener=events.append
    ) as report:
        assert report.error is None
    for number in (1, 2, 3):
        own = [event for event in events if getattr(event, "number", None) == number and "Association" in repr(event)]
        kinds = [type(event) for event in own if not repr(event).startswith("Instance")]
        assert kinds == [AssociationRequested, AssociationAccepted, AssociationEnded]
    finished = [event.outcome for event in events if isinstance(event, InstanceFinished)]
    for number in (1, 2, 3):
        taken = [outcome.number for outcome in finished if outcome.association == number]
        assert taken == sorted(taken)


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_where_the_system_allows_fewer_threads_those_do_the_work(
    allowed: int, flaky: Flaky, folder: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, path, start = flaky(statuses=(0,)), folder(20), threading.Thread.start
    started: list[threading.Thread] = []

    def start_some(thread: threading.Thread) -> None:
        if thread.daemon and "_fill_places" in repr(thread._target):  # type: ignore[attr-defined]
            if len(started) == allowed:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    peer, limits = Peer(host="127.0.0.1", port=server.port), Limits(associations=8)
    with dcmsend.send(peer, [path], scan=FOLDER, policy=GO_ON, limits=limits, timeouts=PATIENT) as report:
        outcomes = [outcome for _, outcome in report.rows()]
    assert len(outcomes) == 20
    if allowed:
        assert report.complete
        assert report.error is None
        assert len(started) == allowed
        assert {outcome.association for outcome in outcomes} <= set(range(1, report.totals.associations + 1))
    else:
        assert isinstance(report.error, RunStopped)
        assert "allows no thread" in str(report.error)
        assert report.totals.associations == 0
        assert all("not tried" in str(outcome.reason) for outcome in outcomes)


def test_what_breaks_the_run_while_a_thread_begins_leaves_nobody_waiting(
    flaky: Flaky, folder: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the third Ctrl-C may, which is an exception at any place."""
    server, path, seen = flaky(statuses=(0,)), folder(20), []
    begin = Scheduler._associate

    def broken(*parts: Any) -> Any:
        seen.append(parts)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return begin(*parts)

    monkeypatch.setattr(Scheduler, "_associate", broken)
    caught: list[BaseException] = []

    def run() -> None:
        peer, limits = Peer(host="127.0.0.1", port=server.port), Limits(associations=4)
        try:
            dcmsend.send(peer, [path], scan=FOLDER, policy=GO_ON, limits=limits, timeouts=PATIENT)
        except BaseException as error:  # noqa: BLE001 - it is what is looked for
            caught.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive()
    assert [type(error) for error in caught] == [KeyboardInterrupt]
