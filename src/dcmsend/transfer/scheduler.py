"""From the journal's list to associations, one after the other, as one stream of events.

Owns what is decided between associations: which contexts go together, what a broken association means for the rest,
when the run ends. Yields the events of the workers in between; whoever consumes them writes the journal, so that the
list of what is pending is right when the next association is planned.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator

from dcmsend.errors import DcmsendError, Interrupted, NetworkError, NoAcceptableContext, NoProposal, RunStopped
from dcmsend.events import AssociationAccepted, AssociationEnded, AssociationRequested, Event, InstanceFinished
from dcmsend.light import Frozen
from dcmsend.model import MAX_CONTEXTS, Limits, Notice, Outcome, Peer, State, Timeouts
from dcmsend.net.association import Association
from dcmsend.plan import Group, Routes, Wishes, pack
from dcmsend.stop import Stop
from dcmsend.transfer.ahead import Ahead, Opener
from dcmsend.transfer.journal import Journal
from dcmsend.transfer.worker import Worker


class Settings(Frozen, kw_only=True):
    """All that a transfer needs to know beside its list."""

    peer: Peer
    wishes: Wishes
    timeouts: Timeouts
    limits: Limits


class Scheduler:
    """Runs through the journal. ``error`` says afterwards what ended the run early, if anything did.

    ``associations`` and ``contexts`` count what was asked for and proposed, refused ones included.
    """

    def __init__(self, journal: Journal, settings: Settings, opener: Opener, stop: Stop) -> None:
        self.error: DcmsendError | None = None
        self.associations = 0
        self.contexts = 0
        self._journal = journal
        self._settings = settings
        self._policy = settings.wishes.policy
        self._open = opener
        self._stop = stop

    def run(self) -> Iterator[Event]:
        """Send all that is pending in the journal; what stays pending gets a reason."""
        proposable = yield from self._refuse_proposals()
        keys = self._journal.keys
        wanted = [keys[number - 1] for number in proposable]
        groups = pack(wanted, self._settings.wishes)
        if not self._policy.multiple_associations and len(groups) > 1:
            groups = pack(wanted, self._settings.wishes, dense=True)
        if not self._policy.multiple_associations and len(groups) > 1:
            needed = sum(len(group.contexts) for group in groups)
            words = f"of {needed} presentation contexts an association takes {MAX_CONTEXTS}"
            del groups[1:]
            yield from self._leave(words, keep=[proposable[index] for index in groups[0].members])
        for group in groups:
            members = [proposable[index] for index in group.members]
            while self.error is None and any(True for _ in self._journal.pending(members)):
                yield from self._associate(group, members)
                if self.error is None and not self._policy.multiple_associations:
                    yield from self._leave("the association broke")

    def _refuse_proposals(self) -> Generator[Event, None, list[int]]:
        """Tell the instances for which nothing may be proposed; the numbers of the contexts that remain."""
        proposable = []
        for number, key in enumerate(self._journal.keys, 1):
            reason = self._settings.wishes.refusal(key)
            if not reason:
                proposable.append(number)
                continue
            for entry, instance in self._journal.pending((number,)):
                if self._policy.halt and self.error is None:
                    self.error = NoProposal(f"cannot add presentation context for {instance.path}: {reason}")
                yield InstanceFinished(instance, Outcome(number=entry, state=State.NO_CONTEXT, reason=reason))
        return proposable

    def _associate(self, group: Group, members: Collection[int]) -> Iterator[Event]:
        """One association, from its request to its end."""
        self.associations += 1
        self.contexts += len(group.contexts)
        number, settings = self.associations, self._settings
        yield AssociationRequested(number, group.contexts, self._policy.multiple_associations)
        try:
            association = Association.request(
                settings.peer, group.contexts, timeouts=settings.timeouts, limits=settings.limits, stop=self._stop
            )
        except NetworkError as error:
            self.error = Interrupted("stopped by the user") if self._stop.aborted else error
            yield AssociationEnded(number, str(error))
            return
        routes = Routes(association.contexts, settings.wishes)
        worker = Worker(number, association, routes, Ahead(self._open), halt=self._policy.halt, stop=self._stop)
        try:
            yield AssociationAccepted(number, association.max_pdu, association.contexts, association.implementation)
            yield from worker.run(self._journal.pending(members))
        finally:
            self._stop.wake = None
        self.error = self._verdict(worker, routes)

    def _verdict(self, worker: Worker, routes: Routes) -> DcmsendError | None:
        """What an association that is over means for the run: the error that ends it, or ``None``."""
        if isinstance(worker.error, NetworkError):
            if self._policy.halt:
                return RunStopped(f"cannot send SOP instance: {worker.error}")
            # An association that broke before anything was tried would break again, for ever.
            return None if worker.finished else worker.error
        if worker.error is None and not self._policy.multiple_associations and not routes:
            return NoAcceptableContext("cannot add presentation contexts: the peer accepted none of them")
        return worker.error

    def _leave(self, words: str, *, keep: Collection[int] = ()) -> Iterator[Event]:
        """Give up what is pending, but for the contexts in ``keep``, because there may be no further association."""
        reason = f"not tried: {words}, and --single-association allows no other"
        left = self._journal.leave(reason, keep=keep)
        if left:
            yield Notice(f"{left} SOP instances {reason}")
