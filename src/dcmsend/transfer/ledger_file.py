"""The database of a journal file: its schema, and how one is opened without being fooled.

Anybody may have written the file. What is not exactly ours is refused and left alone. Version 1 had the same tables,
but names of files as they were given: they get those of ``ledger_keys``.
"""

from __future__ import annotations

from dcmsend.errors import JournalError
from dcmsend.reasons import because
from dcmsend.transfer.journal_file import TEXT, to_bytes, to_text
from dcmsend.transfer.ledger_keys import Keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection
    from typing import Final

APPLICATION_ID: Final = 0x44434D53  # "DCMS"
VERSION: Final = 2
OLDER: Final = 1  # what can be made the present one
LONGEST: Final = 1 << 20  # bytes of a value or a statement; a hostile file must not make us allocate more
TABLES: Final = (
    """CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    version TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    called_ae TEXT NOT NULL,
    calling_ae TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT)""",
    """CREATE TABLE instance (
    path TEXT PRIMARY KEY,
    given INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    sop_class TEXT NOT NULL,
    sop_instance TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    state TEXT NOT NULL,
    status INTEGER,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    association INTEGER NOT NULL,
    network_syntax TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES run (id),
    found TEXT NOT NULL,
    finished TEXT) WITHOUT ROWID""",
)
_CORRUPT: Final = (11, 26)  # what SQLite says of a damaged database, and of what is none
_AT_ONCE: Final = 1000  # rows
_PATIENCE: Final = 10.0  # seconds for somebody who writes into it with another tool


def opened(path: str, name: str) -> Connection:
    """The database, which is ours; a new one where there is none."""
    from sqlite3 import Error, connect

    try:
        new = _is_new(path, name)
        database = connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except (Error, OSError, ValueError) as error:
        raise failed(error, name) from error
    try:
        _prepare(database)
        version = 0 if new else _recognized(database, name)
        if not version:
            _create(database)
        _check(database, name)
        database.execute("PRAGMA journal_mode = WAL")
        if version == OLDER:
            _migrate(database)
    except Error as error:
        database.close()
        raise failed(error, name) from error
    except BaseException:
        database.close()
        raise
    return database


def opened_to_read(path: str, name: str) -> Connection | None:
    """The database of a journal that nobody uses, to be read: nothing is written, beside it neither.

    Nothing where there is no journal yet. Where it is not ``ready_to_read``, ``path`` is to be that of a
    ``whole_copy``. Raises ``JournalError``.
    """
    from pathlib import Path
    from sqlite3 import Error, connect

    try:
        if _is_new(path, name):
            return None
        database = connect(f"{Path(path).as_uri()}?immutable=1", uri=True, isolation_level=None)
    except (Error, OSError, ValueError) as error:
        raise failed(error, name) from error
    try:
        _prepare(database)
        if not _recognized(database, name):
            database.close()
            return None
        _check(database, name)
    except Error as error:
        database.close()
        raise failed(error, name) from error
    except BaseException:
        database.close()
        raise
    return database


def ready_to_read(path: str) -> bool:
    """Return True if a file says all by itself: it is of the present version, and no killed run has left a second one.

    Raises ``OSError``.
    """
    from os.path import exists, getsize

    behind = f"{path}-wal"
    if exists(behind) and getsize(behind):
        return False
    try:
        with open(path, "rb") as stream:
            return stream.read(64)[60:] != OLDER.to_bytes(4, "big")  # where ``user_version`` is
    except FileNotFoundError:
        return True


def whole_copy(path: str, folder: str, name: str) -> str:
    """The path of a copy in ``folder`` of a database, with what a killed run has left behind it, as it would be now."""
    from shutil import copyfile
    from sqlite3 import Error, connect

    copy = f"{folder}/journal"
    try:
        copyfile(path, copy)
        try:
            copyfile(f"{path}-wal", f"{copy}-wal")
        except FileNotFoundError:
            pass
        database = connect(copy, isolation_level=None)
        try:
            _prepare(database)
            database.execute("PRAGMA journal_mode = DELETE")
            if _recognized(database, name) == OLDER:
                _check(database, name)
                _migrate(database)
        finally:
            database.close()
    except (Error, OSError) as error:
        raise failed(error, name) from error
    return copy


def _prepare(database: Connection) -> None:
    """Make a database harmless that anybody may have written."""
    _limit(database)
    for word in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = FULL", "foreign_keys = OFF"):
        database.execute(f"PRAGMA {word}")
    database.text_factory = bytes


def _check(database: Connection, name: str) -> None:
    if _pragma(database, "quick_check(1)") != b"ok":
        raise JournalError(because("journal_damaged", path=name))


def _recognized(database: Connection, name: str) -> int:
    """The version of the schema, which is ours; 0 where there is none at all. Raises JournalError where it is not."""
    found = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rootpage").fetchall()
    identity, version = _pragma(database, "application_id"), _pragma(database, "user_version")
    if not found and not identity:
        return 0
    if identity != APPLICATION_ID:
        raise JournalError(because("journal_of_others", path=name))
    if version not in (VERSION, OLDER):
        raise JournalError(because("journal_version", path=name, found=str(version), known=VERSION))
    if [row[0] for row in found] != [table.encode() for table in TABLES]:
        raise JournalError(because("journal_tables", path=name))
    return VERSION if version == VERSION else OLDER


def _migrate(database: Connection) -> None:
    """Give files the names of ``ledger_keys``, all or none. Of rows that are the same file the latest stays."""
    keys, last = Keys(), b""
    database.execute("BEGIN IMMEDIATE")
    while rows := database.execute(
        f"SELECT path, run, state = 'stored' FROM instance WHERE typeof(path) = 'text' AND path > {TEXT}"
        f" ORDER BY path LIMIT {_AT_ONCE}",
        (last,),
    ).fetchall():
        for path, *worth in rows:
            key = to_bytes(keys.of(to_text(path)))
            if key != path:
                _rename(database, path, key, tuple(worth))
        last = rows[-1][0]
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")


def _rename(database: Connection, path: bytes, key: bytes, worth: tuple[int, int]) -> None:
    other = database.execute(f"SELECT run, state = 'stored' FROM instance WHERE path = {TEXT}", (key,)).fetchone()
    if other is not None:
        lesser = key if other <= worth else path
        database.execute(f"DELETE FROM instance WHERE path = {TEXT}", (lesser,))
    database.execute(f"UPDATE instance SET path = {TEXT} WHERE path = {TEXT}", (key, path))


def _create(database: Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        database.execute(table)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")


def failed(error: Exception, name: str) -> JournalError:
    """What an error of SQLite or the system means to the user."""
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    broken = getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT
    return JournalError(because("journal_broken" if broken else "journal_unusable", path=name, words=words))


def _limit(database: Connection) -> None:
    from sqlite3 import SQLITE_LIMIT_LENGTH

    database.setlimit(SQLITE_LIMIT_LENGTH, LONGEST)


def _is_new(path: str, name: str) -> bool:
    """Return True if nothing is there yet. Raises JournalError for no database: SQLite would overwrite a short one."""
    try:
        with open(path, "rb") as stream:
            magic = stream.read(16)
    except FileNotFoundError:
        return True
    if magic and magic != b"SQLite format 3\0":
        raise JournalError(because("journal_broken", path=name, words="file is not a database"))
    return not magic


def _pragma(database: Connection, name: str) -> object:
    return database.execute(f"PRAGMA {name}").fetchone()[0]
