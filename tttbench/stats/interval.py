"""The value every interval of this package is returned as. Knows no method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        estimate: the statistic on the data as they are; nan where it is not defined.
        low, high: bounds of the interval; nan where the data cannot support one.
        level: confidence level in (0, 1).
    """

    estimate: float
    low: float
    high: float
    level: float = 0.95
