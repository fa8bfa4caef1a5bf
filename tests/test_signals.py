"""One to four signals at random moments, from the first instruction of the interpreter to the last of the run.

Whatever comes when: an exit code that is documented, no traceback, a sound journal that agrees with the receiver,
and each report absent, old or whole. ``DCMSEND_SIGNALS`` sets how many runs there are (default 25).
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.support import report
from tests.support.builder import part10
from tests.support.flaky import FlakyPeer

RUNS: Final = int(os.environ.get("DCMSEND_SIGNALS", "25"))
INSTANCES: Final = 150
CT: Final = "1.2.840.10008.5.1.4.1.1.2"
LIMIT: Final = 60.0  # seconds
OLD: Final = "an older one\n"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
CODES: Final = (0, 130, 143)
OURS: Final = ("W: ", "E: ", "F: ")
# Modules that are loaded before the command's first statement: until then Python answers a signal.
BEFORE_OURS: Final = ("dcmsend/__init__.py", "dcmsend/__main__.py", "dcmsend/cli/__init__.py", "dcmsend/cli/program.py")
KINDS: Final = {"+crf": "txt", "--report-json": "json", "--report-csv": "csv", "--report-html": "html"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one process on Windows")


@dataclass
class Case:
    """A run and what comes in between: each signal so many seconds after the one before."""

    number: int
    words: list[str]
    journal: Path | None
    reports: dict[str, Path]
    associations: int
    signals: list[tuple[float, int]]
    code: int = 0
    stderr: str = ""
    sent: list[int] = field(default_factory=list)

    def play(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        with subprocess.Popen(
            self.words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                for delay, number in self.signals:
                    if _ended(process, delay):
                        break
                    process.send_signal(number)
                    self.sent.append(number)
                self.stderr = process.communicate(timeout=LIMIT)[1]
            finally:
                process.kill()
        self.code = process.returncode

    @property
    def early(self) -> bool:
        """Whether the signal came before the first statement of ours: Python ends the process, in its own words."""
        lines = self.stderr.splitlines()
        if (self.code >= 0 and "KeyboardInterrupt" not in self.stderr) or any(line[:3] in OURS for line in lines):
            return False
        frames = [line for line in lines if line.lstrip().startswith("File ") and "/dcmsend/" in line]
        return all(line.endswith("in <module>") and any(name in line for name in BEFORE_OURS) for line in frames)


def _ended(process: subprocess.Popen[str], seconds: float) -> bool:
    """Wait for the end, for so long."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(1, INSTANCES + 1):
        (folder / f"{number}.dcm").write_bytes(part10(CT, f"1.2.3.{number}", value=bytes(200)))
    return folder


@pytest.fixture
def receivers() -> Iterator[list[FlakyPeer]]:
    made: list[FlakyPeer] = []
    yield made
    for peer in made:
        peer.stop()


def _case(number: int, files: Path, port: int, folder: Path, seconds: float) -> Case:
    fortune = random.Random(number)
    associations, folder = fortune.choice((1, 4)), folder / str(number)
    folder.mkdir()
    journal = folder / "journal" if number % 2 else None
    reports = {option: folder / f"report.{ending}" for option, ending in KINDS.items() if fortune.random() < 0.6}
    for path in reports.values():
        if fortune.random() < 0.5:
            path.write_text(OLD)
    words = [str(Path(sys.executable).parent / "dcmsend")] if number % 3 else [sys.executable, "-m", "dcmsend"]
    words += ["--associations", str(associations), *(("--journal", str(journal)) if journal else ())]
    words += [word for option, path in reports.items() for word in (option, str(path))]
    words += ["+sd", "127.0.0.1", str(port), str(files)]
    moment = {0: fortune.uniform(0, 0.1), 1: fortune.uniform(0.85, 1.1) * seconds}.get(
        number % 4, fortune.uniform(0.1, 1) * seconds
    )
    signals: list[tuple[float, int]] = [(moment, fortune.choice(SIGNALS))]
    for _ in range(fortune.randrange(4)):
        signals.append((fortune.choice((0.0, 0.0005, 0.005, 0.05)) * fortune.random(), fortune.choice(SIGNALS)))
    return Case(number, words, journal, reports, associations, signals)


def _stored(journal: Path) -> set[str]:
    """What the journal says is stored; it is sound, as far as it has come to be there."""
    with closing(sqlite3.connect(journal)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "instance" not in tables:
            return set()
        return {row[0] for row in database.execute("SELECT sop_instance FROM instance WHERE state = 'stored'")}


def _told(path: Path) -> tuple[set[str], int | None]:
    """What a whole report says is stored, and the exit code, where it says that."""
    text = path.read_text()
    if path.suffix == ".txt":
        rows = report.rows(path)
        assert report.summary(path)["Number of SOP instances"] == len(rows)
        return {row["SOP Instance"] for row in rows if row["DIMSE Status"] == "0x0000 (Success)"}, None
    if path.suffix == ".json":
        found = json.loads(text)
        return {one["sop_instance_uid"] for one in found["instances"] if one["stored"]}, found["exit_code"]
    if path.suffix == ".csv":
        assert text.endswith("\n")
        table = list(csv.DictReader(text.splitlines()))
        assert all(None not in row.values() for row in table)
        return {row["sop_instance_uid"] for row in table if row["stored"] == "true"}, None
    assert text.endswith("</html>\n")
    return set(), None


def _check(case: Case, answered: set[str]) -> str:
    """Everything that must hold of a run; what became of it in a word."""
    assert case.early or case.code in CODES, (case.code, case.stderr)
    assert case.early or "Traceback" not in case.stderr, case.stderr
    assert case.early or all(line[:3] in OURS for line in case.stderr.splitlines()), case.stderr
    folder = case.reports[next(iter(case.reports))].parent if case.reports else None
    assert folder is None or not list(folder.glob("*.part"))
    if case.early:
        assert not answered
    if case.journal is not None and case.journal.exists():
        stored = _stored(case.journal)
        assert stored <= answered
        assert len(answered - stored) <= case.associations
    written = [path for path in case.reports.values() if path.exists() and path.read_text() != OLD]
    for path in written:
        told, code = _told(path)
        assert told <= answered
        assert path.suffix == ".html" or len(answered - told) <= (0 if len(case.sent) == 1 else case.associations)
        if code is not None and len(case.sent) == 1:
            assert code == case.code
    if len(case.sent) < 2 and answered:
        assert len(written) == len(case.reports), "one signal keeps no report from being written"
    return "before our first statement" if case.early else str(case.code)


def test_signals_at_random_moments(files: Path, receivers: list[FlakyPeer], tmp_path: Path) -> None:
    """The moment of a signal is measured against a run that none comes to."""
    counts: Counter[str] = Counter()
    peer = FlakyPeer(0, ("serve",), statuses=(0,))
    receivers.append(peer)
    began = time.monotonic()
    plain = [sys.executable, "-m", "dcmsend", "--journal", str(tmp_path / "journal"), "+sd", "127.0.0.1"]
    subprocess.run([*plain, str(peer.port), str(files)], timeout=LIMIT, check=True)
    seconds = time.monotonic() - began
    for number in range(RUNS):
        peer.answered.clear()
        case = _case(number, files, peer.port, tmp_path, seconds)
        case.play()
        peer.wait_idle()
        try:
            counts[_check(case, set(peer.answered))] += 1
        except AssertionError as error:
            pytest.fail(f"run {number}, {case.signals} of which {case.sent}, exit {case.code}: {error}\n{case.stderr}")
    print(f"{RUNS} runs of {seconds:.2f} s: {dict(counts)}")
    assert sum(counts.values()) == RUNS
