"""Trying again: what may pass is tried again, in its turn, and each instance has one truthful outcome in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

import dcmsend
from dcmsend import Limits, Peer, Policy, Report, Retries, ScanOptions, State, Stop, Timeouts
from dcmsend.errors import AssociationRejected, ConfigurationError, ConnectError, Interrupted, RunStopped
from dcmsend.events import AssociationEnded, AssociationRequested, Event, InstanceFinished, InstancePostponed
from tests.support import pdus
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    answer,
    close,
    drain,
    expect_message,
    reject,
    release,
    reset,
    store,
)
from tests.transfer.test_crew import SEEDS

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
GO_ON: Final = Policy(halt=False)
HALT: Final = Policy()
LIMIT: Final = 30.0  # seconds
Start = Callable[..., ScriptedPeer]


@pytest.fixture
def files(tmp_path: Path) -> Callable[[int], list[str]]:
    def make(count: int) -> list[str]:
        paths = [tmp_path / f"{number}.dcm" for number in range(1, count + 1)]
        for number, path in enumerate(paths, 1):
            path.write_bytes(part10(CT, f"1.2.3.{number}"))
        return [str(path) for path in paths]

    return make


def send(
    port: int,
    paths: list[str],
    retries: int,
    policy: Policy = GO_ON,
    *,
    limits: Limits | None = None,
    listener: Callable[[Event], None] | None = None,
    stop: Stop | None = None,
    delay: float = 0,
    dimse: float = 10,
) -> Report:
    return dcmsend.send(
        Peer(host="127.0.0.1", port=port),
        paths,
        scan=ScanOptions(directories=True),
        policy=policy,
        timeouts=Timeouts(connect=10, acse=10, dimse=dimse, socket=10),
        limits=limits,
        retries=Retries(count=retries, delay=delay),
        listener=listener,
        stop=stop,
    )


def sent(peer: ScriptedPeer) -> list[int]:
    """The numbers of the instances that the peer got, in order."""
    return [int(message.sop_instance.rpartition(".")[2]) for message in peer.messages]


def busy(status: int) -> list[Step]:
    return [expect_message(), answer(lambda connection: pdus.store_rsp(connection.messages[-1], status=status))]


LOST: Final[dict[str, Step]] = {
    "close": close(),
    "reset": reset(),
    "abort": answer(lambda _: bytes.fromhex("07000000000400000000")),
    "nonsense": answer(lambda _: bytes.fromhex("42000000000400000000")),
}


@pytest.mark.parametrize("policy", [GO_ON, HALT], ids=["go on", "halt"])
@pytest.mark.parametrize("how", LOST)
def test_what_was_not_answered_is_sent_again_at_once(
    how: str, policy: Policy, scripted_peer: Start, files: Callable[[int], list[str]]
) -> None:
    end = [LOST[how], drain()] if how in ("abort", "nonsense") else [LOST[how]]
    peer = scripted_peer([accept(), store(), expect_message(), *end], [accept(), store(), store(), store(), release()])
    postponed: list[InstancePostponed] = []

    def listener(event: Event) -> None:
        if isinstance(event, InstancePostponed):
            postponed.append(event)

    with send(peer.port, files(4), 1, policy, listener=listener) as report:
        assert report.complete and report.error is None
        assert [outcome.attempts for _, outcome in report.rows()] == [1, 2, 1, 1]
        assert [outcome.association for _, outcome in report.rows()] == [1, 2, 2, 2]
    assert sent(peer) == [1, 2, 2, 3, 4]
    assert [(event.outcome.number, event.outcome.attempts, event.aside) for event in postponed] == [(2, 1, False)]
    assert str(postponed[0].outcome.reason).startswith("not answered: ")


def test_silence_is_tried_again(scripted_peer: Start, files: Callable[[int], list[str]]) -> None:
    peer = scripted_peer([accept(), expect_message(), drain()], [accept(), store(), store(), release()])
    with send(peer.port, files(2), 1, dimse=0.2) as report:
        assert report.complete
    assert sent(peer) == [1, 1, 2]


@pytest.mark.parametrize("policy", [GO_ON, HALT], ids=["go on", "halt"])
@pytest.mark.parametrize("status", [0xA700, 0x0110])
def test_a_busy_peer_gets_it_again_after_all_others(
    status: int, policy: Policy, scripted_peer: Start, files: Callable[[int], list[str]]
) -> None:
    peer = scripted_peer(
        [accept(), *busy(status), store(), store(), release()],
        [accept(), *busy(status), release()],
        [accept(), store(), release()],
    )
    with send(peer.port, files(3), 2, policy) as report:
        assert report.complete and report.error is None
        assert [outcome.attempts for _, outcome in report.rows()] == [3, 1, 1]
    assert sent(peer) == [1, 2, 3, 1, 1]


def test_a_peer_that_stays_busy_has_the_last_word(scripted_peer: Start, files: Callable[[int], list[str]]) -> None:
    peer = scripted_peer([accept(), *busy(0xA702), store(), release()], [accept(), *busy(0xA701), release()])
    with send(peer.port, files(2), 1) as report:
        assert report.error is None
        outcomes = [(outcome.state, outcome.status, outcome.attempts) for _, outcome in report.rows()]
        assert outcomes == [(State.ANSWERED, 0xA701, 2), (State.ANSWERED, 0, 1)]
        assert report.totals.answered == 2


@pytest.mark.parametrize("status", [0xC000, 0xA900, 0x0122, 0x0124])
def test_what_is_refused_for_good_is_not_sent_again(
    status: int, scripted_peer: Start, files: Callable[[int], list[str]]
) -> None:
    peer = scripted_peer([accept(), *busy(status), store(), release()])
    with send(peer.port, files(2), 5) as report:
        assert [outcome.status for _, outcome in report.rows()] == [status, 0]
    assert sent(peer) == [1, 2]


def test_a_refused_sop_class_is_not_sent_again(scripted_peer: Start, files: Callable[[int], list[str]]) -> None:
    peer = scripted_peer([accept(results={1: 3, 3: 3}), release()])
    with send(peer.port, files(2), 5) as report:
        assert {outcome.state for _, outcome in report.rows()} == {State.NO_CONTEXT}


def test_a_transient_rejection_is_tried_again(scripted_peer: Start, files: Callable[[int], list[str]]) -> None:
    later = [reject(2, 3, 1), drain()]
    peer = scripted_peer(later, later, [accept(), store(), release()])
    with send(peer.port, files(1), 2, HALT) as report:
        assert report.complete
        assert report.totals.associations == 3


@pytest.mark.parametrize(
    ("rejection", "retries", "associations"), [((1, 1, 7), 5, 1), ((2, 3, 1), 0, 1), ((2, 3, 2), 2, 3)]
)
def test_a_rejection_ends_the_run(
    rejection: tuple[int, int, int],
    retries: int,
    associations: int,
    scripted_peer: Start,
    files: Callable[[int], list[str]],
) -> None:
    peer = scripted_peer(*[[reject(*rejection), drain()]] * associations)
    with send(peer.port, files(2), retries) as report:
        assert isinstance(report.error, AssociationRejected)
        assert report.totals.associations == associations
        assert {outcome.state for _, outcome in report.rows()} == {State.PENDING}


@pytest.mark.parametrize("associations", [1, 4])
def test_nobody_listens(associations: int, scripted_peer: Start, files: Callable[[int], list[str]]) -> None:
    """Each place is tried so often; those that were tried together count as one time."""
    peer = scripted_peer()
    peer.stop()
    requested: list[int] = []

    def listener(event: Event) -> None:
        if isinstance(event, AssociationRequested):
            requested.append(event.number)

    limits = Limits(associations=associations)
    with send(peer.port, files(8), 3, limits=limits, listener=listener, delay=0.01) as report:
        assert isinstance(report.error, ConnectError)
    assert 4 <= len(requested) <= 4 * associations
    assert len(requested) > 3


class Poison:
    """A server that breaks whenever a certain instance comes in whole."""

    def __init__(self, number: int) -> None:
        self.server = FlakyPeer(0, ("serve",), window=4, statuses=(0,))
        self.order: list[int] = []
        plain = self.server._message

        def message(connection: Connection) -> pdus.Message | None:
            found = plain(connection)
            if found is not None:
                came = int(found.sop_instance.rpartition(".")[2])
                self.order.append(came)
                if came == number:
                    raise OSError("poison")
            return found

        self.server._message = message  # type: ignore[method-assign]


@pytest.fixture
def poison() -> Iterator[Callable[[int], Poison]]:
    made: list[Poison] = []

    def make(number: int) -> Poison:
        made.append(Poison(number))
        return made[-1]

    yield make
    for one in made:
        one.server.stop()


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("retries", [1, 3])
def test_a_poisonous_file_does_not_stop_the_rest(
    retries: int, window: int, poison: Callable[[int], Poison], files: Callable[[int], list[str]]
) -> None:
    """It breaks two associations, then all others have their turn; those that fell with it come through."""
    made = poison(3)
    with send(made.server.port, files(12), retries, limits=Limits(async_window=window)) as report:
        assert report.error is None
        outcomes = [outcome for _, outcome in report.rows()]
    assert [outcome.state for outcome in outcomes] == [State.ANSWERED] * 2 + [State.FAILED] + [State.ANSWERED] * 9
    assert outcomes[2].attempts == made.order.count(3) == retries + 1
    assert str(outcomes[2].reason).startswith("not answered: ")
    others = [number for number in made.order if number != 3]
    assert set(others) == set(range(1, 13)) - {3}
    if retries > 1:
        assert made.order[-(retries - 1) :] == [3] * (retries - 1)
    if window == 1:
        assert others == sorted(others)


def test_without_no_halt_the_last_failure_ends_the_run(
    poison: Callable[[int], Poison], files: Callable[[int], list[str]]
) -> None:
    made = poison(2)
    with send(made.server.port, files(4), 2, HALT) as report:
        assert isinstance(report.error, RunStopped)
        states = [outcome.state for _, outcome in report.rows()]
    assert states == [State.ANSWERED, State.FAILED, State.ANSWERED, State.ANSWERED]
    assert made.order == [1, 2, 2, 3, 4, 2]


@pytest.mark.parametrize("associations", [1, 3])
def test_a_request_to_stop_ends_the_wait(
    associations: int, scripted_peer: Start, files: Callable[[int], list[str]]
) -> None:
    """The wait is so long that a run which sat it out would not have ended in time."""
    peer = scripted_peer()
    peer.stop()
    stop = Stop()
    ended = threading.Semaphore(0)
    reports: list[Report] = []

    def listener(event: Event) -> None:
        if isinstance(event, AssociationEnded):
            ended.release()

    def run() -> None:
        limits = Limits(associations=associations)
        reports.append(send(peer.port, files(3), 5, limits=limits, listener=listener, stop=stop, delay=1000))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    for _ in range(associations):
        assert ended.acquire(timeout=LIMIT)
    stop.request()
    thread.join(LIMIT / 2)
    assert not thread.is_alive()
    with reports[0] as report:
        assert isinstance(report.error, Interrupted)
        assert report.totals.associations == associations
    assert not stop.nudges


def test_what_waits_for_its_next_turn_when_the_run_ends_has_the_outcome_that_it_had(
    scripted_peer: Start, files: Callable[[int], list[str]]
) -> None:
    """It was tried: the report must not say that it was not."""
    peer = scripted_peer([accept(), *busy(0xA700), store(), expect_message(), close()])
    stop = Stop()

    def listener(event: Event) -> None:
        if isinstance(event, AssociationEnded):
            stop.request()

    with send(peer.port, files(4), 5, stop=stop, listener=listener, delay=1000) as report:
        assert isinstance(report.error, Interrupted)
        rows = [outcome for _, outcome in report.rows()]
        assert report.totals.answered == 2
    assert [row.state for row in rows] == [State.ANSWERED, State.ANSWERED, State.FAILED, State.PENDING]
    assert [row.status for row in rows] == [0xA700, 0, None, None]
    assert str(rows[2].reason).startswith("not answered: ")
    assert str(rows[3].reason).startswith("not tried: ")


def test_only_one_association_means_no_second_try(files: Callable[[int], list[str]]) -> None:
    with pytest.raises(ConfigurationError, match="only one association"):
        send(1, files(1), 1, Policy(multiple_associations=False))


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("associations", [1, 8])
@pytest.mark.parametrize("seed", SEEDS[::2])
def test_whatever_the_peer_does_the_report_says_what_it_has_answered(
    seed: int, associations: int, window: int, files: Callable[[int], list[str]]
) -> None:
    """A peer that aborts, stalls and lies at random: the last answer counts, and nothing is sent too often."""
    server = FlakyPeer(seed, ("serve", "abort", "abort", "close", "stall", "lie", "reject"), window=window)
    finished: list[int] = []

    def listener(event: Event) -> None:
        if isinstance(event, InstanceFinished):
            finished.append(event.outcome.number)

    limits = Limits(associations=associations, async_window=window)
    try:
        with send(server.port, files(100), 3, limits=limits, listener=listener, dimse=0.3) as report:
            rows = list(report.rows())
            totals, error = report.totals, report.error
    finally:
        server.stop()
    assert len(rows) == 100
    assert len(finished) == len(set(finished))
    for instance, outcome in rows:
        answers = server.answered.get(instance.sop_instance, [])
        assert server.seen.get(instance.sop_instance, 0) <= outcome.attempts <= 4
        if outcome.state is State.ANSWERED:
            assert answers[-1] == outcome.status
        else:
            assert outcome.reason
        if outcome.state is State.PENDING:
            assert error is not None
            assert not server.seen.get(instance.sop_instance)
    assert totals.answered == sum(outcome.state is State.ANSWERED for _, outcome in rows)
