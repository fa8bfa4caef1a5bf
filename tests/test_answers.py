"""What peers answer, and what that is worth: each answer field wrong, early, twice, late; and what they are not.

The other side follows a script. What it has received is looked at once it has ended.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import dcmsend
from dcmsend import Limits, Outcome, Peer, Policy, Retries, State, Timeouts
from dcmsend.cli.names import OPTIONS
from dcmsend.errors import DcmsendError
from dcmsend.events import AssociationEnded, Event, InstanceFinished
from dcmsend.model import Notice
from dcmsend.reasons import Reason, because
from tests.support import pdus
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    answer,
    close,
    drain,
    expect,
    expect_message,
    reject,
    release,
    reset,
    respond,
    send,
    stall,
    store,
)

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
Script = Callable[..., ScriptedPeer]
SHORT: Final = Timeouts(connect=10, acse=10, dimse=None, socket=0.05)
HALT: Final = Policy()
GO_ON: Final = Policy(halt=False)


def files(folder: Path, count: int = 1, size: int = 64) -> list[str]:
    paths = [folder / f"{number}.dcm" for number in range(1, count + 1)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(size)))
    return [str(path) for path in paths]


class Sent:
    """What came of a run."""

    def __init__(self, peer: ScriptedPeer, paths: list[str], policy: Policy = GO_ON, **settings: Any) -> None:
        self.events: list[Event] = []
        target = Peer(host="127.0.0.1", port=peer.port)
        with dcmsend.send(target, paths, policy=policy, listener=self.events.append, **settings) as report:
            self.outcomes: list[Outcome] = [outcome for _, outcome in report.rows()]
            self.error: DcmsendError | None = report.error

    @property
    def ends(self) -> list[Reason]:
        return [event.reason for event in self.events if isinstance(event, AssociationEnded)]


def answered(
    *, sop_class: str = CT, sop_instance: str = "1.2.3.1", context_id: int | None = None, status: int = 0
) -> Step:
    """Answer the last request as if it had been for something else."""

    def build(connection: Connection) -> bytes:
        request = connection.messages[-1]
        command = {**request.command, 0x0002: _uid(sop_class), 0x1000: _uid(sop_instance)}
        message = pdus.Message(context_id or request.context_id, command, None)
        return pdus.store_rsp(message, status=status)

    return answer(build)


def _uid(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def response(*elements: tuple[int, bytes], message_id: int = 1, status: int = 0, data_set: int = 0x0101) -> bytes:
    """A C-STORE-RSP without UIDs."""
    numbers = [(0x0100, 0x8001), (0x0120, message_id), (0x0800, data_set), (0x0900, status)]
    return pdus.p_data(1, pdus.command_set(*((tag, struct.pack("<H", value)) for tag, value in numbers), *elements))


OTHERS: Final = {
    "instance": (
        answered(sop_instance="1.2.3.9"),
        because("answered_for_other_instance", answered="1.2.3.9", sent="1.2.3.1"),
    ),
    "class": (answered(sop_class="1.2.9"), because("answered_for_other_class", answered="1.2.9", sent=CT)),
    "context": (answered(context_id=3), because("answered_in_other_context", answered=3, sent=1)),
    "warning": (
        answered(sop_instance="1.2.3.9", status=0xB000),
        because("answered_for_other_instance", answered="1.2.3.9", sent="1.2.3.1"),
    ),
}


@pytest.mark.parametrize(("step", "reason"), OTHERS.values(), ids=OTHERS.keys())
def test_a_success_for_something_else_is_none(
    step: Step, reason: Reason, scripted_peer: Script, tmp_path: Path
) -> None:
    """It costs that instance; the association goes on."""
    peer = scripted_peer([accept(), expect_message(), step, store(), release()])
    done = Sent(peer, files(tmp_path, 2))
    assert [(outcome.state, outcome.status) for outcome in done.outcomes] == [
        (State.FAILED, None),
        (State.ANSWERED, 0),
    ]
    assert done.outcomes[0].reason == reason
    assert done.outcomes[0].attempts == 1


def test_a_refusal_for_something_else_is_one(scripted_peer: Script, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), expect_message(), answered(sop_instance="1.9", status=0xA700), release()])
    (outcome,) = Sent(peer, files(tmp_path)).outcomes
    assert (outcome.state, outcome.status) == (State.ANSWERED, 0xA700)


@pytest.mark.parametrize("uids", [(), ((0x1000, b"1.2.3.1\0"),), ((0x1000, b""),)])
def test_an_answer_need_not_say_what_it_is_for(
    uids: tuple[tuple[int, bytes], ...], scripted_peer: Script, tmp_path: Path
) -> None:
    (outcome,) = Sent(
        scripted_peer([accept(), expect_message(), send(response(*uids)), release()]), files(tmp_path)
    ).outcomes
    assert outcome.stored


LARGE: Final = 8 << 20  # bytes: more than the buffers between two sockets hold


def test_success_before_the_end_is_an_error_though_the_sending_ends_well(scripted_peer: Script, tmp_path: Path) -> None:
    """The peer says so in the middle of a data set, and then takes the rest of it."""
    peer = scripted_peer([accept(), expect(pdus.P_DATA_TF), send(response()), drain()], receive_buffer=4096)
    done = Sent(peer, files(tmp_path, size=LARGE))
    (outcome,) = done.outcomes
    assert (outcome.state, outcome.reason.innermost) == (State.FAILED, because("early_success", message_id=1))
    peer.stop()
    assert peer.connections[0].received.endswith(pdus.abort(0, 0))


def test_two_statuses_are_none(scripted_peer: Script, tmp_path: Path) -> None:
    twice = response((0x0900, b"\0\xa7"))
    peer = scripted_peer([accept(), expect_message(), send(twice), expect(pdus.A_ABORT), drain()])
    (outcome,) = Sent(peer, files(tmp_path)).outcomes
    assert outcome.state is State.FAILED
    assert outcome.reason.innermost == because("twice_in_command", tag="(0000,0900)")


@pytest.mark.parametrize(("field", "name"), [(0x0030, "C-ECHO-RQ"), (0x0100, "N-EVENT-REPORT-RQ")])
def test_a_request_of_the_peer_is_called_that(field: int, name: str, scripted_peer: Script, tmp_path: Path) -> None:
    elements = ((0x0100, field), (0x0110, 1), (0x0800, 0x0101))
    request = pdus.p_data(1, pdus.command_set(*((tag, struct.pack("<H", value)) for tag, value in elements)))
    peer = scripted_peer([accept(), expect_message(), send(request), expect(pdus.A_ABORT), drain()])
    (outcome,) = Sent(peer, files(tmp_path)).outcomes
    assert str(outcome.reason).endswith(f"peer broke the protocol: it sent a request of its own ({name})")


# --- messages that begin and do not end


def test_the_status_counts_though_a_data_set_is_announced_that_never_comes(
    scripted_peer: Script, tmp_path: Path
) -> None:
    with_data = [send(response(message_id=1, data_set=1)), expect_message(), send(response(message_id=2, data_set=1))]
    peer = scripted_peer([accept(), expect_message(), *with_data, release()])
    done = Sent(peer, files(tmp_path, 2))
    assert [outcome.stored for outcome in done.outcomes] == [True, True]
    assert done.ends == [Reason()]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (pdus.p_data(1, b"\0\0\0\0\4\0\0\0", last=False), []),
        (response(data_set=1) + pdus.p_data(1, b"ab", command=False, last=False), [True]),
    ],
    ids=["command", "data set"],
)
def test_a_message_that_has_begun_is_waited_for_no_longer_than_the_socket_timeout(
    said: bytes, stored: list[bool], scripted_peer: Script, tmp_path: Path
) -> None:
    """There is no DIMSE timeout."""
    more = [expect_message()] if stored else []
    peer = scripted_peer([accept(), expect_message(), send(said), *more, drain()])
    done = Sent(peer, files(tmp_path, 2), HALT, timeouts=SHORT)
    assert [outcome.stored for outcome in done.outcomes[: len(stored)]] == stored
    failed = done.outcomes[len(stored)]
    assert (failed.state, failed.reason.innermost) == (State.FAILED, because("message_timeout", seconds="0.05"))


# --- hints


def hint_of(error: DcmsendError | None) -> str:
    assert error is not None
    return error.hint_in(OPTIONS)


NOT_DICOM: Final = {
    "HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
    "HTML": (b"<html><body>Bad Request</body></html>", "HTTP"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    "SMTP": (b"220 mail.example.org ESMTP\r\n", "FTP or SMTP"),
}


@pytest.mark.parametrize(("said", "name"), NOT_DICOM.values(), ids=NOT_DICOM.keys())
def test_a_peer_of_another_kind_is_named(said: bytes, name: str, scripted_peer: Script, tmp_path: Path) -> None:
    done = Sent(scripted_peer([send(said), drain()]), files(tmp_path), HALT)
    assert done.error is not None
    assert str(done.error) == f"the peer speaks {name}, not DICOM"
    assert hint_of(done.error) == "Another kind of server listens on this port: is it the right one?"


def test_a_peer_that_lets_in_and_aborts_may_not_know_us(scripted_peer: Script, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), expect_message(), send(pdus.abort(0, 0)), drain()])
    done = Sent(peer, files(tmp_path), HALT)
    assert str(done.error) == (
        "cannot send SOP instance: peer aborted the association: by the receiving application, without a reason"
    )
    assert "(--aetitle)" in hint_of(done.error)
    assert "TLS" not in hint_of(done.error)


def test_a_peer_that_has_answered_before_knows_us(scripted_peer: Script, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), send(pdus.abort(0, 0)), drain()])
    done = Sent(peer, files(tmp_path, 2), HALT)
    assert "--aetitle" not in hint_of(done.error)


@pytest.mark.parametrize("end", [close(), reset()], ids=["close", "reset"])
def test_a_server_that_was_reached_before_does_not_expect_tls(end: Step, scripted_peer: Script, tmp_path: Path) -> None:
    """It had accepted an association, and ends the next one before it answers."""
    first = [accept(), store(), expect_message(), close()]
    peer = scripted_peer(first, [expect(pdus.A_ASSOCIATE_RQ), end])
    done = Sent(peer, files(tmp_path, 3))
    assert done.ends[-1].code == "lost_again"
    assert "TLS" not in hint_of(done.error)
    assert "reached before" in hint_of(done.error)


def test_a_server_that_is_gone_is_called_that(scripted_peer: Script, tmp_path: Path) -> None:
    silent, other = socket.socketpair()
    with other:
        peer = scripted_peer([accept(), store(), _close_listener(lambda: peer, silent), expect_message(), close()])
        done = Sent(peer, files(tmp_path, 3))
        peer.stop()
    assert done.ends[-1].code == "server_gone"
    assert done.ends[-1].innermost.code == "connection_refused"
    assert "TLS" not in hint_of(done.error)


def _close_listener(peer: Callable[[], ScriptedPeer], silent: socket.socket) -> Step:
    """From now on nobody listens there: the peer has a socket instead that nothing comes from."""

    def step(_: Connection) -> None:
        peer()._listener.close()
        peer()._listener = silent

    return step


# --- endings, waits and times


def test_an_abort_in_answer_to_the_release_is_a_warning(
    scripted_peer: Script, tmp_path: Path, run_dcmsend: Callable[..., Any]
) -> None:
    """Neither an error nor silent: all had been answered by then."""
    script = [accept(), store(), expect(pdus.A_RELEASE_RQ), send(pdus.abort(2, 1)), drain()]
    peer = scripted_peer(script, script)
    done = Sent(peer, files(tmp_path), HALT)
    assert done.error is None
    (end,) = done.ends
    assert (end.code, end.innermost.code) == ("not_released", "aborted_unrecognised_pdu")
    told = run_dcmsend("127.0.0.1", str(peer.port), *files(tmp_path), timeout=30)
    assert told.returncode == 0
    assert told.stderr == (
        "W: association #1 has ended: the peer did not confirm the release: peer aborted the association:"
        " its service provider says: it did not recognise a PDU\n"
    )


@pytest.mark.parametrize("associations", [1, 2])
def test_a_wait_before_another_attempt_is_told(associations: int, scripted_peer: Script, tmp_path: Path) -> None:
    peer = scripted_peer([reject(2, 3, 2)], [accept(), store(), release()])
    retries, limits = Retries(count=1, delay=0.5), Limits(associations=associations)
    done = Sent(peer, files(tmp_path), retries=retries, limits=limits)
    assert [outcome.stored for outcome in done.outcomes] == [True]
    told = [event.text for event in done.events if isinstance(event, Notice)]
    assert len(told) == 1
    assert re.fullmatch(r"waiting 0\.[2-5] s before the next association", told[0])


@pytest.mark.parametrize("associations", [1, 3])
def test_response_times_are_those_of_the_peer(associations: int, scripted_peer: Script, tmp_path: Path) -> None:
    """However late the listener hears of things: from the request to the response, by the one who asks."""
    peer = scripted_peer([accept(), expect_message(), stall(), respond(), release()])
    heard: list[float | None] = []

    def listen(event: Event) -> None:
        if isinstance(event, dcmsend.InstanceStarted):
            peer.go_on()
        if isinstance(event, InstanceFinished):
            heard.append(event.seconds)

    target = Peer(host="127.0.0.1", port=peer.port)
    limits = Limits(associations=associations)
    dcmsend.send(target, files(tmp_path), limits=limits, listener=listen).close()
    (seconds,) = heard
    assert seconds is not None
    assert seconds > 1e-5
