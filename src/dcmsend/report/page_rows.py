"""The instances in the page: compact rows of JSON for its script, and a plain table for who reads it without.

What did not go well comes first. Words that turn up often (folders, names, reasons) stand in a list once, and in the
rows by their place there; that list is bounded, and so is the number of rows. Nothing in here can end the element that
it is in: ``<``, ``>`` and ``&`` are escaped, and all is ASCII.
"""

from __future__ import annotations

import json
from html import escape

from dcmsend.model import State, StatusClass, status_class, status_text
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons.row import Kind
from dcmsend.uids import sop_class_name, transfer_syntax_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, TypeAlias

    from dcmsend.model import Instance, Outcome
    from dcmsend.report.run import Run

    Row: TypeAlias = tuple[Instance, Outcome]

MOST_ROWS: Final = 200_000
MOST_PLAIN_FAILURES: Final = 1000
MOST_PLAIN: Final = 2000
_PER_ELEMENT: Final = 5000
_MOST_WORDS: Final = 20_000
_MOST_CHARACTERS: Final = 4_000_000  # of all these words
_MAX_REASON: Final = 1000
_MAX_UID: Final = 128

# What can become of an instance: class of the mark, and words. The first two are stored.
OUTCOMES: Final = (
    ("stored", "Stored"),
    ("remark", "Stored, with a remark"),
    ("refused", "Refused by the peer"),
    ("context", "Not accepted by the peer"),
    ("failed", "Not sent"),
    ("failed", "Not answered"),
    ("untried", "Not tried"),
)


def outcome_of(outcome: Outcome) -> int:
    """The place in ``OUTCOMES``."""
    if outcome.state is State.ANSWERED and outcome.status is not None:
        kind = status_class(outcome.status)
        return 0 if kind is StatusClass.SUCCESS else 1 if kind.stored else 2
    if outcome.state is State.FAILED:
        return 5 if outcome.reason.kind is Kind.NOT_ANSWERED else 4
    return 3 if outcome.state is State.NO_CONTEXT else 6


class Words:
    """The words that stand once: ``place`` gives a number for them, or the word where there is no more room."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self._characters = 0

    def place(self, word: str) -> int | str:
        place = self.known.get(word)
        if place is not None:
            return place
        if len(self.known) >= _MOST_WORDS or self._characters + len(word) > _MOST_CHARACTERS:
            return word
        self._characters += len(word)
        self.known[word] = len(self.known)
        return self.known[word]


def ordered(run: Run, most: int) -> Iterator[Row]:
    """What did not go well, then the rest, each in the order of the list; at most so many."""
    left = most
    for stored in (True,) if run.source.complete else (False, True):
        for instance, outcome in run.source.rows():
            if outcome.stored is stored:
                if not left:
                    return
                left -= 1
                yield instance, outcome


def data(run: Run) -> Iterator[str]:
    """Elements with the rows, the words and the names of outcomes, for the script."""
    words = Words()
    ranks = run.causes.ranks()
    gathered: list[list[Any]] = []
    for instance, outcome in ordered(run, MOST_ROWS):
        rank = -1 if outcome.stored else ranks.get(run.causes.key(instance, outcome), -1)
        gathered.append(_row(instance, outcome, words.place, run.recorder.seconds_of(outcome.number), rank))
        if len(gathered) == _PER_ELEMENT:
            yield _element('class="rows"', gathered)
            gathered.clear()
    yield _element('class="rows"', gathered)
    yield _element('id="words"', list(words.known))
    yield _element('id="outcomes"', OUTCOMES)


def _row(
    instance: Instance, outcome: Outcome, place: Callable[[str], int | str], seconds: float | None, rank: int
) -> list[Any]:
    """The fields in the order in which the script knows them."""
    folder, name = _split(plain(instance.path, MAX_PATH), "/")
    root, leaf = _split(plain(instance.sop_instance, _MAX_UID), ".")
    return [
        outcome.number,
        place(folder),
        name,
        place(root),
        leaf,
        place(class_name(instance)),
        place(plain(transfer_syntax_name(instance.transfer_syntax), _MAX_UID)),
        place(plain(transfer_syntax_name(outcome.network_syntax), _MAX_UID) if outcome.network_syntax else ""),
        outcome.dataset_size,
        outcome.association,
        outcome_of(outcome),
        outcome.status,
        place(reason(outcome)),
        outcome.attempts,
        None if seconds is None else round(seconds * 1000, 1),
        rank,
    ]


def _split(text: str, separator: str) -> tuple[str, str]:
    head, found, tail = text.rpartition(separator)
    return head + found, tail


def class_name(instance: Instance) -> str:
    name = sop_class_name(instance.sop_class)
    return plain(instance.sop_class, _MAX_UID) if name == "unknown" else name


def reason(outcome: Outcome) -> str:
    """What there is to say of an outcome beside what it is."""
    said = plain(str(outcome.reason), _MAX_REASON)
    if not outcome.status:
        return said
    return f"{status_text(outcome.status)}{': ' if said else ''}{said}"


def _element(attribute: str, content: object) -> str:
    """JSON in an element that no browser runs."""
    text = json.dumps(content, separators=(",", ":"))
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json" {attribute}>{text}</script>\n'


# --- without a script


def plain_rows(run: Run) -> Iterator[str]:
    """Lines of a table: up to ``MOST_PLAIN_FAILURES`` that did not go well, and others up to ``MOST_PLAIN`` in all."""
    failures = total = 0
    for instance, outcome in ordered(run, MOST_ROWS):
        if total >= MOST_PLAIN:
            return
        if not outcome.stored and failures >= MOST_PLAIN_FAILURES:
            continue
        failures += not outcome.stored
        total += 1
        yield _line(instance, outcome)


def _line(instance: Instance, outcome: Outcome) -> str:
    mark, words = OUTCOMES[outcome_of(outcome)]
    status = f"0x{outcome.status:04x} " if outcome.status else ""
    said = status + reason(outcome)
    why = f'<span class="why">{_text(said, _MAX_REASON * 2)}</span>' if said else ""
    return (
        f'<tr><td class="number" data-label="Number">{outcome.number}</td>'
        f'<td><span class="path">{_text(instance.path, MAX_PATH)}</span>'
        f'<span class="path uid">{_text(instance.sop_instance, _MAX_UID)}</span></td>'
        f'<td><span class="mark {mark}">{words}</span>{why}</td>'
        f"<td>{escape(class_name(instance))}</td></tr>\n"
    )


def _text(text: str, longest: int) -> str:
    return escape(plain(text, longest))
