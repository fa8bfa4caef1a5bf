"""One association from request to release, as events.

Owns the order of things on an association: read ahead while the peer works, send, match the response, and what a
failure means for the instances under way. Decides nothing about further associations; prints nothing.
"""

from __future__ import annotations

from dcmsend.errors import DcmsendError, FileError, Interrupted, NetworkError, RunStopped
from dcmsend.events import (
    AssociationAccepted,
    AssociationEnded,
    AssociationRequested,
    InstanceFinished,
    InstanceStarted,
)
from dcmsend.light import NamedTuple
from dcmsend.model import Notice, Outcome, State
from dcmsend.net.association import Association
from dcmsend.plan import Routes
from dcmsend.transfer.ahead import Ahead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Protocol

    from dcmsend.events import Event
    from dcmsend.model import Instance, Limits, Peer, Timeouts
    from dcmsend.net.pace import Pace
    from dcmsend.net.tls import Security
    from dcmsend.payload.payload import Payload
    from dcmsend.plan import Group, Wishes
    from dcmsend.stop import Stop
    from dcmsend.transfer.ahead import Entry, Opener
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


class Settings(NamedTuple):
    """All that a transfer needs to know beside its list; shared by all its associations."""

    peer: Peer
    wishes: Wishes
    timeouts: Timeouts
    limits: Limits
    opener: Opener
    stop: Stop
    pace: Pace | None = None
    security: Security | None = None


class Ending(NamedTuple):
    """What has become of an association.

    ``error``: what ended it before its work did: a ``NetworkError`` where it could not be made or broke, ``RunStopped``
    where an instance failed and the run halts on that, ``Interrupted`` where the user wished it. ``established``:
    the peer had accepted it, ``usable``: and at least one context. ``finished`` counts the instances that got their
    outcome there.
    """

    error: DcmsendError | None
    established: bool = False
    usable: bool = False
    finished: int = 0


def associate(number: int, group: Group, supply: Supply, settings: Settings) -> Generator[Event, None, Ending]:
    """Association ``number`` (from 1), from its request to its end."""
    policy, stop = settings.wishes.policy, settings.stop
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
        )
    except NetworkError as error:
        yield AssociationEnded(number, str(error))
        return Ending(_stopped() if stop.aborted else error)
    try:
        routes = Routes(association.contexts, settings.wishes)
        worker = Worker(number, association, routes, supply, settings)
        yield AssociationAccepted(
            number, association.max_pdu, association.contexts, association.implementation, association.security
        )
        yield from worker.run()
    finally:
        association.abort()
        stop.wakers.pop(association, None)
    return Ending(worker.error, established=True, usable=bool(routes), finished=worker.finished)


class _Ready(NamedTuple):
    """An instance whose payload is open and has a context to go over."""

    number: int
    instance: Instance
    payload: Payload
    context_id: int


class Worker:
    """Sends what there is over an established association. ``error`` and ``finished`` as in ``Ending``."""

    def __init__(
        self, number: int, association: Association, routes: Routes, supply: Supply, settings: Settings
    ) -> None:
        self.error: DcmsendError | None = None
        self.finished = 0
        self._number = number
        self._association = association
        self._routes = routes
        self._supply = supply
        self._ahead = Ahead(settings.opener, supply.take, routes)
        # Where nothing was accepted, each instance is told and the run goes on.
        self._halt = settings.wishes.policy.halt and bool(routes)
        self._stop = settings.stop
        self._ready: _Ready | None = None  # the next one to be sent
        self._under_way: dict[int, _Ready] = {}  # by Message ID

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
            if self._ready and len(self._under_way) < self._association.window:
                ready, self._ready = self._ready, None
                yield from self._send(ready)
                yield from self._hear()
            elif self._under_way:
                yield from self._collect()
            elif self._must_end() or not self._supply.wait():
                return
            if self._must_end():
                self._let_go()

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
            self._supply.give_back((self._ready.number, self._ready.instance))
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
                if self._stop.aborted and self._must_end():  # it was given up, nothing is wrong with it
                    self._supply.give_back((number, instance))
                    return None
                yield self._failed(number, instance, error.reason)
                continue
            for text in payload.notices:
                yield Notice(f"{instance.path}: {text}")
            context_id = self._routes.carrier(payload.sop_class, payload.transfer_syntax)
            if context_id:
                return _Ready(number, instance, payload, context_id)
            payload.close()
            yield self._refused(number, instance, payload.sop_class)
        return None

    def _send(self, ready: _Ready) -> Iterator[Event]:
        number, instance, payload, context_id = ready
        if self.finished and (error := self._lost_while_idle()):
            self._ready = ready  # it is given back: nothing of it was sent
            yield from self._broken(error)
            return
        message_id = self._association.next_message_id
        yield InstanceStarted(number, instance, self._number, message_id, context_id, payload.transfer_syntax)
        self._under_way[message_id] = ready
        try:
            self._association.store(context_id, payload)
        except NetworkError as error:
            yield from self._broken(error)
        except FileError as error:
            del self._under_way[message_id]
            yield self._failed(number, instance, error.reason, payload)
            if self._association.closed:  # part of the data set had left
                yield from self._broken(NetworkError("association aborted: a file failed while it was being sent"))
        finally:
            payload.close()

    def _lost_while_idle(self) -> NetworkError | None:
        """What ended the association since the last response.

        Asked only once something was finished: an association that does nothing must not be followed by another.
        """
        try:
            self._association.listen()
        except NetworkError as error:
            return error
        return None

    def _collect(self) -> Iterator[Event]:
        while self._supply.work() and not self._association.ready():
            pass
        try:
            response = self._association.collect()
        except NetworkError as error:
            yield from self._broken(error)
            return
        yield self._answered(response)

    def _hear(self) -> Iterator[Event]:
        """What the peer has answered while we were sending: nothing as long as one operation may be outstanding."""
        try:
            for response in self._association.heard():
                yield self._answered(response)
        except NetworkError as error:
            yield from self._broken(error)

    def _answered(self, response: Response) -> Event:
        ready = self._under_way.pop(response.message_id)
        self.finished += 1
        return InstanceFinished(
            ready.instance,
            Outcome(
                number=ready.number,
                state=State.ANSWERED,
                status=response.status,
                reason=_remark(response),
                association=self._number,
                context_id=ready.context_id,
                network_syntax=ready.payload.transfer_syntax,
                dataset_size=ready.payload.dataset_size,
            ),
        )

    def _broken(self, error: NetworkError) -> Iterator[Event]:
        """The association is gone: what was under way was not answered, and may or may not be stored."""
        stopped = _stopped()
        self.error = stopped if self._stop.requested else error
        try:
            for response in self._association.heard():
                yield self._answered(response)
        except NetworkError:
            pass  # one error is enough
        reason = f"not answered: {stopped if self._stop.aborted else error}"
        for ready in self._under_way.values():
            yield self._failed(ready.number, ready.instance, reason, ready.payload)
        self._under_way.clear()

    def _failed(self, number: int, instance: Instance, reason: str, payload: Payload | None = None) -> Event:
        return self._unsent(number, instance, State.FAILED, reason, payload.dataset_size if payload else 0)

    def _refused(self, number: int, instance: Instance, sop_class: str) -> Event:
        reason = self._routes.why_not(sop_class, instance.transfer_syntax)
        return self._unsent(number, instance, State.NO_CONTEXT, reason, 0)

    def _unsent(self, number: int, instance: Instance, state: State, reason: str, size: int) -> Event:
        if self._halt and self.error is None:
            self.error = RunStopped(f"cannot send SOP instance from file: {instance.path}: {reason}")
        self.finished += 1
        outcome = Outcome(
            number=number,
            state=state,
            reason=reason,
            association=self._number,
            context_id=self._routes.proposed(instance.sop_class, instance.transfer_syntax),
            network_syntax=instance.transfer_syntax,
            dataset_size=size,
        )
        return InstanceFinished(instance, outcome)

    def _release(self) -> AssociationEnded:
        if self._association.closed:
            return AssociationEnded(self._number, str(self.error or "aborted"))
        try:
            self._association.release()
        except NetworkError as error:
            return AssociationEnded(self._number, str(error))
        return AssociationEnded(self._number)


def _stopped() -> Interrupted:
    return Interrupted("stopped by the user")


def _remark(response: Response) -> str:
    """What the peer says beside its status: comment and offending elements (PS3.7 C.5)."""
    if not response.comment and not response.offending:
        return ""
    tags = ", ".join(f"({tag >> 16:04x},{tag & 0xFFFF:04x})" for tag in response.offending)
    return ", ".join(filter(None, (response.comment, f"offending elements {tags}" if tags else "")))
