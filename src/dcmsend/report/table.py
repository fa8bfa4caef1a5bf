"""The report as a table: CSV (RFC 4180) in UTF-8, a header, a line for each instance, and one for each input that was
left out.

Text is shown with escapes, as in the log, so that each line of the file is one instance. A field that a spreadsheet
would take for a formula gets an apostrophe in front. Rows are streamed.
"""

from __future__ import annotations

import csv

from dcmsend.model import status_class, status_text
from dcmsend.printable import printable
from dcmsend.report.run import CLASSES, LEFT_OUT, STATES
from dcmsend.uids import sop_class_name, transfer_syntax_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from dcmsend.model import Instance, Outcome, Refusal
    from dcmsend.report.run import Run

COLUMNS: Final = (
    "number",
    "path",
    "sop_class_uid",
    "sop_class_name",
    "sop_instance_uid",
    "transfer_syntax_uid",
    "transfer_syntax_name",
    "sent_transfer_syntax_uid",
    "dataset_bytes",
    "association",
    "context_id",
    "state",
    "stored",
    "status_hex",
    "status_class",
    "status_text",
    "reason",
    "attempts",
    "response_seconds",
)
# What a formula begins with, in full width too; an apostrophe, so that it can be told from ours.
_FORMULA: Final = frozenset("=+-@'\uff1d\uff0b\uff0d\uff20")


class _Line:
    """A file that the writer of CSV puts a line into."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text = text


def pieces(run: Run) -> Iterator[str]:
    """The text of the report, a line each."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    yield line.text
    seconds_of = run.recorder.seconds_of
    for instance, outcome in run.source.rows():
        writer.writerow(_row(instance, outcome, seconds_of(outcome.number)))
        yield line.text
    for refusal in run.source.refusals():
        if refusal.left_out:
            writer.writerow(_left_out(refusal))
            yield line.text


def _left_out(refusal: Refusal) -> tuple[str | int, ...]:
    """A line for what is no instance of the run: path, state and reason."""
    known = {"path": field(refusal.path), "state": LEFT_OUT, "stored": "false", "reason": field(str(refusal.reason))}
    return tuple(known.get(column, "") for column in COLUMNS)


def _row(instance: Instance, outcome: Outcome, seconds: float | None) -> tuple[str | int, ...]:
    status = outcome.status
    return (
        outcome.number,
        field(instance.path),
        field(instance.sop_class),
        sop_class_name(instance.sop_class),
        field(instance.sop_instance),
        field(instance.transfer_syntax),
        field(transfer_syntax_name(instance.transfer_syntax)),
        field(outcome.network_syntax),
        outcome.dataset_size,
        outcome.association or "",
        outcome.context_id or "",
        STATES[outcome.state],
        "true" if outcome.stored else "false",
        "" if status is None else f"0x{status:04x}",
        "" if status is None else CLASSES[status_class(status)],
        "" if status is None else status_text(status),
        field(str(outcome.reason)),
        outcome.attempts,
        "" if seconds is None else f"{seconds:.6f}",
    )


def field(text: str) -> str:
    """Text for a cell: on one line, and no formula. A space in front does not help a formula, nor hide it."""
    shown = printable(text)
    return f"'{shown}" if shown.lstrip()[:1] in _FORMULA else shown
