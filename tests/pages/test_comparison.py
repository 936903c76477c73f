"""The comparison page's values: what became of each sample, where its recordings lie, and that text stays text."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.metric import MetricInfo
from tttbench.core.recipe import Recipe
from tttbench.gate.decide import gate, renamed
from tttbench.gate.from_run import snapshot_of
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import AnswerText, Metric, Outcome
from tttbench.gate.sources import Source
from tttbench.gate.verdict import QualityVerdict
from tttbench.pages.comparison import (
    Bar,
    ScorePair,
    _bar,
    _difference,
    _options_whole,
    _scores,
    _values,
    change_of,
    comparison_page,
)

from .conftest import HOSTILE, write_run

PLAIN = AnswerText("a", "", "")


@pytest.mark.parametrize(
    ("scores", "before", "now", "change"),
    [
        ([ScorePair("x", "1", "1", 0)], PLAIN, PLAIN, "same"),
        ([ScorePair("x", "1", "1", 0)], PLAIN, AnswerText("b", "", ""), "changed"),
        ([ScorePair("x", "0", "1", 1)], PLAIN, PLAIN, "worse"),
        ([ScorePair("x", "1", "0", -1)], PLAIN, PLAIN, "better"),
        # The primary metric says more than what stands behind it.
        ([ScorePair("x", "1", "0", -1), ScorePair("y", "0", "1", 1)], PLAIN, PLAIN, "better"),
        ([ScorePair("x", "1", "1", 0), ScorePair("y", "0", "1", 1)], PLAIN, PLAIN, "worse"),
        ([], PLAIN, AnswerText("a", "", "broke"), "changed"),
    ],
)
def test_what_became_of_a_sample(scores: list[ScorePair], before: AnswerText, now: AnswerText, change: str) -> None:
    assert change_of(scores, before, now) == change


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs whose answers differ, side by side."""
    top = tmp_path_factory.mktemp("compared")
    write_run(top / "runs" / "before", 12)
    write_run(top / "runs" / "now", 12, seed=8)
    return top


def rows_of(page: str) -> list[dict[str, Any]]:
    (text,) = re.findall(r'<script type="application/json" id="rows-data">(.*?)</script>', page, re.DOTALL)
    found: list[dict[str, Any]] = json.loads(text)["rows"]
    return found


def page_of(runs: Path, **options: Any) -> str:
    before, now = (Source(snapshot_of(runs / "runs" / name), runs / "runs" / name) for name in ("before", "now"))
    result = gate(before.snapshot, now.snapshot, Rules(speed="off", max_errors=1.0))
    return comparison_page(result, before, now, runs / "page" / "comparison.html")


def test_recordings_lie_where_the_page_looks_for_them(runs: Path) -> None:
    rows = [row for row in rows_of(page_of(runs)) if "audioNow" in row]
    assert len(rows) > 20
    for row in rows:
        for key in ("input", "audioBefore", "audioNow"):
            assert (runs / "page" / row[key]).resolve().is_file()
        assert "/before/" in row["audioBefore"]
        assert "/now/" in row["audioNow"]


def test_every_answer_is_there_once(runs: Path) -> None:
    rows = rows_of(page_of(runs))
    # Three systems on two tasks, one on one, 12 samples each.
    assert len(rows) == 7 * 12
    assert len({(row["system"], row["task"], row["id"]) for row in rows}) == 7 * 12
    assert {row["change"] for row in rows} >= {"worse", "better", "changed"}


def test_hostile_text_stays_text(runs: Path) -> None:
    page = page_of(runs)
    assert HOSTILE not in page
    assert any(row["id"] == HOSTILE for row in rows_of(page))


def test_more_errors_are_worse_and_fewer_are_better(runs: Path) -> None:
    one = snapshot_of(runs / "runs" / "now")
    (wer,) = [
        metric for metric in one.metrics if (metric.system, metric.task, metric.name) == ("ttt:mini", "mini_asr", "wer")
    ]
    some = {key: replace(value, numerator=1.0, denominator=10.0) for key, value in wer.outcomes.items()}
    more = {key: replace(value, numerator=2.0) for key, value in some.items()}
    few, many = (Source(replace(one, metrics=(replace(wer, outcomes=outcomes),)), None) for outcomes in (some, more))

    def changes(before: Source, now: Source) -> set[str]:
        result = gate(before.snapshot, now.snapshot, Rules(speed="off", max_errors=1.0))
        rows = rows_of(comparison_page(result, before, now, runs / "page.html"))
        return {row["change"] for row in rows if (row["system"], row["task"]) == ("ttt:mini", "mini_asr")}

    assert (changes(few, many), changes(many, few)) == ({"worse"}, {"better"})


def test_a_system_with_another_name_keeps_its_recordings(runs: Path) -> None:
    folder = runs / "runs" / "now"
    before = Source(snapshot_of(folder), folder)
    again = Source(renamed(renamed(snapshot_of(folder), {"ttt:mini": "new"}), {"new": "ttt:mini"}), folder)
    assert again.names == {}
    # As if the run had called it `ttt:mini-ar` and the baseline `ttt:mini`.
    swapped = {"ttt:mini": "ttt:mini-ar", "ttt:mini-ar": "ttt:mini"}
    now = Source(renamed(snapshot_of(folder), swapped), folder, {new: old for old, new in swapped.items()})
    result = gate(before.snapshot, now.snapshot, Rules(speed="off", max_errors=1.0))
    rows = rows_of(comparison_page(result, before, now, runs / "page.html"))
    row = next(row for row in rows if row["system"] == "ttt:mini" and row["task"] == "mini_qa")
    other = next(row for row in rows if row["system"] == "ttt:mini-ar" and row["task"] == "mini_qa")
    assert row["audioNow"] == other["audioBefore"]
    assert row["audioBefore"] == other["audioNow"]


def test_a_page_of_runs_that_cannot_be_compared_says_why(runs: Path) -> None:
    before, now = (Source(snapshot_of(runs / "runs" / name), runs / "runs" / name) for name in ("before", "now"))
    page = comparison_page(gate(before.snapshot, now.snapshot, Rules(speed="off")), before, now, runs / "p.html")
    assert "No verdict: a run is not fit for it." in page
    assert "ended as error, allowed are 0.0%" in page


def test_a_difference_has_its_unit_and_a_range_gives_a_bar() -> None:
    mos = MetricInfo("Mean opinion score", "MOS", aggregation="value", lowest=1, highest=5)
    one = QualityVerdict(
        *(
            "mine",
            "qa",
            "mos",
            mos,
            3.4,
            3.2,
            -0.2,
            -0.4,
            0.0,
            20,
            20,
            0,
            None,
            None,
            0.04,
            None,
            0.01,
            0.3,
            False,
            False,
        ),
        verdict="cannot tell",
    )
    assert _values(one) == ("3.400", "3.200")
    assert _difference(one) == ("\u22120.200", "[\u22120.400, +0.000]")
    assert _bar(one) == Bar(50.0, 25.0, 62.5)  # 0.4 of 4 is half of a fifth of the range
    share = replace(one, info=MetricInfo("Right", unit="%", scale=100, aggregation="binary"))
    assert _difference(replace(share, low=math.nan, high=math.nan)) == ("\u221220.0\u00a0points", "")
    assert _bar(replace(one, info=replace(mos, highest=None))) is None


def test_scores_with_one_short_name_are_told_apart_and_unwanted_things_are_no_marks() -> None:
    def metric(name: str, info: MetricInfo, value: float) -> Metric:
        return Metric("mine", "asr", name, info, Recipe("r"), {"1": Outcome(value, 1.0, "ok")})

    wer = MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate")
    clips = MetricInfo("Clips with words", "with words", direction="lower", aggregation="binary")
    pairs = [
        (metric("wer", wer, 0.1), metric("wer", wer, 0.1)),
        (metric("wer_raw", wer, 0.1), metric("wer_raw", wer, 0.3)),
        (metric("clips", clips, 0.0), metric("clips", clips, 1.0)),
    ]
    assert list(_scores(pairs, "1")) == [
        ScorePair("WER", "10.0\u00a0%", "10.0\u00a0%", 0),
        ScorePair("wer_raw", "10.0\u00a0%", "30.0\u00a0%", 1),
        ScorePair("with words", "no", "yes", 1),
    ]


def test_options_of_the_command_line_are_kept_whole_and_text_stays_text() -> None:
    said = _options_whole("run <b> anew, or give --allow systems.")
    assert said == 'run &lt;b&gt; anew, or give <span class="nowrap">--allow</span> systems.'
