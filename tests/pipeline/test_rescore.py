"""Scoring again: which scores a task has afterwards, and that nothing changes where something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import SystemOptions
from tttbench.pipeline.rescore import Asked, rescore
from tttbench.store.manifest import Manifest, Session, SuiteEntry, TaskEntry
from tttbench.store.run_directory import RunStore

from .stages import Told, Workers

EARS = {"transcriber": "whisper:tiny.en"}
WER, CER = ScoreSpec("wer", "wer"), ScoreSpec("cer", "cer")
BESIDE = ("wer_whisper-en", "wer", "")
"""What every English ``wer`` has beside it."""
TEXT, SPOKEN = ScoreSpec("text_accuracy", "text_accuracy"), ScoreSpec("spoken_accuracy", "spoken_accuracy", EARS)


def scores_after(
    folder: Path,
    *tasks: tuple[ScoreSpec, ...],
    add: tuple[ScoreSpec, ...] = (),
    transcriber: str = "",
    oracle: str = "",
) -> list[list[tuple[str, str, str]]]:
    """Id, scorer and transcriber of the scores of every task, after scoring a run without answers again."""
    manifest = Manifest(
        SuiteEntry("s", oracle=oracle),
        tasks={str(at): TaskEntry("T", "qa", scores=specs) for at, specs in enumerate(tasks)},
        sessions=(Session(("run",), "2030-01-01", "2030-01-02", "interrupted"),),
        status="interrupted",
    )
    with RunStore.create(folder, manifest) as store:
        summary = rescore(store, Asked(add, transcriber), Workers({}), SystemOptions(), Told())
        assert (summary.status, store.summary, store.manifest.status) == ("done", summary, "done")
        # The sessions are those that generated.
        assert store.manifest.sessions == manifest.sessions
        return [
            [(spec.id, spec.scorer, spec.options.get("transcriber", "")) for spec in task.scores]
            for task in store.manifest.tasks.values()
        ]


def test_scores_go_to_the_tasks_that_have_their_kind_or_to_all(tmp_path: Path) -> None:
    raw = ScoreSpec("wer", "wer_raw", {"normalizer": "raw"})
    found = scores_after(tmp_path / "run", (WER,), (TEXT,), add=(raw, CER, WER))
    assert found == [
        [("wer", "wer", ""), BESIDE, ("wer_raw", "wer", ""), ("cer", "cer", "")],
        [("text_accuracy", "text_accuracy", ""), ("cer", "cer", "")],
    ]


def test_another_transcriber_takes_the_scores_of_the_first_once_more(tmp_path: Path) -> None:
    second = ScoreSpec("spoken_accuracy", "own", {"transcriber": "whisper:base"})
    first = [
        ("text_accuracy", "text_accuracy", ""),
        ("spoken_accuracy", "spoken_accuracy", "whisper:tiny.en"),
        ("own", "spoken_accuracy", "whisper:base"),
    ]
    gap = ("spoken_gap", "spoken_gap", "whisper:tiny.en")
    found = scores_after(tmp_path / "run", (TEXT, SPOKEN, second), (WER,), transcriber="ttt:mini")
    assert found == [
        [*first, ("spoken_accuracy_ttt-mini", "spoken_accuracy", "ttt:mini"), gap],
        [("wer", "wer", ""), BESIDE],
    ]
    # The same as before adds nothing.
    assert scores_after(tmp_path / "same", (TEXT, SPOKEN, second), transcriber="whisper:tiny.en") == [[*first, gap]]


def test_one_that_is_chosen_by_language_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.pipeline.transcribers.automatic", lambda language, device: "ttt:mini")
    mini = ("spoken_accuracy_ttt-mini", "spoken_accuracy", "ttt:mini")
    assert mini in scores_after(tmp_path / "run", (SPOKEN,), transcriber="auto")[0]
    added = ScoreSpec("spoken_accuracy", "own", {"transcriber": "auto"})
    assert ("own", "spoken_accuracy", "ttt:mini") in scores_after(tmp_path / "more", (SPOKEN,), add=(added,))[0]


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [((), "en"), (("", ""), "en"), (("en", "fr"), ""), (("fr", "fr"), "fr"), (("en-US", "en-GB"), "en")],
)
def test_the_language_is_that_of_the_samples_and_of_several_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, languages: tuple[str, ...], chosen: str
) -> None:
    asked = []

    def automatic(language: str, device: str) -> str:
        asked.append(language)
        return "ttt:mini"

    monkeypatch.setattr("tttbench.pipeline.transcribers.automatic", automatic)
    task = TaskEntry("T", "qa", scores=(SPOKEN,), language="en")
    session = Session(("run",), "2030-01-01", "2030-01-02", "interrupted")
    manifest = Manifest(SuiteEntry("s"), tasks={"t": task}, sessions=(session,), status="interrupted")
    samples = [Sample(f"{at}", (Turn("user", "?"),), ("A",), language=one) for at, one in enumerate(languages)]
    with RunStore.create(tmp_path / "run", manifest) as store:
        store.add_samples("t", samples)
        rescore(store, Asked(transcriber="auto"), Workers({}), SystemOptions(), Told())
    assert set(asked) == {chosen}


def test_where_no_transcriber_was_there_all_get_it(tmp_path: Path) -> None:
    bare = ScoreSpec("spoken_accuracy", "spoken_accuracy")
    found = scores_after(tmp_path / "run", (bare,), transcriber="ttt:mini")
    assert [(scorer, ears) for _, scorer, ears in found[0]] == [("spoken_accuracy", "ttt:mini")] * len(found[0])
    # What is added takes the task's own transcriber.
    self_wer = ScoreSpec("self_wer", "self_wer")
    assert scores_after(tmp_path / "added", (SPOKEN,), add=(self_wer,)) == [
        [("spoken_accuracy", "spoken_accuracy", "whisper:tiny.en"), ("self_wer", "self_wer", "whisper:tiny.en")]
    ]


def test_the_suite_s_oracle_stays(tmp_path: Path) -> None:
    assert scores_after(tmp_path / "run", (WER,), oracle="slow") == [
        [("wer", "wer", ""), BESIDE, ("oracle_agreement", "oracle_agreement", "")]
    ]


@pytest.mark.parametrize(
    ("add", "transcriber", "message"),
    [
        ((ScoreSpec("werr", "werr"),), "", "werr"),
        ((ScoreSpec("wer", "x", {"normaliser": "raw"}),), "", "wer has no option 'normaliser'"),
        ((), "whisperr:tiny", "whisperr"),
    ],
)
def test_nothing_changes_where_something_is_wrong(
    tmp_path: Path, add: tuple[ScoreSpec, ...], transcriber: str, message: str
) -> None:
    manifest = Manifest(SuiteEntry("s"), tasks={"t": TaskEntry("T", "qa", scores=(WER, SPOKEN))})
    with RunStore.create(tmp_path / "run", manifest) as store:
        with pytest.raises(UserError, match=message):
            rescore(store, Asked(add, transcriber), Workers({}), SystemOptions(), Told())
        assert (store.manifest, store.summary) == (manifest, None)
