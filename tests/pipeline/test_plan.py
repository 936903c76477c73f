"""What a run is planned to do: the listing's hash, the scores of its tasks, and what may differ on resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.config.suite import Suite, SystemPlan, TaskPlan
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef, Sample, spoken_sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.core.system import Capability
from tttbench.core.task import Needs, why_not
from tttbench.pipeline.plan import generate_item, listing_sha256, make_plan, with_defaults


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    (tmp_path / "a.wav").write_bytes(b"one")
    return spoken_sample("1", tmp_path / "a.wav", "Paris")


def test_an_equal_listing_in_another_folder_has_the_same_hash(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a.wav").write_bytes(b"two")
    copy = spoken_sample("1", tmp_path / "copy" / "a.wav", "Paris")
    assert listing_sha256([sample]) == listing_sha256([copy])


def test_whatever_the_listing_says_changes_it(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"three")
    others = [
        replace(sample, id="2"),
        replace(sample, references=("Rome",)),
        replace(sample, references=("Paris", "paris")),
        spoken_sample("1", tmp_path / "a.wav", "Paris", text="?"),
        spoken_sample("1", AudioRef(tmp_path / "a.wav", start_s=1.0), "Paris"),
        spoken_sample("1", tmp_path / "b.wav", "Paris"),
        spoken_sample("1", tmp_path / "none.wav", "Paris"),
    ]
    hashes = [listing_sha256([one]) for one in (sample, *others)]
    assert len(set(hashes)) == len(hashes)
    assert listing_sha256([sample, others[0]]) != listing_sha256([others[0], sample])


def test_a_request_s_seed_is_that_of_its_run_task_sample_and_repeat(sample: Sample) -> None:
    def seed(run: int = 7, task: str = "t", sample_id: str = "a", repeat: int = 0) -> int:
        planned = replace(build_task("mini_asr"), name=task)
        return generate_item(planned, replace(sample, id=sample_id), "system", run, repeat).seed

    # The first eight bytes of sha256("7 NUL t NUL a") are 0x755758122aa7c865; 63 bits of them.
    assert seed() == 0x755758122AA7C865 >> 1
    assert len({seed(), seed(run=8), seed(task="u"), seed(sample_id="b"), seed(repeat=1), seed(repeat=2)}) == 6


def test_a_suite_s_transcriber_oracle_and_the_gap_are_filled_in() -> None:
    own = (ScoreSpec("text_accuracy", "text_accuracy"), ScoreSpec("spoken_accuracy", "spoken_accuracy"))
    found = with_defaults(own, "ears", "slow")
    assert [(spec.id, dict(spec.options)) for spec in found] == [
        ("text_accuracy", {}),
        ("spoken_accuracy", {"transcriber": "ears"}),
        ("spoken_gap", {"transcriber": "ears"}),
        ("oracle_agreement", {"oracle": "slow"}),
    ]


def test_a_second_recipe_is_a_line_in_a_suite() -> None:
    suite = Suite(
        "s",
        "",
        (SystemPlan("echo"),),
        (TaskPlan("mini_asr", limit=1), TaskPlan("mini_qa", limit=1)),
        add=(parse_score("wer:recipe=raw"), parse_score("self_wer=own:transcriber=whisper:tiny.en")),
    )
    plan = make_plan(suite, "cpu")
    ids = {task.plan.name: [spec.id for spec in task.scores] for task in plan.tasks}
    # WER goes where WER is taken; no task has a self_wer of its own, so it goes everywhere.
    assert ids["mini_asr"] == ["wer", "cer", "wer_raw", "own"]
    assert ids["mini_qa"] == ["spoken_accuracy", "text_accuracy", "own", "spoken_gap"]


def test_one_id_is_one_metric_in_the_whole_run() -> None:
    tasks = (
        TaskPlan("mini_asr", limit=1, scores=(ScoreSpec("wer", "x"),)),
        TaskPlan("mini_qa", limit=1, scores=(ScoreSpec("text_accuracy", "x"),)),
    )
    with pytest.raises(UserError, match="score 'x' is another metric in task 'mini_qa' than in 'mini_asr'"):
        make_plan(Suite("s", "", (SystemPlan("echo"),), tasks), "cpu")


def test_the_label_of_the_reference_audio_is_reserved() -> None:
    suite = Suite("s", "", (SystemPlan("echo", called="reference audio"),), (TaskPlan("mini_asr", limit=1),))
    with pytest.raises(UserError, match="the label 'reference audio' is reserved"):
        make_plan(suite, "cpu")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("wer", ScoreSpec("wer", "wer")),
        ("wer=strict:normalizer=raw", ScoreSpec("wer", "strict", {"normalizer": "raw"})),
        ("wer:recipe=whisper-en", ScoreSpec("wer", "wer_whisper-en", {"recipe": "whisper-en"})),
        (
            "spoken_accuracy:transcriber=whisper:base",
            ScoreSpec("spoken_accuracy", "spoken_accuracy_whisper-base", {"transcriber": "whisper:base"}),
        ),
        ("a:x=1,y=2", ScoreSpec("a", "a_1_2", {"x": "1", "y": "2"})),
    ],
)
def test_scores_as_they_are_written_on_a_command_line(text: str, spec: ScoreSpec) -> None:
    assert parse_score(text) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be SCORE"),
        ("wer=", "must be SCORE"),
        ("wer:raw", "'raw' must be OPTION=VALUE"),
        ("wer:a=1,a=2", "option 'a' is given twice"),
        ("wer=a b", "id 'a b' may hold letters"),
    ],
)
def test_scores_that_are_invalid_are_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_score(text)


@pytest.mark.parametrize(
    ("capability", "needs", "reason"),
    [
        (Capability(families=frozenset({"asr"})), Needs(), "is made for asr tasks, not qa"),
        (Capability(accepts=frozenset({"text"})), Needs(), "doesn't accept audio"),
        (Capability(), Needs(produces=frozenset({"audio", "text"})), "doesn't produce audio"),
        (Capability(), Needs(turns=True), "doesn't take conversations of several turns"),
        (Capability(languages=frozenset({"zh"})), Needs(), "doesn't claim the language en"),
        (Capability(), Needs(), ""),
    ],
)
def test_why_a_system_is_not_given_a_task(capability: Capability, needs: Needs, reason: str) -> None:
    assert why_not(capability, needs, "qa", "en") == reason
