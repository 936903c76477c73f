"""Whatever stands in a run directory's files, reading it gives values or a ``UserError`` that names the file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.store.frames import load
from tttbench.store.read_model import Run
from tttbench.store.run_directory import RunStore

from ..damage import FUZZED, RAW_JSON, damaged, refusal
from .stored_runs import FORMAT_2, MANIFEST, RECIPE, copy_of_format_2, make_run


@dataclass(frozen=True)
class Runs:
    """A run of each format, closed, and a place for a damaged copy of one."""

    today: Path
    old: Path
    place: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "today").close()
    copy_of_format_2(folder / "old")
    with closing(sqlite3.connect(folder / "old" / "journal.sqlite", isolation_level=None)) as connection:
        # One sample of each task is enough to be damaged; all are converted anew in each of some thousand cases.
        for table in ("samples", "answers", "scores"):
            connection.execute(f"DELETE FROM {table} WHERE sample NOT IN ('asr-027', 'qa-121')")
    shutil.copytree(folder / "today", folder / "today-damaged")
    shutil.copytree(folder / "old", folder / "old-damaged")
    return Runs(folder / "today", folder / "old", folder)


def read_everything(folder: Path) -> None:
    """Read what can be read of a run, in every way that there is."""
    with RunStore.open(folder) as store:
        run = Run(store)
        for answer in run.answers():
            run.transcript(answer.audio)
            run.transcript(answer.sample.answer_audio)
            assert answer.outcome
        for task in run.manifest.tasks:
            run.primary(task, "s")
            run.topline_scores(task)
            run.samples(task)
        run.metric("wer")
        for system in store.manifest.systems:
            store.done(system, "t")
            store.scores(system, "t")
        store.derived_all(RECIPE)


def survives(folder: Path, file: str, *, read: Callable[[Path], None] = read_everything) -> None:
    """Read a damaged run: it is read, or refused by a message that can be written and names the file."""
    message = refusal(lambda: read(folder), UserError)
    assert not message or file in message, message


@pytest.mark.slow
@pytest.mark.parametrize("file", ["manifest.json", "summary.json"])
@pytest.mark.parametrize("which", ["today", "old"])
@settings(max_examples=1000, **FUZZED)
@given(data=st.data())
def test_any_damage_to_a_document(runs: Runs, which: str, file: str, data: st.DataObject) -> None:
    whole, folder = getattr(runs, which), runs.place / f"{which}-damaged"
    (folder / file).write_bytes(damaged(json.loads((whole / file).read_bytes()), data))
    try:
        survives(folder, file)
    finally:
        shutil.copyfile(whole / file, folder / file)


CELLS = {
    "today": {
        "samples": ("task", "sample", "position", "content"),
        "recordings": ("task", "sample", "part", "turn", "file", "sha256", "seconds", "sample_rate", "pcm_md5"),
        "answers": (
            *("system", "task", "sample", "repeat", "status", "error", "batch_size", "finished_at", "calibration_s"),
            *(
                "others_cores",
                "file",
                "sha256",
                "seconds",
                "sample_rate",
                "pcm_md5",
                "response",
                "response",
                "response",
            ),
        ),
        "derived": ("recipe", "input_sha256", "status", "content", "error", "cost"),
        "scores": ("system", "task", "sample", "repeat", "score", "content", "content"),
    },
    "old": {
        "samples": ("task", "sample", "content", "content", "input_audio", "input_s", "truth_audio", "truth_sha256"),
        "answers": (
            *("system", "task", "sample", "status", "answer", "answer", "answer", "audio", "audio_sha256", "error"),
            *("batch_size", "finished_at", "pace_s", "others_cores"),
        ),
        "transcripts": ("audio_sha256", "recipe", "text", "error"),
        "scores": ("system", "task", "sample", "metric", "content", "content"),
    },
}
"""The columns of both formats; those that hold documents more than once."""

CELL = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.sampled_from(["ok", "error", "{}", "[]", "null", "a\0b", "../x", b"\xff", "\\ud800", '"\\ud800"']),
    st.sampled_from(RAW_JSON).map(lambda raw: raw.decode(errors="replace")),
)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["today", "old"])
@settings(max_examples=1000, **FUZZED)
@given(data=st.data())
def test_any_damage_to_a_row(runs: Runs, which: str, data: st.DataObject) -> None:
    whole, folder = getattr(runs, which) / "journal.sqlite", runs.place / f"{which}-damaged"
    table = data.draw(st.sampled_from(sorted(CELLS[which])))
    column = data.draw(st.sampled_from(CELLS[which][table]))
    with closing(_copied(whole, folder / "journal.sqlite")) as connection:
        rows = connection.execute(f"SELECT rowid, {column} FROM {table}" if table != "derived" else _DERIVED % column)
        row, value = data.draw(st.sampled_from(rows.fetchall()))
        if isinstance(value, str) and value.startswith("{") and data.draw(st.booleans()):
            new: object = damaged(json.loads(value), data).decode(errors="replace")
        else:
            new = data.draw(CELL)
        name = "rowid" if table != "derived" else "input_sha256"
        try:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {name} = ?", (new, row))
        except sqlite3.IntegrityError:
            return
    survives(folder, "journal.sqlite")


_DERIVED = "SELECT input_sha256, %s FROM derived"


def _copied(whole: Path, path: Path) -> sqlite3.Connection:
    shutil.copyfile(whole, path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")
    return connection


@pytest.mark.slow
@pytest.mark.parametrize("which", ["today", "old"])
@settings(max_examples=1000, **FUZZED)
@given(data=st.data())
def test_any_damage_to_the_bytes_of_a_journal(runs: Runs, which: str, data: st.DataObject) -> None:
    whole, folder = (getattr(runs, which) / "journal.sqlite").read_bytes(), runs.place / f"{which}-damaged"
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 200))
    broken = data.draw(st.binary(min_size=1, max_size=64))
    cut = data.draw(st.booleans())
    (folder / "journal.sqlite").write_bytes(whole[:at] if cut else whole[:at] + broken + whole[at + len(broken) :])
    survives(folder, "journal.sqlite")


@pytest.mark.parametrize("folder", ["audio"])
def test_recordings_that_are_all_gone_are_named(runs: Runs, tmp_path: Path, folder: str) -> None:
    for whole in (runs.today, FORMAT_2):
        run = Path(shutil.copytree(whole, tmp_path / whole.name))
        shutil.rmtree(run / folder)
        for write in (False, True):
            with pytest.raises(UserError, match=f"{run.name}/audio: not there, though the run has recordings"):
                RunStore.open(run, write=write)


def test_a_run_without_recordings_needs_no_folder_for_them(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM recordings")
        connection.execute("UPDATE answers SET file = NULL")
    shutil.rmtree(tmp_path / "run" / "audio")
    read_everything(tmp_path / "run")


@pytest.mark.parametrize("number", [9, 1, 0, -3, "3", None, 3.0, True])
@pytest.mark.parametrize("file", ["manifest.json", "summary.json"])
def test_an_unknown_format_is_named(tmp_path: Path, file: str, number: object) -> None:
    make_run(tmp_path / "run").close()
    path = tmp_path / "run" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": number}))
    with pytest.raises(UserError, match=rf"{file}: format: is {number!r}, and this version .* formats 2 and 3"):
        Run.open(tmp_path / "run")


def test_a_newer_format_says_what_to_do(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(UserError, match=r"journal\.sqlite: user_version: is 9, .*; update tttbench\."):
        Run.open(tmp_path / "run")


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    (tmp_path / "run" / "journal.sqlite").write_bytes(b"this is not a database, though it is long enough" * 20)
    for write in (False, True):
        with pytest.raises(UserError, match=r"journal\.sqlite: damaged"):
            RunStore.open(tmp_path / "run", write=write)


def test_an_answer_to_no_sample_is_named(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM samples WHERE sample = 'a'")
    with pytest.raises(
        UserError,
        match=r"table answers, system 's', task 't', sample 'a', repeat 0: the table of samples has no such sample",
    ):
        load(tmp_path / "run").samples  # noqa: B018  # the table is made when it is asked for


def test_a_row_that_is_damaged_does_not_keep_others_from_being_read(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE answers SET response = '{}' WHERE sample = 'a' AND repeat = 1")
    with RunStore.open(tmp_path / "run") as store:
        answers = store.answers()
        assert [next(answers).key.sample, next(answers).key.sample] == ["b", "a"]
        with pytest.raises(
            UserError, match=r"sample 'a', repeat 1: response\.text: missing\.(\n.*)*: missing\. Restore"
        ):
            next(answers)


@pytest.mark.parametrize("name", ["a\0b", "caf\udce9", "x" * 5000])
def test_a_path_that_is_none_is_no_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        RunStore.open(tmp_path / name)


def test_links_that_go_round_in_circles_are_no_run(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(UserError, match="holds no run"):
        RunStore.open(tmp_path / "a")
    with pytest.raises(UserError, match="cannot be written"):
        RunStore.create(tmp_path / "a", MANIFEST)


def test_folders_in_the_place_of_files_are_no_run(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    (tmp_path / "run" / "summary.json").unlink()
    (tmp_path / "run" / "summary.json").mkdir()
    with pytest.raises(UserError, match=r"summary\.json: not a file"):
        Run.open(tmp_path / "run")
    (tmp_path / "run" / "journal.sqlite").unlink()
    (tmp_path / "run" / "journal.sqlite").mkdir()
    with pytest.raises(UserError, match="holds no run"):
        Run.open(tmp_path / "run")
