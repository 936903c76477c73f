"""How a journal's file is opened, and that whatever was opened is closed again."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import StorageError, UserError
from tttbench.store import schema
from tttbench.store.lock import lock
from tttbench.store.read_model import Run
from tttbench.store.run_directory import RunStore

from .stored_runs import FORMAT_2, MANIFEST, SAMPLES, copy_of_format_2, make_run, spoken, update


def mode_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def file_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def test_a_statement_is_a_transaction_and_others_are_waited_for_half_a_minute() -> None:
    with closing(schema.connect("")) as connection:
        assert connection.isolation_level is None
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (30_000,)


def test_a_writer_has_a_log_and_takes_it_away(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    created = schema.create_to_write(path)
    assert mode_of(created) == "wal"
    schema.close_written(created)
    opened = schema.open_to_write(path)
    assert mode_of(opened) == "wal"
    schema.close_written(opened)
    with closing(schema.open_to_read(path)) as reader:
        assert mode_of(reader) == "delete"
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM samples")


@pytest.mark.parametrize("name", ["file:run", "run?mode=ro", "run#1", "100%25", "two words"])
def test_a_folder_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_run(Path(name)).close()
    for write in (False, True):
        with RunStore.open(name, write=write) as store:
            assert len(list(store.answers())) == 3
    assert [path.name for path in tmp_path.iterdir()] == [name]
    shutil.copytree(FORMAT_2, Path(f"{name}-2"))
    for write in (False, True):
        with RunStore.open(f"{name}-2", write=write) as store:
            assert len(list(store.answers())) == 10


def test_a_journal_whose_log_holds_something_is_read_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, elsewhere = tmp_path / "journal.sqlite", tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    writer = schema.create_to_write(path)
    writer.execute("INSERT INTO recipes VALUES ('ff', 'r')")
    with schema.untouched(path) as connection:
        assert Path(file_of(connection)).parent.parent == elsewhere
        assert Path(file_of(connection)).parent.name.startswith("tttbench-")
        assert connection.execute("SELECT * FROM recipes").fetchall() == [("ff", "r")]
    assert list(elsewhere.iterdir()) == []
    schema.close_written(writer)
    for log in (None, b""):
        if log is not None:
            (tmp_path / "journal.sqlite-wal").write_bytes(log)
        with schema.untouched(path) as connection:
            assert file_of(connection) == str(path)


def test_a_disk_that_refuses_the_journal_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        schema.create_to_write(tmp_path / "none" / "journal.sqlite")
    assert str(caught.value) == (
        f"{tmp_path}/none/journal.sqlite: cannot be written: unable to open database file. Make it writable, or "
        "give another folder."
    )
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (4, "is 4, and this version of tttbench reads formats 2 and 3; update tttbench."),
        (3, f"is 3, and this version of tttbench reads formats 2 and 3. {schema.RESTORE}"),
        ("4", f"is '4', and this version of tttbench reads formats 2 and 3. {schema.RESTORE}"),
        (None, f"is None, and this version of tttbench reads formats 2 and 3. {schema.RESTORE}"),
    ],
)
def test_a_format_that_cannot_be_read_is_updated_to_or_restored(found: object, says: str) -> None:
    assert schema.unknown_format(found) == says


@pytest.mark.parametrize("write", [False, True])
def test_a_journal_of_another_format_than_the_manifest_is_named(tmp_path: Path, write: bool) -> None:
    make_run(tmp_path / "run").close()
    for number, says in (
        (2, f"user_version: is 2, though manifest.json says format 3. {schema.RESTORE}"),
        (4, "user_version: is 4, and this version of tttbench reads formats 2 and 3; update tttbench."),
        (1, f"user_version: is 1, and this version of tttbench reads formats 2 and 3. {schema.RESTORE}"),
    ):
        update(tmp_path / "run", f"PRAGMA user_version = {number}")
        with pytest.raises(UserError) as caught:
            RunStore.open(tmp_path / "run", write=write)
        assert str(caught.value) == f"{tmp_path}/run/journal.sqlite: {says}"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (sqlite3.OperationalError("no such table: x"), "cannot be read (no such table: x)"),
        (OSError("gone"), "cannot be read (gone)"),
        (sqlite3.DatabaseError("malformed"), "damaged (malformed)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd"), "damaged ('utf-8' codec can't decode byte 0xff in"),
    ],
)
def test_whatever_a_database_raises_is_said_with_its_file(error: Exception, says: str) -> None:
    with pytest.raises(UserError) as caught, schema.reading(Path("j")):
        raise error
    assert str(caught.value).startswith(f"j: {says}")
    assert str(caught.value).endswith(schema.RESTORE)


def test_a_text_that_is_none_stays_bytes() -> None:
    with closing(schema.connect("")) as connection:
        assert connection.execute("SELECT CAST(x'c3a9' AS TEXT), CAST(x'ff' AS TEXT)").fetchone() == ("é", b"\xff")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """All connections that are made from now on."""
    found: list[sqlite3.Connection] = []
    connect = schema.connect

    def noted(name: str, *, uri: bool = False) -> sqlite3.Connection:
        found.append(connect(name, uri=uri))
        return found[-1]

    monkeypatch.setattr(schema, "connect", noted)
    return found


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {
    "none": lambda folder: None,
    "row": lambda folder: update(folder, "UPDATE scores SET content = '['"),
    "format": lambda folder: update(folder, "PRAGMA user_version = 9"),
    "recordings": lambda folder: shutil.rmtree(folder / "audio"),
    "summary": lambda folder: (folder / "summary.json").write_text("["),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("which", ["today", "old"])
def test_whatever_becomes_of_a_run_its_journal_and_lock_are_closed(
    tmp_path: Path, opened: list[sqlite3.Connection], which: str, write: bool, damage: str
) -> None:
    folder = tmp_path / "run"
    if which == "old":
        copy_of_format_2(folder)
    else:
        make_run(folder).close()
    DAMAGES[damage](folder)
    opened.clear()
    try:
        store = RunStore.open(folder, write=write)
        store.close()
        Run.open(folder).close()
    except UserError:
        assert damage != "none"
    assert opened
    assert all(is_closed(one) for one in opened)


def test_an_old_run_that_is_being_written_is_closed_after_reading(
    tmp_path: Path, opened: list[sqlite3.Connection]
) -> None:
    folder = copy_of_format_2(tmp_path / "old")
    with lock(folder):
        with Run.open(folder) as run:
            assert not is_closed(opened[-1])
            assert len(list(run.answers())) == 10
        assert len(opened) == 2
        assert all(is_closed(one) for one in opened)


@pytest.mark.parametrize("manifest", ["{", '{"format": 2}'])
def test_a_run_that_cannot_be_opened_to_write_is_not_kept_locked(tmp_path: Path, manifest: str) -> None:
    make_run(tmp_path / "run").close()
    kept = (tmp_path / "run" / "manifest.json").read_bytes()
    (tmp_path / "run" / "manifest.json").write_text(manifest)
    with pytest.raises(UserError, match=r"manifest\.json") as caught:
        RunStore.open(tmp_path / "run", write=True)
    (tmp_path / "run" / "manifest.json").write_bytes(kept)
    # The error, with its frames and what they hold, is still there.
    assert caught.value
    RunStore.open(tmp_path / "run", write=True).close()


def test_a_log_that_is_copied_leaves_nothing_open(
    tmp_path: Path, opened: list[sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples("t", SAMPLES)
        store.save_answers([spoken("a")])
        opened.clear()

        class Unopened(sqlite3.Connection):
            """A connection on a disk that is mounted for reading only."""

            def execute(self, *_: object) -> sqlite3.Cursor:
                raise sqlite3.OperationalError("unable to open database file")

        blind = Unopened(":memory:")
        monkeypatch.setattr(schema, "connect_to_read", lambda _: blind)
        with RunStore.open(tmp_path / "run") as reader:
            assert len(list(reader.answers())) == 1
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            sqlite3.Connection.execute(blind, "SELECT 1")
        assert len(opened) == 2
        assert all(is_closed(one) for one in opened)


def test_names_are_uris_where_they_are_meant_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    plain = sqlite3.connect

    def noted(name: str, **given: Any) -> sqlite3.Connection:
        if "journal.sqlite" in name:  # a tool that watches the tests may have a database of its own
            asked.append(given["uri"])
        connection: sqlite3.Connection = plain(name, **given)
        return connection

    monkeypatch.setattr(sqlite3, "connect", noted)
    schema.create_to_write(tmp_path / "journal.sqlite").close()
    schema.open_to_read(tmp_path / "journal.sqlite").close()
    with schema.untouched(tmp_path / "journal.sqlite"):
        assert asked == [False, True, True]
