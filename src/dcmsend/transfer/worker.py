"""One association from request to release, as events.

Owns the order of things on an association: read ahead while the peer works, send, match the response, and what a
failure means for the instances under way. Decides nothing about further associations; prints nothing.
"""

from __future__ import annotations

from time import monotonic

from dcmsend.errors import (
    ConnectError,
    DcmsendError,
    FileError,
    Interrupted,
    NetworkError,
    RunStopped,
    settled,
)
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    InstanceFinished,
    InstancePostponed,
    InstanceStarted,
)
from dcmsend.light import NamedTuple
from dcmsend.model import Instance, Notice, Outcome, State, status_class
from dcmsend.net.association import Association
from dcmsend.net.negotiation import Known
from dcmsend.plan import Routes
from dcmsend.printable import MAX_PATH, plain
from dcmsend.reasons import NONE, because, of_system
from dcmsend.transfer.ahead import Ahead
from dcmsend.transfer.answers import as_sent, mismatch, remark_of, unanswered
from dcmsend.transfer.retry import BREAKS, error_passes, status_passes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Protocol

    from dcmsend.events import Event
    from dcmsend.meter import Gauge, Meter
    from dcmsend.model import Limits, Peer, Timeouts
    from dcmsend.net.pace import Pace
    from dcmsend.net.tls import Security
    from dcmsend.payload.payload import Payload
    from dcmsend.plan import Group, Wishes
    from dcmsend.reasons import Reason
    from dcmsend.stop import Stop
    from dcmsend.transfer.ahead import Entry, Opener
    from dcmsend.transfer.retry import Attempts
    from dcmsend.wire.command import Response

    class Supply(Protocol):
        """Where a worker takes its instances from."""

        def take(self) -> Entry | None:
            """The next instance, or ``None`` where none is at hand."""

        def give_back(self, entry: Entry) -> None:
            """Return an instance that was not tried."""

        def work(self) -> bool:
            """Do a bit of something else while the peer works; whether there was any."""

        def wait(self) -> bool:
            """Wait until there is an instance; whether there is one, or none will come."""

        def spare(self) -> bool:
            """Let one go who takes from here, if others stay; whether they do."""


# What the system has too little of: with fewer associations there may be enough.
_SCARCE = ("too_many_open_files", "no_memory")


class Settings(NamedTuple):
    """All that a transfer needs to know beside its list; shared by all its associations."""

    peer: Peer
    wishes: Wishes
    timeouts: Timeouts
    limits: Limits
    opener: Opener
    stop: Stop
    attempts: Attempts
    pace: Pace | None = None
    clock: Callable[[], float] = monotonic  # seconds
    security: Security | None = None
    meter: Meter | None = None
    known: Known | None = None


class Ending(NamedTuple):
    """What has become of an association.

    ``error``: what ended it before its work did: a ``NetworkError`` where it could not be made or broke, ``RunStopped``
    where an instance failed and the run halts on that, ``Interrupted`` where the user wished it. ``began``: when it
    was asked for. ``established``: the peer had accepted it, ``usable``: and at least one context. Of the instances
    that were tried there, ``answered`` were answered for good, ``failed`` have failed for good, and ``postponed`` will
    be tried again. ``spared``: it ended early so that the system's means are enough for the others.
    """

    error: DcmsendError | None
    began: float
    established: bool = False
    usable: bool = False
    answered: int = 0
    failed: int = 0
    postponed: int = 0
    spared: bool = False

    @property
    def tried(self) -> int:
        """How many instances have been tried."""
        return self.answered + self.failed + self.postponed


def associate(number: int, group: Group, supply: Supply, settings: Settings) -> Generator[Event, None, Ending]:
    """Association ``number`` (from 1), from its request to its end."""
    policy, stop, began = settings.wishes.policy, settings.stop, settings.clock()
    gauge = settings.meter.gauge(number) if settings.meter is not None else None
    yield AssociationRequested(number, group.contexts, policy.multiple_associations)
    try:
        association = Association.request(
            settings.peer,
            group.contexts,
            timeouts=settings.timeouts,
            limits=settings.limits,
            stop=stop,
            pace=settings.pace,
            security=settings.security,
            gauge=gauge,
            known=settings.known,
        )
    except NetworkError as failure:
        error: DcmsendError = _stopped() if stop.aborted else settled(failure)
        yield AssociationEnded(number, error.why)
        return Ending(error, began)
    try:
        routes = Routes(association.contexts, settings.wishes)
        worker = Worker(number, association, routes, supply, settings, gauge)
        yield accepted_event(number, association)
        yield from worker.run()
    finally:
        association.abort()
        stop.wakers.pop(association, None)
    counts = (worker.answered, worker.failed, worker.postponed)
    return Ending(worker.error, began, True, bool(routes), *counts, worker.spared)  # noqa: FBT003 - established


def accepted_event(number: int, association: Association) -> AssociationAccepted:
    """What is told of an association that the peer has accepted."""
    return AssociationAccepted(
        number, association.max_pdu, association.contexts, association.implementation, association.security
    )


class _Ready(NamedTuple):
    """An instance whose payload is open and has a context to go over: as it stands in the list, and as it goes out."""

    number: int
    listed: Instance
    instance: Instance
    payload: Payload
    context_id: int


class Worker:
    """Sends what there is over an established association. ``error`` and the counts are as in ``Ending``."""

    def __init__(
        self,
        number: int,
        association: Association,
        routes: Routes,
        supply: Supply,
        settings: Settings,
        gauge: Gauge | None = None,
    ) -> None:
        self.error: DcmsendError | None = None
        self.answered = 0
        self.failed = 0
        self.postponed = 0
        self.spared = False
        self._number = number
        self._association = association
        self._routes = routes
        self._supply = supply
        self._ahead = Ahead(settings.opener, supply.take, routes)
        # Where nothing was accepted, each instance is told and the run goes on.
        self._halt = settings.wishes.policy.halt and bool(routes)
        self._stop = settings.stop
        self._attempts = settings.attempts
        self._clock = settings.clock
        self._gauge = gauge
        self._ready: _Ready | None = None  # the next one to be sent
        self._under_way: dict[int, _Ready] = {}  # by Message ID
        self._began: dict[int, float] = {}  # when the request went out, by Message ID

    def run(self) -> Iterator[Event]:
        """Send what can be sent, then release. What was taken and not tried is given back."""
        try:
            self._stop.busy.add(self)  # nothing is waited for long but responses: a first request is soon heeded
            yield from self._send_all()
            self._stop.busy.discard(self)
            yield self._release()
        finally:
            self._stop.busy.discard(self)
            self._let_go()

    def _send_all(self) -> Iterator[Event]:
        while True:
            if self._ready is None:
                self._ready = yield from self._prepare()
            if self._ready and self._may_send(self._ready):
                ready, self._ready = self._ready, None
                yield from self._send(ready)
                yield from self._hear()
            elif self._under_way:
                yield from self._collect()
            elif self._must_end() or not self._supply.wait():
                return
            if self._must_end():
                self._let_go()

    def _may_send(self, ready: _Ready) -> bool:
        """Whether an instance may go out beside those under way. One that has failed before goes alone.

        What breaks then is broken by no other.
        """
        under_way = self._under_way
        if not under_way:
            return True
        if len(under_way) >= self._association.window:
            return False
        failed = self._attempts.failed
        return not failed or (
            ready.number not in failed and all(one.number not in failed for one in under_way.values())
        )

    def _must_end(self) -> bool:
        if self._stop.requested and self.error is None:
            self.error = _stopped()
        return self.error is not None

    def _let_go(self) -> None:
        """Give back what was taken and not tried, in its order."""
        for entry in self._ahead.close():
            self._supply.give_back(entry)
        if self._ready is not None:
            self._ready.payload.close()
            self._supply.give_back((self._ready.number, self._ready.listed))
            self._ready = None

    def _prepare(self) -> Generator[Event, None, _Ready | None]:
        """The next instance that can go, opened and checked; those before it that cannot get their outcome."""
        while not self._must_end():
            opening = self._ahead.next()
            if opening is None:
                return None
            number, instance, open_payload = opening
            if open_payload is None:
                yield self._refused(number, instance, instance.sop_class)
                continue
            try:
                payload = open_payload()
            except FileError as error:
                reason = error.reason
            except (OSError, MemoryError) as error:  # of the system: a module that is needed cannot be loaded
                reason = of_system(error)
            else:
                reason = NONE
            if reason:
                if self._is_given_up(reason):
                    self._supply.give_back((number, instance))
                    return None
                yield self._failed(number, instance, reason)
                continue
            for text in payload.notices:
                yield Notice(f"{plain(instance.path, MAX_PATH)}: {text}")
            context_id = self._routes.carrier(payload.sop_class, payload.transfer_syntax)
            if context_id:
                return _Ready(number, instance, as_sent(instance, payload), payload, context_id)
            payload.close()
            yield self._refused(number, instance, payload.sop_class)
        return None

    def _is_given_up(self, reason: Reason) -> bool:
        """Whether nothing is wrong with a file that could not be opened, and this association does no more.

        The run was aborted; or the system has too little of something, and there are other associations.
        """
        if self._stop.aborted and self._must_end():
            return True
        if reason.innermost.code not in _SCARCE or not self._supply.spare():
            return False
        self.error, self.spared = ConnectError(reason), True
        return True

    def _send(self, ready: _Ready) -> Iterator[Event]:
        number, _, instance, payload, context_id = ready
        if (self.answered or self.failed or self.postponed) and (error := self._lost_while_idle()):
            self._ready = ready  # it is given back: nothing of it was sent
            yield from self._broken(error)
            return
        message_id = self._association.next_message_id
        if self._gauge is not None:
            self._gauge.begin(instance, payload.length)
        yield InstanceStarted(number, instance, self._number, message_id, context_id, payload.transfer_syntax)
        self._under_way[message_id] = ready
        self._began[message_id] = self._clock()
        broken: NetworkError | None = None
        failed = NONE
        try:
            self._association.store(context_id, payload)
        except NetworkError as error:
            broken = settled(error)
        except FileError as error:
            failed = error.reason
        except MemoryError as error:
            failed = of_system(error)
        finally:
            payload.close()
        if failed:
            yield from self._hear()
            if self._under_way.pop(message_id, None):  # or else the peer has refused it before it was sent whole
                self._attempts.fail(number)
                yield self._failed(number, instance, failed, payload)
            if self._association.closed:  # part of the data set had left
                broken = NetworkError(because("file_failed_under_way"))
        if broken is not None:
            yield from self._broken(broken)

    def _lost_while_idle(self) -> NetworkError | None:
        """What ended the association since the last response.

        Asked only once something was tried: an association that does nothing must not be followed by another.
        """
        try:
            self._association.listen()
        except NetworkError as error:
            return settled(error)
        return None

    def _collect(self) -> Iterator[Event]:
        while self._supply.work() and not self._association.ready():
            pass
        try:
            response = self._association.collect()
        except NetworkError as error:
            broken = settled(error)
        else:
            yield self._answered(response)
            return
        yield from self._broken(broken)

    def _hear(self) -> Iterator[Event]:
        """What the peer has answered while we were sending: nothing as long as one operation may be outstanding."""
        for response in self._association.heard():
            yield self._answered(response)

    def _answered(self, response: Response) -> Event:
        ready = self._under_way.pop(response.message_id)
        seconds = self._clock() - self._began.pop(response.message_id)
        status, payload = response.status, ready.payload
        if status_class(status).stored:
            if other := mismatch(response, ready.payload, ready.context_id):
                self._attempts.fail(ready.number)
                return self._failed(ready.number, ready.instance, other, payload)
            if payload.doubt:
                return self._touched(ready, payload.doubt)
        passes = status != 0 and status_passes(status)
        again = passes and self._attempts.fail(ready.number)
        attempts = self._attempts.made(ready.number) if again else self._attempts.end(ready.number) + (not passes)
        outcome = Outcome(
            number=ready.number,
            state=State.ANSWERED,
            status=status,
            reason=remark_of(response),
            association=self._number,
            context_id=ready.context_id,
            network_syntax=payload.transfer_syntax,
            dataset_size=payload.dataset_size,
            attempts=attempts,
        )
        if again:
            self.postponed += 1
            return InstancePostponed(ready.instance, outcome, True)  # noqa: FBT003 - aside
        self.answered += 1
        return InstanceFinished(ready.instance, outcome, seconds)

    def _touched(self, ready: _Ready, doubt: Reason) -> Event:
        """Somebody has touched the file while it was sent, and its bytes may or may not be of two minds: it is sent
        again, and what the peer has is replaced.
        """
        number, listed, instance, payload, _ = ready
        if not self._attempts.touch(number):
            return self._failed(number, instance, doubt, payload)
        self._supply.give_back((number, listed))
        attempts = self._attempts.made(number)
        outcome = self._outcome(number, instance, State.FAILED, doubt, payload.dataset_size, attempts)
        return InstancePostponed(instance, outcome, False)  # noqa: FBT003 - aside

    def _broken(self, error: NetworkError) -> Iterator[Event]:
        """The association is gone: what was under way was not answered, and may or may not be stored."""
        stopped = _stopped()
        self.error = stopped if self._stop.requested else error
        yield from self._hear()
        reason = unanswered(error) if not self._stop.aborted else because("aborted_under_way")
        passes = error_passes(error, established=True) and not self._stop.requested
        self._let_go()  # what comes behind those under way is given back before them
        for ready in reversed(self._under_way.values()):
            again = self._attempts.fail(ready.number) and passes
            if again:
                yield self._postponed(ready, reason)
            else:
                yield self._failed(ready.number, ready.instance, reason, ready.payload)
        self._under_way.clear()
        self._began.clear()

    def _postponed(self, ready: _Ready, reason: Reason) -> Event:
        """An instance that broke an association is tried again at once, and then not before all others."""
        aside = self._attempts.failed[ready.number] >= BREAKS
        if not aside:
            self._supply.give_back((ready.number, ready.listed))
        self.postponed += 1
        attempts = self._attempts.made(ready.number)
        outcome = self._outcome(
            ready.number, ready.instance, State.FAILED, reason, ready.payload.dataset_size, attempts
        )
        return InstancePostponed(ready.instance, outcome, aside)

    def _failed(self, number: int, instance: Instance, reason: Reason, payload: Payload | None = None) -> Event:
        return self._unsent(number, instance, State.FAILED, reason, payload.dataset_size if payload else 0)

    def _refused(self, number: int, instance: Instance, sop_class: str) -> Event:
        reason = self._routes.why_not(sop_class, instance.transfer_syntax)
        return self._unsent(number, instance, State.NO_CONTEXT, reason, 0)

    def _unsent(self, number: int, instance: Instance, state: State, reason: Reason, size: int) -> Event:
        if self._halt and self.error is None:
            self.error = RunStopped(because("instance_not_sent", reason, path=instance.path))
        self.failed += 1
        attempts = self._attempts.end(number)
        return InstanceFinished(instance, self._outcome(number, instance, state, reason, size, attempts))

    def _outcome(
        self, number: int, instance: Instance, state: State, reason: Reason, size: int, attempts: int
    ) -> Outcome:
        """What has become of an instance that was not answered."""
        return Outcome(
            number=number,
            state=state,
            reason=reason,
            association=self._number,
            context_id=self._routes.proposed(instance.sop_class, instance.transfer_syntax),
            network_syntax=instance.transfer_syntax,
            dataset_size=size,
            attempts=attempts,
        )

    def _release(self) -> AssociationEnded:
        if self._association.closed and self.error is not None:
            return AssociationEnded(self._number, self.error.why)
        try:
            self._association.release()
        except NetworkError as error:
            return AssociationEnded(self._number, because("not_released", error.why))
        return AssociationEnded(self._number)


def _stopped() -> Interrupted:
    return Interrupted(because("stopped"))
