"""From the journal's list to associations, one group of presentation contexts after the other, as one stream of events.

Owns what is decided between associations: which contexts go together, what a broken association means for the rest,
when the run ends. Yields the events of the workers in between; whoever consumes them writes the journal, so that the
list of what is pending is right when the next association is planned.
"""

from __future__ import annotations

from dcmsend.errors import DcmsendError, Interrupted, NetworkError, NoAcceptableContext, NoProposal, RunStopped
from dcmsend.events import InstanceFinished
from dcmsend.model import MAX_CONTEXTS, Notice, Outcome, State
from dcmsend.plan import next_association
from dcmsend.reasons import because
from dcmsend.transfer.feed import Feed, SharedFeed
from dcmsend.transfer.retry import Backoff, error_passes
from dcmsend.transfer.worker import associate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator
    from typing import TypeAlias

    from dcmsend.events import Event
    from dcmsend.model import Retries
    from dcmsend.plan import Group
    from dcmsend.reasons import Reason
    from dcmsend.transfer.intake import Intake
    from dcmsend.transfer.journal import Journal
    from dcmsend.transfer.worker import Ending, Settings, Supply

    Events: TypeAlias = Generator[Event, None, Ending]
    Keep: TypeAlias = Callable[[Events], Events]


class Scheduler:
    """Runs through the journal, which ``intake`` fills meanwhile.

    ``error`` says afterwards what ended the run early, if anything did. ``associations`` and ``contexts`` count what
    was asked for and proposed, refused ones included. ``keep`` may add to the events of an association what has to be
    done before it goes on.
    """

    def __init__(
        self, journal: Journal, intake: Intake, settings: Settings, retries: Retries, keep: Keep | None = None
    ) -> None:
        self.error: DcmsendError | None = None
        self.associations = 0
        self.contexts = 0
        self._journal = journal
        self._intake = intake
        self._settings = settings
        self._wishes = settings.wishes
        self._policy = settings.wishes.policy
        self._retries = retries
        self._backoff = Backoff(retries)
        self._told = 0.0  # until when it was told that the next association waits
        self._keep = keep
        self._reasons: list[Reason] = []

    def run(self) -> Generator[Event]:
        """Send all that is pending in the journal; what stays pending gets a reason."""
        while self.error is None and self._intake.error is None:
            yield from self._refuse_proposals()
            if self.error is not None:
                break
            found = yield from self._next_group()
            if found is not None and (yield from self._patient()):
                yield from self._send(*found)
                if self.error is None and not self._policy.multiple_associations:
                    yield from self._leave(because("association_broke"))
            elif self.error is None and not self._intake.advance() and not self._intake.wait():
                break
        self.error = self.error or self._intake.error or self._intake.broken

    def _refuse_proposals(self) -> Iterator[Event]:
        """Tell the instances for which nothing may be proposed."""
        for number, reason in enumerate(self._refused(), 1):
            after = 0
            while reason and self._journal.pending[number]:
                entries, after = self._journal.take((number,), after)
                for entry, instance in entries:
                    if self._policy.halt and self.error is None:
                        self.error = NoProposal(because("cannot_propose", reason, what=instance.path))
                    yield InstanceFinished(instance, Outcome(number=entry, state=State.NO_CONTEXT, reason=reason))

    def _refused(self) -> list[Reason]:
        """Why each of the journal's contexts must not be proposed, or nothing; number 1 comes first."""
        if len(self._reasons) < len(self._journal.pending):
            self._reasons += map(self._wishes.refusal, self._journal.keys[len(self._reasons) :])
        return self._reasons

    def _next_group(self) -> Generator[Event, None, tuple[Group, list[int]] | None]:
        """The contexts for the next association, and the numbers that the journal has for their instances.

        Those of which instances are pending come first; the others may still get some.
        """
        pending = self._journal.pending
        numbers = [number for number, reason in enumerate(self._refused(), 1) if not reason]
        wanted = [number for number in numbers if pending[number]]
        if not wanted:
            return None
        if not self._intake.ended:
            wanted += [number for number in numbers if not pending[number]]
        planned = next_association(self._journal.keys, wanted, self._wishes)
        if planned.needed:
            reason = because("contexts_do_not_fit", needed=planned.needed, most=MAX_CONTEXTS)
            yield from self._leave(reason, keep=planned.members)
        return planned.group, planned.members

    def _send(self, group: Group, members: list[int]) -> Iterator[Event]:
        """All that is pending of a group, and what is found of it meanwhile."""
        known = frozenset(members)

        def others_wait() -> bool:
            return self._others_wait(known)

        if self._settings.limits.associations == 1 or not self._policy.multiple_associations:
            feed = Feed(self._journal, self._intake, members, others_wait)
            while self.error is None and feed.wait() and (yield from self._patient()):
                ending = yield from self._associate(group, feed)
                self.error = self._verdict(ending)
                if not self._policy.multiple_associations:
                    return
        else:
            from dcmsend.transfer.crew import Crew

            shared = SharedFeed(self._journal, self._intake, members, others_wait)
            most = self._settings.limits.associations
            crew = Crew(
                most,
                shared,
                self._intake,
                lambda: self._associate(group, shared),
                self._verdict,
                self._delay,
                self._patience,
            )
            yield from crew.run(self._settings.stop)
            self.error = crew.error

    def _others_wait(self, members: frozenset[int]) -> bool:
        """Whether instances that could be proposed are pending beside those of a group."""
        pending = self._journal.pending
        return any(
            pending[number] and not reason and number not in members for number, reason in enumerate(self._refused(), 1)
        )

    def _associate(self, group: Group, supply: Supply) -> Events:
        """One more association."""
        self.associations += 1
        self.contexts += len(group.contexts)
        events = associate(self.associations, group, supply, self._settings)
        return self._keep(events) if self._keep else events

    def _delay(self) -> float:
        """Seconds before another association may be asked for."""
        return self._backoff.until - self._settings.clock() if self._backoff.until else 0

    def _patience(self) -> Iterator[Event]:
        """Tell how long the next association will have to wait, once each time."""
        until = self._backoff.until
        if until != self._told:
            self._told = until
            yield Notice(f"waiting {max(until - self._settings.clock(), 0):.1f} s before the next association")

    def _patient(self) -> Generator[Event, None, bool]:
        """Wait until another association may be asked for, and look at input meanwhile; whether to go on."""
        stop = self._settings.stop
        if not stop.requested and self._delay() > 0:
            yield from self._patience()
        while not stop.requested and (delay := self._delay()) > 0:
            if not self._intake.advance():
                stop.wait(delay)
        if stop.requested:
            self.error = self.error or Interrupted(because("stopped"))
        return self.error is None

    def _verdict(self, ending: Ending) -> DcmsendError | None:
        """What the end of an association means for the run: the error that ends it, or nothing."""
        error = ending.error
        if isinstance(error, NetworkError):
            return self._broken(ending, error)
        if ending.postponed:
            self._set_back(ending)
        if error is None and not self._policy.multiple_associations and not ending.usable:
            return NoAcceptableContext(because("nothing_accepted"))
        return error

    def _broken(self, ending: Ending, error: NetworkError) -> DcmsendError | None:
        """What it means that an association could not be made, or broke."""
        if ending.spared:  # the others do its work
            return error
        again = False
        if self._retries.count and error_passes(error, established=ending.established):
            again = self._set_back(ending)
        if ending.established and self._policy.halt and not (again and not ending.failed):
            return RunStopped(because("sending_ended", error.why))
        # One that broke before anything was tried would break again, for ever.
        return None if again or ending.tried else error

    def _set_back(self, ending: Ending) -> bool:
        """Have the next association wait; whether there may be one at all."""
        now = self._settings.clock()
        return self._backoff.setback(now, began=ending.began, progressed=bool(ending.answered))

    def _leave(self, reason: Reason, *, keep: Collection[int] = ()) -> Iterator[Event]:
        """Give up what is pending, but for the contexts in ``keep``, because there may be no further association."""
        left = self._journal.leave(reason, keep=keep)
        if left:
            yield Notice(f"{left} SOP instances {reason}")
