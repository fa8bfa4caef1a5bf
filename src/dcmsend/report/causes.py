"""Why instances were not stored: their failures in groups of one reason each, with what can be done about it.

Pure: rows in, groups out. Owns what counts as the same reason; must not know who shows them. Memory does not grow with
the number of rows: there are at most ``MOST_GROUPS`` groups, and one for all that came too late for one of its own.
"""

from __future__ import annotations

import re

from dcmsend.light import Frozen, replace
from dcmsend.printable import plain
from dcmsend.reasons import because
from dcmsend.reasons.row import Kind
from dcmsend.reasons.table import VARIES, group
from dcmsend.uids import sop_class_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Final, TypeAlias

    from dcmsend.model import Instance, Outcome, Refusal
    from dcmsend.reasons import Reason

    Row: TypeAlias = tuple[Instance, Outcome]
    Key: TypeAlias = tuple["Kind", str, str]  # kind, SOP class if it matters, words

MOST_GROUPS: Final = 40
MOST_EXAMPLES: Final = 3  # paths of a group
MOST_TOLD: Final = 10  # groups in the lines of the log
MAX_EXAMPLE: Final = 4096  # characters of such a path
MAX_TEXT: Final = 512  # characters of a reason
_TOLD_EXAMPLES: Final = 2
_TOLD_PATH: Final = 200  # characters of a path in a line with other words

_OTHERS: Final = (Kind.OTHERS, "", "other reasons")
_OTHERS_HINT: Final = "The reports have the reason of each."


class Cause(Frozen, kw_only=True):
    """A group of instances that were not stored for the same reason.

    ``code``: that of the reason; empty where there are several. ``reason``: one line, with ``...`` in the place of what
    is another in each; where all have the same facts, these. ``examples``: paths, as they are, of the first
    few, at most ``MAX_EXAMPLE`` characters of each. ``hint``: one or two sentences for the user.
    """

    kind: Kind
    code: str
    reason: str
    count: int
    examples: tuple[str, ...]
    hint: str


class Causes:
    """Sorts instances that were not stored into groups; ``groups`` are those, the largest first.

    ``names``: what settings are called in the hints; without, as in the library.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = names
        self._places: dict[Key, int] = {}
        self._counts: list[int] = []
        self._first: list[Reason] = []
        self._same: list[bool] = []  # whether all have the facts of the first
        self._examples: list[list[str]] = []

    def __repr__(self) -> str:
        return f"<Causes: {sum(self._counts)} instances in {len(self._counts)} groups>"

    def add(self, instance: Instance, outcome: Outcome) -> None:
        """Count an instance, which was not stored."""
        self._count(self.key(instance, outcome), outcome.why, instance.path)

    def add_all(self, rows: Iterable[Row]) -> None:
        """Count those of the rows that were not stored."""
        for instance, outcome in rows:
            if not outcome.stored:
                self.add(instance, outcome)

    def add_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Count what was left out of the input."""
        for refusal in refusals:
            if refusal.left_out:
                why = refusal.reason
                self._count(self._room_for((why.kind, "", group(why))), why, refusal.path)

    def groups(self) -> list[Cause]:
        return [self._cause(key) for key in self._ranked()]

    def ranks(self) -> dict[Key, int]:
        """The place of each group in ``groups``, by its ``key``."""
        return {key: rank for rank, key in enumerate(self._ranked())}

    def key(self, instance: Instance, outcome: Outcome) -> Key:
        """The group that an instance belongs to."""
        return self._room_for(key_of(instance, outcome))

    def _room_for(self, key: Key) -> Key:
        full = len(self._places) >= MOST_GROUPS
        return _OTHERS if full and key not in self._places else key

    def _ranked(self) -> list[Key]:
        return sorted(self._places, key=lambda key: (key is _OTHERS, -self._counts[self._places[key]]))

    def _count(self, key: Key, why: Reason, path: str) -> None:
        place = self._places.setdefault(key, len(self._counts))
        if place == len(self._counts):
            self._counts.append(0)
            self._first.append(why)
            self._same.append(True)
            self._examples.append([])
        self._counts[place] += 1
        self._same[place] = self._same[place] and why == self._first[place]
        if len(self._examples[place]) < MOST_EXAMPLES:
            self._examples[place].append(path[:MAX_EXAMPLE])

    def _cause(self, key: Key) -> Cause:
        """The group of a key."""
        kind, where, words = key
        place = self._places[key]
        count, first = self._counts[place], self._first[place]
        if self._same[place] and key is not _OTHERS:
            words = str(first)
        return Cause(
            kind=kind,
            code=first.code if key is not _OTHERS else "",
            reason=plain(f"{where}: {words}" if where else words, MAX_TEXT),
            count=count,
            examples=tuple(self._examples[place]),
            hint=_OTHERS_HINT if key is _OTHERS else first.hint(self._names),
        )


def causes(rows: Iterable[Row], names: Mapping[str, str] | None = None) -> list[Cause]:
    """Why instances were not stored, the most frequent reason first; rows of stored instances are passed over."""
    found = Causes(names)
    found.add_all(rows)
    return found.groups()


def cause_lines(groups: Sequence[Cause]) -> Iterator[str]:
    """Lines for the log: for each group one with its count, reason and an example or two, and one with the hint."""
    for cause in groups[:MOST_TOLD]:
        examples = ", ".join(plain(path, _TOLD_PATH) for path in cause.examples[:_TOLD_EXAMPLES])
        more = ", ..." if cause.count > _TOLD_EXAMPLES else ""
        yield f"  {cause.count} x {cause.reason}: {examples}{more}"
        yield f"      {cause.hint}"
    rest = groups[MOST_TOLD:]
    if rest:
        yield f"  {sum(cause.count for cause in rest)} more for {len(rest)} further reasons"


# --- what is the same reason

# UIDs and addresses, quoted names, numbers of any kind.
_VARYING: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\b0x[0-9A-Fa-f]+\b|\b\d+(?:\.\d+)*\b")


def key_of(instance: Instance, outcome: Outcome) -> Key:
    """What an instance has in common with others that were not stored for the same reason."""
    why = outcome.why
    where = sop_class_label(instance.sop_class) if why.kind is Kind.NO_CONTEXT else ""
    return why.kind, where, group(_without_particulars(why))


def _without_particulars(why: Reason) -> Reason:
    """The same without what a peer's remark says of one instance alone, for there are no facts in it."""
    remark = why.inner
    if remark is None or remark.code != "remark":
        return why
    return replace(why, inner=because("remark", words=same_remark(str(remark.fact("words")))))


def same_remark(words: str) -> str:
    """The words of a peer with ``...`` in the place of numbers, UIDs and quoted names.

    >>> same_remark("patient 17 is not known")
    'patient ... is not known'
    """
    return _VARYING.sub(VARIES, words)


def sop_class_label(uid: str) -> str:
    """The name of a SOP class, or its UID where it has none."""
    name = sop_class_name(uid)
    return plain(uid, 64) if name == "unknown" else name
