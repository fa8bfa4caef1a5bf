"""What is proposed, how it is packed, and which context carries what (PS3.8 9.3.2.2, PS3.5 10)."""

from __future__ import annotations

import pytest

from dcmsend.events import Context
from dcmsend.model import Policy
from dcmsend.plan import NOT_ANSWERED, NOT_PROPOSED, Routes, answered, pack, refusal
from dcmsend.uids import TRANSFER_SYNTAXES

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BASELINE = "1.2.840.10008.1.2.4.50"
LOSSLESS = "1.2.840.10008.1.2.4.70"
PRIVATE = "1.3.6.1.4.1.5962.1"


@pytest.mark.parametrize("syntax", [*TRANSFER_SYNTAXES, PRIVATE])
def test_everything_may_be_proposed_as_it_is(syntax: str) -> None:
    assert refusal((CT, syntax), Policy()) == ""


@pytest.mark.parametrize(
    ("syntax", "refused"),
    [
        (IMPLICIT, False),
        (EXPLICIT, False),
        ("1.2.840.10008.1.2.2", False),
        (BASELINE, False),
        ("1.2.840.10008.1.2.4.94", False),
        (PRIVATE, False),
        (DEFLATED, True),
        (LOSSLESS, True),
        ("1.2.840.10008.1.2.5", True),
        ("1.2.840.10008.1.2.4.90", True),
        ("1.2.840.10008.1.2.1.98", True),
    ],
)
def test_no_illegal_proposal(syntax: str, refused: bool) -> None:
    reason = refusal((CT, syntax), Policy(legal_proposals_only=True))
    assert bool(reason) is refused
    assert not refused or "--no-illegal-proposal" in reason


def test_a_uid_that_is_too_long_is_not_proposed() -> None:
    assert "more than 64 characters" in refusal(("1." * 32 + "1", EXPLICIT), Policy())


@pytest.mark.parametrize(("keys", "sizes"), [(0, []), (1, [1]), (128, [128]), (129, [128, 1]), (300, [128, 128, 44])])
def test_at_most_128_contexts_with_odd_unique_ids(keys: int, sizes: list[int]) -> None:
    groups = pack([(f"1.2.{i}", EXPLICIT) for i in range(keys)])
    assert [len(group) for group in groups] == sizes
    for group in groups:
        assert [context.context_id for context in group] == list(range(1, 2 * len(group), 2))
    assert [c.abstract_syntax for group in groups for c in group] == [f"1.2.{i}" for i in range(keys)]


PROPOSED = (Context(1, CT, (EXPLICIT,)), Context(3, CT, (BASELINE,)), Context(5, MR, (EXPLICIT,)))


def test_routes_by_sop_class_and_syntax() -> None:
    routes = Routes(answered(PROPOSED, [(1, 0, EXPLICIT), (3, 4, ""), (5, 3, "")]))
    assert routes
    assert routes.find(CT, EXPLICIT) == 1
    assert routes.find(CT, BASELINE) == 0
    assert routes.find(MR, EXPLICIT) == 0
    assert routes.proposed(MR, EXPLICIT) == 5


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([(1, 1, "")], "user rejection"),
        ([(1, 2, "")], "without a reason"),
        ([(1, 3, "")], "does not support this SOP class"),
        ([(1, 4, "")], "does not support this transfer syntax"),
        ([(1, 77, "")], "with result 77"),
        ([], "leaves it out"),
        ([(1, 0, BASELINE)], "was not proposed"),
        ([(1, 0, "")], "was not proposed"),
        ([(9, 0, EXPLICIT)], "leaves it out"),
    ],
)
def test_why_not(results: list[tuple[int, int, str]], words: str) -> None:
    routes = Routes(answered(PROPOSED[:1], results))
    assert not routes
    assert routes.find(CT, EXPLICIT) == 0
    assert words in routes.why_not(CT, EXPLICIT)


def test_a_class_that_was_never_proposed_is_told_so() -> None:
    routes = Routes(answered(PROPOSED, [(1, 0, EXPLICIT)]))
    assert "no presentation context" in routes.why_not("1.2.3", EXPLICIT)


def test_our_own_results_are_no_results_of_the_standard() -> None:
    assert {NOT_ANSWERED, NOT_PROPOSED}.isdisjoint(range(256))
