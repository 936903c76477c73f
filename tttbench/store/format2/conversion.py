"""Opening a run of format 2: in memory for who reads, on the disk for who writes.

A conversion replaces summary, journal and manifest, in this order, each by one rename. Each of them says its own
format, so that whatever is there after a kill, between any two steps, is a run that can be read, and the next write
goes on. The manifest is the last: where it is of today's format, all is.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.atomic import storage_error, write_atomic
from tttbench.store import json_files, schema
from tttbench.store.format2.documents import manifest_of, summary_of
from tttbench.store.format2.rows import kinds_of, migrate
from tttbench.store.json_files import MANIFEST, SUMMARY
from tttbench.store.lock import kept_from_writing
from tttbench.store.manifest import FORMAT, Summary
from tttbench.store.schema import JOURNAL

FORMAT_2 = 2

KEPT = {JOURNAL: "journal.format2.sqlite", MANIFEST: "manifest.format2.json", SUMMARY: "summary.format2.json"}
"""Under which names a conversion keeps the old files."""

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Opened:
    """A journal of a run whose manifest is of format 2, open for reading in today's format.

    Attributes:
        connection: to a journal of today's format.
        kinds: how the scores of each metric are aggregated; empty if the journal itself is of today's format.
    """

    connection: sqlite3.Connection
    kinds: Mapping[str, str]


def open_to_read(folder: Path) -> Opened:
    """Open the journal of a run of format 2; nothing in the folder changes.

    Raises:
        UserError: it is damaged, or of an unknown format.
    """
    path = folder / JOURNAL
    with kept_from_writing(folder) as nobody_writes, _old(path, nobody_writes) as old:
        if schema.format_of(old, path) != FORMAT_2:
            return Opened(schema.open_to_read(path), {})
        new = schema.create()
        try:
            old.execute("BEGIN")
            migrate(old, new, path)
            return Opened(new, kinds_of(old, path))
        except BaseException:
            new.close()
            raise


@contextmanager
def _old(path: Path, nobody_writes: bool) -> Iterator[sqlite3.Connection]:
    if nobody_writes:
        with schema.untouched(path) as connection:
            yield connection
        return
    with schema.reading(path):
        connection = schema.connect_to_read(path)
        try:
            yield connection
        finally:
            connection.close()


def convert(folder: Path) -> None:
    """Convert a run of format 2, or finish a conversion that was interrupted. The caller holds the run's lock.

    Everything is read and made before anything is replaced: a damaged run is left as it is.

    Raises:
        UserError: the run is damaged, or another process is reading it.
        StorageError: the disk refuses.
    """
    path = folder / JOURNAL
    new_manifest = manifest_of(json_files.read_object(folder / MANIFEST)[0])
    made = path.with_name(f"{JOURNAL}.partial")
    with schema.reading(path):
        old = schema.connect(str(path))
    try:
        with closing(old):
            is_old = schema.format_of(old, path) == FORMAT_2
            new_summary = _summary_if_old(folder, kinds_of(old, path) if is_old else {})
            if is_old:
                _make_journal(old, path, made)
        if new_summary is not None:
            _keep(folder, SUMMARY)
            json_files.write(folder / SUMMARY, new_summary)
        if is_old:
            _close_log(path)
            _keep(folder, JOURNAL)
            _replace(made, path)
        _keep(folder, MANIFEST)
        json_files.write(folder / MANIFEST, new_manifest)
    except BaseException:
        for partial in folder.glob(f"{made.name}*"):
            partial.unlink()
        raise


def _summary_if_old(folder: Path, kinds: Mapping[str, str]) -> Summary | None:
    """Return today's summary of a run whose summary is of format 2."""
    if not (folder / SUMMARY).exists():
        return None
    document, its_format = json_files.read_object(folder / SUMMARY)
    return None if its_format == FORMAT else summary_of(document, kinds)


def _make_journal(old: sqlite3.Connection, path: Path, made: Path) -> None:
    try:
        with closing(schema.create(str(made))) as new:
            migrate(old, new, path)
    except sqlite3.Error as error:
        raise storage_error(made, error) from error


def _close_log(path: Path) -> None:
    """Have all of a journal in one file: a log that stayed would be taken for the new journal's."""
    log = path.with_name(f"{path.name}-wal")
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        # The last one to close a journal takes its log away.
        with schema.reading(path), closing(schema.connect(str(path))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if not log.exists():
            return
        if time.monotonic() > until_s:
            raise UserError(f"{path}: another process is reading it; end that, then do this again.")
        time.sleep(0.05)


def _keep(folder: Path, name: str) -> None:
    """Copy an old file to the name under which it is kept."""
    path, kept = folder / name, folder / KEPT[name]
    if name == JOURNAL:
        partial = kept.with_name(f"{kept.name}.partial")
        try:
            shutil.copyfile(path, partial)
        except OSError as error:
            raise storage_error(kept, error) from error
        _replace(partial, kept)
    else:
        write_atomic(kept, path.read_bytes())


def _replace(partial: Path, path: Path) -> None:
    """Put a file that was written in the place of another, once it is on the disk."""
    try:
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
