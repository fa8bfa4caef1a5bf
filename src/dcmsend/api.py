"""The whole tool as functions: ``send`` and ``echo``. They take values, give values and never print or exit."""

from __future__ import annotations

import time

from dcmsend.errors import (
    CallersError,
    ConfigurationError,
    DcmsendError,
    JournalError,
    NegotiationError,
    NetworkError,
    gave_out,
    of_caller,
    settled,
)
from dcmsend.events import (
    AssociationEnded,
    AssociationRequested,
    Context,
    InstanceFinished,
    InstanceKnown,
    InstancePostponed,
    ScanStarted,
)
from dcmsend.model import Conversion, Limits, Notice, Policy, Retries, ScanOptions, Timeouts
from dcmsend.net.association import Association
from dcmsend.net.negotiation import Known
from dcmsend.payload.opening import PayloadOpener, no_decoder
from dcmsend.plan import Wishes
from dcmsend.reasons import Reason, because
from dcmsend.stop import Stop
from dcmsend.transfer.intake import Input, Intake
from dcmsend.transfer.journal import Journal
from dcmsend.transfer.retry import Attempts
from dcmsend.transfer.scheduler import Scheduler
from dcmsend.transfer.worker import Settings, accepted_event
from dcmsend.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION_SOP_CLASS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from types import TracebackType
    from typing import Final, Self, TypeAlias

    from dcmsend.events import Event
    from dcmsend.meter import Meter
    from dcmsend.model import Conflict, Instance, JournalFile, Outcome, Peer, Refusal, Totals
    from dcmsend.net.pace import Pace
    from dcmsend.net.tls import Security
    from dcmsend.source import Source
    from dcmsend.transfer.ledger import Ledger
    from dcmsend.transfer.left_out import LeftOut

    Listener: TypeAlias = Callable[[Event], None]

# What is looked at before the first association is asked for: it shall need no further one for a small input, and a
# large one shall not wait.
FIRST_LOOK: Final = 1000  # instances
FIRST_LOOK_SECONDS: Final = 0.2
MOST_CONFLICTS: Final = 100  # SOP Instance UIDs of more than one file that are looked at
MOST_PATHS: Final = 10  # of each


class Report:
    """What has become of a run. Holds its list until it is closed; use it as a context manager.

    ``error``: what ended the run early, or ``None``. Failures of single instances are in ``rows()`` and ``totals``,
    what was not taken on at all in ``refusals()``. ``conflicts``: files of one SOP Instance UID that differ, for the
    first 100 such UIDs.
    """

    def __init__(
        self,
        peer: Peer,
        journal: Journal,
        left_out: LeftOut,
        totals: Totals,
        error: DcmsendError | None,
        conflicts: tuple[Conflict, ...] = (),
    ) -> None:
        self.peer = peer
        self.totals = totals
        self.error = error
        self.conflicts = conflicts
        self._journal = journal
        self._left_out = left_out

    def __repr__(self) -> str:
        left_out = f", {self.totals.left_out} left out" if self.totals.left_out else ""
        stored = f"{self.totals.stored} of {self.totals.instances} instances stored"
        return f"<Report: {stored}{left_out}, error {self.error!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def complete(self) -> bool:
        """Return True if the peer has all that was named.

        That is: every instance is stored, nothing was left out, the journal file has none from earlier runs that is
        neither stored nor met in this one, and the run came to its end. What is no DICOM does not count.
        """
        return self.error is None and self.totals.complete

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        """Every instance that was taken on with its outcome, in the order of the input.

        Raises ``JournalError`` once it is closed.
        """
        return self._journal.rows()

    def refusals(self) -> Iterator[Refusal]:
        """What was given or found and not taken on, with its reason, until it is closed.

        First all that was left out, then what is no DICOM, of which the first 1,000 are kept.
        """
        return self._left_out.rows()

    def stored_bytes(self) -> int:
        """Bytes of the data sets that the peer stored in this run, as they are in the files."""
        return self._journal.stored_bytes()

    def raise_for_failures(self) -> None:
        """Raise ``FailuresError`` unless the run is ``complete``."""
        if self.complete:
            return
        from dcmsend.report.failures import failures

        raise failures(self.totals, self.rows(), self.refusals(), self.error) from self.error

    def close(self) -> None:
        """Let go of the list."""
        self._journal.close()
        self._left_out.close()


def send(
    peer: Peer,
    sources: Iterable[Source],
    *,
    scan: ScanOptions | None = None,
    policy: Policy | None = None,
    conversion: Conversion | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    retries: Retries | None = None,
    journal: JournalFile | None = None,
    listener: Listener | None = None,
    meter: Meter | None = None,
    stop: Stop | None = None,
) -> Report:
    """Send DICOM instances to a storage SCP with C-STORE (PS3.4 Annex B) and say what has become of each.

    ``sources``: paths of files, and of directories, DICOMDIRs and archives where ``scan`` allows them; the bytes of
    DICOM files; file objects that are open in binary mode; data sets of pydicom. Any iterable will do, it is asked for
    the next one when there is room for it. What is no path is kept until it has its outcome, and no longer; the file
    behind a file object must not be changed until then.

    ``listener`` is called with each event, in order, in this thread, whatever the number of associations. ``meter``
    counts what leaves and what there is to do, for other threads to look at. ``stop`` ends the run from a signal
    handler or another thread. With ``journal``, instances that an earlier run has stored are not sent again.

    Returns a report also when the run broke: then ``Report.error`` says why, and every instance still has its outcome.
    Before anything is done, raises ``ConfigurationError`` where a dictionary of ``conversion`` or a file of
    ``peer.tls`` cannot be used or settings do not go together, and ``JournalError`` where the journal file cannot be
    used. ``TypeError``, at once or when its turn comes, where a source is nothing that can be sent; that, and what
    ``sources`` or ``listener`` raise themselves, aborts the associations that are open.
    """
    run = prepared(
        peer,
        scan=scan,
        policy=policy,
        conversion=conversion,
        timeouts=timeouts,
        limits=limits,
        retries=retries,
        journal=journal,
        listener=listener or _ignore,
        meter=meter,
        stop=stop or Stop(),
    )
    for _ in run.steps(sources):
        pass
    assert run.report is not None  # noqa: S101 - the last step makes it
    return run.report


def prepared(
    peer: Peer,
    *,
    scan: ScanOptions | None,
    policy: Policy | None,
    conversion: Conversion | None,
    timeouts: Timeouts | None,
    limits: Limits | None,
    retries: Retries | None,
    journal: JournalFile | None,
    listener: Listener,
    meter: Meter | None,
    stop: Stop,
) -> Transfer:
    """A run with these settings, which has not begun. Raises what ``send`` raises before anything is done."""
    scan, policy, conversion = scan or ScanOptions(), policy or Policy(), conversion or Conversion()
    retries = retries or Retries()
    if retries.count and not policy.multiple_associations:
        raise ConfigurationError("nothing can be tried again where only one association is allowed")
    wishes = checked_wishes(scan, policy, conversion, journal)
    limits, opener = limits or Limits(), PayloadOpener(scan, conversion, stop)
    settings = Settings(
        peer=peer,
        wishes=wishes,
        timeouts=timeouts or Timeouts(),
        limits=limits,
        opener=opener,
        stop=stop,
        attempts=Attempts(retries.count),
        known=Known(),
        pace=_pace(limits),
        security=secured(peer),
        meter=meter,
    )
    return Transfer(settings, opener, retries, scan, listener, _ledger(journal, peer, stop))


def checked_wishes(scan: ScanOptions, policy: Policy, conversion: Conversion, journal: JournalFile | None) -> Wishes:
    """What may be proposed and converted. Raises ``ConfigurationError`` where settings do not go together."""
    if journal and scan.send_duplicates:
        raise ConfigurationError("a journal file knows each file once, and duplicates are to be sent")
    if conversion.dictionaries:
        from dcmsend.payload.dictionary import check_paths

        check_paths(conversion.dictionaries)
    return Wishes(policy, conversion.decompression, _Cached().__getitem__)


class _Cached(dict[str, Reason]):
    """Why each transfer syntax cannot be decoded, found out once."""

    def __missing__(self, syntax: str) -> Reason:
        self[syntax] = no_decoder(syntax)
        return self[syntax]


def _ledger(file: JournalFile | None, peer: Peer, stop: Stop) -> Ledger | None:
    if file is None:
        return None
    from dcmsend.transfer.ledger import Ledger

    return Ledger(file, peer, stop)


def _pace(limits: Limits) -> Pace | None:
    if limits.rate is None:
        return None
    from dcmsend.net.pace import Pace

    return Pace(limits.rate)


def secured(peer: Peer) -> Security | None:
    """What secures the connection, made of the files of ``peer.tls``. Raises ``ConfigurationError``."""
    if peer.tls is None:
        return None
    from dcmsend.net.tls import Security

    return Security(peer.tls, peer.host)


def echo(
    peer: Peer,
    *,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
) -> float:
    """Ask the peer whether it is there with C-ECHO (PS3.7 9.1.5); seconds from request to response.

    ``listener`` hears of the association. Raises ``NetworkError``, also where the peer does not accept the Verification
    SOP class or answers with a failure; ``ConfigurationError`` where a file of ``peer.tls`` cannot be used.
    """
    syntaxes = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
    proposed = (Context(1, VERIFICATION_SOP_CLASS, syntaxes),)
    security, tell, stop = secured(peer), listener or _ignore, stop or Stop()
    tell(AssociationRequested(1, proposed, multiple=False))
    association = Association.request(
        peer, proposed, timeouts=timeouts or Timeouts(), limits=limits or Limits(), stop=stop, security=security
    )
    try:
        tell(accepted_event(1, association))
        if not association.contexts[0].accepted:
            association.release()
            raise NegotiationError(because("verification_not_accepted"))
        began = time.monotonic()
        response = association.echo(1)
        took = time.monotonic() - began
        association.release()
        tell(AssociationEnded(1))
    finally:
        association.abort()
        stop.wakers.pop(association, None)
    if response.status:
        raise NetworkError(because("echo_refused", status=f"0x{response.status:04x}"))
    return took


class Transfer:
    """One run: the journal's only writer, and the only one who calls the listener. ``report`` is there at the end."""

    def __init__(
        self,
        settings: Settings,
        opener: PayloadOpener,
        retries: Retries,
        scan: ScanOptions,
        listener: Listener,
        ledger: Ledger | None,
    ) -> None:
        self.report: Report | None = None
        self._settings = settings
        self._retries = retries
        self._scan = scan
        self._tell = of_caller(listener)
        self._ledger = ledger
        self._journal = Journal(settings.stop)
        self._opener = opener
        self._input = Input(scan, opener, ledger, settings.stop, bounded=self._bounded)

    def steps(self, sources: Iterable[object]) -> Generator[None]:
        """Do all that there is to do, a bit at a time: each step tells no more than a few events.

        Closed early, it aborts what is under way, and there is no report.
        """
        journal, ledger, policy = self._journal, self._ledger, self._settings.wishes.policy
        if self._settings.meter is not None:
            self._settings.meter.watch(journal.found)
        found = self._input.found(sources)
        intake = Intake(found, journal, self._hear, self._settings.stop, halt=policy.halt, ledger=ledger)
        scheduler = Scheduler(journal, intake, self._settings, self._retries, ledger.kept if ledger else None)
        theirs: Exception | None = None
        try:
            found_twice, error = yield from self._all(intake, scheduler)
            error = (ledger.error if ledger else None) or journal.error or error
            if error is not None:
                self._leave(error)
            totals = journal.totals(
                associations=scheduler.associations,
                contexts=scheduler.contexts,
                left_out=intake.left_out.left_out,
                no_dicom=intake.left_out.no_dicom,
                left_over=intake.left_over,
                earlier=ledger.earlier if ledger else 0,
            )
            for conflict in found_twice:
                self._tell(Notice(str(conflict)))
            self.report = Report(self._settings.peer, journal, intake.left_out, totals, error, found_twice)
        except CallersError as raised:
            theirs = raised.error
        finally:
            if self.report is None:
                try:
                    self._let_go()
                finally:  # for the second Ctrl-C in a notebook may come at any moment of this, too
                    self._let_go()
                    journal.close()
                    intake.left_out.close()
        if theirs is not None:
            try:
                raise theirs
            finally:
                del theirs  # or else it and this frame would hold each other

    def _all(
        self, intake: Intake, scheduler: Scheduler
    ) -> Generator[None, None, tuple[tuple[Conflict, ...], DcmsendError | None]]:
        """Look and send. Files with one SOP Instance UID that differ, and what ended it early."""
        try:
            self._tell(ScanStarted(self._scan.directories))
            yield
            yield from _look(intake, self._journal, everything=not self._bounded)
            yield from self._transfer(scheduler)
            return self._conflicts(), scheduler.error
        except DcmsendError as broken:
            return (), settled(broken)
        except (OSError, MemoryError) as broken:
            error = gave_out(broken)
            if error is None:
                raise
            return (), settled(error)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Close what is needed no more. May be called again."""
        if self._ledger is not None:
            self._ledger.close()
        self._input.close()

    @property
    def _bounded(self) -> bool:
        """Whether sending may begin before all input has been looked at."""
        policy = self._settings.wishes.policy
        return policy.multiple_associations and not policy.scan_first

    def _transfer(self, scheduler: Scheduler) -> Iterator[None]:
        events = scheduler.run()
        try:
            for event in events:
                if isinstance(event, InstanceFinished):
                    self._journal.record(event.outcome, event.instance)
                    if self._ledger is not None and not event.outcome.association:
                        self._ledger.record(event)  # what no association will do
                    self._input.release(event.instance.path)
                elif isinstance(event, InstancePostponed):
                    self._journal.postpone(event.outcome)
                self._tell(event)
                yield
        finally:
            events.close()  # ends associations, if any are open

    def _hear(self, event: Event) -> None:
        """What the intake tells."""
        if isinstance(event, InstanceKnown):
            self._input.release(event.instance.path)
        self._tell(event)

    def _conflicts(self) -> tuple[Conflict, ...]:
        """Files of one SOP Instance UID that are not the same, unless somebody wants the run to end."""
        if self._settings.stop.requested:
            return ()
        try:
            groups = list(self._journal.shared_uids(MOST_CONFLICTS, MOST_PATHS))
        except JournalError as error:  # there is no room to sort them
            self._tell(Notice(f"files with one SOP Instance UID were not looked for: {error}"))
            return ()
        if not groups:
            return ()
        from dcmsend.transfer.conflicts import conflicts

        return tuple(conflicts(groups, self._opener.open_file, self._scan.read_mode))

    def _leave(self, error: DcmsendError) -> None:
        try:
            self._journal.leave(because("run_ended", error.why))
        except JournalError:  # what is written cannot even be read
            pass


def _look(intake: Intake, journal: Journal, *, everything: bool) -> Iterator[None]:
    """Look at the input before anything is sent: at all of it, or at enough to know what will be needed."""
    deadline = time.monotonic() + FIRST_LOOK_SECONDS
    while intake.advance() or intake.wait(None if everything else deadline - time.monotonic()):
        yield
        if not everything and (len(journal) >= FIRST_LOOK or time.monotonic() > deadline):
            return


def _ignore(event: Event) -> None:
    """The listener of those who do not listen."""
