"""What to propose, how it fits into associations, and which accepted context carries an instance. Pure decisions.

Clauses: PS3.8 9.3.2.2 (presentation contexts), PS3.5 10 (which transfer syntaxes must be offered). Each pair of SOP
class and transfer syntax is proposed in a context of its own, with that syntax alone: a peer that accepts it accepts
the file as it is, and no choice of the peer leads to a conversion that nobody needs. Where an instance could be
converted, one more context of its SOP class has the uncompressed syntaxes that are not proposed anyway.
"""

from __future__ import annotations

from dcmsend.events import Context
from dcmsend.light import NamedTuple
from dcmsend.model import MAX_CONTEXTS, Decompression, Policy
from dcmsend.reasons import NONE, Reason, because
from dcmsend.uids import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    MAX_UID_LENGTH,
    TRANSFER_SYNTAXES,
    Family,
    transfer_syntax_label,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Final

Key = tuple[str, str]  # SOP class UID, transfer syntax UID: instances with the same two share a context
Proposal = tuple[str, tuple[str, ...]]  # abstract syntax and transfer syntaxes of a context

# What conversion is proposed to; and all that an accepted context may have been proposed for by other instances.
_OFFERED: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
_NATIVE: Final = frozenset(uid for uid, syntax in TRANSFER_SYNTAXES.items() if syntax.family is Family.NATIVE)
_TARGETS: Final = (*_OFFERED, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)

_NEVER: Final = because("decompression_forbidden")
_NOT_LOSSY: Final = because("lossy_decompression_forbidden")
_NO_WAY: Final = because("no_conversion")

# Family -> what stands against its conversion under each mode of decompression; all but native ones need a decoder.
_AGAINST: Final[dict[Family, dict[Decompression, Reason]]] = {
    Family.NATIVE: {},
    Family.DEFLATED: {Decompression.NEVER: _NEVER},
    Family.LOSSLESS: {Decompression.NEVER: _NEVER},
    Family.ENCAPSULATED_NATIVE: {Decompression.NEVER: _NEVER},
    Family.LOSSY: {Decompression.NEVER: _NEVER, Decompression.LOSSLESS: _NOT_LOSSY},
    Family.REFERENCED: dict.fromkeys(Decompression, _NO_WAY),
}
_NEEDS_DECODER: Final = frozenset((Family.LOSSLESS, Family.LOSSY, Family.ENCAPSULATED_NATIVE))
# What may be proposed without the default transfer syntax: lossy data (PS3.5 10.1), and what has no pixel data.
_LEGAL_ALONE: Final = frozenset((Family.LOSSY, Family.REFERENCED))

# Result/Reason of PS3.8 Table 9-18, and two of our own.
NOT_ANSWERED: Final = -1
NOT_PROPOSED: Final = -2
_RESULTS: Final[dict[int, str]] = {
    1: "context_refused_by_user",
    2: "context_refused_without_reason",
    3: "sop_class_not_supported",
    4: "transfer_syntax_not_supported",
    NOT_ANSWERED: "context_not_answered",
    NOT_PROPOSED: "context_not_as_proposed",
}
_UNKNOWN_CLASS: Final = 3


class Wishes(NamedTuple):
    """What may be proposed and converted. ``no_decoder``: why a transfer syntax cannot be decoded here, or nothing."""

    policy: Policy
    decompression: Decompression
    no_decoder: Callable[[str], Reason]

    def against(self, syntax: str) -> Reason:
        """Why data in a transfer syntax is not converted to an uncompressed one; empty where it may be."""
        known = TRANSFER_SYNTAXES.get(syntax)
        if known is None:
            return _NO_WAY
        reason = _AGAINST[known.family].get(self.decompression, NONE)
        return reason or (self.no_decoder(syntax) if known.family in _NEEDS_DECODER else NONE)

    def refusal(self, key: Key) -> Reason:
        """Why nothing may be proposed for a pair of SOP class and transfer syntax; empty where something may."""
        sop_class, syntax = key
        if max(len(sop_class), len(syntax)) > MAX_UID_LENGTH:
            return because("uid_too_long_to_propose", most=MAX_UID_LENGTH)
        known = TRANSFER_SYNTAXES.get(syntax)
        if self.policy.legal_proposals_only and known is not None and known.family not in _LEGAL_ALONE:
            reason = self.against(syntax)
            if reason:
                return because("no_legal_proposal", reason, syntax=known.name)
        return NONE


class Group(NamedTuple):
    """What goes over one association: its contexts, and the indexes of the keys that they are for."""

    contexts: tuple[Context, ...]
    members: tuple[int, ...]


def pack(keys: Sequence[Key], wishes: Wishes, *, limit: int = MAX_CONTEXTS, dense: bool = False) -> list[Group]:
    """Contexts for each association, with odd IDs from 1 (PS3.8 9.3.2.2), in the order of the keys.

    ``dense``: all that is not compressed shares one context for each SOP class, so that the peer chooses among it.
    """
    proposals_for = _dense_proposals if dense else _separate_proposals
    groups: list[Group] = []
    members: list[int] = []
    for index in range(len(keys) + 1):
        if index < len(keys) and sum(1 for _ in proposals_for([keys[i] for i in (*members, index)], wishes)) <= limit:
            members.append(index)
        elif members:
            proposals = proposals_for([keys[i] for i in members], wishes)
            contexts = (Context(2 * i + 1, *proposal) for i, proposal in enumerate(proposals))
            groups.append(Group(tuple(contexts), tuple(members)))
            members = [index]
    return groups


class Planned(NamedTuple):
    """The next association, and the numbers (from 1) of the keys that it is for.

    ``needed``: how many contexts all that was wanted takes, where there may be no other association for the rest.
    """

    group: Group
    members: list[int]
    needed: int = 0


def next_association(keys: Sequence[Key], wanted: Sequence[int], wishes: Wishes) -> Planned:
    """The association for the first of the keys whose numbers are ``wanted``; what it has no room for is left."""
    multiple = wishes.policy.multiple_associations
    if multiple:
        wanted = wanted[: MAX_CONTEXTS + 1]  # each takes one at least, and one association is planned at a time
    chosen = [keys[number - 1] for number in wanted]
    groups = pack(chosen, wishes)
    if not multiple and len(groups) > 1:
        groups = pack(chosen, wishes, dense=True)
    group = groups[0]
    needed = 0 if multiple or len(groups) == 1 else sum(len(group.contexts) for group in groups)
    return Planned(group, [wanted[index] for index in group.members], needed)


def _by_class(keys: Iterable[Key]) -> dict[str, list[str]]:
    own: dict[str, list[str]] = {}
    for sop_class, syntax in keys:
        own.setdefault(sop_class, []).append(syntax)
    return own


def _dense_proposals(keys: Iterable[Key], wishes: Wishes) -> Iterator[Proposal]:
    """For each SOP class one context for each compressed syntax, and one for all others, its own ones first."""
    for sop_class, syntaxes in _by_class(keys).items():
        native = [syntax for syntax in syntaxes if syntax in _NATIVE]
        yield from ((sop_class, (syntax,)) for syntax in syntaxes if syntax not in native)
        if not all(wishes.against(syntax) for syntax in syntaxes):
            yield sop_class, tuple(dict.fromkeys((*native, *_OFFERED)))


def _separate_proposals(keys: Iterable[Key], wishes: Wishes) -> Iterator[Proposal]:
    """For each SOP class a context for each of its own syntaxes, and one for the uncompressed ones that are left."""
    for sop_class, syntaxes in _by_class(keys).items():
        yield from ((sop_class, (syntax,)) for syntax in syntaxes)
        offered = tuple(syntax for syntax in _OFFERED if syntax not in syntaxes)
        if offered and not all(wishes.against(syntax) for syntax in syntaxes):
            yield sop_class, offered


def answered(proposed: Iterable[Context], results: Iterable[tuple[int, int, str]]) -> tuple[Context, ...]:
    """The proposed contexts with the peer's results: triples of context ID, result and chosen transfer syntax.

    An answer to a context that was not proposed is passed over; one with a foreign transfer syntax counts as refused.
    """
    by_id = {context_id: (result, syntax) for context_id, result, syntax in results}
    answers = []
    for context in proposed:
        result, syntax = by_id.get(context.context_id, (NOT_ANSWERED, ""))
        if result == 0 and syntax not in context.transfer_syntaxes:
            result = NOT_PROPOSED
        answers.append(
            Context(
                context.context_id,
                context.abstract_syntax,
                context.transfer_syntaxes,
                accepted=syntax if result == 0 else "",
                result=result,
            )
        )
    return tuple(answers)


class Route(NamedTuple):
    """An accepted context, and the transfer syntax in which an instance goes over it."""

    context_id: int
    transfer_syntax: str


class Routes:
    """Which accepted context carries what, on one association."""

    def __init__(self, contexts: Iterable[Context], wishes: Wishes) -> None:
        self._contexts = tuple(contexts)
        self._wishes = wishes
        self._accepted = {(c.abstract_syntax, c.accepted): c.context_id for c in self._contexts if c.accepted}
        self._ways: dict[Key, Route | None] = {}

    def __bool__(self) -> bool:
        """Whether anything at all was accepted."""
        return bool(self._accepted)

    def find(self, sop_class: str, syntax: str) -> Route | None:
        """The best way for an instance: unchanged where possible, else converted, where that may be."""
        key = (sop_class, syntax)
        if key not in self._ways:
            self._ways[key] = self._search(sop_class, syntax)
        return self._ways[key]

    def _search(self, sop_class: str, syntax: str) -> Route | None:
        targets = (syntax,) if self._wishes.against(syntax) else (syntax, *_TARGETS)
        found = ((self.carrier(sop_class, target), target) for target in targets)
        return next((Route(context_id, target) for context_id, target in found if context_id), None)

    def carrier(self, sop_class: str, syntax: str) -> int:
        """ID of the accepted context for a SOP class in this very transfer syntax; 0 where there is none."""
        return self._accepted.get((sop_class, syntax), 0)

    def proposed(self, sop_class: str, syntax: str) -> int:
        """ID of the context in which the pair was proposed, accepted or not; 0 where it was in none."""
        return next((c.context_id for c in self._contexts_of(sop_class) if syntax in c.transfer_syntaxes), 0)

    def why_not(self, sop_class: str, syntax: str) -> Reason:
        """Why there is no way."""
        name = transfer_syntax_label(syntax)
        context = next((c for c in self._contexts_of(sop_class) if syntax in c.transfer_syntaxes), None)
        if context is None:
            return because("context_not_proposed", sop_class=sop_class, syntax=name)
        result = context.result or 0
        if result == _UNKNOWN_CLASS:
            return because(_RESULTS[result], syntax=name)
        against = self._wishes.against(syntax)
        other = because("not_converted", against) if against else because("nothing_uncompressed_accepted")
        return because(_RESULTS.get(result, "context_refused"), other, syntax=name, result=result)

    def _contexts_of(self, sop_class: str) -> Iterator[Context]:
        return (context for context in self._contexts if context.abstract_syntax == sop_class)
