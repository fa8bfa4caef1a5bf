"""Peers that reject, abort, close, stall, lie: each ends in time, with its exit code, one line of reason and a report.

The peer is scripted and knows nothing of our code. Exit codes are those of docs/exit-codes.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest

from tests.support import pdus
from tests.support.builder import part10
from tests.support.report import rows
from tests.support.scripted import (
    ScriptedPeer,
    Step,
    accept,
    answer,
    close,
    drain,
    expect,
    expect_bytes,
    expect_close,
    expect_message,
    reject,
    release,
    reset,
    respond,
    send,
    send_bytewise,
    stall,
    store,
)

Peer = Callable[..., ScriptedPeer]
Command = Callable[..., CompletedProcess[str]]

CT = "1.2.840.10008.5.1.4.1.1.2"
BASELINE = "1.2.840.10008.1.2.4.50"
ABORT_FROM_US = 0x07
WRONG_ID = answer(lambda c: pdus.store_rsp(c.messages[-1], message_id=4711))
ECHO_RESPONSE = answer(lambda c: pdus.echo_rsp(c.messages[-1]))


class Fault(NamedTuple):
    """A script, the options that go with it, the exit code, and words of the reason on standard error."""

    script: Sequence[Step]
    code: int
    words: str
    options: tuple[str, ...] = ()


FAULTS = {
    # --- negotiation: exit code 61
    "rejects: called AE title": Fault([reject(1, 1, 7)], 61, "rejected: permanently: called AE title not recognised"),
    "rejects: calling AE title": Fault([reject(1, 1, 3)], 61, "rejected: permanently: calling AE title not recognised"),
    "rejects: no reason": Fault([reject(1, 1, 1)], 61, "rejected: permanently: no reason given"),
    "rejects: congestion": Fault([reject(2, 3, 1)], 61, "rejected: for now: temporary congestion"),
    "rejects: limit": Fault([reject(2, 3, 2)], 61, "rejected: for now: local limit of associations exceeded"),
    "rejects: unknown numbers": Fault([reject(9, 8, 7)], 61, "rejected: with result 9: reason 7 from source 8"),
    "aborts instead of accepting": Fault([expect(pdus.A_ASSOCIATE_RQ), send(pdus.abort(2, 1))], 61,
                                         "peer aborted the association: its service provider says: it did not recog"),
    "closes instead of accepting": Fault([expect(pdus.A_ASSOCIATE_RQ), close()], 61, "peer closed the connection"),
    "closes at once": Fault([close()], 61, "connection"),
    "resets instead of accepting": Fault([expect(pdus.A_ASSOCIATE_RQ), reset()], 61, "connection lost"),
    "stalls instead of accepting": Fault(
        [expect(pdus.A_ASSOCIATE_RQ), expect(ABORT_FROM_US), drain()], 61,
        "the answer to the association request took more than 1 seconds", ("-ta", "1")),
    "stalls within the acceptance": Fault(
        [expect(pdus.A_ASSOCIATE_RQ), send(b"\2\0\0\0\1\0\0\1"), expect(ABORT_FROM_US), drain()], 61,
        "the rest of a PDU took more than 1 seconds", ("--socket-timeout", "1")),
    "speaks HTTP": Fault([expect(pdus.A_ASSOCIATE_RQ), send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), drain()], 61,
                         "the peer speaks HTTP, not DICOM"),
    "announces 4 GB": Fault([expect(pdus.A_ASSOCIATE_RQ), send(b"\2\0\xff\xff\xff\xff"), drain()], 61,
                            "AssociateAccept PDU of 4294967295 bytes, more than"),
    "announces more than an acceptance can have": Fault(
        [expect(pdus.A_ASSOCIATE_RQ), send(b"\2\0\0\4\0\1"), drain()], 61,
        "AssociateAccept PDU of 262145 bytes, more than the 262144 allowed"),
    "accepts with an item that overruns": Fault(
        [expect(pdus.A_ASSOCIATE_RQ), send(pdus.pdu(2, struct.pack(">H", 1) + bytes(66) + b"\x21\0\xff\xff")), drain()],
        61, "65535 bytes expected, 0 there"),
    "accepts with rubbish": Fault([expect(pdus.A_ASSOCIATE_RQ), send(pdus.pdu(2, b"rubbish")), drain()], 61,
                                  "peer broke the protocol"),
    "takes PDUs of 7 bytes": Fault([accept(max_pdu=7), drain()], 61, "takes PDUs of at most 7 bytes"),
    "responds before it accepts": Fault(
        [expect(pdus.A_ASSOCIATE_RQ), send(pdus.p_data(1, b"")), drain()], 61, "P-DATA-TF while the association is"),
    # --- transfer: exit code 62
    "aborts after accepting": Fault([accept(), send(pdus.abort(0, 0)), drain()], 62, "peer aborted the association"),
    "aborts within the data set": Fault([accept(), expect_bytes(400), send(pdus.abort(2, 6)), drain()], 62,
                                        "it found an invalid value in a PDU parameter"),
    "aborts instead of responding": Fault([accept(), expect_message(), send(pdus.abort(0, 0)), drain()], 62,
                                          "peer aborted the association: by the receiving application"),
    "closes instead of responding": Fault([accept(), expect_message(), close()], 62, "peer closed the connection"),
    "closes within the response": Fault(
        [accept(), expect_message(), answer(lambda c: pdus.store_rsp(c.messages[-1])[:20]), close()], 62,
        "peer closed the connection in the middle of a PDU"),
    "resets within the data set": Fault([accept(), expect_bytes(400), reset()], 62, "connection lost"),
    "asks for release instead of responding": Fault([accept(), expect_message(), send(pdus.release_rq()),
                                                     expect(ABORT_FROM_US), drain()], 62, "peer asked to release"),
    "stalls instead of responding": Fault([accept(), expect_message(), expect(ABORT_FROM_US), drain()], 62,
                                          "the peer's response took more than 1 seconds", ("-td", "1")),
    "stalls within the response": Fault(
        [accept(), expect_message(), answer(lambda c: pdus.store_rsp(c.messages[-1])[:9]),
         expect(ABORT_FROM_US), drain()], 62, "the rest of a PDU took more than 1 seconds", ("--socket-timeout", "1")),
    "answers another Message ID": Fault([accept(), expect_message(), WRONG_ID, expect(ABORT_FROM_US), drain()], 62,
                                        "answered Message ID 4711, which was not asked"),
    "answers with another command": Fault([accept(), expect_message(), ECHO_RESPONSE, expect(ABORT_FROM_US), drain()],
                                          62, "answered with command 0x8030"),
    "answers with a command set of rubbish": Fault(
        [accept(), expect_message(), send(pdus.p_data(1, b"rubbish")), drain()], 62, "the command set ends within"),
    "answers with a data set": Fault(
        [accept(), expect_message(), send(pdus.p_data(1, b"rubbish", command=False)), drain()], 62,
        "a piece of a data set where a command was expected"),
    "answers with a PDU over our limit": Fault(
        [accept(), expect_message(), send(b"\4\0" + (16385).to_bytes(4, "big")), drain()], 62,
        "Data PDU of 16385 bytes, more than the 16384 allowed"),
    "answers with an unknown PDU": Fault([accept(), expect_message(), send(b"\x11\0\0\0\0\0"), drain()], 62,
                                         "unrecognised PDU type 0x11"),
    "accepts twice": Fault(
        [accept(), expect_message(), answer(lambda c: pdus.associate_ac(c.request) if c.request else b""), drain()], 62,
        "A-ASSOCIATE-AC while the association is established"),
    # --- refusals of the instance: exit code 66, after an orderly release
    "out of resources": Fault([accept(), store(0xA700, comment="disk full"), release()], 66,
                              "0xa700 (Refused: OutOfResources): disk full"),
    "cannot understand": Fault([accept(), store(0xC123), release()], 66, "0xc123 (Error: CannotUnderstand)"),
    "unknown status": Fault([accept(), store(0x0110), release()], 66, "0x0110 (Unknown Status: 0x110)"),
    "accepts nothing": Fault([accept(result=3), release()], 66, "the peer does not support this SOP class"),
    "accepts nothing of the syntax": Fault([accept(result=4), release()], 66, "does not support this transfer syntax"),
    "accepts a syntax that was not proposed": Fault([accept(syntaxes=dict.fromkeys((1, 3), BASELINE)), release()], 66,
                                                    "the peer chose a transfer syntax that was not proposed"),
    "accepts with another syntax what it should convert to": Fault(
        [accept(results={1: 4}, syntaxes={3: BASELINE}), release()], 66,
        "the peer does not support this transfer syntax for it, and it accepted no uncompressed one either"),
}  # fmt: skip


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    path = tmp_path / "instance.dcm"
    path.write_bytes(part10(CT, "1.2.3.4", value=bytes(600)))
    return path


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_has_its_exit_code_a_reason_and_a_report(
    fault: Fault, scripted_peer: Peer, run_dcmsend: Command, instance: Path, tmp_path: Path
) -> None:
    peer = scripted_peer(fault.script)
    report = tmp_path / "report.txt"
    options = [*fault.options, "+crf", str(report)]
    done = run_dcmsend(*options, "127.0.0.1", str(peer.port), str(instance), timeout=20)
    assert fault.words in done.stderr
    assert done.returncode == fault.code
    assert "Traceback" not in done.stderr
    assert all(line[:3] in ("F: ", "E: ", "W: ") for line in done.stderr.splitlines())
    text = report.read_text()
    assert "Number of SOP instances  : 1" in text
    assert "Reason        : " in text or fault.code == 66
    assert "(Success)" not in text


# Peculiar, but nothing is wrong: exit code 0.
ODDITIES = {
    "a warning status": [accept(), store(0xB000), release()],
    "a warning with a comment": [accept(), store(0xB007, comment="élan \x1b[31m"), release()],
    "unknown items in the acceptance": [
        accept(extra=pdus.item(0x77, b"new"), user=pdus.item(0x5F, b"newer")),
        store(),
        release(),
    ],
    "no maximum length": [accept(max_pdu=0), store(), release()],
    "an odd maximum length": [accept(max_pdu=129), store(), release()],
    "a maximum length of 8": [accept(max_pdu=8), store(), release()],
    "an answer byte by byte": [
        expect(pdus.A_ASSOCIATE_RQ),
        lambda c: send_bytewise(pdus.associate_ac(c.request))(c) if c.request else None,
        store(),
        release(),
    ],
    "a response byte by byte": [
        accept(),
        expect_message(),
        lambda c: send_bytewise(pdus.store_rsp(c.messages[-1]))(c),
        release(),
    ],
    "a release that collides": [
        accept(),
        store(),
        expect(pdus.A_RELEASE_RQ),
        send(pdus.release_rq()),
        expect(pdus.A_RELEASE_RP),
        send(pdus.release_rp()),
        expect_close(),
    ],
    "a close instead of the release": [accept(), store(), expect(pdus.A_RELEASE_RQ), close()],
    "a reset instead of the release": [accept(), store(), expect(pdus.A_RELEASE_RQ), reset()],
    "an abort instead of the release": [accept(), store(), expect(pdus.A_RELEASE_RQ), send(pdus.abort()), drain()],
}


@pytest.mark.parametrize("script", ODDITIES.values(), ids=ODDITIES.keys())
def test_an_oddity_changes_nothing(
    script: Sequence[Step], scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    peer = scripted_peer(script)
    done = run_dcmsend("127.0.0.1", str(peer.port), str(instance), timeout=20)
    assert done.returncode == 0, done.stderr
    (message,) = peer.messages
    assert message.dataset == instance.read_bytes()[-len(message.dataset or b"") :]
    assert "\x1b" not in done.stderr


def several(folder: Path, count: int) -> list[str]:
    paths = []
    for number in range(1, count + 1):
        path = folder / f"{number}.dcm"
        path.write_bytes(part10(CT, f"1.2.3.{number}"))
        paths.append(str(path))
    return paths


@pytest.mark.parametrize(
    "breaks",
    [
        [expect_message(), send(pdus.abort(0, 0)), drain()],
        [expect_message(), close()],
        [expect_message(), send(pdus.release_rq()), drain()],
        [expect_message(), WRONG_ID, drain()],
    ],
    ids=["abort", "close", "release request", "wrong Message ID"],
)
def test_with_no_halt_the_rest_goes_over_a_new_association(
    breaks: list[Step], scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    peer = scripted_peer([accept(), store(), *breaks], [accept(), store(), store(), release()])
    report = tmp_path / "report.txt"
    done = run_dcmsend("-nh", "+crf", str(report), "127.0.0.1", str(peer.port), *several(tmp_path, 4), timeout=20)
    assert done.returncode == 66
    text = report.read_text()
    assert text.count("0x0000 (Success)") == 3
    assert text.count("<not sent>") == 1
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4"]
    assert "Number of associations   : 2" in text


def test_without_no_halt_the_rest_stays_and_is_told(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), send(pdus.abort(0, 0)), drain()])
    report = tmp_path / "report.txt"
    done = run_dcmsend("+crf", str(report), "127.0.0.1", str(peer.port), *several(tmp_path, 4), timeout=20)
    assert done.returncode == 62
    assert report.read_text().count("not tried: the run ended before") == 2


def test_a_single_association_has_no_successor(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), expect_message(), close()])
    report = tmp_path / "report.txt"
    words = ("-nh", "-ma", "+crf", str(report), "127.0.0.1", str(peer.port))
    done = run_dcmsend(*words, *several(tmp_path, 3), timeout=20)
    assert done.returncode == 66
    assert "the association broke, and no other association is allowed" in report.read_text()


def test_with_a_single_association_each_reason_is_its_own(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """130 classes, for which one context each must do, and the association breaks: 2 had no room in it, 127 lost it."""
    for number in range(130):
        (tmp_path / f"{number:03}.dcm").write_bytes(part10(f"{CT}.{number}", f"1.2.3.{number + 1}"))
    peer = scripted_peer([accept(), store(), expect_message(), close()])
    path = tmp_path / "report.txt"
    words = ("-nh", "-ma", "+crf", str(path), "127.0.0.1", str(peer.port))
    done = run_dcmsend(*words, *sorted(map(str, tmp_path.glob("*.dcm"))), timeout=20)
    assert done.returncode == 66
    reasons = [row.get("Reason", "") for row in rows(path)]
    assert sum("of 130 presentation contexts an association takes 128" in reason for reason in reasons) == 2
    assert sum("the association broke" in reason for reason in reasons) == 126
    assert sum("not answered: peer closed the connection" in reason for reason in reasons) == 1


def test_a_peer_that_aborts_every_association_ends_the_run(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    peer = scripted_peer(*[[accept(), expect_message(), send(pdus.abort(0, 0)), drain()]] * 3)
    done = run_dcmsend("-nh", "127.0.0.1", str(peer.port), *several(tmp_path, 3), timeout=20)
    assert done.returncode == 66
    assert len(peer.messages) == 3


def test_an_abort_is_heard_while_the_peer_takes_no_more(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """The send buffer is full and the peer reads no further: its A-ABORT still ends the wait at once."""
    path = tmp_path / "large.dcm"
    path.write_bytes(part10(CT, "1.2.3.4", value=bytes(64 << 20)))
    script = [accept(), expect_bytes(1 << 16), send(pdus.abort(2, 1)), stall()]
    peer = scripted_peer(script, receive_buffer=65536)
    done = run_dcmsend("127.0.0.1", str(peer.port), str(path), timeout=20)
    peer.go_on()
    assert done.returncode == 62
    assert "peer aborted the association" in done.stderr


def test_a_peer_that_takes_nothing_is_given_up(scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path) -> None:
    path = tmp_path / "large.dcm"
    path.write_bytes(part10(CT, "1.2.3.4", value=bytes(64 << 20)))
    peer = scripted_peer([accept(), expect_bytes(1 << 16), stall()], receive_buffer=65536)
    done = run_dcmsend("--socket-timeout", "1", "127.0.0.1", str(peer.port), str(path), timeout=20)
    peer.go_on()
    assert done.returncode == 62
    assert "sending to a peer that takes nothing took more than 1 seconds" in done.stderr


def test_after_a_timeout_a_late_response_is_credited_to_nobody(
    scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    first = [accept(), expect_message(), expect(ABORT_FROM_US), respond(0xA700), drain()]
    peer = scripted_peer(first, [accept(), store(), release()])
    report = tmp_path / "report.txt"
    peer_and_files = ("127.0.0.1", str(peer.port), *several(tmp_path, 2))
    done = run_dcmsend("-nh", "-td", "1", "+crf", str(report), *peer_and_files, timeout=20)
    assert done.returncode == 66
    text = report.read_text()
    assert text.count("0x0000 (Success)") == 1
    assert "not answered: timeout: the peer's response took more than 1 seconds" in text
    assert "0xa700" not in text


@pytest.mark.parametrize("family", ["-i4", "-i6", "-i0"])
def test_nobody_listens(family: str, run_dcmsend: Command, instance: Path, tmp_path: Path) -> None:
    import socket

    with socket.socket() as bound:  # bound, never listening: the port is ours and refuses
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        report = tmp_path / "report.txt"
        host = "::1" if family == "-i6" else "127.0.0.1"
        done = run_dcmsend(family, "+crf", str(report), host, str(port), str(instance), timeout=20)
    assert done.returncode == 61
    assert f"cannot connect to {host}:{port}" in done.stderr
    assert "<not sent>" in report.read_text()


@pytest.mark.parametrize(
    ("options", "host", "words"),
    [
        ((), "no.such.host.invalid", "address found for host 'no.such.host.invalid'"),
        (("-i4",), "::1", "no IPv4 address found for host '::1'"),
        ((), "x" * 300, "address found for host"),
        (("-aec", ""), "127.0.0.1", "Tell the peer's AE title with --call"),
        (("-aet", "  "), "127.0.0.1", "Tell our AE title with --aetitle"),
        (("-aet", "a\\b"), "127.0.0.1", "AE title 'a\\b' has characters that DICOM does not allow"),
        (
            ("-aec", "\u00c4RCHIV"),
            "127.0.0.1",
            "An AE title has printable ASCII characters and no backslash: correct --call.",
        ),
        (("-aec", "a\tb"), "127.0.0.1", "AE title 'a\\tb' has characters that DICOM does not allow"),
    ],
)
def test_what_cannot_be_asked_for(
    options: tuple[str, ...], host: str, words: str, run_dcmsend: Command, instance: Path
) -> None:
    done = run_dcmsend(*options, host, "104", str(instance), timeout=20)
    assert done.returncode == 61
    assert words in done.stderr
