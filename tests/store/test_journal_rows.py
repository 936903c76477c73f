"""What stands in the journal and in the JSON files, column by column."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.derivation import Derived, recipe_digest
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Conditions, Response
from tttbench.core.sample import Sample, Turn
from tttbench.data.flac import pcm_md5
from tttbench.store import json_files, row_values
from tttbench.store.manifest import (
    DeriverEntry,
    Machine,
    Manifest,
    Session,
    SuiteEntry,
    Summary,
    SystemEntry,
    TaskEntry,
)
from tttbench.store.rows import AnswerKey, NewAnswer, Recording, StoredAnswer, StoredSample
from tttbench.store.run_directory import RunStore
from tttbench.store.schema import RESTORE

from .stored_runs import MANIFEST, RECIPE, SAMPLES, SUMMARY, TONE, TRACE, failed, make_run, score, spoken, update


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        return connection.execute(query).fetchall()


def test_recordings_and_recipes_as_they_lie_there(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        audio = next(one.audio for one in store.answers() if one.audio is not None)
        (given, answer) = store.samples("t")[1].inputs[0], store.samples("t")[0].answer_audio
    assert answer is not None
    md5 = pcm_md5(TONE)
    assert rows(tmp_path / "run", "SELECT * FROM recordings ORDER BY sample") == [
        ("t", "a", "input", 0, given.file, given.sha256, 0.1, 16_000, md5),
        ("t", "b", "answer", 0, answer.file, answer.sha256, 0.1, 16_000, md5),
    ]
    assert given.file.startswith("audio/input--t--a--0-")
    assert answer.file.startswith("audio/answer--t--b--0-")
    assert audio.file.startswith("audio/output--t--a--s--0-")
    digest = recipe_digest(RECIPE)
    assert rows(tmp_path / "run", "SELECT * FROM recipes") == [(digest, RECIPE)]
    assert rows(tmp_path / "run", "SELECT * FROM derived") == [
        (digest, audio.sha256, "ok", "Rome is", "", '{"seconds": 0.25}')
    ]
    assert rows(tmp_path / "run", "SELECT task, sample, position FROM samples") == [("t", "b", 0), ("t", "a", 1)]


def test_a_whole_answer(tmp_path: Path) -> None:
    quiet = NewAnswer(AnswerKey("s", "t", "b", 3), "empty", Response("", finish_reason="length"), "", 7, "then")
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples("t", SAMPLES)
        store.save_answers([spoken("a", 2), replace(failed("b", 1), conditions=Conditions(0.5, None)), quiet])
        store.replace_scores("s", "t", [("b", 3, "wer", score(0.5))])
        first, second, third = store.answers()
    sample = StoredSample("t", SAMPLES[0])
    assert first == StoredAnswer(
        AnswerKey("s", "t", "b", 1),
        sample,
        "error",
        None,
        "no power",
        1,
        None,
        Conditions(0.5, None),
        {},
        "2030-01-01T00:00:01+00:00",
    )
    assert second == StoredAnswer(
        quiet.key, sample, "empty", quiet.response, "", 7, None, None, {"wer": score(0.5)}, "then"
    )
    assert third.response is not None
    assert third.audio is not None
    assert math.isnan(third.response.trace.commit_confidence[1])
    confidence = third.response.trace.commit_confidence
    trace = replace(TRACE, commit_confidence=confidence)
    assert third == StoredAnswer(
        AnswerKey("s", "t", "a", 2),
        StoredSample("t", SAMPLES[1]),
        "ok",
        Response("Rome", (1, 2), None, 16_000, trace=trace),
        "",
        1,
        replace(third.audio, seconds=0.1, sample_rate=16_000, pcm_md5=pcm_md5(TONE)),
        Conditions(0.01, 0.5),
        {},
        "2030-01-01T00:00:01+00:00",
    )


def test_a_waveform_without_samples_is_no_recording(tmp_path: Path) -> None:
    response = Response("x", waveform=TONE[:0], sample_rate=16_000)
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples("t", SAMPLES)
        store.save_answers([NewAnswer(AnswerKey("s", "t", "a"), "ok", response, "", 1, "now")])
        (found,) = store.answers()
    assert (found.audio, found.answer_s) == (None, 0.0)


def test_a_position_below_zero_hides_no_sample(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    update(tmp_path / "run", f"UPDATE samples SET position = {-(2**63)} WHERE sample = 'a'")
    with RunStore.open(tmp_path / "run") as store:
        assert [one.sample.id for one in store.samples("t")] == ["a", "b"]
        assert len(list(store.answers())) == 3


def test_a_failed_write_is_undone_and_the_next_one_goes_on(tmp_path: Path) -> None:
    def fail(store: RunStore) -> None:
        with store._journal.transaction() as connection:
            connection.execute("INSERT INTO samples VALUES ('t', 'x', 0, '{}')")
            raise ZeroDivisionError

    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        with pytest.raises(ZeroDivisionError):
            fail(store)
        assert not store._journal._connection.in_transaction
        store.add_samples("t", SAMPLES)
        assert [one.sample.id for one in store.samples()] == ["b", "a"]


def test_a_writer_keeps_others_from_writing_from_the_start(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        other = sqlite3.connect(tmp_path / "run" / "journal.sqlite", timeout=0, isolation_level=None)
        with closing(other), store._journal.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_a_row_of_another_width_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="zip"):
        row_values.read_row(AnswerKey, ("system", "task"), ("s",))
    with pytest.raises(ValueError, match="zip"):
        row_values.answer(("s", "t", "a", 0, "ok"), StoredSample("t", SAMPLES[0]), {})


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE derived SET cost = '['", "table derived, recipe 'RECIPE', input_sha256 'SHA': cost: not valid JSON: "),
        ("UPDATE derived SET input_sha256 = x'ff'", r"table derived, recipe 'RECIPE', input_sha256 b'\xff': input_sha"),
        (
            "UPDATE answers SET file = '/etc/x' WHERE repeat = 1",
            "sample 'a', repeat 1: file: must be a path inside the",
        ),
        ("UPDATE answers SET file = 'a/../../x' WHERE repeat = 1", "sample 'a', repeat 1: file: must be a path inside"),
        ("UPDATE answers SET response = NULL", "sample 'a', repeat 0: response: must be NULL after an error, and only"),
        (
            "UPDATE answers SET status = 'error'",
            "sample 'a', repeat 0: response: must be NULL after an error, and only",
        ),
        ("UPDATE answers SET calibration_s = 'x'", "sample 'b', repeat 0: calibration_s: must be a number, not 'x'"),
        (
            "UPDATE samples SET content = json_set(content, '$.id', 'z')",
            "task 't', sample 'b': content.id: must be the",
        ),
        (
            "UPDATE samples SET content = '[' || char(91)",
            "table samples, task 't', sample 'b': content: not valid JSON",
        ),
        ("UPDATE recordings SET turn = 'x'", "table recordings, task 't', sample 'a', part 'input', turn 'x': turn: "),
        (
            "UPDATE recordings SET file = '../x'",
            "sample 'a', part 'input', turn 0: file: must be a path inside the run",
        ),
        (
            "UPDATE scores SET content = '[]'",
            "sample 'a', repeat 0, score 'wer': content: must be an object, not an em",
        ),
        ("UPDATE scores SET content = json_remove(content, '$.detail')", "score 'wer': content.detail: missing. "),
    ],
)
def test_a_damaged_row_is_named_by_its_key(tmp_path: Path, statement: str, says: str) -> None:
    with make_run(tmp_path / "run") as store:
        sha = next(one.audio.sha256 for one in store.answers() if one.audio is not None)
    update(tmp_path / "run", statement)
    with RunStore.open(tmp_path / "run") as store, pytest.raises(UserError) as caught:
        print(store.derived_all(RECIPE), store.samples(), list(store.answers()))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/run/journal.sqlite: table ")
    assert says.replace("RECIPE", recipe_digest(RECIPE)).replace("SHA", sha) in message
    assert message.endswith(f". {RESTORE}")


def test_what_a_row_holds_besides_is_passed_over(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    update(tmp_path / "run", "UPDATE scores SET content = json_set(content, '$.later', 1)")
    with RunStore.open(tmp_path / "run") as store:
        assert store.scores("s", "t")["a", 0]["wer"] == score(0.5)


def test_json_files_are_indented_and_of_todays_format(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        store.write_manifest(replace(MANIFEST, format=2))
        store.write_summary(replace(SUMMARY, format=2))
    for name, first in (("manifest.json", "suite"), ("summary.json", "status")):
        text = (tmp_path / "run" / name).read_text()
        assert text.startswith(f'{{\n  "{first}": ')
        assert json.loads(text)["format"] == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such file. Continue the run with --resume."),
        ("[]", f"must hold a JSON object. {RESTORE}"),
        ("{}", f"format: missing. {RESTORE}"),
        ('{"format": true}', f"format: is True, and this version of tttbench reads formats 2 and 3. {RESTORE}"),
        ('{"format": 2.0}', f"format: is 2.0, and this version of tttbench reads formats 2 and 3. {RESTORE}"),
        ('{"format": 4}', "format: is 4, and this version of tttbench reads formats 2 and 3; update tttbench."),
    ],
)
def test_a_json_file_that_is_none_of_a_run(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "summary.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        json_files.read_object(path)
    assert str(caught.value) == f"{path}: {says}"


def test_both_formats_are_told_apart(tmp_path: Path) -> None:
    for number in (2, 3):
        (tmp_path / "a.json").write_text(f'{{"format": {number}, "x": 1}}')
        document, found = json_files.read_object(tmp_path / "a.json")
        assert (document.values, found) == ({"format": number, "x": 1}, number)


def test_what_is_said_of_nothing_else_is_the_default() -> None:
    assert SuiteEntry("s") == SuiteEntry("s", "", 0, None, 2000, 1, 1, "")
    assert SystemEntry("s") == SystemEntry("s", "", {}, 1, None, 0)
    assert (TaskEntry("t", "qa").n, TaskEntry("t", "qa").limit) == (0, None)
    assert Machine() == Machine("cpu", "", "", 0, 0.0, "", "torch")
    assert Session((), "now") == Session((), "now", None, "running")
    assert Manifest(SuiteEntry("s")) == Manifest(SuiteEntry("s"), {}, {}, {}, {}, Machine(), (), "running", 3)
    assert Summary("done", 1, 1).format == 3
    assert AnswerKey("s", "t", "a") == AnswerKey("s", "t", "a", 0)


def test_recipes_and_strategies_as_far_as_they_are_known() -> None:
    assert Manifest(SuiteEntry("s"), derivers={"a": DeriverEntry("r"), "b": DeriverEntry()}).recipes() == {"a": "r"}
    card = MANIFEST.systems["s"].card
    assert card is not None
    entry = SystemEntry("x", "asked")
    assert entry.used_strategy == replace(entry, card=card).used_strategy == "asked"
    assert replace(entry, card=replace(card, strategy="used")).used_strategy == "used"


def test_the_recording_of_the_last_turn_and_the_seconds_of_all() -> None:
    turns = (Turn("user", "x"), Turn("assistant", "y"), Turn("user", "z"))
    one, two = Recording("1", "", 1.5, 8_000), Recording("2", "", 2.25, 8_000)
    stored = StoredSample("t", Sample("a", turns), {0: one, 2: two})
    assert (stored.input_audio, stored.input_s) == (two, 3.75)
    assert (replace(stored, inputs={0: one}).input_audio, StoredSample("t", Sample("a", turns)).input_s) == (None, 0)


@pytest.mark.parametrize(("md5", "is_gone", "refused"), [("", False, False), ("", True, False), ("ff", False, True)])
def test_an_input_of_which_nothing_is_known_is_taken_as_it_comes(
    tmp_path: Path, md5: str, is_gone: bool, refused: bool
) -> None:
    with make_run(tmp_path / "run") as store:
        kept = store.samples("t")[1].inputs[0]
        store._journal.save_recording("t", "a", "input", 0, replace(kept, pcm_md5=md5, sample_rate=0, seconds=0.0))
        if is_gone:
            (store.folder / kept.file).unlink()
        if refused:
            with pytest.raises(InputError) as caught:
                store.save_input("t", "a", 0, TONE, 16_000)
            assert str(caught.value) == (
                f"task t, sample 'a', turn 0: the audio has changed since the run kept it as {kept.file}. Put the old "
                "audio back, or run again in another folder."
            )
            return
        assert store.save_input("t", "a", 0, TONE, 16_000) == kept
        assert store.samples("t")[1].inputs[0] == kept
        assert (store.folder / kept.file).is_file()


@pytest.mark.parametrize("place", ["deep/er/run", "run"])
def test_a_run_is_made_where_nothing_but_rests_are(tmp_path: Path, place: str) -> None:
    folder = tmp_path / place
    if place == "run":
        (folder / "audio").mkdir(parents=True)
        for name in ("journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite-journal", "journal.sqlite", ".lock"):
            (folder / name).write_bytes(b"rest")
    RunStore.create(folder, MANIFEST).close()
    assert {path.name for path in folder.iterdir()} == {".lock", "audio", "journal.sqlite", "manifest.json"}


def test_a_run_is_not_made_in_a_file_or_among_others(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").touch()
    (folder / "x.tex").touch()
    for where in (folder, folder / "x.tex"):
        with pytest.raises(UserError) as caught:
            RunStore.create(where, MANIFEST)
        assert str(caught.value) == f"--out {where}: is not an empty folder; give another one."
    assert {path.name for path in folder.iterdir()} == {".lock", "x.tex"}


def test_a_run_needs_manifest_and_journal(tmp_path: Path) -> None:
    make_run(tmp_path / "run").close()
    for name in ("manifest.json", "journal.sqlite"):
        kept = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).unlink()
        for write in (False, True):
            with pytest.raises(UserError) as caught:
                RunStore.open(tmp_path / "run", write=write)
            assert str(caught.value) == f"{tmp_path}/run: holds no run (no manifest.json and journal.sqlite)."
        (tmp_path / "run" / name).write_bytes(kept)


def test_a_derivation_that_is_fine_stays_as_it_is(tmp_path: Path) -> None:
    made = {"1": Derived("ok", "é", cost={"seconds": 1}), "2": Derived("failed", "rest", "why", {"n": 2})}
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.save_derived(RECIPE, {**made, "3": Derived("ok", "a\0b", "", {"n": 3})})
        odd = Derived("failed", "", r"the content: holds the character '\x00'", {"n": 3})
        assert store.derived_all(RECIPE) == {**made, "3": odd}


def test_a_trace_of_a_development_version_that_knew_no_seconds_of_compute_is_read(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        before = [one.response for one in store.answers()]
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as connection:
        connection.execute("UPDATE answers SET response = json_remove(response, '$.trace.compute_s')")
        connection.commit()
    assert not [one for (one,) in rows(tmp_path / "run", "SELECT response FROM answers") if one and "compute_s" in one]
    with RunStore.open(tmp_path / "run") as store:
        assert [one.response for one in store.answers()] == before
