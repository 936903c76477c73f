"""Student's quantiles against scipy."""

import pytest
import scipy.stats

from tttbench.stats.student import student_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 1_000])
@pytest.mark.parametrize("probability", [0.05, 0.5, 0.9, 0.975, 0.995])
def test_agrees_with_scipy(degrees: int, probability: float) -> None:
    relative = 0.01 if degrees == 3 and probability == 0.995 else 0.003
    expected = scipy.stats.t.ppf(probability, degrees)
    assert student_quantile(probability, degrees) == pytest.approx(expected, rel=relative, abs=1e-12)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 3), (1.0, 3), (0.975, 0)])
def test_what_makes_no_sense_is_refused(probability: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        student_quantile(probability, degrees)
