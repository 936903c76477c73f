"""Where right answers are lost, from the scores of a run whose tasks ask the same questions in several ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tttbench.core.losses import Loss, LossPath, Stage
from tttbench.core.metric import MetricInfo, Result
from tttbench.core.recipe import Recipe
from tttbench.scorers.paired import is_known
from tttbench.stats.corpus import corpus_difference, corpus_interval
from tttbench.store.manifest import Manifest, TaskEntry
from tttbench.store.standings import Counted, Standings

WRITTEN, SPOKEN = "text_accuracy", "spoken_accuracy"
"""Scorers of an answer as it is written and as it is spoken."""

TEXT, CLEAN = "text", "clean"

Floats = npt.NDArray[np.float64]

Verdicts = Mapping[tuple[str, int], Counted]
"""Right (1) or wrong (0) by sample and repeat."""


@dataclass(frozen=True)
class Losses:
    """The paths of a run, and a sentence for each comparison that was left out."""

    paths: tuple[LossPath, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Scored:
    """A score of a system on a task: its id, and by which rule answers are right, whatever they were read from."""

    id: str
    rule: Recipe


@dataclass(frozen=True)
class _Scores:
    """What a system has under one condition: the name of the task, and its scores of each kind, in order."""

    task: str
    condition: str
    written: tuple[_Scored, ...]
    spoken: tuple[_Scored, ...]

    def preferred(self) -> Recipe:
        """The rule of the first written score that a spoken one shares; of the first, if none does."""
        spoken = {one.rule for one in self.spoken}
        return next((one.rule for one in self.written if one.rule in spoken), self.written[0].rule)


@dataclass(frozen=True)
class _Asked:
    """What a system makes of the questions under one condition: the name of the task, and its verdicts."""

    task: str
    condition: str
    written: Verdicts
    spoken: Verdicts
    written_id: str
    spoken_id: str


def loss_paths(
    manifest: Manifest, metrics: Mapping[str, MetricInfo], standings: Standings, results: Iterable[Result]
) -> Losses:
    """Return one path for each system and condition of the tasks that share their questions; none for other runs.

    Answers are compared where they were scored by the same rule (normalizer, matcher, options, denominator): that of
    the first score of the questions in writing, or of the first condition, which a spoken score shares, if one does.
    Every stage of a path is over the same answers: those that have a value in all of them, so that the differences add
    up.

    Args:
        manifest: of the run.
        metrics: by score id.
        standings: the scores of all answers.
        results: of the run, whose recipes say how answers were scored.
    """
    rules = {(one.system, one.task, one.metric): _rule(one.recipe) for one in results}
    groups: dict[str, list[str]] = {}
    for name, task in manifest.tasks.items():
        if task.condition_of:
            groups.setdefault(task.condition_of, []).append(name)
    found: list[LossPath] = []
    left_out: list[str] = []
    for group, names in groups.items():
        if len(names) < 2:
            continue
        for system in manifest.systems:
            scored = [_scores(system, name, manifest.tasks[name], metrics, rules) for name in names]
            ways, sentences = _comparable(system, [one for one in scored if one.written], standings)
            found += _of_system(system, group, ways, manifest, standings)
            left_out += sentences
    return Losses(tuple(found), tuple(left_out))


def _rule(recipe: Recipe) -> Recipe:
    """How answers are told right from wrong, without what they were read from: a text, or a transcript."""
    return replace(recipe, scorer="", transcriber="")


def _scores(
    system: str,
    name: str,
    task: TaskEntry,
    metrics: Mapping[str, MetricInfo],
    rules: Mapping[tuple[str, str, str], Recipe],
) -> _Scores:
    def of(scorer: str) -> tuple[_Scored, ...]:
        ids = (spec.id for spec in task.scores if spec.scorer == scorer and spec.id in metrics)
        binary = (one for one in ids if metrics[one].aggregation == "binary")
        return tuple(_Scored(one, rules[system, name, one]) for one in binary if (system, name, one) in rules)

    return _Scores(name, task.condition, of(WRITTEN), of(SPOKEN))


def _comparable(system: str, scored: Sequence[_Scores], standings: Standings) -> tuple[list[_Asked], list[str]]:
    """The conditions whose answers were scored by one rule, and a sentence for each score that wasn't."""
    ways: list[_Asked] = []
    sentences: list[str] = []
    if not scored:
        return ways, sentences
    first = next((one for one in scored if one.condition == TEXT), scored[0])
    rule = first.preferred()
    for one in scored:
        written, spoken = (
            next((score.id for score in of if score.rule == rule), "") for of in (one.written, one.spoken)
        )
        if not written:
            sentences.append(
                f"{system} on {one.task}: left out, as its written answers were scored otherwise "
                f"({_words(one.written[0].rule)}) than those to {first.task} ({_words(rule)})."
            )
            continue
        if one.spoken and not spoken:
            sentences.append(
                f"{system} on {one.task}: speaking is left out, as spoken answers were scored otherwise "
                f"({_words(one.spoken[0].rule)}) than written ones ({_words(rule)})."
            )
        verdicts = [standings.of(system, one.task, score) for score in (written, spoken)]
        ways.append(_Asked(one.task, one.condition, verdicts[0], verdicts[1], written, spoken))
    return ways, sentences


def _words(rule: Recipe) -> str:
    return str(rule).removeprefix("; ")


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
        values = [np.array([verdicts[one].numerator for one in known]) for _, verdicts in steps]
        losses = [compared.first(steps[0][0], known, values[0])]
        for (stage, _), before, after in zip(steps[1:], values, values[1:], strict=False):
            losses.append(compared.loss(stage, known, before, after))
        yield LossPath(
            system,
            way.task,
            group,
            way.condition,
            way.spoken_id if way.spoken else way.written_id,
            len(known),
            len({standings.unit(way.task, one) for one in known}),
            len(asked) - len(known),
            float(values[-1].mean()),
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

    def first(self, stage: Stage, known: Sequence[tuple[str, int]], right: Floats) -> Loss:
        """Return what is wrong from the start: a share, with the interval that a table of results gives it."""
        found = corpus_interval(
            _VERDICT,
            right,
            np.ones(len(known)),
            seed=self._suite.seed,
            n_resamples=self._suite.resamples,
            clusters=self._clusters(known),
        )
        lost = int((right < 1).sum())
        return Loss(stage, found.estimate - 1, found.low - 1, found.high - 1, lost, 0)

    def loss(self, stage: Stage, known: Sequence[tuple[str, int]], before: Floats, after: Floats) -> Loss:
        """Return what a stage costs; ``before`` and ``after`` are 0 or 1, shape (n,)."""
        ones = np.ones(len(known))
        found = corpus_difference(
            _VERDICT,
            np.stack([before, ones, after, ones], axis=1),
            seed=self._suite.seed,
            n_resamples=self._suite.resamples,
            clusters=self._clusters(known),
        )
        lost, gained = int((before > after).sum()), int((after > before).sum())
        return Loss(stage, found.estimate, found.low, found.high, lost, gained)

    def _clusters(self, known: Sequence[tuple[str, int]]) -> list[str] | None:
        labels = [self._standings.unit(self._task, one) for one in known]
        return labels if len(set(labels)) < len(labels) else None


_VERDICT = MetricInfo("Right", unit="%", scale=100, aggregation="binary", lowest=0, highest=1)
