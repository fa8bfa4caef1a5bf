"""A journal file that is only looked at: what earlier runs have stored, for those who send nothing.

Neither the file nor anything beside it is written, and none is made. A run that was killed may have left its last
outcomes in a second file, which SQLite puts together with the first, and a file of an older version is changed: that is
done to a copy.
"""

from __future__ import annotations

import os

from dcmsend.transfer.journal import uids_of
from dcmsend.transfer.journal_file import to_bytes
from dcmsend.transfer.ledger_file import failed, opened_to_read, ready_to_read, whole_copy
from dcmsend.transfer.ledger_keys import Keys
from dcmsend.transfer.ledger_rows import (
    FIND,
    FIRST_RUN,
    LEFT,
    NOT_LEFT_OVER,
    fitting,
    look_at,
    require_same_peer,
    stored_before,
)
from dcmsend.transfer.lock import require_free

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from tempfile import TemporaryDirectory
    from typing import Any

    from dcmsend.model import Instance, JournalFile, Outcome, Peer, Refusal


class LedgerReader:
    """What a journal file knows. Raises ``JournalError`` throughout, where a run would; close it."""

    def __init__(self, file: JournalFile, peer: Peer) -> None:
        self.look: Callable[[str], tuple[int, int]] = look_at
        self._path = file.path
        self._gives_up = file.give_up
        self._unstored = 0  # of those that were met, how many the file has as left over
        self._copy: TemporaryDirectory[str] | None = None
        self._database: Connection | None = None
        try:
            self._keys = Keys()
            real = os.path.realpath(file.path)
        except (OSError, ValueError) as error:
            raise failed(error, file.path) from error
        require_free(f"{real}-lock", file.path)
        complete = self._complete(real)
        try:
            self._database = opened_to_read(complete, file.path)
            require_same_peer(self._ask(FIRST_RUN), file, peer)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<LedgerReader {self._path}>"

    def meet(self, instance: Instance, number: int) -> Outcome | None:
        """The outcome of an instance that is stored already: the same UIDs, in a file of the same size and time."""
        row = self._ask(FIND, to_bytes(self._keys.of(instance.path)))
        if row is None:
            return None
        self._unstored += row[0] not in {state.encode() for state in NOT_LEFT_OVER}
        wanted = (*fitting(self.look(instance.path)), *map(to_bytes, uids_of(instance)))
        return stored_before(row, wanted, number)

    def leave_out(self, refusal: Refusal) -> None:
        """Nothing: it is not written."""

    def give_up(self) -> int:
        """How many a run would give up."""
        return self._count_left() if self._gives_up else 0

    def left_over(self) -> int:
        """How many instances are neither stored nor given up, and have not been met."""
        return 0 if self._gives_up else self._count_left()

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        if self._copy is not None:
            self._copy.cleanup()

    def _count_left(self) -> int:
        row = self._ask(f"SELECT count(*) FROM instance WHERE {LEFT}")
        return max(0, int(row[0]) - self._unstored) if row else 0

    def _complete(self, path: str) -> str:
        """The path of the database with all that belongs to it: its own, or that of a copy."""
        from tempfile import TemporaryDirectory

        try:
            if ready_to_read(path):
                return path
            self._copy = TemporaryDirectory(prefix="dcmsend-")
        except OSError as error:
            raise failed(error, self._path) from error
        try:
            return whole_copy(path, self._copy.name, self._path)
        except BaseException:
            self.close()
            raise

    def _ask(self, statement: str, *values: bytes) -> tuple[Any, ...] | None:
        """The first row of the answer; nothing where there is no journal yet."""
        if self._database is None:
            return None
        from sqlite3 import Error

        try:
            row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        except Error as error:
            raise failed(error, self._path) from error
        return row
