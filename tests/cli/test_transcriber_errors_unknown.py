"""Where no right answer is recorded, terminal and JSON say that a transcriber's own errors are unknown."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.cli.run import show
from tttbench.core.metric import TOPLINE, MetricInfo, Result
from tttbench.core.recipe import Recipe
from tttbench.store.manifest import Summary

SPOKEN = Result(
    *("a", "web_questions", "spoken_accuracy", 0.9, 0.85, 0.95, 40, 40, 0, 0, 0, 0),
    *(Recipe("spoken_accuracy@2", transcriber="whisper:base"), 0.9, 0.9, 40, "question"),
)
OWN = replace(SPOKEN, system=TOPLINE, metric="transcriber_wer", ci_low=math.nan, ci_high=math.nan)
METRICS = {name: MetricInfo(name) for name in ("spoken_accuracy", "transcriber_wer")}
SAYS = "The transcriber's own errors are unknown: "


def test_the_line_names_each_task_once(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = ("web_questions", "web_questions", "trivia_qa", "mini_qa")
    results = tuple(replace(SPOKEN, task=task, system=f"s{at}") for at, task in enumerate(tasks))
    written = replace(SPOKEN, task="asr", recipe=Recipe("wer@1"))
    summary = Summary(
        "done", 5, 5, results=(*results, written), topline=(replace(OWN, task="mini_qa"),), metrics=METRICS
    )
    show(summary, Path("run"), Path("run/report.html"), as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert f"{SAYS}web_questions, trivia_qa have no recordings of right answers." in lines
    assert json.loads(lines[-1])["transcriber_errors_unknown"] == ["web_questions", "trivia_qa"]


def test_nothing_is_said_where_there_is_reference_audio(capsys: pytest.CaptureFixture[str]) -> None:
    show(
        Summary("done", 1, 1, results=(SPOKEN,), topline=(OWN,), metrics=METRICS),
        *(Path("run"), Path("run/report.html")),
        as_json=False,
    )
    assert SAYS not in capsys.readouterr().out
