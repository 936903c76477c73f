"""Bounds from studentised replicates: how far estimates of resamples lie from the data's, in their standard errors.

Efron & Tibshirani 1993, chapter 12; Hall 1988, "Theoretical comparison of bootstrap confidence intervals". Knows
replicates with their standard errors; no data, and no statistic in particular.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tttbench.stats.student import student_quantile

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """A monotone transformation on which an estimate's spread hardly depends on its value.

    There a resample's standard error says little that isn't true of the data, and bounds taken back stay where the
    estimate can be (Tibshirani 1988, "Variance stabilization and the bootstrap").

    Attributes:
        to, back: from values and to values, arrays of any shape.
        slope: the derivative of ``to``.
    """

    to: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]


def _half_over_root(values: Floats) -> Floats:
    """1 / (2 sqrt(value)), infinite at 0."""
    return np.divide(0.5, np.sqrt(values), out=np.full_like(values, np.inf), where=values > 0)


ROOT = Scale(np.sqrt, lambda x: np.maximum(x, 0.0) ** 2, _half_over_root)
"""For ratios that may exceed 1, as error rates with insertions do."""

ANGLE = Scale(
    lambda values: np.arcsin(np.sqrt(np.clip(values, 0.0, 1.0))),
    lambda x: np.sin(np.clip(x, 0.0, np.pi / 2)) ** 2,
    lambda values: _half_over_root(np.clip(values * (1.0 - values), 0.0, None)),
)
"""For shares, from 0 to 1."""


def equal_tailed(
    estimate: float, error: float, replicates: Floats, errors: Floats, *, level: float, scale: Scale
) -> tuple[float, float]:
    """Return bounds that leave the same probability outside on either side.

    Args:
        estimate, error: of the data, with its standard error above 0.
        replicates, errors: of the resamples, shape (B,); replicates that are nan are left out.
        level: confidence level in (0, 1).
        scale: on which they are compared.
    """
    centre, unit = scale.to(np.array([estimate]))[0], error * scale.slope(np.array([estimate]))[0]
    defined = ~np.isnan(replicates)
    values = replicates[defined]
    with np.errstate(invalid="ignore"):  # 0 times infinity, at the ends of the scale
        scaled_errors = errors[defined] * scale.slope(values)
    t = _studentised(scale.to(values) - centre, scaled_errors, unit)
    low, high = (_quantile(t, probability) for probability in ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
    # A large t is of a resample with too small a spread, so it speaks about the lower bound.
    bounds = scale.back(np.array([centre - high * unit, centre - low * unit]))
    return float(bounds[0]), float(bounds[1])


def symmetric(
    estimate: float, error: float, replicates: Floats, errors: Floats, *, level: float
) -> tuple[float, float]:
    """Return bounds as far below the estimate as above it; arguments as in ``equal_tailed``.

    For differences, which are nearly symmetric: what ``equal_tailed`` learns about skewness there is mostly noise, and
    symmetric bounds cover to a higher order (Hall 1988, "On symmetric bootstrap confidence intervals").
    """
    defined = ~np.isnan(replicates)
    t = _studentised(replicates[defined] - estimate, errors[defined], error)
    half = _quantile(np.abs(t), level) * error
    return estimate - half, estimate + half


def student_bounds(
    estimate: float, error: float, *, degrees: int, level: float, scale: Scale | None = None
) -> tuple[float, float]:
    """Return bounds by Student's t, on a scale if one is given."""
    t = student_quantile((1.0 + level) / 2.0, degrees)
    if scale is None:
        return estimate - t * error, estimate + t * error
    centre, unit = scale.to(np.array([estimate]))[0], error * scale.slope(np.array([estimate]))[0]
    bounds = scale.back(np.array([centre - t * unit, centre + t * unit]))
    return float(bounds[0]), float(bounds[1])


def _studentised(distances: Floats, errors: Floats, error: float) -> Floats:
    """Distances in standard errors. A resample of equal rows has none of its own and takes the data's."""
    usable = np.isfinite(errors) & (errors > 1e-6 * error)
    return np.asarray(distances / np.where(usable, errors, error))


def _quantile(values: Floats, probability: float) -> float:
    """The (B + 1) p-th value, below which another one would lie with probability p; most definitions are further in."""
    return float(np.quantile(values, probability, method="weibull"))
