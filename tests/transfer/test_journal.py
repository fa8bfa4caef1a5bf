"""The list: what goes in comes out, in order, with what has become of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dcmsend.errors import JournalError
from dcmsend.light import replace
from dcmsend.model import Instance, Outcome, State, StatusClass
from dcmsend.reasons import because
from dcmsend.stop import Stop
from dcmsend.transfer import journal_file
from dcmsend.transfer.journal import Journal

if TYPE_CHECKING:
    from dcmsend.transfer.journal import Entry

ROOT = Path(__file__).parents[2]

CT = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
MR = ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")


def instance(number: int, key: tuple[str, str] = CT, path: str = "") -> Instance:
    return Instance(path or f"file-{number}", key[0], f"1.2.3.{number}", key[1], 1000 + number)


def pending(journal: Journal, *contexts: int) -> Iterator[Entry]:
    """Everything that can be taken of some contexts."""
    after = 0
    while (found := journal.take(contexts, after))[0]:
        entries, after = found
        yield from entries


def answer(journal: Journal, number: int, state: State = State.ANSWERED, status: int | None = 0) -> None:
    journal.record(Outcome(number=number, state=state, status=status), instance(number))


@pytest.fixture
def journal() -> Iterator[Journal]:
    made = Journal()
    yield made
    made.close()


def test_instances_come_out_as_they_went_in(journal: Journal) -> None:
    odd = "caf\udce9/\u00e9t\u00e9\n.dcm"  # a file name that is no UTF-8
    for number, path in enumerate(("a", odd, "c"), 1):
        assert journal.add(instance(number, path=path)) == number
    assert [found.path for _, found in pending(journal, 1)] == ["a", odd, "c"]
    assert [found for found, _ in journal.rows()][1] == instance(2, path=odd)


def test_contexts_are_numbered_by_first_appearance(journal: Journal) -> None:
    for number, key in enumerate((MR, CT, MR), 1):
        journal.add(instance(number, key))
    assert journal.keys == [MR, CT]
    assert [number for number, _ in pending(journal, 1)] == [1, 3]
    assert [number for number, _ in pending(journal, 2)] == [2]
    assert [number for number, _ in pending(journal, 1, 2)] == [1, 2, 3]
    assert journal.pending == {1: 2, 2: 1}


def test_outcomes_recorded_while_the_pending_are_read_disturb_nothing(journal: Journal) -> None:
    for number in range(1, 1001):
        journal.add(instance(number))
    seen = []
    for number, _ in pending(journal, 1):
        answer(journal, number)
        seen.append(number)
    assert seen == list(range(1, 1001))
    assert not list(pending(journal, 1))
    assert journal.pending == {1: 0}


def test_what_is_added_while_the_pending_are_read_is_found_too(journal: Journal) -> None:
    """Whatever has been written to the database by then."""
    journal.add(instance(1))
    seen = []
    for number, _ in pending(journal, 1):
        seen.append(number)
        for _ in range(3 if number < 400 else 0):
            journal.add(instance(len(journal) + 1, (CT, MR)[len(journal) % 2]))
    assert seen == list(range(1, len(journal) + 1, 2))
    assert journal.pending == {1: len(seen), 2: len(journal) - len(seen)}


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1000])
def test_instances_and_outcomes_meet_wherever_each_of_them_is(count: int, journal: Journal) -> None:
    """In memory, or in the database already."""
    for number in range(1, count + 1):
        journal.add(instance(number))
        if number % 3 == 0:
            answer(journal, number - 1, status=number)
    expected = [number for number in range(1, count + 1) if not (number % 3 == 2 and number < count)]
    assert [number for number, _ in pending(journal, 1)] == expected
    assert journal.pending == {1: len(expected)}
    assert [found for found, _ in journal.rows()] == [instance(number) for number in range(1, count + 1)]
    statuses = [outcome.status for _, outcome in journal.rows()]
    assert statuses == [number + 1 if number not in expected else None for number in range(1, count + 1)]


def test_a_short_list_needs_no_database() -> None:
    """Loading SQLite takes longer than sending a small file."""
    program = "import sys; from tests.transfer.test_journal import short_list"
    program += "; del sys.modules['dcmsend.transfer.journal_file']; sys.modules['_sqlite3'] = None; short_list()"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


def short_list() -> None:
    journal = Journal()
    for number in range(1, 256):
        journal.add(instance(number))
    for number, _ in pending(journal, 1):
        answer(journal, number)
    assert journal.totals(associations=1, contexts=1).stored == 255
    assert all(outcome.stored for _, outcome in journal.rows())
    assert not list(journal.shared_uids(1, 1))


def fill(journal: Journal, monkeypatch: pytest.MonkeyPatch, written: int = 512) -> None:
    """Take on so many instances, and let nothing more be written than that: the disk is full from then on."""
    for number in range(1, written + 1):
        journal.add(instance(number))
    assert journal._written is not None

    def full(*_: object) -> None:
        raise JournalError(because("list_cannot_be_kept", words="database or disk is full"))

    monkeypatch.setattr(journal._written, "write", full)


def test_a_full_disk_asks_the_run_to_stop(small_list: Path) -> None:
    stop = Stop()
    journal = Journal(stop)
    for number in range(1, 10_000):
        assert journal.add(instance(number)) == number
        if stop.requested:
            break
    assert str(journal.error) == "the list of instances cannot be kept: database or disk is full"
    assert journal.error is not None and "TMPDIR" in journal.error.hint
    assert [found for found, _ in journal.rows()] == [instance(one) for one in range(1, number + 1)]
    assert journal.take((1,), 0) == ([], number), "nothing more is given out"
    journal.close()


@pytest.fixture
def small_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A list that has 200 kB of room, as SQLite sees it."""
    room = journal_file._SCHEMA.replace("CREATE TABLE context", "PRAGMA max_page_count = 50; CREATE TABLE context")
    monkeypatch.setattr(journal_file, "_SCHEMA", room)
    return tmp_path


def test_what_has_an_outcome_by_then_and_what_gets_one_is_known(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written or not, postponed or not; what was never tried gets the reason."""
    fill(journal, monkeypatch)
    journal.add(instance(513))
    for number in range(1, 301):
        answer(journal, number, status=0 if number % 2 else 0xA700)
    assert journal.error is not None
    journal.postpone(Outcome(number=301, state=State.FAILED, reason=because("never_tried"), attempts=1))
    journal.postpone(Outcome(number=302, state=State.ANSWERED, status=0xA700, attempts=1))
    answer(journal, 513)
    assert journal.leave(because("failed")) == 210
    outcomes = [outcome for _, outcome in journal.rows()]
    assert [outcome.number for outcome in outcomes] == list(range(1, 514))
    assert [outcome.status for outcome in outcomes[:300]] == [0, 0xA700] * 150
    assert [(outcome.state, outcome.status) for outcome in outcomes[300:302]] == [
        (State.FAILED, None),
        (State.ANSWERED, 0xA700),
    ]
    assert {outcome.reason for outcome in outcomes[302:512]} == {because("failed")}
    assert outcomes[512].stored
    totals = journal.totals(associations=1, contexts=1)
    assert (totals.instances, totals.stored, totals.answered) == (513, 151, 302)
    assert journal.pending == {1: 0}


def test_there_is_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> None:
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    for number in range(1, 301):
        journal.add(instance(number))
    assert str(journal.error) == "the list of instances cannot be kept: Read-only file system"
    assert len(list(journal.rows())) == 300


def test_a_batch_is_written_whole_or_not_at_all(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where Ctrl-C comes in the middle of it."""
    for number in range(1, 257):
        journal.add(instance(number))
    answer(journal, 1)
    monkeypatch.setattr(journal_file, "_outcome_row", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    journal.add(instance(257))
    with pytest.raises(KeyboardInterrupt):
        journal._write()
    monkeypatch.undo()
    journal._write()
    assert journal.error is None
    assert [outcome.stored for _, outcome in journal.rows()] == [True] + [False] * 256


def test_the_file_has_no_name(journal: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    for number in range(1, 1001):
        journal.add(instance(number))
    assert not list(tmp_path.iterdir())
    descriptors = (os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if name.isdecimal())
    assert any(path.startswith(str(tmp_path)) for path in descriptors)


@pytest.mark.parametrize("count", [1, 300])
def test_rows_of_a_closed_list(count: int) -> None:
    journal = Journal()
    for number in range(1, count + 1):
        journal.add(instance(number))
    begun = journal.rows()
    next(begun)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="the report is closed"):
        journal.rows()
    with pytest.raises((JournalError, StopIteration)) as caught:
        next(begun)
    assert count == 1 or caught.type is JournalError


@pytest.mark.parametrize("count", [3, 300])
def test_what_went_out_had_other_uids(count: int, journal: Journal) -> None:
    """The list then has those; what is pending is counted by those of the scan."""
    for number in range(1, count + 1):
        journal.add(instance(number))
    given, _ = journal.take((1,), 0)
    assert given[1] == (2, instance(2))
    sent = replace(instance(2), sop_instance="1.2.999", sop_class=MR[0], transfer_syntax=MR[1])
    journal.record(Outcome(number=2, state=State.ANSWERED, status=0), sent)
    assert [found for found, _ in journal.rows()][:3] == [instance(1), sent, instance(3)]
    journal._write()
    assert [found for found, _ in journal.rows()][:3] == [instance(1), sent, instance(3)]
    assert journal.keys == [CT]
    assert journal.pending == {1: count - 1}


def test_numbers_beyond_64_bits(journal: Journal) -> None:
    for number in range(1, 300):
        journal.add(replace(instance(number), size=1 << 70))
    answer(journal, 1)
    assert journal.error is None
    assert next(journal.rows())[0].size == (1 << 63) - 1


def test_an_outcome_is_kept_whole(journal: Journal) -> None:
    journal.add(instance(1))
    outcome = Outcome(
        number=1,
        state=State.ANSWERED,
        status=0xB007,
        reason=because("remark", words="caf\udce9"),
        association=2,
        context_id=5,
        network_syntax=CT[1],
        dataset_size=5 << 30,
    )
    journal.record(outcome, instance(1))
    assert [kept for _, kept in journal.rows()] == [outcome]


def test_what_is_left_gets_a_reason_once(journal: Journal) -> None:
    for number in (1, 2, 3):
        journal.add(instance(number))
    journal.record(Outcome(number=2, state=State.FAILED, reason=because("failed")), instance(2))
    assert journal.leave(because("never_tried")) == 2
    assert journal.leave(because("association_broke")) == 0
    assert [outcome.reason for _, outcome in journal.rows()] == [
        because("never_tried"),
        because("failed"),
        because("never_tried"),
    ]
    assert not list(pending(journal, 1))
    assert journal.pending == {1: 0}


def test_what_is_kept_is_not_left(journal: Journal) -> None:
    for number, key in enumerate((CT, MR, CT), 1):
        journal.add(instance(number, key))
    assert journal.leave(because("never_tried"), keep=(1,)) == 1
    assert [number for number, _ in pending(journal, 1, 2)] == [1, 3]
    assert journal.pending == {1: 2, 2: 0}


def test_totals(journal: Journal) -> None:
    statuses = (0, 0, 0xB000, 0xA700, 0x0122, 0xC001, 0x0110)
    for number, status in enumerate(statuses, 1):
        journal.add(instance(number))
        answer(journal, number, status=status)
    for number, state in ((8, State.NO_CONTEXT), (9, State.FAILED), (10, State.PENDING)):
        journal.add(instance(number))
        answer(journal, number, state, None)
    totals = journal.totals(associations=2, contexts=3, left_out=4)
    assert totals.by_class == {
        StatusClass.SUCCESS: 2,
        StatusClass.WARNING: 1,
        StatusClass.REFUSED: 2,
        StatusClass.ERROR: 1,
        StatusClass.UNKNOWN: 1,
    }
    assert (totals.instances, totals.answered, totals.stored, totals.no_context) == (10, 7, 3, 1)
    assert (totals.associations, totals.contexts, totals.left_out) == (2, 3, 4)
