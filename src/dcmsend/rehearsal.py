"""A run without the sending: ``dry_run`` connects to nobody, ``probe`` asks the peer which contexts it accepts.

Both look at the input as a run does, and ask the same plan (``plan``) what to propose and which accepted context
carries what. Instances are counted by kind, and no list of them is kept. What is wrong within a data set shows when it
is sent; nothing here opens one.
"""

from __future__ import annotations

import time

from dcmsend.api import FIRST_LOOK, FIRST_LOOK_SECONDS, checked_wishes, secured
from dcmsend.errors import (
    CallersError,
    DcmsendError,
    Interrupted,
    InvalidInputError,
    NetworkError,
    NoAcceptableContext,
    NoProposal,
    NoValidInputError,
    gave_out,
    of_caller,
    settled,
)
from dcmsend.events import AssociationEnded, AssociationRequested, ScanStarted
from dcmsend.forecast import MOST_TOLD, Answer, Forecast, PlannedAssociation, Portion
from dcmsend.light import replace
from dcmsend.model import MAX_CONTEXTS, Conversion, Instance, Limits, Notice, Policy, Refusal, ScanOptions, Timeouts
from dcmsend.net.association import Association
from dcmsend.plan import Routes, next_association
from dcmsend.printable import MAX_PATH, MAX_REMARK, plain
from dcmsend.reasons import NONE, Reason, because
from dcmsend.stop import Stop
from dcmsend.transfer.intake import Input, Intake
from dcmsend.transfer.worker import accepted_event
from dcmsend.wire.extensions import RoleSelection, UserIdentityResponse
from dcmsend.wire.items import ImplementationClass, find_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from dcmsend.api import Listener
    from dcmsend.events import Context, Event
    from dcmsend.model import JournalFile, Outcome, Peer
    from dcmsend.plan import Key, Planned
    from dcmsend.source import Source
    from dcmsend.transfer.ledger_reader import LedgerReader

    Error: TypeAlias = DcmsendError | None
    Answered: TypeAlias = tuple[Answer, tuple[Context, ...]] | DcmsendError
    Ask: TypeAlias = Callable[[int, Planned], Answered]


def dry_run(
    peer: Peer,
    sources: Iterable[Source],
    *,
    scan: ScanOptions | None = None,
    policy: Policy | None = None,
    conversion: Conversion | None = None,
    journal: JournalFile | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
) -> Forecast:
    """What ``send`` would do with the same arguments, as far as that can be known without asking the peer.

    All input is looked at, and nothing is written: the journal file is only read. ``listener`` hears of the input.
    Raises ``ConfigurationError`` and ``JournalError`` where ``send`` does; everything else is ``Forecast.error``.
    """
    look = _Look(peer, scan, policy, conversion, journal, of_caller(listener or _ignore), stop)
    secured(peer)  # files that cannot be used end a run before it begins
    return _forecast(look, sources, None)


def probe(
    peer: Peer,
    sources: Iterable[Source],
    *,
    scan: ScanOptions | None = None,
    policy: Policy | None = None,
    conversion: Conversion | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    journal: JournalFile | None = None,
    listener: Listener | None = None,
    stop: Stop | None = None,
) -> Forecast:
    """What ``send`` would do, asking the peer for the associations that it takes, in turn, and sending nothing.

    Where the input ends the run, or an association cannot be made (it is not tried again), the rest is not asked for.
    Raises ``ConfigurationError`` and ``JournalError`` where ``send`` does; everything else is ``Forecast.error``.
    """
    stop = stop or Stop()
    tell = of_caller(listener or _ignore)
    look = _Look(peer, scan, policy, conversion, journal, tell, stop)
    security = secured(peer)
    patience, bounds = timeouts or Timeouts(), limits or Limits()

    def ask(number: int, planned: Planned) -> Answered:
        contexts = planned.group.contexts
        tell(AssociationRequested(number, contexts, look.policy.multiple_associations))
        try:
            association = Association.request(
                peer, contexts, timeouts=patience, limits=bounds, stop=stop, security=security
            )
        except NetworkError as error:
            tell(AssociationEnded(number, error.why))
            return Interrupted(because("stopped")) if stop.aborted else settled(error)
        reason = NONE
        try:
            tell(accepted_event(number, association))
            association.release()
        except NetworkError as error:  # it has answered all that was asked
            reason = because("not_released", error.why)
        finally:
            association.abort()
            stop.wakers.pop(association, None)
        tell(AssociationEnded(number, reason))
        if stop.requested:
            return Interrupted(because("stopped"))
        return _answer(association), association.contexts

    return _forecast(look, sources, ask)


def _forecast(look: _Look, sources: Iterable[Source], ask: Ask | None) -> Forecast:
    """What the look comes to. Raises what the caller's listener or sources raise."""
    try:
        return look.forecast(sources, ask)
    except CallersError as raised:
        theirs = raised.error
    try:
        raise theirs
    finally:
        del theirs  # or else it and this frame would hold each other


class _Tally:
    """Takes the place of a list: how many instances there are of each kind, and how many bytes they have.

    ``met`` is called with the path of what is needed no more: once the next one comes.
    """

    def __init__(self, met: Callable[[str], None]) -> None:
        self._met = met
        self._last = ""
        self.pending: dict[Key, tuple[int, int]] = {}
        self.known = (0, 0)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, instance: Instance) -> int:
        self._count += 1
        count, size = self.pending.get(_key(instance), (0, 0))
        self.pending[_key(instance)] = count + 1, size + instance.size
        if self._last:
            self._met(self._last)
        self._last = instance.path
        return self._count

    def record(self, _: Outcome, instance: Instance) -> None:
        """It is stored already."""
        count, size = self.pending[_key(instance)]
        self.pending[_key(instance)] = count - 1, size - instance.size
        self.known = self.known[0] + 1, self.known[1] + instance.size


class _Look:
    """One look at the input, and what follows from it."""

    def __init__(
        self,
        peer: Peer,
        scan: ScanOptions | None,
        policy: Policy | None,
        conversion: Conversion | None,
        journal: JournalFile | None,
        listener: Listener,
        stop: Stop | None,
    ) -> None:
        self.policy = policy or Policy()
        self._scan = scan or ScanOptions()
        self._wishes = checked_wishes(self._scan, self.policy, conversion or Conversion(), journal)
        self._reader = _reader(journal, peer)
        self._listener = listener
        self._stop = stop or Stop()
        self._input = Input(self._scan, None, self._reader, self._stop, bounded=True)
        self._tally = _Tally(self._input.release)
        self._refusals: list[Refusal] = []
        self._notices: list[str] = []
        self._notice_count = 0

    def forecast(self, sources: Iterable[Source], ask: Ask | None) -> Forecast:
        """Look at all input, plan, and ask the peer where that is wished."""
        began = time.monotonic()
        found = self._input.found(sources)
        intake = Intake(found, self._tally, self._tell, self._stop, halt=False, ledger=self._reader)
        error: DcmsendError | None
        try:
            self._tell(ScanStarted(self._scan.directories))
            while intake.advance() or intake.wait():
                pass
            error = intake.error
        except DcmsendError as broken:
            error = settled(broken)
        except (OSError, MemoryError) as broken:
            error = gave_out(broken)
            if error is None:
                raise
            settled(error)
        finally:
            self._input.close()
            intake.left_out.close()
            if self._reader is not None:
                self._reader.close()
        long = len(self._tally) >= FIRST_LOOK or time.monotonic() - began > FIRST_LOOK_SECONDS
        facts = Forecast(
            earlier=self._tally.known[0],
            earlier_size=self._tally.known[1],
            left_out=intake.left_out.left_out,
            no_dicom=intake.left_out.no_dicom,
            left_over=intake.left_over,
            refusals=tuple(self._refusals),
            notice_count=self._notice_count,
            notices=tuple(self._notices),
            error=self._halted(error),
            early=long and not self.policy.scan_first and self.policy.multiple_associations,
        )
        return facts if error is not None else self._planned(facts, ask)

    def _halted(self, error: DcmsendError | None) -> DcmsendError | None:
        """The error of a run that halts on the first invalid file."""
        ended = error is None or isinstance(error, NoValidInputError)
        if ended and self.policy.halt and self._refusals:
            return InvalidInputError(self._refusals[0].path, self._refusals[0].reason)
        return error

    def _planned(self, facts: Forecast, ask: Ask | None) -> Forecast:
        """With all associations that follow from what is known of the input."""
        keys, error = list(self._tally.pending), facts.error
        hopeless, left = self._sorted_out(keys)
        if hopeless and self.policy.halt and error is None:
            error = NoProposal(because("cannot_propose", hopeless[0].reason, what=_kind(hopeless[0])))
        associations: list[PlannedAssociation] = []
        while left:
            planned = next_association(keys, left, self._wishes)
            left = left[len(planned.members) :]  # they are taken from the front
            if planned.needed:
                reason = because("contexts_do_not_fit", needed=planned.needed, most=MAX_CONTEXTS)
                hopeless += [self._portion(keys[number - 1], reason) for number in left]
                left = []
            portions = tuple(self._portion(keys[number - 1]) for number in planned.members)
            association = PlannedAssociation(contexts=planned.group.contexts, portions=portions)
            if ask is not None and error is None:
                association, error = self._asked(association, ask(len(associations) + 1, planned))
            associations.append(association)
        return replace(facts, associations=tuple(associations), hopeless=tuple(hopeless), error=error)

    def _sorted_out(self, keys: list[Key]) -> tuple[list[Portion], list[int]]:
        """What must not be proposed, and the numbers of what is left of the keys."""
        hopeless: list[Portion] = []
        left: list[int] = []
        for number, key in enumerate(keys, 1):
            if self._tally.pending[key][0]:
                reason = self._wishes.refusal(key)
                if reason:
                    hopeless.append(self._portion(key, reason))
                else:
                    left.append(number)
        return hopeless, left

    def _asked(self, association: PlannedAssociation, answered: Answered) -> tuple[PlannedAssociation, Error]:
        """With the peer's answer, and what that means for the run."""
        if isinstance(answered, DcmsendError):
            return association, answered
        answer, contexts = answered
        routes = Routes(contexts, self._wishes)
        error = None
        if not routes and not self.policy.multiple_associations:
            error = NoAcceptableContext(because("nothing_accepted"))
        portions = tuple(_routed(portion, routes) for portion in association.portions)
        return PlannedAssociation(contexts=contexts, portions=portions, answer=answer), error

    def _portion(self, key: Key, reason: Reason = NONE) -> Portion:
        instances, size = self._tally.pending[key]
        against = self._wishes.against(key[1])
        return Portion(
            sop_class=key[0], transfer_syntax=key[1], instances=instances, size=size, against=against, reason=reason
        )

    def _tell(self, event: Event) -> None:
        if isinstance(event, Refusal) and len(self._refusals) < MOST_TOLD:
            self._refusals.append(event)
        elif isinstance(event, Notice):
            self._notice_count += 1
            if len(self._notices) < MOST_TOLD:
                self._notices.append(event.text)
        self._listener(event)


def _routed(portion: Portion, routes: Routes) -> Portion:
    """What becomes of it with the contexts that the peer has accepted."""
    route = routes.find(portion.sop_class, portion.transfer_syntax)
    if route is None:
        return replace(portion, reason=routes.why_not(portion.sop_class, portion.transfer_syntax))
    return replace(portion, network_syntax=route.transfer_syntax, context_id=route.context_id)


def _answer(association: Association) -> Answer:
    """What an association knows of the peer."""
    implementation = find_item(association.user, ImplementationClass)
    roles = (item.sop_class for item in association.user if isinstance(item, RoleSelection))
    return Answer(
        max_pdu=association.max_pdu,
        window=association.window,
        implementation=association.implementation,
        implementation_uid=plain(implementation.uid, MAX_REMARK) if implementation else "",
        security=association.security,
        confirmed=find_item(association.user, UserIdentityResponse) is not None,
        roles=tuple(plain(uid, MAX_REMARK) for _, uid in zip(range(MOST_TOLD), roles, strict=False)),
    )


def _reader(journal: JournalFile | None, peer: Peer) -> LedgerReader | None:
    if journal is None:
        return None
    from dcmsend.transfer.ledger_reader import LedgerReader

    return LedgerReader(journal, peer)


def _key(instance: Instance) -> Key:
    return instance.sop_class, instance.transfer_syntax


def _kind(portion: Portion) -> str:
    return plain(f"{portion.sop_class} in {portion.transfer_syntax}", MAX_PATH)


def _ignore(event: Event) -> None:
    """The listener of those who do not listen."""
