"""The journal's tables, and how its file is opened: by the one writer, or by a reader who leaves no trace."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from tttbench.core.errors import UserError
from tttbench.data.atomic import storage_error
from tttbench.store.manifest import FORMAT

JOURNAL = "journal.sqlite"

RESTORE = "Restore the run directory, or run again in another folder."

SPENT = "CREATE TABLE IF NOT EXISTS spent (recipe TEXT NOT NULL PRIMARY KEY, cost TEXT NOT NULL)"
"""What derivations cost that were taken back. Runs of development versions get it when they are written next."""

SCHEMA = f"""
CREATE TABLE samples (
    task TEXT NOT NULL, sample TEXT NOT NULL, position INTEGER NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (task, sample));
CREATE INDEX samples_in_order ON samples (task, position, sample);
CREATE TABLE recordings (
    task TEXT NOT NULL, sample TEXT NOT NULL, part TEXT NOT NULL, turn INTEGER NOT NULL, file TEXT NOT NULL,
    sha256 TEXT NOT NULL, seconds REAL NOT NULL, sample_rate INTEGER NOT NULL, pcm_md5 TEXT NOT NULL,
    PRIMARY KEY (task, sample, part, turn));
CREATE TABLE answers (
    system TEXT NOT NULL, task TEXT NOT NULL, sample TEXT NOT NULL, repeat INTEGER NOT NULL, status TEXT NOT NULL,
    error TEXT NOT NULL, batch_size INTEGER NOT NULL, finished_at TEXT NOT NULL, calibration_s REAL, others_cores REAL,
    file TEXT, sha256 TEXT, seconds REAL, sample_rate INTEGER, pcm_md5 TEXT, response TEXT,
    PRIMARY KEY (system, task, sample, repeat));
CREATE TABLE recipes (
    digest TEXT NOT NULL PRIMARY KEY, recipe TEXT NOT NULL);
CREATE TABLE derived (
    recipe TEXT NOT NULL, input_sha256 TEXT NOT NULL, status TEXT NOT NULL, content TEXT NOT NULL, error TEXT NOT NULL,
    cost TEXT NOT NULL,
    PRIMARY KEY (recipe, input_sha256)) WITHOUT ROWID;
{SPENT};
CREATE TABLE scores (
    system TEXT NOT NULL, task TEXT NOT NULL, sample TEXT NOT NULL, repeat INTEGER NOT NULL, score TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (system, task, sample, repeat, score));
PRAGMA user_version = {FORMAT};
"""


def create(name: str = "") -> sqlite3.Connection:
    """Make a journal of this format; without a name one that is gone when it is closed."""
    connection = connect(name)
    connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
    return connection


def create_to_write(path: Path) -> sqlite3.Connection:
    """Make a journal for its one writer; raises ``StorageError`` if the disk refuses."""
    try:
        connection = create(str(path))
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise storage_error(path, error) from error
    return connection


def connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    """Open a database in which every statement is a transaction of its own unless one is begun."""
    if name and not uri:
        # Some builds of SQLite take a name that begins with "file:" for a URI without being told so.
        name = os.path.abspath(name)
    connection = sqlite3.connect(name, isolation_level=None, uri=uri, timeout=30)
    connection.text_factory = _text
    return connection


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a journal for its one writer. The caller holds the run's lock.

    Raises:
        UserError: the file is no journal of this format.
        StorageError: it can't be written.
    """
    connection = connect(str(path))
    check_format(connection, path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(SPENT)
    except sqlite3.Error as error:
        connection.close()
        raise storage_error(path, error) from error
    return connection


def close_written(connection: sqlite3.Connection) -> None:
    """Close a journal that was written: all of it in one file, so that reading it makes no others."""
    # Where somebody is reading, or the disk is full, what was written stays safe in the write-ahead log.
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a journal of this format for reading, beside a writer or alone.

    Raises:
        UserError: the file is no journal of this format.
    """
    with reading(path):
        connection = connect_to_read(path)
        try:
            connection.execute("PRAGMA user_version")
        except sqlite3.OperationalError:
            # The log of a run that was killed, where no file may be made beside it.
            connection.close()
            with untouched(path) as unchanged:
                connection = connect("")
                unchanged.backup(connection)
    check_format(connection, path)
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a journal of any format for reading, beside a writer or alone."""
    return connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True)


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``UserError`` unless the journal is one of this format."""
    found = format_of(connection, path)
    if found != FORMAT:
        connection.close()
        if found == 2:
            raise UserError(f"{path}: user_version: is 2, though manifest.json says format {FORMAT}. {RESTORE}")
        raise UserError(f"{path}: user_version: {unknown_format(found)}")


def format_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the format that a journal says it has; raises ``UserError`` if the file is no database."""
    with reading(path):
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def unknown_format(found: object) -> str:
    """Say what to do with a run directory of a format that can't be read."""
    if isinstance(found, int) and found > FORMAT:
        return f"is {found}, and this version of tttbench reads formats 2 and {FORMAT}; update tttbench."
    return f"is {found!r}, and this version of tttbench reads formats 2 and {FORMAT}. {RESTORE}"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a damaged database raises into a ``UserError`` that names the file."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise UserError(f"{path}: cannot be read ({error}). {RESTORE}") from error
    # Names of columns may be damaged, too.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: damaged ({error}). {RESTORE}") from error


@contextmanager
def untouched(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal of any format that nobody is writing, without changing or leaving anything beside it.

    SQLite makes files beside a database with a write-ahead log even to read it. Without entries in the log the file
    is read as if nothing could change it; with entries a copy is read.
    """
    log = path.with_name(f"{path.name}-wal")
    with reading(path), tempfile.TemporaryDirectory(prefix="tttbench-") as folder:
        if log.exists() and log.stat().st_size:
            copy = Path(folder) / path.name
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name(log.name))
            connection = connect(str(copy))
        else:
            connection = connect(f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1", uri=True)
        try:
            yield connection
        finally:
            connection.close()


def _text(data: bytes) -> str | bytes:
    """Decode a text; one that isn't UTF-8 stays bytes, which whoever reads the row refuses by its name."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
