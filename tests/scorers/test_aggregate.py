"""From scores to a cell: counts, policies, intervals."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.records import Sample, Score, ScoreKind, Status
from tttbench.core.scorer import Answer
from tttbench.scorers.aggregate import Scored, aggregate, corpus_edits
from tttbench.scorers.wer import WER
from tttbench.text.alignment import EditCounts


def scored(
    id: str,
    numerator: float,
    denominator: float = 1.0,
    *,
    status: Status = "ok",
    kind: ScoreKind = "binary",
    cluster: str = "",
    recipe: str = "r",
) -> Scored:
    value = numerator / denominator if denominator else math.nan
    sample = Sample(id=id, kind="qa", audio=None, reference="x", cluster=cluster)
    return Scored(sample, Score("m", value, kind, numerator, denominator, status, recipe))


def test_every_status_is_counted_and_errors_are_wrong() -> None:
    cells = [
        scored("a", 1),
        scored("b", 1),
        scored("c", 0),
        scored("d", 0, status="empty"),
        scored("e", 0, status="unparsed"),
        scored("f", 0, status="judge_failed"),
        scored("g", 0, status="error"),
        scored("h", 1),
    ]
    result = aggregate("s", "t", cells, seed=0, lower_is_better=False)
    assert (result.n, result.ok, result.empty, result.unparsed, result.judge_failed, result.error) == (8, 4, 1, 1, 1, 1)
    assert (result.value, result.value_best, result.value_worst) == (3 / 8, 6 / 8, 3 / 8)


def test_corpus_wer_counts_an_error_as_all_words_deleted() -> None:
    def cell(id: str, reference: str, answer: Answer) -> Scored:
        sample = Sample(id=id, kind="asr", audio=None, reference=reference)
        return Scored(sample, WER.score(sample, answer))

    cells = [
        cell("a", "the big red dog barks", Answer("the big red dog parks loudly")),  # 2 edits of 5
        cell("b", "no way", Answer("no way")),  # 0 of 2
        cell("c", "come back here", Answer("", status="error")),  # 3 of 3
    ]
    result = aggregate("s", "t", cells, seed=0, lower_is_better=True)
    assert (result.value, result.value_best, result.value_worst) == (0.5, 0.2, 0.5)
    assert (result.ok, result.error) == (2, 1)
    assert corpus_edits([c.score for c in cells]) == EditCounts(hits=6, substitutions=1, deletions=3, insertions=1)


def test_an_empty_answer_is_wrong_under_every_policy() -> None:
    result = aggregate("s", "t", [scored("a", 1), scored("b", 0, status="empty")], seed=0, lower_is_better=False)
    assert (result.value_best, result.value_worst) == (0.5, 0.5)


def test_interval_depends_on_the_seed_and_not_on_the_order() -> None:
    cells = [scored(str(i), i % 3, 5 + i % 7, kind="rate") for i in range(40)]
    shuffled = random.Random(1).sample(cells, k=len(cells))
    first = aggregate("s", "t", cells, seed=7, lower_is_better=True)
    assert aggregate("s", "t", shuffled, seed=7, lower_is_better=True) == first
    other = aggregate("s", "t", cells, seed=8, lower_is_better=True)
    assert (other.ci_low, other.ci_high) != (first.ci_low, first.ci_high)


def test_shared_clusters_widen_the_interval() -> None:
    # 40 clusters of 5 equal verdicts hold the information of 40 samples, not of 200.
    def width(cluster: bool) -> float:
        cells = [scored(str(i), (i // 5) % 2, cluster=str(i // 5) if cluster else "") for i in range(200)]
        result = aggregate("s", "t", cells, seed=0, lower_is_better=False)
        return result.ci_high - result.ci_low

    assert width(cluster=True) == pytest.approx(width(cluster=False) * math.sqrt(5), rel=0.15)


def test_all_right_still_has_an_interval() -> None:
    # Wilson, 10 of 10: 10 / (10 + 1.95996^2) = 0.72246
    result = aggregate("s", "t", [scored(str(i), 1) for i in range(10)], seed=0, lower_is_better=False)
    assert (result.value, result.ci_high) == (1.0, 1.0)
    assert result.ci_low == pytest.approx(0.72246, abs=1e-5)


def test_only_empty_references_give_nan_and_no_crash() -> None:
    result = aggregate(
        "s", "t", [scored("a", 2, 0, kind="rate"), scored("b", 0, 0, kind="rate")], seed=0, lower_is_better=True
    )
    assert all(math.isnan(x) for x in (result.value, result.ci_low, result.ci_high, result.value_best))


def test_one_sample_has_no_bootstrap_interval() -> None:
    result = aggregate("s", "t", [scored("a", 1, 4, kind="rate")], seed=0, lower_is_better=True)
    assert result.value == 0.25
    assert math.isnan(result.ci_low)


def test_values_that_are_nan_are_counted_but_not_averaged() -> None:
    cells = [
        scored("a", 3.0, kind="value"),
        scored("b", 5.0, kind="value"),
        scored("c", math.nan, kind="value", status="error"),
    ]
    result = aggregate("s", "t", cells, seed=0, lower_is_better=False)
    assert (result.n, result.error, result.value) == (3, 1, 4.0)
    assert (result.value_best, result.value_worst) == (pytest.approx(13 / 3), pytest.approx(11 / 3))


def test_recipe_is_that_of_the_answers_that_were_judged() -> None:
    cells = [scored("a", 1, recipe="judge: w"), scored("b", 0, status="error", recipe="judge: unknown")]
    assert aggregate("s", "t", cells, seed=0, lower_is_better=False).recipe == "judge: w"


def test_mixed_recipes_are_shown() -> None:
    cells = [scored("a", 1, recipe="v2"), scored("b", 1, recipe="v1")]
    assert aggregate("s", "t", cells, seed=0, lower_is_better=False).recipe == "v1 | v2"


def test_no_scores_and_mixed_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match="exactly one metric"):
        aggregate("s", "t", [], seed=0, lower_is_better=True)
    with pytest.raises(ValueError, match="exactly one metric"):
        aggregate("s", "t", [scored("a", 1), scored("b", 1, kind="rate")], seed=0, lower_is_better=True)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=20))
def test_corpus_rate_is_the_weighted_mean_of_sample_rates(pairs: list[tuple[int, int]]) -> None:
    cells = [scored(str(i), n, d, kind="rate") for i, (n, d) in enumerate(pairs)]
    result = aggregate("s", "t", cells, seed=0, n_resamples=10, lower_is_better=True)
    weighted = np.average([c.score.value for c in cells], weights=[c.score.denominator for c in cells])
    assert result.value == pytest.approx(float(weighted))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["ok", "empty", "error"])), min_size=1, max_size=20))
def test_value_lies_between_worst_and_best(verdicts: list[tuple[bool, Status]]) -> None:
    cells = [scored(str(i), float(v and s == "ok"), status=s) for i, (v, s) in enumerate(verdicts)]
    result = aggregate("s", "t", cells, seed=0, n_resamples=10, lower_is_better=False)
    assert result.value_worst == result.value <= result.value_best
