"""The list of instances and what has become of each. One writer: the thread that made the journal.

The list never lives in Python objects: rows are gathered and written a batch at a time into a database
(``journal_file``). A list that fits into one batch never gets that far, and SQLite is not even loaded. An instance
belongs to a *context*: a number for each distinct pair of SOP class and transfer syntax. Numbers count from 1 in the
order of the input.

What is told of the list is what is written and, over it, what is not written yet. So no outcome is lost where a batch
cannot be written: from then on all of them stay in memory, which are those of the instances under way, because the run
is asked to stop.
"""

from __future__ import annotations

from dcmsend.errors import JournalError
from dcmsend.light import replace
from dcmsend.model import Instance, Outcome, State, StatusClass, Totals, status_class
from dcmsend.reasons import NONE, because, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Final, TypeAlias

    from dcmsend.reasons import Reason
    from dcmsend.stop import Stop
    from dcmsend.transfer.journal_file import Rows

    Key: TypeAlias = tuple[str, str]
    Entry: TypeAlias = tuple[int, Instance]

_BATCH: Final = 256


class Journal:
    """Instances in, outcomes in, both out again in the order of the numbers.

    ``pending``: how many instances of each context have neither an outcome nor a reason, by the context's number.
    ``error``: why nothing more can be written; then nothing more is given out, and the run is asked to ``stop``.
    """

    def __init__(self, stop: Stop | None = None) -> None:
        self.pending: dict[int, int] = {}
        self.error: JournalError | None = None
        self._stop = stop
        self._written: Rows | None = None
        self._closed = False
        self._contexts: dict[Key, int] = {}
        self._count = 0
        self._size = 0
        self._fresh: list[tuple[Instance, int]] = []  # the last instances and their contexts, not written yet
        self._outcomes: dict[int, Outcome] = {}  # not written yet
        self._postponed: dict[int, Outcome] = {}  # nor these
        self._sent: dict[int, Instance] = {}  # nor these: what went out, where that had other UIDs
        self._taken: dict[int, Instance] = {}  # as they were added: those that are in somebody's hands
        self._left: tuple[Reason, Collection[int]] = NONE, ()  # ``leave``, of what can no longer be written
        self._by_class: dict[StatusClass, int] = {}
        self._no_context = 0
        self._stored_bytes = 0

    def __repr__(self) -> str:
        return f"<Journal of {self._count} instances in {len(self._contexts)} contexts>"

    def __len__(self) -> int:
        return self._count

    def found(self) -> tuple[int, int]:
        """How many instances were taken on, and the bytes of their files; may be asked from any thread."""
        return self._count, self._size

    def close(self) -> None:
        """Let go of the list: there are no ``rows`` any more."""
        self._closed = True
        written, self._written = self._written, None
        if written is not None:
            written.close()

    @property
    def keys(self) -> list[Key]:
        """The distinct pairs of SOP class and transfer syntax, in order of appearance; context 1 is the first."""
        return list(self._contexts)

    def add(self, instance: Instance) -> int:
        """Take an instance on; its number."""
        key = (instance.sop_class, instance.transfer_syntax)
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = len(self._contexts) + 1
            self.pending[context] = 0
        self._count += 1
        self._size += instance.size
        self.pending[context] += 1
        self._fresh.append((instance, context))
        if len(self._fresh) >= _BATCH:
            self._write()
        return self._count

    def take(self, contexts: Collection[int], after: int) -> tuple[list[Entry], int]:
        """Some instances of these contexts that are pending, in order, of the numbers behind ``after``.

        Also up to which number that is all of them. An empty list says that there are no more.
        """
        entries: list[Entry] = []
        if after < self._first_fresh - 1:
            entries = self._read(contexts, after)
            if len(entries) == _BATCH:
                return entries, entries[-1][0]
            after = self._first_fresh - 1
        if self.error is not None:
            return [], self._count
        for number, (instance, context) in enumerate(self._fresh[after + 1 - self._first_fresh :], after + 1):
            if context in contexts and number not in self._outcomes:
                entries.append((number, instance))
        return entries, self._count

    def record(self, outcome: Outcome, instance: Instance) -> None:
        """Keep the outcome of an instance, which has to be pending. ``instance`` has the UIDs that went out."""
        number = outcome.number
        self._outcomes[number] = outcome
        added = self._added(number)
        self.pending[self._context(added)] -= 1
        self._count_outcome(outcome)
        if instance is not added and uids_of(instance) != uids_of(added):
            self._sent[number] = instance
        if len(self._outcomes) >= _BATCH:
            self._write()

    def postpone(self, outcome: Outcome) -> None:
        """Keep what has become of an instance for now: it is still pending."""
        self._postponed[outcome.number] = outcome
        self._taken.pop(outcome.number, None)
        if len(self._postponed) >= _BATCH:
            self._write()

    def leave(self, reason: Reason, *, keep: Collection[int] = ()) -> int:
        """Give a reason to all without an outcome, but for those of the contexts in ``keep``; how many that were.

        For those that were postponed, what has become of them until now is their outcome, whatever is kept.
        """
        if not any(count for context, count in self.pending.items() if context not in keep):
            return 0
        self._settle()
        left = sum(count for context, count in self.pending.items() if context not in keep)
        self.pending = {context: count if context in keep else 0 for context, count in self.pending.items()}
        self._change(lambda rows: rows.leave(pack(reason).encode(), keep))
        for number, (_, context) in enumerate(self._fresh, self._first_fresh):
            if context not in keep and number not in self._outcomes:
                self._outcomes[number] = Outcome(number=number, state=State.PENDING, reason=reason)
        if self.error is not None and not self._left[0]:
            self._left = reason, frozenset(keep)
        return left

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        """Every instance with its outcome, in order. Raises ``JournalError``, also where the list is closed."""
        self._require_open()
        return self._rows()

    def shared_uids(self, most: int, each: int) -> Iterator[tuple[list[Instance], int]]:
        """For ``most`` SOP Instance UIDs of more than one instance: the first ``each``, and how many there are."""
        if self._written is not None:
            self._write()
            yield from self._written.shared_uids(most, each)
            return
        groups: dict[str, list[Instance]] = {}
        for instance, _ in self._fresh:
            groups.setdefault(instance.sop_instance, []).append(instance)
        shared = [group for group in groups.values() if len(group) > 1]
        yield from ((group[:each], len(group)) for group in shared[:most])

    def stored_bytes(self) -> int:
        """Bytes of the data sets that were stored in this run: of those of earlier runs no size is kept."""
        return self._stored_bytes

    def totals(
        self,
        *,
        associations: int,
        contexts: int,
        left_out: int = 0,
        no_dicom: int = 0,
        left_over: int = 0,
        earlier: int = 0,
    ) -> Totals:
        """Counts by class of status, and what others have counted."""
        return Totals(
            associations=associations,
            contexts=contexts,
            instances=self._count,
            by_class=self._by_class,
            no_context=self._no_context,
            left_out=left_out,
            no_dicom=no_dicom,
            left_over=left_over,
            earlier=earlier,
        )

    @property
    def _first_fresh(self) -> int:
        """The number of the first instance that is not written."""
        return self._count - len(self._fresh) + 1

    def _context(self, instance: Instance) -> int:
        return self._contexts[instance.sop_class, instance.transfer_syntax]

    def _added(self, number: int) -> Instance:
        """An instance as it was added."""
        if number >= self._first_fresh:
            return self._fresh[number - self._first_fresh][0]
        taken = self._taken.pop(number, None)
        if taken is not None:
            return taken
        if self._written is None:
            raise LookupError(number)
        return self._written.instance(number)

    def _count_outcome(self, outcome: Outcome) -> None:
        if outcome.state is State.ANSWERED and outcome.status is not None:
            kind = status_class(outcome.status)
            self._by_class[kind] = self._by_class.get(kind, 0) + 1
            self._stored_bytes += outcome.dataset_size if kind.stored else 0
        elif outcome.state is State.NO_CONTEXT:
            self._no_context += 1

    def _settle(self) -> None:
        """What was postponed has its outcome."""
        self._write()
        known = self._outcomes.keys() | self._postponed.keys()
        if self._written is not None:
            for number, context, status in self._written.postponed():
                if number not in known:
                    self._settle_one(context, status)
        for number, outcome in self._postponed.items():
            if number not in self._outcomes:
                self._settle_one(self._context(self._added(number)), outcome.status)
        self._outcomes = {number: final(outcome) for number, outcome in self._postponed.items()} | self._outcomes
        self._postponed.clear()
        self._change(lambda rows: rows.settle())

    def _settle_one(self, context: int, status: int | None) -> None:
        self.pending[context] -= 1
        if status is not None:
            kind = status_class(status)
            self._by_class[kind] = self._by_class.get(kind, 0) + 1

    def _rows(self) -> Iterator[tuple[Instance, Outcome]]:
        """What is written, and over it what is not."""
        reason, keep = self._left
        if self._written is not None:
            for instance, context, outcome in self._written.all():
                self._require_open()
                number = outcome.number
                if reason and outcome.state is State.PENDING and not outcome.reason and context not in keep:
                    outcome = Outcome(number=number, state=State.PENDING, reason=reason)
                yield self._sent.get(number, instance), self._unwritten(number) or outcome
        for number, (instance, _) in enumerate(self._fresh, self._first_fresh):
            self._require_open()
            outcome = self._unwritten(number) or Outcome(number=number, state=State.PENDING)
            yield self._sent.get(number, instance), outcome

    def _unwritten(self, number: int) -> Outcome | None:
        """An outcome that only the memory has."""
        postponed = self._postponed.get(number)
        return self._outcomes.get(number) or (final(postponed) if postponed is not None else None)

    def _read(self, contexts: Collection[int], after: int) -> list[Entry]:
        """A batch of pending instances that are written, as all are then."""
        self._write()
        if self._written is None or self.error is not None:
            return []
        try:
            entries = self._written.pending(contexts, after)
        except JournalError as error:
            self._break(error)
            return []
        self._taken.update(entries)
        return entries

    def _write(self) -> None:
        """Write what has been gathered."""
        if self.error is None and (self._fresh or self._outcomes or self._postponed):
            from dcmsend.transfer.journal_file import Rows

            try:
                self._written = self._written or Rows()
                self._written.write(
                    self._contexts,
                    ((number, *one) for number, one in enumerate(self._fresh, self._first_fresh)),
                    self._postponed.values(),
                    self._outcomes.values(),
                    self._sent.items(),
                )
            except JournalError as error:
                self._break(error)
                return
            for gathered in (self._fresh, self._outcomes, self._postponed, self._sent):
                gathered.clear()

    def _change(self, change: Callable[[Rows], None]) -> None:
        """Change what is written, as long as that can be done."""
        if self._written is not None and self.error is None:
            try:
                change(self._written)
            except JournalError as error:
                self._break(error)

    def _break(self, error: JournalError) -> None:
        """Nothing more can be written: let the run finish what is under way."""
        self.error = error
        if self._stop is not None and not self._stop.requested:
            self._stop.request()

    def _require_open(self) -> None:
        if self._closed:
            raise JournalError(because("rows_closed"))


def uids_of(instance: Instance) -> tuple[str, str, str]:
    """SOP class, SOP instance and transfer syntax."""
    return instance.sop_class, instance.sop_instance, instance.transfer_syntax


def final(outcome: Outcome) -> Outcome:
    """What becomes of one that was postponed, where nothing better does."""
    return replace(outcome, state=State.FAILED if outcome.status is None else State.ANSWERED)
