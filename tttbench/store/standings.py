"""How the systems of a run stand to the best of each table: scores gathered answer by answer, then compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tttbench.core.exchange import Status
from tttbench.core.metric import Ablated, Comparison, MetricInfo, Result, Score
from tttbench.core.sample import Sample
from tttbench.scorers.comparison import Table, compare, compare_with
from tttbench.store.manifest import AblationEntry
from tttbench.store.rows import AnswerKey


@dataclass(frozen=True, slots=True)
class Counted:
    """What is kept of a score for comparing."""

    numerator: float
    denominator: float
    status: Status


class Standings:
    """The scores of a run, by table."""

    def __init__(self) -> None:
        """Begin without any."""
        self._tables: dict[tuple[str, str], dict[str, dict[tuple[str, int], Counted]]] = {}
        self._units: dict[tuple[str, str], str] = {}

    def add(self, key: AnswerKey, sample: Sample, scores: Mapping[str, Score]) -> None:
        """Take the scores of an answer; tables and systems keep the order in which they come first."""
        # A cluster isn't a sample of the same name.
        self._units[key.task, sample.id] = f"cluster {sample.cluster}" if sample.cluster else f"sample {sample.id}"
        for metric, score in scores.items():
            of_system = self._tables.setdefault((key.task, metric), {}).setdefault(key.system, {})
            of_system[key.sample, key.repeat] = Counted(score.numerator, score.denominator, score.status)

    def compared(self, metrics: Mapping[str, MetricInfo], *, seed: int, n_resamples: int) -> tuple[Comparison, ...]:
        """Compare the systems of every table whose metric is known.

        Args:
            metrics: by score id.
            seed, n_resamples: of the run's intervals.
        """
        found: list[Comparison] = []
        for (task, metric), systems in self._tables.items():
            if metric in metrics:
                table = Table(task, metric, metrics[metric], seed, n_resamples)
                found += compare(table, systems, partial(self.unit, task))
        return tuple(found)

    def ablated(
        self, ablations: Sequence[AblationEntry], metrics: Mapping[str, MetricInfo], *, seed: int, n_resamples: int
    ) -> tuple[Ablated, ...]:
        """Compare each system that something is switched off in with the one that it is made of.

        Args:
            ablations: of the suite.
            metrics: by score id; those of which neither way is better are left out.
            seed, n_resamples: of the run's intervals.
        """
        found: list[Ablated] = []
        for base in dict.fromkeys(one.base for one in ablations):
            switches = {one.system: one.switch for one in ablations if one.base == base}
            for (task, metric), systems in self._tables.items():
                own = {label: systems[label] for label in (base, *switches) if label in systems}
                if base in own and metric in metrics and metrics[metric].direction != "none":
                    table = Table(task, metric, metrics[metric], seed, n_resamples)
                    compared = compare_with(table, base, own, partial(self.unit, task))
                    found += [Ablated(switches[one.system], one) for one in compared]
        return tuple(found)

    def scores(self, result: Result) -> Mapping[tuple[str, int], Counted]:
        """The scores behind a result, by sample and repeat; none if it has none."""
        return self.of(result.system, result.task, result.metric)

    def of(self, system: str, task: str, metric: str) -> Mapping[tuple[str, int], Counted]:
        """The scores of a system's answers, by sample and repeat; none if it has none."""
        return self._tables.get((task, metric), {}).get(system, {})

    def unit(self, task: str, answer: tuple[str, int]) -> str:
        """What is drawn and swapped with an answer to a sample (id and repeat) of a task."""
        return self._units[task, answer[0]]
