"""From scores to a cell: counts, policies, intervals."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.exchange import Status
from tttbench.core.metric import Aggregation, MetricInfo, Result, Score
from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.aggregate import Cell, Scored, aggregate, cluster_labels
from tttbench.scorers.edit_rates import corpus_edits
from tttbench.stats.bootstrap import mean_interval
from tttbench.stats.corpus import corpus_interval
from tttbench.text.alignment import EditCounts

from .views import Seen, sample

WER = build_scorer(ScoreSpec("wer", "wer"))


def scored(
    sample_id: str, numerator: float, denominator: float = 1.0, *, status: Status = "ok", cluster: str = ""
) -> Scored:
    value = numerator / denominator if denominator else math.nan
    return Scored(sample("x", sample_id=sample_id, cluster=cluster), Score(value, numerator, denominator, status))


def result(
    cells: list[Scored],
    aggregation: Aggregation = "binary",
    *,
    lower: bool = False,
    seed: int = 0,
    n_resamples: int = 2000,
    lowest: float | None = None,
    highest: float | None = None,
) -> Result:
    info = MetricInfo(
        "m", direction="lower" if lower else "higher", aggregation=aggregation, lowest=lowest, highest=highest
    )
    return aggregate(Cell("s", "t", "m", info, Recipe("m@1")), cells, seed=seed, n_resamples=n_resamples)


def test_every_status_is_counted_and_errors_are_wrong() -> None:
    cells = [
        scored("a", 1),
        scored("b", 1),
        scored("c", 0),
        scored("d", 0, status="empty"),
        scored("e", 0, status="unparsed"),
        scored("f", math.nan, status="derivation_failed"),
        scored("g", 0, status="error"),
        scored("h", 1),
    ]
    found = result(cells)
    counts = (found.ok, found.empty, found.unparsed, found.derivation_failed, found.error)
    assert (found.n, counts) == (8, (4, 1, 1, 1, 1))
    # The failed derivation is outside the denominator: 3 of 7; it could have been right or wrong.
    assert (found.value, found.value_best, found.value_worst) == (3 / 7, 6 / 8, 3 / 8)


def test_a_result_is_of_its_cell() -> None:
    info = MetricInfo("m", direction="lower", aggregation="rate")
    cells = [scored(f"a{at}", 1, 4) for at in range(8)]
    cells += [scored("b", 2, 4, status="empty"), scored("c", 4, 4, status="error")]
    cell = Cell("model", "task", "wer", info, Recipe("wer@1"), "utterance")
    found = aggregate(cell, cells, seed=3, n_resamples=100)
    interval = corpus_interval(info, [*[1] * 8, 2, 4], [4] * 10, seed=3, n_resamples=100)
    assert interval.estimate == pytest.approx(14 / 40)
    assert interval.low < interval.estimate < interval.high
    assert found == Result(
        system="model",
        task="task",
        metric="wer",
        value=interval.estimate,
        ci_low=interval.low,
        ci_high=interval.high,
        n=10,
        ok=8,
        empty=1,
        unparsed=0,
        derivation_failed=0,
        error=1,
        recipe=Recipe("wer@1"),
        value_best=10 / 40,
        value_worst=14 / 40,
        n_units=10,
        unit="utterance",
        cluster="",
    )


def test_an_interval_takes_two_thousand_resamples_unless_told() -> None:
    cell = Cell("s", "t", "m", MetricInfo("m", aggregation="value"), Recipe("m@1"))
    cells = [scored(str(i), math.sqrt(i)) for i in range(30)]
    assert aggregate(cell, cells, seed=3) == aggregate(cell, cells, seed=3, n_resamples=2000)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_are_those_of_their_kind(clustered: bool) -> None:
    cells = [scored(str(i), i % 3, 1 + i % 4, cluster=str(i // 4) if clustered else "") for i in range(40)]
    cells.insert(5, scored("failed", math.nan, status="derivation_failed", cluster="lost" if clustered else ""))
    numerators, denominators = [i % 3 for i in range(40)], [1 + i % 4 for i in range(40)]
    clusters = [i // 4 for i in range(40)] if clustered else None
    rate = result(cells, "rate", seed=5, n_resamples=200)
    cells = [replace(one, score=replace(one.score, denominator=1.0)) for one in cells]
    value = result(cells, "value", seed=5, n_resamples=200)
    info = MetricInfo("m", direction="higher", aggregation="rate")
    ratio = corpus_interval(info, numerators, denominators, seed=5, n_resamples=200, clusters=clusters)
    assert (rate.value, rate.ci_low, rate.ci_high) == (ratio.estimate, ratio.low, ratio.high)
    mean = mean_interval(numerators, seed=5, n_resamples=200, clusters=clusters)
    assert (value.value, value.ci_low, value.ci_high) == (mean.estimate, mean.low, mean.high)


def test_samples_share_a_label_where_they_share_a_cluster_or_are_the_same() -> None:
    alone, other = sample("x", sample_id="a"), sample("x", sample_id="b")
    left, right = (sample("x", sample_id=name, cluster="k") for name in ("c", "k"))
    assert cluster_labels([alone, other, left]) is None
    assert cluster_labels([alone, alone]) == [("sample", "a"), ("sample", "a")]
    assert cluster_labels([alone, left, right]) == [("sample", "a"), ("cluster", "k"), ("cluster", "k")]
    # A cluster isn't a sample of the same name.
    assert cluster_labels([left, sample("x", sample_id="k")]) is None


@pytest.mark.parametrize("aggregation", ["rate", "binary", "value"])
def test_where_nothing_is_known_there_is_no_value(aggregation: Aggregation) -> None:
    found = result([scored(name, math.nan, status="derivation_failed") for name in "ab"], aggregation)
    assert all(math.isnan(x) for x in (found.value, found.ci_low, found.ci_high))
    bounds = (found.value_worst, found.value_best)
    assert all(map(math.isnan, bounds)) if aggregation == "value" else bounds == (0.0, 1.0)


def test_what_failed_to_be_derived_is_out_whatever_its_numbers() -> None:
    found = result([scored("a", 0), scored("b", 1), scored("c", 1, status="derivation_failed")])
    assert (found.value, found.derivation_failed) == (0.5, 1)


def test_a_range_that_is_open_at_one_end_is_closed_by_what_was_seen() -> None:
    cells = [scored("a", 3.0), scored("b", 4.0), scored("c", math.nan, status="unparsed")]
    above, below = result(cells, "value", lowest=0), result(cells, "value", highest=6)
    assert (above.value_worst, above.value_best) == pytest.approx((7 / 3, 11 / 3))
    assert (below.value_worst, below.value_best) == pytest.approx((10 / 3, 13 / 3))
    lower = result(cells, "value", lower=True, lowest=0, highest=6)
    assert (lower.value_best, lower.value_worst) == pytest.approx((7 / 3, 13 / 3))


def test_an_unknown_answer_without_units_adds_none() -> None:
    unknown = Scored(sample("x", sample_id="b"), Score(math.nan, math.nan, math.nan, "error"))
    found = result([scored("a", 1, 4), unknown], "rate", lower=True)
    assert (found.value_best, found.value_worst) == (0.25, 0.25)


def test_corpus_wer_counts_an_error_as_all_words_deleted() -> None:
    def cell(sample_id: str, reference: str, answer: Seen) -> Scored:
        one = sample(reference, sample_id=sample_id)
        score = WER.score(one, answer)
        assert score is not None
        return Scored(one, score)

    cells = [
        cell("a", "the big red dog barks", Seen("the big red dog parks loudly")),  # 2 edits of 5
        cell("b", "no way", Seen("no way")),  # 0 of 2
        cell("c", "come back here", Seen("", status="error")),  # 3 of 3
    ]
    found = result(cells, "rate", lower=True)
    assert (found.value, found.value_best, found.value_worst) == (0.5, 0.2, 0.5)
    assert (found.ok, found.error) == (2, 1)
    assert corpus_edits([c.score for c in cells]) == EditCounts(hits=6, substitutions=1, deletions=3, insertions=1)


def test_an_empty_answer_is_wrong_under_every_policy() -> None:
    found = result([scored("a", 1), scored("b", 0, status="empty")])
    assert (found.value_best, found.value_worst) == (0.5, 0.5)


def test_interval_depends_on_the_seed_and_not_on_the_order() -> None:
    cells = [scored(str(i), i % 3, 5 + i % 7) for i in range(40)]
    shuffled = random.Random(1).sample(cells, k=len(cells))
    first = result(cells, "rate", lower=True, seed=7)
    assert result(shuffled, "rate", lower=True, seed=7) == first
    other = result(cells, "rate", lower=True, seed=8)
    assert (other.ci_low, other.ci_high) != (first.ci_low, first.ci_high)


def test_shared_clusters_widen_the_interval() -> None:
    # 40 clusters of 5 equal verdicts hold the information of 40 samples, not of 200.
    def width(cluster: bool) -> float:
        cells = [scored(str(i), (i // 5) % 2, cluster=str(i // 5) if cluster else "") for i in range(200)]
        found = result(cells)
        return found.ci_high - found.ci_low

    assert width(cluster=True) == pytest.approx(width(cluster=False) * math.sqrt(5), rel=0.15)


def test_all_right_still_has_an_interval() -> None:
    # Wilson, 10 of 10: 10 / (10 + 1.95996^2) = 0.72246
    found = result([scored(str(i), 1) for i in range(10)])
    assert (found.value, found.ci_high) == (1.0, 1.0)
    assert found.ci_low == pytest.approx(0.72246, abs=1e-5)


def test_only_empty_references_give_nan_and_no_crash() -> None:
    found = result([scored("a", 2, 0), scored("b", 0, 0)], "rate", lower=True)
    assert all(math.isnan(x) for x in (found.value, found.ci_low, found.ci_high, found.value_best))


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("kind", ["rate", "binary", "value"])
def test_few_samples_have_no_interval(kind: Aggregation, n: int) -> None:
    found = result([scored(str(i), 1) for i in range(n)], kind, lower=True)
    assert (found.value, found.n_units) == (1.0, n)
    assert math.isnan(found.ci_low)
    assert math.isnan(found.ci_high)


def test_a_result_says_what_it_counted() -> None:
    def counted(cells: list[Scored], cluster: str = "speaker") -> tuple[int, str, str]:
        cell = Cell("s", "t", "m", MetricInfo("m"), Recipe("m@1"), "utterance", cluster)
        found = aggregate(cell, cells, seed=0, n_resamples=10)
        return found.n_units, found.unit, found.cluster

    alone = [scored(str(i), i) for i in range(20)]
    assert counted(alone) == (20, "utterance", "")
    assert counted([scored(str(i), i, cluster=str(i % 4)) for i in range(20)]) == (4, "utterance", "speaker")
    assert counted([*alone, *alone]) == (20, "answer", "utterance")
    of_speakers = [scored(str(i % 10), i, cluster=str(i % 5)) for i in range(20)]
    assert counted(of_speakers) == (5, "answer", "speaker")
    # One whose derivation failed has no part in the interval.
    assert counted([*alone, scored("x", math.nan, status="derivation_failed")]) == (20, "utterance", "")


def test_values_that_are_nan_are_counted_but_not_averaged() -> None:
    cells = [
        scored("a", 3.0),
        scored("b", 5.0),
        scored("c", math.nan, status="error"),
    ]
    found = result(cells, "value")
    assert (found.n, found.error, found.value) == (3, 1, 4.0)
    assert (found.value_best, found.value_worst) == pytest.approx((13 / 3, 11 / 3))


def test_values_have_a_mean_and_no_proportions_interval_even_if_all_are_0_or_1() -> None:
    ones = [scored(str(i), 1.0) for i in range(10)]
    assert math.isnan(result(ones, "value").ci_low)
    # Ten equal ones leave 1 - 0.72246 of the way to the end of the range.
    assert result(ones, "value", lowest=-1, highest=3).ci_high == pytest.approx(1 + 2 * (1 - 0.72246), abs=1e-4)
    assert result(ones).ci_low == pytest.approx(0.72246, abs=1e-5)


def test_the_range_of_a_metric_bounds_what_unknown_answers_could_have_been() -> None:
    cells = [scored("a", 3.0), scored("b", math.nan, status="error")]
    found = result(cells, "value", lowest=1, highest=5)
    assert (found.value_worst, found.value_best) == (2.0, 4.0)


def test_several_answers_to_a_sample_are_one_cluster() -> None:
    once = result([scored(str(i), i % 2) for i in range(40)])
    often = result([scored(str(i % 40), (i % 40) % 2) for i in range(400)])
    assert often.ci_high - often.ci_low == pytest.approx(once.ci_high - once.ci_low, rel=0.1)


def test_no_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^aggregate\(\) needs scores; s has none for m on t\.$"):
        result([])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=20))
def test_corpus_rate_is_the_weighted_mean_of_sample_rates(pairs: list[tuple[int, int]]) -> None:
    cells = [scored(str(i), n, d) for i, (n, d) in enumerate(pairs)]
    found = result(cells, "rate", lower=True, n_resamples=10)
    weighted = np.average([c.score.value for c in cells], weights=[c.score.denominator for c in cells])
    assert found.value == pytest.approx(float(weighted))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["ok", "empty", "error"])), min_size=1, max_size=20))
def test_value_lies_between_worst_and_best(verdicts: list[tuple[bool, Status]]) -> None:
    cells = [scored(str(i), float(v and s == "ok"), status=s) for i, (v, s) in enumerate(verdicts)]
    found = result(cells, n_resamples=10)
    assert found.value_worst == found.value <= found.value_best
