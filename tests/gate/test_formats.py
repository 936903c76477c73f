"""The outcome for machines: JUnit, Markdown, github-action-benchmark, JSON, and the words they share."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

from tttbench.core.recipe import Recipe
from tttbench.gate.decide import gate
from tttbench.gate.formats.benchmark_action import benchmark_json
from tttbench.gate.formats.document import document
from tttbench.gate.formats.junit import junit
from tttbench.gate.formats.markdown import markdown
from tttbench.gate.formats.words import heading, sentence
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.verdict import GateResult
from tttbench.probes.machine_load import MachineLoad

Make = Callable[..., Snapshot]


def worse(make: Make) -> GateResult:
    return gate(make([1] * 20, times=[1.0] * 20), make([0] * 8 + [1] * 12, times=[1.0] * 20), Rules())


def test_junit_has_a_case_for_each_metric_and_a_failure_for_the_worse_one(make: Make) -> None:
    root = ET.fromstring(junit(worse(make)))
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    (failure,) = root.iter("failure")
    assert "worse (p = " in str(failure.get("message"))
    assert [case.get("name") for case in root.iter("testcase")] == [
        "sys · task · text_accuracy",
        "sys · task · ttft",
    ]


def test_junit_says_why_there_is_no_verdict(make: Make) -> None:
    base = make()
    other = replace(base.metrics[0], recipe=Recipe("m@1", transcriber="ears\x00-2"))
    root = ET.fromstring(junit(gate(base, replace(base, metrics=(other,)), Rules())))
    (error,) = root.iter("error")
    assert "transcriber: baseline ears-1, run ears\ufffd-2" in str(error.get("message"))


def test_junit_is_never_empty(make: Make) -> None:
    result = replace(worse(make), quality=(), speed=(), state="pass")
    assert ET.fromstring(junit(result)).get("tests") == "1"


def test_markdown_lists_the_worse_first_and_keeps_text_in_its_cell(make: Make) -> None:
    text = markdown(worse(make))
    rows = [line for line in text.splitlines() if "| sys |" in line]
    assert rows[0].startswith("| 🔴 | sys | task | text\\_accuracy | 100.0 | 60.0 | -40.0 \\[")
    assert text.startswith("## ❌ Failed: worse than the baseline.")
    hostile = replace(worse(make), run="a`\n# Owned <img>")
    assert "a\\` # Owned &lt;img&gt; against" in markdown(hostile)
    odd = replace(worse(make), problems=("a | b\n<img>",), quality=(), speed=())
    assert "- a \\| b &lt;img&gt;" in markdown(odd)


def test_benchmark_json_has_a_file_for_each_direction(make: Make) -> None:
    bigger = json.loads(benchmark_json(worse(make), bigger_is_better=True))
    smaller = json.loads(benchmark_json(worse(make), bigger_is_better=False))
    assert [(one["name"], one["unit"], one["value"]) for one in bigger] == [("sys · task · text_accuracy", "%", 60.0)]
    assert [(one["name"], one["unit"], one["value"]) for one in smaller] == [("sys · task · ttft", "s", 1.0)]


def test_the_document_holds_everything(make: Make) -> None:
    plain = document(worse(make))
    assert (plain["status"], plain["exit_code"]) == ("regression", 1)
    assert json.loads(json.dumps(plain))["quality"][0]["only_baseline"] == 8


class TestWords:
    def test_same(self, make: Make) -> None:
        result = gate(make([1] * 20), make([1] * 20), Rules())
        # 6 of 20 lost, none won: 2 / 2^6 = 0.03 > 0.02; 7 make 0.016. At 50.8 % of 20, 95 % have at least 7.
        assert sentence(result.quality[0]) == (
            "the same: each of 20 samples scores as before; the smallest worsening that it would show is 50.8 points"
        )

    def test_an_accuracy_cannot_fall_by_more_than_it_is(self, make: Make) -> None:
        run = make([1] * 5 + [0] * 15)
        assert sentence(gate(run, run, Rules()).quality[0]).endswith("so few would show no worsening at all")

    def test_a_rate_counts_on_whole_answers_being_lost(self, make: Make) -> None:
        run = make([0] * 200, kind="rate", units=[10] * 200, lower_is_better=True)
        # 7 of 200 answers, with 95 %: P(Binomial(200, s) >= 7) = 0.95 at s = 5.8 %, and ten words each.
        assert "even if it is whole answers that are lost, is 5.8 points" in sentence(
            gate(run, run, Rules()).quality[0]
        )

    def test_a_single_sample_says_that_it_is_one(self, make: Make) -> None:
        assert sentence(gate(make([1]), make([1]), Rules()).quality[0]).startswith("the same: the only sample scores")

    def test_cannot_tell_says_how_it_looks(self, make: Make) -> None:
        result = gate(make([1] * 20), make([0] * 5 + [1] * 15), Rules())
        assert sentence(result.quality[0]).startswith(
            "can't tell with n = 20 (looks worse, but p = 0.062 among all that gate); "
        )
        assert heading(result) == "Passed: nothing that gates is surely worse; for 1 it can't tell."

    def test_too_few(self, make: Make) -> None:
        result = gate(make([1, 1]), make([1, 0]), Rules())
        assert sentence(result.quality[0]) == "can't tell with n = 2; so few would show no worsening at all"

    def test_clusters_are_counted(self, make: Make) -> None:
        clusters = list("aabbccddee")
        result = gate(make([1] * 10, clusters=clusters), make([0] + [1] * 9, clusters=clusters), Rules())
        assert "n = 10 in 5 clusters" in sentence(result.quality[0])

    def test_a_busy_machine(self, make: Make) -> None:
        base = make([1] * 8, times=[1.0] * 8)
        result = gate(base, replace(base, loads={("sys", "task"): MachineLoad(0.01, 1.0)}), Rules())
        assert sentence(result.speed[0]) == (
            "can't tell: during the run other processes kept 1.0 cores busy (allowed: 0.2)"
        )
