"""How a run ended: what is told of it, the reports, the exit code. Loaded where there is more to say than nothing."""

from __future__ import annotations

from dcmsend.cli.exit_codes import NOT_FATAL, of_error, of_run
from dcmsend.cli.log import Level
from dcmsend.cli.names import OPTIONS
from dcmsend.errors import InvalidInputError, JournalError, NoInputError, left_out_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dcmsend.api import Report
    from dcmsend.cli.exit_codes import ExitCode
    from dcmsend.cli.grammar import Arguments
    from dcmsend.cli.log import Log
    from dcmsend.cli.main import Interrupts
    from dcmsend.errors import DcmsendError, ReportError
    from dcmsend.report.causes import Causes
    from dcmsend.report.recorder import Recorder


def conclude(
    report: Report,
    arguments: Arguments,
    log: Log,
    seconds: float,
    recorder: Recorder | None,
    interrupts: Interrupts,
) -> int:
    """Tell how the run ended, write the reports, and find the exit code.

    ``seconds``: how long the run took. ``interrupts`` makes of an exit code the one that also tells of a signal.
    """
    report_error = None
    if report.error is not None:
        tell(report.error, log)
    if not isinstance(report.error, NoInputError):
        if recorder is not None or arguments.report_file:
            from dcmsend.cli.reports import write_reports

            so_far = interrupts.code(_exit_code(report, arguments, None))
            report_error = write_reports(report, arguments, log, recorder, so_far, interrupts.stop)
        log.summary(report.totals)
        if not arguments.log.special:  # a configuration of DCMTK's kind shall give DCMTK's lines
            _tell_speed(report, log, seconds)
    if not report.complete:
        _explain(report, log)
    return interrupts.code(_exit_code(report, arguments, report_error))


def tell(error: DcmsendError, log: Log) -> ExitCode:
    """Tell what ended the run or the program; its exit code."""
    code = of_error(error)
    log.failure(Level.ERROR if code in NOT_FATAL else Level.FATAL, error)
    return code


def _exit_code(report: Report, arguments: Arguments, report_error: ReportError | None) -> ExitCode:
    totals = report.totals
    return of_run(
        report.error,
        all_stored=totals.stored == totals.instances,
        all_taken=not (totals.left_out or totals.left_over),
        report_error=report_error,
        dcmtk=arguments.dcmtk_exit_codes,
    )


def _tell_speed(report: Report, log: Log, seconds: float) -> None:
    if log.shows(Level.INFO):
        from dcmsend.report.run import run_line

        totals = report.totals
        log.info(run_line(totals.stored - totals.earlier, report.stored_bytes(), seconds))


def _explain(report: Report, log: Log) -> None:
    """Tell how many instances were not stored and how many inputs were left out, why, and what can be done.

    Not again what the error has said that ended the run: of its only instance, or of the input that ended it.
    """
    totals, error = report.totals, report.error
    left = totals.instances - totals.stored
    told: list[tuple[str, Callable[[Causes], None] | None]] = []
    if left and (error is None or totals.instances > 1):
        words = f"{left} of {totals.instances} SOP instances were not stored"
        told.append((words, lambda causes: causes.add_all(report.rows())))
    if totals.left_out > isinstance(error, InvalidInputError):
        told.append((left_out_words(totals.left_out), lambda causes: causes.add_refusals(report.refusals())))
    if totals.left_over and error is None:
        told.append((f"{totals.left_over} SOP instances of earlier runs in the journal are not stored", None))
    if not log.shows(Level.ERROR):
        if error is None and told:
            log.fatal("; ".join(words for words, _ in told))
        return
    try:
        _explain_all(told, log)
    except JournalError:  # the list is broken, which has been said
        pass


def _explain_all(told: list[tuple[str, Callable[[Causes], None] | None]], log: Log) -> None:
    from dcmsend.report.causes import Causes

    for words, add in told:
        log.error(words)
        if add is not None:
            causes = Causes(OPTIONS)
            add(causes)
            log.causes(causes.groups())
