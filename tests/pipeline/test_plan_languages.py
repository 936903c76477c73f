"""In which language a task's answers are: the sample's, else the suite's, else the task's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.config.suite import TaskPlan
from tttbench.core.errors import UserError
from tttbench.pipeline.plan import generate_item, listing_sha256, make_plan, manifest_of, refuse_other_run

from .test_plan import A, B, made, registered, suite_of


def test_a_suite_s_language_comes_before_the_task_s_and_behind_the_sample_s(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, made("t", A, B, language="en"))
    plans = [make_plan(suite_of(TaskPlan("t", language=language)), "cpu") for language in ("", "de")]
    (task,) = plans[1].tasks
    assert [one.language for one in task.samples] == ["de", "zh"]
    assert generate_item(task.task, A, "x", 0).language == "de"
    english, german = map(manifest_of, plans)
    assert german.tasks["t"].language == "de"
    assert german.tasks["t"].listing_sha256 == english.tasks["t"].listing_sha256
    with pytest.raises(UserError, match=r"task t: language differs: the run has 'en', this call gives 'de'"):
        refuse_other_run(Path("run"), english, german)


def test_a_sample_s_own_language_is_part_of_the_listing() -> None:
    assert listing_sha256([B]) != listing_sha256([replace(B, language="")])
    assert listing_sha256([B], "zh") == listing_sha256([replace(B, language="")], "zh")
