"""Rules that senders learned the hard way, each as a test: what others' defects cost their users, ours must not.

The peer is scripted. A rule about retrying holds for what there is now: one try for each instance, and with ``-nh`` a
new association for those that were not tried.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import dcmsend
from dcmsend import errors
from dcmsend.events import AssociationRequested, Event, InstanceFinished, InstanceStarted
from dcmsend.model import Decompression, Limits, Policy, State, Timeouts
from dcmsend.plan import Wishes, pack
from dcmsend.reasons import NONE
from tests.support import pdus, report
from tests.support.builder import part10
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    ScriptError,
    Step,
    accept,
    close,
    drain,
    expect,
    expect_bytes,
    expect_message,
    reject,
    release,
    respond,
    send,
    store,
)

Peer = Callable[..., ScriptedPeer]
Command = Callable[..., CompletedProcess[str]]

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
CAP = 131072  # bytes: our own limit for a peer without one
WAIT = Timeouts(dimse=0.2)


def write(folder: Path, count: int, *, sop_class: str = CT, size: int = 0) -> list[str]:
    paths = []
    for number in range(1, count + 1):
        path = folder / f"{number:03}.dcm"
        path.write_bytes(part10(sop_class, f"1.2.3.{number}", value=bytes(size)))
        paths.append(str(path))
    return paths


def window(invoked: int, performed: int) -> bytes:
    """An asynchronous operations window sub-item (PS3.7 D.3.3.3)."""
    return pdus.item(0x53, struct.pack(">HH", invoked, performed))


WINDOWS = {
    "no item": b"",
    "no limit": window(0, 0),
    "five": window(5, 5),
    "one": window(1, 1),
    "many": window(65535, 1),
}


@pytest.mark.parametrize("item", WINDOWS.values(), ids=WINDOWS.keys())
def test_window_that_was_not_asked_for_is_one(item: bytes, scripted_peer: Peer, tmp_path: Path) -> None:
    """Rule 1: nothing is proposed, so whatever the acceptance says, the second request waits for the first response.

    The peer leaves the second instance without a response: all that may come next is the abort.
    """
    peer = scripted_peer([accept(user=item), store(), expect_message(), expect(pdus.A_ABORT), drain()])
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, write(tmp_path, 4), timeouts=WAIT) as done:
        assert [outcome.state for _, outcome in done.rows()] == [
            State.ANSWERED,
            State.FAILED,
            State.PENDING,
            State.PENDING,
        ]
    request = peer.connections[0].request
    assert request is not None
    assert 0x53 not in request.user


def shorten(path: Path) -> None:
    os.truncate(path, 1 << 20)


def overwrite(path: Path) -> None:
    """Somebody writes into it where it has not been read yet."""
    with path.open("r+b") as stream:
        stream.seek(63 << 20)
        stream.write(b"else")
    os.utime(path, (1, 1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (shorten, "the file became shorter while it was being sent"),
        (overwrite, "the file changed while it was being sent"),
    ],
)
@pytest.mark.parametrize("halt", [True, False], ids=["halt", "no halt"])
def test_association_with_half_an_object_is_aborted_and_never_used_again(
    halt: bool, change: Callable[[Path], None], reason: str, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 2: a file that changes while it is sent cannot be finished; the peer must not take it for whole."""
    large, small = tmp_path / "large.dcm", tmp_path / "small.dcm"
    large.write_bytes(part10(CT, "1.2.3.1", value=bytes(64 << 20)))
    small.write_bytes(part10(CT, "1.2.3.2"))

    def change_it(connection: Connection) -> None:
        change(large)

    first = [accept(), expect_bytes(100_000), change_it, drain()]
    peer = scripted_peer(*([first] if halt else [first, [accept(), store(), release()]]), receive_buffer=65536)
    path = tmp_path / "report.txt"
    words = ("+crf", path, *(() if halt else ("-nh",)), "127.0.0.1", peer.port, large, small)
    done = run_dcmsend(*words, timeout=30)
    assert peer.connections[0].received.endswith(pdus.abort(0, 0))
    assert done.returncode == (62 if halt else 66)
    rows = report.rows(path)
    assert rows[0]["DIMSE Status"] == "<not sent>"
    assert rows[0]["Reason"] == reason
    assert rows[1]["DIMSE Status"] == ("<not sent>" if halt else "0x0000 (Success)")


def test_association_that_timed_out_is_aborted_and_never_used_again(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 2: what did not answer in time may answer too late; its association ends with an abort."""
    late = [accept(), expect_message(), expect(pdus.A_ABORT), respond(), drain()]
    peer = scripted_peer(late, [accept(), store(), release()])
    done = run_dcmsend("-nh", "-td", "1", "127.0.0.1", peer.port, *write(tmp_path, 2), timeout=20)
    assert done.returncode == 66
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.1", "1.2.3.2"]


def test_release_waits_for_the_last_response(scripted_peer: Peer, tmp_path: Path) -> None:
    """Rule 3: after the last instance nothing is sent before its response; without one, an abort, never a release."""
    peer = scripted_peer([accept(), expect_message(), expect(pdus.A_ABORT), drain()])
    with dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), write(tmp_path, 1), timeouts=WAIT) as done:
        assert isinstance(done.error, errors.RunStopped)
    assert pdus.A_RELEASE_RQ not in [kind for kind, _ in peer.connections[0].received_pdus]


def test_message_ids_differ_on_an_association(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    """Rule 4: a response is matched by its Message ID (the wrap at 65535 is tested with the association)."""
    peer = scripted_peer([accept(), *[store()] * 20, release()])
    assert run_dcmsend("127.0.0.1", peer.port, *write(tmp_path, 20)).returncode == 0
    assert [message.message_id for message in peer.messages] == list(range(1, 21))


@pytest.mark.parametrize("wrong", [0, 2, 65535])
def test_response_to_another_message_counts_for_nobody(
    wrong: int, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 4: a response whose Message ID was not asked ends the association and makes nothing stored."""
    peer = scripted_peer([accept(), expect_message(), respond(message_id=wrong), expect(pdus.A_ABORT), drain()])
    path = tmp_path / "report.txt"
    done = run_dcmsend("+crf", path, "127.0.0.1", peer.port, *write(tmp_path, 1))
    assert done.returncode == 62
    assert f"answered Message ID {wrong}, which was not asked" in done.stderr
    assert report.rows(path)[0]["DIMSE Status"] == "<not sent>"


def test_presentation_context_ids_are_odd_and_unique(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    """Rule 5: 1 to 255, odd, each once on an association, and each instance over one of its class.

    Each class has two: one for its files as they are, one for what they can be converted to.
    """
    for number in range(1, 131):
        name = tmp_path / f"{number:03}.dcm"
        name.write_bytes(part10(f"{MR}.{number}", f"1.2.3.{number}"))
    full = [accept(), *[store()] * 64, release()]
    peer = scripted_peer(full, full, [accept(), store(), store(), release()])
    assert run_dcmsend("-nuc", "+sd", "127.0.0.1", peer.port, tmp_path).returncode == 0
    offered = []
    for connection in peer.connections:
        assert connection.request is not None
        offered.append({offer.context_id: offer.abstract_syntax for offer in connection.request.offers})
        assert len(offered[-1]) == len(connection.request.offers)
        assert all(offered[-1][message.context_id] == message.sop_class for message in connection.messages)
    assert [sorted(ids) for ids in offered] == [list(range(1, 256, 2)), list(range(1, 256, 2)), [1, 3, 5, 7]]


# (limit of the peer, our --max-send-pdu, the longest P-DATA-TF that may and should come)
LENGTHS = [
    (4096, None, 4096),
    (16384, None, 16384),
    (16382, None, 16382),
    (16381, None, 16380),
    (65535, None, 65534),
    (131072, None, CAP),
    (200_000, None, CAP),
    (0, None, CAP),
    (0xFFFFFFFF, None, CAP),
    (0, 4097, 4096),
    (16384, 4097, 4096),
    (4096, 16384, 4096),
    (1001, None, 1000),
]


@pytest.mark.parametrize(("limit", "ours", "longest"), LENGTHS)
def test_maximum_length_of_the_peer_is_kept_and_pieces_are_even(
    limit: int, ours: int | None, longest: int, scripted_peer: Peer, tmp_path: Path
) -> None:
    """Rule 6: no P-DATA-TF is longer than the peer takes (0 is no limit, then ours counts), and each piece is even."""
    peer = scripted_peer([accept(max_pdu=limit), store(), release()])
    (path,) = write(tmp_path, 1, size=300_000)
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, [path], limits=Limits(max_send_pdu=ours)) as done:
        assert done.complete
    bodies = [body for kind, body in peer.connections[0].received_pdus if kind == pdus.P_DATA_TF]
    assert max(map(len, bodies)) == longest
    pieces = [fragment for body in bodies for _, _, _, fragment in pdus.parse_pdvs(body)]
    assert [len(piece) for piece in pieces if len(piece) % 2] == []
    assert peer.messages[0].dataset == Path(path).read_bytes()[-len(peer.messages[0].dataset or b"") :]


def test_uids_are_unpadded_in_the_negotiation_and_even_in_the_command(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 7: PS3.8 F.1 knows no padding, PS3.7 6.3.1 wants even values; UIDs of odd and of even length."""
    peer = scripted_peer([accept(), *[store()] * 2, release()])
    odd, even = tmp_path / "1.dcm", tmp_path / "2.dcm"
    odd.write_bytes(part10(CT, "1.2.3"))
    even.write_bytes(part10(CT + ".12", "1.2.34", transfer_syntax=IMPLICIT, data_set=implicit(CT + ".12", "1.2.34")))
    done = run_dcmsend("-nuc", "127.0.0.1", peer.port, odd, even)
    assert done.returncode == 0, done.stderr
    (_, body), *_ = peer.connections[0].received_pdus
    request = peer.connections[0].request
    assert request is not None
    assert [offer.abstract_syntax for offer in request.offers] == [CT, CT, CT + ".12", CT + ".12"]
    assert [offer.transfer_syntaxes for offer in request.offers] == [(EXPLICIT,), (IMPLICIT,), (IMPLICIT,), (EXPLICIT,)]
    assert pdus.item(0x10, b"1.2.840.10008.3.1.1.1") in body
    assert [value[-1:] for value in request.user[0x52]] != [b"\0"]
    commands = [(message.command[0x0002], message.command[0x1000]) for message in peer.messages]
    assert commands == [(CT.encode() + b"\0", b"1.2.3\0"), (CT.encode() + b".12", b"1.2.34")]
    for message in peer.messages:
        rest = sum(8 + len(value) for tag, value in message.command.items() if tag)
        assert message.command[0x0000] == struct.pack("<I", rest)


def implicit(sop_class: str, sop_instance: str) -> bytes:
    """An implicit VR little endian data set with nothing but its UIDs."""
    values = ((0x0016, sop_class.encode()), (0x0018, sop_instance.encode()))
    padded = ((tag, value + b"\0" * (len(value) % 2)) for tag, value in values)
    return b"".join(struct.pack("<HHI", 8, tag, len(value)) + value for tag, value in padded)


RETRYABLE = {
    errors.AssociationAborted,
    errors.ConnectError,
    errors.ConnectionLost,
    errors.PeerTimeout,
    errors.ReleaseRequested,
}


def test_only_failures_of_the_transport_are_retryable() -> None:
    """Rule 8: what the peer understood and refused, and what we cannot read, will not be better the next time."""
    found = {kind for name in dir(errors) if isinstance(kind := getattr(errors, name), type)}
    kinds = {kind for kind in found if issubclass(kind, errors.DcmsendError)}
    assert {kind for kind in kinds if kind.retryable} == RETRYABLE
    assert len(kinds) > 20


@pytest.mark.parametrize(("result", "retryable"), [(1, False), (2, True), (9, False)])
def test_only_a_rejection_for_now_is_retryable(result: int, retryable: bool) -> None:
    """Rule 9."""
    assert errors.AssociationRejected(result, 1, 1, "").retryable is retryable


@pytest.mark.parametrize("status", [0xA700, 0x0122, 0x0124, 0xA900, 0xC000])
def test_refused_instance_is_not_sent_again(
    status: int, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 8: whatever the class of the refusal, this version tries once, tells it and goes on."""
    peer = scripted_peer([accept(), store(status), store(), release()])
    assert run_dcmsend("127.0.0.1", peer.port, *write(tmp_path, 2)).returncode == 66
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.1", "1.2.3.2"]


@pytest.mark.parametrize("options", [(), ("-nh",)], ids=["halt", "no halt"])
@pytest.mark.parametrize("result", [1, 2], ids=["permanent", "transient"])
def test_rejected_association_is_asked_for_once(
    result: int, options: Sequence[str], scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 9: no second connection, not even for a second set of 128 contexts; the reason stands in one line."""
    for number in range(1, 131):
        (tmp_path / f"{number:03}.dcm").write_bytes(part10(f"{MR}.{number}", f"1.2.3.{number}"))
    peer = scripted_peer([reject(result, 1, 1), drain()])
    path = tmp_path / "report.txt"
    done = run_dcmsend("-nuc", *options, "+sd", "+sp", "*.dcm", "+crf", path, "127.0.0.1", peer.port, tmp_path)
    assert done.returncode == 61
    assert done.stderr.count("F: association rejected: ") == 1
    assert len(peer.connections) == 1
    assert len(report.rows(path)) == 130


def test_rejection_says_whether_it_is_for_now() -> None:
    """Rule 9: who wants to back off can tell."""
    assert errors.AssociationRejected(2, 3, 1, "").transient
    assert not errors.AssociationRejected(1, 3, 1, "").transient


@pytest.mark.parametrize("options", [(), ("-nh",), ("-ma",)], ids=["halt", "no halt", "single"])
@pytest.mark.parametrize("result", [1, 2, 3, 4])
def test_without_a_context_all_is_told_at_once_and_nothing_tried(
    result: int, options: Sequence[str], scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Rule 10: no C-STORE, no waiting one by one; every instance has its reason."""
    peer = scripted_peer([accept(result=result), release()])
    path = tmp_path / "report.txt"
    done = run_dcmsend(*options, "+crf", path, "127.0.0.1", peer.port, *write(tmp_path, 5))
    assert done.returncode == (65 if options == ("-ma",) else 66)
    assert peer.messages == []
    rows = report.rows(path)
    assert len(rows) == 5
    assert all("no acceptable presentation context" in row["Reason"] for row in rows)


WAYS_OUT: dict[str, tuple[Sequence[Step] | None, Sequence[str], int]] = {
    "all stored": ([accept(), store(), store(), release()], (), 0),
    "one refused": ([accept(), store(0xA700), store(), release()], (), 66),
    "rejected": ([reject(), drain()], (), 61),
    "closed": ([close()], (), 61),
    "aborted": ([accept(), store(), expect_message(), send(pdus.abort()), drain()], (), 62),
    "no context, single association": ([accept(result=3), release()], ("-ma",), 65),
    "timed out": ([accept(), expect_message(), expect(pdus.A_ABORT), drain()], ("-td", "1"), 62),
    "nobody listens": (None, (), 61),
    "invalid input": (None, ("missing.dcm",), 22),
    "no valid input": (None, ("-nh", "missing.dcm"), 23),
}


@pytest.mark.parametrize(("script", "words", "code"), WAYS_OUT.values(), ids=WAYS_OUT.keys())
def test_report_is_written_on_every_way_out(
    script: Sequence[Step] | None,
    words: Sequence[str],
    code: int,
    scripted_peer: Peer,
    run_dcmsend: Command,
    tmp_path: Path,
) -> None:
    """Rule 11 (the ways out with Ctrl-C are among the tests of interrupts)."""
    path = tmp_path / "report.txt"
    peer = scripted_peer(*([script] if script else []))
    port = peer.port
    if script is None:
        peer.stop()
    files = write(tmp_path, 2) if "missing.dcm" not in words else ["missing.dcm"]
    options = [word for word in words if word != "missing.dcm"]
    done = run_dcmsend(*options, "+crf", path, "127.0.0.1", port, *files, timeout=20)
    assert done.returncode == code, done.stderr
    assert f"Number of SOP instances  : {0 if code in (22, 23) else 2}" in path.read_text()


IDLE_ENDS: dict[str, Sequence[Step]] = {
    "closed": [close()],
    "aborted": [send(pdus.abort(2, 0)), close()],
    "released": [send(pdus.release_rq()), expect(pdus.A_ABORT), drain()],
}


class Idle:
    """Listens to a run, and after the first instance waits until the peer has ended the association."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, InstanceFinished) and event.outcome.number == 1:
            assert self.ended.wait(20)

    def end(self, connection: Connection) -> None:
        self.ended.set()


@pytest.mark.parametrize("ends", IDLE_ENDS.values(), ids=IDLE_ENDS.keys())
def test_association_lost_while_idle_does_not_lose_the_next_object(
    ends: Sequence[Step], scripted_peer: Peer, tmp_path: Path
) -> None:
    """Rule 12: nothing of the next instance was sent when the peer ended the association: it goes over a new one."""
    idle = Idle()
    peer = scripted_peer([accept(), store(), ends[0], idle.end, *ends[1:]], [accept(), store(), store(), release()])
    target = dcmsend.Peer(host="127.0.0.1", port=peer.port)
    with dcmsend.send(target, write(tmp_path, 3), policy=Policy(halt=False), listener=idle) as done:
        assert done.complete
        assert [outcome.association for _, outcome in done.rows()] == [1, 2, 2]
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    started = [event.number for event in idle.events if isinstance(event, InstanceStarted)]
    assert started == [1, 2, 3]


def test_association_lost_while_idle_ends_the_run_that_halts(scripted_peer: Peer, tmp_path: Path) -> None:
    """Rule 12, where the run halts on the first failure: the others are told as not tried."""
    idle = Idle()
    peer = scripted_peer([accept(), store(), close(), idle.end])
    with dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), write(tmp_path, 3), listener=idle) as done:
        assert isinstance(done.error, errors.RunStopped)
        assert [outcome.state for _, outcome in done.rows()] == [State.ANSWERED, State.PENDING, State.PENDING]
    assert sum(isinstance(event, AssociationRequested) for event in idle.events) == 1


def test_contexts_are_packed_with_odd_ids() -> None:
    """Rule 5, for any number of contexts."""
    keys = [(f"1.2.{number}", IMPLICIT) for number in range(300)]
    groups = pack(keys, Wishes(Policy(), Decompression.LOSSLESS, lambda syntax: NONE))
    ids = [[context.context_id for context in group.contexts] for group in groups]
    assert [len(group) for group in ids] == [128, 128, 128, 128, 88]
    assert all(group == list(range(1, 2 * len(group), 2)) for group in ids)


def test_scripted_peer_would_see_a_second_request(scripted_peer: Peer, tmp_path: Path) -> None:
    """The peer of these tests does tell two requests without a response between them."""
    peer = ScriptedPeer([accept(), expect_message(), expect_message()])
    with dcmsend.send(dcmsend.Peer(host="127.0.0.1", port=peer.port), write(tmp_path, 2), timeouts=WAIT) as done:
        assert not done.complete
    with pytest.raises(ScriptError, match="expected P-DATA-TF, got PDU type 0x07"):
        peer.stop()
