"""The list of instances and what has become of each, in SQLite. One writer: the thread that made the journal.

``:memory:`` for now; the list never lives in Python objects. An instance belongs to a *context*: a row for each
distinct pair of SOP class and transfer syntax. Numbers count from 1 in the order of the input.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Final

from dcmsend.model import Instance, Outcome, State, StatusClass, Totals, status_class

_SCHEMA: Final = """
CREATE TABLE context (
    id INTEGER PRIMARY KEY, sop_class TEXT NOT NULL, transfer_syntax TEXT NOT NULL,
    UNIQUE (sop_class, transfer_syntax));
CREATE TABLE instance (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL, sop_instance TEXT NOT NULL, context INTEGER NOT NULL,
    size INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, status INTEGER, reason TEXT NOT NULL DEFAULT '',
    association INTEGER NOT NULL DEFAULT 0, context_id INTEGER NOT NULL DEFAULT 0,
    network_syntax TEXT NOT NULL DEFAULT '', dataset_size INTEGER NOT NULL DEFAULT 0);
"""
_INSTANCE: Final = "instance.number, path, sop_class, sop_instance, transfer_syntax, size"
_TEXT: Final = "CAST(? AS TEXT)"  # bound as bytes: names of files need not be UTF-8
_BATCH: Final = 256

Key = tuple[str, str]
Entry = tuple[int, Instance]


class Journal:
    """Instances in, outcomes in, both out again in the order of the numbers."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.text_factory = _text
        self._database.executescript(_SCHEMA)
        self._contexts: dict[Key, int] = {}
        self._count = 0

    def __repr__(self) -> str:
        return f"<Journal of {self._count} instances in {len(self._contexts)} contexts>"

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
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
            self._execute(f"INSERT INTO context VALUES (?, {_TEXT}, {_TEXT})", context, *map(_bytes, key))
        self._count += 1
        self._execute(
            f"INSERT INTO instance (number, path, sop_instance, context, size) VALUES (?, {_TEXT}, {_TEXT}, ?, ?)",
            self._count,
            _bytes(instance.path),
            _bytes(instance.sop_instance),
            context,
            instance.size,
        )
        return self._count

    def pending(self, contexts: Collection[int]) -> Iterator[Entry]:
        """Instances of these contexts that have no outcome yet, in order; outcomes may be recorded meanwhile."""
        number = 0
        while True:
            rows = self._execute(
                f"SELECT {_INSTANCE} FROM instance JOIN context ON context.id = context"
                " WHERE number > ? AND state = ? AND reason = ''"
                f" AND context IN ({', '.join('?' * len(contexts))}) ORDER BY number LIMIT ?",
                number,
                State.PENDING.value,
                *contexts,
                _BATCH,
            ).fetchall()
            yield from ((row[0], Instance(*row[1:])) for row in rows)
            if len(rows) < _BATCH:
                return
            number = rows[-1][0]

    def record(self, outcome: Outcome) -> None:
        """Keep the outcome of an instance."""
        self._execute(
            f"UPDATE instance SET state = ?, status = ?, reason = {_TEXT}, association = ?, context_id = ?,"
            f" network_syntax = {_TEXT}, dataset_size = ? WHERE number = ?",
            outcome.state.value,
            outcome.status,
            _bytes(outcome.reason),
            outcome.association,
            outcome.context_id,
            _bytes(outcome.network_syntax),
            outcome.dataset_size,
            outcome.number,
        )

    def leave(self, reason: str, *, keep: Collection[int] = ()) -> int:
        """Give a reason to all without an outcome, but for those of the contexts in ``keep``; how many that were."""
        return self._execute(
            f"UPDATE instance SET reason = {_TEXT} WHERE state = ? AND reason = ''"
            f" AND context NOT IN ({', '.join('?' * len(keep))})",
            _bytes(reason),
            State.PENDING.value,
            *keep,
        ).rowcount

    def rows(self) -> Iterator[tuple[Instance, Outcome]]:
        """Every instance with its outcome, in order."""
        for row in self._execute(
            f"SELECT {_INSTANCE}, state, status, reason, association, context_id, network_syntax, dataset_size"
            " FROM instance JOIN context ON context.id = context ORDER BY number"
        ):
            yield (
                Instance(*row[1:6]),
                Outcome(
                    number=row[0],
                    state=State(row[6]),
                    status=row[7],
                    reason=row[8],
                    association=row[9],
                    context_id=row[10],
                    network_syntax=row[11],
                    dataset_size=row[12],
                ),
            )

    def totals(self, *, associations: int, contexts: int, refused_files: int) -> Totals:
        """Counts by class of status."""
        by_class: dict[StatusClass, int] = {}
        no_context = 0
        for state, status, count in self._execute(
            "SELECT state, status, count(*) FROM instance GROUP BY state, status"
        ):
            if state == State.ANSWERED.value:
                kind = status_class(status)
                by_class[kind] = by_class.get(kind, 0) + count
            elif state == State.NO_CONTEXT.value:
                no_context += count
        return Totals(
            associations=associations,
            contexts=contexts,
            instances=self._count,
            by_class=by_class,
            no_context=no_context,
            refused_files=refused_files,
        )

    def _execute(self, statement: str, *values: int | bytes | None) -> sqlite3.Cursor:
        return self._database.execute(statement, values)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")
