"""What is proposed, how it is packed, and which context carries what (PS3.8 9.3.2.2, PS3.5 10)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, pairwise, permutations
from typing import Final

import pytest

from dcmsend.cli.names import OPTIONS
from dcmsend.events import Context
from dcmsend.model import Decompression, Policy
from dcmsend.plan import NOT_ANSWERED, NOT_PROPOSED, Key, Route, Routes, Wishes, answered, pack
from dcmsend.reasons import NONE, Reason, because
from dcmsend.uids import TRANSFER_SYNTAXES, Family

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
MR: Final = "1.2.840.10008.5.1.4.1.1.4"
LEI: Final = "1.2.840.10008.1.2"
LEE: Final = "1.2.840.10008.1.2.1"
BEE: Final = "1.2.840.10008.1.2.2"
UNCOMPRESSED_FRAMES: Final = "1.2.840.10008.1.2.1.98"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
BASELINE: Final = "1.2.840.10008.1.2.4.50"
LOSSLESS: Final = "1.2.840.10008.1.2.4.70"
JPIP: Final = "1.2.840.10008.1.2.4.94"
JPIP_DEFLATED: Final = "1.2.840.10008.1.2.4.95"
VIDEO: Final = "1.2.840.10008.1.2.4.102"
RLE: Final = "1.2.840.10008.1.2.5"
GE: Final = "1.2.840.113619.5.2"
PRIVATE: Final = "1.3.6.1.4.1.5962.1"

NEVER, ONLY_LOSSLESS, LOSSY = Decompression
NO_LIBRARY: Final = because("decoder_missing", install="pip install it")
NO_WAY: Final = because("no_conversion")
FORBIDDEN: Final = because("decompression_forbidden")
NOT_LOSSY: Final = because("lossy_decompression_forbidden")


def wishes(
    decompression: Decompression = ONLY_LOSSLESS, *, legal: bool = False, undecodable: Iterable[str] = ()
) -> Wishes:
    without = frozenset(undecodable)
    return Wishes(
        Policy(legal_proposals_only=legal), decompression, lambda syntax: NO_LIBRARY if syntax in without else NONE
    )


ANY: Final = wishes()
ALL: Final = tuple(TRANSFER_SYNTAXES)
BARE: Final = {mode: wishes(mode, undecodable=ALL) for mode in Decompression}  # no decoder at all


def proposed(syntaxes: Iterable[str], wished: Wishes) -> list[tuple[str, ...]]:
    """The transfer syntaxes of each context that one association has for instances of one class."""
    (group,) = pack([(CT, syntax) for syntax in syntaxes], wished)
    assert {context.abstract_syntax for context in group.contexts} == {CT}
    return [context.transfer_syntaxes for context in group.contexts]


# --- what may be converted


AGAINST: Final[list[tuple[str, tuple[Reason, Reason, Reason], Reason]]] = [
    # transfer syntax; what is against its conversion with -dn, +dls, +dly; and with +dly and no decoder
    (LEI, (NONE, NONE, NONE), NONE),
    (LEE, (NONE, NONE, NONE), NONE),
    (BEE, (NONE, NONE, NONE), NONE),
    (DEFLATED, (FORBIDDEN, NONE, NONE), NONE),
    (UNCOMPRESSED_FRAMES, (FORBIDDEN, NONE, NONE), NO_LIBRARY),
    (LOSSLESS, (FORBIDDEN, NONE, NONE), NO_LIBRARY),
    (RLE, (FORBIDDEN, NONE, NONE), NO_LIBRARY),
    (BASELINE, (FORBIDDEN, NOT_LOSSY, NONE), NO_LIBRARY),
    (VIDEO, (FORBIDDEN, NOT_LOSSY, NONE), NO_LIBRARY),
    (JPIP, (NO_WAY, NO_WAY, NO_WAY), NO_WAY),
    (JPIP_DEFLATED, (NO_WAY, NO_WAY, NO_WAY), NO_WAY),
    (GE, (NO_WAY, NO_WAY, NO_WAY), NO_WAY),
    (PRIVATE, (NO_WAY, NO_WAY, NO_WAY), NO_WAY),
]


@pytest.mark.parametrize(("syntax", "by_mode", "bare"), AGAINST)
def test_what_stands_against_a_conversion(syntax: str, by_mode: tuple[Reason, Reason, Reason], bare: Reason) -> None:
    assert tuple(wishes(mode).against(syntax) for mode in Decompression) == by_mode
    assert BARE[LOSSY].against(syntax) == bare


@pytest.mark.parametrize("mode", Decompression)
@pytest.mark.parametrize("syntax", ALL)
def test_every_family_has_its_rule(syntax: str, mode: Decompression) -> None:
    """With a decoder for everything: native data always, what refers to data elsewhere never, the rest as wished."""
    allowed = {
        Family.NATIVE: True,
        Family.REFERENCED: False,
        Family.LOSSY: mode is LOSSY,
        Family.LOSSLESS: mode is not NEVER,
        Family.DEFLATED: mode is not NEVER,
        Family.ENCAPSULATED_NATIVE: mode is not NEVER,
    }
    assert (not wishes(mode).against(syntax)) is allowed[TRANSFER_SYNTAXES[syntax].family]


def test_a_decoder_is_asked_for_only_where_it_decides() -> None:
    asked: list[str] = []

    def no_decoder(syntax: str) -> Reason:
        asked.append(syntax)
        return NONE

    for syntax in (LEE, DEFLATED, BASELINE, JPIP, PRIVATE, RLE):
        Wishes(Policy(), ONLY_LOSSLESS, no_decoder).against(syntax)
    assert asked == [RLE]


# --- what may be proposed


@pytest.mark.parametrize("mode", Decompression)
@pytest.mark.parametrize("syntax", [*ALL, PRIVATE])
def test_everything_may_be_proposed_as_it_is(syntax: str, mode: Decompression) -> None:
    assert not BARE[mode].refusal((CT, syntax))


REFUSED: Final[list[tuple[str, Wishes, Reason]]] = [
    (DEFLATED, wishes(NEVER, legal=True), FORBIDDEN),
    (UNCOMPRESSED_FRAMES, wishes(NEVER, legal=True), FORBIDDEN),
    (LOSSLESS, wishes(NEVER, legal=True), FORBIDDEN),
    (LOSSLESS, wishes(legal=True, undecodable=[LOSSLESS]), NO_LIBRARY),
    (LOSSLESS, wishes(LOSSY, legal=True, undecodable=[LOSSLESS]), NO_LIBRARY),
    (UNCOMPRESSED_FRAMES, wishes(legal=True, undecodable=[UNCOMPRESSED_FRAMES]), NO_LIBRARY),
    (RLE, wishes(legal=True, undecodable=ALL), NO_LIBRARY),
]


@pytest.mark.parametrize(("syntax", "wished", "reason"), REFUSED)
def test_no_illegal_proposal_says_what_and_why(syntax: str, wished: Wishes, reason: Reason) -> None:
    found = wished.refusal((CT, syntax))
    assert str(found) == (
        f"{TRANSFER_SYNTAXES[syntax].name} alone is no legal proposal, "
        f"and it is not converted to Little Endian Implicit: {reason}"
    )
    assert (found.inner, found.hint(OPTIONS).endswith("leave out --no-illegal-proposal.")) == (reason, True)


ALWAYS_LEGAL: Final = (LEI, LEE, BEE, GE, BASELINE, VIDEO, JPIP, JPIP_DEFLATED, PRIVATE)


@pytest.mark.parametrize("mode", Decompression)
@pytest.mark.parametrize("syntax", ALWAYS_LEGAL)
def test_with_no_illegal_proposal_lossy_data_may_stand_alone(syntax: str, mode: Decompression) -> None:
    """PS3.5 10.1; native data is never alone, and of what is private or elsewhere the standard demands nothing."""
    assert not wishes(mode, legal=True, undecodable=ALL).refusal((CT, syntax))
    assert not wishes(mode, legal=True).refusal((CT, syntax))


@pytest.mark.parametrize("syntax", ALL)
def test_with_no_illegal_proposal_what_is_not_refused_has_the_default_syntax_or_may_do_without(syntax: str) -> None:
    for mode in Decompression:
        for wished in (wishes(mode, legal=True), wishes(mode, legal=True, undecodable=ALL)):
            if not wished.refusal((CT, syntax)):
                default = LEI in chain.from_iterable(proposed([syntax], wished))
                assert default or TRANSFER_SYNTAXES[syntax].family in (Family.LOSSY, Family.REFERENCED)


@pytest.mark.parametrize("key", [("1." * 32 + "1", LEE), (CT, "1." * 32 + "1")])
def test_a_uid_that_is_too_long_is_not_proposed(key: Key) -> None:
    assert str(ANY.refusal(key)) == "a UID of more than 64 characters cannot be proposed"
    assert not ANY.refusal(("1." * 31 + "11", LEE))


OWN: Final[list[tuple[tuple[str, ...], Wishes, list[tuple[str, ...]]]]] = [
    # own syntaxes of one class, wishes, the contexts
    ((LEE,), ANY, [(LEE,), (LEI,)]),
    ((LEI,), ANY, [(LEI,), (LEE,)]),
    ((BEE,), ANY, [(BEE,), (LEE, LEI)]),
    ((GE,), wishes(LOSSY), [(GE,)]),
    ((LEE,), wishes(NEVER), [(LEE,), (LEI,)]),
    ((BEE,), wishes(NEVER, undecodable=ALL), [(BEE,), (LEE, LEI)]),
    ((LEE, LEI), ANY, [(LEE,), (LEI,)]),
    ((LEI, LEE), ANY, [(LEI,), (LEE,)]),
    ((LEE, BEE), ANY, [(LEE,), (BEE,), (LEI,)]),
    ((BEE, LEI, LEE), ANY, [(BEE,), (LEI,), (LEE,)]),
    ((DEFLATED,), ANY, [(DEFLATED,), (LEE, LEI)]),
    ((DEFLATED,), BARE[ONLY_LOSSLESS], [(DEFLATED,), (LEE, LEI)]),
    ((DEFLATED,), wishes(NEVER), [(DEFLATED,)]),
    ((UNCOMPRESSED_FRAMES,), ANY, [(UNCOMPRESSED_FRAMES,), (LEE, LEI)]),
    ((UNCOMPRESSED_FRAMES,), wishes(NEVER), [(UNCOMPRESSED_FRAMES,)]),
    ((LOSSLESS,), ANY, [(LOSSLESS,), (LEE, LEI)]),
    ((LOSSLESS,), wishes(LOSSY), [(LOSSLESS,), (LEE, LEI)]),
    ((LOSSLESS,), wishes(NEVER), [(LOSSLESS,)]),
    ((LOSSLESS,), BARE[LOSSY], [(LOSSLESS,)]),
    ((BASELINE,), ANY, [(BASELINE,)]),
    ((BASELINE,), wishes(NEVER), [(BASELINE,)]),
    ((BASELINE,), wishes(LOSSY), [(BASELINE,), (LEE, LEI)]),
    ((BASELINE,), BARE[LOSSY], [(BASELINE,)]),
    ((JPIP,), wishes(LOSSY), [(JPIP,)]),
    ((PRIVATE,), wishes(LOSSY), [(PRIVATE,)]),
    ((LOSSLESS, RLE), ANY, [(LOSSLESS,), (RLE,), (LEE, LEI)]),
    ((LOSSLESS, LEE), ANY, [(LOSSLESS,), (LEE,), (LEI,)]),
    ((LOSSLESS, LEE), wishes(NEVER), [(LOSSLESS,), (LEE,), (LEI,)]),
    ((LOSSLESS, LEE, LEI), ANY, [(LOSSLESS,), (LEE,), (LEI,)]),
    ((BASELINE, LOSSLESS), ANY, [(BASELINE,), (LOSSLESS,), (LEE, LEI)]),
    ((BASELINE, JPIP, PRIVATE), ANY, [(BASELINE,), (JPIP,), (PRIVATE,)]),
    ((BASELINE, LEI), ANY, [(BASELINE,), (LEI,), (LEE,)]),
]


@pytest.mark.parametrize(("own", "wished", "contexts"), OWN)
def test_what_is_proposed(own: tuple[str, ...], wished: Wishes, contexts: list[tuple[str, ...]]) -> None:
    assert proposed(own, wished) == contexts


def test_each_class_has_contexts_of_its_own_in_the_order_of_the_input() -> None:
    (group,) = pack([(MR, LEE), (CT, LOSSLESS), (MR, BASELINE), (CT, LEE)], ANY)
    assert group.members == (0, 1, 2, 3)
    assert group.contexts == (
        Context(1, MR, (LEE,)),
        Context(3, MR, (BASELINE,)),
        Context(5, MR, (LEI,)),
        Context(7, CT, (LOSSLESS,)),
        Context(9, CT, (LEE,)),
        Context(11, CT, (LEI,)),
    )


def test_no_transfer_syntax_is_proposed_twice_for_a_class() -> None:
    for own in permutations((LEE, LEI, BEE, LOSSLESS, BASELINE), 3):
        syntaxes = list(chain.from_iterable(proposed(own, ANY)))
        assert len(syntaxes) == len(set(syntaxes))


# --- packing

ONE: Final = (BASELINE,)  # the own syntaxes of a class that needs one context, or two, or three
TWO: Final = (LEE,)
THREE: Final = (LOSSLESS, LEE)


def classes(count: int, syntaxes: Iterable[str], start: int = 0) -> list[Key]:
    return [(f"1.2.{number}", syntax) for number in range(start, start + count) for syntax in syntaxes]


@pytest.mark.parametrize(
    ("keys", "sizes", "members"),
    [
        ([], [], []),
        (classes(1, ONE), [1], [1]),
        (classes(128, ONE), [128], [128]),
        (classes(129, ONE), [128, 1], [128, 1]),
        (classes(300, ONE), [128, 128, 44], [128, 128, 44]),
        (classes(64, TWO), [128], [64]),
        (classes(65, TWO), [128, 2], [64, 1]),
        (classes(130, TWO), [128, 128, 4], [64, 64, 2]),
        (classes(42, THREE), [126], [84]),
        # The last class's compressed syntax still has room, its uncompressed one goes over the next association.
        (classes(43, THREE), [128, 2], [85, 1]),
        (classes(63, TWO) + classes(2, ONE, 63), [128], [65]),
        (classes(63, TWO) + classes(3, ONE, 63), [128, 1], [65, 1]),
        (classes(127, ONE) + classes(1, TWO, 127), [127, 2], [127, 1]),
    ],
)
def test_at_most_128_contexts_with_odd_unique_ids(keys: list[Key], sizes: list[int], members: list[int]) -> None:
    groups = pack(keys, ANY)
    assert [len(group.contexts) for group in groups] == sizes
    assert [len(group.members) for group in groups] == members
    assert list(chain.from_iterable(group.members for group in groups)) == list(range(len(keys)))
    for group in groups:
        assert [context.context_id for context in group.contexts] == list(range(1, 2 * len(group.contexts), 2))
        offered = {(context.abstract_syntax, context.transfer_syntaxes) for context in group.contexts}
        assert {(keys[index][0], (keys[index][1],)) for index in group.members} <= offered


def test_a_context_that_is_there_takes_more_instances_without_further_room() -> None:
    """The second syntax of a class joins its uncompressed ones: (LEE), (LEI) already do for both."""
    keys = [*classes(64, TWO), ("1.2.0", LEI), ("1.2.63", LEI)]
    (group,) = pack(keys, ANY)
    assert len(group.contexts) == 128
    assert group.members == tuple(range(66))


def test_packing_with_less_room() -> None:
    groups = pack([(CT, LEE), (MR, LEE), (MR, BASELINE)], ANY, limit=4)
    assert [group.members for group in groups] == [(0, 1), (2,)]
    assert [context.context_id for group in groups for context in group.contexts] == [1, 3, 5, 7, 1]
    assert all(earlier.members < later.members for earlier, later in pairwise(groups))


# --- answers and routes


def routes(own: Iterable[str], accepted: Iterable[str], wished: Wishes = ANY, sop_class: str = CT) -> Routes:
    """What an association has for a class, where the peer accepts the first of each context that it likes."""
    (group,) = pack([(sop_class, syntax) for syntax in own], wished)
    liked = list(accepted)
    results = []
    for context in group.contexts:
        found = next((syntax for syntax in context.transfer_syntaxes if syntax in liked), "")
        results.append((context.context_id, 0 if found else 4, found))
    return Routes(answered(group.contexts, results), wished)


PREFERENCES: Final[list[tuple[str, tuple[str, ...], tuple[str, ...], Wishes, Route | None]]] = [
    # the instance's syntax, all own syntaxes of the class, what the peer accepts, wishes, the way
    (LEE, (LEE,), (LEE, LEI), ANY, Route(1, LEE)),
    (LEE, (LEE,), (LEI,), ANY, Route(3, LEI)),
    (LEE, (LEE,), (LEI,), wishes(NEVER), Route(3, LEI)),
    (LEE, (LEE,), (), ANY, None),
    (LEI, (LEI,), (LEE,), ANY, Route(3, LEE)),
    (BEE, (BEE,), (BEE, LEE, LEI), ANY, Route(1, BEE)),
    (BEE, (BEE,), (LEE, LEI), ANY, Route(3, LEE)),
    (BEE, (BEE,), (LEI,), ANY, Route(3, LEI)),
    (LOSSLESS, (LOSSLESS,), (LOSSLESS, LEE), ANY, Route(1, LOSSLESS)),
    (LOSSLESS, (LOSSLESS,), (LEE,), ANY, Route(3, LEE)),
    (LOSSLESS, (LOSSLESS,), (LEI,), ANY, Route(3, LEI)),
    (LOSSLESS, (LOSSLESS, LEE), (LEE, LEI), wishes(NEVER), None),
    (LOSSLESS, (LOSSLESS, LEE), (LEE, LEI), BARE[LOSSY], None),
    (BASELINE, (BASELINE, LEE), (LEE, LEI), ANY, None),
    (BASELINE, (BASELINE, LEE), (LEE, LEI), wishes(LOSSY), Route(3, LEE)),
    (BASELINE, (BASELINE,), (BASELINE,), wishes(NEVER), Route(1, BASELINE)),
    (JPIP, (JPIP, LEE), (LEE, LEI), wishes(LOSSY), None),
    (PRIVATE, (PRIVATE, LEE), (LEE, LEI), wishes(LOSSY), None),
    (PRIVATE, (PRIVATE, LEE), (PRIVATE, LEE), ANY, Route(1, PRIVATE)),
    # What was accepted for other instances of the class does as well: LEE, LEI, deflated, BEE, in this order.
    (LOSSLESS, (BEE, LEI, LOSSLESS, LEE, DEFLATED), (BEE, LEI, LEE, DEFLATED), ANY, Route(7, LEE)),
    (LOSSLESS, (BEE, LEI, LOSSLESS, LEE, DEFLATED), (BEE, LEI, DEFLATED), ANY, Route(3, LEI)),
    (LOSSLESS, (BEE, LEI, LOSSLESS, LEE, DEFLATED), (BEE, DEFLATED), ANY, Route(9, DEFLATED)),
    (LOSSLESS, (BEE, LEI, LOSSLESS, LEE, DEFLATED), (BEE,), ANY, Route(1, BEE)),
    (LEE, (BEE, LEE), (BEE,), ANY, Route(1, BEE)),
    (DEFLATED, (DEFLATED, BEE), (BEE,), ANY, Route(3, BEE)),
    (LEE, (LEE, LOSSLESS), (LOSSLESS,), ANY, None),
    (LOSSLESS, (LOSSLESS, RLE), (RLE,), ANY, None),
]


@pytest.mark.parametrize(("syntax", "own", "accepted", "wished", "way"), PREFERENCES)
def test_the_best_way(
    syntax: str, own: tuple[str, ...], accepted: tuple[str, ...], wished: Wishes, way: Route | None
) -> None:
    assert routes(own, accepted, wished).find(CT, syntax) == way


def test_routes_keep_to_the_class() -> None:
    found = routes([LEE], [LEE, LEI])
    assert found
    assert found.find(MR, LEE) is None
    assert (found.carrier(CT, LEE), found.carrier(CT, LEI), found.carrier(CT, BEE), found.carrier(MR, LEE)) == (
        1,
        3,
        0,
        0,
    )


def test_where_an_instance_was_proposed_is_known_of_refused_contexts_too() -> None:
    found = routes([LOSSLESS, LEE], [])
    assert not found
    assert [found.proposed(CT, syntax) for syntax in (LOSSLESS, LEE, LEI, BEE)] == [1, 3, 5, 0]
    assert found.proposed(MR, LEE) == 0


@pytest.mark.parametrize(
    ("answer", "accepted", "result"),
    [
        ([(1, 0, LEI)], LEI, 0),
        ([(1, 0, LEE)], LEE, 0),
        ([(1, 0, BEE)], "", NOT_PROPOSED),
        ([(1, 0, "")], "", NOT_PROPOSED),
        ([(1, 4, LEE)], "", 4),
        ([(1, 77, "")], "", 77),
        ([(9, 0, LEE)], "", NOT_ANSWERED),
        ([(9, 0, LEE), (1, 0, LEI)], LEI, 0),
        ([], "", NOT_ANSWERED),
    ],
)
def test_answers_are_matched_by_id(answer: list[tuple[int, int, str]], accepted: str, result: int) -> None:
    proposal = Context(1, CT, (LEE, LEI))
    assert answered([proposal], answer) == (Context(1, CT, (LEE, LEI), accepted=accepted, result=result),)


# --- reasons

RESULTS: Final[list[tuple[list[tuple[int, int, str]], str]]] = [
    ([(1, 1, "")], "the peer refused it (user rejection)"),
    ([(1, 2, "")], "the peer refused it without a reason"),
    ([(1, 4, "")], "the peer does not support this transfer syntax for it"),
    ([(1, 77, "")], "the peer refused it with result 77"),
    ([], "the peer's answer leaves it out"),
    ([(1, 0, BASELINE)], "the peer chose a transfer syntax that was not proposed"),
    ([(9, 0, RLE)], "the peer's answer leaves it out"),
]


@pytest.mark.parametrize(("results", "words"), RESULTS)
def test_why_not_as_it_is(results: list[tuple[int, int, str]], words: str) -> None:
    """Every result of PS3.8 Table 9-18 but 3, and our own, followed by what is the matter with a conversion."""
    (group,) = pack([(CT, RLE)], ANY)
    start = f"no acceptable presentation context for RLE Lossless: {words}"
    assert str(Routes(answered(group.contexts, results), ANY).why_not(CT, RLE)) == f"{start}{NEITHER}"
    for wished, reason in ((wishes(NEVER), FORBIDDEN), (BARE[LOSSY], NO_LIBRARY)):
        (group,) = pack([(CT, RLE)], wished)
        found = Routes(answered(group.contexts, results), wished)
        assert not found
        assert str(found.why_not(CT, RLE)) == f"{start}, and it is not converted: {reason}"


NEITHER: Final = ", and it accepted no uncompressed one either"


@pytest.mark.parametrize(
    ("syntax", "wished", "end"),
    [
        (LEE, ANY, NEITHER),
        (BEE, wishes(NEVER), NEITHER),
        (DEFLATED, ANY, NEITHER),
        (DEFLATED, wishes(NEVER), f", and it is not converted: {FORBIDDEN}"),
        (BASELINE, wishes(NEVER), f", and it is not converted: {FORBIDDEN}"),
        (BASELINE, ANY, f", and it is not converted: {NOT_LOSSY}"),
        (BASELINE, BARE[LOSSY], f", and it is not converted: {NO_LIBRARY}"),
        (BASELINE, wishes(LOSSY), NEITHER),
        (JPIP, wishes(LOSSY), f", and it is not converted: {NO_WAY}"),
        (PRIVATE, wishes(LOSSY), f", and it is not converted: {NO_WAY}"),
    ],
)
def test_why_not_converted(syntax: str, wished: Wishes, end: str) -> None:
    reason = str(routes([syntax], [], wished).why_not(CT, syntax))
    assert reason.endswith(f": the peer does not support this transfer syntax for it{end}")


@pytest.mark.parametrize("wished", [ANY, wishes(NEVER), BARE[LOSSY]])
def test_of_a_class_that_the_peer_does_not_take_nothing_more_is_told(wished: Wishes) -> None:
    (group,) = pack([(CT, RLE)], wished)
    results = [(context.context_id, 3, "") for context in group.contexts]
    found = Routes(answered(group.contexts, results), wished)
    assert str(found.why_not(CT, RLE)) == (
        "no acceptable presentation context for RLE Lossless: the peer does not support this SOP class"
    )


@pytest.mark.parametrize("key", [("1.2.3", LEE), (CT, BEE)])
def test_what_was_never_proposed_is_told_so(key: Key) -> None:
    name = TRANSFER_SYNTAXES[key[1]].name
    reason = f"no presentation context with SOP class {key[0]} and {name} was proposed"
    assert str(routes([LEE], [LEE]).why_not(*key)) == reason


def test_our_own_results_are_no_results_of_the_standard() -> None:
    assert {NOT_ANSWERED, NOT_PROPOSED}.isdisjoint(range(256))
