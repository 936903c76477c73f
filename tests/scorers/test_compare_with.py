"""Systems against one that was chosen beforehand: differences by hand, corrected for these pairs alone."""

from __future__ import annotations

import pytest

from tttbench.core.metric import MetricInfo, Score, plain_score
from tttbench.scorers.comparison import Table, compare_with

RIGHT = MetricInfo("Right", unit="%", scale=100, aggregation="binary")
TABLE = Table("qa", "right", RIGHT, seed=1, n_resamples=500)


def verdicts(text: str) -> dict[str, Score]:
    return {str(at): plain_score(float(one)) for at, one in enumerate(text)}


def test_differences_are_to_the_base_whichever_is_best() -> None:
    systems = {
        "base": verdicts("11110000000000000000"),
        "without a": verdicts("11111111111111110000"),
        "without b": verdicts("11110000000000000000"),
    }
    better, same = compare_with(TABLE, "base", systems, str)
    assert (better.system, better.best, same.system, same.best) == ("without a", "base", "without b", "base")
    # 16 of 20 against 4 of 20, twelve discordant answers all on one side: p = 2 / 2^12, twice that for two pairs.
    assert better.difference == pytest.approx(0.6)
    assert better.ci_low < 0.6 < better.ci_high
    assert better.p_adjusted == pytest.approx(min(1, 2 * better.p_value))
    assert better.standing == "better"
    assert (same.difference, same.standing) == (0, "no difference found")


def test_without_a_common_answer_nothing_is_compared() -> None:
    (one,) = compare_with(TABLE, "base", {"base": {"a": plain_score(1)}, "x": {"b": plain_score(1)}}, str)
    assert one.standing == "not compared"
    assert one.note == "no answer has a value in both it and base"
