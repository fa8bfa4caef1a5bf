"""The whole tool as functions: ``send`` and ``echo``. They take values, give values and never print or exit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import TracebackType
from typing import Self, TypeAlias

from dcmsend.errors import (
    DcmsendError,
    Interrupted,
    InvalidInputError,
    NegotiationError,
    NetworkError,
    NoInputError,
    NoValidInputError,
)
from dcmsend.events import Context, Event, InstanceFinished, ScanFinished, ScanStarted
from dcmsend.files.scan import scan as scan_paths
from dcmsend.model import (
    Conversion,
    Instance,
    Limits,
    Notice,
    Outcome,
    Peer,
    Policy,
    Refusal,
    ScanOptions,
    Timeouts,
    Totals,
)
from dcmsend.net.association import Association
from dcmsend.payload.opening import PayloadOpener, no_decoder
from dcmsend.plan import Wishes
from dcmsend.stop import Stop
from dcmsend.transfer.journal import Journal
from dcmsend.transfer.scheduler import Scheduler, Settings
from dcmsend.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION_SOP_CLASS

Listener: TypeAlias = Callable[[Event], None]


class Report:
    """What has become of a run. Holds its list until it is closed; use it as a context manager.

    ``error``: what ended the run early, or ``None``. Failures of single instances are in ``rows()`` and ``totals``.
    """

    def __init__(self, peer: Peer, journal: Journal, totals: Totals, error: DcmsendError | None) -> None:
        self.peer = peer
        self.totals = totals
        self.error = error
        self._journal = journal

    def __repr__(self) -> str:
        return f"<Report: {self.totals.stored} of {self.totals.instances} instances stored, error {self.error!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def complete(self) -> bool:
        """Whether the peer stored every instance that was taken on."""
        return self.totals.stored == self.totals.instances

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        """Every instance that was taken on with its outcome, in the order of the input."""
        return self._journal.rows()

    def close(self) -> None:
        """Let go of the list."""
        self._journal.close()


def send(
    peer: Peer,
    paths: Iterable[str],
    *,
    scan: ScanOptions | None = None,
    policy: Policy | None = None,
    conversion: Conversion | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
) -> Report:
    """Send DICOM files to a storage SCP with C-STORE (PS3.4 Annex B) and say what has become of each.

    ``paths``: files, and directories and DICOMDIRs where ``scan`` allows them. ``listener`` is called with each event,
    in order, in this thread. ``stop`` ends the run from a signal handler or another thread.

    Returns a report also when the run broke: then ``Report.error`` says why, and every instance still has its outcome.
    Raises ``ConfigurationError`` where a dictionary of ``conversion`` cannot be read, before anything is done.
    """
    scan, policy, conversion = scan or ScanOptions(), policy or Policy(), conversion or Conversion()
    if conversion.dictionaries:
        from dcmsend.payload.dictionary import check_paths

        check_paths(conversion.dictionaries)
    wishes = Wishes(policy, conversion.decompression, cache(no_decoder))
    settings = Settings(peer=peer, wishes=wishes, timeouts=timeouts or Timeouts(), limits=limits or Limits())
    stop = stop or Stop()
    return _Run(scan, PayloadOpener(scan, conversion, stop), listener or _ignore, stop).go(paths, settings)


def echo(
    peer: Peer, *, timeouts: Timeouts | None = None, limits: Limits | None = None, stop: Stop | None = None
) -> float:
    """Ask the peer whether it is there with C-ECHO (PS3.7 9.1.5); seconds from request to response.

    Raises ``NetworkError``, also where the peer does not accept the Verification SOP class or answers with a failure.
    """
    syntaxes = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
    proposed = (Context(1, VERIFICATION_SOP_CLASS, syntaxes),)
    association = Association.request(
        peer, proposed, timeouts=timeouts or Timeouts(), limits=limits or Limits(), stop=stop or Stop()
    )
    try:
        if not association.contexts[0].accepted:
            association.release()
            raise NegotiationError("the peer does not accept the Verification SOP class")
        began = time.monotonic()
        response = association.echo(1)
        took = time.monotonic() - began
        association.release()
    finally:
        association.abort()
    if response.status:
        raise NetworkError(f"the peer answered the C-ECHO request with status 0x{response.status:04x}")
    return took


class _Run:
    """One call of ``send``: the journal's only writer, and the only one who calls the listener."""

    def __init__(self, scan: ScanOptions, opener: PayloadOpener, listener: Listener, stop: Stop) -> None:
        self._scan = scan
        self._opener = opener
        self._tell = listener
        self._stop = stop
        self._journal = Journal()
        self._refused = 0

    def go(self, paths: Iterable[str], settings: Settings) -> Report:
        scheduler = Scheduler(self._journal, settings, self._opener, self._stop)
        error: DcmsendError | None
        try:
            self._take_on(paths, halt=settings.wishes.policy.halt)
            for event in scheduler.run():
                if isinstance(event, InstanceFinished):
                    self._journal.record(event.outcome)
                self._tell(event)
            error = scheduler.error
        except DcmsendError as broken:
            error = broken
        if error is not None:
            self._journal.leave(f"not tried: the run ended before ({error})")
        totals = self._journal.totals(
            associations=scheduler.associations, contexts=scheduler.contexts, refused_files=self._refused
        )
        return Report(settings.peer, self._journal, totals, error)

    def _take_on(self, paths: Iterable[str], *, halt: bool) -> None:
        """Scan the input into the journal. Raises ``InputError``, ``Interrupted``."""
        self._tell(ScanStarted(self._scan.directories))
        looked_at = False  # anything at all, though nothing may have come of it
        for found in scan_paths(paths, self._scan):
            if isinstance(found, Instance):
                self._journal.add(found)
            else:
                self._tell(found)
                looked_at |= isinstance(found, Notice) and found.empty
                if isinstance(found, Refusal):
                    self._refused += 1
                    if halt:
                        raise InvalidInputError(found.path, found.reason)
            if self._stop.requested:
                raise Interrupted("stopped by the user")
        self._tell(ScanFinished(len(self._journal), self._refused))
        if not self._journal:
            if self._refused or looked_at:
                raise NoValidInputError("no valid input files to be processed")
            raise NoInputError("no input files to be processed")


def _ignore(event: Event) -> None:
    """The listener of those who do not listen."""
