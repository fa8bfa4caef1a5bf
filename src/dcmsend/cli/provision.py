"""What the end of a run takes, loaded while it lasts: a run of days may outlive the package that it was started from.

Loaded, in a thread of its own, when a run has lasted for a while; short runs load what they need when they need it.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from dcmsend.cli.grammar import Arguments

# What is imported within functions on the way from any failure to the exit code.
ALWAYS: Final = (
    "dcmsend.cli.conclusion", "dcmsend.cli.exit_codes", "dcmsend.cli.names", "dcmsend.files.dicom_names",
    "dcmsend.files.dicomdir", "dcmsend.files.own_files", "dcmsend.net.words", "dcmsend.payload.convert",
    "dcmsend.printable", "dcmsend.reasons.table", "dcmsend.report.causes", "dcmsend.report.run", "dcmsend.report.text",
    "dcmsend.storage_classes", "dcmsend.transfer.conflicts", "dcmsend.transfer.crew", "dcmsend.transfer.left_out",
    "dcmsend.transfer.retry", "_sqlite3", "json", "signal", "sqlite3", "tempfile", "traceback",
)  # fmt: skip
REPORTS: Final = (
    "dcmsend.cli.reports", "dcmsend.report.charts", "dcmsend.report.document", "dcmsend.report.file",
    "dcmsend.report.page", "dcmsend.report.page_rows", "dcmsend.report.table", "base64", "hashlib",
)  # fmt: skip


def provide(arguments: Arguments) -> None:
    """Load it. What cannot be loaded is left to whoever needs it, and can say so."""
    secured = ("dcmsend.net.suites", "dcmsend.net.tls_words") if arguments.peer.tls is not None else ()
    wanted = any((arguments.report_file, arguments.report_json, arguments.report_csv, arguments.report_html))
    for name in (*ALWAYS, *secured, *(REPORTS if wanted else ())):
        try:
            import_module(name)
        except ImportError:
            continue
    if arguments.report_html:
        from dcmsend.report.page import load

        load()
