"""The page of reasons, and the same as a list: from the one table that the program has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from dcmsend.cli.names import OPTIONS
from dcmsend.reasons import Reason
from dcmsend.reasons.names import LIBRARY
from dcmsend.reasons.row import Kind
from dcmsend.reasons.table import TABLE, hint

# What is only told with another one, or in somebody else's words.
CODES_OF_OTHERS: Final = frozenset(("said", "remark"))

_TITLES: Final[dict[Kind, str]] = {
    Kind.REFUSED: "The peer answered that it does not store them",
    Kind.NO_CONTEXT: "The peer does not take them in this form",
    Kind.NOT_ANSWERED: "The connection ended before the answer",
    Kind.FILE: "Something is wrong with the file",
    Kind.READ: "The system does not give the file",
    Kind.NO_DICOM: "It is no DICOM",
    Kind.NOT_TRIED: "It was not tried",
    Kind.NETWORK: "There is no connection",
    Kind.RUN: "Something that the run needs gave out",
    Kind.OTHERS: "In somebody else's words",
}
_HEAD: Final = """\
# Reasons and what to do

Each reason that the program gives has a code, which stays what it is. It stands in the JSON report, in the events of
`--log-format json` and in `Outcome.reason.code`; so ask for the code, for the words are for people and may change. What
stands in braces is another in each. A reason may have a further one behind it (`{inner}`), whose advice counts where it
has none of its own.

Made from the table that the program itself has. The advice names options; the library names its parameters instead.
"""


def reasons_page() -> str:
    """The page."""
    return "\n".join([_HEAD, *_lines()])


def listing() -> str:
    """The table as text: code, kind, facts that tell groups apart, and words; below what to do, for both sides."""
    lines: list[str] = []
    for code, row in TABLE.items():
        lines.append(f"{code} [{', '.join((row.kind.value, *row.by))}] {row.words}")
        lines += [f"    {hint(Reason(code), names)}" for names in (OPTIONS, LIBRARY)]
    return "\n".join(lines)


def _lines() -> Iterator[str]:
    order = list(_TITLES)
    rows = sorted(TABLE.items(), key=lambda item: order.index(item[1].kind))
    for kind, of_kind in groupby(rows, key=lambda item: item[1].kind):
        yield from (f"## {_TITLES[kind]}", "", f"Kind `{kind.value}`.", "")
        yield from ("| code | words | what to do |", "|---|---|---|")
        for code, row in of_kind:
            yield f"| `{code}` | {_cell(row.words)} | {_cell(_advice(code))} |"
        yield ""


def _advice(code: str) -> str:
    """What to do, with the names of facts in braces as in the words."""
    template = TABLE[code].hint
    if not template:
        return hint(Reason(code), OPTIONS)
    return re.sub(r"\{(\w+)\}", lambda name: OPTIONS.get(name[1], name[0]), template)


def _cell(text: str) -> str:
    """Text in which no character means anything to Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)
