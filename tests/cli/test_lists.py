"""``--files-from``: names from files and from standard input, as they come; no list that breaks looks like its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from dcmsend.cli import lists
from dcmsend.cli.grammar import Arguments, parse
from dcmsend.cli.main import main
from dcmsend.cli.names import OPTIONS
from dcmsend.errors import ConfigurationError, ListError
from dcmsend.model import Later
from dcmsend.transfer import crew, feed
from tests.support.builder import part10
from tests.support.report import rows
from tests.support.scripted import Connection, ScriptedPeer, accept, release, store

Script = Callable[..., ScriptedPeer]
CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 60.0  # seconds


def arguments(*words: str) -> Arguments:
    parsed = parse([*words, "peer", "104"])
    assert isinstance(parsed, Arguments)
    return parsed


def names(*words: str) -> list[str]:
    return [name for name in lists.sources(arguments(*words)) if isinstance(name, str)]


def write(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.dcm" for number in range(1, count + 1)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(part10(CT, f"1.2.3.{number}"))
    return [str(path) for path in paths]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(
    ("content", "options", "found"),
    [
        (b"a\nb\n", (), ["a", "b"]),
        (b"a\nb", (), ["a", "b"]),
        (b"a\r\n\r\nb\r\n\n", (), ["a", "b"]),
        (b"a\r\r\n", (), ["a\r"]),
        (b' a b \n#c\n"d"\n\'e\n-nh\n@f\n\\n\n', (), [" a b ", "#c", '"d"', "'e", "-nh", "@f", "\\n"]),
        (b"\xff\n\xc3\xa4\n", (), [os.fsdecode(b"\xff"), os.fsdecode(b"\xc3\xa4")]),
        (b"a\nb\0\0c\r\0", ("-0",), ["a\nb", "c\r"]),
        (b"a\0b", ("-0",), ["a", "b"]),
        (b"", (), []),
        (b"\n\r\n", (), []),
        (b"\xef\xbb\xbfa\nb\n", (), ["a", "b"]),
        (b"\xef\xbb\xbf", (), []),
        (b"\xef\xbb\n", (), [os.fsdecode(b"\xef\xbb")]),
        (b"a\n\xef\xbb\xbfb\n", (), ["a", os.fsdecode(b"\xef\xbb\xbfb")]),
        (b"\xef\xbb\xbfa\0", ("-0",), [os.fsdecode(b"\xef\xbb\xbfa")]),
    ],
)
def test_names_in_a_list(content: bytes, options: tuple[str, ...], found: list[str], tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(content)
    assert names("--files-from", str(tmp_path / "list"), *options) == found


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_names_are_the_same_wherever_a_read_ends(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "CHUNK", size)
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbfone\r\n\ntwo\r\n\xc3\xa4three")
    assert names("--files-from", str(tmp_path / "list")) == ["one", "two", os.fsdecode(b"\xc3\xa4three")]


def test_they_come_behind_the_parameters_in_the_order_of_the_options(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("c\nd\n")
    (tmp_path / "two").write_text("b\n")
    parsed = parse(["--files-from", str(tmp_path / "one"), "p", "1", "z", "--files-from", str(tmp_path / "two"), "y"])
    assert isinstance(parsed, Arguments)
    assert list(lists.sources(parsed)) == ["z", "y", "c", "d", "b"]


@pytest.mark.parametrize("length", [99, 100, 101, 1000])
def test_a_name_has_a_longest_length(length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_NAME", 100)
    monkeypatch.setattr(lists, "CHUNK", 64)
    (tmp_path / "list").write_bytes(b"a\n" + b"x" * length + b"\nb\n")
    found = lists.sources(arguments("--files-from", str(tmp_path / "list")))
    assert next(found) == "a"
    if length <= 100:
        assert list(found) == ["x" * length, "b"]
    else:
        *_, broken = found
        assert isinstance(broken, ListError)
        assert str(broken) == f"name 2 in list '{tmp_path}/list' (--files-from) has more than 100 bytes"


def test_a_list_without_end_is_not_read_to_its_end() -> None:
    """It is given up at the longest name; and where there are none but empty ones, a run can be stopped."""
    *_, broken = lists.sources(arguments("--files-from", "/dev/zero"))
    assert str(broken) == "name 1 in list '/dev/zero' (--files-from) has more than 65536 bytes"
    found = lists.sources(arguments("--files-from", "/dev/zero", "-0"))
    assert isinstance(next(found), Later)
    del found
    for thread in threading.enumerate():
        if thread.name == "files-from":  # they end when nobody wants more
            thread.join(LIMIT)
            assert not thread.is_alive()


def test_a_nul_without_the_option_for_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"a\0b\0")
    *_, broken = lists.sources(arguments("--files-from", str(tmp_path / "list")))
    assert isinstance(broken, ListError)
    assert "has a NUL character in it" in str(broken)
    assert "--null" in broken.hint_in(OPTIONS)


def test_a_list_in_utf16_is_told(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a\n", encoding="utf-16")
    (broken,) = lists.sources(arguments("--files-from", str(tmp_path / "list")))
    assert str(broken) == f"list '{tmp_path}/list' (--files-from) is in UTF-16"


def test_a_list_that_is_not_there_is_told_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = descriptors()
    (tmp_path / "good").write_text("x")
    for path, reason in ((tmp_path / "gone", "No such file or directory"), (tmp_path, "Is a directory")):
        words = ["--files-from", str(tmp_path / "good"), "--files-from", str(path), "peer", "104"]
        assert main(words) == 1
        line, hint = capsys.readouterr().err.splitlines()
        assert line == f"F: cannot read list '{path}' (--files-from): {reason}"
        assert hint == "F: Name a list that is there and may be read."
    assert descriptors() == before


@pytest.mark.parametrize(
    ("words", "other"),
    [
        (("--files-from", "-", "--files-from", "-"), "--files-from -"),
        (("--files-from", "-", "--user", "u", "--password-file", "-"), "--password-file -"),
    ],
)
def test_standard_input_is_read_once(words: tuple[str, ...], other: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "peer", "104"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == f"error: standard input can be read once: --files-from - not allowed with {other}"


def test_an_empty_list_is_no_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list").write_bytes(b"\n\n")
    assert main(["--files-from", str(tmp_path / "list"), "peer", "104"]) == 21
    assert capsys.readouterr().err == "F: no input files to be processed\n"


# --- a read that fails


class TestBroken:
    """The second read of the list fails."""

    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        real = os.read
        seen: list[int] = []

        def read(descriptor: int, count: int) -> bytes:
            seen.append(descriptor)
            if seen.count(descriptor) == 1:
                return real(descriptor, count)
            raise OSError(5, "Input/output error")

        self.paths = write(tmp_path, 2)
        (tmp_path / "list").write_text("\n".join(self.paths) + "\n")
        monkeypatch.setattr(os, "read", read)

    def test_with_no_halt_what_was_named_before_is_sent(
        self, scripted_peer: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        peer = scripted_peer([accept(), store(), store(), release()])
        code = main(["-nh", "--files-from", str(tmp_path / "list"), "127.0.0.1", str(peer.port)])
        reason = f"F: cannot read on in list '{tmp_path / 'list'}' (--files-from): Input/output error\n"
        hint = "F: Nobody knows what else the list names: make it anew, and send what was not sent.\n"
        assert (code, capsys.readouterr().err) == (22, reason + hint)
        assert len(peer.messages) == 2

    def test_without_nothing_is_sent_that_was_not_under_way(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--files-from", str(tmp_path / "list"), "127.0.0.1", "1"]) == 22
        assert "cannot read on in list" in capsys.readouterr().err

    def test_a_pipe(self, tmp_path: Path, scripted_peer: Script, capsys: pytest.CaptureFixture[str]) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        peer = scripted_peer([accept(), store(), store(), release()])
        feeder = threading.Thread(target=lambda: fifo.write_text("\n".join(self.paths) + "\n"))
        feeder.start()
        code = main(["-nh", "--files-from", str(fifo), "127.0.0.1", str(peer.port)])
        feeder.join()
        assert code == 22
        assert "cannot read on in list" in capsys.readouterr().err
        assert len(peer.messages) == 2


# --- standard input


class Run:
    """The command in a process of its own, with a pipe to its standard input."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dcmsend", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._watchdog = threading.Timer(LIMIT, self.process.kill)
        self._watchdog.start()

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(self, words: bytes) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if words in line:
                return
        pytest.fail(f"the log ended without {words!r}")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> tuple[int, str]:
        assert self.process.stderr is not None
        told = self.process.stderr.read()
        return self.process.wait(), told.decode()

    def clean_up(self) -> None:
        self._watchdog.cancel()
        self.process.kill()
        for stream in (self.process.stdin, self.process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.process.wait()


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def start(*words: str) -> Run:
        started.append(Run(*words))
        return started[-1]

    yield start
    for one in started:
        one.clean_up()


class Place:
    """A step of a script that tells the test that it has been reached."""

    def __init__(self) -> None:
        self._reached = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self._reached.set()

    def wait(self) -> None:
        assert self._reached.wait(LIMIT)


def test_sending_begins_while_names_are_still_to_come(
    run: Callable[..., Run], scripted_peer: Script, tmp_path: Path
) -> None:
    first, second = write(tmp_path, 2)
    stored = Place()
    peer = scripted_peer([accept(), store(), stored, store(), release()])
    command = run("--files-from", "-", "127.0.0.1", str(peer.port))
    command.write(f"{first}\n".encode())
    stored.wait()  # it would never be where the list is read to its end first
    command.write(f"{second}".encode())
    command.close()
    assert command.end() == (0, "")
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.1", "1.2.3.2"]


@pytest.mark.parametrize("associations", [1, 2])
def test_an_association_does_not_wait_for_names_for_long(
    associations: int, scripted_peer: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is released, and another one is opened for what comes after that."""
    for module in (feed, crew):
        monkeypatch.setattr(module, "PATIENCE", 0.01)
    first, second = write(tmp_path, 2)
    released = Place()
    peer = scripted_peer([accept(), store(), release(), released], [accept(), store(), release()])
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def feeder() -> None:
        with fifo.open("w") as stream:
            stream.write(f"{first}\n")
            stream.flush()
            released.wait()
            stream.write(f"{second}\n")

    thread = threading.Thread(target=feeder)
    thread.start()
    words = ["--associations", str(associations), "--files-from", str(fifo), "127.0.0.1", str(peer.port)]
    assert main(words) == 0
    thread.join()
    assert [message.sop_instance for message in peer.messages] == ["1.2.3.1", "1.2.3.2"]


@pytest.mark.parametrize("option", [(), ("--scan-first",), ("-ma",)])
def test_a_long_list_through_a_real_pipe(option: tuple[str, ...], pynetdicom_scp: Any, tmp_path: Path) -> None:
    server = pynetdicom_scp()
    write(tmp_path, 500)
    (tmp_path / "other").mkdir()
    producer = f"find {tmp_path} -maxdepth 1 -name '*.dcm' -print0"
    command = [sys.executable, "-m", "dcmsend", *option, "--files-from", "-", "-0", "127.0.0.1", str(server.port)]
    with subprocess.Popen(["sh", "-c", producer], stdout=subprocess.PIPE) as found:
        done = subprocess.run(command, stdin=found.stdout, capture_output=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(server.stored()) == 500


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [(), ("--associations", "2"), ("--scan-first",)], ids=["one", "two", "first"])
def test_a_signal_ends_the_wait_for_names(
    options: tuple[str, ...], number: int, run: Callable[..., Run], scripted_peer: Script
) -> None:
    command = run("-v", *options, "--files-from", "-", "127.0.0.1", "1")
    command.wait_for(b"checking input files")
    command.process.send_signal(number)
    code, told = command.end()
    assert code == (130 if number == signal.SIGINT else 143)
    assert "F: stopped by the user" in told


@pytest.mark.parametrize("options", [(), ("--associations", "2")], ids=["one", "two"])
def test_a_signal_ends_the_wait_within_an_association(
    options: tuple[str, ...], run: Callable[..., Run], scripted_peer: Script, tmp_path: Path
) -> None:
    stored = Place()
    peer = scripted_peer([accept(), store(), stored, release()])
    command = run(*options, "--files-from", "-", "127.0.0.1", str(peer.port))
    command.write(f"{write(tmp_path, 1)[0]}\n".encode())
    stored.wait()
    command.process.send_signal(signal.SIGINT)
    code, told = command.end()
    assert (code, "F: stopped by the user" in told) == (130, True)


def test_closed_standard_input_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dcmsend", "--files-from", "-", "127.0.0.1", "1"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 1
    assert "standard input (--files-from)" in done.stderr


def test_a_configuration_error_is_no_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptors()
    (tmp_path / "list").write_text("x")
    found = lists.sources(arguments("--files-from", str(tmp_path / "list")))
    assert descriptors() == before + 1
    del found
    assert descriptors() == before
    with pytest.raises(ConfigurationError):
        lists.sources(arguments("--files-from", str(tmp_path / "gone")))


def test_names_are_not_taken_for_a_password(pki: Any, tmp_path: Path) -> None:
    """The first line of standard input is a name, though the private key needs a password."""
    key = pki.client
    words = ["+tls", str(key.encrypted), str(key.certificate), "--files-from", "-", "127.0.0.1", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "dcmsend", *words],
        input="a\nb\n",
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("F: the private key needs a password, and there is nobody to ask")


def test_archives_that_a_list_names(pynetdicom_scp: Any, tmp_path: Path) -> None:
    """From a pipe to the report, where members have the paths that they have in the journal."""
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("d/x.dcm", part10(CT, "1.2.1"))
    with tarfile.open(tmp_path / "two", "w:gz") as tar:
        write(tmp_path, 1)
        tar.add(tmp_path / "1.dcm", "y.dcm")
    server = pynetdicom_scp()
    report = tmp_path / "report"
    words = ["--scan-archives", "--files-from", "-", "-0", "+crf", str(report), "127.0.0.1", str(server.port)]
    done = subprocess.run(
        [sys.executable, "-m", "dcmsend", *words],
        input=b"one.zip\0two\0",
        cwd=tmp_path,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [row["Filename"] for row in rows(report)] == ["one.zip/d/x.dcm", "two/y.dcm"]
    assert len(server.stored()) == 2
