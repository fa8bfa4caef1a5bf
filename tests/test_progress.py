"""How far a run is: events and bytes in, numbers out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dcmsend
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    Event,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    InstanceStarted,
    ScanFinished,
    ScanStarted,
)
from dcmsend.meter import Gauge, Meter
from dcmsend.model import Instance, Notice, Outcome, Refusal, State
from dcmsend.progress import Progress, Sending, Standing
from dcmsend.reasons import because
from tests.support.builder import part10
from tests.support.certificates import Pki
from tests.support.runs import GONE, NO_DICOM
from tests.support.scripted import ScriptedPeer, accept, release, secure, store

SIZE: Final = 1000
CT: Final = "1.2.840.10008.5.1.4.1.1.2"


def instance(number: int, size: int = SIZE) -> Instance:
    return Instance(f"{number}.dcm", CT, f"1.2.{number}", "1.2.840.10008.1.2.1", size)


class Run:
    """A run that is told step by step; time passes when it is told to."""

    def __init__(self, found: int = 0, size: int = SIZE) -> None:
        self.now = 100.0
        self.instances = [instance(number, size) for number in range(1, found + 1)]
        self.meter = Meter()
        self.meter.watch(lambda: (len(self.instances), sum(each.size for each in self.instances)))
        self.progress = Progress(self.meter, lambda: self.now)

    def tell(self, *events: Event) -> Run:
        for event in events:
            self.progress(event)
        return self

    def accept(self, association: int = 1) -> Gauge:
        gauge = self.meter.gauge(association)
        self.tell(AssociationRequested(association, (), True), AssociationAccepted(association, 0, (), ""))
        return gauge

    def start(self, number: int, association: int = 1, length: int = SIZE) -> None:
        found = self.instances[number - 1]
        self.meter.gauges[association].begin(found, length)
        self.tell(InstanceStarted(number, found, association, number, 1, found.transfer_syntax))

    def finish(self, number: int, association: int = 1, status: int | None = 0) -> None:
        self.tell(InstanceFinished(self.instances[number - 1], outcome(number, association, status)))

    def send(self, count: int, association: int = 1) -> None:
        self.meter.gauges[association].sent += count

    @property
    def standing(self) -> Standing:
        return self.progress.standing()


def outcome(number: int, association: int = 1, status: int | None = 0, attempts: int = 1) -> Outcome:
    state = State.FAILED if status is None else State.ANSWERED
    return Outcome(number=number, state=state, status=status, association=association, attempts=attempts)


def scanned(run: Run) -> None:
    run.tell(ScanFinished(len(run.instances), 0, 0))


def known(run: Run) -> None:
    run.tell(InstanceKnown(run.instances[0], outcome(1, 0)))


def half(run: Run) -> None:
    run.accept()
    run.start(1)
    run.send(SIZE // 2)


def stored(run: Run) -> None:
    run.accept()
    run.start(1)
    run.send(SIZE + 200)  # headers and command
    run.finish(1)


def refused_by_the_peer(run: Run) -> None:
    run.accept()
    run.start(1)
    run.finish(1, status=0xA700)


def warned(run: Run) -> None:
    run.accept()
    run.start(1)
    run.finish(1, status=0xB000)


def broken(run: Run) -> None:
    half(run)
    run.finish(1, status=None)
    run.tell(AssociationEnded(1, because("said", words="lost")))


def postponed(run: Run) -> None:
    half(run)
    run.tell(InstancePostponed(run.instances[0], outcome(1, 1, 0xA700), True))


def postponed_and_stored(run: Run) -> None:
    postponed(run)
    run.start(1)
    run.finish(1)


def under_way_when_it_ended(run: Run) -> None:
    half(run)
    run.tell(AssociationEnded(1, because("said", words="lost")))


def two_under_way(run: Run) -> None:
    """In a window: the first has left, and waits for its response while the second goes out."""
    run.accept()
    run.start(1)
    run.send(SIZE)
    run.start(2)
    run.send(SIZE // 4)


def converted(run: Run) -> None:
    """A file of 1000 bytes becomes 8000 on the way, of which 2000 have left."""
    run.accept()
    run.start(1, length=8 * SIZE)
    run.send(2 * SIZE)


def never_made(run: Run) -> None:
    run.meter.gauge(1).sent += 300
    run.tell(AssociationRequested(1, (), True), AssociationEnded(1, because("said", words="rejected")))


def others(run: Run) -> None:
    run.tell(ScanStarted(True), Notice("odd"), Refusal("x", NO_DICOM), Refusal("", GONE))


STEPS: Final[tuple[tuple[Callable[[Run], None], dict[str, Any]], ...]] = (
    (lambda run: None, {"found": 4, "size": 4 * SIZE, "scanned": False, "done": 0, "left": None, "fraction": 0.0}),
    (scanned, {"scanned": True, "found": 4, "associations": ()}),
    (known, {"done": 1, "stored": 1, "known": 1, "done_size": SIZE, "sent": 0, "fraction": 0.25}),
    (half, {"done": 0, "done_size": SIZE // 2, "sent": SIZE // 2, "fraction": 0.125}),
    (stored, {"done": 1, "stored": 1, "failed": 0, "done_size": SIZE, "sent": SIZE + 200}),
    (refused_by_the_peer, {"done": 1, "stored": 0, "failed": 1, "done_size": SIZE}),
    (warned, {"done": 1, "stored": 1, "failed": 0}),
    (broken, {"done": 1, "failed": 1, "done_size": SIZE, "sent": SIZE // 2, "associations": ()}),
    (postponed, {"done": 0, "failed": 0, "postponed": 1, "done_size": 0, "sent": SIZE // 2}),
    (postponed_and_stored, {"done": 1, "stored": 1, "postponed": 0, "done_size": SIZE}),
    (under_way_when_it_ended, {"done": 0, "done_size": 0, "sent": SIZE // 2, "associations": ()}),
    (two_under_way, {"done": 0, "done_size": SIZE + SIZE // 4}),
    (converted, {"done_size": SIZE // 4, "sent": 2 * SIZE}),
    (never_made, {"sent": 300, "associations": ()}),
    (others, {"left_out": 1, "done": 0}),
)


@pytest.mark.parametrize(("step", "expected"), STEPS, ids=[step.__name__ for step, _ in STEPS])
def test_numbers_after(step: Callable[[Run], None], expected: dict[str, Any]) -> None:
    run = Run(found=4)
    step(run)
    standing = run.standing
    assert {name: getattr(standing, name) for name in expected} == expected


def test_an_association_says_what_it_sends() -> None:
    run = Run(found=4)
    run.accept(1)
    run.accept(2)
    run.start(1, 2)
    run.finish(1, 2)
    run.start(2, 2)
    run.send(300, 2)
    assert run.standing.associations == (
        Sending(association=1, path="", length=0, sent=0, answered=0),
        Sending(association=2, path="2.dcm", length=SIZE, sent=300, answered=1),
    )
    run.send(5000, 2)
    assert run.standing.associations[1].sent == SIZE
    run.tell(AssociationEnded(1), AssociationEnded(2))
    assert not run.standing.associations
    assert run.meter.gauges == {}
    assert run.standing.sent == 5300


def test_rate_is_that_of_the_last_seconds() -> None:
    run = Run(found=4)
    run.accept()
    assert run.standing.rate == 0
    for _ in range(40):  # 20 s at 1000 bytes a second
        run.now += 0.5
        run.send(500)
        assert run.standing.rate == pytest.approx(1000)
    for _ in range(20):  # 10 s at 3000
        run.now += 0.5
        run.send(1500)
        assert 1000 < run.standing.rate <= 3000.1
    assert run.standing.rate == pytest.approx(3000)
    run.now += 60
    assert run.standing.rate < 1000
    for _ in range(40):
        run.now += 0.5
        rate = run.standing.rate
    assert rate == 0


@pytest.mark.parametrize("size", [SIZE, 0], ids=["by bytes", "by instances"])
def test_time_left_is_known_when_the_scan_has_ended(size: int) -> None:
    run = Run(found=100, size=size)
    run.accept()
    for number in range(1, 11):
        run.now += 1
        run.start(number)
        run.finish(number)
        assert run.standing.left is None
    scanned(run)
    standing = run.standing
    assert standing.left == pytest.approx(90)
    assert standing.fraction == pytest.approx(0.1)


def test_what_an_earlier_run_has_stored_is_no_speed() -> None:
    run = Run(found=100)
    for number in range(1, 51):
        run.tell(InstanceKnown(run.instances[number - 1], outcome(number, 0)))
    scanned(run)
    run.accept()
    assert run.standing.left is None
    for number in range(51, 61):
        run.now += 1
        run.start(number)
        run.finish(number)
        run.progress.standing()
    assert run.standing.left == pytest.approx(40)


def test_nobody_can_tell_the_time_left_of_what_stands_still() -> None:
    run = Run(found=2)
    scanned(run)
    run.now += 1000
    assert run.standing.left is None


def test_samples_do_not_grow_with_time() -> None:
    run = Run(found=2)
    for _ in range(5000):
        run.now += 0.25
        run.progress.standing()
    assert len(run.progress._samples) < 700


class Worker:
    """An association as the tests' model of a run has it."""

    def __init__(self, number: int, gauge: Gauge) -> None:
        self.number = number
        self.gauge = gauge
        self.under_way: list[int] = []


class Model:
    """A random run: associations that do as they like, and events that come late but in order."""

    def __init__(self) -> None:
        self.run = Run()
        self.events: deque[Event] = deque()
        self.workers: list[Worker] = []
        self.pending: deque[int] = deque()
        self.scanned = False
        self.associations = 0
        self.fell = False  # an attempt has failed: what had left of it counts no more

    def step(self, kind: int, number: int) -> None:
        (self._find, self._end_scan, self._request, self._start, self._write, self._answer, self._end, self._deliver)[
            kind
        ](number)

    def _find(self, number: int) -> None:
        if not self.scanned:
            found = instance(len(self.run.instances) + 1, number * 10)
            self.run.instances.append(found)
            if number % 5 == 0:
                self.run.tell(InstanceKnown(found, outcome(len(self.run.instances), 0)))
            else:
                self.pending.append(len(self.run.instances))

    def _end_scan(self, number: int) -> None:
        if number > 80 and not self.scanned:
            self.scanned = True
            self.run.tell(ScanFinished(len(self.run.instances), 0, 0))

    def _request(self, _: int) -> None:
        if len(self.workers) < 4:
            self.associations += 1
            self.workers.append(Worker(self.associations, self.run.meter.gauge(self.associations)))
            self.events.append(AssociationAccepted(self.associations, 0, (), ""))

    def _start(self, number: int) -> None:
        worker = self._worker(number)
        if worker and self.pending and len(worker.under_way) < 3:
            chosen = self.pending.popleft()
            found = self.run.instances[chosen - 1]
            worker.gauge.begin(found, number * 7)
            worker.under_way.append(chosen)
            self.events.append(InstanceStarted(chosen, found, worker.number, 1, 1, ""))

    def _write(self, number: int) -> None:
        worker = self._worker(number)
        if worker:
            worker.gauge.sent += number * 3

    def _answer(self, number: int) -> None:
        worker = self._worker(number)
        if worker and worker.under_way:
            chosen = worker.under_way.pop(0)
            found = self.run.instances[chosen - 1]
            if number % 7 == 0:
                self.pending.append(chosen)
                self.events.append(InstancePostponed(found, outcome(chosen, worker.number, 0xA700), True))
                self.fell = True
            else:
                status = (0, 0xC000, None, 0xB000)[number % 4]
                self.events.append(InstanceFinished(found, outcome(chosen, worker.number, status)))

    def _end(self, number: int) -> None:
        worker = self._worker(number)
        if worker and number > 60:
            while worker.under_way:
                self._answer_of(worker, number)
            self.workers.remove(worker)
            self.events.append(AssociationEnded(worker.number))

    def _answer_of(self, worker: Worker, number: int) -> None:
        chosen = worker.under_way.pop()
        self.events.append(
            InstanceFinished(self.run.instances[chosen - 1], outcome(chosen, worker.number, None if number % 2 else 0))
        )

    def _deliver(self, number: int) -> None:
        for _ in range(min(number, len(self.events))):
            self.run.tell(self.events.popleft())

    def _worker(self, number: int) -> Worker | None:
        return self.workers[number % len(self.workers)] if self.workers else None

    def finish(self) -> Standing:
        """Let everything that is left come to its end."""
        self._end_scan(100)
        self._request(0)
        while self.pending:
            self._start(1)
            worker = self._worker(1)
            assert worker is not None
            while worker.under_way:
                self._answer_of(worker, 0)
        for worker in self.workers:
            while worker.under_way:
                self._answer_of(worker, 0)
            self.events.append(AssociationEnded(worker.number))
        self._deliver(len(self.events))
        return self.run.standing


def check(before: Standing, now: Standing, *, fell: bool) -> None:
    """What must be so at any moment."""
    numbers = (
        now.done,
        now.done_size,
        now.stored,
        now.failed,
        now.known,
        now.postponed,
        now.sent,
        now.rate,
        now.elapsed,
    )
    assert min(numbers) >= 0
    assert now.done == now.stored + now.failed <= now.found
    assert now.known <= now.stored
    assert now.postponed <= now.found - now.done
    assert now.done_size <= now.size
    assert 0 <= now.fraction <= 1
    assert now.left is None or (now.scanned and now.left >= 0)
    assert all(0 <= each.sent <= each.length for each in now.associations)
    for name in ("found", "size", "done", "stored", "failed", "known", "sent", "elapsed", "scanned"):
        assert getattr(before, name) <= getattr(now, name), name
    assert fell or before.done_size <= now.done_size


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 100), st.floats(0, 3)), max_size=200))
def test_numbers_of_any_run(steps: list[tuple[int, int, float]]) -> None:
    """Never negative, never more than there is, and nothing that is done is undone."""
    model = Model()
    before = model.run.standing
    for kind, number, seconds in steps:
        model.step(kind, number)
        model.run.now += seconds
        now = model.run.standing
        check(before, now, fell=model.fell)
        before = now
    end = model.finish()
    check(before, end, fell=True)
    assert end.done == end.found
    assert end.done_size == end.size
    assert end.postponed == 0
    assert end.associations == ()
    assert end.fraction == (1.0 if end.size or end.found else 0.0)


# --- bytes of real associations

Peer = Callable[..., ScriptedPeer]


def metered(port: int, paths: list[str], **settings: Any) -> tuple[Meter, list[int]]:
    """Send with a meter; that, and how much each gauge had counted when its association ended."""
    meter, sent = Meter(), list[int]()

    def listen(event: Event) -> None:
        if isinstance(event, AssociationEnded):
            sent.append(meter.gauges.pop(event.number).sent)

    peer = dcmsend.Peer(host="127.0.0.1", port=port, tls=settings.pop("tls", None))
    with dcmsend.send(peer, paths, listener=listen, meter=meter, **settings) as report:
        assert report.complete, report.error
    return meter, sent


def write(folder: Path, *lengths: int) -> list[str]:
    paths = [folder / f"{number}.dcm" for number in range(len(lengths))]
    for number, (path, length) in enumerate(zip(paths, lengths, strict=True)):
        path.write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(length)))
    return [str(path) for path in paths]


@pytest.mark.parametrize("rate", [None, 50_000_000], ids=["free", "limited"])
def test_every_byte_is_counted_once(rate: int | None, scripted_peer: Peer, tmp_path: Path) -> None:
    """As many as the peer has received, the release included."""
    peer = scripted_peer([accept(), store(), store(), store(), release()])
    paths = write(tmp_path, 0, 3_000_000, 20)
    meter, sent = metered(peer.port, paths, limits=dcmsend.Limits(rate=rate))
    assert sent == [len(peer.connections[0].received)]
    assert meter.found() == (3, sum(Path(path).stat().st_size for path in paths))
    assert meter.gauges == {}
    assert repr(meter).startswith("<Meter: 3 instances of ")


def test_bytes_are_counted_for_each_association(scripted_peer: Peer, tmp_path: Path) -> None:
    script = [accept(), store(), release()]
    peer = scripted_peer(script, script)
    paths = write(tmp_path, 10_000, 200)
    first = metered(peer.port, paths[:1])[1]
    second = metered(peer.port, paths[1:])[1]
    assert [*first, *second] == [len(connection.received) for connection in peer.connections]


def test_bytes_are_counted_before_they_are_encrypted(scripted_peer: Peer, pki: Pki, tmp_path: Path) -> None:
    peer = scripted_peer([secure(pki.context()), accept(), store(), release()])
    tls = dcmsend.Tls(peer_check=dcmsend.PeerCheck.IGNORE)
    _, sent = metered(peer.port, write(tmp_path, 500_000), tls=tls)
    assert sent == [len(peer.connections[0].received)]
