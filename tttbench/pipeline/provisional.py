"""A run that hasn't come to its end, as far as it has come: scores of the answers that are there, kept in memory alone.

Nothing is derived and nothing written: a score that waits for a transcript is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo, Score
from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import Scorer, ScoreSpec, View
from tttbench.pipeline.scores import Columns
from tttbench.pipeline.summarize import summarize
from tttbench.store.manifest import Manifest, Summary, TaskEntry
from tttbench.store.read_model import Run
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore, is_being_written


def open_to_show(folder: Path) -> Run:
    """Open a run for reading; one without results, or resumed since, gets those of the answers that are there.

    Raises:
        UserError: there is no run, or it can't be read.
    """
    run = Run.open(folder)
    unfinished = run.manifest.status in ("running", "interrupted")
    if run.summary is not None and not unfinished:
        return run
    run.close()
    store = _ScoredInMemory.open(folder)
    try:
        manifest = store.manifest
        columns = Columns(replace(manifest, tasks=_with_known_scores(manifest)), _Waiting)
        status = "running" if manifest.status == "running" and is_being_written(folder) else "interrupted"
        store.provisional = replace(summarize(store, columns), status=status)
        return Run(store)
    except BaseException:
        store.close()
        raise


class _ScoredInMemory(RunStore):
    """A run open for reading, whose scores and summary are in memory."""

    provisional: Summary | None = None

    @cached_property
    def _scored(self) -> dict[tuple[str, str], dict[tuple[str, int], dict[str, Score]]]:
        return {}

    @property
    def summary(self) -> Summary | None:
        return self.provisional

    def answers(self, system: str | None = None, task: str | None = None) -> Iterator[StoredAnswer]:
        for one in super().answers(system, task):
            found = self.scores(one.key.system, one.key.task)
            yield replace(one, scores=found.get((one.key.sample, one.key.repeat), {}))

    def replace_scores(self, system: str, task: str, scores: Iterable[tuple[str, int, str, Score]]) -> None:
        found: dict[tuple[str, int], dict[str, Score]] = {}
        for sample, repeat, score_id, score in scores:
            found.setdefault((sample, repeat), {})[score_id] = score
        self._scored[system, task] = found

    def save_derived(self, recipe: str, derived: Mapping[str, Derived]) -> None:
        """Keep nothing: what was measured for this summary is measured again for the next."""

    def scores(self, system: str, task: str) -> dict[tuple[str, int], dict[str, Score]]:
        return self._scored.get((system, task), {})


class _Waiting:
    """A scorer that gives no score to an answer whose derivations haven't been made."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    @property
    def info(self) -> MetricInfo:
        return self._scorer.info

    @property
    def reads(self) -> frozenset[str]:
        return self._scorer.reads

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        return self._scorer.recipe(recipes)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        return self._scorer.needs(sample, view)

    def score(self, sample: Sample, view: View) -> Score | None:
        if any(view.derived(need) is None for need in self._scorer.needs(sample, view)):
            return None
        return self._scorer.score(sample, view)

    def __getattr__(self, name: str) -> object:
        found = getattr(self._scorer, name)
        return (lambda samples: _Waiting(found(samples))) if name == "of_corpus" else found


def _with_known_scores(manifest: Manifest) -> Mapping[str, TaskEntry]:
    """The tasks without scores of plug-ins that aren't there now."""
    return {
        name: replace(task, scores=tuple(spec for spec in task.scores if _is_known(spec)))
        for name, task in manifest.tasks.items()
    }


def _is_known(spec: ScoreSpec) -> bool:
    try:
        build_scorer(spec)
    except UserError:
        return False
    return True
