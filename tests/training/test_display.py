"""What a training shows: the bar moves with every step and knows the time left; plain lines; the curve."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console

from reference_model.training.trainer import Progress
from tttbench.training.display import TrainingDisplay


def progress(step: int) -> Progress:
    return Progress(
        step=step,
        steps=8000,
        text_loss=1.5,
        audio_loss=2.5,
        ctc_loss=0.0,
        learning_rate=1e-3,
        examples_per_s=32,
        tokens_per_s=2048,
        eta_s=90,
    )


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=160, _environ={"TERM": "xterm"})


def ticking(folder: Path, steps: int, ticks: Iterable[int], step_s: float) -> TrainingDisplay:
    """A display whose bar has moved through ``ticks``, each taking ``step_s`` seconds."""
    now = [0.0]
    display = TrainingDisplay(folder, steps, console=terminal())
    display._bar.get_time = lambda: now[0]
    display.__enter__()
    for step in ticks:
        display.tick(step)
        now[0] += step_s
    return display


def test_the_bar_moves_before_the_first_report_and_estimates_the_time_left_of_slow_steps(tmp_path: Path) -> None:
    display = ticking(tmp_path, 50, range(1, 11), 60)
    (task,) = display._bar.tasks
    assert (task.completed, task.total) == (10, 50)
    # 40 more steps of a minute.
    assert task.time_remaining == 40 * 60
    display.show(progress(10))
    assert task.fields["tail"] == "text 1.500 audio 2.500, 32 examples/s, 2,048 tokens/s"
    display.__exit__()


def test_a_resumed_bar_does_not_count_what_was_there_as_its_own_pace(tmp_path: Path) -> None:
    display = ticking(tmp_path, 8000, range(7001, 7011), 1)
    (task,) = display._bar.tasks
    assert task.time_remaining == 990
    display.__exit__()


def test_plain_lines_where_nobody_watches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingDisplay(tmp_path, 100, console=Console(file=io.StringIO())) as display:
        display.tick(1)
        display.show(progress(50))
    out = capsys.readouterr().out
    assert out == "step 50/100: text 1.500 audio 2.500, 32 examples/s, 2,048 tokens/s, 2 min left\n"


def test_the_curve_is_left_behind_whatever_is_half_written(tmp_path: Path) -> None:
    rows = [{"step": step, "text_loss": 1.0, "audio_loss": 2.0, "ctc_loss": 0.0} for step in (50, 100)]
    (tmp_path / "losses.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"step": 150, "te')
    with TrainingDisplay(tmp_path, 100, console=Console(file=io.StringIO())):
        pass
    assert "<svg" in (tmp_path / "losses.svg").read_text()
