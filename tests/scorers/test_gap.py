"""The gap between written and heard answers."""

import pytest

from tttbench.core.records import Sample, Score, Status
from tttbench.scorers.aggregate import Scored, aggregate
from tttbench.scorers.gap import spoken_gap


def verdict(id: str, metric: str, value: float, status: Status = "ok") -> Scored:
    sample = Sample(id=id, kind="qa", audio=None, reference="x")
    return Scored(sample, Score(metric, value, "binary", value, 1.0, status, f"{metric}-1"))


def pairs(verdicts: list[tuple[float, float]]) -> tuple[list[Scored], list[Scored]]:
    text = [verdict(str(i), "text_accuracy", t) for i, (t, _) in enumerate(verdicts)]
    spoken = [verdict(str(i), "spoken_accuracy", s) for i, (_, s) in enumerate(verdicts)]
    return text, spoken


def test_gap_is_the_difference_of_the_two_accuracies() -> None:
    text, spoken = pairs([(1, 1), (1, 0), (1, 0), (0, 1), (0, 0)])
    result = spoken_gap("s", "t", text, spoken[::-1], seed=0)
    assert result.value == pytest.approx(0.6 - 0.4)
    assert (result.metric, result.lower_is_better, result.n, result.ok) == ("spoken_gap", True, 5, 5)
    assert result.recipe == "text_accuracy-1 minus spoken_accuracy-1"


def test_pairing_narrows_the_interval() -> None:
    # Verdicts that go together: the gap's interval is far narrower than either accuracy's.
    text, spoken = pairs([(i % 2, i % 2 if i % 20 else 0.0) for i in range(200)])
    gap = spoken_gap("s", "t", text, spoken, seed=0)
    accuracy = aggregate("s", "t", text, seed=0, lower_is_better=False)
    assert gap.ci_high - gap.ci_low < 0.1 < accuracy.ci_high - accuracy.ci_low


def test_a_sample_counts_under_the_worse_status_and_bounds_the_gap() -> None:
    text = [
        verdict("a", "text_accuracy", 1),
        verdict("b", "text_accuracy", 1),
        verdict("c", "text_accuracy", 0, "error"),
    ]
    spoken = [
        verdict("a", "spoken_accuracy", 0, "judge_failed"),
        verdict("b", "spoken_accuracy", 0, "empty"),
        verdict("c", "spoken_accuracy", 0, "error"),
    ]
    result = spoken_gap("s", "t", text, spoken, seed=0)
    assert (result.ok, result.empty, result.judge_failed, result.error) == (0, 1, 1, 1)
    assert result.value == pytest.approx(2 / 3)
    assert result.value_best == pytest.approx((0 + 1 - 1) / 3)
    assert result.value_worst == pytest.approx((1 + 1 + 1) / 3)


def test_samples_must_be_the_same() -> None:
    text, spoken = pairs([(1, 1), (0, 0)])
    with pytest.raises(ValueError, match="both verdicts on every sample"):
        spoken_gap("s", "t", text, spoken[:1], seed=0)
