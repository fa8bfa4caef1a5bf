"""The journal file: what has become of each instance, kept from one run to the next in an SQLite database.

Whatever ends a run, the next one with the same file sends what is not known to be stored, and nothing else. So an
outcome is on the disk before the next instance goes out over the same association: what may be sent twice is what was
not answered. The list of the present run is not in here, but in ``journal``.

The file is not trusted beyond what it claims to be stored: a schema that is not exactly ours is refused, and values of
another kind count as not being there.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from time import gmtime, strftime, time

from dcmsend.errors import JournalError
from dcmsend.events import InstanceFinished, InstancePostponed
from dcmsend.model import Outcome, State
from dcmsend.printable import plain
from dcmsend.reasons import because, pack
from dcmsend.transfer.journal_file import TEXT, to_bytes, to_text
from dcmsend.transfer.ledger_file import failed, opened
from dcmsend.transfer.lock import FileLock
from dcmsend.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Generator, Iterator
    from typing import Any, Final, TypeAlias, TypeVar

    from dcmsend.events import Event
    from dcmsend.model import Instance, JournalFile, Peer
    from dcmsend.stop import Stop
    from dcmsend.transfer.worker import Ending

    T = TypeVar("T")
    Row: TypeAlias = tuple[Any, ...]
else:
    from _collections import deque  # the package around it takes longer to import than all of this

PENDING: Final = "pending"
STORED: Final = "stored"
REFUSED: Final = "refused"
NO_CONTEXT: Final = "no context"
FAILED: Final = "failed"

_SHOWN: Final = 64  # characters of what the file says
_BATCH: Final = 256  # instances that are met before they are written


class Ledger:
    """One run's hold on a journal file. Raises ``JournalError`` where it cannot be had; close it.

    Once it cannot be written any more, ``error`` says so, and the run is asked to stop: what is under way is finished,
    and nothing else is begun. ``earlier`` counts the instances that need not be sent again. ``look`` says what tells a
    path's file from others of that name: two numbers. Safe to be used from several threads at once.
    """

    def __init__(self, file: JournalFile, peer: Peer, stop: Stop, clock: Callable[[], float] = time) -> None:
        self.earlier = 0
        self.error: JournalError | None = None
        self.look: Callable[[str], tuple[int, int]] = look_at
        self._stop = stop
        self._path = file.path
        self._clock = clock
        self._lock = allocate_lock()
        self._met: list[Row] = []  # not written yet
        self._done: deque[Row] = deque()  # nor these
        try:
            self._folder = to_bytes(os.path.join(os.getcwd(), ""))
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

        That counts only for a file of the same size and time of modification.
        """
        key, given = self._key(instance)
        size, modified = self.look(instance.path)
        uids = map(to_bytes, (instance.sop_class, instance.sop_instance, instance.transfer_syntax))
        met = (key, given, size, modified, *uids, self._run, self._now())
        return self._alone(lambda: self._met_before(met, number))

    def kept(self, events: Generator[Event, None, Ending]) -> Generator[Event, None, Ending]:
        """The events of an association, which goes on after each outcome when that is on the disk."""
        try:
            while True:
                try:
                    event = next(events)
                except StopIteration as end:
                    ending: Ending = end.value
                    return ending
                yield event
                if isinstance(event, InstanceFinished | InstancePostponed):
                    self.record(event)
        finally:
            events.close()

    def record(self, event: InstanceFinished | InstancePostponed) -> None:
        """Write down what has become of an instance. What others have to write at that moment goes along."""
        outcome = event.outcome
        postponed = isinstance(event, InstancePostponed)
        self._done.append(
            (
                PENDING if postponed else _state(outcome),
                outcome.status,
                to_bytes(pack(outcome.reason)),
                outcome.attempts,
                outcome.association,
                to_bytes(outcome.network_syntax),
                self._run,
                None if postponed else self._now(),
                self._key(event.instance)[0],
            )
        )
        self._alone(self._write)

    def left_over(self) -> int:
        """How many instances of earlier runs are not known to be stored, and have not been met in this one."""
        return self._alone(self._count_left) or 0

    def close(self) -> None:
        """Write down that the run has ended, and let go of the file."""
        self._alone(self._end)
        self._database.close()
        self._held.release()

    def _key(self, instance: Instance) -> tuple[bytes, int]:
        """The path from the root of the file system, and how many bytes of it were not given but the folder's."""
        path = to_bytes(instance.path)
        return (path, 0) if os.path.isabs(path) else (self._folder + path, len(self._folder))

    def _alone(self, act: Callable[[], T]) -> T | None:
        """Do something with the database, and no other thread meanwhile. After an error nothing more is done."""
        with self._lock:
            if self.error is None:
                try:
                    return act()
                except JournalError as error:
                    self.error = error
                    if not self._stop.requested:
                        self._stop.request()
        return None

    def _met_before(self, met: Row, number: int) -> Outcome | None:
        path, _, size, modified = met[:4]
        outcome = stored_before(self._ask(FIND, path), size, modified, number)
        if outcome is not None:
            self.earlier += 1
            return outcome
        self._met.append(met)
        if len(self._met) >= _BATCH:
            self._write()
        return None

    def _count_left(self) -> int:
        self._write()
        row = self._ask(f"{LEFT} AND run < {self._run}")
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
        """Put all that was gathered on the disk. Whoever has the lock does so for all."""
        if not self._met and not self._done:
            return
        from sqlite3 import Error

        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(_MEET, self._met)
            self._database.executemany(_RECORD, _drained(self._done))
            self._database.execute("COMMIT")
        except Error as error:
            raise failed(error, self._path) from error
        self._met.clear()

    def _do(self, statement: str, *values: int | str | bytes | None) -> None:
        from sqlite3 import Error

        try:
            self._database.execute(statement, values)
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


FIRST_RUN: Final = "SELECT host, port, called_ae FROM run ORDER BY id LIMIT 1"
FIND: Final = (
    "SELECT state, size, modified, status, association, network_syntax, finished, run FROM instance"
    f" WHERE path = {TEXT}"
)
_MEET: Final = (
    "INSERT INTO instance (path, given, size, modified, sop_class, sop_instance, transfer_syntax, state, status,"
    " reason, attempts, association, network_syntax, run, found, finished)"
    f" VALUES ({TEXT}, ?, ?, ?, {TEXT}, {TEXT}, {TEXT}, '{PENDING}', NULL, '', 0, 0, '', ?, ?, NULL)"
    " ON CONFLICT (path) DO UPDATE SET given = excluded.given, size = excluded.size, modified = excluded.modified,"
    " sop_class = excluded.sop_class, sop_instance = excluded.sop_instance,"
    f" transfer_syntax = excluded.transfer_syntax, state = '{PENDING}', status = NULL, reason = '', attempts = 0,"
    " association = 0, network_syntax = '', run = excluded.run, finished = NULL"
)
_RECORD: Final = (
    f"UPDATE instance SET state = ?, status = ?, reason = {TEXT}, attempts = ?, association = ?,"
    f" network_syntax = {TEXT}, run = ?, finished = ? WHERE path = {TEXT}"
)
LEFT: Final = f"SELECT count(*) FROM instance WHERE state <> '{STORED}'"
_STATES: Final = {State.NO_CONTEXT: NO_CONTEXT, State.FAILED: FAILED, State.PENDING: PENDING}


def _state(outcome: Outcome) -> str:
    if outcome.state is State.ANSWERED:
        return STORED if outcome.stored else REFUSED
    return _STATES[outcome.state]


def require_same_peer(first: Row | None, file: JournalFile, peer: Peer) -> None:
    """Raises JournalError where the ``first`` run of a journal file was to another peer, and that is not wished."""
    wanted = (peer.host.lower(), peer.port, peer.called_ae)
    if first is None or file.any_peer:
        return
    host, port, called_ae = (to_text(value) if isinstance(value, bytes) else str(value) for value in first)
    if (host, port, called_ae) != (wanted[0], str(wanted[1]), wanted[2]):
        title, name = plain(called_ae, _SHOWN), plain(f"{host}:{port}", _SHOWN)
        raise JournalError(
            f"journal '{file.path}' belongs to {title} at {name}, not {peer.called_ae} at {peer.host}:{peer.port}",
            hint="name another file for --journal, or use --journal-any-peer if both are the same archive",
        )


def stored_before(row: Row | None, size: int, modified: int, number: int) -> Outcome | None:
    """The outcome of an earlier run, if that row says that this very file is stored."""
    if row is None or row[:3] != (STORED.encode(), size, modified):
        return None
    status, association, syntax, finished, run = row[3:]
    if not isinstance(status, int) or not isinstance(run, int):
        return None
    if not isinstance(syntax, bytes) or not isinstance(finished, bytes):
        return None
    outcome = Outcome(
        number=number,
        state=State.ANSWERED,
        status=status,
        reason=because("stored_by_run", run=run, finished=to_text(finished)[:_SHOWN]),
        association=association if isinstance(association, int) else 0,
        network_syntax=plain(to_text(syntax), _SHOWN),
        dataset_size=0,
    )
    return outcome if 0 <= status <= 0xFFFF and outcome.stored else None


def look_at(path: str) -> tuple[int, int]:
    """Size in bytes and time of modification in nanoseconds; a file that has gone is like no other."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return -1, 0
    return status.st_size, status.st_mtime_ns


def _drained(rows: deque[Row]) -> Iterator[Row]:
    while rows:
        yield rows.popleft()
