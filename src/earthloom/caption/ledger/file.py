"""The file of the ledger: its tables, how it is opened, and what its errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from earthloom.core.errors import EarthloomError, RunError, UsageError, WriteError

SCHEMA_VERSION = 1
"""Kept in the file's `user_version`."""
_APPLICATION_ID = 0x45_4C_4C_47
"""`ELLG`; tells a ledger from the SQLite files of other programs."""
_BUSY_S = 60.0
"""Longest wait for another process that is writing; a transaction takes milliseconds."""

_SCHEMA = """
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    author TEXT NOT NULL,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    revision TEXT NOT NULL,
    tile_id TEXT NOT NULL,
    picture TEXT,
    status TEXT NOT NULL CHECK (status IN ('sent', 'answered', 'failed')),
    is_final INTEGER NOT NULL DEFAULT 0,
    n_asked INTEGER NOT NULL DEFAULT 0,
    estimated_in INTEGER NOT NULL,
    most_out INTEGER NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    cost_nano INTEGER NOT NULL DEFAULT 0,
    reserved_nano INTEGER NOT NULL DEFAULT 0,
    seconds REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    sent_at TEXT,
    ended_at TEXT,
    batch TEXT,
    finish TEXT,
    served TEXT,
    answer_hash BLOB,
    why TEXT,
    answer TEXT,
    body TEXT NOT NULL
);
CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    spent_nano INTEGER NOT NULL,
    reserved_nano INTEGER NOT NULL,
    n_sent INTEGER NOT NULL
);
INSERT INTO account VALUES (1, 0, 0, 0);
CREATE TABLE seen (
    model TEXT NOT NULL,
    purpose TEXT NOT NULL,
    answer_hash BLOB NOT NULL,
    picture TEXT NOT NULL,
    PRIMARY KEY (model, purpose, answer_hash, picture)
) WITHOUT ROWID;
CREATE TABLE tally (
    model TEXT NOT NULL,
    purpose TEXT NOT NULL,
    answer_hash BLOB NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (model, purpose, answer_hash)
) WITHOUT ROWID;
CREATE TABLE ratio (model TEXT PRIMARY KEY, factor REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE batch (name TEXT PRIMARY KEY, written_at TEXT NOT NULL) WITHOUT ROWID;
"""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a ledger, made where it is missing. Raises UsageError, RunError, WriteError."""
    with translate_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"Could not make the folder of the ledger {path}: {error}.") from error
        connection = _connect(path, "rwc")
        try:
            _turn_on_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            if _is_new(connection):
                _make_tables(connection)
            _check_version(connection, path)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection


def open_to_read(path: Path) -> sqlite3.Connection | None:
    """Open a ledger without ever changing it; None where there is none yet. Raises UsageError, RunError."""
    with translate_errors(path):
        if not path.exists():
            return None
        connection = _connect_to_read(path)
        try:
            if _is_new(connection):  # another process is about to fill it
                connection.close()
                return None
            _check_version(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, with a remedy."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise explain(path, error) from error


def explain(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> EarthloomError:
    """Say what failed and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    again = "and run the same command again: every answer that was committed is kept."
    if code == sqlite3.SQLITE_NOTADB:
        return UsageError(
            f"{path} is no ledger: it is no SQLite file ({error}). Name another file with `caption.ledger`."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT) or isinstance(error, UnicodeDecodeError):
        return RunError(
            f"The ledger {path} is damaged ({error}). Put back a copy, or save what can be saved with "
            f"`sqlite3 {path.name} .recover | sqlite3 saved.sqlite` and name that file with `caption.ledger`."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RunError(
            f"Another process has been writing to the ledger {path} for over {_BUSY_S:.0f} s ({error}). "
            f"Wait for it or end it, {again}"
        )
    remedies = {
        sqlite3.SQLITE_FULL: "The disk is full. Free some space",
        sqlite3.SQLITE_READONLY: "You may not write there. Change the permissions or name another file",
        sqlite3.SQLITE_PERM: "You may not write there. Change the permissions or name another file",
        sqlite3.SQLITE_CANTOPEN: "It cannot be opened there. Change the permissions or name another file",
        sqlite3.SQLITE_IOERR: "The disk is full, at its quota or failing. Free some space",
    }
    if code in remedies:
        return WriteError(f"Could not write the ledger {path}: {error}. {remedies[code]} {again}")
    return RunError(f"The ledger {path} does not work: {error}. Remove the cause {again}")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode if '=' in mode else f'mode={mode}'}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,  # the callers take turns by a lock
    )


def _connect_to_read(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    try:
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        connection.close()
        # Where no -shm file can be made, in a folder that is read-only, SQLite wants to be told that nobody writes.
        is_unwritable = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if is_unwritable and not path.with_name(f"{path.name}-wal").exists():
            return _connect(path, "mode=ro&immutable=1")
        raise
    return connection


def _turn_on_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer not wait for each other. A file system without shared memory stays at a journal."""
    give_up = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as error:
            # While another process does the same, SQLite says so at once, whatever the timeout.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    ((value,),) = connection.execute(f"PRAGMA {name}").fetchall()
    return int(value)


def _is_new(connection: sqlite3.Connection) -> bool:
    ((n_tables,),) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
    return not n_tables and not _pragma(connection, "user_version")


def _make_tables(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != _APPLICATION_ID:
        raise UsageError(
            f"{path} is a SQLite file of another program, no ledger. Name another file with `caption.ledger`."
        )
    version = _pragma(connection, "user_version")
    if version != SCHEMA_VERSION:
        age = "an older" if version < SCHEMA_VERSION else "a newer"
        raise UsageError(
            f"{path} was written by {age} earthloom (version {version} of its tables, wanted {SCHEMA_VERSION}). "
            "Use that earthloom, or name another file with `caption.ledger`."
        )
