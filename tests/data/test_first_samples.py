"""A limit takes the first samples, and conversations whole: what is asked can be graded."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tttbench.config.suite import TaskPlan
from tttbench.core.sample import CONVERSATION, Sample, Turn
from tttbench.data.first_samples import first_samples
from tttbench.data.sources.uro_bench import list_uro_bench
from tttbench.pipeline.dry_run import preview
from tttbench.pipeline.plan import make_plan, manifest_of
from tttbench.scorers.judges import rounds_of

from ..pipeline.test_plan import made, registered, suite_of
from .test_uro_bench import write


def ids(samples: object) -> list[str]:
    return [one.id for one in samples]  # type: ignore[attr-defined]


@pytest.mark.parametrize("history", ["own", "references"])
@pytest.mark.parametrize(("limit", "n"), [(None, 4), (1, 2), (2, 2), (3, 4), (4, 4), (9, 4)])
def test_a_conversation_is_taken_whole(tmp_path: Path, history: str, limit: int | None, n: int) -> None:
    listed = list_uro_bench(write(tmp_path, ["MtBenchEval-en"]), set="MtBenchEval-en", history=history)
    chosen = first_samples(listed, limit)
    assert ids(chosen) == ["7-1", "7-2", "9-1", "9-2"][:n]
    # Every conversation of which a round is asked has the round that is graded.
    assert {one.cluster for one in chosen} == {one.cluster for one in chosen if rounds_of(one)}


def test_rounds_need_not_follow_each_other_and_may_be_graded_one_by_one() -> None:
    a1, b1 = (Sample(name, (Turn("user", "?"),)) for name in ("a1", "b1"))
    a2 = Sample("a2", (*a1.turns, Turn("assistant", answer_to="a1"), Turn("user", "??")))
    a3 = Sample("a3", (*a2.turns, Turn("assistant", answer_to="a2"), Turn("user", "???")))
    assert ids(first_samples([a1, b1, a2, a3], 1)) == ["a1", "a2", "a3"]
    assert ids(first_samples([b1, a1, a2, a3], 1)) == ["b1"]
    # One round names only the round before it.
    a3 = Sample("a3", (Turn("assistant", answer_to="a2"), Turn("user", "???")))
    assert ids(first_samples([a1, b1, a3, a2], 1)) == ["a1", "a3", "a2"]


def test_samples_of_one_cluster_are_no_conversation() -> None:
    samples = [Sample(name, (Turn("user", "?"),), cluster="speaker") for name in "abc"]
    assert ids(first_samples(samples, 2)) == ["a", "b"]


def test_a_run_says_that_it_takes_more_than_its_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    told = json.dumps([{"id": one, "question": "?", "references": []} for one in ("1", "2")])
    rounds = (Sample("1", (Turn("user", "?"),)), Sample("2", (Turn("user", "?"),), metadata={CONVERSATION: told}))
    registered(monkeypatch, made("t", *rounds, Sample("3", (Turn("user", "?"),))))
    for limit, n in ((1, 2), (2, 2), (3, 3)):
        caplog.clear()
        suite = suite_of(TaskPlan("t", limit))
        plan = make_plan(suite, "cpu")
        entry = manifest_of(plan).tasks["t"]
        assert (len(plan.tasks[0].samples), entry.n, entry.limit, preview(suite, "cpu").tasks[0].n) == (n, n, limit, n)
        said = [one.getMessage() for one in caplog.records if "taken whole" in one.getMessage()]
        assert said == (
            ["task t: 2 samples, not 1: a conversation that --limit would cut is taken whole."] if n > limit else []
        )
