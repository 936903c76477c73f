"""Every field of a manifest and a summary of format 2 that differs from its default, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tttbench.core.json_values import JsonObject
from tttbench.core.metric import TOPLINE, FrontierPoint, MetricInfo, ProbeResult, Result
from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Modality
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.core.tables import Document
from tttbench.store.format2.documents import manifest_of, summary_of
from tttbench.store.manifest import (
    DeriverEntry,
    Machine,
    Manifest,
    Session,
    Skipped,
    SuiteEntry,
    Summary,
    SystemEntry,
    TaskEntry,
)

SYSTEM: JsonObject = {
    "name": "ttt:mini",
    "strategy": "topk",
    "batch_size": 4,
    "decode": {"steps": 2},
    "card": {
        "system": "ttt:mini@1",
        "strategy": "threshold",
        "weights_sha256": "aa",
        "codec_sha256": "bb",
        "prompts": {"asr": "Transcribe.", "n": 5},
        "decode": {"steps": 3},
        "recipe": "r-1",
        "parameters": 7,
    },
    "kinds": ["qa"],
    "used_strategy": "used",
    "peak_rss_bytes": 99,
}

TASK: JsonObject = {
    "title": "Title",
    "kind": "qa",
    "description": "Questions.",
    "metrics": ["text_accuracy", "spoken_accuracy", "self_wer"],
    "instruction": "Answer.",
    "n": 5,
    "limit": 6,
    "data": "/data",
    "data_sha256": "cc",
}

SUITE: JsonObject = {
    "name": "s",
    "title": "S",
    "seed": 3,
    "judge": "whisper:x",
    "batch_size": 4,
    "resamples": 50,
    "warmup": 2,
    "oracle": TOPLINE,
    "unknown": 1,
}

MANIFEST: JsonObject = {
    "format": 2,
    "status": "done",
    "suite": SUITE,
    "systems": {TOPLINE: SYSTEM},
    "tasks": {"t": TASK},
    "judge": {"system": "whisper:x", "recipe": "whisper-1", "card": {"parameters": 5}},
    "versions": {"python": "3.11"},
    "machine": {"device": "cuda", "cores": 2},
    "sessions": [{"command": ["tttbench", "run"], "started_at": "now", "ended_at": "then", "status": "done"}],
}


def made(values: JsonObject) -> Manifest:
    return manifest_of(Document(values, "manifest.json", "JSON"))


def card_of(**given: Any) -> SystemCard:
    card = made({**MANIFEST, "systems": {"a": {**SYSTEM, **given}}}).systems["a"].card
    assert card is not None
    return card


def test_a_whole_manifest() -> None:
    by_whisper = {"transcriber": "whisper:x"}
    label = f"{TOPLINE} (system)"
    capability = Capability(produces=frozenset({"text", "audio"}), families=frozenset({"qa"}))
    assert made(MANIFEST) == Manifest(
        suite=SuiteEntry("s", "S", 3, 4, 50, 2, 1, label),
        systems={
            label: SystemEntry(
                "ttt:mini",
                "topk",
                {"steps": 2},
                4,
                SystemCard(
                    "ttt:mini@1",
                    capability,
                    strategy="threshold",
                    weights_sha256="aa",
                    codec="bb",
                    prompts={"asr": "Transcribe.", "n": "5"},
                    settings={"steps": 3},
                    identity={"recipe": "r-1"},
                    details={"parameters": 7},
                ),
                99,
            )
        },
        tasks={
            "t": TaskEntry(
                "Title",
                "qa",
                "Questions.",
                "Answer.",
                scores=(
                    ScoreSpec("text_accuracy", "text_accuracy"),
                    ScoreSpec("spoken_accuracy", "spoken_accuracy", by_whisper),
                    ScoreSpec("self_wer", "self_wer", by_whisper),
                    ScoreSpec("spoken_gap", "spoken_gap", by_whisper),
                    ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": label}),
                ),
                n=5,
                limit=6,
                data="/data",
            )
        },
        derivers={"transcriber:whisper:x": DeriverEntry("whisper-1", {"parameters": 5})},
        versions={"python": "3.11"},
        machine=Machine("cuda", cores=2),
        sessions=(Session(("tttbench", "run"), "now", "then", "done"),),
        status="done",
    )


@pytest.mark.parametrize(
    ("metrics", "ids"),
    [
        (["text_accuracy"], ["text_accuracy"]),
        (["spoken_accuracy"], ["spoken_accuracy"]),
        (["wer", "cer"], ["wer", "cer"]),
    ],
)
def test_a_gap_needs_both_sides(metrics: list[str], ids: list[str]) -> None:
    found = made({**MANIFEST, "suite": {**SUITE, "oracle": ""}, "tasks": {"t": {**TASK, "metrics": metrics}}})
    assert [spec.id for spec in found.tasks["t"].scores] == ids
    assert found.suite.oracle == ""


def test_what_an_entry_does_not_say_is_unknown() -> None:
    given = {name: value for name, value in SYSTEM.items() if name not in ("kinds", "used_strategy", "peak_rss_bytes")}
    entry = made({**MANIFEST, "systems": {"a": {**given, "card": {"x": 1}}}}).systems["a"]
    both: frozenset[Modality] = frozenset({"text", "audio"})
    assert entry.peak_rss_bytes == 0
    assert entry.card == SystemCard("ttt:mini", Capability(produces=both), details={"x": 1})


@pytest.mark.parametrize(
    ("kinds", "card", "produces", "families"),
    [
        (["asr"], {}, {"text"}, {"asr"}),
        (["asr"], {"codec_sha256": "bb"}, {"text", "audio"}, {"asr"}),
        (["asr"], {"speaks": True}, {"text", "audio"}, {"asr"}),
        (["qa"], {}, {"text", "audio"}, {"qa"}),
        (["qa"], {"speaks": False, "codec_sha256": "bb"}, {"text"}, {"qa"}),
        (["qa", "asr"], {}, {"text", "audio"}, None),
        (["qa", "asr", "x"], {}, {"text", "audio"}, None),
        ([], {"speaks": False}, {"text"}, None),
    ],
)
def test_what_a_system_is_capable_of(
    kinds: list[str], card: Mapping[str, object], produces: set[Modality], families: set[str] | None
) -> None:
    found = card_of(kinds=kinds, card={"dtype": "bf16", **card}).capability
    expected = None if families is None else frozenset(families)
    assert found == Capability(produces=frozenset(produces), families=expected)


def test_what_is_not_of_the_usual_form_stays_to_be_read() -> None:
    found = card_of(card={"decode": "greedy", "prompts": "none", "strategy": ""}, used_strategy="topk")
    assert (found.settings, found.prompts, found.strategy, found.identity) == ({"decode": "greedy"}, {}, "", {})
    assert card_of(card={"x": 1}, used_strategy="topk").strategy == "topk"


def row(system: str, task: str, metric: str, **given: object) -> dict[str, Any]:
    return {
        "system": system,
        "task": task,
        "metric": metric,
        "value": 0.5,
        "ci_low": 0.25,
        "ci_high": 0.75,
        "n": 15,
        "ok": 5,
        "empty": 4,
        "unparsed": 3,
        "judge_failed": 0,
        "error": 1,
        "recipe": f"{metric}-1",
        "value_best": 0.625,
        "value_worst": 0.375,
        "lower_is_better": False,
        **given,
    }


def result(system: str, task: str, metric: str) -> Result:
    return Result(system, task, metric, 0.5, 0.25, 0.75, 15, 5, 4, 3, 0, 1, Recipe(f"{metric}@1"), 0.625, 0.375)


POINT: JsonObject = {
    "system": TOPLINE,
    "task": "t",
    "metric": "wer",
    "lower_is_better": True,
    "quality": 0.5,
    "quality_low": 0.25,
    "quality_high": 0.75,
    "seconds": 1.5,
    "seconds_low": 1.25,
    "seconds_high": 1.75,
    "n": 3,
    "n_timed": 2,
    "beaten_by": [TOPLINE, "b"],
}

SUMMARY: JsonObject = {
    "format": 2,
    "status": "done",
    "expected": 8,
    "answered": 7,
    "counts": {"error": 1, "judge_failed": 2, "ok": 4},
    "results": [row("a", "t", "wer"), row("a", "u", "mine"), row(TOPLINE, "t", "wer")],
    "gaps": [row("a", "t", "spoken_gap"), row("c", "t", "spoken_gap")],
    "ceiling": [row("true recordings", "t", "yours")],
    "probes": [
        {
            "system": TOPLINE,
            "strategy": "k",
            "task": "t",
            "metric": "ttft",
            "unit": "s",
            "p50": 1.0,
            "p90": 2.0,
            "p99": 3.0,
            "n": 4,
        },
    ],
    "skipped": [{"system": TOPLINE, "task": "t", "reason": "why"}],
    "frontier": [POINT],
    "unknown": 1,
}


def test_a_whole_summary() -> None:
    label = f"{TOPLINE} (system)"
    assert summary_of(Document(SUMMARY, "summary.json", "JSON"), {"mine": "binary", "yours": "value"}) == Summary(
        status="done",
        expected=8,
        answered=7,
        counts={"ok": 4, "derivation_failed": 2, "error": 1},
        metrics={
            "wer": build_scorer(ScoreSpec("wer", "wer")).info,
            "spoken_gap": build_scorer(ScoreSpec("spoken_gap", "spoken_gap")).info,
            "mine": MetricInfo("mine", "", "", "%", 100, "higher", "binary", 0, 1),
            "yours": MetricInfo("yours", direction="higher"),
        },
        results=(
            result("a", "t", "wer"),
            result("a", "t", "spoken_gap"),
            result("a", "u", "mine"),
            result(label, "t", "wer"),
            result("c", "t", "spoken_gap"),
        ),
        topline=(result(TOPLINE, "t", "yours"),),
        probes=(ProbeResult(label, "k", "t", "ttft", "s", 1.0, 2.0, 3.0, 4),),
        frontier=(FrontierPoint(label, "t", "wer", True, 0.5, 0.25, 0.75, 1.5, 1.25, 1.75, 3, 2, (label, "b")),),
        skipped=(Skipped(label, "t", "why"),),
    )


@pytest.mark.parametrize(
    ("kind", "lower_is_better", "info"),
    [
        ("rate", True, MetricInfo("mine", "", "", "%", 100, "lower", "rate", 0, None)),
        ("rate", False, MetricInfo("mine", "", "", "%", 100, "higher", "rate", 0, None)),
        ("binary", True, MetricInfo("mine", "", "", "%", 100, "lower", "binary", 0, 1)),
        ("value", True, MetricInfo("mine", direction="lower")),
        (None, False, MetricInfo("mine", direction="higher")),
    ],
)
def test_a_metric_without_a_scorer_is_what_its_scores_are(
    kind: str | None, lower_is_better: bool, info: MetricInfo
) -> None:
    values = {**SUMMARY, "results": [row("a", "t", "mine", lower_is_better=lower_is_better)], "gaps": [], "ceiling": []}
    kinds = {} if kind is None else {"mine": kind}
    assert summary_of(Document(values, "summary.json", "JSON"), kinds).metrics == {"mine": info}


def test_gaps_stand_behind_the_last_row_of_their_cell_even_where_cells_are_mixed() -> None:
    results = [row("a", "t", "x"), row("a", "t", "y"), row("a", "u", "x"), row("b", "u", "x")]
    gaps = [row("b", "u", "g"), row("a", "u", "g"), row("a", "u", "h"), row("a", "t", "g")]
    values = {**SUMMARY, "results": results, "gaps": gaps, "ceiling": []}
    found = summary_of(Document(values, "summary.json", "JSON"), {}).results
    assert ["".join((one.system, one.task, one.metric)) for one in found] == [
        *("atx", "aty", "atg", "aux", "aug", "auh", "bux", "bug"),
    ]


def test_failed_judgements_were_counted_as_wrong() -> None:
    values = {**SUMMARY, "results": [row("a", "t", "wer", judge_failed=2)], "gaps": [], "ceiling": []}
    (found,) = summary_of(Document(values, "summary.json", "JSON"), {}).results
    assert (found.derivation_failed, found.recipe) == (2, Recipe("wer@1", denominator="failed-derivations-wrong@1"))
