"""What verdicts are in words: every kind of sentence, value and difference, by hand."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.metric import MetricInfo
from tttbench.core.serialize import to_plain
from tttbench.gate.formats.benchmark_action import benchmark_json
from tttbench.gate.formats.document import document
from tttbench.gate.formats.junit import junit
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

from .verdicts import COULD, QUALITY, RATE, SPEED, result

Make = Callable[..., Snapshot]


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
        (
            {"verdict": "same"},
            "the same within 5.0 points; the smallest worsening that it would show is 15.0 points",
        ),
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
            "the same within 0.05 MOS; the smallest worsening that it would show is 0.15 MOS",
        ),
        (
            {"verdict": "same", "info": MetricInfo("Quality", unit="", direction="higher", aggregation="value")},
            "the same within 0.05; the smallest worsening that it would show is 0.15",
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
        (
            {"verdict": "same"},
            "the same within a factor of 1.2; the smallest factor that it would show is 1.30 times",
        ),
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
        (
            replace(QUALITY, verdict="same", detectable=math.nan),
            "within 5.0 points; so few would show no worsening at all",
        ),
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


def test_a_heading_counts_what_gates_and_is_left_open() -> None:
    open_, aside = QUALITY, replace(QUALITY, gates=False)
    same = replace(QUALITY, verdict="same")
    assert heading(result(same, aside)) == "Passed: nothing that gates is worse."
    assert (
        heading(result(open_, aside, open_, same)) == "Passed: nothing that gates is surely worse; for 2 it can't tell."
    )
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
    assert text.startswith(
        f"## ✅ Passed: nothing that gates is surely worse; for 1 it can't tell.\n\n{COULD}\n\nnow against base.\n"
    )
    gating, rest = text.split("<details><summary>Metrics that don't gate</summary>")
    assert ("| accuracy |" in gating, "| wer |" in gating, "| wer |" in rest) == (True, False, True)
    assert "- ⚠️ old\n" in gating
    assert "<details><summary>What else differs</summary>\n\n- weights: - → abc\n\n</details>\n" in rest
    assert "details" not in markdown(result(QUALITY))
    assert markdown(result(state="invalid", problems=("broken",))) == (
        "## ❌ No verdict: a run is not fit for it.\n\nnow against base.\n\n- broken\n"
    )


def odd_result() -> GateResult:
    """With every kind of verdict, on either side, and everything else that a result can have."""
    return result(
        replace(QUALITY, verdict="same"),
        replace(QUALITY, metric="wer", info=RATE, verdict="worse", high=-0.05),
        replace(QUALITY, metric="aside", verdict="worse", gates=False),
        replace(QUALITY, metric="nothing", low=math.nan, high=math.nan, p_value=0.5),
        SPEED,
        replace(SPEED, figure="rtf", unit="ratio", run=0.123456789, verdict="better"),
        state="regression",
        problems=("run a: broken: twice.", "odd"),
        differences=(
            Difference("data", "t", "a", "b", allowed=True, fix="run it"),
            Difference("prompt", "", "", "c", allowed=False, fix="run it"),
        ),
        noted=(Noted("weights", "", "abc"), Noted("seed", "1", "2")),
    )


def test_a_whole_page_of_markdown() -> None:
    open_ = "can't tell with n = 100; the smallest worsening that it would show is 15.0 points"
    head = ["| | system | task | metric | baseline | run | difference | |", "|---|---|---|---|--:|--:|--:|---|"]
    assert markdown(odd_result()).splitlines() == [
        "## ❌ Failed: worse than the baseline.",
        "",
        "now against base.",
        "",
        "- run a: broken: twice.",
        "- odd",
        "- data (t): baseline a, run b. Allowed by --allow data.",
        "- prompt: baseline none, run c. Run it.",
        "",
        *head,
        "| 🔴 | sys | task | wer | 90.0 | 80.0 | -10.0 \\[-20.0, -5.0\\] | worse (p = 0.080, 12 lost and 2 won) |",
        "| 🔴 | sys | task | ttft | 100 ms | 200 ms "
        "| 2.00 times \\[1.50, 2.50\\] | slower (p = 0.004, limit 1.2 times) |",
        "| 🟢 | sys | task | rtf | 0.1 | 0.123 | 2.00 times \\[1.50, 2.50\\] | faster (p = 0.004) |",
        f"| 🟡 | sys | task | nothing | 90.0 | 80.0 | -10.0 | {open_} |",
        "| ⚪ | sys | task | accuracy | 90.0 | 80.0 | -10.0 \\[-20.0, +1.0\\] "
        "| the same within 5.0 points; the smallest worsening that it would show is 15.0 points |",
        "",
        "<details><summary>Metrics that don't gate</summary>",
        "",
        *head,
        "| 🔴 | sys | task | aside | 90.0 | 80.0 | -10.0 \\[-20.0, +1.0\\] | worse (p = 0.080, 12 lost and 2 won) |",
        "",
        "</details>",
        "",
        "<details><summary>What else differs</summary>",
        "",
        "- weights: - → abc",
        "- seed: 1 → 2",
        "",
        "</details>",
    ]
    hostile = result(replace(QUALITY, metric="a|b\\c`d*e_f<g>[h]\n i", verdict="same"))
    assert "| a\\|b\\\\c\\`d\\*e\\_f&lt;g&gt;\\[h\\] i |" in markdown(hostile)


def test_a_whole_junit_document() -> None:
    root = ET.fromstring(junit(odd_result()))
    assert (root.tag, root.get("name")) == ("testsuites", "tttbench gate")
    (suite,) = root
    assert (suite.tag, suite.get("name")) == ("testsuite", "base → now")
    counts = {"tests": "10", "failures": "2", "errors": "3", "skipped": "2"}
    for element in (root, suite):
        assert {name: element.get(name) for name in counts} == counts
    found = [
        (case.get("classname"), case.get("name"), *((one.tag, one.get("message"), one.text) for one in case))
        for case in suite.iter("testcase")
    ]
    assert [(one.get("name"), one.get("value")) for one in suite.iter("property")] == [
        ("outcome", "Failed: worse than the baseline.")
    ]
    open_ = "can't tell with n = 100; the smallest worsening that it would show is 15.0 points"
    assert found == [
        ("gate.valid", "run a", ("error", "run a: broken: twice.", None)),
        ("gate.valid", "odd", ("error", "odd", None)),
        ("gate.comparable", "data", ("skipped", "data (t): baseline a, run b. Allowed by --allow data.", None)),
        ("gate.comparable", "prompt", ("error", "prompt: baseline none, run c. Run it.", None)),
        (
            "gate.quality",
            "sys · task · accuracy",
            (
                "system-out",
                None,
                "sys · task · accuracy: -10.0 [-20.0, +1.0]; the same within 5.0 points; "
                "the smallest worsening that it would show is 15.0 points",
            ),
        ),
        (
            "gate.quality",
            "sys · task · wer",
            ("failure", "worse (p = 0.080, 12 lost and 2 won)", "sys · task · wer: -10.0 [-20.0, -5.0]"),
        ),
        # What doesn't gate fails nothing.
        (
            "gate.quality",
            "sys · task · aside",
            ("system-out", None, "sys · task · aside: -10.0 [-20.0, +1.0]; worse (p = 0.080, 12 lost and 2 won)"),
        ),
        ("gate.quality", "sys · task · nothing", ("skipped", open_, "sys · task · nothing: -10.0")),
        (
            "gate.speed",
            "sys · task · ttft",
            ("failure", "slower (p = 0.004, limit 1.2 times)", "sys · task · ttft: 2.00 times [1.50, 2.50]"),
        ),
        (
            "gate.speed",
            "sys · task · rtf",
            ("system-out", None, "sys · task · rtf: 2.00 times [1.50, 2.50]; faster (p = 0.004)"),
        ),
    ]
    passed = ET.fromstring(junit(result(replace(QUALITY, verdict="same"))))
    assert [one.get("value") for one in passed.iter("property")] == [f"Passed: nothing that gates is worse. {COULD}"]
    text = junit(odd_result())
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tttbench gate" tests="10"')
    assert text.endswith("\n</testsuites>\n")
    assert "\n    <testcase " in text
    (alone,) = ET.fromstring(junit(result())).iter("testcase")
    assert (alone.get("classname"), alone.get("name"), len(alone)) == (
        "gate",
        "Passed: nothing that gates is worse.",
        0,
    )


def test_whole_files_for_drawing_over_commits() -> None:
    given = odd_result()
    bigger, smaller = (json.loads(benchmark_json(given, bigger_is_better=one)) for one in (True, False))
    assert [one["name"].split(" · ")[2] for one in bigger] == ["accuracy", "aside", "nothing"]
    assert bigger[0] == {
        "name": "sys · task · accuracy",
        "unit": "%",
        "value": 80.0,
        "range": "± 11 (difference)",
        "extra": "n = 100; baseline 90; same",
    }
    assert bigger[2]["range"] == ""
    assert [one["name"].split(" · ")[2] for one in smaller] == ["wer", "ttft", "rtf"]
    assert smaller[1:] == [
        {"name": "sys · task · ttft", "unit": "s", "value": 0.2, "range": "", "extra": "n = 30; baseline 0.1; worse"},
        {
            "name": "sys · task · rtf",
            "unit": "ratio",
            "value": 0.123457,
            "range": "",
            "extra": "n = 30; baseline 0.1; better",
        },
    ]
    third = result(replace(QUALITY, run=1 / 3))
    text = benchmark_json(third, bigger_is_better=True)
    assert json.loads(text)[0]["value"] == 33.3333
    assert text.startswith('[\n {\n  "name": "sys · task · accuracy"')
    assert text.endswith("]\n")


def test_the_whole_document_of_a_result() -> None:
    given = result(QUALITY, SPEED, warnings=("old",), noted=(Noted("seed", "1", "2"),))
    quality, speed = ({**to_plain(one), "says": sentence(one)} for one in (QUALITY, SPEED))  # type: ignore[dict-item]  # plain fields
    assert document(given) == {
        "status": "pass",
        "exit_code": 0,
        "says": f"Passed: nothing that gates is surely worse; for 1 it can't tell. {COULD[:-1]}"
        ", a factor of 1.30 (ttft of sys on task, n = 30).",
        "baseline": "base",
        "run": "now",
        "problems": [],
        "differences": [],
        "noted": [{"what": "seed", "baseline": "1", "run": "2"}],
        "quality": [quality],
        "speed": [speed],
        "warnings": ["old"],
        "alpha": 0.01,
        "power": 0.95,
    }


@pytest.mark.parametrize(
    ("given", "looks"),
    [
        ({"low": -0.2, "high": 0.0}, ""),
        ({"low": 0.0, "high": 0.2, "difference": 0.1}, ""),
        ({"low": math.nan, "high": math.nan, "p_value": 0.06}, ""),
        ({"low": math.nan, "high": math.nan}, " (looks worse, but p = 0.080 among all that gate)"),
        ({"low": 0.1, "high": 0.2, "difference": 0.15}, " (looks better, but p = 0.080 among all that gate)"),
        ({"low": -0.2, "high": -0.1, "info": RATE}, " (looks better, but p = 0.080 among all that gate)"),
    ],
)
def test_an_interval_on_one_side_looks_like_something(given: dict[str, Any], looks: str) -> None:
    assert sentence(replace(QUALITY, **given)).startswith(f"can't tell with n = 100{looks};")


def test_clusters_and_open_figures_that_do_not_gate() -> None:
    clustered = replace(QUALITY, n_units=9, verdict="same", is_identical=True, info=RATE)
    assert sentence(clustered).endswith("even if it is whole clusters that are lost, is 15.0 points")
    open_ = replace(SPEED, verdict="cannot tell")
    assert heading(result(QUALITY, open_, replace(open_, gates=False))).endswith("surely worse; for 2 it can't tell.")
    assert heading(result(state="not comparable")) == "No verdict: the runs can't be compared."
    assert [speed_value(SPEED, one) for one in (0.9999, 1.0)] == ["1000 ms", "1.00 s"]
    assert quality_value(QUALITY, 0.0, signed=True) == "+0.0"
