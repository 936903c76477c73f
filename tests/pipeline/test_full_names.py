"""Whisper without the name of a model: what it means when a run is planned, and what it meant in older runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tttbench.config.suite import TaskPlan
from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.exchange import Response
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.pipeline.full_names import full_name, named_in_full
from tttbench.pipeline.plan import make_plan
from tttbench.pipeline.rescore import Asked, rescore
from tttbench.store.manifest import DeriverEntry, Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore
from tttbench.systems.whisper import weights

from .stages import Told, Workers
from .test_plan import suite_of

BARE = ScoreSpec("spoken_accuracy", "spoken_accuracy", {"transcriber": "whisper"})
RECIPE = "whisper tiny.en@2a6ed6380f1d of old"
SAMPLES = tuple(Sample(name, (Turn("user", "?"),), ("yes",), language="en") for name in "ab")


@pytest.fixture(autouse=True)
def base_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "is_available_offline", lambda name: name == "base")


def test_a_bare_name_is_that_of_the_model_on_the_device() -> None:
    assert [full_name(one, "cpu") for one in ("whisper", "whisper:", "whisper:tiny", "mine", "")] == [
        *("whisper:base", "whisper:base", "whisper:tiny", "mine", "")
    ]
    assert full_name("whisper", "cuda:1") == "whisper:large-v3"


def test_a_plan_holds_full_names_of_suites_and_of_scores() -> None:
    scores = (parse_score("spoken_accuracy"), parse_score("self_wer=own:transcriber=whisper"))
    (task,) = make_plan(suite_of(TaskPlan("mini_qa", 1, scores=scores), transcriber="whisper"), "cpu").tasks
    assert {one.id: one.options["transcriber"] for one in task.scores} == {
        "spoken_accuracy": "whisper:base",
        "own": "whisper:base",
    }


@pytest.mark.parametrize(
    ("recipe", "model"),
    [
        (RECIPE, "whisper:tiny.en"),
        ("whisper base@8e3ab3228e83 openai-whisper 20250625 greedy", "whisper:base"),
        ("whisper large-v3@0123456789ab openai-whisper 20250625 greedy", "whisper:large-v3"),
        ("", "whisper:tiny.en"),
        ("unknown", "whisper:tiny.en"),
    ],
)
def test_a_run_s_bare_name_is_the_model_that_made_its_transcripts(recipe: str, model: str) -> None:
    entry = DeriverEntry(recipe)
    found = named_in_full(run_of({"transcriber:whisper": entry, "transcriber:mine": DeriverEntry("m")}))
    assert dict(found.derivers) == {f"transcriber:{model}": entry, "transcriber:mine": DeriverEntry("m")}
    assert [one.options.get("transcriber") for one in found.tasks["t"].scores] == [model, None, "mine"]
    assert [one.id for one in found.tasks["t"].scores] == ["spoken_accuracy", "wer", "own"]


def test_a_run_without_transcripts_had_the_model_of_its_version_and_others_are_left_alone() -> None:
    assert named_in_full(run_of({})).tasks["t"].scores[0].options == {"transcriber": "whisper:tiny.en"}
    named = named_in_full(run_of({}))
    assert named_in_full(named) is named


class Writes:
    """A transcriber that says yes, and notes what it is given."""

    batch_size = 1

    def __init__(self, name: str, recipe: str) -> None:
        self.name, self.recipe, self.given = name, recipe, 0

    def derive(self, inputs: Sequence[DerivationInput]) -> list[Derived | Exception]:
        self.given += len(inputs)
        return [Derived("ok", "yes")] * len(inputs)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """A run of development versions, of two spoken answers, of which one is transcribed."""
    card = SystemCard("x", Capability(produces=frozenset({"text", "audio"})))
    made = DeriverEntry(RECIPE)
    manifest = Manifest(
        SuiteEntry("s"),
        {"x": SystemEntry("x", card=card)},
        {"t": TaskEntry("T", "qa", scores=(BARE,), n=2, language="en")},
        derivers={"transcriber:whisper": made},
    )
    with RunStore.create(tmp_path / "run", manifest) as store:
        store.add_samples("t", SAMPLES)
        for at, sample in enumerate(SAMPLES, 1):
            spoken = Response("yes", waveform=np.full(80, 0.1 * at, np.float32), sample_rate=8_000)
            store.save_answers([NewAnswer(AnswerKey("x", "t", sample.id, 0), "ok", spoken, "", 1, "")])
        first = next(iter(store.answers()))
        assert first.audio is not None
        need = Need("transcriber:whisper", audio_sha256=first.audio.sha256, language="en")
        store.save_derived(RECIPE, {need.input_sha256: Derived("ok", "no")})
        yield store


def test_scoring_again_transcribes_what_is_lacking_by_the_model_that_the_run_has(store: RunStore) -> None:
    old = Writes("transcriber:whisper:tiny.en", RECIPE)
    summary = rescore(store, Asked(), Workers({old.name: old}), SystemOptions("cpu"), Told())
    assert old.given == 1  # the other one is kept as it was
    assert [one.value for one in summary.results if one.metric == "spoken_accuracy"] == [0.5]
    assert {name: entry.recipe for name, entry in store.manifest.derivers.items()} == {old.name: RECIPE}


def test_a_bare_name_that_is_asked_for_now_stands_beside_it_by_its_own(store: RunStore) -> None:
    old = Writes("transcriber:whisper:tiny.en", RECIPE)
    new = Writes("transcriber:whisper:base", "whisper base@1")
    workers = Workers({old.name: old, new.name: new})
    rescore(store, Asked(transcriber="whisper"), workers, SystemOptions("cpu"), Told())
    assert (old.given, new.given) == (1, 2)
    assert {one.id: one.options["transcriber"] for one in store.manifest.tasks["t"].scores} == {
        "spoken_accuracy": "whisper:tiny.en",
        "spoken_accuracy_whisper-base": "whisper:base",
    }


def run_of(derivers: dict[str, DeriverEntry]) -> Manifest:
    scores = (BARE, ScoreSpec("wer", "wer"), ScoreSpec("self_wer", "own", {"transcriber": "mine"}))
    return Manifest(SuiteEntry("s"), tasks={"t": TaskEntry("T", "qa", scores=scores)}, derivers=derivers)
