"""Where right answers are lost, for the page: a table for each set of questions that is asked in several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tttbench.core.losses import Loss, LossPath, Stage
from tttbench.data.asked import Asking
from tttbench.scorers import words

from .view import ReportView


@dataclass(frozen=True)
class Share:
    """A part of a bar: a stage, or ``right``; ``percent`` of all answers."""

    name: str
    percent: float


@dataclass(frozen=True)
class LossRow:
    """A system under one condition. ``cells`` are in the order of the group's stages; ``bar`` adds up to 100 %."""

    path: LossPath
    cells: tuple[Loss | None, ...]
    bar: tuple[Share, ...]

    @property
    def asked(self) -> str:
        """The condition in words."""
        return Asking(self.path.condition).title


@dataclass(frozen=True)
class LossGroup:
    """The questions that share ``name``."""

    name: str
    title: str
    stages: tuple[Stage, ...]
    rows: tuple[LossRow, ...]
    has_clean: bool


def loss_groups(view: ReportView) -> tuple[LossGroup, ...]:
    """Return the tables; none for runs that ask in one way."""
    titles = {task.name: task.title for task in view.tasks}
    found = []
    for name in dict.fromkeys(path.condition_of for path in view.losses):
        paths = [path for path in view.losses if path.condition_of == name]
        stages = words.stages_of(paths)
        rows = tuple(LossRow(path, _cells(path, stages), _bar(path)) for path in paths)
        has_clean = any(path.against_clean is not None for path in paths)
        found.append(LossGroup(name, _title(paths[0], titles), stages, rows, has_clean))
    return tuple(found)


def _title(path: LossPath, titles: Mapping[str, str]) -> str:
    """The title that all conditions share: that of one of them, without the words for its condition."""
    title = titles.get(path.task, path.condition_of)
    return title.removesuffix(f", {Asking(path.condition).title}")


def _cells(path: LossPath, stages: Sequence[Stage]) -> tuple[Loss | None, ...]:
    by_stage = {loss.stage: loss for loss in path.stages}
    return tuple(by_stage.get(stage) for stage in stages)


def _bar(path: LossPath) -> tuple[Share, ...]:
    """What is right and what each stage lost; where a stage won answers back, it has no part of its own."""
    lost = [Share(loss.stage, max(0.0, -100 * loss.difference)) for loss in path.stages]
    right = 100 * path.right
    scale = 100 / max(100.0, right + sum(one.percent for one in lost))
    return tuple(Share(one.name, scale * one.percent) for one in (Share("right", right), *lost) if one.percent)
