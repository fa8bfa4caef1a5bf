"""Rows of the journal file: the statements, what each says, and what one of an earlier run is believed.

Values of the file may be of any kind and length: they are compared with what was wanted, or bounded.
"""

from __future__ import annotations

import os

from dcmsend.errors import JournalError
from dcmsend.model import Outcome, State
from dcmsend.printable import plain
from dcmsend.reasons import because, pack
from dcmsend.transfer.journal import uids_of
from dcmsend.transfer.journal_file import TEXT, to_bytes, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias

    from dcmsend.model import Instance, JournalFile, Peer
    from dcmsend.reasons import Reason

    Row: TypeAlias = tuple[Any, ...]

PENDING: Final = "pending"
STORED: Final = "stored"
REFUSED: Final = "refused"
NO_CONTEXT: Final = "no context"
FAILED: Final = "failed"
GIVEN_UP: Final = "given up"
LEFT_OUT: Final = "left out"  # no instance: an input of which nothing was taken on

SHOWN: Final = 64  # characters of what the file says
_LONGEST_REASON: Final = 1 << 16  # characters of a reason as text
FIRST_RUN: Final = "SELECT host, port, called_ae FROM run ORDER BY id LIMIT 1"
FIND: Final = (
    "SELECT state, size, modified, sop_class, sop_instance, transfer_syntax,"
    f" status, association, network_syntax, finished, run FROM instance WHERE path = {TEXT}"
)
NOT_LEFT_OVER: Final = (STORED, GIVEN_UP, LEFT_OUT)
LEFT: Final = "state NOT IN ('{}', '{}', '{}')".format(*NOT_LEFT_OVER)
MEET: Final = (
    "INSERT INTO instance (path, given, size, modified, sop_class, sop_instance, transfer_syntax, state, status,"
    " reason, attempts, association, network_syntax, run, found, finished)"
    f" VALUES ({TEXT}, ?, ?, ?, {TEXT}, {TEXT}, {TEXT}, '{PENDING}', NULL, '', 0, 0, '', ?, ?, NULL)"
    " ON CONFLICT (path) DO UPDATE SET given = excluded.given, size = excluded.size, modified = excluded.modified,"
    " sop_class = excluded.sop_class, sop_instance = excluded.sop_instance,"
    f" transfer_syntax = excluded.transfer_syntax, state = '{PENDING}', status = NULL, reason = '', attempts = 0,"
    " association = 0, network_syntax = '', run = excluded.run, finished = NULL"
)
# Beside an instance of that path, which is known by it, the row of an input stands under a name that no file has.
LEAVE_OUT: Final = (
    "INSERT INTO instance (path, given, size, modified, sop_class, sop_instance, transfer_syntax, state, status,"
    " reason, attempts, association, network_syntax, run, found, finished)"
    f" SELECT CASE WHEN EXISTS (SELECT 1 FROM instance WHERE path = CAST(?1 AS TEXT) AND state <> '{LEFT_OUT}')"
    f" THEN '{LEFT_OUT}: ' || CAST(?1 AS TEXT) ELSE CAST(?1 AS TEXT) END,"
    f" ?2, -1, 0, '', '', '', '{LEFT_OUT}', NULL, CAST(?3 AS TEXT), 0, 0, '', ?4, ?5, ?6 WHERE true"
    " ON CONFLICT (path) DO UPDATE SET reason = excluded.reason, run = excluded.run, finished = excluded.finished"
)
# A file that is another one than that which was met may or may not be the one that was sent: size -1 is no file's.
RECORD: Final = (
    f"UPDATE instance SET state = ?, status = ?, reason = {TEXT}, attempts = ?, association = ?,"
    f" network_syntax = {TEXT}, run = ?, finished = ?,"
    f" sop_class = {TEXT}, sop_instance = {TEXT}, transfer_syntax = {TEXT},"
    f" size = CASE WHEN size = ? AND modified = ? THEN size ELSE -1 END WHERE path = {TEXT}"
)
_STATES: Final = {State.NO_CONTEXT: NO_CONTEXT, State.FAILED: FAILED, State.PENDING: PENDING}


def state_of(outcome: Outcome) -> str:
    if outcome.state is State.ANSWERED:
        return STORED if outcome.stored else REFUSED
    return _STATES[outcome.state]


def uids(instance: Instance) -> tuple[bytes, ...]:
    return tuple(map(to_bytes, uids_of(instance)))


def not_given(key: bytes, path: str) -> int:
    """How many bytes of a key were put before what was given."""
    given = to_bytes(path)
    return len(key) - len(given) if key.endswith(given) else 0


def packed(reason: Reason) -> str:
    """A reason as text; one that is too long as its words, cut."""
    text = pack(reason)
    return text if len(text) <= _LONGEST_REASON else pack(because("said", words=str(reason)))


def require_same_peer(first: Row | None, file: JournalFile, peer: Peer) -> None:
    """Raises JournalError where the ``first`` run of a journal file was to another peer, and that is not wished."""
    wanted = (peer.host.lower(), peer.port, peer.called_ae)
    if first is None or file.any_peer:
        return
    host, port, called_ae = (to_text(value) if isinstance(value, bytes) else str(value) for value in first)
    if (host, port, called_ae) != (wanted[0], str(wanted[1]), wanted[2]):
        raise JournalError(
            because(
                "journal_of_another_peer",
                path=file.path,
                title=called_ae[:SHOWN],
                name=f"{host}:{port}"[:SHOWN],
                wanted_title=peer.called_ae,
                wanted_name=f"{peer.host}:{peer.port}",
            )
        )


def stored_before(row: Row | None, wanted: Row, number: int) -> Outcome | None:
    """The outcome of an earlier run, if that row says that this very file is stored, as this very instance.

    ``wanted``: size, time and the three UIDs; a size below 0 is that of what is not known again.
    """
    if row is None or wanted[0] < 0 or row[:6] != (STORED.encode(), *wanted):
        return None
    status, association, syntax, finished, run = row[6:]
    if not isinstance(status, int) or not isinstance(run, int):
        return None
    if not isinstance(syntax, bytes) or not isinstance(finished, bytes):
        return None
    outcome = Outcome(
        number=number,
        state=State.ANSWERED,
        status=status,
        reason=because("stored_by_run", run=run, finished=to_text(finished)[:SHOWN]),
        association=association if isinstance(association, int) else 0,
        network_syntax=plain(to_text(syntax), SHOWN),
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


def fitting(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers of the file system as SQLite takes them: their lowest 64 bits. A time may be after 2262."""
    return tuple(((number + (1 << 63)) & _64_BITS) - (1 << 63) for number in numbers)


_64_BITS: Final = (1 << 64) - 1
