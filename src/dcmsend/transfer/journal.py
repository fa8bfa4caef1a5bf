"""The list of instances and what has become of each, in SQLite. One writer: the thread that made the journal.

The list never lives in Python objects: rows are gathered and written a batch at a time into a database without a name,
which SQLite keeps in a bounded cache and beyond that in a temporary file. A list that fits into one batch never gets
that far, and SQLite is not even loaded. An instance belongs to a *context*: a number for each distinct pair of SOP
class and transfer syntax. Numbers count from 1 in the order of the input.
"""

from __future__ import annotations

from dcmsend.errors import JournalError
from dcmsend.model import Instance, Outcome, State, StatusClass, Totals, status_class
from dcmsend.reasons import pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from sqlite3 import Connection, Cursor
    from typing import Any, Final, TypeAlias

    from dcmsend.reasons import Reason

    Key: TypeAlias = tuple[str, str]
    Entry: TypeAlias = tuple[int, Instance]

_SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16384;
CREATE TABLE context (
    id INTEGER PRIMARY KEY, sop_class TEXT NOT NULL, transfer_syntax TEXT NOT NULL,
    UNIQUE (sop_class, transfer_syntax));
CREATE TABLE instance (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL, sop_instance TEXT NOT NULL, context INTEGER NOT NULL,
    size INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, status INTEGER, reason TEXT NOT NULL DEFAULT '',
    association INTEGER NOT NULL DEFAULT 0, context_id INTEGER NOT NULL DEFAULT 0,
    network_syntax TEXT NOT NULL DEFAULT '', dataset_size INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0);
BEGIN;
"""
_INSTANCE: Final = "instance.number, path, sop_class, sop_instance, transfer_syntax, size"
TEXT: Final = "CAST(? AS TEXT)"  # bound as bytes: names of files need not be UTF-8
_BATCH: Final = 256
_POSTPONED: Final = -1  # beside the values of ``State``: tried, and to be tried again


class Journal:
    """Instances in, outcomes in, both out again in the order of the numbers. Raises ``JournalError`` throughout.

    ``pending``: how many instances of each context have neither an outcome nor a reason, by the context's number.
    """

    def __init__(self) -> None:
        self.pending: dict[int, int] = {}
        self._database: Connection | None = None
        self._contexts: dict[Key, int] = {}
        self._count = 0
        self._size = 0
        self._fresh: list[tuple[Instance, int]] = []  # the last instances and their contexts, not written yet
        self._outcomes: dict[int, Outcome] = {}  # not written yet
        self._postponed: dict[int, Outcome] = {}  # nor these
        self._by_class: dict[StatusClass, int] = {}
        self._no_context = 0

    def __repr__(self) -> str:
        return f"<Journal of {self._count} instances in {len(self._contexts)} contexts>"

    def __len__(self) -> int:
        return self._count

    def found(self) -> tuple[int, int]:
        """How many instances were taken on, and the bytes of their files; may be asked from any thread."""
        return self._count, self._size

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

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
        written = self._count - len(self._fresh)
        if after < written:
            entries = self._read(contexts, after)
            if len(entries) == _BATCH:
                return entries, entries[-1][0]
            after = written
        for number, (instance, context) in enumerate(self._fresh[after - written :], after + 1):
            if context in contexts and number not in self._outcomes:
                entries.append((number, instance))
        return entries, self._count

    def record(self, outcome: Outcome, instance: Instance) -> None:
        """Keep the outcome of an instance, which has to be pending."""
        self.pending[self._contexts[instance.sop_class, instance.transfer_syntax]] -= 1
        if outcome.state is State.ANSWERED and outcome.status is not None:
            kind = status_class(outcome.status)
            self._by_class[kind] = self._by_class.get(kind, 0) + 1
        elif outcome.state is State.NO_CONTEXT:
            self._no_context += 1
        self._outcomes[outcome.number] = outcome
        if len(self._outcomes) >= _BATCH:
            self._write()

    def postpone(self, outcome: Outcome) -> None:
        """Keep what has become of an instance for now: it is still pending."""
        self._postponed[outcome.number] = outcome
        if len(self._postponed) >= _BATCH:
            self._write()

    def leave(self, reason: Reason, *, keep: Collection[int] = ()) -> int:
        """Give a reason to all without an outcome, but for those of the contexts in ``keep``; how many that were.

        For those that were postponed, what has become of them until now is their outcome, whatever is kept.
        """
        if not any(count for context, count in self.pending.items() if context not in keep):
            return 0
        self._settle()
        self.pending = {context: count if context in keep else 0 for context, count in self.pending.items()}
        return self._execute(
            f"UPDATE instance SET reason = {TEXT} WHERE state = ? AND reason = '' AND context NOT IN ({_marks(keep)})",
            (to_bytes(pack(reason)), State.PENDING.value, *keep),
        ).rowcount

    def _settle(self) -> None:
        """What was postponed has its outcome."""
        counts = self._execute(
            "SELECT context, status, count(*) FROM instance WHERE state = ? GROUP BY 1, 2", (_POSTPONED,)
        ).fetchall()
        for context, status, count in counts:
            self.pending[context] -= count
            if status is not None:
                kind = status_class(status)
                self._by_class[kind] = self._by_class.get(kind, 0) + count
        self._execute(
            "UPDATE instance SET state = CASE WHEN status IS NULL THEN ? ELSE ? END WHERE state = ?",
            (State.FAILED.value, State.ANSWERED.value, _POSTPONED),
        )

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        """Every instance with its outcome, in order."""
        cursor = self._execute(
            f"SELECT {_INSTANCE}, state, status, reason, association, context_id, network_syntax, dataset_size,"
            " attempts FROM instance JOIN context ON context.id = context ORDER BY number"
        )
        while rows := _some(cursor):
            yield from map(_row, rows)

    def shared_uids(self, most: int) -> Iterator[list[Instance]]:
        """The instances of each SOP Instance UID that more than one has, for ``most`` such UIDs."""
        if self._database is None and len({instance.sop_instance for instance, _ in self._fresh}) == self._count:
            return
        cursor = self._execute(
            f"SELECT {_INSTANCE} FROM instance JOIN context ON context.id = context WHERE sop_instance IN"
            " (SELECT sop_instance FROM instance GROUP BY sop_instance HAVING count(*) > 1 LIMIT ?)"
            " ORDER BY sop_instance, instance.number",
            (most,),
        )
        group: list[Instance] = []
        while rows := _some(cursor):
            for row in rows:
                instance = Instance(*row[1:])
                if group and group[0].sop_instance != instance.sop_instance:
                    yield group
                    group = []
                group.append(instance)
        if group:
            yield group

    def stored_bytes(self) -> int:
        """Bytes of the data sets that were stored in this run: of those of earlier runs no size is kept."""
        if self._database is None:
            return sum(outcome.dataset_size for outcome in self._outcomes.values() if outcome.stored)
        sums = self._execute(
            "SELECT status, sum(dataset_size) FROM instance WHERE state = ? GROUP BY status", (State.ANSWERED.value,)
        ).fetchall()
        return sum(size for status, size in sums if status_class(status).stored)

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

    def _read(self, contexts: Collection[int], after: int) -> list[Entry]:
        """A batch of pending instances from the database."""
        rows = self._execute(
            f"SELECT {_INSTANCE} FROM instance JOIN context ON context.id = context"
            f" WHERE number > ? AND (state = ? AND reason = '' OR state = ?) AND context IN ({_marks(contexts)})"
            " ORDER BY number LIMIT ?",
            (after, State.PENDING.value, _POSTPONED, *contexts, _BATCH),
        )
        return [(row[0], Instance(*row[1:])) for row in rows]

    def _execute(self, statement: str, values: Iterable[int | bytes] = ()) -> Cursor:
        """Ask the database, which knows everything then."""
        database = self._write()
        from _sqlite3 import Error

        try:
            return database.execute(statement, tuple(values))
        except Error as error:
            raise _failed(error) from error

    def _write(self) -> Connection:
        """Write what has been gathered."""
        from _sqlite3 import Error

        try:
            if self._database is None:
                self._database = _opened()
            number = self._count - len(self._fresh)
            known = self._database.execute("SELECT count(*) FROM context").fetchone()[0]
            self._database.executemany(
                f"INSERT INTO context VALUES (?, {TEXT}, {TEXT})",
                ((context, *map(to_bytes, key)) for key, context in self._contexts.items() if context > known),
            )
            self._database.executemany(
                f"INSERT INTO instance (number, path, sop_instance, context, size) VALUES (?, {TEXT}, {TEXT}, ?, ?)",
                (
                    (at, to_bytes(instance.path), to_bytes(instance.sop_instance), context, instance.size)
                    for at, (instance, context) in enumerate(self._fresh, number + 1)
                ),
            )
            self._database.executemany(
                f"UPDATE instance SET state = ?, status = ?, reason = {TEXT}, association = ?, context_id = ?,"
                f" network_syntax = {TEXT}, dataset_size = ?, attempts = ? WHERE number = ?",
                (
                    *((_POSTPONED, *_outcome(outcome)[1:]) for outcome in self._postponed.values()),
                    *map(_outcome, self._outcomes.values()),
                ),
            )
        except Error as error:
            raise _failed(error) from error
        self._fresh.clear()
        self._outcomes.clear()
        self._postponed.clear()
        return self._database


def _opened() -> Connection:
    """A database without a name: what does not fit into its cache goes to a file that no other process sees."""
    from _sqlite3 import connect  # the package around it takes longer to import than to be used

    database: Connection = connect("", isolation_level=None, check_same_thread=False)  # a report may travel
    database.text_factory = to_text
    database.executescript(_SCHEMA)
    return database


def _some(cursor: Cursor) -> list[tuple[Any, ...]]:
    from _sqlite3 import Error

    try:
        return cursor.fetchmany(_BATCH)
    except Error as error:
        raise _failed(error) from error


def _row(row: tuple[Any, ...]) -> tuple[Instance, Outcome]:
    (
        number,
        path,
        sop_class,
        sop_instance,
        syntax,
        size,
        state,
        status,
        reason,
        association,
        context,
        network,
        length,
        attempts,
    ) = row
    outcome = Outcome(
        number=number,
        state=State(state),
        status=status,
        reason=unpack(reason),
        association=association,
        context_id=context,
        network_syntax=network,
        dataset_size=length,
        attempts=attempts,
    )
    return Instance(path, sop_class, sop_instance, syntax, size), outcome


def _failed(error: Exception) -> JournalError:
    return JournalError(
        f"the list of instances cannot be kept: {error}",
        hint="it needs some 300 bytes an instance in the folder for temporary files (SQLITE_TMPDIR or TMPDIR)",
    )


def _outcome(outcome: Outcome) -> tuple[int | bytes | None, ...]:
    return (
        outcome.state.value,
        outcome.status,
        to_bytes(pack(outcome.reason)),
        outcome.association,
        outcome.context_id,
        to_bytes(outcome.network_syntax),
        outcome.dataset_size,
        outcome.attempts,
        outcome.number,
    )


def _marks(values: Collection[int]) -> str:
    return ", ".join("?" * len(values))


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def to_text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")
