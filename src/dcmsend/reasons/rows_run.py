"""Rows of the table of reasons. What the run itself needs: its journal and its reports."""

from __future__ import annotations

from dcmsend.reasons.row import Kind, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ANOTHER_JOURNAL: Final = (
    "Keep a copy of it, and begin another one under another name: what was stored is then sent again."
)

ROWS: Final[dict[str, Row]] = {
    # --- journal
    "stored_by_run": Row(Kind.RUN, "stored by run {run} of the journal, {finished} UTC"),
    "journal_unusable": Row(
        Kind.RUN,
        "journal '{path}' cannot be used: {words}",
        "Check its folder, its permissions and the room that is left.",
        ("path", "words"),
    ),
    "journal_broken": Row(Kind.RUN, "journal '{path}' cannot be used: {words}", _ANOTHER_JOURNAL, ("path", "words")),
    "journal_damaged": Row(Kind.RUN, "journal '{path}' is damaged", _ANOTHER_JOURNAL, ("path",)),
    "journal_tables": Row(Kind.RUN, "journal '{path}' has tables that are not dcmsend's", _ANOTHER_JOURNAL, ("path",)),
    "journal_of_others": Row(
        Kind.RUN, "'{path}' is no journal of dcmsend", "Name another file for {journal}.", ("path",)
    ),
    "journal_version": Row(
        Kind.RUN,
        "journal '{path}' has schema {found}, not {known}",
        "Use the version of dcmsend that made it, or begin another journal.",
        ("path", "found", "known"),
    ),
    "journal_in_use": Row(
        Kind.RUN,
        "journal '{path}' is in use by another run",
        "Wait for it, or name another file for {journal}.",
        ("path",),
    ),
    "journal_of_another_peer": Row(
        Kind.RUN,
        "journal '{path}' belongs to {title} at {name}, not {wanted_title} at {wanted_name}",
        "Name another file for {journal}, or use {any_peer} if both are the same archive.",
        ("path", "title", "name"),
    ),
    "gave_out": Row(Kind.RUN, "the system gave out: {inner}"),
    "list_cannot_be_kept": Row(
        Kind.RUN,
        "the list of instances cannot be kept: {words}",
        "It needs some 300 bytes an instance in the folder for temporary files (SQLITE_TMPDIR or TMPDIR).",
        ("words",),
    ),
    "rows_closed": Row(
        Kind.RUN, "the report is closed, and its list is gone", "Ask for rows() before close(), or within 'with'."
    ),
    # --- reports
    "report_not_written": Row(
        Kind.RUN, "cannot write report file '{path}': {inner}", "Check the folder of the report file, and the disk."
    ),
    "report_refused": Row(Kind.RUN, "{option} cannot write to '{path}': {inner}"),
    "report_cannot_be_made": Row(
        Kind.RUN, "{inner}", "Name a file in a folder that is there and may be written to; nothing was sent."
    ),
    "report_name_invalid": Row(Kind.RUN, "Invalid filename", "No file can have such a name: give another one."),
    "report_over_dicom": Row(
        Kind.RUN,
        "it is a DICOM file",
        "Give the report a name of its own: was it forgotten, and an input taken for it?",
    ),
    "report_over_journal": Row(
        Kind.RUN, "it belongs to a journal", "Give the report a name of its own: a journal is never written over."
    ),
    "report_over_input": Row(
        Kind.RUN, "it is to be sent", "Give the report a name of its own: was it forgotten, and an input taken for it?"
    ),
    "report_over_target": Row(
        Kind.RUN, "{other} writes to it, too", "Give each of the two a file of its own.", ("other",)
    ),
    "report_over_source": Row(
        Kind.RUN, "{other} reads it", "Give the report a name of its own: what is read must not be lost.", ("other",)
    ),
    "report_over_log": Row(Kind.RUN, "the log is written to it", "Give each of the two a file of its own."),
    "report_given_up": Row(
        Kind.RUN, "stopped by the user", "Nobody read what was written there: start a reader first, or name a file."
    ),
    "output_not_written": Row(
        Kind.RUN, "cannot write to standard output: {inner}", "Look at where the output goes: is the disk full?"
    ),
}
