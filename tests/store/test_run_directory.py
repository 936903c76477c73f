"""The run directory keeps what it is given, and says what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.derivation import Derived
from tttbench.core.errors import InputError, StorageError, UserError
from tttbench.core.exchange import Conditions, Response
from tttbench.core.metric import TOPLINE
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.core.serialize import to_plain
from tttbench.data.atomic import write_atomic
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore, is_being_written
from tttbench.store.schema import JOURNAL

from .stored_runs import MANIFEST, RECIPE, SAMPLES, SUMMARY, TRACE, failed, make_run, score, spoken


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore.create(tmp_path / "run", MANIFEST)
    store.add_samples("t", SAMPLES)
    return store


def test_a_manifest_comes_back_as_it_was(store: RunStore) -> None:
    assert store.manifest == MANIFEST


def test_a_summary_comes_back_as_it_was_nan_included(store: RunStore) -> None:
    store.write_summary(SUMMARY)
    assert to_plain(store.summary) == to_plain(SUMMARY)


def test_a_run_that_has_not_come_so_far_has_no_summary(store: RunStore) -> None:
    assert store.summary is None


def test_answers_come_in_the_order_of_samples_then_of_repeats(store: RunStore) -> None:
    store.save_answers([spoken("a", 1), spoken("b", 1)])
    store.save_answers([spoken("a"), spoken("b")])
    found = [(one.key.sample, one.key.repeat) for one in store.answers()]
    assert found == [("b", 0), ("b", 1), ("a", 0), ("a", 1)]


def test_answers_of_many_samples_come_once_each_in_order(store: RunStore) -> None:
    samples = [Sample(str(number), (Turn("user", "x"),)) for number in range(700)]
    store.add_samples("many", samples)
    store.save_answers(
        [NewAnswer(AnswerKey("s", "many", one.id), "ok", Response("y"), "", 1, "now") for one in reversed(samples)]
    )
    assert [one.key.sample for one in store.answers(task="many")] == [one.id for one in samples]


def test_an_answer_comes_back_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        found = next(one for one in store.answers("s", "t") if one.key == AnswerKey("s", "t", "a", 0))
    assert found.response is not None
    assert to_plain(found.response.trace) == to_plain(TRACE)
    assert (found.text, found.response.audio_codes, found.response.waveform) == ("Rome", (1, 2), None)
    assert (found.status, found.error, found.batch_size) == ("ok", "", 1)
    assert found.finished_at == "2030-01-01T00:00:01+00:00"
    assert found.conditions == Conditions(0.01, 0.5)
    assert found.sample.sample == SAMPLES[1]
    assert found.sample.input_audio is not None
    assert (found.answer_s, found.sample.input_s) == (0.1, 0.1)
    assert found.scores == {"wer": score(0.5), "spoken": score(1.0)}


def test_an_error_has_no_response(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        found = next(one for one in store.answers() if one.status == "error")
    assert (found.response, found.audio, found.error, found.text, found.answer_s) == (None, None, "no power", "", 0.0)


def test_done_knows_system_task_and_repeat(store: RunStore) -> None:
    store.save_answers([spoken("a", 1)])
    assert store.done("s", "t") == {("a", 1)}
    assert store.done("s", "u") == set()
    assert store.done("r", "t") == set()


def test_was_generated_knows_the_task(store: RunStore) -> None:
    store.save_answers([failed("a")])
    assert (store.was_generated("t"), store.was_generated("u")) == (True, False)


def test_errors_alone_are_forgotten(store: RunStore) -> None:
    empty = NewAnswer(AnswerKey("s", "t", "b"), "empty", Response(""), "", 1, "now")
    store.save_answers([failed("a"), failed("a", 1), empty])
    store.save_derived(RECIPE, {"1": Derived("failed", error="timeout"), "2": Derived("ok")})
    assert store.forget_errors() == 2
    assert store.done("s", "t") == {("b", 0)}
    assert store.derived_all(RECIPE) == {"2": Derived("ok")}


def test_what_failed_derivations_cost_is_known_after_they_were_taken_back(store: RunStore) -> None:
    assert store.spent(RECIPE) == {}
    for cost in ({"requests": 2, "seconds": 0.5}, {"requests": 1, "usd": 0.25}):
        store.save_derived(RECIPE, {"1": Derived("failed", error="x", cost=cost), "2": Derived("ok", cost={"usd": 9})})
        store.save_derived("other", {"1": Derived("failed", error="x")})
        assert store.forget_failed_derivations() == 2
    assert store.spent(RECIPE) == {"requests": 3, "seconds": 0.5, "usd": 0.25}
    assert store.spent("other") == {}


def test_a_run_without_the_table_of_what_was_spent_is_read_and_gets_it_when_it_is_written(store: RunStore) -> None:
    store.close()
    with closing(sqlite3.connect(store.folder / JOURNAL)) as journal:
        journal.execute("DROP TABLE spent")
    with RunStore.open(store.folder) as old:
        assert old.spent(RECIPE) == {}
    with RunStore.open(store.folder, write=True) as now:
        now.save_derived(RECIPE, {"1": Derived("failed", cost={"usd": 0.5})})
        now.forget_errors()
    with RunStore.open(store.folder) as again:
        assert again.spent(RECIPE) == {"usd": 0.5}
    with closing(sqlite3.connect(store.folder / JOURNAL)) as journal, journal:
        journal.execute("UPDATE spent SET cost = '['")
    with (
        RunStore.open(store.folder) as damaged,
        pytest.raises(UserError, match=r"spent, recipe '\w+': cost: not"),
    ):
        damaged.spent(RECIPE)


def test_an_answer_cannot_be_written_twice(store: RunStore) -> None:
    store.save_answers([spoken("a")])
    with pytest.raises(sqlite3.IntegrityError):
        store.save_answers([spoken("b"), spoken("a")])
    assert store.done("s", "t") == {("a", 0)}


def test_samples_that_are_there_stay_as_they_are(store: RunStore) -> None:
    store.add_samples("t", [replace(SAMPLES[0], references=("Berlin",)), SAMPLES[1], spoken_sample("c", Path("c.wav"))])
    found = [(one.sample.id, one.sample.reference) for one in store.samples("t")]
    assert found == [("b", "Paris"), ("a", "Rome"), ("c", "")]


def test_samples_of_all_tasks_come_task_by_task(store: RunStore) -> None:
    store.add_samples("s", [spoken_sample("x", Path("x.wav"))])
    assert [(one.task, one.sample.id) for one in store.samples()] == [("s", "x"), ("t", "b"), ("t", "a")]


def test_derivations_are_kept_by_recipe_and_input(store: RunStore) -> None:
    store.save_derived(RECIPE, {"1": Derived("ok", "parrots", cost={"seconds": 0.5})})
    store.save_derived("other", {"1": Derived("failed", error="out of memory")})
    assert store.derived(RECIPE, "1") == Derived("ok", "parrots", cost={"seconds": 0.5})
    assert store.derived("other", "1") == Derived("failed", error="out of memory")
    assert store.derived(RECIPE, "2") is None
    assert store.derived_all(RECIPE).keys() == {"1"}


def test_a_derivation_made_again_replaces_the_first(store: RunStore) -> None:
    store.save_derived(RECIPE, {"1": Derived("failed", error="timeout")})
    store.save_derived(RECIPE, {"1": Derived("ok", "parrots")})
    assert store.derived(RECIPE, "1") == Derived("ok", "parrots")


def test_content_that_cannot_be_kept_is_a_derivation_that_failed(store: RunStore) -> None:
    store.save_derived(RECIPE, {"1": Derived("ok", "a\0b"), "2": Derived("failed", error="caf\udce9")})
    assert store.derived(RECIPE, "1") == Derived("failed", error=r"the content: holds the character '\x00'")
    assert store.derived(RECIPE, "2") == Derived("failed", error=r"caf\udce9")


def test_replacing_scores_leaves_answers_and_other_tasks_alone(store: RunStore) -> None:
    store.save_answers([spoken("a")])
    store.replace_scores("s", "t", [("a", 0, "wer", score(0.5))])
    store.replace_scores("s", "u", [("a", 0, "wer", score(0.5))])
    store.replace_scores("s", "t", [])
    assert store.scores("s", "t") == {}
    assert store.scores("s", "u") == {("a", 0): {"wer": score(0.5)}}
    assert store.done("s", "t") == {("a", 0)}


def test_scores_keep_repeats_and_ids_apart_in_the_order_they_came(store: RunStore) -> None:
    rows = [("a", 1, "z", score(0.5)), ("a", 1, "b", score(1.0)), ("a", 0, "z", score(0.0))]
    store.replace_scores(TOPLINE, "t", rows)
    found = store.scores(TOPLINE, "t")
    assert found == {("a", 1): {"z": score(0.5), "b": score(1.0)}, ("a", 0): {"z": score(0.0)}}
    assert list(found["a", 1]) == ["z", "b"]


@pytest.mark.parametrize(
    ("response", "field"),
    [
        (Response("a\0b"), r"text: must not hold the character '\\x00'"),
        (Response("caf\udce9"), r"text: must not hold the character '\\udce9'"),
        (Response("x", trace=replace(TRACE, end_s=float("nan"))), "trace.end_s: must be a finite number, not nan"),
        (Response("x", trace=None), "trace: must be an object, not null"),  # type: ignore[arg-type]  # as plug-ins do
        (Response(b"x"), "text: must be a string"),  # type: ignore[arg-type]  # as plug-ins do
    ],
)
def test_a_response_that_could_not_be_read_again_is_refused(store: RunStore, response: Response, field: str) -> None:
    with pytest.raises(InputError, match=f"system s, task t, sample 'a': the response can't be kept: {field}"):
        store.save_answers([NewAnswer(AnswerKey("s", "t", "a"), "ok", response, "", 1, "now")])
    assert store.done("s", "t") == set()


def test_a_message_that_is_no_text_of_unicode_is_kept_as_what_it_looks_like(store: RunStore) -> None:
    store.save_answers([replace(failed("a"), error="caf\udce9\0")])
    assert next(store.answers()).error == r"caf\udce9\x00"


def test_a_sample_whose_texts_cannot_be_kept_is_refused_by_name(store: RunStore) -> None:
    with pytest.raises(
        InputError, match=r"task u, sample 'x': turns\[0\]\.audio\.path: must not hold the character '\\udce9'"
    ):
        store.add_samples("u", [spoken_sample("x", Path("caf\udce9.wav"))])


def test_a_command_line_that_is_no_text_of_unicode_is_kept_as_what_it_looks_like(store: RunStore) -> None:
    session = replace(MANIFEST.sessions[0], command=("tttbench", "caf\udce9"))
    store.write_manifest(replace(MANIFEST, sessions=(session,)))
    assert store.manifest.sessions[0].command == ("tttbench", r"caf\udce9")


def test_two_processes_cannot_write_to_one_run(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.store.lock._PATIENCE_S", 0.0)
    assert is_being_written(store.folder)
    with pytest.raises(UserError, match="another process is writing to this run"):
        RunStore.open(store.folder, write=True)
    store.close()
    assert not is_being_written(store.folder)
    RunStore.open(store.folder, write=True).close()


def test_a_run_can_be_read_while_it_is_written(store: RunStore) -> None:
    store.save_answers([spoken("a")])
    with RunStore.open(store.folder) as reader:
        assert [one.key.sample for one in reader.answers()] == ["a"]
        store.save_answers([spoken("b")])
        assert [one.key.sample for one in reader.answers()] == ["b", "a"]


def test_a_run_that_was_closed_is_read_without_other_files(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    before = sorted(os.listdir(tmp_path / "run"))
    with RunStore.open(tmp_path / "run") as store:
        assert len(list(store.answers())) == 3
        assert sorted(os.listdir(tmp_path / "run")) == before
    assert before == [".lock", "audio", "journal.sqlite", "manifest.json", "summary.json"]


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from stored_runs import MANIFEST, SAMPLES, spoken
from tttbench.store.run_directory import RunStore
store = RunStore.create(Path({folder!r}), MANIFEST)
store.add_samples("t", SAMPLES)
store.save_answers([spoken("a"), spoken("b")])
os.kill(os.getpid(), 9)
"""


def test_what_was_acknowledged_survives_the_death_of_the_process(tmp_path: Path) -> None:
    here = Path(__file__).resolve().parent
    code = KILLED.format(here=str(here), folder=str(tmp_path / "run"))
    assert subprocess.run([sys.executable, "-c", code], cwd=here.parents[1], check=False).returncode == -9
    for write in (False, True):
        with RunStore.open(tmp_path / "run", write=write) as store:
            assert store.done("s", "t") == {("a", 0), ("b", 0)}
            assert all(one.audio and (store.folder / one.audio.file).is_file() for one in store.answers())


def test_a_log_that_cannot_be_opened_beside_the_journal_is_read_from_a_copy(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_answers([spoken("a")])

    class Unopened(sqlite3.Connection):
        """A connection on a disk that is mounted for reading only: the log's index can't be made."""

        def execute(self, *_: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr("tttbench.store.schema.connect_to_read", lambda _: Unopened(":memory:"))
    with RunStore.open(store.folder) as reader:
        assert [one.key.sample for one in reader.answers()] == ["a"]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        RunStore.open(tmp_path)


def test_a_folder_may_be_given_as_text(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    with RunStore.open(str(tmp_path / "run")) as store:
        assert store.folder == tmp_path / "run"


def test_a_run_is_not_started_over_another(store: RunStore) -> None:
    with pytest.raises(UserError, match="holds another run; continue it with --resume"):
        RunStore.create(store.folder, MANIFEST)


def test_a_run_is_not_started_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="is not an empty folder"):
        RunStore.create(tmp_path, MANIFEST)


def test_what_is_left_of_a_start_that_failed_is_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "audio").mkdir(parents=True)
    (folder / "journal.sqlite").write_bytes(b"half")
    RunStore.create(folder, MANIFEST).close()
    assert RunStore.open(folder).manifest == MANIFEST


def test_what_a_killed_write_left_is_taken_away_by_the_next_writer(store: RunStore) -> None:
    store.close()
    for name in ("manifest.json.partial", "audio/x.flac.partial", "journal.sqlite.partial-journal"):
        (store.folder / name).touch()
    RunStore.open(store.folder, write=True).close()
    assert not list(store.folder.rglob("*.partial*"))


def test_a_full_disk_under_the_journal_is_said_in_words(store: RunStore) -> None:
    connection = store._journal._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match=r"journal\.sqlite: cannot be written: database or disk is full.*--resume"):
        store.add_samples("u", [Sample(str(number), (Turn("user", "x" * 1000),)) for number in range(100)])
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
