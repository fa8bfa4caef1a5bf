"""A run tells the truth: over random trees, faults and interruptions, the report is what the receiver has.

Each case is drawn from a seed: a tree with files of all kinds, options, a peer that may misbehave, and something that
happens while a certain instance is being received (a file is replaced, rewritten, removed, a signal comes). The command
runs as a process of its own, and goes on with its journal where it was interrupted. ``DCMSEND_TRUTHS`` sets how many
cases there are.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.support import part10, pdus
from tests.support.builder import part10 as build
from tests.support.flaky import FlakyPeer
from tests.support.scripted import Connection

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
CASES: Final = int(os.environ.get("DCMSEND_TRUTHS", "100"))
LIMIT: Final = 60.0  # seconds for one run
MOST_RUNS: Final = 6  # of a case
CODES: Final = frozenset((0, 21, 22, 23, 44, 61, 62, 66, 67, 130, 143, -signal.SIGKILL))
ENDED_EARLY: Final = frozenset((130, 143, -signal.SIGKILL))


class Receiver(FlakyPeer):
    """A peer that keeps what it was sent, and lets something happen when the request of a certain instance has come."""

    def __init__(self, seed: int, fates: tuple[str, ...], statuses: tuple[int, ...]) -> None:
        self.held: dict[str, set[bytes]] = {}  # data sets that were called stored
        self.happens: dict[int, Callable[[], None]] = {}  # by how many requests have come
        self.requests = 0
        self.last: dict[str, int] = {}  # what was answered last in this run
        self._turn = threading.Lock()
        super().__init__(seed, fates, statuses=statuses)

    def _answer(self, connection: Connection, message: pdus.Message, status: int) -> None:
        with self._turn:
            self.requests += 1
            event = self.happens.pop(self.requests, None)
            if event is not None:
                event()
            if status in (0, 0xB000):
                assert message.dataset is not None
                self.held.setdefault(message.sop_instance, set()).add(message.dataset)
            self.last[message.sop_instance] = status
        super()._answer(connection, message, status)


@dataclass
class Tree:
    """What is named, and the truth of it.

    ``truth``: for each file that is DICOM and can be read, the data sets that have stood there by SOP Instance UID.
    ``damaged``: something stands or stood in it that has to be told as left out.
    """

    fortune: random.Random
    folder: Path
    archives: bool
    truth: dict[str, dict[str, set[bytes]]] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    _next: int = 0

    def instance(self, uid: str = "") -> tuple[str, bytes]:
        """The UID and the bytes of a file."""
        self._next += 1
        uid = uid or f"1.2.3.{self._next}"
        size = 2 * self.fortune.choice((4, 30, 900, 20_000))
        return uid, build(CT, uid, value=self.fortune.randbytes(size))

    def write(self, path: Path, uid: str, content: bytes) -> None:
        path.write_bytes(content)
        self.known(str(path), uid, content)

    def known(self, name: str, uid: str, content: bytes) -> None:
        self.truth.setdefault(name, {}).setdefault(uid, set()).add(part10.split(content)[1])

    def grow(self, folder: Path, depth: int) -> None:
        """Files and folders."""
        folder.mkdir()
        for _ in range(self.fortune.randrange(1, 7)):
            kind = self.fortune.choices(list(_KINDS), list(_WEIGHTS))[0]
            _KINDS[kind](self, folder / f"{self.fortune.choice(('a', 'B', 'im', '10', '9'))}{self._next}")
        if depth:
            for number in range(self.fortune.randrange(3)):
                self.grow(folder / f"d{number}", depth - 1)

    # --- kinds of files

    def good(self, path: Path) -> None:
        self.write(path, *self.instance())
        self.files.append(path)

    def copy(self, path: Path) -> None:
        """The same content once more."""
        if self.files:
            other = self.fortune.choice(self.files)
            content = other.read_bytes()
            uid = next(iter(self.truth[str(other)]))
            self._next += 1
            self.write(path, uid, content)

    def hard_link(self, path: Path) -> None:
        if self.files:
            self._next += 1
            path.hardlink_to(self.fortune.choice(self.files))

    def soft_link(self, path: Path) -> None:
        if self.files:
            self._next += 1
            path.symlink_to(self.fortune.choice(self.files))

    def broken_link(self, path: Path) -> None:
        self._next += 1
        path.symlink_to("nowhere")
        self.damaged.add(str(path))

    def loop(self, path: Path) -> None:
        self._next += 1
        path.symlink_to(path.parent)

    def text(self, path: Path) -> None:
        self._next += 1
        path.write_bytes(self.fortune.choice((b"", b"no DICOM", bytes(500))))

    def truncated(self, path: Path) -> None:
        """It is cut off in the meta information: nobody can take it on."""
        _, content = self.instance()
        path.write_bytes(content[: self.fortune.randrange(133, 250)])
        self.damaged.add(str(path))

    def cut(self, path: Path) -> None:
        """It is cut off in the data set: it is taken on, and fails."""
        _, content = self.instance()
        path.write_bytes(content[:-3])
        self.damaged.add(str(path))

    def bad_uid(self, path: Path) -> None:
        _, content = self.instance("1.2.x")
        path.write_bytes(content)
        self.damaged.add(str(path))

    def archive(self, path: Path) -> None:
        """A zip or a tar, whole or cut off."""
        if not self.archives:
            return
        members = [self.instance() for _ in range(self.fortune.randrange(1, 4))]
        buffer, end = io.BytesIO(), 0
        if self.fortune.random() < 0.5:
            with zipfile.ZipFile(buffer, "w") as archive:
                for uid, content in members:
                    archive.writestr(zipfile.ZipInfo(uid), content)  # with a fixed date
        else:
            with tarfile.open(fileobj=buffer, mode="w") as tar:
                for uid, content in members:
                    info = tarfile.TarInfo(uid)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
                end = tar.offset  # zeros follow
        content = buffer.getvalue()
        if self.fortune.random() < 0.2:
            size = end or len(content)
            path.write_bytes(content[: self.fortune.randrange(size // 2, size)])  # it shows what it is
            self.damaged.add(str(path))
            return
        path.write_bytes(content)
        for uid, member in members:
            self.known(f"{path}/{uid}", uid, member)

    # --- what happens while a run goes on

    def replace(self) -> None:
        """Another instance takes the place of a file."""
        if self.files:
            path = self.fortune.choice(self.files)
            uid, content = self.instance()
            new = path.with_name("new")
            new.write_bytes(content)
            self.known(str(path), uid, content)
            self.changed.add(str(path))
            new.replace(path)

    def rewrite(self) -> None:
        """Another content is written into a file, and its time put back."""
        if self.files:
            path = self.fortune.choice(self.files)
            before, content = path.stat(), path.read_bytes()
            changed = content[:-8] + self.fortune.randbytes(8)  # in the value of its last element
            self.changed.add(str(path))
            self.known(str(path), next(iter(self.truth[str(path)])), changed)
            with path.open("r+b") as file:
                file.write(changed)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def remove(self) -> None:
        if self.files:
            path = self.fortune.choice(self.files)
            self.changed.add(str(path))
            path.unlink(missing_ok=True)
            self.files.remove(path)

    def touch(self) -> None:
        """Nothing of the content changes."""
        if self.files:
            path = self.fortune.choice(self.files)
            if path.exists():
                path.chmod(0o640)


_KINDS: Final[dict[str, Callable[[Tree, Path], None]]] = {
    "good": Tree.good,
    "copy": Tree.copy,
    "hard link": Tree.hard_link,
    "soft link": Tree.soft_link,
    "broken link": Tree.broken_link,
    "loop": Tree.loop,
    "text": Tree.text,
    "truncated": Tree.truncated,
    "cut": Tree.cut,
    "bad UID": Tree.bad_uid,
    "archive": Tree.archive,
}
_WEIGHTS: Final = (24, 2, 2, 2, 0.1, 1, 4, 0.1, 0.1, 0.1, 2)
_HAPPENS: Final = (Tree.replace, Tree.rewrite, Tree.remove, Tree.touch)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def test_a_run_tells_the_truth(tmp_path: Path) -> None:
    green = 0
    for seed in range(CASES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        green += _case(seed, folder)
        shutil.rmtree(folder)
    print(f"{CASES} cases, {green} green")
    assert green > CASES // 12


def _case(seed: int, folder: Path) -> bool:
    """One tree, sent until a run comes to its end; return True if that one was green."""
    fortune = random.Random(seed)
    archives = fortune.random() < 0.4
    tree = Tree(fortune, folder / "tree", archives)
    tree.grow(tree.folder, 2)
    honest = fortune.random() < 0.7
    fates = ("serve",) if honest else ("serve", "abort", "close", "reject", "lie")
    statuses = (0,) if fortune.random() < 0.8 else (0, 0, 0, 0xB000, 0xA700, 0xC001)
    journal = fortune.random() < 0.6
    words = _options(fortune, archives=archives)
    if journal:
        words += ["--journal", str(folder / "journal")]
    report: dict[str, Any] = {}
    code = 0
    stored: set[str] = set()
    receiver = Receiver(seed, fates, statuses)
    try:
        for run in range(MOST_RUNS):
            calm = run == MOST_RUNS - 1
            code = _run(tree, receiver, words, folder, calm=calm)
            assert code in CODES, f"seed {seed}: exit code {code}"
            if code == -signal.SIGKILL:
                if not journal:
                    return False
                continue
            report = json.loads((folder / "report.json").read_text()) if code not in (21, 44) else {}
            stored |= _check(seed, report, receiver, code)
            if code not in ENDED_EARLY or not journal:
                break
        if journal:
            _check_journal(seed, folder / "journal", receiver)
        if code == 0:
            _check_green(seed, tree, receiver)
        elif honest and statuses == (0,) and code == 66:
            assert tree.damaged or tree.changed, f"seed {seed}: not all stored, and nothing is wrong"
        return code == 0
    finally:
        receiver.stop()


def _options(fortune: random.Random, *, archives: bool) -> list[str]:
    words = ["+sd", "+r", "-q", "-ta", "2", "-td", "5"]
    words += ["-nh"] if fortune.random() < 0.8 else []
    words += ["--scan-archives"] if archives else []
    words += ["--scan-first"] if fortune.random() < 0.2 else []
    words += ["+f"] if fortune.random() < 0.1 else []
    words += ["--associations", "3"] if fortune.random() < 0.3 else []
    words += ["--async-window", "4"] if fortune.random() < 0.3 else []
    words += ["--retries", "2", "--retry-delay", "0"] if fortune.random() < 0.4 else []
    return words


def _run(tree: Tree, receiver: Receiver, words: list[str], folder: Path, *, calm: bool) -> int:
    """One run of the command, with what happens meanwhile; its exit code."""
    fortune = tree.fortune
    (folder / "report.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "dcmsend", *words, "--report-json", str(folder / "report.json")]
    command += ["127.0.0.1", str(receiver.port), str(tree.folder)]
    started = threading.Event()
    receiver.happens.clear()
    receiver.last.clear()
    if not calm:
        for _ in range(fortune.choice((0, 0, 0, 1, 2, 3))):
            act = fortune.choice(_HAPPENS)
            receiver.happens[receiver.requests + fortune.randrange(1, 9)] = partial(act, tree)
        if fortune.random() < 0.3:
            sent = fortune.choice(_SIGNALS)

            def interrupt() -> None:
                started.wait(LIMIT)
                process.send_signal(sent)

            receiver.happens[receiver.requests + fortune.randrange(1, 9)] = interrupt
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    started.set()
    try:
        _, told = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.wait()
    receiver.wait_idle()
    assert "Traceback" not in told, told
    return process.returncode


def _check(seed: int, report: dict[str, Any], receiver: Receiver, code: int) -> set[str]:
    """What is called stored was answered so; what was answered so is called stored, or its answer was lost."""
    rows = report.get("instances", [])
    stored = {row["sop_instance_uid"] for row in rows if row["stored"]}
    unknown = {row["sop_instance_uid"] for row in rows if row["code"] in _UNANSWERED}
    good = set(receiver.held)
    now = {uid for uid, status in receiver.last.items() if status in (0, 0xB000)}
    assert stored <= good, f"seed {seed}: called stored, and never answered so: {stored - good}"
    if rows and code not in ENDED_EARLY:
        lost = now - stored - unknown
        assert not lost, f"seed {seed}: answered as stored, and not called so: {lost}"
    totals = report.get("totals", {})
    if totals:
        assert totals["stored"] == sum(row["stored"] for row in rows), f"seed {seed}"
        assert totals["left_out"] == len(report["left_out"]), f"seed {seed}"
        green = not report["error"] and totals["stored"] == totals["instances"]
        green = green and not totals["left_out"] and not totals["left_over"]
        assert report["complete"] is green, f"seed {seed}"
        assert (code == 0) is green, f"seed {seed}: exit code {code}"
        assert report["exit_code"] == code, f"seed {seed}"
    return stored


_UNANSWERED: Final = frozenset(("not_answered", "not_answered_in_time", "aborted_under_way"))


def _check_journal(seed: int, path: Path, receiver: Receiver) -> None:
    """Nothing is stored there that the receiver has not called so."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",), f"seed {seed}"
        rows = database.execute("SELECT sop_instance FROM instance WHERE state = 'stored'").fetchall()
    database.close()
    claimed = {uid for (uid,) in rows}
    assert claimed <= set(receiver.held), f"seed {seed}: {claimed - set(receiver.held)}"


def _check_green(seed: int, tree: Tree, receiver: Receiver) -> None:
    """A green run: the receiver has each DICOM file under what was named, in a version that has stood there."""
    for path in tree.damaged:
        assert not os.path.lexists(path) or path in tree.changed, f"seed {seed}: green, and {path} was left out"
    for name, versions in tree.truth.items():
        here = any(data in receiver.held.get(uid, ()) for uid, contents in versions.items() for data in contents)
        gone = name in tree.changed and not os.path.lexists(name)
        twins = [other for other in tree.truth.values() if other is not versions and set(other) & set(versions)]
        assert here or gone or twins, f"seed {seed}: green, and {name} is not at the receiver"
    everything = {data for contents in receiver.held.values() for data in contents}
    known = {data for versions in tree.truth.values() for contents in versions.values() for data in contents}
    assert everything <= known, f"seed {seed}: the receiver calls something stored that was never a file"
