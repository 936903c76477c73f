"""The value every interval of this package is returned as. Knows no method."""

from __future__ import annotations

from dataclasses import dataclass, replace


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

    def within(self, lowest: float, highest: float) -> Interval:
        """Cut the bounds at the ends of what there can be; nothing true is left out by that. nan stays nan."""
        return replace(self, low=_cut(self.low, lowest, highest), high=_cut(self.high, lowest, highest))


def _cut(bound: float, lowest: float, highest: float) -> float:
    # min and max give their first argument back where the other one is nan.
    return min(max(bound, lowest), highest)
