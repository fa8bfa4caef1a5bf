"""A system that gives out: the n-th call of one kind fails, for each n that a small run comes to.

Nothing ends in a defect or a traceback, whatever fails when, and what is reported as stored is what the peer has.
``DCMSEND_FAULTS`` sets how many runs there are for each kind of call and error (default 6, spread over the calls).
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from dcmsend.cli.exit_codes import ExitCode
from tests.support import report
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer

FAULTS: Final = int(os.environ.get("DCMSEND_FAULTS", "6"))
INSTANCES: Final = 6
CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 60.0  # seconds

# The command with one call that fails: which, the how manieth of those after the start, and with what.
COMMAND: Final = """
import builtins, errno, json, os, sys
import _socket

name, number, code, told, *words = sys.argv[1:]
number, count = int(number), 0
owner = {"open": builtins, "socket": _socket, "memory": None}.get(name, os)


def failing(real):
    def call(*given, **named):
        global count
        count += 1
        if count == number:
            if code == "MemoryError":
                raise MemoryError
            raise OSError(getattr(errno, code), os.strerror(getattr(errno, code)))
        return real(*given, **named)

    return call


import dcmsend.cli.main  # imports open files, too: that is another matter
import dcmsend.cli.conclusion, dcmsend.cli.reports, dcmsend.cli.report_targets, dcmsend.cli.provision
from dcmsend.cli.grammar import parse

dcmsend.cli.provision.provide(parse(words))
import dcmsend.api, dcmsend.cli.listener, dcmsend.transfer.ledger, dcmsend.report.recorder, dcmsend.cli.options
if name == "socket":
    class socket(_socket.socket):
        __init__ = failing(_socket.socket.__init__)
    _socket.socket = socket
    import dcmsend.net.stream
else:
    setattr(owner, name, failing(getattr(owner, name)))
sys.argv[1:] = words
code_of_exit = dcmsend.cli.main.main()
with os.fdopen(int(told), "w") as stream:
    stream.write(str(count))
sys.exit(code_of_exit)
"""
CALLS: Final = {
    "open": ("EMFILE", "ENOSPC", "EACCES", "MemoryError"),
    "pread": ("EIO", "ESTALE", "MemoryError"),
    "preadv": ("EIO",),
    "fstat": ("EIO", "ESTALE"),
    "stat": ("EIO", "EMFILE", "ENOMEM"),
    "replace": ("ENOSPC", "EACCES"),
    "write": ("ENOSPC", "EIO"),
    "scandir": ("EMFILE", "EIO"),
    "close": ("EIO",),
    "unlink": ("EIO",),
    "socket": ("EMFILE", "ENFILE", "ENOMEM"),
}
KINDS: Final = [(call, error) for call, errors in CALLS.items() for error in errors]
ALLOWED: Final = {int(code) for code in ExitCode} - {int(ExitCode.DEFECT)}


@pytest.fixture
def peer() -> Iterator[FlakyPeer]:
    made = FlakyPeer(0, ("serve",), statuses=(0,))
    yield made
    made.stop()


def _played(call: str, number: int, error: str, files: Path, folder: Path, port: int) -> tuple[Any, int]:
    """The run, and how many such calls there were."""
    folder.mkdir()
    words = ["-nh", "--associations", "2", "--journal", str(folder / "journal"), "+crf", str(folder / "told.txt")]
    words += [word for kind in ("json", "csv", "html") for word in (f"--report-{kind}", str(folder / f"told.{kind}"))]
    words += ["+sd", "127.0.0.1", str(port), str(files)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, call, str(number), error, str(write), *words],
            env=environment, capture_output=True, text=True, timeout=LIMIT, check=False, pass_fds=[write],
        )  # fmt: skip
    finally:
        os.close(write)
    with os.fdopen(read) as stream:
        count = int(stream.read() or 0)
    return done, count


def _reported(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """What each report that is there says is stored."""
    for path in folder.glob("told.*"):
        if path.suffix == ".txt":
            rows = report.rows(path)
            yield path.name, {row["SOP Instance"] for row in rows if "Success" in row.get("DIMSE Status", "")}
        elif path.suffix == ".json":
            found = json.loads(path.read_text())
            yield path.name, {one["sop_instance_uid"] for one in found["instances"] if one["stored"]}
        elif path.suffix == ".csv":
            with path.open(newline="") as file:
                yield path.name, {row["sop_instance_uid"] for row in csv.DictReader(file) if row["stored"] == "true"}


@pytest.mark.parametrize(("call", "error"), KINDS, ids=[f"{call}-{error}" for call, error in KINDS])
def test_a_call_that_fails(call: str, error: str, peer: FlakyPeer, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(INSTANCES):
        (files / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(200_000)))
    whole, count = _played(call, 0, error, files, tmp_path / "whole", peer.port)
    assert whole.returncode == 0, whole.stderr
    peer.wait_idle()
    step = max(count // FAULTS, 1)
    for number in range(1, count + 1, step):
        peer.answered.clear()
        folder = tmp_path / str(number)
        done, _ = _played(call, number, error, files, folder, peer.port)
        peer.wait_idle()
        told = f"{call} number {number} of {count}: {error}, exit {done.returncode}\n{done.stderr}"
        assert done.returncode in ALLOWED, told
        assert all(line[:3] in ("F: ", "E: ", "W: ") for line in done.stderr.splitlines()), told
        answered = set(peer.answered)
        for name, stored in _reported(folder):
            assert stored == answered, (name, told)
        if done.returncode == 0:
            assert len(answered) == INSTANCES, told
        if (folder / "journal").exists():
            with closing(sqlite3.connect(folder / "journal")) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    query = "SELECT sop_instance FROM instance WHERE state = 'stored'"
                    assert {row[0] for row in database.execute(query)} <= answered, told
