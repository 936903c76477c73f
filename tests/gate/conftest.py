"""Snapshots made by hand: one system, one task, whatever verdicts and times a test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tttbench.core.records import Status
from tttbench.gate.snapshot import (
    Metric,
    Outcome,
    Peace,
    Said,
    SampleFacts,
    Snapshot,
    SystemFacts,
    TaskFacts,
    Timing,
)

Make = Callable[..., Snapshot]


@pytest.fixture
def make() -> Make:
    return make_snapshot


def make_snapshot(
    right: Sequence[float] = (1, 1, 0, 1),
    *,
    metric: str = "text_accuracy",
    kind: str = "binary",
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
    labels = [""] * len(right) if clusters is None else clusters
    return Snapshot(
        source=source,
        made_at="2026-11-01T00:00:00+00:00",
        suite="mini",
        seed=1,
        status="done",
        expected=len(right),
        answered=len(right),
        judge="ears-1",
        versions={"tttbench": "0.1.0"},
        machine={"device": "cpu", "processor": "x", "cores": 2},
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
        metrics=(Metric("sys", "task", metric, kind, lower_is_better, "m-1; judge: ears-1", outcomes),),  # type: ignore[arg-type]
        timings=()
        if times is None
        else (Timing("sys", "task", "ttft", "s", dict(zip(ids, map(float, times), strict=True))),),
        peace={("sys", "task"): Peace(0.01, 0.0)},
        said={("sys", "task"): {one: Said("yes", "", "") for one in ids}},
    )


def with_outcome(snapshot: Snapshot, **changes: object) -> Snapshot:
    """The same with fields of its only metric changed."""
    return replace(snapshot, metrics=(replace(snapshot.metrics[0], **changes),))  # type: ignore[arg-type]
