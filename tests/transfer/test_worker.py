"""One association as events: what went out is what is told; files that change or are touched; too little of something;
and memory does not grow with associations that broke.
"""

from __future__ import annotations

import gc
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
import dcmsend.api
from dcmsend import Instance, Peer, Policy, State
from dcmsend.errors import FileError
from dcmsend.events import Event, InstanceFinished, InstancePostponed, InstanceStarted
from dcmsend.files.opening import OpenFile
from dcmsend.reasons import because
from tests.support import pdus
from tests.support.builder import part10
from tests.support.repeating import RepeatingPeer
from tests.support.scripted import (
    ScriptedPeer,
    accept,
    drain,
    expect_message,
    release,
    send,
    store,
)

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
GO_ON: Final = Policy(halt=False)
Script = Callable[..., ScriptedPeer]


def at(peer: ScriptedPeer) -> Peer:
    return Peer(host="127.0.0.1", port=peer.port)


def files(folder: Path, count: int = 1, size: int = 64) -> list[str]:
    paths = [folder / f"{number}.dcm" for number in range(1, count + 1)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(size)))
    return [str(path) for path in paths]


# --- what went out


def test_a_file_that_was_replaced_is_told_as_what_went_out(scripted_peer: Script, tmp_path: Path) -> None:
    """Events, outcome and list have the UIDs and the size of what the peer has got."""
    first, second = files(tmp_path, 2)
    other = part10(CT, "1.2.9.9", value=bytes(100))
    peer = scripted_peer([accept(), store(), store(), release()])
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, dcmsend.AssociationRequested):
            Path(second).write_bytes(other)

    with dcmsend.send(at(peer), [first, second], listener=listen) as report:
        assert report.complete
        listed = [instance.sop_instance for instance, _ in report.rows()]
    peer.stop()
    received = [message.command[0x1000].rstrip(b"\0").decode() for message in peer.messages]
    assert received == listed == ["1.2.3.1", "1.2.9.9"]
    went_out = Instance(second, CT, "1.2.9.9", "1.2.840.10008.1.2.1", len(other))
    assert [event.instance for event in events if isinstance(event, InstanceStarted)][1] == went_out
    assert [event.instance for event in events if isinstance(event, InstanceFinished)][1] == went_out


# --- files that are touched


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have the first few files that are sent look as if somebody had touched them meanwhile."""

    def touch(times: int) -> None:
        left = iter(range(times))

        def require_unchanged(_: OpenFile) -> None:
            if next(left, None) is not None:
                raise FileError(because("touched_while_sent"))

        monkeypatch.setattr(OpenFile, "require_unchanged", require_unchanged)

    return touch


SIZE: Final = 1 << 20  # bytes, of which not all are read at once


@pytest.mark.parametrize("times", [1, 2])
def test_a_file_that_was_touched_is_sent_again(
    times: int, touched: Callable[[int], None], scripted_peer: Script, tmp_path: Path
) -> None:
    """It costs no association and no failure, though there are no retries and the run halts on failures."""
    touched(times)
    peer = scripted_peer([accept(), *[store()] * (times + 1), release()])
    events: list[Event] = []
    with dcmsend.send(at(peer), files(tmp_path, size=SIZE), listener=events.append) as report:
        ((_, outcome),) = report.rows()
        assert report.complete
    assert outcome.attempts == times + 1
    postponed = [event for event in events if isinstance(event, InstancePostponed)]
    assert [event.outcome.reason.code for event in postponed] == ["touched_while_sent"] * times
    peer.stop()
    data = [message.dataset for message in peer.messages]
    assert len(data) == times + 1
    assert len(set(data)) == 1


def test_a_file_that_is_always_touched_fails(
    touched: Callable[[int], None], scripted_peer: Script, tmp_path: Path
) -> None:
    touched(1000)
    peer = scripted_peer([accept(), *[store()] * 3, release()])
    with dcmsend.send(at(peer), files(tmp_path, size=SIZE), policy=GO_ON) as report:
        ((_, outcome),) = report.rows()
    assert (outcome.state, outcome.reason) == (State.FAILED, because("touched_while_sent"))
    assert outcome.attempts == 3


def test_a_refusal_counts_though_the_file_was_touched(
    touched: Callable[[int], None], scripted_peer: Script, tmp_path: Path
) -> None:
    touched(1)
    peer = scripted_peer([accept(), store(0xA900), release()])
    with dcmsend.send(at(peer), files(tmp_path, size=SIZE), policy=GO_ON) as report:
        ((_, outcome),) = report.rows()
    assert (outcome.state, outcome.status) == (State.ANSWERED, 0xA900)


# --- too little of something

SENDER: Final = """
import resource, sys
from dcmsend.cli.main import main
most = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("descriptors", [12, 20, 40])
def test_with_few_descriptors_there_are_fewer_associations(
    descriptors: int, storescp: Callable[..., Any], tmp_path: Path
) -> None:
    """Those that there are send everything."""
    server = storescp("--fork")
    paths = files(tmp_path, 60, size=20_000)
    words = [str(descriptors), "--associations", "32", "127.0.0.1", str(server.port), *paths]
    done = subprocess.run(
        [sys.executable, "-c", SENDER, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.stored()) == 60


def test_without_memory_an_instance_fails_and_the_run_goes_on(
    scripted_peer: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = iter((False, True, False))
    plain_open = dcmsend.api.PayloadOpener.open  # type: ignore[attr-defined]

    def open_it(*arguments: Any) -> Any:
        if next(opened):
            raise MemoryError
        return plain_open(*arguments)

    monkeypatch.setattr(dcmsend.api.PayloadOpener, "open", open_it)  # type: ignore[attr-defined]
    peer = scripted_peer([accept(), store(), store(), release()])
    with dcmsend.send(at(peer), files(tmp_path, 3), policy=GO_ON) as report:
        assert [outcome.reason.code for _, outcome in report.rows()] == ["", "no_memory", ""]


def test_without_memory_no_association_is_made(
    scripted_peer: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        raise MemoryError

    monkeypatch.setattr("dcmsend.net.association.connect", connect)
    with dcmsend.send(Peer(host="127.0.0.1", port=1), files(tmp_path)) as report:
        assert report.error is not None
        assert report.error.why.code == "no_memory"


# --- nothing is kept


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_memory_does_not_grow_with_broken_associations(no_collector: None, tmp_path: Path) -> None:
    """With the collector off, 400 of them take no more than 100."""
    paths = files(tmp_path, 400)
    with RepeatingPeer([accept(), expect_message(), send(pdus.abort(0, 0)), drain()]) as peer:

        def run(count: int) -> int:
            with dcmsend.send(Peer(host="127.0.0.1", port=peer.port), paths[:count], policy=GO_ON) as report:
                assert report.totals.stored == 0
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        few = run(100)
        assert run(400) - few < 4_000  # KiB; an association has a buffer of 1 MiB
