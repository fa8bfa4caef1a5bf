"""Why instances were not stored: what is one reason, how many groups there are, what the log says of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from dcmsend.cli.names import OPTIONS
from dcmsend.model import Refusal, State
from dcmsend.reasons import Reason, because
from dcmsend.reasons.row import Kind
from dcmsend.report.causes import (
    MAX_EXAMPLE,
    MOST_EXAMPLES,
    MOST_GROUPS,
    MOST_TOLD,
    Causes,
    cause_lines,
    causes,
    same_remark,
)
from tests.support.runs import (
    DAMAGED,
    FULL,
    GONE,
    LOST,
    NO_CONTEXT,
    NO_DICOM,
    PENDING,
    REMARK,
    STORED,
    Facts,
    Row,
    row,
)  # fmt: skip


def _rows(*facts: Facts) -> list[Row]:
    return [row(number, each, f"{number}.dcm") for number, each in enumerate(facts, 1)]


def _failed(reason: Reason) -> Facts:
    return {"state": State.FAILED, "reason": reason}


def _said(words: str) -> Reason:
    return because("said", words=words)


def test_stored_instances_have_no_cause() -> None:
    assert causes(_rows(STORED, REMARK)) == []


@pytest.mark.parametrize(
    ("facts", "kind", "reason"),
    [
        (FULL, Kind.REFUSED, "0xa700 (Refused: OutOfResources): disk full"),
        ({"state": State.ANSWERED, "status": 0xC001}, Kind.REFUSED, "0xc001 (Error: CannotUnderstand)"),
        (
            {"state": State.ANSWERED, "status": 0x0110, "reason": because("remark", words="patient 4711 'X'")},
            Kind.REFUSED,
            "0x0110 (Unknown Status: 0x110): patient 4711 'X'",
        ),
        (NO_CONTEXT, Kind.NO_CONTEXT, f"CTImageStorage: {NO_CONTEXT['reason']}"),
        ({"state": State.NO_CONTEXT}, Kind.NO_CONTEXT, "CTImageStorage: no acceptable presentation context"),
        (DAMAGED, Kind.FILE, "it has only 17 bytes: too short for a DICOM file, though it is called like one"),
        (LOST, Kind.NOT_ANSWERED, "not answered: the peer closed the connection"),
        (PENDING, Kind.NOT_TRIED, "not tried: the run ended before (stopped by the user)"),
        ({"state": State.PENDING}, Kind.NOT_TRIED, "never tried"),
    ],
)
def test_kind_and_reason(facts: Facts, kind: Kind, reason: str) -> None:
    """What is alone keeps its own facts."""
    rows = _rows(facts)
    (cause,) = causes(rows)
    assert (cause.kind, cause.reason, cause.count, cause.examples) == (kind, reason, 1, ("1.dcm",))
    assert (cause.code, cause.hint) == (rows[0][1].why.code, rows[0][1].why.hint())


def test_what_differs_from_instance_to_instance_makes_no_group() -> None:
    (cause,) = causes(_rows(*(_failed(because("too_short", size=size)) for size in range(50))))
    assert (cause.count, cause.code) == (50, "too_short")
    assert cause.reason == "it has only ... bytes: too short for a DICOM file, though it is called like one"
    assert cause.examples == ("1.dcm", "2.dcm", "3.dcm")


def test_what_is_the_same_in_all_is_told() -> None:
    """One server that is gone is the reason of all that come behind it: nothing of that is another in each."""
    inner = because("cannot_connect", because("connection_refused", words="refused"), host="h", port=1, address="a")
    (cause,) = causes(_rows(*[_failed(because("run_ended", inner))] * 3))
    assert (cause.reason, cause.count) == (str(because("run_ended", inner)), 3)


def test_what_the_user_must_tell_apart_makes_groups() -> None:
    """The words of the system are not what is another in each file."""
    facts = [_failed(because("not_found", words=words)) for words in ("gone", "gone", "never there")]
    assert [(cause.reason, cause.count) for cause in causes(_rows(*facts))] == [("gone", 2), ("never there", 1)]


def test_the_reason_behind_another_makes_groups() -> None:
    inner = (because("stopped"), because("stopped"), because("too_short", size=1), because("too_short", size=2))
    facts = [{"state": State.PENDING, "reason": because("run_ended", one)} for one in inner]
    too_short = "it has only ... bytes: too short for a DICOM file, though it is called like one"
    assert [cause.reason for cause in causes(_rows(*facts))] == [
        "not tried: the run ended before (stopped by the user)",
        f"not tried: the run ended before ({too_short})",
    ]


def test_remarks_of_a_peer_are_told_apart_by_their_words() -> None:
    remarks = [*(f"patient {number} is locked" for number in range(9)), "disk full"]
    facts = [
        {"state": State.ANSWERED, "status": 0x0110, "reason": because("remark", words=remark)} for remark in remarks
    ]
    assert [(cause.reason, cause.count) for cause in causes(_rows(*facts))] == [
        ("0x0110 (Unknown Status: 0x110): patient ... is locked", 9),
        ("0x0110 (Unknown Status: 0x110): disk full", 1),
    ]


def test_hints_have_the_names_of_where_they_are_shown() -> None:
    assert causes(_rows(LOST))[0].hint.endswith("Policy(halt=False) goes on with the rest, Retries tries again.")
    assert causes(_rows(LOST), OPTIONS)[0].hint.endswith("--no-halt goes on with the rest, --retries tries again.")


def test_what_was_left_out_is_counted_and_what_is_no_dicom_is_not() -> None:
    refusals = [Refusal("1", GONE), Refusal("2", NO_DICOM), *(Refusal(str(n), because("empty_file")) for n in "34")]
    found = Causes()
    found.add_refusals(refusals)
    assert [(cause.kind, cause.code, cause.count, cause.examples) for cause in found.groups()] == [
        (Kind.FILE, "empty_file", 2, ("3", "4")),
        (Kind.READ, "not_found", 1, ("1",)),
    ]


def test_the_largest_group_is_first() -> None:
    found = causes(_rows(FULL, LOST, LOST, DAMAGED, DAMAGED, DAMAGED))
    assert [(cause.kind, cause.count) for cause in found] == [
        (Kind.FILE, 3),
        (Kind.NOT_ANSWERED, 2),
        (Kind.REFUSED, 1),
    ]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("1.2.840.10008.1.2 is no UID", "... is no UID"),
        ("element 'x' of \"y\"", "element ... of ..."),
        ("status 0xC000", "status ..."),
        ("JPEG2000 has no numbers", "JPEG2000 has no numbers"),
        ("", ""),
    ],
)
def test_what_is_the_same_remark(reason: str, words: str) -> None:
    assert same_remark(reason) == words


def test_groups_are_bounded() -> None:
    def many() -> Iterator[Row]:
        for number in range(1, 20_001):
            letters = "".join(chr(97 + int(digit)) for digit in str(number % 500))
            yield row(number, _failed(_said(f"fault {letters}")), "x" * 10_000)

    tracemalloc.start()
    try:
        found = causes(many())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == MOST_GROUPS + 1
    assert (found[-1].kind, found[-1].reason) == (Kind.OTHERS, "other reasons")
    assert sum(cause.count for cause in found) == 20_000
    assert all(len(cause.examples) == MOST_EXAMPLES for cause in found)
    assert {len(path) for cause in found for path in cause.examples} == {MAX_EXAMPLE}
    assert peak < 2_000_000


def test_ranks_are_the_places_of_groups() -> None:
    rows = _rows(FULL, LOST, LOST, *(_failed(_said(chr(200 + n) * 9)) for n in range(60)))
    sorter = Causes()
    sorter.add_all(rows)
    ranks, groups = sorter.ranks(), sorter.groups()
    counted = [0] * len(groups)
    for instance, outcome in rows:
        counted[ranks[sorter.key(instance, outcome)]] += 1
    assert counted == [group.count for group in groups]


# --- lines of the log


def test_lines() -> None:
    assert list(cause_lines(causes(_rows(FULL, LOST, FULL, FULL), OPTIONS))) == [
        "  3 x 0xa700 (Refused: OutOfResources): disk full: 1.dcm, 3.dcm, ...",
        "      The peer is out of resources: look at its disk space and its log. --retries tries such instances again.",
        "  1 x not answered: the peer closed the connection: 2.dcm",
        f"      {LOST['reason'].hint(OPTIONS)}",
    ]
    assert list(cause_lines([])) == []


def test_lines_are_bounded_and_on_one_line_each() -> None:
    facts = [_failed(_said(f"\nfault {chr(97 + n)}" * 100)) for n in range(15)]
    lines = list(cause_lines(causes([row(n, each, "a\nb" * 999) for n, each in enumerate(facts, 1)])))
    assert len(lines) == 2 * MOST_TOLD + 1
    assert lines[-1] == "  5 more for 5 further reasons"
    assert all("\n" not in line and len(line) < 1500 for line in lines)
