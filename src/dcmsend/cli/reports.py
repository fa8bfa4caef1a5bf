"""The reports that the command line asks for, written one after the other: one that fails keeps none from the others.

Knows which format is written by whom; the log tells of each, as of the text report.
"""

from __future__ import annotations

from dcmsend.cli.log import Level
from dcmsend.cli.names import OPTIONS
from dcmsend.errors import JournalError, ReportError
from dcmsend.report.file import overwrites, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from dcmsend.api import Report
    from dcmsend.cli.grammar import Arguments
    from dcmsend.cli.log import Log
    from dcmsend.report.recorder import Recorder
    from dcmsend.report.run import Run
    from dcmsend.stop import Stop


def write_reports(
    report: Report, arguments: Arguments, log: Log, recorder: Recorder | None, exit_code: int, stop: Stop
) -> ReportError | None:
    """Write what was asked for; the first error, if any. ``exit_code``: what the reports are to say of it.

    A request to ``stop`` ends the waiting for somebody who reads a report.
    """
    wanted = [(arguments.report_file, "detailed report on the transfer", lambda: _text(report))]
    if recorder is not None:
        run = _run(report, recorder, exit_code)
        names = (arguments.report_json, arguments.report_csv, arguments.report_html)
        wanted += [
            (path, f"{kind} report", lambda pieces=pieces: pieces(run))  # type: ignore[misc]
            for path, (kind, pieces) in zip(names, _FORMATS, strict=True)
        ]
    errors = [_write(path, kind, pieces, log, stop) for path, kind, pieces in wanted if path]
    return next((error for error in errors if error is not None), None)


def _write(path: str, kind: str, pieces: Callable[[], Iterator[str]], log: Log, stop: Stop) -> ReportError | None:
    net = log.room("net")
    net.info(f"creating {kind} ...")
    if overwrites(path):
        net.warn(f"file '{path}' already exists, overwriting")
    try:
        write(path, pieces(), stop)
    except ReportError as error:
        log.failure(Level.ERROR, error)
        return error
    return None


def _run(report: Report, recorder: Recorder, exit_code: int) -> Run:
    from time import time

    from dcmsend.report.causes import Causes
    from dcmsend.report.run import Run

    seconds = recorder.elapsed()
    causes, left_out, stored_bytes = Causes(OPTIONS), Causes(OPTIONS), 0
    try:
        stored_bytes = report.stored_bytes()
        if report.totals.stored < report.totals.instances:
            causes.add_all(report.rows())
        left_out.add_refusals(report.refusals())
    except JournalError:  # whoever writes the rows will say so
        pass
    return Run(
        source=report,
        recorder=recorder,
        causes=causes,
        left_out=left_out,
        started=time() - seconds,
        seconds=seconds,
        stored_bytes=stored_bytes,
        exit_code=exit_code,
        names=OPTIONS,
    )


def _text(report: Report) -> Iterator[str]:
    from time import strftime

    from dcmsend.report.text import pieces

    return pieces(report, strftime("%Y-%m-%d %H:%M:%S"))


def _json(run: Run) -> Iterator[str]:
    from dcmsend.report.document import pieces

    return pieces(run)


def _csv(run: Run) -> Iterator[str]:
    from dcmsend.report.table import pieces

    return pieces(run)


def _html(run: Run) -> Iterator[str]:
    from dcmsend.report.page import pieces

    return pieces(run)


_FORMATS: Final = (("JSON", _json), ("CSV", _csv), ("HTML", _html))
