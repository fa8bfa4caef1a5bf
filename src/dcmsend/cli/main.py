"""The command: words -> ``Arguments`` -> ``api.send`` -> log, report and exit code.

The border of the program: here, and only here, an unexpected exception becomes one line and a number. What is not
needed for a plain run (help, report) is imported where it is used.
"""

from __future__ import annotations

import os
import sys

from dcmsend.cli import exit_codes, grammar
from dcmsend.cli.errors import CommandLineError
from dcmsend.cli.exit_codes import ExitCode
from dcmsend.cli.log import Level, Log
from dcmsend.errors import DcmsendError, NoInputError, ReportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any, Final

    from dcmsend.api import Report
    from dcmsend.cli.grammar import Arguments
    from dcmsend.model import Conversion
    from dcmsend.stop import Stop
else:
    import _signal as signal  # the functions without the enumerations that the module of that name has of them

_REQUESTS_TO_STOP: Final = 2  # finish the instance under way; abort
_FINISHING: Final = "interrupted, finishing the instance under way; once more to abort"
_ENDING: Final = "interrupted, ending the run"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (default: the program's own arguments). The exit code; raises nothing."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy comes with decoders, and would start threads for nothing
    program, *words = sys.argv if argv is None else ("dcmsend", *argv)
    log = Log(sys.stderr)
    try:
        return _command(program, words, log)
    except CommandLineError as error:
        _complain(error, log)
        return ExitCode.COMMAND_LINE
    except DcmsendError as error:
        return _tell_error(error, log)
    except KeyboardInterrupt:
        log.fatal("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a defect must not end in a traceback on the user's terminal
        return _tell_defect(error, log)


def _command(program: str, words: Sequence[str], log: Log) -> int:
    line = grammar.read(words)
    request = grammar.request(line)
    if request is not None:
        return _answer(request.long)
    grammar.check_parameters(line)
    log.level = grammar.log_level(line)
    if line.has("--arguments"):
        log.always(Level.INFO, f"calling '{program}' {line.spelled_out()}", "")
    arguments = grammar.arguments(line, log.level)
    for remark in grammar.remarks(arguments):
        log.warn(remark)
    return _send(arguments, log)


def _send(arguments: Arguments, log: Log) -> int:
    from dcmsend.api import send
    from dcmsend.cli.listener import Listener
    from dcmsend.stop import Stop

    halt = arguments.policy.halt
    stop = Stop()
    with (
        _Interrupts(stop, log),
        send(
            arguments.peer,
            arguments.files,
            scan=arguments.scan,
            policy=arguments.policy,
            conversion=_conversion(arguments),
            timeouts=arguments.timeouts,
            limits=arguments.limits,
            listener=Listener(log, arguments.peer, halt=halt, contexts=arguments.verbose_contexts),
            stop=stop,
        ) as report,
    ):
        return _conclude(report, arguments, log)


def _conversion(arguments: Arguments) -> Conversion:
    """How to convert, with the dictionaries that the environment names."""
    if not os.environ.get("DCMDICTPATH"):
        return arguments.conversion
    from dcmsend.light import replace
    from dcmsend.payload.dictionary import dictionary_paths

    return replace(arguments.conversion, dictionaries=dictionary_paths(os.environ))


def _conclude(report: Report, arguments: Arguments, log: Log) -> int:
    """Tell how the run ended, write the report, and find the exit code."""
    report_error = None
    if report.error is not None:
        _tell_error(report.error, log)
    if not isinstance(report.error, NoInputError):
        report_error = _write_report(report, arguments.report_file, log) if arguments.report_file else None
        _summarize(report, log)
    if not report.complete and report.error is None:
        totals = report.totals
        log.error(f"{totals.instances - totals.stored} of {totals.instances} SOP instances were not stored")
    return exit_codes.of_run(
        report.error, complete=report.complete, report_error=report_error, dcmtk=arguments.dcmtk_exit_codes
    )


def _summarize(report: Report, log: Log) -> None:
    if log.shows(Level.INFO):
        from dcmsend.report.text import summary_lines

        log.info("", *summary_lines(report.totals))


def _write_report(report: Report, path: str, log: Log) -> ReportError | None:
    from time import strftime

    from dcmsend.report.text import overwrites, write_report

    log.info("creating detailed report on the transfer ...")
    if overwrites(path):
        log.warn(f"file '{path}' already exists, overwriting")
    try:
        write_report(path, report, strftime("%Y-%m-%d %H:%M:%S"))
    except ReportError as error:
        _tell_error(error, log)
        return error
    return None


def _answer(long: str) -> int:
    """Write what ``--help`` and its like ask for. A reader that goes away early has seen enough."""
    from dcmsend.cli.help import ANSWERS

    try:
        sys.stdout.write(ANSWERS[long]())
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter will flush once more
    return ExitCode.DONE


def _complain(error: CommandLineError, log: Log) -> None:
    from dcmsend.cli.help import heading
    from dcmsend.printable import printable

    if not error.hidden:
        log.plain((heading(), f"error: {printable(error.message)}\n"))


def _tell_error(error: DcmsendError, log: Log) -> ExitCode:
    code = exit_codes.of_error(error)
    level = Level.ERROR if code in exit_codes.NOT_FATAL else Level.FATAL
    log.write(level, error.message, *([error.hint] if error.hint else []))
    return code


def _tell_defect(error: Exception, log: Log) -> ExitCode:
    log.fatal(f"internal error: {type(error).__name__}: {error}")
    if log.shows(Level.DEBUG):
        from traceback import format_exception

        log.debug(*"".join(format_exception(error)).splitlines())
    return ExitCode.DEFECT


class _Interrupts:
    """While it is entered, Ctrl-C asks the run to stop, then to abort, and in the end takes the program down."""

    def __init__(self, stop: Stop, log: Log) -> None:
        self._stop = stop
        self._log = log
        self._seen = 0
        self._previous: Any = None

    def __enter__(self) -> None:
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # started in the background, as by nohup
            return
        try:
            self._previous = signal.signal(signal.SIGINT, self._interrupt)
        except ValueError:  # not in the main thread, where no signal arrives
            pass

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._seen += 1
        if self._seen > _REQUESTS_TO_STOP:
            signal.default_int_handler(number, frame)
        self._stop.request()
        try:
            self._log.warn(_ENDING if self._stop.aborted else _FINISHING)
        except RuntimeError:  # the signal came in the middle of a line of the log
            pass
