"""One association from open to release, as events.

Owns the order of things on an association: read ahead while the peer works, send, match the response, and what a
failure means for the instances under way. Decides nothing about further associations; prints nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

from dcmsend.errors import DcmsendError, FileError, Interrupted, NetworkError, RunStopped
from dcmsend.events import AssociationEnded, Event, InstanceFinished, InstanceStarted
from dcmsend.model import Instance, Notice, Outcome, State
from dcmsend.net.association import Association
from dcmsend.payload.payload import Payload
from dcmsend.plan import Routes
from dcmsend.stop import Stop
from dcmsend.transfer.ahead import Ahead, Entry, Opening
from dcmsend.wire.command import Response


class _Ready(NamedTuple):
    """An instance whose payload is open and has a context to go over."""

    number: int
    instance: Instance
    payload: Payload
    context_id: int


class Worker:
    """Sends entries over an established association.

    ``error`` says afterwards what ended the work before the entries did: a ``NetworkError`` where the association
    broke, ``RunStopped`` where an instance failed and ``halt`` is set, ``Interrupted`` where the user wished it.
    ``finished`` counts the instances that got their outcome here.
    """

    def __init__(
        self, number: int, association: Association, routes: Routes, ahead: Ahead, *, halt: bool, stop: Stop
    ) -> None:
        self.error: DcmsendError | None = None
        self.finished = 0
        self._number = number
        self._association = association
        self._routes = routes
        self._ahead = ahead
        self._halt = halt and bool(self._routes)  # where nothing was accepted, each is told and the run goes on
        self._stop = stop
        self._under_way: dict[int, _Ready] = {}  # by Message ID

    def run(self, entries: Iterable[Entry]) -> Iterator[Event]:
        """Send what can be sent, then release. The association is closed on every way out."""
        try:
            self._stop.busy = True  # nothing is waited for here but responses: a first request to stop is soon heeded
            yield from self._send_all(self._ahead.open(entries, self._routes))
            self._stop.busy = False
            yield self._release()
        finally:
            self._stop.busy = False
            self._ahead.close()
            self._association.abort()

    def _send_all(self, openings: Iterator[Opening]) -> Iterator[Event]:
        ahead = yield from self._prepare(openings)
        try:
            while ahead or self._under_way:
                while ahead and len(self._under_way) < self._association.window:
                    yield from self._send(ahead)
                    ahead = yield from self._prepare(openings)  # while the peer works
                    yield from self._hear()
                if self._under_way:
                    yield from self._collect()
                if ahead and self._must_end():
                    ahead.payload.close()
                    ahead = None
        finally:
            if ahead:
                ahead.payload.close()

    def _must_end(self) -> bool:
        if self._stop.requested and self.error is None:
            self.error = Interrupted("stopped by the user")
        return self.error is not None

    def _prepare(self, openings: Iterator[Opening]) -> Generator[Event, None, _Ready | None]:
        """The next instance that can go, opened and checked; those before it that cannot get their outcome."""
        while not self._must_end():
            opening = next(openings, None)
            if opening is None:
                return None
            number, instance, open_payload = opening
            if open_payload is None:
                yield self._refused(number, instance, instance.sop_class)
                continue
            try:
                payload = open_payload()
            except FileError as error:
                if self._stop.aborted and self._must_end():
                    return None  # it was given up, nothing is wrong with it
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
            payload.close()
            yield from self._broken(error)  # the instance stays pending: nothing of it was sent
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
        stopped = Interrupted("stopped by the user")
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


def _remark(response: Response) -> str:
    """What the peer says beside its status: comment and offending elements (PS3.7 C.5)."""
    tags = ", ".join(f"({tag >> 16:04x},{tag & 0xFFFF:04x})" for tag in response.offending)
    return ", ".join(filter(None, (response.comment, f"offending elements {tags}" if tags else "")))
