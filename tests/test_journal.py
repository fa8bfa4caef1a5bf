"""The journal through the front door: a run that is killed at any moment goes on where it was, and loses nothing.

``DCMSEND_KILLS`` sets how often each transfer is killed (default 50).
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.support import part10, report
from tests.support.builder import part10 as build
from tests.support.flaky import FlakyPeer
from tests.support.scripted import ScriptedPeer, accept, close, expect_message, release, store
from tests.support.servers import FolderServer

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
KILLS: Final = int(os.environ.get("DCMSEND_KILLS", "50"))
INSTANCES: Final = 2000
LIMIT: Final = 60.0  # seconds
Run = Callable[..., CompletedProcess[str]]
Start = Callable[..., ScriptedPeer]
posix = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")


def write(folder: Path, count: int, size: int = 100) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(1, count + 1):
        pixels = number.to_bytes(2, "big") * (size // 2)
        (folder / f"{number}.dcm").write_bytes(build(CT, f"1.2.3.{number}", value=pixels))
    return folder


def states(journal: Path) -> dict[str, int]:
    """How many instances are in which state; the file is sound."""
    with closing(sqlite3.connect(journal)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(database.execute("SELECT state, count(*) FROM instance GROUP BY state").fetchall())


def data_sets(folder: Path) -> dict[str, list[bytes]]:
    """The data sets' bytes by SOP instance UID."""
    found: dict[str, list[bytes]] = {}
    for path in folder.iterdir():
        meta, body = part10.split(path.read_bytes())
        found.setdefault(part10.uid(meta[part10.SOP_INSTANCE]), []).append(body)
    return found


@pytest.fixture
def receiver() -> Iterator[FlakyPeer]:
    """A storage SCP that takes everything and counts."""
    peer = FlakyPeer(0, ("serve",), statuses=(0,))
    yield peer
    peer.stop()


def test_the_same_command_again_sends_what_is_not_stored(
    run_dcmsend: Run, scripted_peer: Start, tmp_path: Path
) -> None:
    files, journal, told = write(tmp_path / "files", 4), tmp_path / "kept", tmp_path / "report"
    peer = scripted_peer(
        [accept(), store(), store(), expect_message(), close()], [accept(), store(), store(), release()]
    )
    words = ("-v", "--journal", str(journal), "+crf", str(told), "+sd", "127.0.0.1", str(peer.port), str(files))
    first = run_dcmsend(*words)
    assert first.returncode == 62
    assert states(journal) == {"stored": 2, "failed": 1, "pending": 1}
    second = run_dcmsend(*words)
    assert second.returncode == 0
    assert states(journal) == {"stored": 4}
    assert "  * by earlier runs      : 2" in second.stderr
    rows = report.rows(told)
    assert [row["DIMSE Status"] for row in rows] == ["0x0000 (Success)"] * 4
    earlier = [row.get("Reason", "").startswith("stored by run 1 of the journal") for row in rows]
    assert earlier == [True, True, False, False]
    third = run_dcmsend(*words)
    assert third.returncode == 0
    assert "  * by earlier runs      : 4" in third.stderr
    assert [message.sop_instance for message in peer.messages] == [f"1.2.3.{n}" for n in (1, 2, 3, 3, 4)]


def test_new_and_changed_files_are_sent(run_dcmsend: Run, receiver: FlakyPeer, tmp_path: Path) -> None:
    files, journal = write(tmp_path / "files", 3), tmp_path / "kept"
    words = ("--journal", str(journal), "+sd", "127.0.0.1", str(receiver.port), str(files))
    assert run_dcmsend(*words).returncode == 0
    (files / "4.dcm").write_bytes(build(CT, "1.2.3.4"))
    (files / "2.dcm").write_bytes(build(CT, "1.2.3.2", value=b"changed"))
    (files / "1.dcm").unlink()
    assert run_dcmsend(*words).returncode == 0
    assert receiver.seen == {"1.2.3.1": 1, "1.2.3.2": 2, "1.2.3.3": 1, "1.2.3.4": 1}


def test_what_was_left_and_is_gone_is_told(run_dcmsend: Run, scripted_peer: Start, tmp_path: Path) -> None:
    files, journal = write(tmp_path / "files", 2), tmp_path / "kept"
    peer = scripted_peer([accept(), expect_message(), close()], [accept(), store(), release()])
    words = ("--journal", str(journal), "+sd", "127.0.0.1", str(peer.port), str(files))
    assert run_dcmsend(*words).returncode == 62
    (files / "1.dcm").unlink()
    again = run_dcmsend(*words)
    assert again.returncode == 67
    assert again.stderr.splitlines() == [
        "W: 1 SOP instances of earlier runs in the journal are not stored, and not among these",
        "E: 1 SOP instances of earlier runs in the journal are not stored",
    ]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda path: path.write_bytes(b"not a database, but long enough"), "file is not a database"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "belongs to OTHER at 127.0.0.1:"),
    ],
    ids=["no database", "folder", "other peer"],
)
def test_a_journal_that_cannot_be_used_is_told_before_anything_is_sent(
    made: Callable[[Path], object], words: str, run_dcmsend: Run, receiver: FlakyPeer, tmp_path: Path
) -> None:
    files, journal = write(tmp_path / "files", 1), tmp_path / "kept"
    if made(journal) is None and not journal.exists():
        first = ("--journal", str(journal), "-aec", "OTHER", "127.0.0.1", str(receiver.port), str(files / "1.dcm"))
        assert run_dcmsend(*first).returncode == 0
    before = receiver.associations
    run = run_dcmsend("--journal", str(journal), "127.0.0.1", str(receiver.port), str(files / "1.dcm"))
    assert run.returncode == 44
    lines = run.stderr.splitlines()
    assert len(lines) == 2 and all(line.startswith("F: ") for line in lines)
    assert words in lines[0]
    assert receiver.associations == before


@posix
def test_a_journal_that_cannot_be_written(run_dcmsend: Run, receiver: FlakyPeer, tmp_path: Path) -> None:
    """A folder of another user, or a medium that is read-only."""
    files, locked = write(tmp_path / "files", 1), tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):  # root may write everywhere, but not into what the kernel makes
        locked = Path("/proc")
    run = run_dcmsend("--journal", str(locked / "kept"), "127.0.0.1", str(receiver.port), str(files / "1.dcm"))
    assert run.returncode == 44
    assert run.stderr.startswith(f"F: journal '{locked / 'kept'}' cannot be used: ")
    assert receiver.associations == 0


def test_secrets_are_not_kept(run_dcmsend: Run, receiver: FlakyPeer, tmp_path: Path) -> None:
    files, journal = write(tmp_path / "files", 1), tmp_path / "kept"
    words = ("-usr", "somebody", "-pwd", "very-secret", "--journal", str(journal))
    assert run_dcmsend(*words, "127.0.0.1", str(receiver.port), str(files / "1.dcm")).returncode == 0
    content = journal.read_bytes()
    assert b"1.2.3.1" in content
    assert b"very-secret" not in content
    assert b"somebody" not in content


def _killed(words: list[str], lines: int) -> bool:
    """Run the sender, and kill it after it has logged so many lines; whether it was still there."""
    command = [sys.executable, "-m", "dcmsend", "-v", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it dies
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        try:
            for _ in zip(range(lines), process.stderr, strict=False):
                pass
            process.send_signal(signal.SIGKILL)
            process.stderr.read()
        finally:
            process.kill()
        return process.wait(LIMIT) == -signal.SIGKILL


@posix
@pytest.mark.parametrize(("associations", "window"), [(1, 1), (4, 1), (8, 1), (4, 4)])
def test_a_killed_run_loses_nothing_and_repeats_only_what_was_unanswered(
    associations: int, window: int, tmp_path: Path
) -> None:
    """At each kill, of what the receiver got in whole, at most associations x window are not known to be stored."""
    server = FlakyPeer(0, ("serve",), window=window, statuses=(0,))
    files, journal = write(tmp_path / "files", INSTANCES, 64), tmp_path / "kept"
    words = ["--journal", str(journal), "--associations", str(associations), "--async-window", str(window)]
    words += ["+sd", "127.0.0.1", str(server.port), str(files)]
    fortune = random.Random(associations * 16 + window)
    share = 2 * INSTANCES // (KILLS + 1)  # lines of the log: two for each instance
    kills = repeated = 0
    try:
        for _ in range(KILLS):
            got, stored = sum(server.seen.values()), states(journal).get("stored", 0) if journal.exists() else 0
            kills += _killed(words, 10 + fortune.randrange(2 * share))
            server.wait_idle()
            after = states(journal)
            unknown = sum(server.seen.values()) - got - (after.get("stored", 0) - stored)
            assert 0 <= unknown <= associations * window
            repeated += unknown
        last = subprocess.run([sys.executable, "-m", "dcmsend", *words], timeout=LIMIT, check=False)
    finally:
        server.stop()
    assert last.returncode == 0
    assert kills > KILLS * 3 // 4
    assert states(journal) == {"stored": INSTANCES}
    assert set(server.seen) == {f"1.2.3.{number}" for number in range(1, INSTANCES + 1)}
    assert sum(server.seen.values()) - INSTANCES == repeated <= kills * associations * window


@posix
def test_after_a_kill_a_real_server_has_everything_bit_for_bit(
    storescp: Callable[..., FolderServer], tmp_path: Path
) -> None:
    server = storescp("--fork")
    files, journal = write(tmp_path / "files", 400, 3000), tmp_path / "kept"
    words = ["--journal", str(journal), "--associations", "4", "+sd", "127.0.0.1", str(server.port), str(files)]
    fortune = random.Random(5)
    killed = [_killed(words, 10 + fortune.randrange(150)) for _ in range(6)]
    assert any(killed)
    assert subprocess.run([sys.executable, "-m", "dcmsend", *words], timeout=LIMIT, check=False).returncode == 0
    assert states(journal) == {"stored": 400}
    stored = {instance: set(copies) for instance, copies in server.stored().items()}  # a file for each time it came
    assert stored == {instance: set(copies) for instance, copies in data_sets(files).items()}
