"""Snapshots made by hand: one system, one task, whatever verdicts and times a test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.exchange import Status
from tttbench.core.metric import Aggregation, MetricInfo
from tttbench.core.recipe import Recipe
from tttbench.gate.snapshot import (
    AnswerText,
    Metric,
    Outcome,
    SampleFacts,
    Snapshot,
    SystemFacts,
    TaskFacts,
    Timing,
)
from tttbench.probes.machine_load import MachineLoad
from tttbench.store.manifest import Machine

Make = Callable[..., Snapshot]


@pytest.fixture
def make() -> Make:
    return make_snapshot


def make_snapshot(
    right: Sequence[float] = (1, 1, 0, 1),
    *,
    metric: str = "text_accuracy",
    kind: Aggregation = "binary",
    units: Sequence[float] | None = None,
    times: Sequence[float] | None = None,
    clusters: Sequence[str] | None = None,
    statuses: Sequence[Status] | None = None,
    lower_is_better: bool = False,
    source: str = "run",
) -> Snapshot:
    """A finished run of ``sys`` on ``task``: ``right`` are numerators, ``units`` denominators (default 1)."""
    ids = [f"s{at}" for at in range(len(right))]
    denominators = [1.0] * len(right) if units is None else units
    states: Sequence[Status] = ["ok"] * len(right) if statuses is None else statuses
    outcomes = {
        one: Outcome(float(r), float(u), s) for one, r, u, s in zip(ids, right, denominators, states, strict=True)
    }
    share = kind != "value"
    info = MetricInfo(
        metric,
        unit="%" if share else "",
        scale=100.0 if share else 1.0,
        direction="lower" if lower_is_better else "higher",
        aggregation=kind,
    )
    labels = [""] * len(right) if clusters is None else clusters
    return Snapshot(
        source=source,
        made_at="2026-11-01T00:00:00+00:00",
        suite="mini",
        seed=1,
        status="done",
        expected=len(right),
        answered=len(right),
        transcribers=("ears-1",),
        versions={"tttbench": "0.1.0"},
        machine=Machine("cpu", processor="x", cores=2),
        systems={"sys": SystemFacts("ttt:mini", "topk", {}, "abc", (1,))},
        tasks={
            "task": TaskFacts(
                "qa",
                "answer",
                "d1",
                (metric,),
                {one: SampleFacts("yes", c) for one, c in zip(ids, labels, strict=True)},
            )
        },
        metrics=(Metric("sys", "task", metric, info, Recipe("m@1", transcriber="ears-1"), outcomes),),
        timings=()
        if times is None
        else (Timing("sys", "task", "ttft", "s", dict(zip(ids, map(float, times), strict=True))),),
        loads={("sys", "task"): MachineLoad(0.01, 0.0)},
        answers={("sys", "task"): {one: AnswerText("yes", "", "") for one in ids}},
    )


def with_outcome(snapshot: Snapshot, **changes: Any) -> Snapshot:
    """The same with fields of its only metric changed."""
    return replace(snapshot, metrics=(replace(snapshot.metrics[0], **changes),))
