"""Scoring again: which scores a task has afterwards, and that nothing changes where something is wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace
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


def ways_after(folder: Path, asked: Asked, *tasks: tuple[ScoreSpec, ...]) -> list[dict[str, dict[str, str]]]:
    """Options by id of the scores of every task by a judge, after a run without answers was scored again."""
    manifest = Manifest(
        SuiteEntry("s"),
        tasks={str(at): TaskEntry("T", "qa", scores=specs) for at, specs in enumerate(tasks)},
        status="done",
    )
    with RunStore.create(folder, manifest) as store:
        rescore(store, asked, Workers({}), SystemOptions(), Told())
        return [
            {spec.id: dict(spec.options) for spec in task.scores if "judge" in spec.options}
            for task in store.manifest.tasks.values()
        ]


JUDGE = {"judge": "openai_chat:m"}
HERE = {**JUDGE, "base_url": "http://127.0.0.1:9/v1"}
NEW_WAY = {**HERE, "concurrency": "9"}


@pytest.fixture
def _without_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.pipeline.rescore.make_ready", lambda *words: None)
    pytest.importorskip("openai", reason="needs the extra judge")


@pytest.mark.usefixtures("_without_server")
@pytest.mark.parametrize(
    "asked",
    [
        Asked((ScoreSpec("answer", "first", {**JUDGE, "concurrency": "9"}),)),
        Asked((ScoreSpec("answer", "first", {"concurrency": "9"}),)),
        Asked(judge={**JUDGE, "concurrency": "9"}),
    ],
)
def test_a_judge_is_asked_in_one_way_in_all_tasks(tmp_path: Path, asked: Asked) -> None:
    first, other = ScoreSpec("answer", "first", HERE), ScoreSpec("conversation", "other", HERE)
    # The second task has no score of the scorer that is added.
    found = ways_after(tmp_path / "run", asked, (first,), (other, TEXT))
    assert found == [{"first": NEW_WAY}, {"other": NEW_WAY}]


@pytest.mark.usefixtures("_without_server")
def test_a_new_score_by_a_judge_is_asked_for_where_that_judge_is(tmp_path: Path) -> None:
    had = ScoreSpec("conversation", "had", {**HERE, "key_env": "MY_KEY"})
    more = ScoreSpec("answer", "more", {**JUDGE, "votes": "3"})
    found = ways_after(tmp_path / "run", Asked((more,)), (had,), (TEXT,))
    more_options = {**HERE, "key_env": "MY_KEY", "votes": "3"}
    assert found == [{"had": dict(had.options), "more": more_options}, {"more": more_options}]
    # So is one that names no judge beside a judge that is named in the call.
    asked = Asked((ScoreSpec("answer", "more", {"votes": "3"}),), judge=JUDGE)
    assert ways_after(tmp_path / "again", asked, (had,), (TEXT,)) == found


@pytest.mark.usefixtures("_without_server")
def test_a_judge_for_a_score_that_is_added_in_the_same_call_is_no_idle_one(tmp_path: Path) -> None:
    answer = ScoreSpec("answer", "answer")
    assert ways_after(tmp_path / "run", Asked((answer,), judge=NEW_WAY), (TEXT,)) == [{"answer": NEW_WAY}]
    for idle in (Asked(judge=NEW_WAY), Asked((replace(answer, options={"judge": "openai_chat:o"}),), judge=NEW_WAY)):
        with pytest.raises(UserError, match=r"--judge: no task of this run .* say it with --add answer"):
            ways_after(tmp_path / "idle", idle, (TEXT,))
        shutil.rmtree(tmp_path / "idle")


def test_two_ways_in_one_call_are_refused(tmp_path: Path) -> None:
    asked = Asked((ScoreSpec("answer", "a", NEW_WAY),), judge={**JUDGE, "concurrency": "2"})
    with pytest.raises(UserError, match="--add, --judge: openai_chat:m: option concurrency is given as 9 and as 2"):
        ways_after(tmp_path / "run", asked, (TEXT,))


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
