"""The journal file: what has become of each instance, kept from one run to the next in an SQLite database.

Whatever ends a run, the next one with the same file sends what is not known to be stored, and nothing else. So an
outcome is on the disk before the next instance goes out over the same association: what may be sent twice is what was
not answered. The list of the present run is not in here, but in ``journal``.

The file is not trusted beyond what it claims to be stored: a schema that is not exactly ours is refused, and values of
another kind count as not being there. What it claims counts for the file and the instance of which it does: one of the
same name, size, time and UIDs.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from time import gmtime, strftime, time

from dcmsend.errors import JournalError
from dcmsend.events import InstanceFinished, InstancePostponed
from dcmsend.transfer.journal_file import TEXT, to_bytes
from dcmsend.transfer.ledger_file import failed, opened
from dcmsend.transfer.ledger_keys import Keys
from dcmsend.transfer.ledger_rows import (
    FIND,
    FIRST_RUN,
    GIVEN_UP,
    LEAVE_OUT,
    LEFT,
    MEET,
    PENDING,
    RECORD,
    fitting,
    look_at,
    not_given,
    packed,
    require_same_peer,
    state_of,
    stored_before,
    uids,
)
from dcmsend.transfer.lock import FileLock
from dcmsend.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Generator
    from typing import Any, Final, TypeAlias, TypeVar

    from dcmsend.events import Event
    from dcmsend.model import Instance, JournalFile, Outcome, Peer, Refusal
    from dcmsend.stop import Stop
    from dcmsend.transfer.worker import Ending

    T = TypeVar("T")
    Row: TypeAlias = tuple[Any, ...]
else:
    from _collections import deque  # the package around it takes longer to import than all of this

_BATCH: Final = 256  # instances that are met before they are written


class Ledger:
    """One run's hold on a journal file. Raises ``JournalError`` where it cannot be had; close it.

    Once it cannot be written any more, ``error`` says so, and the run is asked to stop: what is under way is finished,
    and nothing else is begun. ``earlier`` counts the instances that need not be sent again. ``look`` says what tells a
    path's file from others of that name: two numbers. Safe to be used from several threads at once, whatever of that is
    interrupted, and closed meanwhile.
    """

    def __init__(self, file: JournalFile, peer: Peer, stop: Stop, clock: Callable[[], float] = time) -> None:
        self.earlier = 0
        self.error: JournalError | None = None
        self.look: Callable[[str], tuple[int, int]] = look_at
        self._stop = stop
        self._path = file.path
        self._gives_up = file.give_up
        self._clock = clock
        self._lock = allocate_lock()
        self._closing = False  # somebody wants it to be closed
        self._closed = False
        self._met: list[Row] = []  # not written yet
        self._done: deque[Row] = deque()  # nor these
        self._left_out: list[Row] = []  # nor these
        try:
            self._keys = Keys()
            real = os.path.realpath(file.path)
        except (OSError, ValueError) as error:  # no such folder any more, or a name that no file can have
            raise failed(error, file.path) from error
        self._held = FileLock(f"{real}-lock", file.path)
        try:
            self._database = opened(real, file.path)
            try:
                self._run = self._begin(file, peer)
            except BaseException:
                self._database.close()
                raise
        except BaseException:
            self._held.release()
            raise

    def __repr__(self) -> str:
        return f"<Ledger {self._path}, run {self._run}>"

    def meet(self, instance: Instance, number: int) -> Outcome | None:
        """Take an instance on that is number ``number`` of this run; its outcome if it is stored already.

        That counts only for the same UIDs, in a file of the same size and time of modification.
        """
        key = to_bytes(self._keys.of(instance.path))
        look = fitting(self.look(instance.path))
        met = (key, not_given(key, instance.path), *look, *uids(instance), self._run, self._now())
        return self._alone(lambda: self._met_before(met, number))

    def leave_out(self, refusal: Refusal) -> None:
        """Write down an input that was left out. What the file knows of an instance there is not touched by that."""
        key, now = to_bytes(self._keys.of(refusal.path)), self._now()
        row = (key, not_given(key, refusal.path), to_bytes(packed(refusal.reason)), self._run, now, now)
        self._alone(lambda: self._add_left_out(row))

    def kept(self, events: Generator[Event, None, Ending]) -> Generator[Event, None, Ending]:
        """The events of an association, which goes on after each outcome when that is on the disk."""
        try:
            while True:
                try:
                    event = next(events)
                except StopIteration as end:
                    ending: Ending = end.value
                    return ending
                # Whoever hears of an outcome may take the file away.
                row = self._row(event) if isinstance(event, InstanceFinished | InstancePostponed) else None
                yield event
                if row is not None:
                    self._write_down(row)
        finally:
            events.close()

    def record(self, event: InstanceFinished | InstancePostponed) -> None:
        """Write down what has become of an instance, and which one it was. What others have to write goes along."""
        self._write_down(self._row(event))

    def give_up(self) -> int:
        """Give up what is left over, where that is wished, so that it is that no more; how many that were."""
        return (self._alone(self._give_up) or 0) if self._gives_up else 0

    def left_over(self) -> int:
        """How many instances of earlier runs are neither stored nor given up, and have not been met in this one."""
        return self._alone(self._count_left) or 0

    def close(self) -> None:
        """Write down that the run has ended, and let go of the file. May be called again, and from any thread."""
        self._closing = True  # whoever is within closes it then, should the wait be interrupted
        try:
            with self._lock:
                self._shut()
        except BaseException:
            if self._lock.acquire(timeout=1):
                try:
                    self._shut()
                finally:
                    self._lock.release()
            raise

    def _row(self, event: InstanceFinished | InstancePostponed) -> Row:
        """What is to be written of an outcome."""
        outcome, instance = event.outcome, event.instance
        postponed = isinstance(event, InstancePostponed)
        return (
            PENDING if postponed else state_of(outcome),
            outcome.status,
            to_bytes(packed(outcome.reason)),
            outcome.attempts,
            outcome.association,
            to_bytes(outcome.network_syntax),
            self._run,
            None if postponed else self._now(),
            *uids(instance),
            *fitting(self.look(instance.path)),
            to_bytes(self._keys.of(instance.path)),
        )

    def _write_down(self, row: Row) -> None:
        self._done.append(row)
        self._alone(self._write)

    def _alone(self, act: Callable[[], T]) -> T | None:
        """Do something with the database, and no other thread meanwhile. After an error nothing more is done."""
        with self._lock:
            try:
                return self._tried(act)
            finally:
                if self._closing:
                    self._shut()

    def _tried(self, act: Callable[[], T]) -> T | None:
        if self.error is None and not self._closed:
            try:
                return act()
            except JournalError as error:
                self.error = error
                if not self._stop.requested:
                    self._stop.request()
        return None

    def _shut(self) -> None:
        """Close, if that was not done. Only whoever has the lock may do so."""
        try:
            self._tried(self._end)
        finally:
            self._database.close()
            self._held.release()
            self._closed = True

    def _met_before(self, met: Row, number: int) -> Outcome | None:
        outcome = stored_before(self._ask(FIND, met[0]), met[2:7], number)
        if outcome is not None:
            self.earlier += 1
            return outcome
        self._met.append(met)
        if len(self._met) >= _BATCH:
            self._write()
        return None

    def _add_left_out(self, row: Row) -> None:
        self._left_out.append(row)
        if len(self._left_out) >= _BATCH:
            self._write()

    def _give_up(self) -> int:
        self._write()
        values = (to_bytes(GIVEN_UP), self._run, self._now(), self._run)
        return self._do(f"UPDATE instance SET state = {TEXT}, run = ?, finished = ? WHERE {LEFT} AND run < ?", *values)

    def _count_left(self) -> int:
        self._write()
        row = self._ask(f"SELECT count(*) FROM instance WHERE {LEFT} AND run < ?", self._run)
        return int(row[0]) if row else 0

    def _end(self) -> None:
        self._write()
        self._do("UPDATE run SET ended = ? WHERE id = ?", self._now(), self._run)

    def _begin(self, file: JournalFile, peer: Peer) -> int:
        """Add this run, if it may be added; its number."""
        require_same_peer(self._ask(FIRST_RUN), file, peer)
        titles = map(to_bytes, (peer.called_ae, peer.calling_ae))
        self._do(
            "INSERT INTO run (version, host, port, called_ae, calling_ae, started)"
            f" VALUES (?, {TEXT}, ?, {TEXT}, {TEXT}, ?)",
            __version__,
            to_bytes(peer.host.lower()),
            peer.port,
            *titles,
            self._now(),
        )
        row = self._ask("SELECT max(id) FROM run")
        return int(row[0]) if row else 0

    def _write(self) -> None:
        """Put all that was gathered on the disk, or nothing. Whoever has the lock does so for all."""
        met, left_out = len(self._met), len(self._left_out)
        done = len(self._done)  # others may add to it meanwhile
        if not met and not done and not left_out:
            return
        from sqlite3 import Error

        database = self._database
        try:
            try:
                database.execute("BEGIN IMMEDIATE")
                database.executemany(MEET, self._met)
                database.executemany(LEAVE_OUT, self._left_out)
                database.executemany(RECORD, [self._done[place] for place in range(done)])
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        except Error as error:
            raise failed(error, self._path) from error
        del self._met[:met]  # first: an outcome may be written twice, and must not be taken back
        del self._left_out[:left_out]
        for _ in range(done):
            self._done.popleft()

    def _do(self, statement: str, *values: int | str | bytes | None) -> int:
        """Change something; in how many rows."""
        from sqlite3 import Error

        try:
            return self._database.execute(statement, values).rowcount
        except Error as error:
            raise failed(error, self._path) from error

    def _ask(self, statement: str, *values: int | bytes) -> Row | None:
        """The first row of the answer."""
        from sqlite3 import Error

        try:
            row: Row | None = self._database.execute(statement, values).fetchone()
        except Error as error:
            raise failed(error, self._path) from error
        return row

    def _now(self) -> str:
        """UTC in the form that SQLite's own functions take."""
        now = self._clock()
        return f"{strftime('%Y-%m-%d %H:%M:%S', gmtime(now))}.{int(now * 1000) % 1000:03d}"
