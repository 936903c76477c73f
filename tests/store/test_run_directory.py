"""The run directory keeps what it is given, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import StorageError, UserError
from tttbench.core.records import Response, Sample, Score
from tttbench.data.atomic import write_atomic
from tttbench.store.rows import NewAnswer, Transcript
from tttbench.store.run_directory import RunStore

MANIFEST = {"judge": {"recipe": "ears-1"}, "systems": {}, "tasks": {}}
SAMPLES = [Sample("b", "qa", None, "Paris"), Sample("a", "qa", None, "Rome")]
SAID = np.linspace(-0.5, 0.5, 160, dtype=np.float32)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore.create(tmp_path / "run", MANIFEST)
    store.add_samples("t", SAMPLES)
    return store


def answer(sample_id: str, said: np.ndarray | None = None) -> NewAnswer:
    return NewAnswer(sample_id, "ok", Response("Paris", (1,), said, 16_000), "", 1, "2030-01-01T00:00:00+00:00")


def test_answers_come_in_the_order_of_the_samples(store: RunStore) -> None:
    store.save_answers("s", "t", [answer("a")])
    store.save_answers("s", "t", [answer("b")])
    assert [found.sample for found in store.answers()] == SAMPLES


def test_done_knows_system_and_task(store: RunStore) -> None:
    store.save_answers("s", "t", [answer("a")])
    assert (store.done("s", "t"), store.done("s", "u"), store.done("r", "t")) == ({"a"}, set(), set())


def test_an_answer_cannot_be_written_twice(store: RunStore) -> None:
    store.save_answers("s", "t", [answer("a")])
    with pytest.raises(Exception, match="UNIQUE"):
        store.save_answers("s", "t", [answer("b"), answer("a")])
    assert store.done("s", "t") == {"a"}


def test_what_the_judge_of_the_run_heard_stands_beside_the_answer(store: RunStore) -> None:
    store.save_answers("s", "t", [answer("a", SAID)])
    (found,) = store.answers()
    assert found.heard is None
    store.save_transcripts("other ears", {found.audio_sha256: Transcript("Berlin")})
    store.save_transcripts("ears-1", {found.audio_sha256: Transcript("parrots")})
    assert next(store.answers()).heard == "parrots"


def test_a_judge_that_failed_heard_nothing(store: RunStore) -> None:
    store.save_answers("s", "t", [answer("a", SAID)])
    sha = next(store.answers()).audio_sha256
    store.save_transcripts("ears-1", {sha: Transcript("", "out of memory")})
    found = next(store.answers())
    assert (found.heard, found.heard_error) == (None, "out of memory")


def test_replacing_scores_leaves_answers_and_other_tasks_alone(store: RunStore) -> None:
    score = Score("wer", 0.5, "rate", 1, 2, "ok", "r")
    store.save_answers("s", "t", [answer("a")])
    store.replace_scores("s", "t", [("a", score)])
    store.replace_scores("s", "u", [("a", score)])
    store.replace_scores("s", "t", [])
    assert store.scores("s", "t") == {}
    assert store.scores("s", "u") == {"a": (score,)}
    assert store.done("s", "t") == {"a"}


def test_recordings_are_files_of_the_run(store: RunStore) -> None:
    store.save_answers("s:x", "t", [answer("a", SAID)])
    store.save_input("t", "a", SAID, 8_000)
    store.save_truth("t", "a", SAID, 8_000)
    found = next(store.answers())
    for file in (found.audio, found.input_audio, found.truth_audio):
        assert file is not None
        assert (store.folder / file).is_file()
    assert (found.answer_s, found.input_s) == (0.01, 0.02)


def test_two_processes_cannot_write_to_one_run(store: RunStore) -> None:
    with pytest.raises(UserError, match="another process is writing to this run"):
        RunStore.open(store.folder, write=True)
    store.close()
    RunStore.open(store.folder, write=True).close()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        RunStore.open(tmp_path)


def test_a_damaged_journal_is_named(store: RunStore) -> None:
    store.close()
    for file in store.folder.glob("journal.sqlite*"):
        file.write_bytes(b"this is not a database, though it is long enough to be looked at" * 20)
    with pytest.raises(UserError, match=r"journal\.sqlite: damaged"):
        RunStore.open(store.folder)


def test_a_damaged_manifest_is_named(store: RunStore) -> None:
    (store.folder / "manifest.json").write_text("{")
    with pytest.raises(UserError, match=r"manifest\.json: cannot be read"):
        _ = store.manifest


def test_an_unfinished_run_has_no_summary(store: RunStore) -> None:
    with pytest.raises(UserError, match=r"summary\.json: not there; the run has not come so far"):
        _ = store.summary


def test_a_full_disk_under_the_journal_is_said_in_words(store: RunStore) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match=r"journal\.sqlite: cannot be written: database or disk is full.*--resume"):
        store.add_samples("u", [Sample(str(number), "asr", None, "x" * 1000) for number in range(100)])
    assert store.samples("u") == []


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, b"old")

    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tttbench.data.atomic.os.fsync", refuse)
    with pytest.raises(StorageError, match=r"a\.json: cannot be written: .*No space left on device"):
        write_atomic(path, b"new")
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"old"]


def test_what_is_left_of_a_start_that_failed_is_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "audio").mkdir(parents=True)
    (folder / "journal.sqlite").write_bytes(b"half")
    RunStore.create(folder, MANIFEST).close()
    assert RunStore.open(folder).manifest["format"] == 2
