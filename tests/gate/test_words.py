"""What verdicts are in words: every kind of sentence, value and difference, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.metric import MetricInfo
from tttbench.gate.formats.markdown import markdown
from tttbench.gate.formats.words import (
    difference_line,
    difference_text,
    heading,
    quality_value,
    sentence,
    speed_value,
    where,
)
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.verdict import Difference, GateResult, Noted, QualityVerdict, SpeedVerdict

Make = Callable[..., Snapshot]

PERCENT = MetricInfo("Accuracy", unit="%", scale=100.0, direction="higher", aggregation="binary")
RATE = MetricInfo("Word error rate", unit="%", scale=100.0, direction="lower", aggregation="rate")
QUALITY = QualityVerdict(
    "sys", "task", "accuracy", PERCENT,
    baseline=0.9, run=0.8, difference=-0.1, low=-0.2, high=0.01,
    n=100, n_units=100, n_unknown=0, only_baseline=12, only_run=2,
    p_value=0.04, p_adjusted=0.08, margin=0.05, detectable=0.15, gates=True, is_identical=False, verdict="cannot tell",
)  # fmt: skip
SPEED = SpeedVerdict(
    "sys", "task", "ttft", "s",
    baseline=0.1, run=0.2, factor=2.0, low=1.5, high=2.5, n=30, measured="runs", p_value=0.002, p_adjusted=0.004,
    limit=1.2, detectable=1.3, calibration=1.0, busy="", gates=True, verdict="worse",
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "can't tell with n = 100; the smallest worsening that it would show is 15.0 points"),
        (
            {"n_unknown": 3, "n_units": 20},
            "can't tell with n = 100, 3 more without a value in 20 clusters; the smallest worsening that it would show"
            ", even if it is whole clusters that are lost, is 15.0 points",
        ),
        (
            {"high": -0.01},
            "can't tell with n = 100 (looks worse, but p = 0.080 among all that gate); "
            "the smallest worsening that it would show is 15.0 points",
        ),
        (
            {"low": 0.01, "high": 0.2, "difference": 0.1, "p_adjusted": None},
            "can't tell with n = 100 (looks better, but p = 0.040); "
            "the smallest worsening that it would show is 15.0 points",
        ),
        (
            {"info": RATE, "low": 0.01, "high": 0.2, "difference": 0.1},
            "can't tell with n = 100 (looks worse, but p = 0.080 among all that gate); the smallest worsening that it "
            "would show, even if it is whole answers that are lost, is 15.0 points",
        ),
        ({"detectable": math.nan}, "can't tell with n = 100; so few would show no worsening at all"),
        ({"verdict": "worse"}, "worse (p = 0.080, 12 lost and 2 won)"),
        ({"verdict": "worse", "p_adjusted": None, "only_baseline": None}, "worse (p = 0.040)"),
        ({"verdict": "better", "p_adjusted": 0.00042}, "better (p = 4e-04, 12 lost and 2 won)"),
        ({"verdict": "better", "p_adjusted": 0.001}, "better (p = 0.001, 12 lost and 2 won)"),
        ({"verdict": "same"}, "the same within 5.0 points"),
        (
            {"verdict": "same", "is_identical": True},
            "the same: each of 100 samples scores as before; the smallest worsening that it would show is 15.0 points",
        ),
        (
            {"verdict": "same", "is_identical": True, "n": 1, "n_units": 1, "detectable": math.nan},
            "the same: the only sample scores as before; so few would show no worsening at all",
        ),
        (
            {"verdict": "same", "info": MetricInfo("Quality", unit="MOS", direction="higher", aggregation="value")},
            "the same within 0.05 MOS",
        ),
        (
            {"verdict": "same", "info": MetricInfo("Quality", unit="", direction="higher", aggregation="value")},
            "the same within 0.05",
        ),
    ],
)
def test_sentences_on_quality(given: dict[str, Any], expected: str) -> None:
    assert sentence(replace(QUALITY, **given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "slower (p = 0.004, limit 1.2 times)"),
        ({"p_adjusted": None}, "slower (p = 0.002, limit 1.2 times)"),
        ({"verdict": "better"}, "faster (p = 0.004)"),
        ({"verdict": "same"}, "the same within a factor of 1.2"),
        ({"verdict": "cannot tell"}, "can't tell with n = 30; the smallest factor that it would show is 1.30 times"),
        (
            {"verdict": "cannot tell", "detectable": math.nan},
            "can't tell with n = 30; so few would show no factor at all",
        ),
        ({"busy": "the run's machine was busy"}, "can't tell: the run's machine was busy"),
    ],
)
def test_sentences_on_speed(given: dict[str, Any], expected: str) -> None:
    assert sentence(replace(SPEED, **given)) == expected


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (replace(QUALITY, verdict="worse"), "(p = 0.080, 12 lost and 2 won)"),
        (replace(QUALITY, verdict="same"), "within 5.0 points"),
        (SPEED, "(p = 0.004, limit 1.2 times)"),
        (replace(SPEED, busy="the run's machine was busy"), "the run's machine was busy"),
        (replace(SPEED, verdict="cannot tell", detectable=math.nan), "with n = 30; so few would show no factor at all"),
    ],
)
def test_beside_its_verdict_a_sentence_does_not_repeat_it(
    verdict: QualityVerdict | SpeedVerdict, expected: str
) -> None:
    assert sentence(verdict, named=False) == expected


def test_values_in_their_units() -> None:
    value = MetricInfo("Quality", unit="MOS", direction="higher", aggregation="value")
    points = MetricInfo("Gap", unit="points", scale=100.0, direction="none", aggregation="value")
    assert quality_value(QUALITY, 0.1234) == "12.3"
    assert quality_value(QUALITY, 0.1234, signed=True) == "+12.3"
    assert quality_value(replace(QUALITY, info=points), -0.05) == "-5.0"
    assert quality_value(replace(QUALITY, info=value), 3.14159, signed=True) == "+3.142"
    assert quality_value(QUALITY, math.nan, signed=True) == "-"
    assert [speed_value(SPEED, one) for one in (0.0456, 0.9994, 1.0, 12.345)] == [
        "46 ms",
        "999 ms",
        "1.00 s",
        "12.35 s",
    ]
    assert speed_value(replace(SPEED, unit=""), 0.12345) == "0.123"
    assert difference_text(QUALITY) == "-10.0 [-20.0, +1.0]"
    assert difference_text(SPEED) == "2.00 times [1.50, 2.50]"
    assert (where(QUALITY), where(SPEED)) == ("sys · task · accuracy", "sys · task · ttft")


def result(*verdicts: QualityVerdict | SpeedVerdict, **given: Any) -> GateResult:
    quality = tuple(one for one in verdicts if isinstance(one, QualityVerdict))
    speed = tuple(one for one in verdicts if isinstance(one, SpeedVerdict))
    plain = GateResult("pass", "base", "now", (), (), (), quality, speed, (), 0.01, 0.95)
    return replace(plain, **given)


def test_a_heading_counts_what_gates_and_is_left_open() -> None:
    open_, aside = QUALITY, replace(QUALITY, gates=False)
    same = replace(QUALITY, verdict="same")
    assert heading(result(same, aside)) == "Passed: nothing that gates is worse."
    assert heading(result(open_, aside, open_, same)) == "Passed: nothing that gates is surely worse; 2 can't be told."
    assert heading(result(open_, state="regression")) == "Failed: worse than the baseline."
    assert heading(result(state="invalid")) == "No verdict: a run is not fit for it."


def test_what_differs_in_a_line() -> None:
    one = Difference("seed", "", "1", "", allowed=False, fix="run with the same seed")
    assert difference_line(one) == "seed: baseline 1, run none. Run with the same seed."
    placed = replace(one, where="mini_qa", baseline="", run="2", allowed=True)
    assert difference_line(placed) == "seed (mini_qa): baseline none, run 2. Allowed by --allow seed."


def test_markdown_folds_away_what_does_not_gate_and_what_else_differs() -> None:
    aside = replace(QUALITY, metric="wer", gates=False)
    text = markdown(result(QUALITY, aside, noted=(Noted("weights", "", "abc"),), warnings=("old",)))
    assert text.startswith("## ✅ Passed: nothing that gates is surely worse; 1 can't be told.\n\nnow against base.\n")
    gating, rest = text.split("<details><summary>Metrics that don't gate</summary>")
    assert ("accuracy" in gating, "wer" in gating, "wer" in rest) == (True, False, True)
    assert "- ⚠️ old\n" in gating
    assert "<details><summary>What else differs</summary>\n\n- weights: - → abc\n\n</details>\n" in rest
    assert "details" not in markdown(result(QUALITY))
    assert markdown(result(state="invalid", problems=("broken",))) == (
        "## ❌ No verdict: a run is not fit for it.\n\nnow against base.\n\n- broken\n"
    )
