"""Where right answers are lost, from the scores of a run whose tasks ask the same questions in several ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tttbench.core.losses import Loss, LossPath, Stage
from tttbench.core.metric import MetricInfo
from tttbench.scorers.paired import is_known
from tttbench.stats.corpus import corpus_difference
from tttbench.store.manifest import Manifest, TaskEntry
from tttbench.store.standings import Counted, Standings

WRITTEN, SPOKEN = "text_accuracy", "spoken_accuracy"
"""Scorers of an answer as it is written and as it is spoken."""

TEXT, CLEAN = "text", "clean"

Verdicts = Mapping[tuple[str, int], Counted]
"""Right (1) or wrong (0) by sample and repeat."""


@dataclass(frozen=True)
class _Asked:
    """What a system makes of the questions under one condition: the name of the task, and its verdicts."""

    task: str
    condition: str
    written: Verdicts
    spoken: Verdicts
    written_id: str
    spoken_id: str


def loss_paths(manifest: Manifest, metrics: Mapping[str, MetricInfo], standings: Standings) -> tuple[LossPath, ...]:
    """Return one path for each system and condition of the tasks that share their questions; none for other runs.

    The first score of each kind counts. Every stage of a path is over the same answers: those that have a value in all
    of them, so that the differences add up.

    Args:
        manifest: of the run.
        metrics: by score id.
        standings: the scores of all answers.
    """
    groups: dict[str, list[str]] = {}
    for name, task in manifest.tasks.items():
        if task.condition_of:
            groups.setdefault(task.condition_of, []).append(name)
    found: list[LossPath] = []
    for group, names in groups.items():
        if len(names) < 2:
            continue
        for system in manifest.systems:
            ways = [_asked(system, name, manifest.tasks[name], metrics, standings) for name in names]
            found += _of_system(system, group, [one for one in ways if one.written], manifest, standings)
    return tuple(found)


def _asked(system: str, name: str, task: TaskEntry, metrics: Mapping[str, MetricInfo], standings: Standings) -> _Asked:
    def first(scorer: str) -> str:
        ids = (spec.id for spec in task.scores if spec.scorer == scorer and spec.id in metrics)
        return next((one for one in ids if metrics[one].aggregation == "binary"), "")

    written, spoken = first(WRITTEN), first(SPOKEN)
    return _Asked(
        name,
        task.condition,
        standings.of(system, name, written),
        standings.of(system, name, spoken),
        written,
        spoken,
    )


def _of_system(
    system: str, group: str, ways: Sequence[_Asked], manifest: Manifest, standings: Standings
) -> Iterator[LossPath]:
    text = next((one for one in ways if one.condition == TEXT), None)
    clean = next((one for one in ways if one.condition == CLEAN), None)
    for way in ways:
        compared = _Compared(way.task, manifest, standings)
        steps: list[tuple[Stage, Verdicts]] = []
        if text is None:
            steps.append(("transcription and answering", way.written))
        else:
            steps.append(("answering", text.written))
            if way is not text:
                steps.append(("transcription", way.written))
        if way.spoken:
            steps.append(("speaking", way.spoken))
        asked = {answer for _, verdicts in steps for answer in verdicts}
        # Of a run that was stopped some conditions have fewer answers.
        known = [one for one in way.written if all(one in its and is_known(its[one]) for _, its in steps)]
        if not known:
            continue
        losses, before = [], np.ones(len(known))
        for stage, verdicts in steps:
            after = np.array([verdicts[one].numerator for one in known])
            losses.append(compared.loss(stage, known, before, after))
            before = after
        yield LossPath(
            system,
            way.task,
            group,
            way.condition,
            way.spoken_id if way.spoken else way.written_id,
            len(known),
            len({standings.unit(way.task, one) for one in known}),
            len(asked) - len(known),
            float(before.mean()),
            tuple(losses),
            None if clean is None or way.condition in (TEXT, CLEAN) else compared.against(clean, way),
        )


class _Compared:
    """Differences between verdicts on the same answers, of a task."""

    def __init__(self, task: str, manifest: Manifest, standings: Standings) -> None:
        self._task, self._suite, self._standings = task, manifest.suite, standings

    def against(self, clean: _Asked, way: _Asked) -> Loss | None:
        """Written answers under a condition against those to clean speech."""
        both = [one for one in way.written if one in clean.written]
        known = [one for one in both if is_known(way.written[one]) and is_known(clean.written[one])]
        if not known:
            return None
        before, after = (np.array([its[one].numerator for one in known]) for its in (clean.written, way.written))
        return self.loss("transcription", known, before, after)

    def loss(
        self,
        stage: Stage,
        known: Sequence[tuple[str, int]],
        before: np.ndarray[tuple[int], np.dtype[np.float64]],
        after: np.ndarray[tuple[int], np.dtype[np.float64]],
    ) -> Loss:
        """Return what a stage costs; ``before`` and ``after`` are 0 or 1, shape (n,)."""
        labels = [self._standings.unit(self._task, one) for one in known]
        ones = np.ones(len(known))
        found = corpus_difference(
            _VERDICT,
            np.stack([before, ones, after, ones], axis=1),
            seed=self._suite.seed,
            n_resamples=self._suite.resamples,
            clusters=labels if len(set(labels)) < len(labels) else None,
        )
        lost, gained = int((before > after).sum()), int((after > before).sum())
        return Loss(stage, found.estimate, found.low, found.high, lost, gained)


_VERDICT = MetricInfo("Right", unit="%", scale=100, aggregation="binary", lowest=0, highest=1)
