"""Why instances were not stored: what is one reason, how many groups there are, what the log says of them."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from typing import Any, Final

import pytest

from dcmsend.cli.options import BY_NAME
from dcmsend.model import State
from dcmsend.report.causes import (
    MAX_EXAMPLE,
    MOST_EXAMPLES,
    MOST_GROUPS,
    MOST_TOLD,
    Causes,
    cause_lines,
    causes,
    general,
)
from dcmsend.report.hints import HINTS, Kind, hint_for
from tests.support.runs import DAMAGED, FULL, LOST, NO_CONTEXT, PENDING, REMARK, STORED, Facts, Row, row

OPTION: Final = re.compile(r"--[a-z-]+")


def _rows(*facts: Facts) -> list[Row]:
    return [row(number, each, f"{number}.dcm") for number, each in enumerate(facts, 1)]


def test_stored_instances_have_no_cause() -> None:
    assert causes(_rows(STORED, REMARK)) == []


@pytest.mark.parametrize(
    ("facts", "kind", "reason"),
    [
        (FULL, Kind.REFUSED, "0xa700 (Refused: OutOfResources): disk full"),
        ({"state": State.ANSWERED, "status": 0xC001}, Kind.REFUSED, "0xc001 (Error: CannotUnderstand)"),
        (
            {"state": State.ANSWERED, "status": 0x0110, "reason": "patient 4711 'X' is locked"},
            Kind.REFUSED,
            "0x0110 (Unknown Status: 0x110): patient ... ... is locked",
        ),
        (NO_CONTEXT, Kind.NO_CONTEXT, f"CTImageStorage: {NO_CONTEXT['reason']}"),
        ({"state": State.NO_CONTEXT}, Kind.NO_CONTEXT, "CTImageStorage: no acceptable presentation context"),
        (DAMAGED, Kind.FILE, "(...) at byte ...: its ... bytes run past the end of the file"),
        (LOST, Kind.NOT_ANSWERED, "not answered: the peer closed the connection"),
        (PENDING, Kind.NOT_TRIED, PENDING["reason"]),
        ({"state": State.PENDING}, Kind.NOT_TRIED, "never tried"),
    ],
)
def test_kind_and_reason(facts: Facts, kind: Kind, reason: str) -> None:
    (cause,) = causes(_rows(facts))
    assert (cause.kind, cause.reason, cause.count, cause.examples) == (kind, reason, 1, ("1.dcm",))
    assert cause.hint == hint_for(kind, reason)


def test_what_differs_from_instance_to_instance_makes_no_group() -> None:
    reasons = [f"(0008,{number:04x}) at byte {number}: its {number * 2} bytes run past the end" for number in range(50)]
    (cause,) = causes(_rows(*({"state": State.FAILED, "reason": reason} for reason in reasons)))
    assert cause.count == 50
    assert cause.examples == ("1.dcm", "2.dcm", "3.dcm")


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
def test_general_words(reason: str, words: str) -> None:
    assert general(reason) == words


def test_groups_are_bounded() -> None:
    def many() -> Iterator[Row]:
        for number in range(1, 20_001):
            letters = "".join(chr(97 + int(digit)) for digit in str(number % 500))
            yield row(number, {"state": State.FAILED, "reason": f"fault {letters}"}, "x" * 10_000)

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
    rows = _rows(FULL, LOST, LOST, *({"state": State.FAILED, "reason": chr(200 + n) * 9} for n in range(60)))
    sorter = Causes()
    sorter.add_all(rows)
    ranks, groups = sorter.ranks(), sorter.groups()
    counted = [0] * len(groups)
    for instance, outcome in rows:
        counted[ranks[sorter.key(instance, outcome)]] += 1
    assert counted == [group.count for group in groups]


# --- hints


@pytest.mark.parametrize("kind", Kind, ids=[kind.value for kind in Kind])
def test_every_kind_has_a_hint_for_any_reason(kind: Kind) -> None:
    assert hint_for(kind, "something never heard of").endswith((".", "?"))


def test_hints_name_options_that_there_are() -> None:
    named = {option for _, _, hint in HINTS for option in OPTION.findall(hint)}
    assert len(named) > 5
    assert named <= set(BY_NAME)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (FULL, "disk space"),
        ({"state": State.ANSWERED, "status": 0xA900}, "does not fit its SOP class"),
        ({"state": State.ANSWERED, "status": 0xC123}, "which attribute"),
        ({"state": State.ANSWERED, "status": 0x0122}, "does not store this SOP class"),
        (NO_CONTEXT, "allow the SOP class"),
        ({"state": State.NO_CONTEXT, "reason": "only --decompress-lossy allows it"}, "by --decompress-lossy"),
        (DAMAGED, "copy it from its source"),
        ({"state": State.FAILED, "reason": "No such file or directory"}, "gone when its turn came"),
        ({"state": State.FAILED, "reason": "Permission denied"}, "may not read"),
        ({"state": State.FAILED, "reason": "the file became shorter while it was being sent"}, "still writing"),
        (
            {"state": State.FAILED, "reason": "not answered: timeout: response took more than 5 seconds"},
            "--dimse-timeout",
        ),
        (LOST, "--no-halt"),
        (PENDING, "--journal"),
    ],
)
def test_what_to_do(facts: Facts, words: str) -> None:
    assert words in causes(_rows(facts))[0].hint


# --- lines of the log


def test_lines() -> None:
    assert list(cause_lines(causes(_rows(FULL, LOST, FULL, FULL)))) == [
        "  3 x 0xa700 (Refused: OutOfResources): disk full: 1.dcm, 3.dcm, ...",
        "      The peer is out of resources: look at its disk space and its log. --retries tries such instances again.",
        "  1 x not answered: the peer closed the connection: 2.dcm",
        f"      {hint_for(Kind.NOT_ANSWERED, LOST['reason'])}",
    ]
    assert list(cause_lines([])) == []


def test_lines_are_bounded_and_on_one_line_each() -> None:
    facts: list[dict[str, Any]] = [{"state": State.FAILED, "reason": f"\nfault {chr(97 + n)}" * 100} for n in range(15)]
    lines = list(cause_lines(causes([row(n, each, "a\nb" * 999) for n, each in enumerate(facts, 1)])))
    assert len(lines) == 2 * MOST_TOLD + 1
    assert lines[-1] == "  5 more for 5 further reasons"
    assert all("\n" not in line and len(line) < 1500 for line in lines)
