"""The database of a journal file: its schema, and how one is opened without being fooled.

Anybody may have written the file. What is not exactly ours is refused and left alone.
"""

from __future__ import annotations

from dcmsend.errors import JournalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection
    from typing import Final

APPLICATION_ID: Final = 0x44434D53  # "DCMS"
VERSION: Final = 1
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
_BROKEN: Final = "keep a copy of it, and begin another one under another name: what was stored is then sent again"
_PATIENCE: Final = 10.0  # seconds for somebody who writes into it with another tool


def opened(path: str, name: str) -> Connection:
    """The database, which is ours; a new one where there is none."""
    from sqlite3 import Error, connect

    try:
        new = _is_new(path)
        database = connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except (Error, OSError, ValueError) as error:
        raise failed(error, name) from error
    try:
        _prepare(database)
        if new or not _recognized(database, name):
            _create(database)
        _check(database, name)
        database.execute("PRAGMA journal_mode = WAL")
    except Error as error:
        database.close()
        raise failed(error, name) from error
    except BaseException:
        database.close()
        raise
    return database


def opened_to_read(path: str, name: str) -> Connection | None:
    """The database of a journal that nobody uses, to be read: nothing is written, beside it neither.

    Nothing where there is no journal yet. Where a run that was killed has left a second file, ``path`` is to be that of
    a ``merged_copy``. Raises ``JournalError``.
    """
    from pathlib import Path
    from sqlite3 import Error, connect

    try:
        if _is_new(path):
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


def merged_copy(path: str, behind: str, folder: str, name: str) -> str:
    """The path of a copy in ``folder`` of a database together with what a killed run has left ``behind`` it."""
    from shutil import copyfile
    from sqlite3 import Error, connect

    copy = f"{folder}/journal"
    try:
        copyfile(path, copy)
        copyfile(behind, f"{copy}-wal")
        database = connect(copy, isolation_level=None)
        try:
            _prepare(database)
            database.execute("PRAGMA journal_mode = DELETE")
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
        raise JournalError(f"journal '{name}' is damaged", hint=_BROKEN)


def _recognized(database: Connection, name: str) -> bool:
    """Whether the schema is ours; False where there is none at all. Raises JournalError where it is another one."""
    found = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rootpage").fetchall()
    identity, version = _pragma(database, "application_id"), _pragma(database, "user_version")
    if not found and not identity:
        return False
    if identity != APPLICATION_ID:
        raise JournalError(f"'{name}' is no journal of dcmsend", hint="name another file for --journal")
    if version != VERSION:
        hint = "use the version of dcmsend that made it, or begin another journal"
        raise JournalError(f"journal '{name}' has schema {version}, not {VERSION}", hint=hint)
    if [row[0] for row in found] != [table.encode() for table in TABLES]:
        raise JournalError(f"journal '{name}' has tables that are not dcmsend's", hint=_BROKEN)
    return True


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
    broken = "malformed" in words or "not a database" in words
    hint = _BROKEN if broken else "check its folder, its permissions and the room that is left"
    return JournalError(f"journal '{name}' cannot be used: {words}", hint=hint)


def _limit(database: Connection) -> None:
    from sqlite3 import SQLITE_LIMIT_LENGTH

    database.setlimit(SQLITE_LIMIT_LENGTH, LONGEST)


def _is_new(path: str) -> bool:
    """Whether nothing is there yet. Raises OSError where it is no database: SQLite would write over a short file."""
    try:
        with open(path, "rb") as stream:
            magic = stream.read(16)
    except FileNotFoundError:
        return True
    if magic and magic != b"SQLite format 3\0":
        raise OSError("file is not a database")
    return not magic


def _pragma(database: Connection, name: str) -> object:
    return database.execute(f"PRAGMA {name}").fetchone()[0]
