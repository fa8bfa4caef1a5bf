"""The database behind the list of instances: its file, what is written there, and what is read back.

Loaded where a list outgrows its first batch. Each batch is a transaction of its own whose way back is kept in memory:
SQLite cannot read a database without a name any more, nor one without a way back, once its disk was full.
"""

from __future__ import annotations

import os
from _sqlite3 import Error, connect  # the package around it takes longer to import than to be used

from dcmsend.errors import JournalError
from dcmsend.model import Instance, Outcome, State
from dcmsend.reasons import because, pack, unpack
from dcmsend.transfer.journal import final, uids_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from sqlite3 import Connection, Cursor
    from typing import Any, Final, TypeAlias

    Key: TypeAlias = tuple[str, str]
    Row: TypeAlias = tuple[Any, ...]

_SCHEMA: Final = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
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
CREATE TABLE sent (
    number INTEGER PRIMARY KEY, sop_class TEXT NOT NULL, sop_instance TEXT NOT NULL, transfer_syntax TEXT NOT NULL);
"""
TEXT: Final = "CAST(? AS TEXT)"  # bound as bytes: names of files need not be UTF-8
_POSTPONED: Final = -1  # beside the values of ``State``: tried, and to be tried again
_MOST: Final = (1 << 63) - 1  # the largest number that SQLite takes
_FOLDERS: Final = ("/var/tmp", "/usr/tmp", "/tmp", ".")  # noqa: S108 - where SQLite itself would look
_BATCH: Final = 256
_SLICE: Final = 4096  # numbers of instances that are changed at once

_INSTANCES: Final = (
    "SELECT number, path, sop_class, sop_instance, transfer_syntax, size"
    " FROM instance JOIN context ON context.id = context WHERE"
)
_ROWS: Final = (
    "SELECT instance.number, path, ifnull(sent.sop_class, context.sop_class),"
    " ifnull(sent.sop_instance, instance.sop_instance), ifnull(sent.transfer_syntax, context.transfer_syntax), size,"
    " context, state, status, reason, association, context_id, network_syntax, dataset_size, attempts"
    " FROM instance JOIN context ON context.id = context LEFT JOIN sent ON sent.number = instance.number"
    " ORDER BY instance.number"
)
_CONTEXT: Final = f"INSERT INTO context VALUES (?, {TEXT}, {TEXT})"
_INSTANCE: Final = f"INSERT INTO instance (number, path, sop_instance, context, size) VALUES (?, {TEXT}, {TEXT}, ?, ?)"
_OUTCOME: Final = (
    f"UPDATE instance SET state = ?, status = ?, reason = {TEXT}, association = ?, context_id = ?,"
    f" network_syntax = {TEXT}, dataset_size = ?, attempts = ? WHERE number = ?"
)
_SENT: Final = f"INSERT OR REPLACE INTO sent VALUES (?, {TEXT}, {TEXT}, {TEXT})"


class Rows:
    """The rows of a list that are written. Raises ``JournalError`` throughout; after that it can still be read."""

    def __init__(self) -> None:
        self._known = 0  # contexts
        try:
            self._database = _opened()
        except (Error, OSError, MemoryError) as error:
            raise failed(error) from error

    def close(self) -> None:
        self._database.close()

    def write(
        self,
        contexts: Iterable[Key],
        fresh: Iterable[tuple[int, Instance, int]],
        postponed: Iterable[Outcome],
        outcomes: Iterable[Outcome],
        sent: Iterable[tuple[int, Instance]],
    ) -> None:
        """Write a batch, all of it or nothing: all contexts, and numbers, instances and contexts that are new."""
        database = self._database
        keys = list(contexts)
        new = [(context, *map(to_bytes, key)) for context, key in enumerate(keys, 1) if context > self._known]
        try:
            try:
                database.execute("BEGIN")
                database.executemany(_CONTEXT, new)
                database.executemany(_INSTANCE, [_instance_row(*one) for one in fresh])
                database.executemany(_OUTCOME, [_outcome_row(one, _POSTPONED) for one in postponed])
                database.executemany(_OUTCOME, [_outcome_row(one, one.state.value) for one in outcomes])
                database.executemany(_SENT, [(number, *map(to_bytes, uids_of(one))) for number, one in sent])
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        except (Error, MemoryError) as error:
            raise failed(error) from error
        self._known = len(keys)

    def pending(self, contexts: Collection[int], after: int) -> list[tuple[int, Instance]]:
        """The first instances of these contexts, of the numbers behind ``after``, that have no outcome."""
        found = self._ask(
            f"{_INSTANCES} number > ? AND (state = ? AND reason = '' OR state = ?) AND context IN ({_marks(contexts)})"
            " ORDER BY number LIMIT ?",
            (after, State.PENDING.value, _POSTPONED, *contexts, _BATCH),
        )
        return [(row[0], Instance(*row[1:])) for row in _all(found)]

    def instance(self, number: int) -> Instance:
        """An instance as it was added."""
        return next(Instance(*row[1:]) for row in _all(self._ask(f"{_INSTANCES} number = ?", (number,))))

    def postponed(self) -> Iterator[tuple[int, int, int | None]]:
        """Number, context and status of those that are to be tried again."""
        return _all(self._ask("SELECT number, context, status FROM instance WHERE state = ?", (_POSTPONED,)))

    def settle(self) -> None:
        """What was postponed has its outcome."""
        self._change(
            "UPDATE instance SET state = CASE WHEN status IS NULL THEN ? ELSE ? END WHERE state = ?",
            (State.FAILED.value, State.ANSWERED.value, _POSTPONED),
        )

    def leave(self, reason: bytes, keep: Collection[int]) -> None:
        """Give a reason to all without one and without an outcome, but for those of the contexts in ``keep``."""
        self._change(
            f"UPDATE instance SET reason = {TEXT} WHERE state = ? AND reason = '' AND context NOT IN ({_marks(keep)})",
            (reason, State.PENDING.value, *keep),
        )

    def shared_uids(self, most: int, each: int) -> Iterator[tuple[list[Instance], int]]:
        """For ``most`` SOP Instance UIDs of more than one instance: the first ``each``, and how many there are."""
        found = self._ask(  # in their own order, since sorting rows would take memory
            f"{_INSTANCES} sop_instance IN (SELECT sop_instance FROM instance GROUP BY 1 HAVING count(*) > 1 LIMIT ?)"
            " ORDER BY number",
            (most,),
        )
        first: dict[str, list[Instance]] = {}
        counts: dict[str, int] = {}
        for row in _all(found):
            uid = row[3]
            counts[uid] = counts.get(uid, 0) + 1
            if counts[uid] <= each:
                first.setdefault(uid, []).append(Instance(*row[1:]))
        yield from ((instances, counts[uid]) for uid, instances in first.items())

    def all(self) -> Iterator[tuple[Instance, int, Outcome]]:
        """Every instance, as it was sent, with its context and its outcome."""
        for row in _all(self._ask(_ROWS)):
            yield Instance(*row[1:6]), row[6], _outcome_of(row[0], *row[7:])

    def _change(self, statement: str, values: tuple[int | bytes, ...]) -> None:
        """Change instances of all numbers, some at a time: the way back from all at once would not fit into memory."""
        (last,) = self._ask("SELECT ifnull(max(number), 0) FROM instance").fetchone()
        for number in range(0, last, _SLICE):
            self._ask(f"{statement} AND number > ? AND number <= ?", (*values, number, number + _SLICE))

    def _ask(self, statement: str, values: Iterable[int | bytes] = ()) -> Cursor:
        try:
            return self._database.execute(statement, tuple(values))
        except (Error, MemoryError) as error:
            raise failed(error) from error


def _opened() -> Connection:
    """A database in a file that has lost its name, so that it goes with the process. Raises ``OSError``."""
    path = _new_file()
    try:
        database: Connection = connect(path, isolation_level=None, check_same_thread=False)  # a report may travel
        try:
            database.text_factory = to_text
            database.executescript(_SCHEMA)
        except BaseException:
            database.close()
            raise
    finally:
        try:
            os.unlink(path)
        except OSError:  # a system where an open file keeps its name
            pass
    return database


def _new_file() -> str:
    """A new file of ours in the first folder for temporary files where there can be one. Raises ``OSError``."""
    given = filter(None, (os.environ.get(name) for name in ("SQLITE_TMPDIR", "TMPDIR", "TEMP", "TMP")))
    refused: OSError | None = None
    for folder in (*given, *_FOLDERS):
        path = os.path.join(folder, f"dcmsend-{os.urandom(8).hex()}")
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            refused = refused or error
        else:
            return path
    raise refused or OSError("no folder for temporary files")


def _all(cursor: Cursor) -> Iterator[Row]:
    while True:
        try:
            rows = cursor.fetchmany(_BATCH)
        except (Error, MemoryError) as error:
            raise failed(error) from error
        if not rows:
            return
        yield from rows


def _instance_row(number: int, instance: Instance, context: int) -> Row:
    path, sop_instance = to_bytes(instance.path), to_bytes(instance.sop_instance)
    return number, path, sop_instance, context, min(instance.size, _MOST)


def _outcome_row(outcome: Outcome, state: int) -> Row:
    return (
        state,
        outcome.status,
        to_bytes(pack(outcome.reason)),
        outcome.association,
        outcome.context_id,
        to_bytes(outcome.network_syntax),
        min(outcome.dataset_size, _MOST),
        outcome.attempts,
        outcome.number,
    )


def _outcome_of(number: int, state: int, status: int | None, reason: str, *further: Any) -> Outcome:
    association, context_id, network_syntax, dataset_size, attempts = further
    outcome = Outcome(
        number=number,
        state=State.PENDING if state == _POSTPONED else State(state),
        status=status,
        reason=unpack(reason),
        association=association,
        context_id=context_id,
        network_syntax=network_syntax,
        dataset_size=dataset_size,
        attempts=attempts,
    )
    return final(outcome) if state == _POSTPONED else outcome


def failed(error: Exception) -> JournalError:
    """What an error of SQLite or the system means to the user."""
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or "out of memory"
    return JournalError(because("list_cannot_be_kept", words=words))


def _marks(values: Collection[int]) -> str:
    return ", ".join("?" * len(values))


def to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def to_text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")
