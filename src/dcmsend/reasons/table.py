"""The one table of reasons: code -> words, kind, hint, what is the same reason, may it pass.

Loaded where a reason is shown; its rows stand in ``rows_*``, a module for each part of the program. A template names
facts in braces, and ``{inner}`` for the reason behind it, or ``{behind}`` for that with a colon before it where there
is one. Hints name settings by the keys of ``reasons.names``, since what these are called depends on where a hint is
shown: the command line has options, the library has parameters. ``test_reasons`` holds every code in the source
against this table.
"""

from __future__ import annotations

from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons import rows_files, rows_network, rows_payload, rows_run, rows_sending, rows_system, rows_tls
from dcmsend.reasons.names import LIBRARY
from dcmsend.reasons.row import NO_DICOM, Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from dcmsend.reasons import Reason

TABLE: Final[dict[str, Row]] = {
    **rows_system.ROWS,
    **rows_files.ROWS,
    **rows_payload.ROWS,
    **rows_sending.ROWS,
    **rows_network.ROWS,
    **rows_tls.ROWS,
    **rows_run.ROWS,
}

# Where neither a row nor the reason behind it has a hint.
_HINTS: Final[dict[Kind, str]] = {
    Kind.REFUSED: "The peer refused these: its log says why.",
    Kind.NO_CONTEXT: (
        "The peer takes neither this transfer syntax nor one that it can be converted to: its administrator has to"
        " allow it."
    ),
    Kind.NOT_ANSWERED: (
        "The association broke while these were under way; the peer may have stored them. Sending them again does"
        " no harm: {no_halt} goes on with the rest, {retries} tries again."
    ),
    Kind.FILE: "The file is not as the standard has it, so it was not stored. Ask who made it for a correct one.",
    Kind.READ: "The system cannot give these files: its words say why.",
    Kind.NO_DICOM: NO_DICOM,
    Kind.NOT_TRIED: (
        "Their turn never came. Mend what ended the run and start it again; {no_halt} goes on after failures, and"
        " with {journal} only what is missing is sent."
    ),
    Kind.NETWORK: "The peer's log, and what is on the way to the peer, are the next things to look at.",
    Kind.RUN: "",
    Kind.OTHERS: "The reports have the reason of each.",
}

VARIES: Final = "..."
_INNER: Final = ("inner", "behind")  # the reason behind, the second with a colon before it


def row_of(reason: Reason) -> Row:
    """The row of a reason; a code that is not there is shown as it is."""
    return TABLE.get(reason.code) or Row(Kind.OTHERS, plain(reason.code))


def words(reason: Reason) -> str:
    """A reason on one line; nothing where there is none."""
    return row_of(reason).words.format_map(_Words(reason)) if reason.code else ""


def group(reason: Reason) -> str:
    """The words of all reasons that count as the same: ``...`` for what is another in each."""
    return row_of(reason).words.format_map(_GroupWords(reason)) if reason.code else ""


def hint(reason: Reason, names: Mapping[str, str] | None = None) -> str:
    """What the user can do; ``names``: what the settings are called, without it as in the library."""
    told: Reason | None = reason
    while told is not None and not row_of(told).hint:
        told = told.inner
    told = told or reason
    template = row_of(told).hint or _HINTS[kind_of(told)]
    return template.format_map(_HintWords(told, names or LIBRARY))


def kind_of(reason: Reason) -> Kind:
    """What stood between an instance and its being stored."""
    return row_of(reason).kind


def may_pass(reason: Reason) -> bool:
    """Return True if this reason, or the one behind it, may not hold another time."""
    return row_of(reason).passes or (reason.inner is not None and may_pass(reason.inner))


class _Words:
    """What stands for a name in braces: a fact, or the words of the reason behind."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason

    def __getitem__(self, name: str) -> str:
        inner = self.reason.inner
        if name in _INNER:
            return f"{': ' if name == 'behind' else ''}{self.of_inner(inner)}" if inner is not None else ""
        return plain(str(self.reason.fact(name)), MAX_PATH)

    def of_inner(self, inner: Reason) -> str:
        return words(inner)


class _GroupWords(_Words):
    """The same without what is another in each reason of the group."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name) if name in (*_INNER, *row_of(self.reason).by) else VARIES

    def of_inner(self, inner: Reason) -> str:
        return group(inner)


class _HintWords(_Words):
    """The same with the names of settings."""

    def __init__(self, reason: Reason, names: Mapping[str, str]) -> None:
        super().__init__(reason)
        self._names = names

    def __getitem__(self, name: str) -> str:
        return self._names.get(name) or super().__getitem__(name)
