"""Where right answers are lost: worked out by hand, and what holds of any verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.losses import LossPath
from tttbench.core.metric import MetricInfo, Result, Score, plain_score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import ScoreSpec
from tttbench.store.losses import Losses, loss_paths
from tttbench.store.manifest import Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey
from tttbench.store.standings import Standings

RIGHT = MetricInfo("Right", unit="%", scale=100, aggregation="binary", lowest=0, highest=1)
METRICS = {"text_accuracy": RIGHT, "spoken_accuracy": RIGHT}
FAILED = Score(math.nan, math.nan, 1.0, "derivation_failed")

Given = dict[str, tuple[str, str]]
"""By condition: verdicts on the written and on the spoken answers, a digit a sample; x: failed, ``""``: none."""


def losses(
    given: Given,
    scorers: tuple[str, ...] = tuple(METRICS),
    clusters: int = 0,
    matchers: Mapping[tuple[str, str], str] | None = None,
) -> Losses:
    """``matchers``: by condition and score, where one isn't ``contains@1``."""
    tasks = {
        f"q_{condition}": TaskEntry(
            "Q",
            "qa",
            scores=tuple(ScoreSpec(name, name) for name in scorers),
            condition=condition,
            condition_of="q",
        )
        for condition in given
    }
    standings = Standings()
    for condition, verdicts in given.items():
        for name, digits in zip(METRICS, verdicts, strict=True):
            for at, digit in enumerate(digits):
                sample = Sample(str(at), (), cluster=str(at % clusters) if clusters else "")
                score = FAILED if digit == "x" else plain_score(float(digit))
                standings.add(AnswerKey("s", f"q_{condition}", str(at), 0), sample, {name: score})
    manifest = Manifest(SuiteEntry("a"), {"s": SystemEntry("s")}, tasks)
    return loss_paths(
        manifest,
        METRICS,
        standings,
        [
            result(condition, name, (matchers or {}).get((condition, name), "contains@1"))
            for condition in given
            for name in METRICS
        ],
    )


def result(condition: str, metric: str, matcher: str) -> Result:
    transcriber = "whisper" if metric == "spoken_accuracy" else ""
    recipe = Recipe(f"{metric}@1", matcher=matcher, transcriber=transcriber)
    return Result("s", f"q_{condition}", metric, 0.5, 0.0, 1.0, 1, 1, 0, 0, 0, 0, recipe, 0.5, 0.5)


def paths(given: Given, scorers: tuple[str, ...] = tuple(METRICS), clusters: int = 0) -> dict[str, LossPath]:
    found = losses(given, scorers, clusters)
    assert found.left_out == ()
    assert all((one.system, one.condition_of, one.task) == ("s", "q", f"q_{one.condition}") for one in found.paths)
    return {one.condition: one for one in found.paths}


def stages(path: LossPath) -> list[tuple[str, float, int, int]]:
    return [(one.stage, round(one.difference, 6), one.lost, one.gained) for one in path.stages]


def test_a_path_worked_out_by_hand() -> None:
    # Ten questions. In writing 8 are right; of these 2 are lost in speech, and one of the others is gained.
    found = paths(
        {
            "clean": ("1111110010", "1111100000"),
            "text": ("1111111100", "1111111000"),
            "noise:10": ("1110000000", "1110000001"),
        }
    )
    assert stages(found["clean"]) == [
        ("answering", -0.2, 2, 0),
        ("transcription", -0.1, 2, 1),
        ("speaking", -0.2, 2, 0),
    ]
    assert (found["clean"].right, found["clean"].n, found["clean"].metric) == (0.5, 10, "spoken_accuracy")
    assert stages(found["text"]) == [("answering", -0.2, 2, 0), ("speaking", -0.1, 1, 0)]
    assert stages(found["noise:10"])[1:] == [("transcription", -0.5, 5, 0), ("speaking", 0.1, 0, 1)]
    against = found["noise:10"].against_clean
    assert against is not None
    assert (round(against.difference, 6), against.lost, against.gained) == (-0.4, 4, 0)
    assert found["clean"].against_clean is found["text"].against_clean is None
    # Bonett and Price of 2 lost and 1 gained of 10: (2 - 3) / 12 -+ 1.96 sqrt((5/12 - 1/144) / 12).
    loss = found["clean"].stages[1]
    half = 1.959964 * math.sqrt((5 / 12 - 1 / 144) / 12)
    assert (loss.ci_low, loss.ci_high) == pytest.approx((-1 / 12 - half, -1 / 12 + half), abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "low", "high"),
    [
        (0, -3.699, 0.0),  # Wilson of 100 of 100: 1 / (1 + z^2 / 100) = 0.9630
        (3, -8.452, -1.026),  # of 97: (0.97 + z^2 / 200 -+ z sqrt(0.97 * 0.03 / 100 + z^2 / 40000)) / (1 + z^2 / 100)
    ],
)
def test_the_first_stage_is_a_share_with_the_interval_of_one(wrong: int, low: float, high: float) -> None:
    right = "1" * (100 - wrong) + "0" * wrong
    for asked in ({"clean": (right, ""), "text": (right, "")}, {"clean": (right, ""), "noise:5": (right, "")}):
        first = paths(asked)["clean"].stages[0]
        assert (100 * first.ci_low, 100 * first.ci_high) == pytest.approx((low, high), abs=2e-3)


def test_in_clusters_the_first_stage_rests_on_so_many() -> None:
    # All right in 10 clusters: each counts as one, 10 of 10 after Wilson, 1 / (1 + z^2 / 10).
    first = paths({"clean": ("1" * 100, ""), "text": ("1" * 100, "")}, clusters=10)["text"].stages[0]
    assert (first.ci_low, first.ci_high) == pytest.approx((1 / (1 + 1.959964**2 / 10) - 1, 0.0), abs=1e-6)


def test_conditions_that_are_scored_otherwise_are_left_out_by_name() -> None:
    given = {"clean": ("11", "10"), "text": ("11", "11"), "noise:5": ("10", "10")}
    found = losses(given, matchers={("noise:5", name): "alias@2" for name in METRICS})
    assert [one.condition for one in found.paths] == ["clean", "text"]
    assert found.left_out == (
        "s on q_noise:5: left out, as its written answers were scored otherwise (alias@2) than those to q_text "
        "(contains@1).",
    )


def test_spoken_answers_that_are_scored_otherwise_than_written_ones_are_left_out() -> None:
    given = {"clean": ("11", "10"), "text": ("11", "11")}
    found = losses(given, matchers={(condition, "text_accuracy"): "alias@2" for condition in given})
    assert [stages(one) for one in found.paths] == [
        [("answering", 0.0, 0, 0), ("transcription", 0.0, 0, 0)],
        [("answering", 0.0, 0, 0)],
    ]
    assert found.paths[0].metric == "text_accuracy"
    assert found.left_out[0] == (
        "s on q_clean: speaking is left out, as spoken answers were scored otherwise (contains@1) than written ones "
        "(alias@2)."
    )


def test_without_questions_in_writing_two_stages_are_one() -> None:
    found = paths({"clean": ("1100", "1000"), "noise:5": ("1000", "0000")})
    assert stages(found["clean"]) == [("transcription and answering", -0.5, 2, 0), ("speaking", -0.25, 1, 0)]
    assert "text" not in found


def test_a_system_that_only_writes_loses_nothing_in_speaking() -> None:
    found = paths({"clean": ("10", ""), "text": ("11", "")})
    assert stages(found["clean"]) == [("answering", 0.0, 0, 0), ("transcription", -0.5, 1, 0)]
    assert found["clean"].metric == "text_accuracy"


def test_answers_without_a_value_in_some_stage_are_in_none_and_counted() -> None:
    found = paths({"clean": ("1111", "10xx"), "text": ("1110", "1111")})
    assert stages(found["clean"]) == [("answering", 0, 0, 0), ("transcription", 0, 0, 0), ("speaking", -0.5, 1, 0)]
    assert (found["clean"].n, found["clean"].left_out, found["text"].left_out) == (2, 2, 0)


def test_a_run_that_was_stopped_compares_what_both_have() -> None:
    found = paths({"clean": ("11", ""), "text": ("1011", "")})
    assert (found["clean"].n, found["clean"].left_out) == (2, 2)
    assert found["text"].n == 4


def test_few_answers_have_no_interval_and_clusters_are_counted() -> None:
    found = paths({"clean": ("1" * 12, ""), "text": ("1" * 12, "")}, clusters=3)
    assert (found["clean"].n, found["clean"].n_units) == (12, 3)
    assert math.isnan(found["clean"].stages[0].ci_low)


def test_one_condition_alone_or_other_scores_make_no_path() -> None:
    assert paths({"clean": ("11", "11")}) == {}
    assert paths({"clean": ("11", "11"), "text": ("11", "11")}, scorers=("spoken_accuracy",)) == {}


@given(st.lists(st.tuples(*[st.sampled_from("01x")] * 4), min_size=1, max_size=30))
def test_differences_add_up_to_what_is_right(rows: list[tuple[str, str, str, str]]) -> None:
    written, spoken, text, text_spoken = ("".join(column) for column in zip(*rows, strict=True))
    for path in paths({"clean": (written, spoken), "text": (text, text_spoken)}).values():
        assert path.right == pytest.approx(1 + sum(one.difference for one in path.stages))
        assert path.n + path.left_out == len(rows)
        for one in path.stages:
            assert one.difference == pytest.approx((one.gained - one.lost) / path.n)
            assert math.isnan(one.ci_low) or one.ci_low <= one.difference <= one.ci_high
