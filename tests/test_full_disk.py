"""A full disk under journal, report and log: nothing is claimed that is not so."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.support import report
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
COUNT: Final = 600
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system of so many bytes, which only an administrator can make."""
    mounted: list[Path] = []

    def make(size: int) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode(errors='replace').strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], timeout=30, check=True)


@pytest.fixture
def receiver() -> Iterator[FlakyPeer]:
    peer = FlakyPeer(0, ("serve",), statuses=(0,))
    yield peer
    peer.stop()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(1, COUNT + 1):
        (folder / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}"))
    return folder


@pytest.mark.parametrize("associations", [1, 4])
def test_journal(
    associations: int,
    small_disk: Callable[[int], Path],
    receiver: FlakyPeer,
    files: Path,
    run_dcmsend: Run,
    tmp_path: Path,
) -> None:
    """The run ends in order; what the journal calls stored is stored, and the report knows all that was answered."""
    journal, told = small_disk(384 << 10) / "journal", tmp_path / "report"
    words = ("--journal", str(journal), "--associations", str(associations), "+crf", str(told), "+sd")
    run = run_dcmsend(*words, "127.0.0.1", str(receiver.port), str(files))
    assert run.returncode == 44
    lines = run.stderr.splitlines()
    assert f"F: journal '{journal}' cannot be used: database or disk is full" in lines
    assert all(line[:3] in ("F: ", "W: ", "E: ") for line in lines)
    rows = {row["SOP Instance"]: row for row in report.rows(told)}
    left = len(rows) - len(set(receiver.answered))  # on a busy machine not all was found by then
    assert f"E: {left} of {len(rows)} SOP instances were not stored" in lines
    answered = {uid for uid, row in rows.items() if row["DIMSE Status"] == "0x0000 (Success)"}
    assert answered == set(receiver.answered)
    assert f"E: {len(rows) - len(answered)} of {len(rows)} SOP instances were not stored" in lines
    assert 0 < len(answered) < COUNT
    assert all("cannot be used" in rows[uid]["Reason"] for uid in set(rows) - answered)
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        stored = {row[0] for row in database.execute("SELECT sop_instance FROM instance WHERE state = 'stored'")}
    assert stored <= answered
    assert len(answered - stored) <= associations


@pytest.mark.parametrize("associations", [1, 4])
@pytest.mark.parametrize("kilobytes", [8, 64, 90])
def test_temporary_files(
    kilobytes: int,
    associations: int,
    small_disk: Callable[[int], Path],
    receiver: FlakyPeer,
    files: Path,
    run_dcmsend: Run,
    tmp_path: Path,
) -> None:
    """The list of instances can be kept no longer: what was answered is in the reports, and nothing else is begun."""
    told, facts = tmp_path / "report", tmp_path / "report.json"
    reports = ("+crf", str(told), "--report-json", str(facts))
    words = ("--associations", str(associations), "-nh", *reports, "+sd", "127.0.0.1", str(receiver.port), str(files))
    run = run_dcmsend(*words, env={"SQLITE_TMPDIR": str(small_disk(kilobytes << 10))})
    assert run.returncode == 44
    assert "F: the list of instances cannot be kept: database or disk is full" in run.stderr.splitlines()
    assert "Traceback" not in run.stderr
    rows = {row["SOP Instance"]: row for row in report.rows(told)}
    answered = {uid for uid, row in rows.items() if row["DIMSE Status"] == "0x0000 (Success)"}
    assert answered == set(receiver.answered)
    assert len(answered) < COUNT
    assert all("cannot be kept" in rows[uid]["Reason"] for uid in set(rows) - answered)
    document = json.loads(facts.read_text())
    assert {row["sop_instance_uid"] for row in document["instances"] if row["stored"]} == answered
    assert document["totals"]["stored"] == len(answered)
    assert document["totals"]["instances"] == len(rows)


def test_report(small_disk: Callable[[int], Path], receiver: FlakyPeer, files: Path, run_dcmsend: Run) -> None:
    """The older report stays, and no half of the new one; the exit code says so though everything is stored."""
    told = small_disk(32 << 10) / "report"
    told.write_text("the older one\n")
    run = run_dcmsend("+crf", str(told), "+sd", "127.0.0.1", str(receiver.port), str(files))
    assert run.returncode == 43
    assert f"E: cannot write report file '{told}': No space left on device" in run.stderr.splitlines()
    assert len(receiver.answered) == COUNT
    assert told.read_text() == "the older one\n"
    assert [path.name for path in told.parent.iterdir()] == ["report"]


def test_log(small_disk: Callable[[int], Path], receiver: FlakyPeer, files: Path, tmp_path: Path) -> None:
    """What is being sent matters more: the rest of the log is lost, and nothing else."""
    log, told = small_disk(16 << 10) / "log", tmp_path / "report"
    command = [sys.executable, "-m", "dcmsend", "-d", "+crf", str(told), "+sd", "127.0.0.1", str(receiver.port)]
    with log.open("wb") as stream:
        done = subprocess.run([*command, str(files)], stderr=stream, timeout=60, check=False)
    assert done.returncode == 0
    assert os.stat(log).st_size >= 12 << 10
    assert {row["DIMSE Status"] for row in report.rows(told)} == {"0x0000 (Success)"}
    assert len(receiver.answered) == COUNT
