"""Whether a run is fit to be compared: every sentence whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tttbench.gate.rules import QualityChange, Rules
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.valid import problems

Make = Callable[..., Snapshot]
WHERE = "run: text_accuracy of sys on task"


@pytest.mark.parametrize("status", ["running", "interrupted", ""])
def test_a_run_that_was_cut_off_is_that_and_nothing_else(make: Make, status: str) -> None:
    run = replace(make([1] * 4, statuses=["error"] * 4), status=status, answered=3, metrics=())
    assert problems(run, Rules()) == (
        "run: was cut off (3 answers are there); finish it with 'tttbench run SUITE --out run --resume'.",
    )


@pytest.mark.parametrize(
    ("status", "answered", "expected"),
    [
        ("done", 4, ()),
        ("done_with_errors", 4, ()),
        ("done", 5, ()),
        ("done", 3, ("run: incomplete, 3 of 4 requests are answered; --resume it.",)),
        ("incomplete", 4, ("run: incomplete, 4 of 4 requests are answered; --resume it.",)),
    ],
)
def test_a_run_that_is_incomplete(make: Make, status: str, answered: int, expected: tuple[str, ...]) -> None:
    assert problems(replace(make(), status=status, answered=answered), Rules()) == expected


def test_a_run_without_scores(make: Make) -> None:
    run = replace(make(), metrics=(), answered=3)
    assert problems(run, Rules()) == (
        "run: incomplete, 3 of 4 requests are answered; --resume it.",
        "run: has no scores, so there is nothing to compare.",
    )


def test_errors_and_failed_derivations_are_counted_apart(make: Make) -> None:
    run = make([1] * 4, statuses=["error", "derivation_failed", "derivation_failed", "ok"])
    errors = (
        f"{WHERE}: 1 of 4 ended as error, allowed are 0.0% (max_errors of [valid]); "
        "--resume --retry-errors repeats them."
    )
    failed = f"{WHERE}: 2 of 4 ended as derivation_failed, allowed are 1.0% (max_derivation_failed of [valid]); "
    assert problems(run, Rules()) == (errors, f"{failed}--resume --retry-errors repeats them.")
    assert problems(replace(run, transcribers=()), Rules()) == (errors, f"{failed}give it a --transcriber.")
    assert problems(run, Rules(max_errors=0.25, max_derivation_failed=0.5)) == ()
    # Whatever couldn't be derived stops nothing where it doesn't gate; errors do.
    aside = {"": QualityChange(gates=False)}
    assert problems(run, Rules(quality=aside)) == (errors,)
    assert problems(run, Rules(max_errors=0.3, quality=aside)) == ()


def test_a_metric_without_outcomes_has_none_that_failed(make: Make) -> None:
    run = make()
    empty = replace(run.metrics[0], outcomes={})
    rules = Rules(quality={"": QualityChange(must_be_ok=True)})
    assert problems(replace(run, metrics=(empty,)), rules) == ()


def test_every_request_must_be_ok(make: Make) -> None:
    run = make([1] * 5, statuses=["ok", "empty", "unparsed", "empty", "ok"])
    rules = Rules(quality={"task.text_accuracy": QualityChange(must_be_ok=True)})
    told = f"{WHERE}: every request must be ok (must_be_ok), 3 of 5 are not: 2 empty, 1 unparsed."
    assert problems(run, rules) == (told,)
    assert problems(run, Rules()) == problems(make([1] * 5), rules) == ()


def test_metrics_are_looked_at_one_by_one(make: Make) -> None:
    run = make([1] * 4, statuses=["error", "ok", "ok", "ok"])
    run = replace(run, metrics=(run.metrics[0], replace(run.metrics[0], name="other", system="more")))
    assert [one.split(":")[1] for one in problems(run, Rules())] == [
        " text_accuracy of sys on task",
        " other of more on task",
    ]
