"""Ctrl-C: once to finish the instance under way, release and report; once more to abort. The exit code is 130.

Nothing here waits for a while: the peer sends the signal when the run is where it should be.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

import dcmsend
from dcmsend.errors import Interrupted
from dcmsend.events import AssociationAccepted, AssociationEnded, AssociationRequested, Event, ScanStarted
from dcmsend.model import Policy, Refusal, ScanOptions, State, Timeouts
from dcmsend.reasons import because
from tests.support import pdus, report
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    drain,
    expect,
    expect_bytes,
    expect_close,
    expect_message,
    release,
    respond,
    stall,
    store,
)

Peer = Callable[..., ScriptedPeer]

CT = "1.2.840.10008.5.1.4.1.1.2"
LIMIT = 30.0  # seconds

posix = pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one process on Windows")


class Run:
    """The command in a process of its own; ``log`` is what was read of it so far."""

    def __init__(self, folder: Path) -> None:
        self.report = folder / "report.txt"
        self.log = ""
        self._process: subprocess.Popen[str] | None = None
        self._watchdog = threading.Timer(LIMIT, self._kill)

    def start(self, port: int, *words: str) -> None:
        command = [sys.executable, "-m", "dcmsend", "-v", "+crf", str(self.report), *words[:-1]]
        command += ["127.0.0.1", str(port), words[-1]]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._watchdog.start()

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    @property
    def stderr(self) -> IO[str]:
        assert self.process.stderr is not None
        return self.process.stderr

    def read_until(self, words: str) -> None:
        """Read the log up to a line with these words."""
        for line in self.stderr:
            self.log += line
            if words in line:
                return
        pytest.fail(f"the log ended without {words!r}:\n{self.log}")

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def finish(self) -> int:
        """Read the rest of the log and wait for the end; the exit code."""
        self.log += self.stderr.read()
        return self.process.wait()

    def end(self) -> None:
        self._watchdog.cancel()
        self._kill()
        if self._process is not None:
            self.stderr.close()
            self._process.wait()

    def statuses(self) -> list[str]:
        return [row["DIMSE Status"] for row in report.rows(self.report)]

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started = Run(tmp_path)
    yield started
    started.end()


class Place:
    """A step of a script that tells the test that it has been reached."""

    def __init__(self) -> None:
        self._reached = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self._reached.set()

    def wait(self) -> None:
        assert self._reached.wait(LIMIT)


FINISHING = "interrupted, finishing the instance under way; once more to abort"
ENDING = "interrupted, ending the run"
STOPPED = "F: stopped by the user"


def write(folder: Path, count: int, size: int = 0) -> str:
    """A folder with this many instances."""
    instances = folder / "instances"
    instances.mkdir()
    for number in range(1, count + 1):
        (instances / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(size)))
    return str(instances)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [(), ("-nh",)], ids=["halt", "no halt"])
def test_once_finishes_the_instance_under_way_releases_and_reports(
    options: tuple[str, ...], number: int, run: Run, scripted_peer: Peer, tmp_path: Path
) -> None:
    waits = Place()
    peer = scripted_peer([accept(), expect_message(), waits, stall(), respond(), release()])
    run.start(peer.port, *options, "+sd", write(tmp_path, 3))
    waits.wait()
    run.interrupt(number)
    run.read_until(FINISHING)
    peer.go_on()
    assert run.finish() == 128 + number
    assert STOPPED in run.log
    assert run.statuses() == ["0x0000 (Success)", "<not sent>", "<not sent>"]
    assert all("stopped by the user" in row["Reason"] for row in report.rows(run.report)[1:])


@posix
def test_once_in_the_middle_of_a_data_set_sends_the_rest_of_it(run: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    """The request has begun, the buffers are full: the whole data set still goes out and is answered."""
    begun, size = Place(), 32 << 20
    script = [accept(), peek(100_000), begun, stall(), expect_message(), respond(), release()]
    peer = scripted_peer(script, receive_buffer=65536)
    run.start(peer.port, "+sd", write(tmp_path, 2, size))
    begun.wait()
    run.interrupt()
    run.read_until(FINISHING)
    peer.go_on()
    assert run.finish() == 130
    assert run.statuses() == ["0x0000 (Success)", "<not sent>"]
    assert len(peer.messages[0].dataset or b"") > size


def peek(count: int) -> Step:
    """Wait until this many bytes have come, and leave them unread."""

    def step(connection: Connection) -> None:
        seen = 0
        while seen < min(count, 1000):
            seen = len(connection.socket.recv(count, socket.MSG_PEEK))

    return step


@posix
@pytest.mark.parametrize("options", [(), ("-nh",)], ids=["halt", "no halt"])
def test_twice_aborts_at_once(options: tuple[str, ...], run: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    waits = Place()
    peer = scripted_peer([accept(), expect_message(), waits, expect(pdus.A_ABORT), expect_close()])
    run.start(peer.port, *options, "+sd", write(tmp_path, 3))
    waits.wait()
    run.interrupt()
    run.read_until(FINISHING)
    run.interrupt()
    assert run.finish() == 130
    assert run.statuses() == ["<not sent>"] * 3
    reasons = [row["Reason"] for row in report.rows(run.report)]
    assert reasons[0] == "not answered: stopped by the user"
    assert all(reason.startswith("not tried: ") for reason in reasons[1:])


@posix
def test_twice_in_the_middle_of_a_data_set_ends_the_connection(run: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    """The peer takes nothing, so that an A-ABORT would not get through: the connection ends, not in order."""
    begun = Place()
    peer = scripted_peer([accept(), expect_bytes(1000), begun, stall(), drain()], receive_buffer=65536)
    run.start(peer.port, "+sd", write(tmp_path, 2, 32 << 20))
    begun.wait()
    run.interrupt()
    run.read_until(FINISHING)
    run.interrupt()
    assert run.finish() == 130
    peer.go_on()
    assert run.statuses() == ["<not sent>"] * 2
    assert len(peer.connections[0].received) < 32 << 20


@posix
def test_once_while_the_peer_does_not_confirm_the_release(run: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    """Nothing is left that could be stopped: all is stored and told; the release is not waited for any longer."""
    asked = Place()
    peer = scripted_peer([accept(), store(), expect(pdus.A_RELEASE_RQ), asked, drain()])
    run.start(peer.port, "+sd", write(tmp_path, 1))
    asked.wait()
    run.interrupt()
    run.read_until(ENDING)
    assert run.finish() == 0
    assert run.statuses() == ["0x0000 (Success)"]


@posix
def test_once_while_the_association_is_asked_for(run: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    """Nothing is under way that could be finished: the peer sees an abort at once."""
    asked = Place()
    peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), asked, expect(pdus.A_ABORT), expect_close()])
    run.start(peer.port, "-ta", "1000", "+sd", write(tmp_path, 2))
    asked.wait()
    run.interrupt()
    assert run.finish() == 130
    assert ENDING in run.log
    assert STOPPED in run.log
    assert run.statuses() == ["<not sent>"] * 2


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """The port of a listener that neither takes nor refuses another connection."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(16):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                yield listener.getsockname()[1]
                return
        pytest.skip("this system's backlog has no end")


@posix
def test_once_while_connecting(run: Run, full_backlog: int, tmp_path: Path) -> None:
    """Before, while or after the connection is tried: the run ends although it would wait without a limit."""
    run.start(full_backlog, "+sd", write(tmp_path, 1))
    run.read_until("Requesting Association")
    run.interrupt()
    assert run.finish() == 130
    assert ENDING in run.log
    assert run.statuses() == ["<not sent>"]


@posix
def test_once_while_scanning(run: Run, scripted_peer: Peer, tmp_path: Path) -> None:
    """Nothing is asked for. The scan cannot get to its end: its log is not read before the signal has been sent."""
    folder = tmp_path / "bad"
    folder.mkdir()
    for number in range(2000):
        (folder / f"{number:04}.dcm").write_bytes(b"")
    peer = scripted_peer()
    run.start(peer.port, "-nh", "+sd", str(folder))
    run.read_until("cannot add DICOM file")
    run.interrupt()
    assert run.finish() == 130
    assert STOPPED in run.log
    assert report.summary(run.report)["Number of SOP instances"] == 0
    assert peer.connections == []


@posix
def test_a_process_that_ignores_the_signal_goes_on(scripted_peer: Peer, tmp_path: Path) -> None:
    """Started in the background with the signal ignored, as by nohup: Ctrl-C in the terminal is for others."""
    waits = Place()
    peer = scripted_peer([accept(), expect_message(), waits, stall(), respond(), store(), release()])
    command = [sys.executable, "-m", "dcmsend", "+sd", "127.0.0.1", str(peer.port), write(tmp_path, 2)]
    ignoring = f"import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv({command[0]!r}, {command!r})"
    with subprocess.Popen([sys.executable, "-c", ignoring], stdin=subprocess.DEVNULL) as process:
        try:
            waits.wait()
            process.send_signal(signal.SIGINT)
            peer.go_on()
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()


def send_and_stop(port: int, folder: str, kind: type[Event]) -> tuple[list[Event], dcmsend.Report]:
    """Send a folder with the library and ask it to stop at the first event of a kind."""
    stop, events = dcmsend.Stop(), list[Event]()

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, kind) and not stop.requested:
            stop.request()

    report = dcmsend.send(
        dcmsend.Peer(host="127.0.0.1", port=port),
        [folder],
        scan=ScanOptions(directories=True),
        policy=Policy(halt=False),
        timeouts=Timeouts(connect=5),
        listener=listen,
        stop=stop,
    )
    return events, report


def test_stop_in_the_scan_asks_for_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path, 2)
    (Path(folder) / "0.dcm").write_bytes(b"")
    events, done = send_and_stop(104, folder, Refusal)
    with done:
        assert isinstance(done.error, Interrupted)
        assert [type(event) for event in events] == [ScanStarted, Refusal]


def test_stop_just_before_connecting_does_not_wait_for_the_peer(full_backlog: int, tmp_path: Path) -> None:
    """Nothing is there yet that could be shut down, and still no time limit is needed to end it."""
    events, done = send_and_stop(full_backlog, write(tmp_path, 2), AssociationRequested)
    with done:
        assert isinstance(done.error, Interrupted)
        assert isinstance(events[-1], AssociationEnded)
        assert events[-1].reason == because("stopped")
        assert {outcome.state for _, outcome in done.rows()} == {State.PENDING}


def test_stop_before_the_first_instance_aborts(scripted_peer: Peer, tmp_path: Path) -> None:
    """The association has just been accepted: nothing is under way that could be finished."""
    peer = scripted_peer([accept(), expect(pdus.A_ABORT), expect_close()])
    _, done = send_and_stop(peer.port, write(tmp_path, 3), AssociationAccepted)
    with done:
        assert isinstance(done.error, Interrupted)
        assert {outcome.state for _, outcome in done.rows()} == {State.PENDING}
