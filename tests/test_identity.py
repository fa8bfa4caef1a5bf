"""A user's identity (PS3.7 D.3.3.7) as a value, as bytes, as options of the command line, and as files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from dcmsend import Identity, IdentityKind, send
from dcmsend.cli import grammar
from dcmsend.cli.grammar import Arguments, parse
from dcmsend.cli.login import Login, identity_of
from dcmsend.cli.words import CommandLineError
from dcmsend.errors import ConfigurationError
from dcmsend.light import replace
from dcmsend.net.identity import identity_item
from dcmsend.net.negotiation import IMPLEMENTATION_VERSION
from dcmsend.security import MAX_IDENTITY
from dcmsend.uids import IMPLEMENTATION_CLASS_UID
from dcmsend.wire.items import (
    AsynchronousOperationsWindow,
    ImplementationClass,
    ImplementationVersion,
    MaximumLength,
    UserItem,
    decode_user_items,
    encode_item,
    encode_user_items,
)
from dcmsend.wire.pdu import AssociateRequest
from dcmsend.wire.reader import Reader
from tests.support import identities
from tests.support.identities import KINDS, NAMES, PASSWORD, TRACES, USER
from tests.support.scripted import ScriptedPeer, accept, reject, release, store

Command = Callable[..., CompletedProcess[str]]
Script = Callable[..., ScriptedPeer]

FILE: Final = Path(__file__).parent / "data" / "samples" / "ct_explicit.dcm"


@pytest.fixture
def options(tmp_path: Path) -> dict[str, list[str]]:
    """The command line for each of ``KINDS``."""
    return identities.options(tmp_path)


# --- as bytes

# PS3.7 Table D.3-14: type, reserved, length; identity type, response requested, length and primary field, length and
# secondary field.
VECTORS: Final = {
    "username": (Identity.of_user("jo"), "58 00 0008 01 00 0002 6a6f 0000"),
    "in UTF-8": (Identity.of_user("ß"), "58 00 0008 01 00 0002 c39f 0000"),
    "with a response": (Identity.of_user("jo", positive_response=True), "58 00 0008 01 01 0002 6a6f 0000"),
    "passcode": (Identity.of_user("jo", "pw!"), "58 00 000b 02 00 0002 6a6f 0003 707721"),
    "empty passcode": (Identity.of_user("jo", ""), "58 00 0008 02 00 0002 6a6f 0000"),
    "kerberos": (Identity(kind=IdentityKind.KERBEROS, primary=b"\0\n"), "58 00 0008 03 00 0002 000a 0000"),
    "saml": (Identity(kind=IdentityKind.SAML, primary=b"<a/>"), "58 00 000a 04 00 0004 3c612f3e 0000"),
    "jwt": (
        Identity(kind=IdentityKind.JWT, primary=b"e.f.", positive_response=True),
        "58 00 000a 05 01 0004 652e662e 0000",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_sub_item_is_that_of_the_standard(name: str) -> None:
    identity, vector = VECTORS[name]
    assert encode_user_items([identity_item(identity)]) == bytes.fromhex(vector.replace(" ", ""))
    assert decode_user_items(Reader(bytes.fromhex(vector.replace(" ", "")))) == [identity_item(identity)]


def test_the_largest_identity_fits_with_the_largest_others() -> None:
    """User information is an item, whose length has 16 bits (PS3.8 Table 9-16)."""
    others: list[UserItem] = [
        MaximumLength(131072),
        ImplementationClass(IMPLEMENTATION_CLASS_UID),
        AsynchronousOperationsWindow(65535, 1),
        ImplementationVersion(IMPLEMENTATION_VERSION),
    ]
    largest = Identity.of_user("u" * (MAX_IDENTITY - 10), "p" * 10)
    value = encode_user_items([*others, identity_item(largest)])
    assert decode_user_items(Reader(value))[-1] == identity_item(largest)
    assert encode_item(0x50, value)[4:] == value


# --- values


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Identity.of_user(""), "must not be empty"),
        (lambda: Identity(kind=IdentityKind.JWT, primary=b""), "must not be empty"),
        (lambda: Identity.of_user("\udcff"), "not UTF-8"),
        (lambda: Identity.of_user("jo", "\ud800"), "not UTF-8"),
        (lambda: Identity(kind=IdentityKind.USERNAME_AND_PASSCODE, primary=b"\xc3", secondary=b"\x9f"), "not UTF-8"),
        (lambda: Identity(kind=IdentityKind.KERBEROS, primary=b"t", secondary=b"p"), "goes with a user name"),
        (lambda: Identity(kind=IdentityKind.USERNAME, primary=b"t", secondary=b"p"), "goes with a user name"),
        (lambda: Identity.of_user("u" * MAX_IDENTITY, "p"), f"{MAX_IDENTITY + 1} bytes, more than {MAX_IDENTITY}"),
        (lambda: Identity(kind=IdentityKind.SAML, primary=bytes(MAX_IDENTITY + 1)), "more than"),
    ],
)
def test_what_cannot_be_sent_cannot_be_made(make: Callable[[], Identity], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        make()
    assert caught.value.__context__ is None  # which would keep what it complains of


def test_it_is_a_value() -> None:
    one, other = Identity.of_user(USER, PASSWORD), Identity.of_user(USER, PASSWORD)
    assert one == other
    assert hash(one) == hash(other)
    assert one != Identity.of_user(USER)
    with pytest.raises(AttributeError):
        one.primary = b""  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
def test_no_repr_shows_it(name: str, options: dict[str, list[str]], tmp_path: Path) -> None:
    identity = KINDS[name]
    words = [*options[name], "peer", "104", "a.dcm"]
    arguments = parse(words)
    assert isinstance(arguments, Arguments)
    assert arguments.login is not None
    assert identity_of(arguments.login) == identity
    peer = replace(arguments.peer, identity=identity)
    item = identity_item(identity)
    request = AssociateRequest(called_ae="A", calling_ae="B", contexts=(), user=(item,))
    line = grammar.read(words)
    assert line.given[0][1] in ((USER,), (str(tmp_path / "ticket"),))  # it is there, but not shown
    shown: list[object] = [identity, peer, arguments, arguments.login, item, request, line]
    with send(peer, [], listener=shown.append) as report:
        shown += [report, report.peer, report.error]
    assert not TRACES.search(" ".join(f"{each!r} {each}" for each in shown).replace(str(tmp_path), ""))


# --- options

LOGINS: Final[tuple[tuple[str, Login], ...]] = (
    ("-usr jo", Login(user="jo")),
    ("-usr jo -usr al", Login(user="al")),
    ("-usr jo -pwd x", Login(user="jo", password="x")),
    ("-pwd x -usr jo", Login(user="jo", password="x")),
    ("-usr jo -pwd x -pwd -v", Login(user="jo", password="-v")),
    ("-usr jo -epw", Login(user="jo", password="")),
    ("-usr jo -epw -pwd x", Login(user="jo", password="x")),
    ("-usr jo --password-file f", Login(user="jo", password_file="f")),
    ("-usr jo -pwd x --password-file f", Login(user="jo", password_file="f")),
    ("-kt f", Login(kerberos="f")),
    ("--saml f -rsp", Login(saml="f", positive_response=True)),
    ("--saml f --jwt g", Login(jwt="g")),
    ("--jwt g -usr jo", Login(user="jo")),
    ("-kt f -usr jo -pwd x", Login(user="jo", password="x")),
    ("-usr jo -rsp", Login(user="jo", positive_response=True)),
)


@pytest.mark.parametrize(("words", "login"), LOGINS, ids=[words for words, _ in LOGINS])
def test_what_options_come_to(words: str, login: Login) -> None:
    arguments = parse([*words.split(), "peer", "104", "a.dcm"])
    assert isinstance(arguments, Arguments)
    assert arguments.login == login


# Options, and what storescu says to them.
REFUSED: Final = (
    ("-pwd x", "--password only allowed with --user"),
    ("-epw", "--empty-password only allowed with --user"),
    ("-pwd x -kt f", "--password only allowed with --user"),
    ("-epw -kt f", "--empty-password only allowed with --user"),
    ("-usr u -pwd x -kt f", "--password only allowed with --user"),
    ("-usr u -epw --saml f", "--empty-password only allowed with --user"),
    ("-usr u --jwt f -pwd x", "--password only allowed with --user"),
    ("-usr", "Missing value for option --user"),
    ("-kt", "Missing value for option --kerberos"),
    ("--saml", "Missing value for option --saml"),
)
# What storescu says there, and we do, because that is how it is.
OTHER_WORDS: Final = {
    "-rsp": (
        "--pos-response only allowed with --user, --kerberos or --saml",
        "--pos-response only allowed with --user, --kerberos, --saml or --jwt",
    ),
    "-usr u -pwd x -epw": (
        "--empty-password only allowed with --user",
        "--empty-password not allowed with --password",
    ),
}


def _complaint(words: Sequence[str]) -> str:
    with pytest.raises(CommandLineError) as caught:
        parse(words)
    return caught.value.message


def _words(line: str) -> list[str]:
    words = line.split()
    return words if len(words) == 1 and words[0] != "-epw" and words[0] != "-rsp" else [*words, "peer", "104", "a.dcm"]


@pytest.mark.parametrize(("line", "complaint"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_is_refused(line: str, complaint: str) -> None:
    assert _complaint(_words(line)) == complaint


@pytest.mark.parametrize("line", OTHER_WORDS)
def test_what_is_refused_in_other_words(line: str) -> None:
    assert _complaint(_words(line)) == OTHER_WORDS[line][1]


def test_a_password_file_needs_a_user() -> None:
    assert _complaint(_words("--password-file f")) == "--password-file only allowed with --user"
    assert _complaint(_words("-usr u --password-file f -kt f")) == "--password-file only allowed with --user"


@pytest.mark.parametrize("line", [line for line, _ in REFUSED] + list(OTHER_WORDS))
def test_storescu_refuses_the_same(line: str, dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    command = [dcmtk("storescu"), *_words(line)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    expected = dict(REFUSED).get(line) or OTHER_WORDS[line][0]
    assert f"error: {expected}\n" in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("words", [line for line, login in LOGINS if not login.password_file])
def test_storescu_accepts_the_same(words: str, dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    """It stops at the file that is to be sent, which is not there."""
    for name in ("f", "g"):
        (tmp_path / name).write_text("token")
    command = [dcmtk("storescu"), *words.split(), "127.0.0.1", "1", "missing"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "error:" not in done.stderr
    assert "missing" in done.stderr


@pytest.mark.parametrize("response", [False, True], ids=["", "with a response"])
@pytest.mark.parametrize("name", NAMES)
def test_storescu_sends_the_same_item(
    name: str,
    response: bool,
    options: dict[str, list[str]],
    dcmtk: Callable[[str], str],
    run_dcmsend: Command,
    scripted_peer: Script,
) -> None:
    words = [*options[name], *(["-rsp"] if response else [])]
    peer = scripted_peer(*[[reject()]] * 2)
    run_dcmsend(*words, "127.0.0.1", peer.port, FILE)
    command = [dcmtk("storescu"), *words, "127.0.0.1", str(peer.port), str(FILE)]
    subprocess.run(command, capture_output=True, timeout=60, check=False)
    ours, theirs = (connection.request.user for connection in peer.connections if connection.request)
    assert ours[0x58] == theirs[0x58]
    assert len(ours[0x58]) == 1


# --- files


def run(command: Sequence[str | Path | int], given: bytes = b"") -> CompletedProcess[bytes]:
    """Our command, with something on its standard input."""
    full = [sys.executable, "-m", "dcmsend", *map(str, command)]
    return subprocess.run(full, input=given, capture_output=True, timeout=60, check=False)


def fields(peer: ScriptedPeer) -> bytes:
    """Primary and secondary field of the last request, with their lengths."""
    request = peer.connections[-1].request
    assert request is not None
    (value,) = request.user[0x58]
    return value[2:]


PASSWORD_FILES: Final = {
    "one line": b"vogelfreyqx\n",
    "no line end": b"vogelfreyqx",
    "of Windows": b"\xef\xbb\xbfvogelfreyqx\r\n",
    "more lines": b"vogelfreyqx\nnothing\xff\x00 else\n",
    "endless": b"vogelfreyqx\n" + bytes(1 << 20),
}


@pytest.mark.parametrize("name", PASSWORD_FILES)
@pytest.mark.parametrize("source", ["file", "standard input"])
def test_password_is_the_first_line(name: str, source: str, scripted_peer: Script, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), release()])
    (tmp_path / "pw").write_bytes(PASSWORD_FILES[name])
    path = tmp_path / "pw" if source == "file" else "-"
    words = ["-usr", "jo", "--password-file", path, "127.0.0.1", peer.port, FILE]
    done = run(words, b"" if source == "file" else PASSWORD_FILES[name])
    assert (done.returncode, done.stderr) == (0, b"")
    assert fields(peer) == b"\x00\x02jo\x00\x0bvogelfreyqx"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_password_may_come_through_a_pipe(scripted_peer: Script) -> None:
    """As a shell's ``<(...)`` hands it over."""
    peer = scripted_peer([accept(), store(), release()])
    reading, writing = os.pipe()
    os.write(writing, b"vogelfreyqx\n")
    words = ["-usr", "jo", "--password-file", f"/dev/fd/{reading}", "127.0.0.1", str(peer.port), str(FILE)]
    full = [sys.executable, "-m", "dcmsend", *words]
    done = subprocess.run(full, pass_fds=[reading], capture_output=True, timeout=60, check=False)
    os.close(reading)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
    assert fields(peer) == b"\x00\x02jo\x00\x0bvogelfreyqx"


@pytest.mark.parametrize("option", ["-kt", "--saml", "--jwt"])
def test_a_file_of_the_largest_size_is_sent(option: str, scripted_peer: Script, tmp_path: Path) -> None:
    peer = scripted_peer([accept(), store(), release()])
    content = os.urandom(MAX_IDENTITY)
    (tmp_path / "ticket").write_bytes(content)
    done = run(["--async-window", 16, option, tmp_path / "ticket", "127.0.0.1", peer.port, FILE])
    assert (done.returncode, done.stderr) == (0, b"")
    assert fields(peer) == MAX_IDENTITY.to_bytes(2, "big") + content + b"\0\0"


BAD_FILES: Final[tuple[tuple[str, bytes | None, str], ...]] = (
    ("--kerberos", None, "cannot use the file 'FILE' of --kerberos: No such file or directory"),
    ("--kerberos", b"", "cannot use the file 'FILE' of --kerberos: it is empty"),
    ("--saml", bytes(MAX_IDENTITY + 1), f"cannot use the file 'FILE' of --saml: it has more than {MAX_IDENTITY} bytes"),
    ("--jwt", b"", "cannot use the file 'FILE' of --jwt: it is empty"),
    ("--password-file", None, "cannot use the file 'FILE' of --password-file: No such file or directory"),
    ("--password-file", b"", "cannot use the file 'FILE' of --password-file: its first line is empty"),
    ("--password-file", b"\r\nqx\n", "cannot use the file 'FILE' of --password-file: its first line is empty"),
    ("--password-file", b"qx\xff\n", "--user, --password-file: a user identity that is not UTF-8 text"),
    (
        "--password-file",
        b"q" * (MAX_IDENTITY + 8),
        f"cannot use the file 'FILE' of --password-file: its first line has more than {MAX_IDENTITY} bytes",
    ),
    (
        "--password-file",
        b"q" * MAX_IDENTITY,
        f"--user, --password-file: a user identity of {MAX_IDENTITY + 2} bytes, more than {MAX_IDENTITY}",
    ),
)


@pytest.mark.parametrize(("option", "content", "complaint"), BAD_FILES)
def test_a_file_that_cannot_be_used(option: str, content: bytes | None, complaint: str, tmp_path: Path) -> None:
    """Told before anything is looked for, let alone sent: neither the peer nor the instance is there."""
    path = tmp_path / "f"
    if content is not None:
        path.write_bytes(content)
    user = ["-usr", "jo"] if option == "--password-file" else []
    done = run([*user, option, path, "nowhere.invalid", 104, "missing.dcm"])
    first, *hints = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert first == "F: " + complaint.replace("FILE", str(path))
    assert hints in ([], ["F: an empty password is sent with --empty-password"])


@pytest.mark.parametrize("path", ["", "a\udcffb\x1b[2J\n", "."])
@pytest.mark.parametrize("option", ["--kerberos", "--password-file"])
def test_a_file_name_that_is_none(option: str, path: str) -> None:
    user = ["-usr", "jo"] if option == "--password-file" else []
    done = run([*user, option, path, "nowhere.invalid", 104, "missing.dcm"])
    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert line.startswith(f"F: cannot use the file '{path[:1]}")
    assert line.isprintable()


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    if not os.path.exists("/dev/zero"):
        pytest.skip("this system has no such device")
    done = run(["--jwt", "/dev/zero", "nowhere.invalid", 104, "missing.dcm"])
    assert (done.returncode, b"more than" in done.stderr) == (1, True)
    done = run(["-usr", "jo", "--password-file", "/dev/zero", "nowhere.invalid", 104, "missing.dcm"])
    assert (done.returncode, b"more than" in done.stderr) == (1, True)


def test_standard_input_that_says_nothing() -> None:
    done = run(["-usr", "jo", "--password-file", "-", "nowhere.invalid", 104, "missing.dcm"])
    assert done.returncode == 1
    assert done.stderr.startswith(b"F: cannot use the standard input of --password-file: its first line is empty\n")
