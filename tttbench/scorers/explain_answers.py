"""Answers to questions under every way of matching them: ours in both versions, and those of other evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tttbench.core.metric import UNKNOWN, MetricInfo, Score
from tttbench.scorers.answers import matched
from tttbench.scorers.explained import Answered, Column, Explanation, Way, rows_of
from tttbench.scorers.matchers import BY_DEFAULT, MATCHERS, PUBLISHED, Matcher, Matching

WAYS: Mapping[str, Matcher] = {**PUBLISHED, **dict(reversed(list(MATCHERS.items())))}
"""Ways of matching, by name: the strictest first, the default last."""

_TITLES = {name: f"ours{'' if one is BY_DEFAULT else ', formerly'} ({name})" for name, one in MATCHERS.items()}


def explain_matches(task: str, info: MetricInfo, columns: Sequence[Column], *, n_examples: int) -> Explanation:
    """Explain the share of right answers.

    Args:
        task: name of the task.
        info: of the score, written or spoken.
        columns: the answers, by system; of spoken ones the transcripts.
        n_examples: the most samples that are shown a cell.
    """
    ways = [
        Way(
            _TITLES.get(name, name),
            info,
            tuple(tuple(_score(Matching(matcher), one) for one in column.answers) for column in columns),
        )
        for name, matcher in WAYS.items()
    ]
    return Explanation(
        task=task,
        what=f"{info.title} in {info.unit}",
        columns=tuple(column.label for column in columns),
        n_samples=len({one.id for column in columns for one in column.answers}),
        presets=rows_of(ways, columns, n_examples, to_first=True),
    )


def _score(matching: Matching, one: Answered) -> Score:
    if one.status == "derivation_failed":
        return UNKNOWN
    return matched(matching, one.references, one.text or "", one.status)
