"""User identity negotiation (PS3.7 D.3.3.7): what peers make of an identity, and that no output ever shows it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pytest
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt

import dcmsend
from dcmsend import Peer, echo, send
from dcmsend.cli.main import main
from dcmsend.cli.names import OPTIONS
from dcmsend.errors import AssociationRejected, NegotiationError
from dcmsend.light import replace
from tests.support import identities, pdus, servers
from tests.support.builder import part10
from tests.support.identities import KINDS, NAMES, PAYLOAD, SHOWN_AS_STARS, TRACES, WITH_PAYLOAD
from tests.support.scripted import ScriptedPeer, accept, answer, drain, expect_message, reject, release, store

Command = Callable[..., CompletedProcess[str]]
Script = Callable[..., ScriptedPeer]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION: Final = "1.2.840.10008.1.1"
FILE: Final = Path(__file__).parent / "data" / "samples" / "ct_explicit.dcm"


@pytest.fixture
def options(tmp_path: Path) -> dict[str, list[str]]:
    """The command line for each of ``KINDS``."""
    return identities.options(tmp_path)


# --- peers that look at identities: pynetdicom


class Gate:
    """pynetdicom's storage SCP, which asks its handler about every identity. ``seen``: what it was asked about."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bytes, bytes]] = []
        self.stored: list[str] = []
        self.answer: tuple[bool, bytes | None] = (True, None)
        entity = AE("GATE")
        entity.add_supported_context(CT, ALL_TRANSFER_SYNTAXES)
        entity.add_supported_context(VERIFICATION)
        handlers = [(evt.EVT_USER_ID, self._ask), (evt.EVT_C_STORE, self._store), (evt.EVT_C_ECHO, lambda event: 0)]
        self._server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port: int = self._server.server_address[1]

    def _ask(self, event: Any) -> tuple[bool, bytes | None]:
        self.seen.append((event.user_id_type, event.primary_field, event.secondary_field or b""))
        return self.answer

    def _store(self, event: Any) -> int:
        self.stored.append(event.request.AffectedSOPInstanceUID)
        return 0

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.stop()


def triple(name: str) -> tuple[int, bytes, bytes]:
    identity = KINDS[name]
    return identity.kind.value, identity.primary, identity.secondary


@pytest.mark.parametrize("name", NAMES)
def test_pynetdicom_takes_it(name: str, options: dict[str, list[str]], gate: Gate, run_dcmsend: Command) -> None:
    done = run_dcmsend(*options[name], "127.0.0.1", gate.port, FILE)
    assert (done.returncode, done.stderr) == (0, "")
    assert gate.seen == [triple(name)]
    assert len(gate.stored) == 1


@pytest.mark.parametrize("name", NAMES)
def test_pynetdicom_rejects_it(name: str, options: dict[str, list[str]], gate: Gate, run_dcmsend: Command) -> None:
    gate.answer = (False, None)
    done = run_dcmsend(*options[name], "127.0.0.1", gate.port, FILE)
    assert done.returncode == 61
    assert done.stderr == (
        "F: association rejected: for now: no reason given by the peer's ACSE service provider\n"
        "F: The peer may not accept the user identity, or may not know the sender (--aetitle).\n"
    )
    assert gate.seen == [triple(name)]
    assert not gate.stored


@pytest.mark.parametrize("name", WITH_PAYLOAD)
def test_pynetdicom_answers_with_a_payload(
    name: str, options: dict[str, list[str]], gate: Gate, run_dcmsend: Command
) -> None:
    gate.answer = (True, PAYLOAD)
    done = run_dcmsend("-ll", "trace", *options[name], "-rsp", "127.0.0.1", gate.port, FILE)
    assert done.returncode == 0
    assert not TRACES.search(done.stderr.replace(str(FILE), ""))
    assert len(gate.stored) == 1


@pytest.mark.parametrize("name", NAMES)
def test_pynetdicom_does_not_answer(name: str, options: dict[str, list[str]], gate: Gate, run_dcmsend: Command) -> None:
    """It accepts without a word of its own, which does not do where a positive response is wanted."""
    done = run_dcmsend(*options[name], "-rsp", "127.0.0.1", gate.port, FILE)
    assert done.returncode == 61
    assert done.stderr == (
        "F: the peer accepted the association without confirming the user identity\n"
        "F: It may not look at identities at all; without --pos-response it gets the instances all the same.\n"
    )
    assert not gate.stored


def test_every_association_tells_it(gate: Gate, tmp_path: Path) -> None:
    files = [str(write(tmp_path, number)) for number in range(8)]
    peer = Peer(host="127.0.0.1", port=gate.port, identity=KINDS["passcode"])
    with send(peer, files, limits=dcmsend.Limits(associations=3)) as report:
        assert report.complete
        asked = report.totals.associations
    assert asked > 1
    assert gate.seen == [triple("passcode")] * asked
    assert len(gate.stored) == 8


def test_echo_tells_it(gate: Gate) -> None:
    peer = Peer(host="127.0.0.1", port=gate.port, identity=KINDS["username"])
    assert echo(peer) >= 0
    assert gate.seen == [triple("username")]
    gate.answer = (False, None)
    with pytest.raises(AssociationRejected) as caught:
        echo(peer)
    assert "user identity" in caught.value.hint


def write(folder: Path, number: int) -> Path:
    path = folder / f"{number}.dcm"
    path.write_bytes(part10(CT, f"1.2.3.{number}"))
    return path


# --- peers that do not look at identities


@pytest.mark.parametrize("name", NAMES)
def test_storescp_takes_no_notice(
    name: str, options: dict[str, list[str]], storescp: Callable[..., servers.FolderServer], run_dcmsend: Command
) -> None:
    server = storescp()
    done = run_dcmsend(*options[name], "127.0.0.1", server.port, FILE)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.stored()) == 1
    done = run_dcmsend(*options[name], "-rsp", "127.0.0.1", server.port, FILE)
    assert (done.returncode, "without confirming" in done.stderr) == (61, True)


def test_orthanc_takes_no_notice(
    options: dict[str, list[str]], orthanc: Callable[..., servers.OrthancServer], run_dcmsend: Command
) -> None:
    server = orthanc()
    for name in NAMES:
        done = run_dcmsend(*options[name], "127.0.0.1", server.port, FILE)
        assert (done.returncode, done.stderr) == (0, "")
    assert len(server.stored()) == 1


# --- what a peer may answer

ANSWER: Final = pdus.item(0x59, len(PAYLOAD).to_bytes(2, "big") + PAYLOAD)
NO_PAYLOAD: Final = pdus.item(0x59, b"\0\0")


@pytest.mark.parametrize("user", [ANSWER, NO_PAYLOAD, ANSWER * 2], ids=["payload", "empty", "twice"])
@pytest.mark.parametrize("name", NAMES)
def test_a_positive_response(
    name: str, user: bytes, options: dict[str, list[str]], scripted_peer: Script, run_dcmsend: Command
) -> None:
    peer = scripted_peer([accept(user=user), store(), release()])
    done = run_dcmsend("-ll", "trace", *options[name], "-rsp", "127.0.0.1", peer.port, FILE)
    assert done.returncode == 0
    assert not TRACES.search(done.stderr.replace(str(FILE), ""))


@pytest.mark.parametrize("name", NAMES)
def test_storescu_demands_it_for_names_alone(
    name: str, options: dict[str, list[str]], scripted_peer: Script, dcmtk: Callable[[str], str]
) -> None:
    """Ours does for all, see below."""
    refuses = name not in WITH_PAYLOAD
    peer = scripted_peer([accept(), drain()] if refuses else [accept(), store(), release()])
    command = [dcmtk("storescu"), *options[name], "-rsp", "127.0.0.1", str(peer.port), str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ("Positive response requested but none received" in done.stderr) == refuses
    assert (done.returncode == 0) != refuses


def test_a_response_that_nobody_asked_for(
    options: dict[str, list[str]], scripted_peer: Script, run_dcmsend: Command
) -> None:
    for words in (options["username"], []):
        peer = scripted_peer([accept(user=ANSWER), store(), release()])
        assert run_dcmsend(*words, "127.0.0.1", peer.port, FILE).returncode == 0


@pytest.mark.parametrize("body", [b"", b"\0", b"\0\5abc"])
def test_a_response_that_is_cut_off(body: bytes, options: dict[str, list[str]], scripted_peer: Script) -> None:
    peer = scripted_peer([accept(user=pdus.item(0x59, body)), drain()])
    with pytest.raises(dcmsend.DcmsendError, match="peer broke the protocol"):
        echo(Peer(host="127.0.0.1", port=peer.port, identity=replace(KINDS["jwt"], positive_response=True)))


def test_without_confirmation_the_association_is_aborted(scripted_peer: Script) -> None:
    peer = scripted_peer([accept(), drain()])
    identity = replace(KINDS["saml"], positive_response=True)
    with (
        send(Peer(host="127.0.0.1", port=peer.port, identity=identity), [str(FILE)]) as report,
        pytest.raises(NegotiationError, match="without confirming"),
    ):
        assert report.error is not None
        ((_, outcome),) = report.rows()
        assert str(outcome.reason).startswith(
            "not tried: the run ended before (the peer accepted the association without"
        )
        raise report.error
    (connection,) = peer.connections
    assert bytes(connection.received)[-10:] == pdus.abort(0, 0)


@pytest.mark.parametrize(
    ("source", "reason", "hint"),
    [
        (1, 1, "The peer may not accept the user identity, or may not know the sender (--aetitle)."),
        (1, 3, "The peer must know our AE title: enter it there, or say another one (--aetitle)."),
        (1, 7, "The peer goes by another AE title: tell it with --call."),
        (2, 1, "The peer may not accept the user identity, or may not know the sender (--aetitle)."),
        (3, 1, "The peer is busy: try later, or have --retries do so."),
    ],
)
def test_a_rejection_has_the_usual_words(source: int, reason: int, hint: str, scripted_peer: Script) -> None:
    rejected = []
    for identity in (None, KINDS["passcode"]):
        peer = scripted_peer([reject(1, source, reason)])
        with pytest.raises(AssociationRejected) as caught:
            echo(Peer(host="127.0.0.1", port=peer.port, identity=identity))
        rejected.append(caught.value)
    assert rejected[0].message == rejected[1].message
    assert rejected[1].hint_in(OPTIONS) == hint


# --- it is never shown


@pytest.mark.parametrize("end", ["stored", "refused", "rejected", "unconfirmed", "aborted", "nobody there", "bad file"])
@pytest.mark.parametrize("name", NAMES)
def test_no_output_shows_it(
    name: str, end: str, options: dict[str, list[str]], scripted_peer: Script, tmp_path: Path, run_dcmsend: Command
) -> None:
    """Log at its finest, the command line as it was understood, contexts, the report; whatever comes of the run."""
    scripts: dict[str, list[Any]] = {
        "stored": [accept(user=ANSWER), store(), release()],
        "refused": [accept(user=ANSWER), store(0xA700, comment="full"), release()],
        "rejected": [reject()],
        "unconfirmed": [accept(), drain()],
        "aborted": [accept(user=ANSWER), expect_message(), answer(lambda _: pdus.abort())],
    }
    port = scripted_peer(scripts[end]).port if end in scripts else servers.free_ports(1)[0]
    path, report = tmp_path / "x.dcm", tmp_path / "report.txt"
    path.write_bytes(b"" if end == "bad file" else FILE.read_bytes())
    words = (*options[name], "-rsp", "-ll", "trace", "+v", "--arguments", "+crf", report, "127.0.0.1", port, path)
    done = run_dcmsend(*words)
    shown = done.stdout + done.stderr + report.read_text()
    assert shown.count("'*' ") == SHOWN_AS_STARS.get(name, 0)
    assert not TRACES.search(shown.replace(str(tmp_path), ""))
    assert "--pos-response" in shown


@pytest.mark.parametrize(
    "words",
    [
        ["--password=vogelfreyqx", "peer", "104", "x"],
        ["-pwd=vogelfreyqx", "peer", "104", "x"],
        ["--user=jürgenqx", "peer", "104", "x"],
        ["-usr", "jürgenqx", "-pwd", "vogelfreyqx"],
        ["-usr", "jürgenqx", "-pwd", "vogelfreyqx", "peer"],
        ["-usr", "jürgenqx", "-pwd", "vogelfreyqx", "-kt", "f", "peer", "104", "x"],
        ["-usr", "jürgenqx", "-pwd", "vogelfreyqx", "-epw", "peer", "104", "x"],
        ["-usr", "jürgenqx", "-pwd", "vogelfreyqx", "peer", "0", "x"],
        ["-usr", "jürgenqx\udcff", "-pwd", "vogelfreyqx", "peer", "104", "x"],
        ["-usr", "jürgenqx", "-pwd", "vogelfreyqx\udcff", "peer", "104", "x"],
        ["-usr", "", "-pwd", "vogelfreyqx", "peer", "104", "x"],
        ["-usr", "q" * 40, "-pwd", "vogelfreyqx" * 8000, "peer", "104", "x"],
        ["--arguments", "-usr", "jürgenqx", "-pwd", "vogelfreyqx", "peer", "104", "x", "-to", "0"],
    ],
)
def test_no_error_of_the_command_line_shows_it(words: list[str], run_dcmsend: Command) -> None:
    done = run_dcmsend("-ll", "trace", *words)
    assert done.returncode == 1
    assert not TRACES.search(done.stdout + done.stderr)
    assert done.stderr.strip()


def test_a_defect_does_not_show_it(
    options: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The traceback that --debug shows has lines of the source, and no values."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("dcmsend.net.identity.UserIdentity.encode", broken)
    monkeypatch.setattr("dcmsend.net.association.connect", lambda *_, **__: socket.socket())
    assert main(["-d", "--arguments", *options["passcode"], "127.0.0.1", "104", str(FILE)]) == 70
    shown = capsys.readouterr().err
    assert "F: internal error: RuntimeError: broken" in shown
    assert "D: Traceback" in shown
    assert not TRACES.search(shown)
