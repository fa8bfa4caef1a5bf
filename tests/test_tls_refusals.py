"""Why there is no secure connection: each reason in plain words, with a hint where there is something to be done.

The other side is a scripted peer with Python's TLS, so that it can be as wrong as the test wants it.
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.support import pdus
from tests.support.builder import part10
from tests.support.certificates import Authority, Identity, Pki
from tests.support.scripted import (
    ScriptedPeer,
    Step,
    accept,
    close,
    drain,
    expect,
    expect_bytes,
    fail_to_secure,
    release,
    reset,
    secure,
    send,
    stall,
    store,
)

Peer = Callable[..., ScriptedPeer]
Command = Callable[..., CompletedProcess[str]]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
VERSIONS: Final = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
STORED: Final[tuple[Step, ...]] = (accept(), store(), release())

both_versions = pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    path = tmp_path / "instance.dcm"
    path.write_bytes(part10(CT, "1.2.3.4"))
    return path


def of_version(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    return context


def sent(run_dcmsend: Command, peer: ScriptedPeer, instance: Path, *words: str, host: str = "127.0.0.1") -> list[str]:
    """Send with these options; the log. What is fatal must be told in one line, and its hint in another."""
    done = run_dcmsend(*words, host, str(peer.port), str(instance), timeout=30)
    lines = done.stderr.splitlines()
    assert all(line.startswith(("F: ", "W: ", "E: ")) for line in lines), done.stderr
    assert done.returncode == (61 if lines else 0)
    return lines


# --- the peer's certificate


class Shown:
    """Certificates that a peer may show, one for each of the ways in which it may be wrong."""

    def __init__(self, pki: Pki, folder: Path) -> None:
        later = Authority(folder / "later", "Intermediate CA", parent=pki.ca)
        self.identities: dict[str, Identity] = {
            "right": pki.server,
            "of an intermediate CA": later.issue("leaf"),
            "other CA": pki.other,
            "expired": pki.ca.issue("expired", expired=True),
            "not valid yet": pki.ca.issue("future", future=True),
            "other name": pki.ca.issue("elsewhere", hosts=["pacs.example.org"], addresses=[]),
            "other address": pki.ca.issue("faraway", hosts=["localhost"], addresses=["192.0.2.1"]),
            "name in subject alone": pki.ca.issue("localhost", hosts=[], addresses=[]),
        }

    def __getitem__(self, name: str) -> Identity:
        return self.identities[name]


@pytest.fixture(scope="module")
def shown(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return Shown(pki, tmp_path_factory.mktemp("shown"))


NOT_TRUSTED = "F: TLS: the peer's certificate is not trusted: "
TRUST = "F: Name the CA, or the peer's own certificate, with --add-cert-file."
NAMED = "F: Where one of these is the peer's, tell it with --tls-server-name."
OTHERS = "localhost, 127.0.0.1, 0:0:0:0:0:0:0:1"
REFUSED: Final[dict[str, tuple[str, tuple[str, ...], list[str]]]] = {
    # which certificate -> host, options, what is told
    "other CA": ("localhost", (), [f"{NOT_TRUSTED}its issuer is not known", TRUST]),
    "expired": ("localhost", (), ["F: TLS: the peer's certificate has expired", "F: The peer needs a new one."]),
    "not valid yet": (
        "localhost",
        (),
        ["F: TLS: the peer's certificate is not valid yet", "F: Is the clock right, on both sides?"],
    ),
    "other name": (
        "localhost",
        (),
        ["F: TLS: the peer's certificate is not for 'localhost', but for pacs.example.org", NAMED],
    ),
    "other address": (
        "127.0.0.1",
        (),
        ["F: TLS: the peer's certificate is not for '127.0.0.1', but for localhost, 192.0.2.1", NAMED],
    ),
    "right": (
        "127.0.0.1",
        ("--tls-server-name", "pacs.example.org"),
        [
            f"F: TLS: the peer's certificate is not for 'pacs.example.org', but for {OTHERS}",
            NAMED,
        ],
    ),
}


@both_versions
@pytest.mark.parametrize("name", list(REFUSED))
def test_certificate_that_is_refused(
    name: str,
    version: ssl.TLSVersion,
    shown: Shown,
    pki: Pki,
    scripted_peer: Peer,
    run_dcmsend: Command,
    instance: Path,
) -> None:
    host, words, told = REFUSED[name]
    peer = scripted_peer([fail_to_secure(of_version(pki.context(shown[name]), version))])
    options = ("+tla", "+cf", str(pki.ca.certificate), *words)
    assert sent(run_dcmsend, peer, instance, *options, host=host) == told


ACCEPTED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "right": ("127.0.0.1", ()),
    "of an intermediate CA": ("localhost", ()),
    "other name": ("127.0.0.1", ("--tls-server-name", "pacs.example.org")),
    "other address": ("localhost", ()),
    "name in subject alone": ("localhost", ()),
}


@both_versions
@pytest.mark.parametrize("name", list(ACCEPTED))
@pytest.mark.parametrize("check", ["-rc", "-vc"])
def test_certificate_that_is_accepted(
    name: str,
    check: str,
    version: ssl.TLSVersion,
    shown: Shown,
    pki: Pki,
    scripted_peer: Peer,
    run_dcmsend: Command,
    instance: Path,
) -> None:
    host, words = ACCEPTED[name]
    peer = scripted_peer([secure(of_version(pki.context(shown[name]), version)), *STORED])
    options = ("+tla", "+cf", str(pki.ca.certificate), check, *words)
    assert sent(run_dcmsend, peer, instance, *options, host=host) == []


@pytest.mark.parametrize("name", ["other CA", "expired", "other name"])
def test_nothing_is_checked_if_that_is_wanted(
    name: str, shown: Shown, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    peer = scripted_peer([secure(pki.context(shown[name])), *STORED])
    assert sent(run_dcmsend, peer, instance, "+tla", "-ic") == []


def test_the_certificate_itself_may_be_named_as_trusted(
    shown: Shown, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    """It need not be that of a CA."""
    peer = scripted_peer([secure(pki.context(pki.other)), *STORED])
    assert sent(run_dcmsend, peer, instance, "+tla", "+cf", str(pki.other.certificate), host="localhost") == []


def test_further_files_are_trusted_too(pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path) -> None:
    peer = scripted_peer(*[[secure(pki.context(each)), *STORED] for each in (pki.server, pki.other)])
    options = ("+tla", "+cf", str(pki.ca.certificate), "+cf", str(pki.other_ca.certificate))
    for _ in range(2):
        assert sent(run_dcmsend, peer, instance, *options) == []


def test_without_a_file_the_system_decides(
    pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's environment variable stands for the system's store."""
    peer = scripted_peer([fail_to_secure(pki.context())], [secure(pki.context()), *STORED])
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.other_ca.certificate))
    assert sent(run_dcmsend, peer, instance, "+tla")[0].startswith(NOT_TRUSTED)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca.certificate))
    assert sent(run_dcmsend, peer, instance, "+tla") == []


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority, Identity]:
    """A root, what it has signed, and what that has signed."""
    folder = tmp_path_factory.mktemp("chain")
    root = Authority(folder / "root", "Root CA")
    later = Authority(folder / "later", "Intermediate CA", parent=root)
    return root, later, later.issue("leaf")


MISSING_LIST = "there is no revocation list of the peer's issuer"


@pytest.mark.parametrize(
    ("lists", "options", "told"),
    [
        ("good leaf", (), ""),
        ("good leaf", ("+crv",), ""),
        ("bad leaf", (), "the peer's certificate has been revoked, or one that signed it"),
        ("stale leaf", (), "a revocation list has expired"),
        ("", ("+crv",), MISSING_LIST),
        ("good root", (), MISSING_LIST),
        ("good leaf", ("+cra",), MISSING_LIST),
        ("good leaf, good root", ("+cra",), ""),
        ("good leaf, bad root", (), ""),
        ("good leaf, bad root", ("+cra",), "the peer's certificate has been revoked, or one that signed it"),
    ],
)
def test_revocation_lists(
    lists: str,
    options: tuple[str, ...],
    told: str,
    chain: tuple[Authority, Authority, Identity],
    pki: Pki,
    scripted_peer: Peer,
    run_dcmsend: Command,
    instance: Path,
) -> None:
    root, later, leaf = chain
    files = {
        "good leaf": lambda: later.revocations(name="good"),
        "bad leaf": lambda: later.revocations(leaf.serial, name="bad"),
        "stale leaf": lambda: later.revocations(name="stale", stale=True),
        "good root": lambda: root.revocations(name="good"),
        "bad root": lambda: root.revocations(later.serial, name="bad"),
    }
    words = [word for name in lists.split(", ") if name for word in ("+crl", str(files[name]()))]
    context = pki.context(leaf)
    peer = scripted_peer([fail_to_secure(context)] if told else [secure(context), *STORED])
    found = sent(run_dcmsend, peer, instance, "+tla", "+cf", str(root.certificate), *words, *options)
    assert found[:1] == ([f"F: TLS: {told}"] if told else [])


# --- our certificate


@both_versions
def test_certificate_of_ours_is_demanded(
    version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    """In TLS 1.3 we hear of it when the handshake is over."""
    context = of_version(pki.context(demand=True), version)
    peer = scripted_peer([fail_to_secure(context)], [secure(context), *STORED])
    told = sent(run_dcmsend, peer, instance, "+tla", "+cf", str(pki.ca.certificate))
    assert told[0].startswith("F: TLS: the peer refuses: ")
    if version is ssl.TLSVersion.TLSv1_3:
        assert told[0].endswith("it demands a certificate of ours")
    assert "ur key and certificate are given with --enable-tls" in told[1]
    assert sent(run_dcmsend, peer, instance, *pki.words()) == []


@both_versions
def test_certificate_of_ours_that_the_peer_does_not_trust(
    version: ssl.TLSVersion, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    peer = scripted_peer([fail_to_secure(of_version(pki.context(demand=True), version))])
    ours = ("+tls", str(pki.other.key), str(pki.other.certificate), "+cf", str(pki.ca.certificate))
    told = sent(run_dcmsend, peer, instance, *ours)
    assert told == [
        "F: TLS: the peer refuses: it does not know the CA of our certificate",
        "F: The peer must trust that CA.",
    ]


@both_versions
def test_certificate_of_ours_that_has_expired(
    version: ssl.TLSVersion, shown: Shown, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    peer = scripted_peer([fail_to_secure(of_version(pki.context(demand=True), version))])
    expired = shown["expired"]
    told = sent(
        run_dcmsend, peer, instance, "+tls", str(expired.key), str(expired.certificate), "+cf", str(pki.ca.certificate)
    )
    assert told[0] == "F: TLS: the peer refuses: our certificate has expired"


# --- versions and suites


def old(pki: Pki, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server of the last century: nothing is too weak for it."""
    context = pki.context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("profile", ["+py", "+px", "+pz"])
def test_peer_that_has_nothing_above_tls_1_1(
    profile: str, pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    """No profile goes below TLS 1.2 (RFC 8996)."""
    peer = scripted_peer([fail_to_secure(old(pki, ssl.TLSVersion.TLSv1_1))])
    told = sent(run_dcmsend, peer, instance, "+tla", profile, "-ic")
    words = "it has neither TLS 1.2 nor 1.3, the only versions that are safe"
    assert told[0] == f"F: TLS: the peer refuses: {words}"


def test_peer_that_answers_with_an_older_version(scripted_peer: Peer, run_dcmsend: Command, instance: Path) -> None:
    """Not an alert but a ServerHello of TLS 1.1 (RFC 4346 7.4.1.3)."""
    hello = struct.pack(">BB32sBHB", 3, 2, bytes(range(32)), 0, 0xC013, 0)
    message = b"\2" + len(hello).to_bytes(3, "big") + hello
    peer = scripted_peer([expect_bytes(5), send(b"\x16\3\2" + struct.pack(">H", len(message)) + message), drain()])
    told = sent(run_dcmsend, peer, instance, "+tla", "-ic")
    assert told[0] == (
        "F: TLS: the handshake or a record failed: it has neither TLS 1.2 nor 1.3, the only versions that are safe"
    )


SUITES: Final[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
    # what the server has, our options, whether there is one in common
    ("ECDHE-RSA-AES128-GCM-SHA256", (), True),
    ("ECDHE-RSA-CHACHA20-POLY1305", (), True),
    ("ECDHE-RSA-CHACHA20-POLY1305", ("+pz",), False),
    ("DHE-RSA-AES256-GCM-SHA384", ("+pz",), True),
    ("ECDHE-RSA-AES256-SHA384", (), False),
    ("ECDHE-RSA-AES256-SHA384", ("+px",), True),
    ("AES128-SHA", (), False),
    ("AES128-SHA", ("+px",), True),
    ("AES256-SHA", ("+px",), False),
    ("AES256-SHA", ("+px", "+cs", "TLS_RSA_WITH_AES_128_CBC_SHA", "+cs", "TLS_RSA_WITH_AES_256_CBC_SHA"), True),
    ("AES256-SHA", ("+cs", "TLS_RSA_WITH_AES_256_CBC_SHA"), True),
    ("NULL-SHA256", ("+px",), False),
)


@pytest.fixture
def diffie_hellman(openssl_command: str, tmp_path: Path) -> Callable[[int], str]:
    """Make a file with parameters of so many bits."""

    def make(bits: int) -> str:
        path = tmp_path / "dh.pem"
        command = [openssl_command, "dhparam", "-dsaparam", "-out", str(path), str(bits)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return str(path)

    return make


@pytest.mark.parametrize(("suite", "options", "common"), SUITES, ids=[" ".join((row[0], *row[1])) for row in SUITES])
def test_suites_in_common(
    suite: str,
    options: tuple[str, ...],
    common: bool,
    pki: Pki,
    scripted_peer: Peer,
    run_dcmsend: Command,
    instance: Path,
    diffie_hellman: Callable[[int], str],
) -> None:
    context = of_version(pki.context(), ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(f"{suite}:@SECLEVEL=0")
    if suite.startswith("DHE"):
        context.load_dh_params(diffie_hellman(2048))
    peer = scripted_peer([secure(context), *STORED] if common else [fail_to_secure(context)])
    told = sent(run_dcmsend, peer, instance, "+tla", "+cf", str(pki.ca.certificate), *options)
    words = "F: TLS: the peer refuses: it finds nothing in common with us, be it a cipher suite or a certificate"
    assert told[:1] == ([] if common else [words])
    if not common:
        assert "--profile-bcp195 proposes older cipher suites too" in told[1]


def test_suites_of_tls_1_3_are_there_in_every_profile(
    pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    context = of_version(pki.context(), ssl.TLSVersion.TLSv1_3)
    peer = scripted_peer(*[[secure(context), *STORED]] * 3)
    for profile in ("+py", "+px", "+pz"):
        assert sent(run_dcmsend, peer, instance, "+tla", "+cf", str(pki.ca.certificate), profile) == []


def test_a_short_key_of_the_peer(
    pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path, diffie_hellman: Callable[[int], str]
) -> None:
    """Diffie-Hellman of 1024 bits: what is sent could be read by those with enough computers."""
    context = of_version(pki.context(), ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    context.load_dh_params(diffie_hellman(1024))
    peer = scripted_peer([fail_to_secure(context)])
    told = sent(run_dcmsend, peer, instance, "+tla", "+cf", str(pki.ca.certificate))
    assert told[0] == "F: TLS: the handshake or a record failed: its Diffie-Hellman key is too short"


# --- no TLS at all


PLAIN: Final[dict[str, tuple[list[Step], str]]] = {
    "an A-ABORT": ([expect_bytes(5), send(pdus.abort(2, 1)), drain()], "TLS: the peer does not speak TLS"),
    "text": ([expect_bytes(5), send(b"SSH-2.0-x\r\n" * 20), drain()], "TLS: the peer does not speak TLS"),
    "HTTP": ([expect_bytes(5), send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), drain()], "TLS: the peer does not speak TLS"),
    "nothing": ([expect_bytes(5), close()], "peer ended the connection in the TLS handshake"),
    "a reset": ([expect_bytes(5), reset()], "peer ended the connection in the TLS handshake"),
}


@pytest.mark.parametrize("name", list(PLAIN))
def test_peer_without_tls(name: str, scripted_peer: Peer, run_dcmsend: Command, instance: Path) -> None:
    script, words = PLAIN[name]
    told = sent(run_dcmsend, scripted_peer(script), instance, "+tla", "-ic")
    assert told[0].startswith(f"F: {words}")
    assert "plain" in told[1] or "may not speak TLS" in told[1]


@pytest.mark.parametrize(("option", "seconds"), [("-to", 1), ("-ta", 1)])
def test_peer_that_waits_for_ever(
    option: str, seconds: int, scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    """A plain peer may wait for the rest of what it takes for a PDU."""
    peer = scripted_peer([stall()])
    told = sent(run_dcmsend, peer, instance, "+tla", "-ic", option, str(seconds))
    peer.go_on()
    assert told[0] == f"F: timeout: the TLS handshake took more than {seconds} seconds"


ALERT: Final = b"\x15\3\3\0\2\2\x46"  # fatal, protocol_version
EXPECTS_TLS = "--enable-tls or --anonymous-tls"


@pytest.mark.parametrize(
    "steps",
    [[send(ALERT), drain()], [close()], [reset()]],
    ids=["alert", "close", "reset"],
)
def test_plain_sender_to_a_peer_that_expects_tls(
    steps: list[Step], scripted_peer: Peer, run_dcmsend: Command, instance: Path
) -> None:
    peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), *steps])
    told = sent(run_dcmsend, peer, instance)
    assert len(told) == 2
    assert EXPECTS_TLS in told[1]


def test_plain_sender_to_a_real_tls_server(pki: Pki, scripted_peer: Peer, run_dcmsend: Command, instance: Path) -> None:
    peer = scripted_peer([fail_to_secure(pki.context())])
    assert EXPECTS_TLS in sent(run_dcmsend, peer, instance)[1]


def test_no_hint_where_tls_is_not_to_blame(scripted_peer: Peer, run_dcmsend: Command, instance: Path) -> None:
    """A peer that answers in plain DICOM, and nobody at all."""
    peer = scripted_peer([expect(pdus.A_ASSOCIATE_RQ), send(pdus.abort(2, 1)), drain()])
    assert "TLS" not in "".join(sent(run_dcmsend, peer, instance))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        done = run_dcmsend("127.0.0.1", str(bound.getsockname()[1]), str(instance), timeout=30)
    assert "TLS" not in done.stderr
