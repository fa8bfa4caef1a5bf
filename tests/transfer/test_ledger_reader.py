"""A journal file that is only read: it says what a run would be told, and nothing of it changes."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from dcmsend.errors import JournalError
from dcmsend.events import InstanceFinished
from dcmsend.model import Instance, JournalFile, Outcome, Peer, State
from dcmsend.stop import Stop
from dcmsend.transfer.ledger import Ledger
from dcmsend.transfer.ledger_reader import LedgerReader

PEER: Final = Peer(host="pacs.example.org", port=104)
Make = Callable[[str], Instance]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the journal is, and nothing else."""
    path = tmp_path / "journal"
    path.mkdir()
    return path


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def instance(name: str) -> Instance:
        path = tmp_path / name
        path.write_bytes(b"abc")
        return Instance(str(path), "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", "1.2.840.10008.1.2.1", 3)

    return instance


def file_of(folder: Path, *, any_peer: bool = False) -> JournalFile:
    return JournalFile(path=str(folder / "kept"), any_peer=any_peer)


def keep(folder: Path, stored: list[Instance], pending: list[Instance], *, close: bool = True) -> Ledger:
    """A run that has stored some and not others."""
    ledger = Ledger(file_of(folder), PEER, Stop())
    for number, instance in enumerate((*stored, *pending), 1):
        assert ledger.meet(instance, number) is None
        if instance in stored:
            outcome = Outcome(number=number, state=State.ANSWERED, status=0, association=1)
            ledger.record(InstanceFinished(instance, outcome))
    if close:
        ledger.close()
    return ledger


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.fixture
def reader(folder: Path) -> Iterator[Callable[..., LedgerReader]]:
    made: list[LedgerReader] = []

    def opened(peer: Peer = PEER, *, any_peer: bool = False, at: Path = folder) -> LedgerReader:
        made.append(LedgerReader(file_of(at, any_peer=any_peer), peer))
        return made[-1]

    yield opened
    for each in made:
        each.close()


def test_it_says_what_a_run_is_told(folder: Path, make: Make, reader: Callable[..., LedgerReader]) -> None:
    stored, pending, new, gone = (make(name) for name in ("a", "b", "c", "d"))
    keep(folder, [stored], [pending, gone])
    before = content(folder)
    looked = reader()
    told = [looked.meet(each, number) for number, each in enumerate((stored, pending, new), 1)]
    left = looked.left_over()
    looked.close()
    assert content(folder) == before
    ledger = Ledger(file_of(folder), PEER, Stop())
    assert [ledger.meet(each, number) for number, each in enumerate((stored, pending, new), 1)] == told
    assert ledger.left_over() == left == 1
    ledger.close()
    assert [each is not None and each.stored for each in told] == [True, False, False]


def test_a_file_that_has_changed_is_not_stored(folder: Path, make: Make, reader: Callable[..., LedgerReader]) -> None:
    instance = make("a")
    keep(folder, [instance], [])
    os.utime(instance.path, ns=(0, 0))
    assert reader().meet(instance, 1) is None


def test_where_there_is_none_none_is_made(folder: Path, make: Make, reader: Callable[..., LedgerReader]) -> None:
    looked = reader()
    assert looked.meet(make("a"), 1) is None
    assert looked.left_over() == 0
    assert content(folder) == {}


def test_relative_names_are_those_of_the_present_folder(
    folder: Path, make: Make, reader: Callable[..., LedgerReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(folder, [make("a")], [])
    monkeypatch.chdir(folder.parent)
    relative = Instance("a", "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", "1.2.840.10008.1.2.1", 3)
    assert reader().meet(relative, 1) is not None


def test_what_a_killed_run_has_left_counts(
    folder: Path, make: Make, reader: Callable[..., LedgerReader], tmp_path: Path
) -> None:
    """Its last outcomes are in a file beside the database, which stays as it is."""
    instance = make("a")
    ledger = keep(folder, [instance], [], close=False)
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in ("kept", "kept-wal"):  # what is on the disk at this moment
        shutil.copy(folder / name, killed / name)
    ledger.close()
    before = content(killed)
    assert before["kept-wal"][0]
    assert reader(at=killed).meet(instance, 1) is not None
    assert content(killed) == before


def test_one_that_another_run_holds_is_refused(folder: Path, make: Make, reader: Callable[..., LedgerReader]) -> None:
    ledger = keep(folder, [make("a")], [], close=False)
    with pytest.raises(JournalError, match="is in use by another run"):
        reader()
    ledger.close()
    reader()


def test_one_of_another_peer_is_refused(folder: Path, make: Make, reader: Callable[..., LedgerReader]) -> None:
    keep(folder, [make("a")], [])
    other = Peer(host="elsewhere.example.org", port=104)
    with pytest.raises(JournalError, match=r"belongs to ANY-SCP at pacs\.example\.org:104, not ANY-SCP at elsewhere"):
        reader(other)
    assert reader(other, any_peer=True).left_over() == 0


@pytest.mark.parametrize("what", ["text", "database", "damaged"])
def test_what_is_no_journal_is_refused_and_left_alone(
    what: str, folder: Path, make: Make, reader: Callable[..., LedgerReader]
) -> None:
    path = folder / "kept"
    if what == "text":
        path.write_text("no database at all")
    elif what == "database":
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE other (a)")
    else:
        keep(folder, [make("a")], [])
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    before = content(folder)
    with pytest.raises(JournalError, match="kept"):
        reader()
    assert content(folder) == before
