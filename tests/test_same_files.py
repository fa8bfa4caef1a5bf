"""Which file is which: an outcome belongs to the file and the instance that were sent, in this run and the next one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from threading import Condition
from typing import Final

import pytest

import dcmsend
from dcmsend import JournalFile, Limits, Peer, Policy, ScanOptions
from dcmsend.errors import JournalError
from tests.support import pdus
from tests.support import report as reports
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer
from tests.support.scripted import Connection

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
Run = Callable[..., CompletedProcess[str]]


class Receiver(FlakyPeer):
    """A storage SCP that takes everything, counts, and can be waited for."""

    def __init__(self) -> None:
        self._stored = Condition()
        super().__init__(0, ("serve",), statuses=(0,))

    def _answer(self, connection: Connection, message: pdus.Message, status: int) -> None:
        super()._answer(connection, message, status)
        with self._stored:
            self._stored.notify_all()

    def wait_for(self, uids: list[str]) -> None:
        with self._stored:
            assert self._stored.wait_for(lambda: set(uids) <= set(self.answered), 30)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    peer = Receiver()
    yield peer
    peer.stop()


def at(receiver: FlakyPeer) -> Peer:
    return Peer(host="127.0.0.1", port=receiver.port)


@pytest.mark.parametrize("associations", [1, 3])
@pytest.mark.parametrize("names", [1, 4, 100])
def test_temporary_files_that_are_removed_when_they_were_sent(
    names: int, associations: int, receiver: FlakyPeer, tmp_path: Path
) -> None:
    """The next ones get their numbers, and mostly their names: all arrive."""
    taken = [tmp_path / f"{number}.dcm" for number in range(names)]

    def sources() -> Iterator[str]:
        for number in range(100):
            path = taken[number % names]
            if path.exists():  # it was not sent yet
                path = tmp_path / f"further-{number}.dcm"
            path.write_bytes(part10(CT, f"1.2.3.{100 + number}"))
            yield str(path)

    def remove(event: object) -> None:
        if isinstance(event, dcmsend.InstanceFinished):
            os.unlink(event.instance.path)

    limits = Limits(associations=associations)
    with dcmsend.send(at(receiver), sources(), listener=remove, limits=limits) as report:
        assert report.complete
        assert report.totals.stored == 100
    assert set(receiver.answered) == {f"1.2.3.{100 + number}" for number in range(100)}


def test_study_folders_that_are_removed_when_they_were_sent(receiver: Receiver, tmp_path: Path) -> None:
    """Their names come from another program, which waits until each is stored."""
    command = [sys.executable, "-m", "dcmsend", "--files-from", "-", "+sd", "+r", "127.0.0.1", str(receiver.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for study in range(10):
            folder = tmp_path / f"study-{study}"
            folder.mkdir()
            uids = [f"1.2.3.{study + 1}.{number}" for number in (1, 2)]
            for uid in uids:
                (folder / uid).write_bytes(part10(CT, uid))
            process.stdin.write(f"{folder}\n".encode())
            process.stdin.flush()
            receiver.wait_for(uids)
            for uid in uids:
                (folder / uid).unlink()
            folder.rmdir()
        process.stdin.close()
        assert process.wait(60) == 0
    assert len(receiver.answered) == 20


def archive(path: Path, study: int) -> Path:
    """Members of fixed dates and names, as some programs make them."""
    with zipfile.ZipFile(path, "w") as made:
        for number in range(5):
            member = zipfile.ZipInfo(f"IM{number}", (1980, 1, 1, 0, 0, 0))
            made.writestr(member, part10(CT, f"1.2.3.{study}.{number}"))
    os.utime(path, ns=(0, 1_000_000_000))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_the_journal_knows_one_study_from_another(kind: str, receiver: FlakyPeer, tmp_path: Path) -> None:
    """Same names, same sizes, same times, other UIDs: they are sent."""
    for study in (1, 2):
        uids = [f"1.2.3.{study}.{number}" for number in range(5)]
        source = tmp_path / "study"
        if kind == "zip":
            archive(source, study)
        elif kind == "tar":
            tar(source, study)
        else:
            source.mkdir(exist_ok=True)
            for number, uid in enumerate(uids):
                (source / f"IM{number}").write_bytes(part10(CT, uid))
                os.utime(source / f"IM{number}", ns=(0, 1_000_000_000))
        scan = ScanOptions(directories=True, archives=True)
        journal = JournalFile(path=str(tmp_path / "journal"))
        for earlier in (0, 5):
            with dcmsend.send(at(receiver), [str(source)], scan=scan, journal=journal) as report:
                assert report.complete
                assert report.totals.earlier == earlier
                assert [instance.sop_instance for instance, _ in report.rows()] == uids
        assert set(receiver.answered) >= set(uids)


def tar(path: Path, study: int) -> None:
    import io
    import tarfile

    with tarfile.open(path, "w") as made:
        for number in range(5):
            content = part10(CT, f"1.2.3.{study}.{number}")
            member = tarfile.TarInfo(f"IM{number}")
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    os.utime(path, ns=(0, 1_000_000_000))


@pytest.mark.parametrize("date", [-12_000_000_000, -9_500_000_000, 9_500_000_000, 15_000_000_000])
def test_a_file_of_another_century(date: int, receiver: FlakyPeer, run_dcmsend: Run, tmp_path: Path) -> None:
    """Dated before 1678 or after 2262: more nanoseconds than 64 bits hold."""
    path = tmp_path / "a.dcm"
    path.write_bytes(part10(CT, "1.2.3.1"))
    try:
        os.utime(path, (date, date))
    except (OSError, OverflowError):
        pytest.skip("the file system has no such time")
    words = ("-v", "--journal", str(tmp_path / "journal"), "127.0.0.1", str(receiver.port), str(path))
    for earlier in (0, 1):
        run = run_dcmsend(*words)
        assert run.returncode == 0, run.stderr
        assert ("by earlier runs      : 1" in run.stderr) == bool(earlier)
    assert receiver.seen == {"1.2.3.1": 1}


def test_names_of_the_same_file(receiver: FlakyPeer, run_dcmsend: Run, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "s").write_bytes(part10(CT, "1.2.3.1"))
    (tmp_path / "link").symlink_to("x/s")
    words = ("--journal", str(tmp_path / "journal"), "127.0.0.1", str(receiver.port))
    for name in ("s", "./s", "../x/s", "../link", str(folder / "s")):
        assert run_dcmsend(*words, name, cwd=folder).returncode == 0
    assert receiver.seen == {"1.2.3.1": 1}


def test_what_is_left_over_is_given_up_when_that_is_wished(
    receiver: FlakyPeer, run_dcmsend: Run, tmp_path: Path
) -> None:
    journal, told = tmp_path / "journal", tmp_path / "report"
    for number in (1, 2, 3):
        (tmp_path / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    broken = FlakyPeer(0, ("serve",), statuses=(0xC000,))
    words = ("-nh", "--journal", str(journal), "--journal-any-peer", "+crf", str(told), "+sd", "127.0.0.1")
    assert run_dcmsend(*words, str(broken.port), str(tmp_path)).returncode == 66
    broken.stop()
    (tmp_path / "2.dcm").unlink()
    content = (tmp_path / "3.dcm").read_bytes()
    (tmp_path / "3.dcm").unlink()
    left = run_dcmsend(*words, str(receiver.port), str(tmp_path))
    assert left.returncode == 67
    given_up = run_dcmsend(*words, "--journal-give-up", str(receiver.port), str(tmp_path))
    assert given_up.returncode == 0
    assert "W: 2 SOP instances of earlier runs in the journal are given up" in given_up.stderr.splitlines()
    assert run_dcmsend(*words, str(receiver.port), str(tmp_path)).returncode == 0
    (tmp_path / "3.dcm").write_bytes(content)
    assert run_dcmsend(*words, str(receiver.port), str(tmp_path)).returncode == 0
    with closing(sqlite3.connect(journal)) as database:
        states = dict(database.execute("SELECT sop_instance, state FROM instance").fetchall())
    assert states == {"1.2.3.1": "stored", "1.2.3.2": "given up", "1.2.3.3": "stored"}
    assert receiver.seen == {"1.2.3.1": 1, "1.2.3.3": 1}
    assert [row["SOP Instance"] for row in reports.rows(told)] == ["1.2.3.1", "1.2.3.3"]


def test_rows_of_a_closed_report(receiver: FlakyPeer, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(part10(CT, "1.2.3.1"))
    with dcmsend.send(at(receiver), [str(path)], policy=Policy(halt=False)) as report:
        assert len(list(report.rows())) == 1
    with pytest.raises(JournalError, match="the report is closed"):
        report.rows()
    assert report.totals.stored == 1
