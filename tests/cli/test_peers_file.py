"""Named peers: what a peers file may say, which of it counts beside the command line, and what is wrong with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

import pytest

from dcmsend.cli.grammar import Arguments, parse
from dcmsend.cli.main import main
from dcmsend.cli.options import BY_NAME, OPTIONS
from dcmsend.cli.peers import ALLOWED, MAX_PEERS_FILE, PATHS, default_path
from dcmsend.cli.words import CommandLineError
from dcmsend.model import AddressFamily, Decompression, Peer
from dcmsend.security import CrlCheck, KeyFormat, Tls
from tests.support import pdus
from tests.support.certificates import Pki
from tests.support.scripted import accept, answer, expect_message, release, store

ADDRESS: Final = 'host = "pacs.example.org"\nport = 104\n'


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(body: str) -> Path:
        path = tmp_path / "peers.toml"
        path.write_text(body)
        return path

    return written


@pytest.fixture
def parsed(write: Callable[[str], Path]) -> Callable[..., Arguments]:
    """The arguments with these lines in the table of the peer ``pacs``."""

    def arguments(lines: str, *words: str) -> Arguments:
        path = write(f"[pacs]\n{ADDRESS}{lines}\n")
        found = parse(["--peer", "pacs", "--peers", str(path), *words, "a", "b"])
        assert isinstance(found, Arguments)
        return found

    return arguments


def complaint(path: Path, *words: str, name: str = "pacs") -> str:
    with pytest.raises(CommandLineError) as caught:
        parse(["--peer", name, "--peers", str(path), *words, "a"])
    assert caught.value.message.isprintable()
    start = f"peers file '{path}'"
    assert start in caught.value.message
    return caught.value.message.replace(start, "FILE")


# --- what counts


def test_all_parameters_are_files(parsed: Callable[..., Arguments]) -> None:
    arguments = parsed("")
    assert arguments.peer == Peer(host="pacs.example.org", port=104)
    assert arguments.files == ("a", "b")


SETTINGS: Final[tuple[tuple[str, str, object], ...]] = (
    ('call = "ARCHIVE"', "peer.called_ae", "ARCHIVE"),
    ('aetitle = "-v"', "peer.calling_ae", "-v"),
    ('call = "@nowhere"', "peer.called_ae", "@nowhere"),
    ("ipv6 = true", "peer.family", AddressFamily.IPV6),
    ("ipv6 = false", "peer.family", AddressFamily.IPV4),
    ("ipv6 = false\nip-auto = true", "peer.family", AddressFamily.ANY),
    ("associations = 4", "limits.associations", 4),
    ("single-association = true", "policy.multiple_associations", False),
    ("retries = 5\nretry-delay = 0", "retries.delay", 0),
    ("timeout = 10", "timeouts.connect", 10.0),
    ("acse-timeout = 10", "timeouts.acse", 10.0),
    ("dimse-timeout = 10", "timeouts.dimse", 10.0),
    ("socket-timeout = 0", "timeouts.socket", None),
    ("max-pdu = 0x2000", "limits.max_receive_pdu", 8192),
    ("async-window = 16", "limits.async_window", 16),
    ('rate-limit = "2M"', "limits.rate", 2_000_000),
    ("rate-limit = 5000", "limits.rate", 5000),
    ("decompress-lossy = true", "conversion.decompression", Decompression.LOSSY),
    ('user = "jo"\nempty-password = true', "login.password", ""),
    ('user = "jo"\npassword-file = "-"', "login.password_file", "-"),
    ("anonymous-tls = true", "peer.tls", Tls()),
    ("anonymous-tls = true\nder-keys = true", "peer.tls.file_format", KeyFormat.DER),
    ("anonymous-tls = true\nenable-crl-vfy = true", "peer.tls.crl_check", CrlCheck.LEAF),
    ('anonymous-tls = true\ncipher = ["A", "B"]', "peer.tls.ciphers", ("A", "B")),
    ('anonymous-tls = true\ncipher = "A"', "peer.tls.ciphers", ("A",)),
    ("anonymous-tls = true\ncipher = []", "peer.tls.ciphers", ()),
    ('anonymous-tls = true\ntls-server-name = "x"', "peer.tls.server_name", "x"),
)


def value_of(arguments: Arguments, field: str) -> Any:
    found: Any = arguments
    for name in field.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(("lines", "field", "value"), SETTINGS, ids=[lines for lines, _, _ in SETTINGS])
def test_setting(lines: str, field: str, value: object, parsed: Callable[..., Arguments]) -> None:
    assert value_of(parsed(lines), field) == value


OVERRULED: Final[tuple[tuple[str, str, str, object], ...]] = (
    # in the file; on the command line; what counts
    ('call = "FILE"', "-aec LINE", "peer.called_ae", "LINE"),
    ('call = "FILE"', "-v", "peer.called_ae", "FILE"),
    ("ipv4 = true", "--ipv6", "peer.family", AddressFamily.IPV6),
    ("timeout = 5", "-to 7", "timeouts.connect", 7.0),
    ("associations = 4", "-ma", "limits.associations", 1),
    ("single-association = true", "--associations 2", "policy.multiple_associations", True),
    ("retries = 5\nretry-delay = 9", "--retries 1", "retries.delay", 9),
    ("retries = 5\nretry-delay = 9", "-ma", "retries.count", 0),
    ('journal = "kept"', "--send-duplicates", "journal", None),
    ('anonymous-tls = true\nadd-cert-file = "ca.pem"\nignore-peer-cert = true', "--disable-tls", "peer.tls", None),
    ('anonymous-tls = true\ncipher = ["A"]', "+cs B", "peer.tls.ciphers", ("B",)),
    ('anonymous-tls = true\ncipher = ["A"]', "+pz", "peer.tls.ciphers", ()),
    ('anonymous-tls = true\ncipher = ["A"]', "+tls key cert", "peer.tls.ciphers", ("A",)),
    ("anonymous-tls = true", "--tls-server-name x", "peer.tls.server_name", "x"),
    ('enable-tls = ["k", "c"]\nnull-passwd = true', "+tla", "peer.tls", Tls()),
    ('enable-tls = ["k", "c"]\nnull-passwd = true', "+tls key cert +pw x", "peer.tls.password", "x"),
    # a password is for the user who stands beside it, and for no other
    ('user = "jo"\npassword-file = "p"', "--user jane", "login.password_file", None),
    ('user = "jo"\npassword-file = "p"', "--jwt token", "login.password_file", None),
    ('user = "jo"\npassword-file = "p"', "--password x", "login.password_file", None),
    ('user = "jo"\npos-response = true', "--jwt token", "login.positive_response", True),
)


@pytest.mark.parametrize(
    ("lines", "words", "field", "value"), OVERRULED, ids=[f"{row[0]} {row[1]}" for row in OVERRULED]
)
def test_command_line_wins(lines: str, words: str, field: str, value: object, parsed: Callable[..., Arguments]) -> None:
    assert value_of(parsed(lines, *words.split()), field) == value


def test_every_option_of_network_tls_and_conversion_may_stand_there() -> None:
    left_out = {option.long for option in OPTIONS} - {option.long for option in ALLOWED.values()}
    groups = {BY_NAME[long].section.group for long in left_out - {"--peer", "--peers", "--list-ciphers"}}
    assert groups == {"general options", "input options", "processing options", "output options"}
    assert {"timeout", "call", "enable-tls", "password-file", "decompress-lossy"} <= ALLOWED.keys()
    assert not {"dry-run", "no-halt", "peer", "peers", "list-ciphers", "host", "port"} & ALLOWED.keys()


def test_values_that_are_no_names_of_files_are_known() -> None:
    """Whoever adds an option with another kind of value has to think of whether it is a path."""
    names = {argument.name for option in ALLOWED.values() for argument in option.arguments}
    others = {"aetitle", "number", "seconds", "user name", "password", "number of bytes", "rate", "ciphersuite name"}
    assert names - PATHS == others | {"level", "name"}


@pytest.mark.parametrize("key", [key for key, option in ALLOWED.items() if not option.arguments])
def test_options_without_value_are_true_or_false(key: str, write: Callable[[str], Path]) -> None:
    assert complaint(write(f"[pacs]\n{ADDRESS}{key} = 1")) == f"FILE, peer 'pacs': {key} must be true or false"


def test_names_of_files_are_meant_from_the_folder_of_the_file(parsed: Callable[..., Arguments], tmp_path: Path) -> None:
    absolute = str(tmp_path / "absolute.pem")
    found = parsed(
        'enable-tls = ["key.pem", "sub/cert.pem"]\nnull-passwd = true\n'
        f'add-cert-file = ["ca.pem", "{absolute}", "~/ca.pem"]\njournal = "kept"'
    )
    assert found.peer.tls is not None
    assert found.peer.tls.key == str(tmp_path / "key.pem")
    assert found.peer.tls.certificate == str(tmp_path / "sub" / "cert.pem")
    assert found.peer.tls.ca_files == (str(tmp_path / "ca.pem"), absolute, os.path.expanduser("~/ca.pem"))
    assert found.journal is not None
    assert found.journal.path == str(tmp_path / "kept")


# --- where it is


@pytest.mark.parametrize(
    ("environment", "platform", "path"),
    [
        ({"XDG_CONFIG_HOME": "/x"}, "linux", "/x/dcmsend/peers.toml"),
        ({"XDG_CONFIG_HOME": "relative"}, "linux", "~/.config/dcmsend/peers.toml"),
        ({"XDG_CONFIG_HOME": ""}, "darwin", "~/.config/dcmsend/peers.toml"),
        ({}, "linux", "~/.config/dcmsend/peers.toml"),
        ({"APPDATA": "/x", "XDG_CONFIG_HOME": "/y"}, "win32", "/x/dcmsend/peers.toml"),
    ],
)
def test_default_path(environment: dict[str, str], platform: str, path: str) -> None:
    assert Path(default_path(environment, platform)) == Path(path).expanduser()


def test_the_users_own_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    (tmp_path / "dcmsend").mkdir()
    (tmp_path / "dcmsend" / "peers.toml").write_text(f"[pacs]\n{ADDRESS}")
    arguments = parse(["--peer", "pacs", "a"])
    assert isinstance(arguments, Arguments)
    assert arguments.peer.host == "pacs.example.org"


# --- mistakes


MISTAKES: Final[tuple[tuple[str, str], ...]] = (
    ("", "FILE has no peers; each is a table: [pacs]"),
    ("pacs = 1", "FILE: 'pacs' is no peer, which is a table: [pacs]"),
    ("[[pacs]]\nport = 1", "FILE: 'pacs' is no peer, which is a table: [pacs]"),
    ("[pasc]\n[other]", "FILE has no peer 'pacs' (did you mean 'pasc'?); it has pasc, other"),
    ("[other]", "FILE has no peer 'pacs'; it has other"),
    ('["a\\u001b[31m"]', "FILE has no peer 'pacs'; it has a\\x1b[31m"),
    ("[pacs]", "FILE, peer 'pacs': host is missing"),
    ("[pacs]\nport = 104", "FILE, peer 'pacs': host is missing"),
    ('[pacs]\nhost = "x"', "FILE, peer 'pacs': port is missing"),
    ("[pacs]\nhost = 1\nport = 104", "FILE, peer 'pacs': host must be text"),
    ('[pacs]\nhost = ""\nport = 104', "FILE, peer 'pacs': host must be text"),
    ('[pacs]\nhost = "x"\nport = "104"', "FILE, peer 'pacs': port must be a whole number"),
    ('[pacs]\nhost = "x"\nport = true', "FILE, peer 'pacs': port must be a whole number"),
    ('[pacs]\nhost = "x"\nport = 0', "FILE, peer 'pacs': port must be from 1 to 65535 (underflow: 0)"),
    (
        f'[pacs]\nhost = "x"\nport = 0x{"f" * 5000}',
        f"FILE, peer 'pacs': port must be from 1 to 65535 (overflow: {10**18})",
    ),
)
KEYS: Final[tuple[tuple[str, str], ...]] = (
    ("timout = 1", "unknown key 'timout' (did you mean 'timeout'?)"),
    ("nonsense = 1", "unknown key 'nonsense'"),
    ("no-halt = true", "unknown key 'no-halt'"),
    ('peers = "x"', "unknown key 'peers'"),
    ("timeout = 1.5", "timeout must be a whole number"),
    ('timeout = "1"', "timeout must be a whole number"),
    ("timeout = true", "timeout must be a whole number"),
    ("timeout = [1]", "timeout must be a whole number"),
    ("timeout = 2020-01-01", "timeout must be a whole number"),
    ("call = 5", "call must be text"),
    ('call = ["A", "B"]', "call must be text"),
    ("[pacs.call]", "call must be text"),
    ("rate-limit = true", "rate-limit must be a number or text"),
    ('cipher = ["A", 1]', "cipher must be text"),
    ('enable-tls = "key.pem"', "enable-tls must be a list of 2: private key file, certificate file"),
    ('enable-tls = ["key.pem"]', "enable-tls must be a list of 2: private key file, certificate file"),
    ('enable-tls = ["key.pem", 1]', "enable-tls must be text"),
    ('user = "jo"\npassword = "x"', "password: passwords must not stand in this file; password-file names one for it"),
    (
        'enable-tls = ["a", "b"]\nuse-passwd = "x"',
        "use-passwd: passwords must not stand in this file; it is asked for where it is needed",
    ),
    ("ipv4 = true\nipv6 = true", "ipv4 and ipv6 exclude each other"),
    # those of the command line
    ("timeout = 0", "Invalid value for option --timeout (underflow: 0)"),
    ("timeout = -1", "Invalid value for option --timeout (-1)"),
    ("max-pdu = 1", "Invalid value for option --max-pdu (underflow: 1)"),
    (f"max-pdu = 0x{'f' * 5000}", f"Invalid value for option --max-pdu (overflow: {10**18})"),
    ('rate-limit = "x"', "Invalid value for option --rate-limit (x)"),
    ('add-cert-file = "x"', "--add-cert-file only allowed with --enable-tls or --anonymous-tls"),
    ("associations = 2\nsingle-association = true", "--associations not allowed with --single-association"),
    ("retry-delay = 1", "--retry-delay only allowed with --retries"),
)


@pytest.mark.parametrize(("body", "told"), MISTAKES, ids=[body[:60] for body, _ in MISTAKES])
def test_mistake(body: str, told: str, write: Callable[[str], Path]) -> None:
    assert complaint(write(body)) == told


@pytest.mark.parametrize(("lines", "told"), KEYS, ids=[lines[:60] for lines, _ in KEYS])
def test_mistake_in_a_key(lines: str, told: str, write: Callable[[str], Path]) -> None:
    assert complaint(write(f"[pacs]\n{ADDRESS}{lines}")) == f"FILE, peer 'pacs': {told}"


def test_other_peers_may_be_wrong(parsed: Callable[..., Arguments]) -> None:
    assert parsed('\n[other]\nnonsense = "x"').peer.host == "pacs.example.org"


def test_of_many_peers_some_are_named(write: Callable[[str], Path]) -> None:
    told = complaint(write("".join(f"[peer{number}]\n" for number in range(1000))), name="x")
    assert told.startswith("FILE has no peer 'x'; it has peer0, peer1, ")
    assert told.endswith(" and 980 more")
    assert len(told) < 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[pacs]\nhost = \n", "Invalid value (at line 2, column 8)"),
        (b"[pacs]\n[pacs]\n", "(at line 2"),
        (b"[pacs]\nhost = '\xff'", "it is not UTF-8 text"),
        (b"x = " + b"[" * 100_000, "values are nested too deeply"),
        (b"x = " + b"9" * 5000, "a number has too many digits"),
    ],
    ids=["syntax", "twice", "bytes", "deep", "long"],
)
def test_no_toml(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "peers.toml"
    path.write_bytes(content)
    message = complaint(path)
    assert message.startswith("FILE is no valid TOML: ")
    assert told in message


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "peers.toml"
    path.write_bytes(b"\xef\xbb\xbf[pacs]\n" + ADDRESS.encode())
    assert isinstance(parse(["--peer", "pacs", "--peers", str(path), "a"]), Arguments)


@pytest.mark.parametrize("size", [MAX_PEERS_FILE, MAX_PEERS_FILE + 1])
def test_a_file_has_a_largest_size(size: int, tmp_path: Path) -> None:
    path = tmp_path / "peers.toml"
    path.write_text(f"[pacs]\n{ADDRESS}".ljust(size, "#"))
    if size > MAX_PEERS_FILE:
        assert complaint(path) == f"FILE has more than {MAX_PEERS_FILE} bytes"
    else:
        assert isinstance(parse(["--peer", "pacs", "--peers", str(path), "a"]), Arguments)


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert complaint(Path("/dev/zero")) == f"FILE has more than {MAX_PEERS_FILE} bytes"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert complaint(tmp_path / "missing") == "cannot read FILE: No such file or directory"
    assert complaint(tmp_path) == "cannot read FILE: Is a directory"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--peers", "x", "a", "104", "b"], "--peers only allowed with --peer"),
        (["--peer"], "Missing value for option --peer"),
    ],
)
def test_wrong_command_line(words: list[str], told: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        parse(words)
    assert caught.value.message == told


def test_without_files_something_is_missing(write: Callable[[str], Path]) -> None:
    path = write(f"[pacs]\n{ADDRESS}")
    with pytest.raises(CommandLineError, match=r"^Missing parameter dcmfile-in$"):
        parse(["--peer", "pacs", "--peers", str(path)])
    found = parse(["--peer", "pacs", "--peers", str(path), "--echo"])
    assert isinstance(found, Arguments)
    assert found.files == ()


def test_help_comes_before_the_file() -> None:
    found = parse(["--peer", "x", "--peers", "missing", "--help"])
    assert not isinstance(found, Arguments)


# --- the command


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str], write: Callable[[str], Path]) -> None:
    path = write(f"[pacs]\n{ADDRESS}timout = 1")
    assert main(["--peer", "pacs", "--peers", str(path), "a"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == (
        f"error: peers file '{path}', peer 'pacs': unknown key 'timout' (did you mean 'timeout'?)"
    )


def test_files_go_to_the_peer_with_its_titles(
    scripted_peer: Callable[..., Any],
    write: Callable[[str], Path],
    run_dcmsend: Callable[..., CompletedProcess[str]],
    data: Path,
) -> None:
    peer = scripted_peer([accept(), store(), release()])
    path = write(f'[pacs]\nhost = "127.0.0.1"\nport = {peer.port}\ncall = "ARCHIVE"\naetitle = "WS1"')
    words = ("--arguments", "--peer", "pacs", "--peers", path, "-aet", "ME", data / "samples" / "ct_explicit.dcm")
    done = run_dcmsend(*words)
    assert done.returncode == 0
    assert peer.connections[0].request.called_ae == "ARCHIVE"
    assert peer.connections[0].request.calling_ae == "ME"
    assert done.stderr.startswith("I: calling '")
    assert " with 8 arguments: '--arguments' '--peer' 'pacs' '--peers' " in done.stderr
    assert "ARCHIVE" not in done.stderr


def test_a_named_peer_is_asked_whether_it_is_there(
    scripted_peer: Callable[..., Any], write: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    peer = scripted_peer(
        [accept(), expect_message(pdus.C_ECHO_RQ), answer(lambda c: pdus.echo_rsp(c.messages[-1])), release()]
    )
    path = write(f'[pacs]\nhost = "127.0.0.1"\nport = {peer.port}\ncall = "ARCHIVE"')
    assert main(["--peer", "pacs", "--peers", str(path), "--echo"]) == 0
    assert capsys.readouterr().out.startswith(f"127.0.0.1:{peer.port} (ARCHIVE) answered C-ECHO after ")


def test_relative_certificates_secure_the_connection(
    storescp: Any, pki: Pki, run_dcmsend: Callable[..., CompletedProcess[str]], data: Path, tmp_path: Path
) -> None:
    """From another folder, with names relative to the file; on the command line TLS is turned off with all of it."""
    tls = ("+tls", str(pki.server.key), str(pki.server.certificate), "+cf", str(pki.ca.certificate))
    server = storescp(*tls, secure=pki.client_context())
    folder = tmp_path / "settings"
    folder.mkdir()
    for name, path in (("key", pki.client.key), ("cert", pki.client.certificate), ("ca", pki.ca.certificate)):
        shutil.copy(path, folder / f"{name}.pem")
    (folder / "peers.toml").write_text(
        f'[pacs]\nhost = "127.0.0.1"\nport = {server.port}\n'
        'enable-tls = ["key.pem", "cert.pem"]\nnull-passwd = true\nadd-cert-file = "ca.pem"\n'
    )
    words = ("--peer", "pacs", "--peers", folder / "peers.toml", data / "samples" / "ct_explicit.dcm")
    done = run_dcmsend("--echo", "-v", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("I: Secure Transport: TLSv1.3") == 2
    assert len(server.stored()) == 1
    plain = run_dcmsend("-tls", *words, cwd=tmp_path)
    assert plain.returncode == 61
    assert "The peer may expect TLS" in plain.stderr
