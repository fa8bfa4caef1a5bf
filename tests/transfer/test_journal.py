"""The list: what goes in comes out, in order, with what has become of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dcmsend.model import Instance, Outcome, State, StatusClass
from dcmsend.transfer.journal import Journal

CT = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
MR = ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")


def instance(number: int, key: tuple[str, str] = CT, path: str = "") -> Instance:
    return Instance(path or f"file-{number}", key[0], f"1.2.3.{number}", key[1], 1000 + number)


@pytest.fixture
def journal() -> Iterator[Journal]:
    made = Journal()
    yield made
    made.close()


def test_instances_come_out_as_they_went_in(journal: Journal) -> None:
    odd = "caf\udce9/\u00e9t\u00e9\n.dcm"  # a file name that is no UTF-8
    for number, path in enumerate(("a", odd, "c"), 1):
        assert journal.add(instance(number, path=path)) == number
    assert [found.path for _, found in journal.pending((1,))] == ["a", odd, "c"]
    assert [found for found, _ in journal.rows()][1] == instance(2, path=odd)


def test_contexts_are_numbered_by_first_appearance(journal: Journal) -> None:
    for number, key in enumerate((MR, CT, MR), 1):
        journal.add(instance(number, key))
    assert journal.keys == [MR, CT]
    assert [number for number, _ in journal.pending((1,))] == [1, 3]
    assert [number for number, _ in journal.pending((2,))] == [2]
    assert [number for number, _ in journal.pending((1, 2))] == [1, 2, 3]


def test_outcomes_recorded_while_the_pending_are_read_disturb_nothing(journal: Journal) -> None:
    for number in range(1, 1001):
        journal.add(instance(number))
    seen = []
    for number, _ in journal.pending((1,)):
        journal.record(Outcome(number=number, state=State.ANSWERED, status=0))
        seen.append(number)
    assert seen == list(range(1, 1001))
    assert not list(journal.pending((1,)))


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
    journal.record(outcome)
    assert [kept for _, kept in journal.rows()] == [outcome]


def test_what_is_left_gets_a_reason_once(journal: Journal) -> None:
    for number in (1, 2, 3):
        journal.add(instance(number))
    journal.record(Outcome(number=2, state=State.FAILED, reason="broken"))
    assert journal.leave("not tried") == 2
    assert journal.leave("something else") == 0
    assert [outcome.reason for _, outcome in journal.rows()] == ["not tried", "broken", "not tried"]
    assert not list(journal.pending((1,)))


def test_what_is_kept_is_not_left(journal: Journal) -> None:
    for number, key in enumerate((CT, MR, CT), 1):
        journal.add(instance(number, key))
    assert journal.leave("no room", keep=(1,)) == 1
    assert [number for number, _ in journal.pending((1, 2))] == [1, 3]


def test_totals(journal: Journal) -> None:
    statuses = (0, 0, 0xB000, 0xA700, 0x0122, 0xC001, 0x0110)
    for number, status in enumerate(statuses, 1):
        journal.add(instance(number))
        journal.record(Outcome(number=number, state=State.ANSWERED, status=status))
    for number, state in ((8, State.NO_CONTEXT), (9, State.FAILED), (10, State.PENDING)):
        journal.add(instance(number))
        journal.record(Outcome(number=number, state=state))
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
