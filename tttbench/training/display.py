"""What is seen of a training while it runs: a bar on a terminal, plain lines elsewhere, and the curve in its folder."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from tttbench.core.errors import UserError
from tttbench.core.tables import read_table
from tttbench.data.documents import parse_json

if TYPE_CHECKING:
    from reference_model.training import trainer

CURVE = "losses.svg"
LOG = "losses.jsonl"
_ESTIMATE_S = 3600.0
"""Steps of the last hour make the estimate of the time left: those of a large model take minutes."""


class TrainingDisplay:
    """Shows the progress of a training; use it with ``with``. Only the first of several processes shows anything.

    Attributes:
        is_first: whether this is that process.
    """

    def __init__(self, folder: Path, steps: int, console: Console | None = None) -> None:
        """Show what happens in ``folder`` on the way to step ``steps``; ``console``: where, by default stderr."""
        self.is_first = os.environ.get("RANK", "0") == "0"
        self._folder = folder
        self._console = console or Console(stderr=True, highlight=False)
        self._live = self._console.is_terminal and self.is_first
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[tail]}"),
            console=self._console,
            speed_estimate_period=_ESTIMATE_S,
        )
        self._steps = steps
        self._task: TaskID | None = None

    def __enter__(self) -> TrainingDisplay:
        """Start to draw, on a terminal."""
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to draw, and leave the curve of what was reported, also after an interrupt."""
        if self._live:
            self._bar.stop()
        if self.is_first:
            draw_curve(self._folder)

    def tick(self, step: int) -> None:
        """Move the bar; the first step after a resume is where its estimate of the time left begins."""
        if not self._live:
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=self._steps, completed=step - 1, tail="")
        self._bar.update(self._task, completed=step)

    def show(self, progress: trainer.Progress) -> None:
        """Take note of where the training is."""
        losses = f"text {progress.text_loss:.3f} audio {progress.audio_loss:.3f}"
        losses += f" ctc {progress.ctc_loss:.3f}" if progress.ctc_loss else ""
        speed = f"{progress.examples_per_s:.0f} examples/s, {progress.tokens_per_s:,.0f} tokens/s"
        if self._live:
            self.tick(progress.step)
            assert self._task is not None
            self._bar.update(self._task, tail=f"{losses}, {speed}")
            return
        left = f"{progress.eta_s / 60:.0f} min left"
        print(f"step {progress.step}/{self._steps}: {losses}, {speed}, {left}", flush=True, file=sys.stdout)


@dataclass(frozen=True)
class _Losses:
    """What a line of ``losses.jsonl`` says of the losses."""

    step: int
    text_loss: float
    audio_loss: float
    ctc_loss: float = 0.0


def draw_curve(folder: Path) -> None:
    """Draw ``losses.svg`` of what ``losses.jsonl`` says, if there is anything."""
    log = folder / LOG
    if not log.exists():
        return
    rows = []
    for line in log.read_text(encoding="utf-8").splitlines():
        with suppress(UserError):  # a kill, or a full disk, came in the middle of the line
            rows.append(read_table(_Losses, parse_json(line, str(log)), unknown="ignore"))
    if not rows:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    steps = [row.step for row in rows]
    for name, color in (("text", "#0072b2"), ("audio", "#d55e00"), ("ctc", "#009e73")):
        losses = [getattr(row, f"{name}_loss") for row in rows]
        if any(losses):
            axes.plot(steps, losses, color=color, linewidth=1.2, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats)")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False)
    figure.savefig(folder / CURVE)
