"""Reports never destroy: where they must not go is told before anything is sent, and nothing is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from dcmsend.errors import JournalError, ReportError
from dcmsend.files.own_files import BEGINNING, What, is_own, what_begins, what_is
from dcmsend.report.file import write
from dcmsend.stop import Stop
from tests.support.builder import part10
from tests.support.scripted import Connection, ScriptedPeer, accept, release, store

Command = Callable[..., CompletedProcess[str]]
Peer = Callable[..., ScriptedPeer]

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
REPORTS: Final = ("+crf", "--report-json", "--report-csv", "--report-html")
LONG: Final = {"+crf": "--create-report-file"}
LIMIT: Final = 60.0  # seconds


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two instances, a journal that a run has left, and what options read."""
    (tmp_path / "study").mkdir()
    for number in (1, 2):
        (tmp_path / "study" / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    (tmp_path / "list").write_text("study/1.dcm\n")
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "log.cfg").write_text(
        "log4cplus.rootLogger = INFO, a\n"
        "log4cplus.appender.a = log4cplus::FileAppender\n"
        "log4cplus.appender.a.File = log.txt\n"
        "log4cplus.appender.a.layout = log4cplus::SimpleLayout\n"
    )
    return tmp_path


@pytest.fixture
def command(place: Path) -> Command:
    """Runs the command in that folder."""

    def run(*words: object) -> CompletedProcess[str]:
        line = [sys.executable, "-m", "dcmsend", *map(str, words)]
        return subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=LIMIT, check=False)

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What is given beside the report, the report's name, and why it must not go there.
WRONG: Final = {
    "the input itself": ((), "study/1.dcm", "it is to be sent"),
    "another name of an input": ((), "./study/../study/1.dcm", "it is to be sent"),
    "a DICOM file that is not named": ((), "study/2.dcm", "it is a DICOM file"),
    "the journal": (("--journal", "journal"), "journal", "--journal writes to it, too"),
    "beside the journal": (("--journal", "journal"), "journal-wal", "--journal writes to it, too"),
    "the list": (("--files-from", "list"), "list", "--files-from reads it"),
    "the password": (("-usr", "x", "--password-file", "password"), "password", "--password-file reads it"),
    "the log's configuration": (("-lc", "log.cfg"), "log.cfg", "--log-config reads it"),
    "the log": (("-lc", "log.cfg"), "log.txt", "the log is written to it"),
    "a folder": ((), "study", "Is a directory"),
    "no such folder": ((), "nowhere/report", "No such file or directory"),
    "below a file": ((), "list/report", "Not a directory"),
    "too long a name": ((), "n" * 300, "File name too long"),
}


@pytest.mark.parametrize("option", REPORTS)
@pytest.mark.parametrize("name", WRONG)
def test_nothing_is_sent_and_nothing_is_touched(
    name: str, option: str, place: Path, scripted_peer: Peer, command: Command
) -> None:
    words, target, why = WRONG[name]
    peer, before = scripted_peer(), contents(place)
    done = command(*words, option, target, "127.0.0.1", peer.port, "study/1.dcm")
    after = contents(place)
    log = after.pop("log.txt", b"").decode().replace("FATAL - ", "F: ")
    assert (done.returncode, after, peer.connections) == (1, before, [])
    line, hint = (log or done.stderr).splitlines()
    assert line == f"F: {LONG.get(option, option)} cannot write to '{target}': {why}"
    assert hint.removeprefix("F: ").startswith(("Give ", "Name "))


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (2, 3), (0, 3)])
def test_two_reports_in_one_file(first: int, second: int, scripted_peer: Peer, command: Command, place: Path) -> None:
    peer = scripted_peer()
    options = (REPORTS[first], "told", REPORTS[second], "study/../told")
    done = command(*options, "127.0.0.1", peer.port, "study/1.dcm")
    name = LONG.get(REPORTS[first], REPORTS[first])
    assert done.returncode == 1
    assert f"{REPORTS[second]} cannot write to 'study/../told': {name} writes to it, too" in done.stderr
    assert not (place / "told").exists()


@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout"])
def test_what_is_no_file_may_be_shared(device: str, scripted_peer: Peer, command: Command) -> None:
    peer = scripted_peer([accept(), store(), release()])
    done = command("+crf", device, "--report-json", device, "127.0.0.1", peer.port, "study/1.dcm")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_has_become_dicom_meanwhile(scripted_peer: Peer, command: Command, place: Path) -> None:
    """Another program may write, too. All is sent by then: that the report is missing is told, and the exit code."""

    def arrives(connection: Connection) -> None:
        shutil.copy(place / "study" / "2.dcm", place / "told")

    peer = scripted_peer([accept(), store(), arrives, release()])
    done = command("+crf", "told", "127.0.0.1", peer.port, "study/1.dcm")
    assert done.returncode == 43
    assert "E: cannot write report file 'told': it is a DICOM file" in done.stderr.splitlines()
    assert (place / "told").read_bytes() == (place / "study" / "2.dcm").read_bytes()


def test_an_older_report_is_written_over(scripted_peer: Peer, command: Command, place: Path) -> None:
    peer = scripted_peer(*[[accept(), store(), release()]] * 2)
    for _ in range(2):
        assert command("+crf", "told", "127.0.0.1", peer.port, "study/1.dcm").returncode == 0
    assert (place / "told").read_text().startswith("Detailed Report")


def test_own_files_in_a_folder_are_passed_over(scripted_peer: Peer, command: Command, place: Path) -> None:
    """A journal and reports of earlier runs beside the files: nobody takes them for files to be sent."""
    peer = scripted_peer(*[[accept(), store(), store(), release()]] * 2)
    words = ["--journal", "study/journal"]
    for number, option in enumerate(REPORTS):
        words += [option, f"study/{number}.report"]
    first = command(*words, "+sd", "127.0.0.1", peer.port, "study")
    assert (first.returncode, first.stderr) == (0, "")
    (place / "study" / "journal-wal").write_bytes(b"7\x7f\x06\x82")
    (place / "study" / "journal-shm").write_bytes(b"")
    found = {path.name: what_is(str(path)) for path in (place / "study").iterdir()}
    assert found == {
        **{f"{number}.dcm": What.DICOM for number in (1, 2)},
        **{f"{number}.report": What.REPORT for number in range(4)},
        **dict.fromkeys(("journal", "journal-wal", "journal-shm"), What.JOURNAL),
    }
    again = command("+sd", "127.0.0.1", peer.port, "study")
    assert (again.returncode, again.stderr) == (0, "")
    named = command("127.0.0.1", peer.port, "study/journal")
    assert named.returncode == 22


@pytest.mark.parametrize(
    ("beginning", "what"),
    [
        (b"", What.OTHER),
        (bytes(128) + b"DICM", What.DICOM),
        (bytes(127) + b"DICM", What.OTHER),
        (b"SQLite format 3\0".ljust(68, b"\0") + b"DCMS", What.JOURNAL),
        (b"SQLite format 3\0".ljust(72, b"\0"), What.OTHER),
        (b'{"schema_version": 1}', What.OTHER),
        (b"<!DOCTYPE html>\n<html></html>", What.OTHER),
        (b"number,path\n", What.OTHER),
    ],
)
def test_how_files_begin(beginning: bytes, what: What, tmp_path: Path) -> None:
    assert what_begins(beginning[:BEGINNING]) is what
    path = tmp_path / "file"
    path.write_bytes(beginning)
    assert what_is(str(path)) is what
    assert is_own(str(path)) == (what in (What.JOURNAL, What.REPORT))


def test_what_cannot_be_read_is_nothing_of_ours(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "missing", "."):
        assert what_is(str(tmp_path / name)) is What.OTHER
    assert what_is("\0") is What.OTHER


def test_a_report_that_is_half_written_is_not_left(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "half"
        raise JournalError("gone")

    with pytest.raises(ReportError, match="gone"):
        write(str(tmp_path / "told"), pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_fifo_that_nobody_reads_is_given_up(tmp_path: Path) -> None:
    """A request to stop ends the waiting; without one, a reader that comes late gets all of it."""
    fifo, stop = tmp_path / "fifo", Stop()
    os.mkfifo(fifo)

    class Nudges(dict[object, Callable[[], None]]):
        def __setitem__(self, key: object, nudge: Callable[[], None]) -> None:
            super().__setitem__(key, nudge)
            threading.Thread(target=stop.request).start()  # somebody waits

    stop.nudges = Nudges()
    with pytest.raises(ReportError, match="stopped by the user"):
        write(str(fifo), iter(["x"]), stop)
    got: list[str] = []
    other = tmp_path / "other"
    os.mkfifo(other)
    reader = threading.Thread(target=lambda: got.append(other.read_text()), daemon=True)
    reader.start()
    write(str(other), iter(["x" * (1 << 20), "end"]), Stop())
    reader.join(LIMIT)
    assert got[0].endswith("xend")
