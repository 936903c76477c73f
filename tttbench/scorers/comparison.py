"""The systems of a table against the best of them: paired on the same answers, corrected for how many there are.

The best is chosen after looking at all values, so every pair could have been the one that is tested. Holm's correction
is therefore over all pairs of a table's systems: whatever is called worse, the chance that any of it isn't is 5 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tttbench.core.metric import Comparison, MetricInfo, Standing
from tttbench.scorers.paired import Key, Paired, Parts, is_known, paired
from tttbench.stats.holm import holm

ALPHA = 0.05
"""Chance that anything in a column is called worse or better and isn't."""

MOST_FAILED = 0.01
"""Above this share of failed derivations no table marks a best."""


@dataclass(frozen=True)
class Table:
    """Which column of which table: a metric on a task, and how its intervals are drawn."""

    task: str
    metric: str
    info: MetricInfo
    seed: int
    n_resamples: int = 2000


def compare(
    table: Table, systems: Mapping[str, Mapping[Key, Parts]], unit_of: Callable[[Key], str]
) -> tuple[Comparison, ...]:
    """Set every system against the one with the best value.

    Args:
        table: what is compared.
        systems: scores by answer, of each system by its label, in table order; of equal values the first is the best.
        unit_of: as in ``paired``.

    Returns:
        One a system, in their order; none where there are fewer than two, and for a metric of which neither way is
        better. A system without any value, or of which every request failed, isn't compared.
    """
    if len(systems) < 2 or table.info.direction == "none":
        return ()
    values = {label: _value(scores) for label, scores in systems.items()}
    usable = {label: value for label, value in values.items() if value is not None}
    sign = 1.0 if table.info.lower_is_better else -1.0
    best = min(usable, key=lambda label: sign * usable[label], default="")
    found = {
        label: paired(
            table.info, systems[best], systems[label], unit_of, seed=table.seed, n_resamples=table.n_resamples
        )
        for label in usable
        if label != best
    }
    tested = [one for one in found.values() if one is not None]
    n_pairs = len(usable) * (len(usable) - 1) // 2
    adjusted = iter(holm([one.p_value for one in tested], among=n_pairs))
    rows = []
    for label, scores in systems.items():
        blank = not_compared(label, table.task, table.metric, best)
        one = found.get(label)
        if label not in usable:
            rows.append(replace(blank, note=_why_not(scores)))
        elif label == best:
            rows.append(blank)
        elif one is None:
            rows.append(replace(blank, note=f"no answer has a value in both this system and {best}"))
        else:
            rows.append(_set_against(blank, one, next(adjusted), n_pairs, table.info, systems))
    failed = any(_share_failed(systems[label]) > MOST_FAILED for label in usable)
    others = [row for row in rows if row.system in usable and row.system != best]
    sure = bool(others) and not failed and all(row.standing == "worse" for row in others)
    note = "no best is marked: more than 1 % of the transcripts or judgments failed" if failed else ""
    standing: Standing = "best" if sure else "not settled" if others else "not compared"
    return tuple(replace(row, standing=standing, note=note) if row.system == best else row for row in rows)


def compare_with(
    table: Table, base: str, systems: Mapping[str, Mapping[Key, Parts]], unit_of: Callable[[Key], str]
) -> tuple[Comparison, ...]:
    """Set every system against ``base``, which was chosen beforehand; Holm's correction is over these pairs alone.

    Args:
        table, systems, unit_of: as in ``compare``; ``base`` is among the systems.
        base: label of the system that the others are compared with.

    Returns:
        One of every other system, in their order, with ``base`` as its ``best``.
    """
    others = {label: scores for label, scores in systems.items() if label != base}
    found = {
        label: paired(table.info, systems[base], scores, unit_of, seed=table.seed, n_resamples=table.n_resamples)
        for label, scores in others.items()
    }
    tested = [one for one in found.values() if one is not None]
    adjusted = iter(holm([one.p_value for one in tested]))
    rows = []
    for label, one in found.items():
        blank = not_compared(label, table.task, table.metric, base, f"no answer has a value in both it and {base}")
        rows.append(
            blank if one is None else _set_against(blank, one, next(adjusted), len(tested), table.info, systems)
        )
    return tuple(rows)


def _value(scores: Mapping[Key, Parts]) -> float | None:
    """The corpus value; None without any, or where no request was answered."""
    known = [score for score in scores.values() if is_known(score)]
    total = sum(score.denominator for score in known)
    if not total or all(score.status == "error" for score in scores.values()):
        return None
    return sum(score.numerator for score in known) / total


def _why_not(scores: Mapping[Key, Parts]) -> str:
    failed = all(score.status == "error" for score in scores.values())
    return "every request failed" if failed else "no answer has a value"


def _share_failed(scores: Mapping[Key, Parts]) -> float:
    return sum(score.status == "derivation_failed" for score in scores.values()) / max(1, len(scores))


def not_compared(system: str, task: str, metric: str, best: str, why: str = "") -> Comparison:
    """A system that isn't set against ``best``, and why."""
    nan = float("nan")
    return Comparison(system, task, metric, best, nan, nan, nan, 0, 0, nan, nan, "not compared", why)


def _set_against(
    blank: Comparison,
    one: Paired,
    p_adjusted: float,
    n_pairs: int,
    info: MetricInfo,
    systems: Mapping[str, Mapping[Key, Parts]],
) -> Comparison:
    return replace(
        blank,
        difference=one.difference.estimate,
        ci_low=one.difference.low,
        ci_high=one.difference.high,
        n=one.n,
        n_units=one.n_units,
        p_value=one.p_value,
        p_adjusted=p_adjusted,
        standing=_standing(one, p_adjusted, n_pairs, info),
        note=_shared(one, [systems[blank.best], systems[blank.system]]),
    )


def _standing(one: Paired, p_adjusted: float, n_pairs: int, info: MetricInfo) -> Standing:
    if p_adjusted <= ALPHA and one.difference.estimate:
        return "worse" if info.is_worse(one.difference.estimate) else "better"
    # All units on one side have a p-value of 2 / 2^n: the smallest that the test can give.
    if n_pairs * 2.0 ** (1 - one.n_units) > ALPHA:
        return "cannot tell"
    return "no difference found"


def _shared(one: Paired, both: Sequence[Mapping[Key, Parts]]) -> str:
    """On how many of the answers it rests, where that isn't all of them."""
    n = max(sum(is_known(score) for score in scores.values()) for scores in both)
    return "" if one.n == n else f"on the {one.n:,} of {n:,} answers that have a value in both"
