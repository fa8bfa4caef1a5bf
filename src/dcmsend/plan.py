"""What to propose, how it fits into associations, and which accepted context carries an instance. Pure decisions.

Clauses: PS3.8 9.3.2.2 (presentation contexts), PS3.5 10 (which transfer syntaxes must be offered). Nothing is converted
yet, so each pair of SOP class and transfer syntax is proposed in a context of its own, with that syntax alone: a peer
that accepts it accepts the file as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dcmsend.events import Context
from dcmsend.model import MAX_CONTEXTS, Policy
from dcmsend.uids import MAX_UID_LENGTH, TRANSFER_SYNTAXES, Family, transfer_syntax_label

Key = tuple[str, str]  # SOP class UID, transfer syntax UID: instances with the same two share a context

# Whether a context without the default transfer syntax (implicit VR little endian) may be proposed under -nip.
# PS3.5 10.1 waives it for lossy data; native data could be sent in the default syntax, so it is never refused.
_LEGAL_ALONE: Final[dict[Family, bool]] = {
    Family.NATIVE: True,
    Family.LOSSY: True,
    Family.REFERENCED: True,
    Family.DEFLATED: False,
    Family.LOSSLESS: False,
    Family.ENCAPSULATED_NATIVE: False,
}

# Result/Reason of PS3.8 Table 9-18, and two of our own.
NOT_ANSWERED: Final = -1
NOT_PROPOSED: Final = -2
_RESULTS: Final[dict[int, str]] = {
    1: "the peer refused it (user rejection)",
    2: "the peer refused it without a reason",
    3: "the peer does not support this SOP class",
    4: "the peer does not support this transfer syntax for it, and this version sends files unconverted",
    NOT_ANSWERED: "the peer's answer leaves it out",
    NOT_PROPOSED: "the peer chose a transfer syntax that was not proposed",
}


def refusal(key: Key, policy: Policy) -> str:
    """Why nothing may be proposed for a pair of SOP class and transfer syntax; empty where something may."""
    sop_class, syntax = key
    if max(len(sop_class), len(syntax)) > MAX_UID_LENGTH:
        return f"a UID of more than {MAX_UID_LENGTH} characters cannot be proposed"
    known = TRANSFER_SYNTAXES.get(syntax)
    if policy.legal_proposals_only and known is not None and not _LEGAL_ALONE[known.family]:
        return (
            f"{known.name} alone is no legal proposal (--no-illegal-proposal), "
            "and this version cannot convert it to Little Endian Implicit"
        )
    return ""


def pack(keys: Sequence[Key], *, limit: int = MAX_CONTEXTS) -> list[tuple[Context, ...]]:
    """Contexts for each association, in the order of the keys, with odd IDs from 1 (PS3.8 9.3.2.2)."""
    groups = [keys[start : start + limit] for start in range(0, len(keys), limit)]
    return [
        tuple(Context(2 * i + 1, sop_class, (syntax,)) for i, (sop_class, syntax) in enumerate(group))
        for group in groups
    ]


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


class Routes:
    """Which accepted context carries what, on one association."""

    def __init__(self, contexts: Iterable[Context]) -> None:
        self._contexts = tuple(contexts)
        self._accepted = {(c.abstract_syntax, c.accepted): c.context_id for c in self._contexts if c.accepted}

    def __bool__(self) -> bool:
        """Whether anything at all was accepted."""
        return bool(self._accepted)

    def find(self, sop_class: str, syntax: str) -> int:
        """ID of an accepted context that carries the instance unchanged; 0 where there is none."""
        return self._accepted.get((sop_class, syntax), 0)

    def proposed(self, sop_class: str, syntax: str) -> int:
        """ID of the context in which the pair was proposed, accepted or not; 0 where it was in none."""
        pairs = ((c.context_id, c) for c in self._contexts if c.abstract_syntax == sop_class)
        return next((context_id for context_id, c in pairs if syntax in c.transfer_syntaxes), 0)

    def why_not(self, sop_class: str, syntax: str) -> str:
        """One line for the user on why there is no such context."""
        name = transfer_syntax_label(syntax)
        for context in self._contexts:
            if context.abstract_syntax == sop_class and syntax in context.transfer_syntaxes:
                words = _RESULTS.get(context.result or 0, f"the peer refused it with result {context.result}")
                return f"no acceptable presentation context for {name}: {words}"
        return f"no presentation context with SOP class {sop_class} and {name} was proposed"
