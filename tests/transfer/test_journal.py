"""The list: what goes in comes out, in order, with what has become of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dcmsend.errors import JournalError
from dcmsend.model import Instance, Outcome, State, StatusClass
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
    program = "import sys; sys.modules['_sqlite3'] = None"  # importing it fails, also where coverage has it
    program += "; from tests.transfer.test_journal import short_list; short_list()"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


def short_list() -> None:
    journal = Journal()
    for number in range(1, 256):
        journal.add(instance(number))
    for number, _ in pending(journal, 1):
        answer(journal, number)
    assert journal.totals(associations=1, contexts=1, refused_files=0).stored == 255


def test_a_full_disk_is_told(journal: Journal) -> None:
    limit = "PRAGMA max_page_count = 20"
    with pytest.raises(JournalError, match="the list of instances cannot be kept: database or disk is full") as caught:
        for number in range(1, 10_000):
            journal.add(instance(number))
            if number == 256:
                journal._write().execute(limit)
    assert "TMPDIR" in caught.value.hint


def test_an_outcome_is_kept_whole(journal: Journal) -> None:
    journal.add(instance(1))
    outcome = Outcome(
        number=1,
        state=State.ANSWERED,
        status=0xB007,
        reason="caf\udce9",
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
    journal.record(Outcome(number=2, state=State.FAILED, reason="broken"), instance(2))
    assert journal.leave("not tried") == 2
    assert journal.leave("something else") == 0
    assert [outcome.reason for _, outcome in journal.rows()] == ["not tried", "broken", "not tried"]
    assert not list(pending(journal, 1))
    assert journal.pending == {1: 0}


def test_what_is_kept_is_not_left(journal: Journal) -> None:
    for number, key in enumerate((CT, MR, CT), 1):
        journal.add(instance(number, key))
    assert journal.leave("no room", keep=(1,)) == 1
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
    totals = journal.totals(associations=2, contexts=3, refused_files=4)
    assert totals.by_class == {
        StatusClass.SUCCESS: 2,
        StatusClass.WARNING: 1,
        StatusClass.REFUSED: 2,
        StatusClass.ERROR: 1,
        StatusClass.UNKNOWN: 1,
    }
    assert (totals.instances, totals.answered, totals.stored, totals.no_context) == (10, 7, 3, 1)
    assert (totals.associations, totals.contexts, totals.refused_files) == (2, 3, 4)
