"""The command: words -> ``Arguments`` -> ``api.send`` -> log, report and exit code.

The border of the program: here, and only here, an unexpected exception becomes one line and a number. What is not
needed for a plain run (help, report, exit codes other than 0) is imported where it is used.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, start_new_thread

from dcmsend.cli import grammar
from dcmsend.cli.log import Level, Log
from dcmsend.cli.program import end_at_once
from dcmsend.cli.words import CommandLine, CommandLineError
from dcmsend.errors import DcmsendError, Interrupted, gave_out
from dcmsend.reasons import because
from dcmsend.stop import Stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType
    from typing import Any, Final, Self

    from dcmsend.api import Report
    from dcmsend.cli.grammar import Arguments, LogChoice
    from dcmsend.events import Event
    from dcmsend.model import Conversion, Peer
    from dcmsend.report.recorder import Recorder
else:
    import _signal as signal  # the functions without the enumerations that the module of that name has of them

LONG: Final = 1.0  # seconds after which a run is a long one
_REQUESTS_TO_STOP: Final = 2  # of a run that is under way: finish the instance; abort
_FINISHING: Final = "interrupted, finishing the instance under way; once more to abort"
_ENDING: Final = "interrupted, ending the run"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (default: the program's own arguments). The exit code; raises nothing."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy comes with decoders, and would start threads for nothing
    program, *words = sys.argv if argv is None else ("dcmsend", *argv)
    log = Log(sys.stderr)
    try:
        line = grammar.read(words)
        request = grammar.request(line)
        if request is not None:
            return _answer(request.long)
        line = grammar.resolved(line)
        grammar.check_parameters(line)
        choice = grammar.log_choice(line)
        log = _log(choice, log)
        return _command(f"calling '{program}' {line.spelled_out()}", line, choice, log)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - none may end in a traceback on the user's terminal
        return _fail(error, log)
    finally:
        log.close()


def _log(choice: LogChoice, log: Log) -> Log:
    """The log that the command line asks for."""
    if choice.config is not None:
        from dcmsend.cli.logs.config import configured

        return configured(choice.config)
    if choice.format == "json":
        from dcmsend.cli.logs.json_lines import JsonLog

        return JsonLog(sys.stderr, choice.level)
    log.level = choice.level
    return log


def _command(calling: str, line: CommandLine, choice: LogChoice, log: Log) -> int:
    if line.has("--arguments"):
        log.room("root").always(Level.INFO, calling, "")
    arguments = grammar.arguments(line, log.level, choice)
    for remark in grammar.remarks(arguments):
        log.warn(remark)
    act = _before if arguments.dry_run or arguments.echo or arguments.probe else _send
    return act(arguments, log, Interrupts(log))


def _before(arguments: Arguments, log: Log, interrupts: Interrupts) -> int:
    """Ask the peer, or show what would be sent, and send where that is wished."""
    from dcmsend.cli.before import before, prepared
    from dcmsend.light import replace

    stop = interrupts.stop
    arguments = replace(arguments, peer=_peer(arguments), conversion=_conversion(arguments), login=None)
    arguments = prepared(arguments)
    with interrupts:
        try:
            code = before(arguments, log, stop)
        except DcmsendError as error:
            from dcmsend.cli.conclusion import tell

            code = tell(Interrupted(because("stopped")) if stop.requested else error, log)
        if code is not None:
            return interrupts.code(code)
    return _send(arguments, log, interrupts)


def _send(arguments: Arguments, log: Log, interrupts: Interrupts) -> int:
    from time import monotonic

    began = monotonic()
    if any((arguments.report_file, arguments.report_json, arguments.report_csv, arguments.report_html)):
        from dcmsend.cli.report_targets import require_good_targets

        require_good_targets(arguments)
    sources = _sources(arguments)
    peer, send = _peer(arguments), _sender(arguments, log)
    listener = _listener(arguments, peer, log)
    recorder = _recorder(arguments, listener)
    with (
        _Provision(arguments),
        interrupts,
        send(
            peer,
            interrupts.guarding(sources),
            scan=arguments.scan,
            policy=arguments.policy,
            conversion=_conversion(arguments),
            timeouts=arguments.timeouts,
            limits=arguments.limits,
            retries=arguments.retries,
            journal=arguments.journal,
            listener=recorder or listener,
            stop=interrupts.stop,
        ) as report,
    ):
        code = 0
        if not report.complete or report.error or recorder or arguments.report_file or log.shows(Level.INFO):
            from dcmsend.cli.conclusion import conclude

            code = conclude(report, arguments, log, monotonic() - began, recorder, interrupts)
        log.finished(report, code)
        return code


class _Provision:
    """While it is entered, waits; when that has taken long, it loads what the end takes (see ``provision``).

    That is done in a thread, which costs a short run next to nothing: a long instance gives no events for minutes.
    """

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments
        self._over = allocate_lock()

    def __enter__(self) -> Self:
        self._over.acquire()
        try:
            start_new_thread(self._wait, ())
        except RuntimeError:  # the system allows no thread
            pass
        return self

    def __exit__(self, *_: object) -> None:
        self._over.release()

    def _wait(self) -> None:
        if hasattr(signal, "pthread_sigmask"):  # they are to wake the thread that waits for the network
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        if not self._over.acquire(timeout=LONG):
            from dcmsend.cli.provision import provide

            provide(self._arguments)


def _listener(arguments: Arguments, peer: Peer, log: Log) -> Callable[[Event], None]:
    """Who tells what happens: in words, or as the events are."""
    halt, contexts = arguments.policy.halt, arguments.verbose_contexts
    if arguments.log.format == "json":
        from dcmsend.cli.logs.json_lines import JsonListener

        return JsonListener(log, halt=halt, contexts=contexts)
    from dcmsend.cli.listener import Listener

    return Listener(log, peer, halt=halt, contexts=contexts)


def _sender(arguments: Arguments, log: Log) -> Callable[..., Report]:
    """``send``, which shows how far it is where somebody wants to see that."""
    from dcmsend.api import send

    shown, stream = arguments.progress, sys.stderr
    if shown is False or log.level == Level.FATAL or stream is None or stream.closed:
        return send
    if not shown and (arguments.log.special or not stream.isatty()):
        return send
    from dcmsend.cli.progress import showing

    return showing(send, arguments, log, stream)


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


def _recorder(arguments: Arguments, listener: Callable[[Event], None]) -> Recorder | None:
    """Who remembers what happens when, where a report wants to tell it."""
    if not (arguments.report_json or arguments.report_csv or arguments.report_html):
        return None
    from dcmsend.report.recorder import Recorder

    return Recorder(listener)


def _answer(long: str) -> int:
    """Write what ``--help`` and its like ask for."""
    from dcmsend.cli.help import ANSWERS
    from dcmsend.cli.output import show

    show((ANSWERS[long](),))
    return 0


def _fail(error: Exception | KeyboardInterrupt, log: Log) -> int:
    """Tell what ended the program, and find the exit code."""
    from dcmsend.cli.exit_codes import ExitCode

    if isinstance(error, CommandLineError):
        _complain(error, log)
        return ExitCode.COMMAND_LINE
    if isinstance(error, OSError | MemoryError):
        error = gave_out(error) or error
    if isinstance(error, DcmsendError):
        from dcmsend.cli.conclusion import tell

        return tell(error, log)
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


def _tell_defect(error: BaseException, log: Log) -> None:
    log.fatal(f"internal error: {type(error).__name__}: {error}")
    if log.shows(Level.DEBUG):
        from traceback import format_exception

        log.debug(*"".join(format_exception(error)).splitlines())


class Interrupts:
    """While it is entered, Ctrl-C and SIGTERM ask to stop; the one behind the last request ends the program.

    A run that is under way may finish an instance at the first, and is aborted at the second. Where there is no run, or
    none any more, the second is the last. ``last`` is the signal that came last, or 0. May be entered again.
    """

    def __init__(self, log: Log) -> None:
        self.stop = Stop()
        self.last = 0
        self._log = log
        self._seen = 0
        self._under_way = False
        self._over = False
        self._untold = ""
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._over = False
        for number in (signal.SIGINT, signal.SIGTERM):
            previous = signal.getsignal(number)
            if previous in (signal.SIG_IGN, self._interrupt):  # started in the background, as by nohup; entered again
                continue
            try:
                signal.signal(number, self._interrupt)
                self._previous[number] = previous
            except ValueError:  # not in the main thread, where no signal arrives
                pass
        return self

    def __exit__(self, *_: object) -> None:
        self._under_way = False
        self._over = True
        for number, previous in self._previous.items():
            if previous is not end_at_once:  # else the exit code, which the reports tell, stays what it is
                signal.signal(number, previous)
        if self._untold:
            self._log.warn(self._untold)

    def guarding(self, sources: Iterable[Any]) -> Iterator[Any]:
        """The same sources. When the first is asked for, a run is under way."""
        self._under_way = True
        yield from sources

    def code(self, code: int) -> int:
        """The exit code, which tells the two signals apart."""
        if code and self.last == signal.SIGTERM:
            from dcmsend.cli.exit_codes import ExitCode

            return ExitCode.TERMINATED if code == ExitCode.INTERRUPTED else code
        return code

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.last = number
        self._seen += 1
        if self._seen >= _REQUESTS_TO_STOP + self._under_way:
            previous = self._previous[number]
            if previous is end_at_once:
                self._log.part("interrupted")
            if callable(previous):
                previous(number, frame)
            raise KeyboardInterrupt(number)
        if self._over:
            return
        self.stop.request()
        words = _ENDING if self.stop.aborted else _FINISHING
        try:
            self._log.warn(words)
        except RuntimeError:  # the signal came in the middle of a line of the log
            self._untold = words
