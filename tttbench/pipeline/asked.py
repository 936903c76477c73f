"""The tasks that a suite asks for, with their scores, before any sample is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tttbench.config.suite import Suite, TaskPlan
from tttbench.core.errors import UserError
from tttbench.core.judging import judge_options
from tttbench.core.plugins import build_task, scorers
from tttbench.core.scorer import ScoreSpec
from tttbench.core.task import Task
from tttbench.pipeline.default_scores import added, by_language, known_ways, with_defaults, with_ways
from tttbench.pipeline.full_names import full_name, with_full_names
from tttbench.pipeline.kept_transcribers import KeptTranscribers
from tttbench.pipeline.transcribers import resolved, transcriber_of

IDLE_JUDGE = "no task of this run says what a judge grades of it; say it with --add answer (docs/judges.md)."
"""What is wrong with a judge that is given for nothing."""


@dataclass(frozen=True)
class AskedTask:
    """A task that is asked for, its samples unlisted.

    Attributes:
        plan, task: what is asked for.
        scores: its own or the suite's, and those added.
        given_with: name of the task whose data it takes, another one where it runs along with that.
        kept: the transcribers of the run that is resumed; None for a new one.
    """

    plan: TaskPlan
    task: Task
    scores: tuple[ScoreSpec, ...]
    given_with: str
    kept: KeptTranscribers | None = None

    def scores_in(self, language: str, suite: Suite, device: str) -> tuple[ScoreSpec, ...]:
        """Return all of its scores for answers in ``language``, those by default among them.

        ``device`` is where transcribers run; which one is chosen may depend on it.

        Raises:
            UserError: one that there isn't, or that is given twice.
        """
        try:
            judge = judge_options(suite.judge, "judge")
            scores, transcriber = self.scores, transcriber_of(suite.transcriber, language, device)
            if self.kept is not None:
                scores = self.kept.in_scores(self.plan.name, scores)
                transcriber = self.kept.in_place_of(self.plan.name, transcriber)
            scores = with_full_names(resolved(scores, language, device), device)
            # Scores that name this judge themselves ask it in the same way.
            scores = with_ways(scores, {}, known_ways([ScoreSpec("answer", "", judge)]))
            scores = by_language(scores, language)
            return with_defaults(scores, full_name(transcriber, device), suite.oracle, language, judge)
        except UserError as error:
            raise UserError(f"task {self.plan.name!r}: scores: {error}") from error

    def tell_kept(self, scores: Sequence[ScoreSpec], language: str, suite: Suite, device: str) -> None:
        """Warn where ``scores`` are transcribed by others than they would be in a new run."""
        if self.kept is not None:
            self.kept.tell(self.plan.name, scores, replace(self, kept=None).scores_in(language, suite, device))


def asked_tasks(suite: Suite, kept: KeptTranscribers | None = None) -> tuple[AskedTask, ...]:
    """Look up the tasks of a suite, those that they double as among them; ``kept``: see ``AskedTask``.

    Raises ``UserError`` for one that there isn't.
    """
    tasks = {plan.name: build_task(plan.name) for plan in suite.tasks}
    plans = {plan.name: plan for plan in suite.tasks}
    along: dict[str, str] = {}
    for plan in suite.tasks:
        for name in tasks[plan.name].doubles_as:
            if name not in plans:
                along[name] = plan.name
                plans[name], tasks[name] = replace(plan, name=name, scores=()), build_task(name)
    for name, plan in plans.items():
        whole = plans.get(tasks[name].condition_of)
        if whole is not None and not plan.scores:
            # The same questions, asked otherwise: by other scores nothing could be said of what that costs.
            plans[name] = replace(plan, scores=whole.scores)
    owned = {name: plan.scores or _own(tasks[name], suite) for name, plan in plans.items()}
    taken = {spec.scorer for own in owned.values() for spec in own}
    return tuple(
        AskedTask(
            plan,
            tasks[name],
            (*owned[name], *added(suite.add, owned[name], taken, name, tasks[name].family)),
            along.get(name, name),
            kept,
        )
        for name, plan in plans.items()
    )


def refuse_idle_judge(suite: Suite) -> None:
    """Raise ``UserError`` if no score of the suite's tasks is by a judge, so that one given in a call would do nothing.

    A suite may name a judge for those of its tasks that aren't chosen.
    """
    if not any("judge" in scorers.get(spec.scorer).options for one in asked_tasks(suite) for spec in one.scores):
        raise UserError(f"--judge: {IDLE_JUDGE}")


def _own(task: Task, suite: Suite) -> tuple[ScoreSpec, ...]:
    return (*task.judged, *task.scores) if suite.judge else task.scores
