"""``sending``: the events of a run, asked for by its caller; and failures as an exception."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import (
    FailuresError,
    InstanceFinished,
    InstanceStarted,
    Limits,
    Peer,
    Policy,
    ScanStarted,
    State,
    Stop,
)
from dcmsend.errors import ConfigurationError, ConnectError, Interrupted, InvalidInputError, RunStopped
from dcmsend.events import AssociationEnded, Event
from dcmsend.light import replace
from tests.support import pdus
from tests.support.builder import part10 as build
from tests.support.scripted import (
    ScriptedPeer,
    accept,
    close,
    drain,
    expect,
    expect_message,
    release,
    respond,
    store,
)

Script = Callable[..., ScriptedPeer]
CT: Final = "1.2.840.10008.5.1.4.1.1.2"


def at(peer: Any) -> Peer:
    return Peer(host="127.0.0.1", port=peer.port)


def instances(count: int) -> list[bytes]:
    return [build(CT, f"1.2.3.{number}") for number in range(1, count + 1)]


def write(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.dcm" for number in range(1, count + 1)]
    for path, content in zip(paths, instances(count), strict=True):
        path.write_bytes(content)
    return [str(path) for path in paths]


class TestEvents:
    def test_they_are_those_of_a_listener(self, scripted_peer: Script, tmp_path: Path) -> None:
        paths = [*write(tmp_path, 3), "missing"]
        script = [accept(), store(), store(0xA700), store(), release()]
        told: list[Event] = []
        policy = Policy(halt=False)
        dcmsend.send(at(scripted_peer(script)), paths, policy=policy, listener=told.append).close()
        with dcmsend.sending(at(scripted_peer(script)), paths, policy=policy) as run:
            events = list(run)
            assert run.report.totals.stored == 2
            assert [outcome.stored for _, outcome in run.report.rows()] == [True, False, True]
        timeless = [
            [replace(e, seconds=None) if isinstance(e, InstanceFinished) else e for e in es] for es in (events, told)
        ]
        assert timeless[0] == timeless[1]
        assert next(run, None) is None

    def test_nothing_is_done_before_the_first_is_asked_for(self, tmp_path: Path) -> None:
        def sources() -> Iterator[bytes]:
            asked.append(1)
            yield b""

        asked: list[int] = []
        run = dcmsend.sending(Peer(host="127.0.0.1", port=1), sources())
        assert not asked
        with run:
            assert isinstance(next(run), ScanStarted)
            assert not asked
            with pytest.raises(StopIteration):
                while True:
                    next(run)
            assert isinstance(run.report.error, InvalidInputError)

    def test_who_takes_no_events_gets_nothing_more_sent(self, scripted_peer: Script) -> None:
        """The second instance goes out when an event is asked for after the first has finished."""
        peer = scripted_peer([accept(), store(), store(), release()])
        with dcmsend.sending(at(peer), instances(2)) as run:
            next(event for event in run if isinstance(event, InstanceFinished))
            (connection,) = peer.begun
            assert len(connection.messages) == 1
            assert [event.number for event in run if isinstance(event, InstanceStarted)] == [2]

    def test_settings_are_checked_at_once(self) -> None:
        from dcmsend import Retries

        with pytest.raises(ConfigurationError):
            dcmsend.sending(
                Peer(host="127.0.0.1", port=1),
                [],
                policy=Policy(multiple_associations=False),
                retries=Retries(count=1),
            )

    def test_the_report_runs_to_the_end(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), store(), release()])
        with dcmsend.sending(at(peer), instances(2)) as run:
            assert run.report.complete
            assert list(run) == []
        assert repr(run) == "<Run <Report: 2 of 2 instances stored, error None>>"

    @pytest.mark.parametrize("associations", [2, 8])
    def test_over_several_associations(self, associations: int, pynetdicom_scp: Any) -> None:
        server = pynetdicom_scp()
        before = threading.active_count()
        limits = Limits(associations=associations)
        with dcmsend.sending(at(server), (each for each in instances(100)), limits=limits) as run:
            finished = [event.outcome.number for event in run if isinstance(event, InstanceFinished)]
        assert sorted(finished) == list(range(1, 101))
        assert threading.active_count() == before


class TestLeaving:
    """The ``with`` statement ends before the run does."""

    def test_early_finishes_what_is_under_way(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), release()])
        with dcmsend.sending(at(peer), instances(3)) as run:
            for event in run:
                if isinstance(event, InstanceStarted):
                    break
        assert isinstance(run.report.error, Interrupted)
        assert run.report.totals.stored == 1

    def test_by_an_exception_aborts(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), expect(pdus.A_ABORT), drain()])
        with pytest.raises(LookupError), dcmsend.sending(at(peer), instances(3)) as run:
            for event in run:
                if isinstance(event, InstanceStarted):
                    raise LookupError
        with pytest.raises(RuntimeError, match="broken off"):
            run.report  # noqa: B018

    @pytest.mark.parametrize("leave", ["break", "exception"])
    def test_no_thread_is_left_of_several_associations(self, leave: str, pynetdicom_scp: Any) -> None:
        server = pynetdicom_scp()
        before = threading.active_count()
        try:
            with dcmsend.sending(at(server), instances(200), limits=Limits(associations=4)) as run:
                next(event for event in run if isinstance(event, InstanceFinished))
                if leave == "exception":
                    raise LookupError
        except LookupError:
            pass
        assert threading.active_count() == before
        if leave == "break":
            assert isinstance(run.report.error, Interrupted)
            assert 0 < run.report.totals.stored < 200

    def test_before_it_has_begun(self) -> None:
        with dcmsend.sending(Peer(host="127.0.0.1", port=1), instances(1)) as run:
            pass
        assert isinstance(run.report.error, Interrupted)

    def test_an_error_of_the_source_is_raised_where_an_event_is_asked_for(self) -> None:
        with (
            pytest.raises(TypeError, match="source 2 is of type int"),
            dcmsend.sending(Peer(host="127.0.0.1", port=1), [instances(1)[0], 2]) as run,  # type: ignore[list-item]
        ):
            list(run)


class TestStopping:
    def test_by_the_run(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), release()])
        with dcmsend.sending(at(peer), instances(3)) as run:
            for event in run:
                if isinstance(event, InstanceStarted):
                    run.stop()
            assert isinstance(run.report.error, Interrupted)
            states = [outcome.state for _, outcome in run.report.rows()]
        assert states == [State.ANSWERED, State.PENDING, State.PENDING]

    def test_by_another_thread(self, scripted_peer: Script) -> None:
        """Twice to abort: nobody waits for the answer that does not come."""
        stop = Stop()

        def interrupt(_: object) -> None:
            stop.request()
            stop.request()

        peer = scripted_peer([accept(), expect_message(), interrupt, drain()])
        with dcmsend.sending(at(peer), instances(2), stop=stop) as run:
            list(run)
            assert isinstance(run.report.error, Interrupted)


class TestFailures:
    def test_none(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), store(0xB000), release()])
        with dcmsend.send(at(peer), instances(2)) as report:
            report.raise_for_failures()

    def test_some(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), *[store(0xA700, comment="full\n")] * 5, release()])
        with dcmsend.send(at(peer), instances(6)) as report, pytest.raises(FailuresError) as caught:
            report.raise_for_failures()
        error = caught.value
        assert (error.instances, error.failed, error.error) == (6, 5, None)
        reason = "0xa700 (Refused: OutOfResources): full\\n"
        assert error.reasons == tuple(f"<bytes {number}>: {reason}" for number in (2, 3, 4))
        assert str(error) == (
            f"5 of 6 SOP instances were not stored; <bytes 2>: {reason}; <bytes 3>: {reason}; <bytes 4>: {reason};"
            " and 2 more"
        )
        assert isinstance(error, dcmsend.DcmsendError)

    def test_the_run_broke(self, scripted_peer: Script) -> None:
        peer = scripted_peer([accept(), store(), expect_message(), close()])
        with dcmsend.send(at(peer), instances(3)) as report, pytest.raises(FailuresError) as caught:
            report.raise_for_failures()
        assert isinstance(caught.value.__cause__, RunStopped)
        assert caught.value.error is caught.value.__cause__
        assert str(caught.value).startswith("2 of 3 SOP instances were not stored; the run ended early: cannot send")
        assert len(caught.value.reasons) == 2

    def test_before_anything_was_taken_on(self) -> None:
        with (
            dcmsend.send(Peer(host="127.0.0.1", port=1), ["missing"]) as report,
            pytest.raises(FailuresError) as caught,
        ):
            report.raise_for_failures()
        assert str(caught.value) == (
            "1 input was left out; the run ended early: bad DICOM file: missing: No such file or directory;"
            " missing: No such file or directory"
        )
        assert (caught.value.failed, caught.value.left_out, caught.value.left_over) == (0, 1, 0)

    def test_nobody_there(self) -> None:
        with (
            dcmsend.send(Peer(host="127.0.0.1", port=1), instances(1)) as report,
            pytest.raises(FailuresError) as caught,
        ):
            report.raise_for_failures()
        assert isinstance(caught.value.error, ConnectError)


def test_from_asyncio(scripted_peer: Script) -> None:
    """The loop goes on while the run waits for the peer."""
    turned: list[int] = []
    loop: list[asyncio.AbstractEventLoop] = []
    done = threading.Event()

    def wait_for_the_loop(_: object) -> None:
        loop[0].call_soon_threadsafe(done.set)
        assert done.wait(30)
        turned.append(1)

    peer = scripted_peer([accept(), expect_message(), wait_for_the_loop, respond(), release()])

    async def main() -> dcmsend.Report:
        loop.append(asyncio.get_running_loop())
        return await asyncio.to_thread(dcmsend.send, at(peer), instances(1))

    with asyncio.run(main()) as report:
        report.raise_for_failures()
    assert turned == [1]


def test_events_ended_in_order(scripted_peer: Script) -> None:
    peer = scripted_peer([accept(), store(), release()])
    with dcmsend.sending(at(peer), instances(1)) as run:
        *_, last = run
    assert last == AssociationEnded(1)
