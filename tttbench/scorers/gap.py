"""How much is lost between what a system writes and what is heard of it: text minus spoken accuracy, same samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tttbench.core.records import Result, Score
from tttbench.scorers.aggregate import FAILED, Scored, cluster_labels, result_of, shared_recipe
from tttbench.scorers.status import worst_status
from tttbench.stats.bootstrap import mean_interval

METRIC = "spoken_gap"


def spoken_gap(
    system: str,
    task: str,
    text: Sequence[Scored],
    spoken: Sequence[Scored],
    *,
    seed: int,
    n_resamples: int = 2000,
) -> Result:
    """Return mean(text - spoken) with a paired bootstrap interval: both verdicts on a sample are drawn together.

    Args:
        system, task: names for the result.
        text, spoken: ``text_accuracy`` and ``spoken_accuracy`` of the same samples, each in any order.
        seed, n_resamples: of the bootstrap.

    Returns:
        The cell. A sample is counted under the worse of its two statuses. ``value_best`` and ``value_worst`` are the
        smallest and the largest gap there could be, were the failed verdicts known.

    Raises:
        ValueError: no scores, or not the same samples in both.
    """
    spoken_by_id = {item.sample.id: item.score for item in spoken}
    if not text or len(text) != len(spoken) or {item.sample.id for item in text} != set(spoken_by_id):
        raise ValueError(f"spoken_gap() needs both verdicts on every sample, not {len(text)} and {len(spoken)} scores.")
    pairs = [(item.score, spoken_by_id[item.sample.id]) for item in text]
    differences = np.array([written.value - heard.value for written, heard in pairs])
    interval = mean_interval(
        differences, seed=seed, n_resamples=n_resamples, clusters=cluster_labels([item.sample for item in text])
    )
    bounds = [(_bounds(written), _bounds(heard)) for written, heard in pairs]
    return result_of(
        system,
        task,
        METRIC,
        interval,
        [worst_status((written.status, heard.status)) for written, heard in pairs],
        f"{shared_recipe([written for written, _ in pairs])} minus {shared_recipe([heard for _, heard in pairs])}",
        best=float(np.mean([written[0] - heard[1] for written, heard in bounds])),
        worst=float(np.mean([written[1] - heard[0] for written, heard in bounds])),
        lower_is_better=True,
    )


def _bounds(score: Score) -> tuple[float, float]:
    """Return the smallest and the largest value the verdict could have had."""
    return (0.0, 1.0) if score.status in FAILED else (score.value, score.value)
