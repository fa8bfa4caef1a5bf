"""Sending through TLS: what holds over plain connections holds here too, and to servers that nobody here wrote."""

from __future__ import annotations

import os
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pytest

import dcmsend
from dcmsend.errors import ConfigurationError, Interrupted, TlsError
from dcmsend.events import AssociationAccepted, Event
from dcmsend.model import Limits, ScanOptions, State, Timeouts
from dcmsend.security import Tls
from tests.support import part10, pdus, report
from tests.support.builder import part10 as build
from tests.support.certificates import PASSWORD, Pki
from tests.support.scripted import (
    Connection,
    ScriptedPeer,
    Step,
    accept,
    close,
    drain,
    end_tls,
    expect,
    expect_bytes,
    expect_close,
    expect_message,
    release,
    reset,
    respond,
    secure,
    send,
    stall,
    store,
)

Peer = Callable[..., ScriptedPeer]
Command = Callable[..., CompletedProcess[str]]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 30.0  # seconds
LARGE: Final = 16 << 20  # more than all buffers on the way hold
VERSIONS: Final = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
SUCCESS: Final = "0x0000 (Success)"

both_versions = pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])


def several(folder: Path, count: int, size: int = 0) -> list[Path]:
    """Instances, each with a value of its own."""
    paths = []
    for number in range(1, count + 1):
        paths.append(folder / f"{number}.dcm")
        paths[-1].write_bytes(build(CT, f"1.2.3.{number}", value=os.urandom(size)))
    return paths


def data_sets(paths: Sequence[Path]) -> dict[str, list[bytes]]:
    """What a server must keep of these files."""
    found: dict[str, list[bytes]] = {}
    for path in paths:
        meta, _ = part10.split(path.read_bytes())
        found.setdefault(part10.uid(meta[part10.SOP_INSTANCE]), []).append(part10.dataset(path))
    return found


# --- real servers


@pytest.fixture
def secure_storescp(storescp: Callable[..., Any], pki: Pki) -> Callable[..., Any]:
    """storescp with TLS; by default it demands a certificate of clients."""

    def start(*options: str, no_delay: bool = False) -> Any:
        tls = ("+tls", str(pki.server.key), str(pki.server.certificate), "+cf", str(pki.ca.certificate))
        return storescp(*tls, *options, no_delay=no_delay, secure=pki.client_context())

    return start


@pytest.fixture
def secure_orthanc(orthanc: Callable[..., Any], pki: Pki) -> Callable[..., Any]:
    def start(**settings: Any) -> Any:
        tls = {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(pki.server.certificate),
            "DicomTlsPrivateKey": str(pki.server.key),
            "DicomTlsTrustedCertificates": str(pki.ca.certificate),
        }
        return orthanc(**tls, **settings)

    return start


class TestStorescp:
    def test_mutual_authentication(
        self, secure_storescp: Any, pki: Pki, run_dcmsend: Command, samples: list[Path]
    ) -> None:
        """Every common transfer syntax, byte for byte; the peer is named by its address."""
        server = secure_storescp()
        files = [path for path in samples if path.name != "ct_enhanced_jpeg_lossless.dcm"]  # it does not take that one
        done = run_dcmsend(*pki.words(), "-v", "127.0.0.1", server.port, *files)
        assert done.returncode == 0, done.stderr
        assert "I: Secure Transport: TLSv1.3, TLS_" in done.stderr
        assert server.stored() == data_sets(files)

    @pytest.mark.parametrize("profile", ["+py", "+px", "+pz"])
    def test_profiles(self, profile: str, secure_storescp: Any, pki: Pki, run_dcmsend: Command, data: Path) -> None:
        """Its extended profile has TLS 1.2 alone."""
        server = secure_storescp(profile)
        path = data / "samples" / "ct_explicit.dcm"
        for ours in ("+py", "+px", "+pz"):
            done = run_dcmsend(*pki.words(), ours, "-v", "localhost", server.port, path)
            assert done.returncode == 0, done.stderr
            version = "TLSv1.2" if profile == "+pz" else "TLSv1.3"
            assert f"Secure Transport: {version}, TLS_" in done.stderr

    def test_server_of_the_retired_profile(
        self, secure_storescp: Any, pki: Pki, run_dcmsend: Command, data: Path
    ) -> None:
        server = secure_storescp("+pa")
        path = data / "samples" / "ct_explicit.dcm"
        done = run_dcmsend(*pki.words(), "+px", "-v", "localhost", server.port, path)
        assert done.returncode == 0, done.stderr
        assert "Secure Transport: TLSv1.2, TLS_RSA_WITH_AES_128_CBC_SHA" in done.stderr

    def test_without_a_certificate_of_ours(
        self, secure_storescp: Any, pki: Pki, run_dcmsend: Command, data: Path
    ) -> None:
        words = ("+tla", "+cf", pki.ca.certificate, "localhost")
        path = data / "samples" / "ct_explicit.dcm"
        done = run_dcmsend(*words, secure_storescp().port, path)
        assert done.returncode == 61
        assert "F: TLS: the peer refuses: it demands a certificate of ours" in done.stderr
        assert run_dcmsend(*words, secure_storescp("-ic").port, path).returncode == 0

    def test_keys_in_der_and_behind_a_password(
        self, secure_storescp: Any, pki: Pki, run_dcmsend: Command, data: Path
    ) -> None:
        server = secure_storescp()
        path = data / "samples" / "ct_explicit.dcm"
        der = ("+tls", pki.client.der_key, pki.client.der_certificate, "-der", "+cf", pki.ca.der)
        encrypted = ("+tls", pki.client.encrypted, pki.client.certificate, "+pw", PASSWORD, "+cd", pki.ca.folder)
        for words in (der, encrypted):
            done = run_dcmsend(*words, "localhost", server.port, path)
            assert (done.returncode, done.stderr) == (0, "")

    def test_an_instance_larger_than_all_buffers(
        self, secure_storescp: Any, pki: Pki, run_dcmsend: Command, tmp_path: Path
    ) -> None:
        server = secure_storescp()
        files = several(tmp_path, 2, size=LARGE)
        done = run_dcmsend(*pki.words(), "localhost", server.port, *files)
        assert (done.returncode, done.stderr) == (0, "")
        assert server.stored() == data_sets(files)

    def test_several_associations_at_once(
        self, secure_storescp: Any, pki: Pki, run_dcmsend: Command, tmp_path: Path
    ) -> None:
        server = secure_storescp("--fork")
        files = several(tmp_path, 60, size=100_000)
        done = run_dcmsend(*pki.words(), "--associations", "4", "-v", "localhost", server.port, *files)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("Secure Transport: ") > 1
        assert server.stored() == data_sets(files)

    def test_plain_peer(self, storescp: Any, pki: Pki, run_dcmsend: Command, data: Path) -> None:
        path = data / "samples" / "ct_explicit.dcm"
        done = run_dcmsend(*pki.words(), "localhost", storescp().port, path)
        assert done.returncode == 61
        assert "F: peer ended the connection in the TLS handshake" in done.stderr
        assert "F: It may not speak TLS on this port" in done.stderr

    def test_plain_sender(self, secure_storescp: Any, run_dcmsend: Command, data: Path) -> None:
        done = run_dcmsend("localhost", secure_storescp().port, data / "samples" / "ct_explicit.dcm")
        assert done.returncode == 61
        assert "F: The peer may expect TLS (--enable-tls or --anonymous-tls)" in done.stderr

    def test_echo(self, secure_storescp: Any, pki: Pki) -> None:
        server = secure_storescp()
        tls = Tls(certificate=str(pki.client.certificate), key=str(pki.client.key), ca_files=(str(pki.ca.certificate),))
        assert dcmsend.echo(dcmsend.Peer(host="localhost", port=server.port, tls=tls)) > 0
        with pytest.raises(TlsError, match=r"its issuer is not known|its root CA is not known"):
            dcmsend.echo(dcmsend.Peer(host="localhost", port=server.port, tls=Tls()))


class TestOrthanc:
    def test_mutual_authentication(
        self, secure_orthanc: Any, pki: Pki, run_dcmsend: Command, samples: list[Path], tmp_path: Path
    ) -> None:
        server = secure_orthanc()
        done = run_dcmsend(*pki.words(), "--associations", "3", "localhost", server.port, *samples)
        assert (done.returncode, done.stderr) == (0, "")
        assert set(server.instances()) == set(data_sets(samples))
        for path in samples:  # it writes data sets anew
            (instance,) = data_sets([path])
            assert part10.values(server.file(instance)) == part10.values(path.read_bytes())

    def test_certificate_of_ours_that_is_missing_or_wrong(
        self, secure_orthanc: Any, pki: Pki, run_dcmsend: Command, data: Path
    ) -> None:
        server = secure_orthanc(DicomTlsRemoteCertificateRequired=True)
        trust = ("+cf", pki.ca.certificate, "localhost", server.port, data / "samples" / "ct_explicit.dcm")
        missing = run_dcmsend("+tla", *trust)
        wrong = run_dcmsend("+tls", pki.other.key, pki.other.certificate, *trust)
        assert (missing.returncode, wrong.returncode) == (61, 61)
        assert "it demands a certificate of ours" in missing.stderr
        assert "it does not know the CA of our certificate" in wrong.stderr
        assert server.instances() == {}

    def test_certificate_of_ours_that_is_not_demanded(
        self, secure_orthanc: Any, pki: Pki, run_dcmsend: Command, data: Path
    ) -> None:
        server = secure_orthanc(DicomTlsRemoteCertificateRequired=False)
        words = ("+tla", "+cf", pki.ca.certificate, "localhost", server.port, data / "samples" / "ct_explicit.dcm")
        assert run_dcmsend(*words).returncode == 0
        assert len(server.instances()) == 1

    def test_plain_sender(self, secure_orthanc: Any, run_dcmsend: Command, data: Path) -> None:
        done = run_dcmsend("localhost", secure_orthanc().port, data / "samples" / "ct_explicit.dcm")
        assert done.returncode == 61
        assert "F: The peer may expect TLS (--enable-tls or --anonymous-tls)" in done.stderr


# --- what happens in between, with a scripted peer


def context_of(pki: Pki, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = pki.context(demand=True)
    context.minimum_version = context.maximum_version = version
    return context


def target(peer: ScriptedPeer, pki: Pki) -> dcmsend.Peer:
    tls = Tls(certificate=str(pki.client.certificate), key=str(pki.client.key), ca_files=(str(pki.ca.certificate),))
    return dcmsend.Peer(host="127.0.0.1", port=peer.port, tls=tls)


@both_versions
def test_several_instances_under_way(version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    """A window of four, answered in another order; all data sets have come as they are."""
    window = pdus.item(0x53, struct.pack(">HH", 4, 1))
    answers: list[Step] = [respond(message=message) for message in (-2, -4, -1, -3)]
    begin = [secure(context_of(pki, version)), accept(user=window)]
    peer = scripted_peer([*begin, *[*[expect_message()] * 4, *answers] * 2, release()])
    files = several(tmp_path, 8, size=200_000)
    with dcmsend.send(target(peer, pki), map(str, files), limits=Limits(async_window=4)) as done:
        assert done.complete
        assert done.error is None
    got = {message.sop_instance: [message.dataset] for message in peer.messages}
    assert got == data_sets(files)


ENDINGS: Final[dict[str, tuple[list[Step], str]]] = {
    "abort": ([send(pdus.abort(2, 1)), drain()], "peer aborted the association"),
    "cut off": ([close()], "connection"),
    "reset": ([reset()], "connection lost"),
}


@both_versions
@pytest.mark.parametrize("name", list(ENDINGS))
def test_association_that_breaks_in_mid_data_set(
    name: str, version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """The rest goes out over a new association."""
    steps, words = ENDINGS[name]
    begin = [secure(context_of(pki, version)), accept()]
    peer = scripted_peer([*begin, expect_bytes(1 << 16), *steps], [*begin, store(), release()], receive_buffer=65536)
    files = several(tmp_path, 2, size=LARGE)
    path = tmp_path / "report.txt"
    done = run_dcmsend(*pki.words(), "-nh", "+crf", path, "127.0.0.1", peer.port, *files, timeout=60)
    assert done.returncode == 66, done.stderr
    rows = report.rows(path)
    assert [row["DIMSE Status"] for row in rows] == ["<not sent>", SUCCESS]
    assert rows[0]["Reason"].startswith("not answered: ")
    assert words in rows[0]["Reason"]
    assert peer.messages[0].dataset == part10.dataset(files[1])


@both_versions
def test_an_abort_is_heard_while_the_peer_takes_no_more(
    version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """The send buffer is full, part of a record has left and the peer reads no further."""
    script = [secure(context_of(pki, version)), accept(), expect_bytes(1 << 16), send(pdus.abort(2, 1)), stall()]
    peer = scripted_peer(script, receive_buffer=65536)
    (path,) = several(tmp_path, 1, size=LARGE)
    done = run_dcmsend(*pki.words(), "127.0.0.1", peer.port, path, timeout=20)
    peer.go_on()
    assert done.returncode == 62
    assert "peer aborted the association" in done.stderr


@both_versions
def test_association_that_ends_while_a_response_is_awaited(
    version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """In order, and cut off: both are told apart, and in neither case is anything stored."""
    begin = [secure(context_of(pki, version)), accept(), expect_message()]
    peer = scripted_peer([*begin, say_goodbye], [*begin, close()])
    (path,) = several(tmp_path, 1)
    for words in ("peer closed the connection", "peer closed the connection without ending TLS"):
        done = run_dcmsend(*pki.words(), "127.0.0.1", peer.port, path)
        assert done.returncode == 62
        assert f"{words}\n" in done.stderr.replace(": the rest may have been cut off", "")


def say_goodbye(connection: Connection) -> None:
    """End TLS in order, whatever the other side has to say."""
    assert isinstance(connection.socket, ssl.SSLSocket)
    try:
        connection.socket.unwrap()
    except OSError:  # it aborts instead of saying goodbye
        pass


@both_versions
def test_a_peer_that_takes_nothing_is_given_up(
    version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    script = [secure(context_of(pki, version)), accept(), expect_bytes(1 << 16), stall()]
    peer = scripted_peer(script, receive_buffer=65536)
    (path,) = several(tmp_path, 1, size=LARGE)
    done = run_dcmsend(*pki.words(), "--socket-timeout", "1", "127.0.0.1", peer.port, path, timeout=30)
    peer.go_on()
    assert done.returncode == 62
    assert "sending to a peer that takes nothing took more than 1 seconds" in done.stderr


@both_versions
def test_a_response_that_does_not_come(
    version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """The association is aborted, in order as far as TLS goes."""
    aborted: list[Step] = [expect(pdus.A_ABORT), expect_close()]
    peer = scripted_peer([secure(context_of(pki, version)), accept(), expect_message(), *aborted])
    (path,) = several(tmp_path, 1)
    done = run_dcmsend(*pki.words(), "-td", "1", "127.0.0.1", peer.port, path, timeout=30)
    assert done.returncode == 62
    assert "timeout: the peer's response took more than 1 seconds" in done.stderr


@both_versions
def test_release_ends_tls_in_order(version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    confirm: list[Step] = [expect(pdus.A_RELEASE_RQ), send(pdus.release_rp()), end_tls()]
    peer = scripted_peer([secure(context_of(pki, version)), accept(), store(), *confirm])
    with dcmsend.send(target(peer, pki), map(str, several(tmp_path, 1))) as done:
        assert done.complete


# --- stopping


def asked(stop: dcmsend.Stop, times: int) -> Step:
    """A step of the peer's thread that asks the run to stop."""

    def step(connection: Connection) -> None:
        for _ in range(times):
            stop.request()

    return step


@both_versions
@pytest.mark.parametrize("associations", [1, 2])
def test_stop_finishes_what_is_under_way(
    associations: int, version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, tmp_path: Path
) -> None:
    stop = dcmsend.Stop()
    peer = scripted_peer(
        [secure(context_of(pki, version)), accept(), expect_message(), asked(stop, 1), respond(), release()]
    )
    files = several(tmp_path, 3 if associations == 1 else 1)
    limits = Limits(associations=associations)
    with dcmsend.send(target(peer, pki), map(str, files), limits=limits, stop=stop) as done:
        states = [outcome.state for _, outcome in done.rows()]
        assert states == [State.ANSWERED, State.PENDING, State.PENDING][: len(files)]
        assert isinstance(done.error, Interrupted) or associations == 2


@both_versions
@pytest.mark.parametrize("associations", [1, 2])
def test_abort_wakes_who_waits_without_a_limit(
    associations: int, version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, tmp_path: Path
) -> None:
    """From another thread, for a response that does not come. Nothing is written into the TLS stream from there."""
    stop = dcmsend.Stop()
    peer = scripted_peer([secure(context_of(pki, version)), accept(), expect_message(), asked(stop, 2), expect_close()])
    (path,) = several(tmp_path, 1)
    limits, timeouts = Limits(associations=associations), Timeouts(acse=None, dimse=None, socket=None)
    with dcmsend.send(target(peer, pki), [str(path)], limits=limits, timeouts=timeouts, stop=stop) as done:
        ((_, outcome),) = done.rows()
    assert isinstance(done.error, Interrupted)
    assert str(outcome.reason) == "not answered: stopped by the user"


@both_versions
def test_abort_in_mid_data_set(version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    """Part of a record has left: the connection ends, with nothing behind that part."""
    stop = dcmsend.Stop()
    peer = scripted_peer(
        [secure(context_of(pki, version)), accept(), expect_bytes(1 << 16), asked(stop, 2), drain_records],
        receive_buffer=65536,
    )
    (path,) = several(tmp_path, 1, size=LARGE)
    timeouts = Timeouts(acse=None, dimse=None, socket=None)
    with dcmsend.send(target(peer, pki), [str(path)], timeouts=timeouts, stop=stop) as done:
        assert isinstance(done.error, Interrupted)
    assert len(peer.connections[0].received) < LARGE


def drain_records(connection: Connection) -> None:
    """Read whatever comes; the end may be in the middle of a record, but what comes before must be whole."""
    try:
        drain()(connection)
    except ssl.SSLEOFError:
        pass


def test_abort_in_the_handshake(pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    stop = dcmsend.Stop()
    peer = scripted_peer([expect_bytes(5), asked(stop, 1), drain()])
    (path,) = several(tmp_path, 1)
    timeouts = Timeouts(acse=None, socket=None)
    with dcmsend.send(target(peer, pki), [str(path)], timeouts=timeouts, stop=stop) as done:
        assert isinstance(done.error, Interrupted)


# --- settings


def test_events_tell_what_protects_the_connection(pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([secure(pki.context()), accept(), store(), release()])
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, AssociationAccepted):
            told.append(event.security)

    with dcmsend.send(target(peer, pki), map(str, several(tmp_path, 1)), listener=listen):
        assert told == ["TLSv1.3, TLS_AES_256_GCM_SHA384"]


def test_what_cannot_be_used_is_told_before_anything_is_done(tmp_path: Path) -> None:
    """No connection, no scan, and no event."""
    events: list[Event] = []
    peer = dcmsend.Peer(host="localhost", port=104, tls=Tls(ca_files=(str(tmp_path / "missing.pem"),)))
    with pytest.raises(ConfigurationError, match=r"^cannot read the CA certificate file"):
        dcmsend.send(peer, [str(tmp_path)], scan=ScanOptions(directories=True), listener=events.append)
    assert events == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("+tls", "missing.pem", "CERTIFICATE"), "F: cannot read the private key file 'missing.pem': No such file"),
        (("+tls", "KEY", "missing.pem"), "F: cannot read the certificate file 'missing.pem': No such file"),
        (("+tls", "OTHER", "CERTIFICATE"), "does not belong to the certificate in"),
        (("+tls", "ENCRYPTED", "CERTIFICATE", "+pw", "hunter2"), "F: wrong password for the private key in "),
        (("+tls", "ENCRYPTED", "CERTIFICATE", "-pw"), "F: wrong password for the private key in "),
        (("+tls", "ENCRYPTED", "CERTIFICATE"), "F: the private key needs a password, and there is nobody to ask"),
        (("+tla", "+cf", "missing.pem"), "F: cannot read the CA certificate file 'missing.pem': No such file"),
        (("+tla", "+cs", "TLS_RSA_WITH_NULL_SHA"), "F: cipher suite 'TLS_RSA_WITH_NULL_SHA' is not known or not safe"),
        (("+tla", "--tls-server-name", "a..b"), "F: 'a..b' is no name that a certificate could be for"),
    ],
)
def test_settings_that_cannot_be_used(
    words: tuple[str, ...], told: str, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, tmp_path: Path
) -> None:
    """Exit code 1, one line, and the peer hears nothing."""
    places = {
        "CERTIFICATE": str(pki.client.certificate),
        "KEY": str(pki.client.key),
        "OTHER": str(pki.server.key),
        "ENCRYPTED": str(pki.client.encrypted),
    }
    peer = scripted_peer()
    (path,) = several(tmp_path, 1)
    options = [places.get(word, word) for word in words]
    done = run_dcmsend("--debug", *options, "127.0.0.1", peer.port, path, cwd=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
    assert peer.connections == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "", "\nmore\n"])
def test_password_from_the_standard_input(end: str, pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    peer = scripted_peer([secure(pki.context(demand=True)), accept(), store(), release()])
    (path,) = several(tmp_path, 1)
    tls = ["+tls", str(pki.client.encrypted), str(pki.client.certificate), "+cf", str(pki.ca.certificate)]
    command = [sys.executable, "-m", "dcmsend", "--arguments", "-d", *tls, "127.0.0.1", str(peer.port), str(path)]
    done = subprocess.run(
        command, input=PASSWORD + end, capture_output=True, text=True, timeout=LIMIT, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
@pytest.mark.parametrize(("typed", "code"), [(f"{PASSWORD}\n", 0), ("wrong\n", 1), ("\x04", 1), ("\x03", 130)])
def test_password_from_a_terminal(typed: str, code: int, pki: Pki, scripted_peer: Peer, tmp_path: Path) -> None:
    """It is asked for once, and not shown; Ctrl-D is no password, and Ctrl-C ends the program."""
    import pty

    good = code == 0
    peer = scripted_peer(*([[secure(pki.context(demand=True)), accept(), store(), release()]] if good else []))
    (path,) = several(tmp_path, 1)
    tls = ["+tls", str(pki.client.encrypted), str(pki.client.certificate), "+cf", str(pki.ca.certificate)]
    command = [sys.executable, "-m", "dcmsend", *tls, "127.0.0.1", str(peer.port), str(path)]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execv(command[0], command)
    watchdog = threading.Timer(LIMIT, os.kill, [child, 9])
    watchdog.start()
    shown = b""
    try:
        while b"password of the private key: " not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, typed.encode())
        while True:
            try:
                piece = os.read(terminal, 1000)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
    finally:
        _, status = os.waitpid(child, 0)
        watchdog.cancel()
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code, shown
    assert PASSWORD.encode() not in shown
    assert shown.count(b"password of the private key: ") == 1
    assert b"Traceback" not in shown
