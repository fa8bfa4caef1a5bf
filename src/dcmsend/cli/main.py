"""The command: words -> ``Arguments`` -> ``api.send`` -> log, report and exit code.

The border of the program: here, and only here, an unexpected exception becomes one line and a number. What is not
needed for a plain run (help, report, exit codes other than 0) is imported where it is used.
"""

from __future__ import annotations

import gc
import os
import sys

from dcmsend.cli import grammar
from dcmsend.cli.log import Level, Log
from dcmsend.cli.words import CommandLineError
from dcmsend.errors import DcmsendError, NoInputError, ReportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable, Sequence
    from types import FrameType
    from typing import Any, Final, NoReturn, Self

    from dcmsend.api import Report
    from dcmsend.cli.exit_codes import ExitCode
    from dcmsend.cli.grammar import Arguments
    from dcmsend.model import Conversion, Peer
    from dcmsend.stop import Stop
else:
    import _signal as signal  # the functions without the enumerations that the module of that name has of them

# New objects before the garbage collector looks for cycles. By default it would do so over a dozen times while modules
# are loaded, and find nothing to free.
_MANY: Final = 20_000
_WORK_AT_THE_END: Final = frozenset(("atexit", "threading"))  # modules that give the interpreter something to end

_REQUESTS_TO_STOP: Final = 2  # finish the instance under way; abort
_FINISHING: Final = "interrupted, finishing the instance under way; once more to abort"
_ENDING: Final = "interrupted, ending the run"


def program() -> NoReturn:
    """Run the command as a process of its own, and end that: what the console script calls."""
    gc.set_threshold(_MANY)
    code = main()
    _flush()
    if _may_end_at_once(sys._getframe().f_back):  # noqa: SLF001 - there is no other way to ask who has called
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (default: the program's own arguments). The exit code; raises nothing."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy comes with decoders, and would start threads for nothing
    program, *words = sys.argv if argv is None else ("dcmsend", *argv)
    log = Log(sys.stderr)
    try:
        return _command(program, words, log)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - none may end in a traceback on the user's terminal
        return _fail(error, log)


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
    sources = _sources(arguments)
    peer = _peer(arguments)
    with (
        _Interrupts(stop, log) as interrupts,
        send(
            peer,
            sources,
            scan=arguments.scan,
            policy=arguments.policy,
            conversion=_conversion(arguments),
            timeouts=arguments.timeouts,
            limits=arguments.limits,
            retries=arguments.retries,
            journal=arguments.journal,
            listener=Listener(log, peer, halt=halt, contexts=arguments.verbose_contexts),
            stop=stop,
        ) as report,
    ):
        return interrupts.code(_conclude(report, arguments, log))


def _sources(arguments: Arguments) -> Iterable[Any]:
    """What is to be sent: the files of the command line, and those that lists name."""
    if not arguments.files_from:
        return arguments.files
    from dcmsend.cli.lists import sources

    return sources(arguments)


def _peer(arguments: Arguments) -> Peer:
    """The peer, with the identity of the user where one is to be told."""
    if arguments.login is None:
        return arguments.peer
    from dcmsend.cli.login import identity_of
    from dcmsend.light import replace

    return replace(arguments.peer, identity=identity_of(arguments.login))


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
        _tell(report.error, log)
    if not isinstance(report.error, NoInputError):
        report_error = _write_report(report, arguments.report_file, log) if arguments.report_file else None
        _summarize(report, log)
    if not report.complete and report.error is None:
        totals = report.totals
        log.error(f"{totals.instances - totals.stored} of {totals.instances} SOP instances were not stored")
    if report.complete and report.error is None and report_error is None:
        return 0
    from dcmsend.cli.exit_codes import of_run

    return of_run(report.error, complete=report.complete, report_error=report_error, dcmtk=arguments.dcmtk_exit_codes)


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
        _tell(error, log)
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
    return 0


def _fail(error: Exception | KeyboardInterrupt, log: Log) -> int:
    """Tell what ended the program, and find the exit code."""
    from dcmsend.cli.exit_codes import ExitCode

    if isinstance(error, CommandLineError):
        _complain(error, log)
        return ExitCode.COMMAND_LINE
    if isinstance(error, DcmsendError):
        return _tell(error, log)
    if isinstance(error, KeyboardInterrupt):
        log.fatal("interrupted")
        return ExitCode.TERMINATED if error.args == (signal.SIGTERM,) else ExitCode.INTERRUPTED
    _tell_defect(error, log)
    return ExitCode.DEFECT


def _complain(error: CommandLineError, log: Log) -> None:
    from dcmsend.cli.help import heading
    from dcmsend.printable import printable

    if not error.hidden:
        log.plain((heading(), f"error: {printable(error.message)}\n"))


def _tell(error: DcmsendError, log: Log) -> ExitCode:
    from dcmsend.cli.exit_codes import NOT_FATAL, of_error

    code = of_error(error)
    log.write(Level.ERROR if code in NOT_FATAL else Level.FATAL, error.message, *([error.hint] if error.hint else []))
    return code


def _tell_defect(error: BaseException, log: Log) -> None:
    log.fatal(f"internal error: {type(error).__name__}: {error}")
    if log.shows(Level.DEBUG):
        from traceback import format_exception

        log.debug(*"".join(format_exception(error)).splitlines())


def _may_end_at_once(caller: FrameType | None) -> bool:
    """Whether the interpreter need not be taken apart, which takes as long as sending a small file.

    So it is where a script has called us and nobody above it waits (a profiler, a debugger), nobody has asked to be
    called at the end, and there are no threads.
    """
    above = caller and caller.f_back
    while above is not None and above.f_globals.get("__name__") == "runpy":  # python -m
        above = above.f_back
    return above is None and not sys.flags.inspect and _WORK_AT_THE_END.isdisjoint(sys.modules)


def _flush() -> None:
    """Write what is left to be written, and drop what cannot be (the disk is full).

    Else the interpreter would try once more, and end with a code of its own.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except ValueError:  # closed: nothing is left
            pass


class _Interrupts:
    """While it is entered, Ctrl-C and SIGTERM ask the run to stop, then to abort, and in the end take the program down.

    ``last`` is the signal that came last, or 0.
    """

    def __init__(self, stop: Stop, log: Log) -> None:
        self.last = 0
        self._stop = stop
        self._log = log
        self._seen = 0
        self._untold = ""
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) == signal.SIG_IGN:  # started in the background, as by nohup
                continue
            try:
                self._previous[number] = signal.signal(number, self._interrupt)
            except ValueError:  # not in the main thread, where no signal arrives
                pass
        return self

    def __exit__(self, *_: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        if self._untold:
            self._log.warn(self._untold)

    def code(self, code: int) -> int:
        """The exit code, which tells the two signals apart."""
        if code and self.last == signal.SIGTERM:
            from dcmsend.cli.exit_codes import ExitCode

            return ExitCode.TERMINATED if code == ExitCode.INTERRUPTED else code
        return code

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        self.last = number
        self._seen += 1
        if self._seen > _REQUESTS_TO_STOP:
            raise KeyboardInterrupt(number)
        self._stop.request()
        words = _ENDING if self._stop.aborted else _FINISHING
        try:
            self._log.warn(words)
        except RuntimeError:  # the signal came in the middle of a line of the log
            self._untold = words
