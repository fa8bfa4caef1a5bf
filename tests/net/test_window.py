"""The asynchronous operations window (PS3.7 D.3.3.3): what is proposed, what counts, and whose response is whose."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dcmsend
from dcmsend.model import Limits, Policy, State, Timeouts
from dcmsend.reasons import Reason, because
from tests.support import pdus
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    close,
    drain,
    expect,
    expect_message,
    release,
    respond,
    send,
    store,
)

Peer = Callable[..., ScriptedPeer]
CT = "1.2.840.10008.5.1.4.1.1.2"
WAIT = Timeouts(acse=10, dimse=10, socket=10)
SOON = Timeouts(acse=10, dimse=0.3, socket=10)  # where no response will come
PROPOSED = 0x53


def item(invoked: int, performed: int = 1) -> bytes:
    return pdus.item(PROPOSED, struct.pack(">HH", invoked, performed))


def sent(
    folder: Path, count: int, peer: ScriptedPeer, window: int, *, halt: bool = False, timeouts: Timeouts = WAIT
) -> list[tuple[State, int | None]]:
    """Send instances; state and status of each."""
    paths = []
    for number in range(1, count + 1):
        paths.append(str(folder / f"{number:03}.dcm"))
        (folder / f"{number:03}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    limits, policy = Limits(async_window=window), Policy(halt=halt)
    with dcmsend.send(target, paths, limits=limits, policy=policy, timeouts=timeouts) as report:
        return [(outcome.state, outcome.status) for _, outcome in report.rows()]


def proposed(peer: ScriptedPeer) -> bytes | None:
    request = peer.connections[0].request
    assert request is not None
    found = request.user.get(PROPOSED)
    return None if found is None else found[0]


@pytest.mark.parametrize(("window", "value"), [(1, None), (4, struct.pack(">HH", 4, 1)), (0, struct.pack(">HH", 0, 1))])
def test_what_is_proposed(window: int, value: bytes | None, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), release()])
    assert sent(tmp_path, 1, peer, window) == [(State.ANSWERED, 0)]
    assert proposed(peer) == value


@pytest.mark.parametrize(
    ("window", "answer", "outstanding"),
    [
        pytest.param(4, b"", 1, id="no answer"),
        pytest.param(4, item(1), 1, id="one"),
        pytest.param(4, item(2), 2, id="fewer"),
        pytest.param(3, item(9), 3, id="more than was asked for"),
        pytest.param(3, item(0), 3, id="no limit of the peer's"),
        pytest.param(0, item(3), 3, id="no limit of ours"),
        pytest.param(0, item(0, 0), 5, id="no limit at all: as many as there are"),
        pytest.param(1, item(5), 1, id="not asked for"),
    ],
)
def test_how_many_may_be_outstanding(
    window: int, answer: bytes, outstanding: int, scripted_peer: Peer, tmp_path: Path
) -> None:
    """The peer answers none of them: after so many comes nothing but the abort."""
    script = [accept(user=answer), *[expect_message()] * outstanding, expect(pdus.A_ABORT), drain()]
    peer = scripted_peer(script)
    results = sent(tmp_path, 5, peer, window, halt=True, timeouts=SOON)
    assert results == [(State.FAILED, None)] * outstanding + [(State.PENDING, None)] * (5 - outstanding)


def test_never_more_than_256(scripted_peer: Peer, tmp_path: Path) -> None:
    script = [accept(user=item(0, 0)), *[expect_message()] * 256, expect(pdus.A_ABORT), drain()]
    results = sent(tmp_path, 260, scripted_peer(script), 0, halt=True, timeouts=SOON)
    assert [state for state, _ in results] == [State.FAILED] * 256 + [State.PENDING] * 4


@pytest.mark.parametrize("order", [(-4, -3, -2, -1), (-1, -2, -3, -4), (-3, -1, -4, -2)])
def test_responses_in_any_order(order: tuple[int, ...], scripted_peer: Peer, tmp_path: Path) -> None:
    """Each is credited to its own request, and all have come before the release."""
    statuses = {-4: 0x0000, -3: 0xB000, -2: 0xA700, -1: 0xC001}
    answers: list[Step] = [respond(statuses[message], message=message) for message in order]
    peer = scripted_peer([accept(user=item(4)), *[expect_message()] * 4, *answers, release()])
    assert sent(tmp_path, 4, peer, 4) == [(State.ANSWERED, status) for status in statuses.values()]


def test_the_window_slides(scripted_peer: Peer, tmp_path: Path) -> None:
    steps: list[Step] = [accept(user=item(2)), expect_message(), expect_message()]
    for _ in range(3):
        steps += [respond(message=-2), expect_message()]
    peer = scripted_peer([*steps, respond(message=-2), respond(message=-1), release()])
    assert sent(tmp_path, 5, peer, 2) == [(State.ANSWERED, 0)] * 5
    assert [message.message_id for message in peer.messages] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("end", [send(pdus.abort(0, 0)), close()], ids=["abort", "close"])
def test_what_was_answered_before_the_end_counts(end: Step, scripted_peer: Peer, tmp_path: Path) -> None:
    """Two of four were answered, then the association ends: the other two were not, and nobody else is blamed."""

    def at_once(connection: Connection) -> None:
        for message in (-4, -2):
            respond(message=message)(connection)

    peer = scripted_peer([accept(user=item(4)), *[expect_message()] * 4, at_once, end, drain()])
    expected = [(State.ANSWERED, 0), (State.FAILED, None)] * 2
    assert sent(tmp_path, 4, peer, 4, halt=True) == expected


def test_answered_while_sending_and_then_aborted(scripted_peer: Peer, tmp_path: Path) -> None:
    """The responses wait in front of the abort when the next request is about to go out."""
    heard: list[Step] = [expect_message(), expect_message(), expect_message()]

    def answer_and_abort(connection: Connection) -> None:
        responses = [pdus.store_rsp(message, status=0) for message in connection.messages[:2]]
        connection.socket.sendall(b"".join((*responses, pdus.abort(0, 0))))

    peer = scripted_peer([accept(user=item(3)), *heard, answer_and_abort, drain()])
    results = sent(tmp_path, 6, peer, 3, halt=True)
    assert results == [(State.ANSWERED, 0)] * 2 + [(State.FAILED, None)] + [(State.PENDING, None)] * 3


def test_a_response_to_nothing_ends_the_association(scripted_peer: Peer, tmp_path: Path) -> None:
    script = [accept(user=item(2)), expect_message(), expect_message(), respond(message_id=77), expect(pdus.A_ABORT)]
    peer = scripted_peer([*script, drain()])
    assert sent(tmp_path, 3, peer, 2, halt=True) == [(State.FAILED, None)] * 2 + [(State.PENDING, None)]


@pytest.mark.parametrize("window", [-1, 65536])
def test_what_16_bits_cannot_hold(window: int) -> None:
    with pytest.raises(dcmsend.DcmsendError, match="async_window must be from 0 to 65535"):
        Limits(async_window=window)


@pytest.mark.parametrize("server", ["storescp", "dcmrecv", "pynetdicom_scp"])
def test_servers_that_do_not_answer_it(
    server: str, request: pytest.FixtureRequest, run_dcmsend: Callable[..., Any], tmp_path: Path
) -> None:
    """None of them takes more than one: it is asked for all the same, and all is stored."""
    running = request.getfixturevalue(server)()
    for number in range(1, 6):
        (tmp_path / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    done = run_dcmsend("--async-window", "16", "127.0.0.1", running.port, *sorted(tmp_path.glob("*.dcm")))
    assert done.returncode == 0, done.stderr
    assert len(running.stored()) == 5


LARGE = 16 << 20  # bytes: more than the buffers between two sockets hold


def large(folder: Path, peer: ScriptedPeer) -> tuple[State, int | None, Reason]:
    """Send one large instance; its state, status and reason."""
    path = folder / "large.dcm"
    path.write_bytes(part10(CT, "1.2.3.1", value=bytes(LARGE)))
    with dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), [str(path)], timeouts=WAIT) as report:
        ((_, outcome),) = report.rows()
        return outcome.state, outcome.status, outcome.reason


def early(status: int, message_id: int = 1) -> bytes:
    """A response, made without having read the request."""
    message = pdus.Message(1, {0x0002: b"1.2\0", 0x0110: struct.pack("<H", message_id), 0x1000: b"1.2\0"}, None)
    return pdus.store_rsp(message, status=status)


@pytest.mark.parametrize(
    ("status", "state"),
    [(0, State.FAILED), (0xB000, State.FAILED), (0xA700, State.ANSWERED)],
    ids=["success", "warning", "refused"],
)
def test_what_was_not_sent_whole_is_not_stored_whatever_the_peer_says(
    status: int, state: State, scripted_peer: Peer, tmp_path: Path
) -> None:
    script = [accept(), expect(pdus.P_DATA_TF), send(early(status) + pdus.abort()), drain()]
    peer = scripted_peer(script, receive_buffer=4096)
    found, answered, reason = large(tmp_path, peer)
    assert (found, answered) == (state, status if state is State.ANSWERED else None)
    assert reason.innermost.code == ("" if state is State.ANSWERED else "early_success")


def test_responses_without_end_do_not_fill_the_memory(scripted_peer: Peer, tmp_path: Path) -> None:
    """A peer that answers a large instance a million times before it has taken it."""

    def flood(connection: Connection) -> None:
        try:
            for _ in range(1000):
                connection.socket.sendall(early(0) * 1000)
        except ConnectionError:
            return
        raise AssertionError("all of it was taken")

    peer = scripted_peer([accept(), expect(pdus.P_DATA_TF), flood], receive_buffer=4096)
    state, _, reason = large(tmp_path, peer)
    assert state is State.FAILED
    assert reason.innermost == because("early_success", message_id=1)
