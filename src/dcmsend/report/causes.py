"""Why instances were not stored: their failures in groups of one reason each, with what can be done about it.

Pure: rows in, groups out. Owns what counts as the same reason; must not know who shows them. Memory does not grow with
the number of rows: there are at most ``MOST_GROUPS`` groups, and one for all that came too late for one of its own.
"""

from __future__ import annotations

import re

from dcmsend.light import Frozen
from dcmsend.model import State, status_text
from dcmsend.printable import MAX_REMARK, plain
from dcmsend.report.hints import Kind, hint_for
from dcmsend.uids import sop_class_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final, TypeAlias

    from dcmsend.model import Instance, Outcome

    Row: TypeAlias = tuple[Instance, Outcome]
    Key: TypeAlias = tuple["Kind", str]

MOST_GROUPS: Final = 40
MOST_EXAMPLES: Final = 3  # paths of a group
MOST_TOLD: Final = 10  # groups in the lines of the log
MAX_EXAMPLE: Final = 4096  # characters of such a path
MAX_TEXT: Final = 512  # characters of a reason
_TOLD_EXAMPLES: Final = 2
_TOLD_PATH: Final = 200  # characters of a path in a line with other words

_OTHERS: Final = "other reasons"
_VARIES: Final = "..."


class Cause(Frozen, kw_only=True):
    """A group of instances that were not stored for the same reason.

    ``reason``: one line, with ``...`` in the place of what is another in each. ``examples``: paths, as they are, of the
    first few, at most ``MAX_EXAMPLE`` characters of each. ``hint``: one or two sentences for the user.
    """

    kind: Kind
    reason: str
    count: int
    examples: tuple[str, ...]
    hint: str


class Causes:
    """Sorts instances that were not stored into groups; ``groups`` are those, the largest first."""

    def __init__(self) -> None:
        self._places: dict[Key, int] = {}
        self._counts: list[int] = []
        self._examples: list[list[str]] = []

    def __repr__(self) -> str:
        return f"<Causes: {sum(self._counts)} instances in {len(self._counts)} groups>"

    def add(self, instance: Instance, outcome: Outcome) -> None:
        """Count an instance, which was not stored."""
        key = self.key(instance, outcome)
        place = self._places.setdefault(key, len(self._counts))
        if place == len(self._counts):
            self._counts.append(0)
            self._examples.append([])
        self._counts[place] += 1
        if len(self._examples[place]) < MOST_EXAMPLES:
            self._examples[place].append(instance.path[:MAX_EXAMPLE])

    def add_all(self, rows: Iterable[Row]) -> None:
        """Count those of the rows that were not stored."""
        for instance, outcome in rows:
            if not outcome.stored:
                self.add(instance, outcome)

    def groups(self) -> list[Cause]:
        return [self._cause(key) for key in self._ranked()]

    def ranks(self) -> dict[Key, int]:
        """The place of each group in ``groups``, by its ``key``."""
        return {key: rank for rank, key in enumerate(self._ranked())}

    def _ranked(self) -> list[Key]:
        return sorted(self._places, key=lambda key: (key[0] is Kind.OTHERS, -self._counts[self._places[key]]))

    def key(self, instance: Instance, outcome: Outcome) -> Key:
        """The group that an instance belongs to."""
        key = reason_of(instance, outcome)
        full = len(self._places) >= MOST_GROUPS
        return (Kind.OTHERS, _OTHERS) if full and key not in self._places else key

    def _cause(self, key: Key) -> Cause:
        kind, reason = key
        place = self._places[key]
        return Cause(
            kind=kind,
            reason=reason,
            count=self._counts[place],
            examples=tuple(self._examples[place]),
            hint=hint_for(kind, reason),
        )


def causes(rows: Iterable[Row]) -> list[Cause]:
    """Why instances were not stored, the most frequent reason first; rows of stored instances are passed over."""
    found = Causes()
    found.add_all(rows)
    return found.groups()


def cause_lines(groups: Sequence[Cause]) -> Iterator[str]:
    """Lines for the log: for each group one with its count, reason and an example or two, and one with the hint."""
    for group in groups[:MOST_TOLD]:
        examples = ", ".join(plain(path, _TOLD_PATH) for path in group.examples[:_TOLD_EXAMPLES])
        more = ", ..." if group.count > _TOLD_EXAMPLES else ""
        yield f"  {group.count} x {group.reason}: {examples}{more}"
        yield f"      {group.hint}"
    rest = groups[MOST_TOLD:]
    if rest:
        yield f"  {sum(group.count for group in rest)} more for {len(rest)} further reasons"


# --- what is the same reason


def reason_of(instance: Instance, outcome: Outcome) -> Key:
    """The kind of a failure, and its reason without what is another in each instance."""
    state, reason = outcome.state, plain(outcome.reason, MAX_TEXT)
    if state is State.ANSWERED and outcome.status is not None:
        remark = f": {general(plain(outcome.reason, MAX_REMARK))}" if reason else ""
        return Kind.REFUSED, f"0x{outcome.status:04x} ({status_text(outcome.status)}){remark}"
    if state is State.NO_CONTEXT:
        return Kind.NO_CONTEXT, f"{_class(instance.sop_class)}: {reason or 'no acceptable presentation context'}"
    if state is State.FAILED and not reason.startswith("not answered"):
        return Kind.FILE, general(reason) or "failed"
    if state is State.FAILED:
        return Kind.NOT_ANSWERED, reason
    return Kind.NOT_TRIED, reason or "never tried"


# UIDs and addresses, tags, quoted names, numbers of any kind.
_VARYING: Final = re.compile(
    r"\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\)|'[^']*'|\"[^\"]*\"|\b0x[0-9A-Fa-f]+\b|\b\d+(?:\.\d+)*\b"
)


def general(reason: str) -> str:
    """A reason with ``...`` in the place of numbers, UIDs, tags and quoted names.

    >>> general("(7fe0,0010) at byte 1488: its 8192 bytes run past the end of the file")
    '(...) at byte ...: its ... bytes run past the end of the file'
    """
    return _VARYING.sub(lambda match: f"({_VARIES})" if match[0][0] == "(" else _VARIES, reason)


def _class(uid: str) -> str:
    name = sop_class_name(uid)
    return plain(uid, 64) if name == "unknown" else name
