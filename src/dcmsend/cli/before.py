"""What comes before sending: ``--echo``, ``--dry-run`` and ``--probe``. Loaded where one of them is given.

What was asked for goes to standard output, the steps to the log.
"""

from __future__ import annotations

from dcmsend.cli.forecast_text import forecast_lines
from dcmsend.cli.listener import Listener
from dcmsend.cli.log import Level
from dcmsend.cli.output import show
from dcmsend.events import AssociationAccepted
from dcmsend.light import replace
from dcmsend.model import Notice, Refusal
from dcmsend.printable import MAX_HOST, MAX_REMARK, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from dcmsend.cli.grammar import Arguments
    from dcmsend.cli.log import Log
    from dcmsend.events import Event
    from dcmsend.model import Peer
    from dcmsend.stop import Stop


def prepared(arguments: Arguments) -> Arguments:
    """The same with a private key whose password is asked for once, however many associations need it."""
    tls = arguments.peer.tls
    if tls is None or not callable(tls.password):
        return arguments
    return replace(arguments, peer=replace(arguments.peer, tls=replace(tls, password=_once(tls.password))))


def before(arguments: Arguments, log: Log, stop: Stop) -> int | None:
    """Do it; the exit code, or nothing where the sending is to follow. Raises ``DcmsendError``."""
    if arguments.echo:
        answer = _echo(arguments, log, stop)
        if not arguments.files and not arguments.files_from:
            show((answer, "\n"))
            return 0
        log.info(answer)
    return _forecast(arguments, log, stop) if arguments.dry_run or arguments.probe else None


def _echo(arguments: Arguments, log: Log, stop: Stop) -> str:
    from dcmsend.api import echo

    peer = arguments.peer
    log.info("asking the peer with C-ECHO ...")
    took = echo(
        peer,
        timeouts=arguments.timeouts,
        limits=arguments.limits,
        listener=_steps(log, peer, arguments),
        stop=stop,
    )
    where = f"{plain(peer.host, MAX_HOST)}:{peer.port} ({plain(peer.called_ae, MAX_REMARK)})"
    return f"{where} answered C-ECHO after {took:.3f} s"


def _forecast(arguments: Arguments, log: Log, stop: Stop) -> int:
    from dcmsend.cli.exit_codes import of_run
    from dcmsend.rehearsal import dry_run, probe

    if any((arguments.report_file, arguments.report_json, arguments.report_csv, arguments.report_html)):
        log.warn("nothing is sent, so no report is written")
    peer, journal, listener = arguments.peer, arguments.journal, _steps(log, arguments.peer, arguments)
    scan, policy, conversion = arguments.scan, arguments.policy, arguments.conversion
    sources: Iterable[Any] = arguments.files
    if arguments.files_from:
        from dcmsend.cli.lists import sources as names

        sources = names(arguments)
    if arguments.probe:
        forecast = probe(
            peer, sources, scan=scan, policy=policy, conversion=conversion, timeouts=arguments.timeouts,
            limits=arguments.limits, journal=journal, listener=listener, stop=stop,
        )  # fmt: skip
    else:
        forecast = dry_run(
            peer, sources, scan=scan, policy=policy, conversion=conversion, journal=journal,
            listener=listener, stop=stop,
        )  # fmt: skip
    at_once = arguments.limits.associations
    lines = forecast_lines(forecast, peer, asked=arguments.probe, associations=at_once)
    show(f"{line}\n" for line in lines)
    if forecast.error is not None:
        from dcmsend.cli.exit_codes import NOT_FATAL, of_error

        level = Level.ERROR if of_error(forecast.error) in NOT_FATAL else Level.FATAL
        log.failure(level, forecast.error)
    return of_run(
        forecast.error,
        all_stored=not forecast.unsendable,
        all_taken=not (forecast.left_out or forecast.left_over),
        dcmtk=arguments.dcmtk_exit_codes,
    )


def _steps(log: Log, peer: Peer, arguments: Arguments) -> Callable[[Event], None]:
    """Who tells the steps: in words, or as the events are."""
    if arguments.log.format == "json":
        from dcmsend.cli.logs.json_lines import JsonListener

        return JsonListener(log, halt=arguments.policy.halt, contexts=arguments.verbose_contexts)
    return _Steps(log, peer, arguments)


class _Steps(Listener):
    """The steps in the log. What is skipped is shown elsewhere, and here only with the steps."""

    def __init__(self, log: Log, peer: Peer, arguments: Arguments) -> None:
        super().__init__(log, peer, halt=arguments.policy.halt, contexts=arguments.verbose_contexts)
        self._tell[AssociationAccepted] = self._accepted
        self._quiet = not log.shows(Level.INFO)

    def __call__(self, event: Event) -> None:
        if not (self._quiet and isinstance(event, Refusal | Notice)):
            super().__call__(event)


def _once(ask: Callable[[], str]) -> Callable[[], str]:
    """Ask once, and remember."""
    answers: list[str] = []

    def answer() -> str:
        if not answers:
            answers.append(ask())
        return answers[0]

    return answer
