"""The gate's outcome: which state, which exit code, and what is said about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.recipe import Recipe
from tttbench.gate.decide import gate, renamed
from tttbench.gate.rules import QualityChange, Rules, SpeedChange
from tttbench.gate.snapshot import Snapshot, SystemFacts
from tttbench.store.manifest import Machine

Make = Callable[..., Snapshot]
NO_SPEED = Rules(speed="off")


def test_a_run_against_itself_passes(make: Make) -> None:
    result = gate(make(), make(), Rules())
    assert (result.state, result.exit_code) == ("pass", 0)
    assert [one.verdict for one in result.quality] == ["same"]


def test_many_answers_that_turn_wrong_are_a_regression(make: Make) -> None:
    result = gate(make([1] * 20), make([0] * 8 + [1] * 12), NO_SPEED)
    (one,) = result.quality
    # McNemar: 8 lost, none won: 2 / 2^8.
    assert one.p_value == pytest.approx(2 / 256)
    assert (one.only_baseline, one.only_run) == (8, 0)
    assert (one.verdict, result.exit_code) == ("worse", 1)
    assert result.worse == (one,)


def test_many_answers_that_turn_right_are_better(make: Make) -> None:
    result = gate(make([0] * 8 + [1] * 12), make([1] * 20), NO_SPEED)
    assert result.quality[0].verdict == "better"
    assert result.exit_code == 0


def test_few_that_turn_wrong_cannot_be_told(make: Make) -> None:
    (one,) = gate(make([1] * 20), make([0] * 3 + [1] * 17), NO_SPEED).quality
    assert one.verdict == "cannot tell"
    assert one.detectable > 0.15


def test_within_the_margin_is_the_same_however_sure(make: Make) -> None:
    # One edit or two of 1,000 units more in every one of 40 samples: sure, and next to nothing.
    before = make([100] * 40, kind="rate", units=[1000] * 40, lower_is_better=True)
    now = make([101, 102] * 20, kind="rate", units=[1000] * 40, lower_is_better=True)
    (one,) = gate(before, now, NO_SPEED).quality
    assert one.p_value < 0.001
    assert one.verdict == "same"


def test_an_error_rate_that_rises_is_worse(make: Make) -> None:
    before = make([1] * 20, kind="rate", units=[10] * 20, metric="wer", lower_is_better=True)
    now = make([3] * 20, kind="rate", units=[10] * 20, metric="wer", lower_is_better=True)
    (one,) = gate(before, now, NO_SPEED).quality
    assert one.difference == pytest.approx(0.2)
    assert one.verdict == "worse"


def test_samples_of_a_cluster_count_as_one(make: Make) -> None:
    # Eight answers turn wrong, but all are one speaker's.
    clusters = ["a"] * 8 + list("bcdefghijklm")
    result = gate(make([1] * 20, clusters=clusters), make([0] * 8 + [1] * 12, clusters=clusters), NO_SPEED)
    (one,) = result.quality
    assert one.n_units == 13
    assert one.only_baseline is None
    assert (one.verdict, result.exit_code) == ("cannot tell", 0)


def test_holm_corrects_over_what_gates_alone(make: Make) -> None:
    def both(numbers: list[int]) -> Snapshot:
        base = make(numbers)
        extra = replace(base.metrics[0], name="other")
        return replace(base, metrics=(*base.metrics, extra))

    result = gate(both([1] * 20), both([0] * 7 + [1] * 13), NO_SPEED)
    first, other = result.quality
    assert first.p_adjusted == first.p_value == pytest.approx(2 / 128)
    assert (other.gates, other.p_adjusted) == (False, None)
    both_gate = Rules(speed="off", quality={"": QualityChange(gates=True)})
    doubled = gate(both([1] * 20), both([0] * 7 + [1] * 13), both_gate)
    assert [one.p_adjusted for one in doubled.quality] == [pytest.approx(4 / 128)] * 2
    assert [one.verdict for one in doubled.quality] == ["cannot tell"] * 2


def test_what_answers_would_show_is_told_at_the_strictest_level_of_all_that_gates(make: Make) -> None:
    # Of 7 answers that are all lost p = 2 / 2^7 = 0.016: enough at 0.02 alone, too much at 0.01 beside another metric.
    base = make([1] * 7)
    two = replace(base, metrics=(*base.metrics, replace(base.metrics[0], name="other")))
    (alone, shown) = gate(two, two, NO_SPEED).quality
    # All 7 are lost with 95 % if each is with a chance of 0.95^(1/7).
    assert (alone.gates, shown.gates) == (True, False)
    assert [alone.detectable, shown.detectable] == [pytest.approx(0.95 ** (1 / 7))] * 2
    both = gate(two, two, Rules(speed="off", quality={"": QualityChange(gates=True)}))
    assert [math.isnan(one.detectable) for one in both.quality] == [True, True]


def test_a_metric_that_does_not_gate_cannot_fail(make: Make) -> None:
    rules = Rules(speed="off", quality={"text_accuracy": QualityChange(gates=False)})
    result = gate(make([1] * 20), make([0] * 20), rules)
    assert (result.quality[0].verdict, result.exit_code) == ("worse", 0)


def test_a_sample_without_a_value_is_left_out_and_counted(make: Make) -> None:
    nan = float("nan")
    before, now = make([1, 1, nan], kind="value"), make([1, nan, 1], kind="value")
    stopped = gate(before, now, NO_SPEED)
    assert (stopped.exit_code, stopped.differences[0].run) == (4, "1 of them have lost it")
    (one,) = gate(before, now, NO_SPEED, allow=["metrics"]).quality
    assert (one.n, one.n_unknown) == (1, 2)


def test_a_metric_without_any_value_is_pointed_out(make: Make) -> None:
    nan = float("nan")
    result = gate(make([nan], kind="value"), make([nan], kind="value"), NO_SPEED)
    assert result.state == "invalid"
    assert "no sample has a value in both" in result.warnings[0]


class TestComparability:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"machine": Machine("cuda", processor="x", cores=2)}, "device"),
            ({"systems": {"other": SystemFacts("x", "", {}, "", (1,))}}, "systems"),
            ({"timings": ()}, "timings"),
            ({"machine": Machine("cpu", processor="x", cores=2, calibration="numpy")}, "calibration"),
        ],
    )
    def test_what_must_be_equal_is_named(self, make: Make, change: dict[str, Any], field: str) -> None:
        base = make([1] * 10, times=[1.0] * 10)
        result = gate(base, replace(base, **change), Rules())
        assert (result.state, result.exit_code) == ("not comparable", 4)
        assert field in {one.field for one in result.differences}
        assert not result.quality

    def test_a_task_that_was_not_run(self, make: Make) -> None:
        base = make()
        more = replace(base, tasks={**base.tasks, "second": base.tasks["task"]})
        assert [one.field for one in gate(more, base, Rules()).differences] == ["tasks"]
        assert gate(base, more, Rules()).exit_code == 0

    def test_a_metric_that_was_not_scored(self, make: Make) -> None:
        base = make()
        more = replace(base, metrics=(*base.metrics, replace(base.metrics[0], name="other")))
        # What doesn't gate stops nothing.
        assert gate(more, base, Rules()).differences == ()
        all_gate = Rules(quality={"": QualityChange(gates=True)})
        assert [one.field for one in gate(more, base, all_gate).differences] == ["metrics"]

    @pytest.mark.parametrize(("key", "field"), [("listing_sha256", "data"), ("instruction", "prompt")])
    def test_task_facts(self, make: Make, key: str, field: str) -> None:
        base = make()
        change: dict[str, Any] = {key: "other"}
        other = replace(base, tasks={"task": replace(base.tasks["task"], **change)})
        assert [one.field for one in gate(base, other, Rules()).differences] == [field]

    def test_another_scorer(self, make: Make) -> None:
        base = make()
        other = replace(base, metrics=(replace(base.metrics[0], recipe=Recipe("m@2", transcriber="ears-1")),))
        (one,) = gate(base, other, Rules()).differences
        assert (one.field, one.baseline, one.run) == ("scorer", "m@1", "m@2")
        assert "tttbench baseline save" in one.fix

    @pytest.mark.parametrize(
        ("recipe", "field"),
        [
            (Recipe("m@1", transcriber="ears-2"), "transcriber"),
            (Recipe("m@1", transcriber="ears-1", judge="llm"), "judge"),
            (Recipe("m@1", "en@1", transcriber="ears-1"), "scorer"),
        ],
    )
    def test_what_made_the_scores_is_named_by_its_part(self, make: Make, recipe: Recipe, field: str) -> None:
        base = make()
        other = replace(base, metrics=(replace(base.metrics[0], recipe=recipe),))
        assert [one.field for one in gate(base, other, Rules()).differences] == [field]

    def test_the_old_name_of_the_transcriber_is_still_taken(self, make: Make, caplog: pytest.LogCaptureFixture) -> None:
        base = make()
        other = replace(base, metrics=(replace(base.metrics[0], recipe=Recipe("m@1", transcriber="ears-2")),))
        assert gate(base, other, Rules(), allow=["judge"]).exit_code == 0
        assert "--allow judge: what transcribes is called transcriber now" in caplog.text

    def test_other_samples(self, make: Make) -> None:
        (one,) = gate(make([1] * 4), make([1] * 3), Rules()).differences
        assert (one.field, one.where) == ("samples", "task")
        assert "3 are the same" in one.run

    def test_allowed_differences_are_compared_and_recorded(self, make: Make) -> None:
        result = gate(make([1] * 4), make([1] * 3), Rules(), allow=["samples"])
        assert (result.state, result.quality[0].n) == ("pass", 3)
        assert [(one.field, one.allowed) for one in result.differences] == [("samples", True)]

    def test_one_allowed_field_allows_no_other(self, make: Make) -> None:
        base = make([1] * 4)
        fewer = make([1] * 3)
        other = replace(fewer, metrics=(replace(fewer.metrics[0], recipe=Recipe("m@2")),))
        assert gate(base, other, Rules(), allow=["samples"]).exit_code == 4

    def test_an_allowance_that_was_not_needed_is_pointed_out(self, make: Make) -> None:
        assert gate(make(), make(), Rules(), allow=["data"]).warnings == ("--allow data: nothing of the sort differs.",)

    def test_unknown_fields_are_refused(self, make: Make) -> None:
        with pytest.raises(UserError, match=r"--allow promt: no such field\. Did you mean 'prompt'"):
            gate(make(), make(), Rules(), allow=["promt"])

    def test_device_does_not_matter_without_speed(self, make: Make) -> None:
        base = make()
        assert gate(base, replace(base, machine=Machine("cuda")), NO_SPEED).exit_code == 0

    def test_before_it_was_noted_the_calibration_was_torchs(self, make: Make) -> None:
        base = make([1] * 10, times=[1.0] * 10)
        noted = replace(base, machine=replace(base.machine, calibration="torch"))
        assert gate(base, noted, Rules()).differences == ()

    def test_weights_seeds_and_versions_may_differ_and_are_noted(self, make: Make) -> None:
        base = make()
        other = replace(
            base,
            seed=2,
            versions={"tttbench": "0.2.0"},
            systems={"sys": SystemFacts("ttt:mini", "topk", {"steps": 2}, "def", (1,), {"cfg": 0.1}, "codec")},
        )
        result = gate(base, other, Rules())
        assert result.exit_code == 0
        assert [one.what for one in result.noted] == [
            "seed",
            "sys: weights",
            "sys: codec",
            "sys: cfg",
            "sys: steps",
            "tttbench",
        ]


class TestValidity:
    def test_a_run_that_was_cut_off(self, make: Make) -> None:
        result = gate(make(), replace(make(), status="running"), Rules())
        assert (result.state, result.exit_code) == ("invalid", 3)
        assert result.problems[0].startswith("run run: was cut off")

    def test_a_run_that_is_incomplete(self, make: Make) -> None:
        result = gate(make(), replace(make(), status="incomplete", answered=3), Rules())
        assert result.exit_code == 3
        assert "3 of 4 requests" in result.problems[0]

    def test_a_baseline_that_fails_its_own_checks_is_refused(self, make: Make) -> None:
        bad = make([1, 1, 1, 0], statuses=["ok", "ok", "ok", "error"])
        result = gate(bad, make(), Rules())
        assert result.exit_code == 3
        assert result.problems[0].startswith("baseline run: text_accuracy of sys on task: 1 of 4 ended as error")

    def test_failed_derivations_up_to_the_allowed_share(self, make: Make) -> None:
        # Without a transcript there is no verdict, as the scorers have it.
        now = make([1, 1, 1, math.nan], statuses=["ok", "ok", "ok", "derivation_failed"])
        assert gate(make(), now, Rules()).exit_code == 3
        result = gate(make(), now, Rules(max_derivation_failed=0.25, speed="off"))
        assert (result.exit_code, result.differences, result.quality[0].n) == (0, (), 3)

    @pytest.mark.parametrize("share", [29, 57, 58])
    def test_as_many_errors_as_are_allowed_are_allowed(self, make: Make, share: int) -> None:
        # In binary fractions 0.29 * 100 is less than 29.
        def problems(errors: int) -> tuple[str, ...]:
            run = make([1] * 100, statuses=["error"] * errors + ["ok"] * (100 - errors))
            return gate(run, run, Rules(max_errors=float(f"0.{share}"), speed="off", resamples=100)).problems

        assert problems(share) == ()
        assert f"{share + 1} of 100 ended as error, allowed are {share}.0%" in problems(share + 1)[0]

    def test_must_be_ok(self, make: Make) -> None:
        now = make([1, 1, 0, 1], statuses=["ok", "ok", "empty", "ok"])
        assert gate(make(), now, NO_SPEED).exit_code == 0
        result = gate(make(), now, Rules(quality={"text_accuracy": QualityChange(must_be_ok=True)}))
        assert result.exit_code == 3
        assert "1 of 4 are not: 1 empty" in result.problems[0]

    def test_invalid_comes_before_not_comparable(self, make: Make) -> None:
        assert gate(make(), replace(make(), status="interrupted", tasks={}), Rules()).exit_code == 3

    def test_what_could_not_be_transcribed_stops_nothing_unless_it_gates(self, make: Make) -> None:
        def run() -> Snapshot:
            base = make([1] * 4)
            failed = {key: replace(one, status="derivation_failed") for key, one in base.metrics[0].outcomes.items()}
            spoken = replace(base.metrics[0], name="spoken_accuracy", outcomes=failed)
            return replace(base, transcribers=(), metrics=(*base.metrics, spoken))

        assert gate(run(), run(), NO_SPEED).exit_code == 0
        result = gate(run(), run(), Rules(speed="off", quality={"": QualityChange(gates=True)}))
        assert result.exit_code == 3
        assert "give it a --transcriber" in result.problems[0]


class TestRenamed:
    def test_a_system_gets_the_baselines_label(self, make: Make) -> None:
        base = make(times=[1, 1, 1, 1])
        other = renamed(renamed(base, {"sys": "new"}), {"new": "sys"})
        assert other == base
        assert renamed(base, {"sys": "new"}).metrics[0].system == "new"

    def test_unknown_labels_are_refused(self, make: Make) -> None:
        with pytest.raises(UserError, match=r"the run has no 'sis'\. Did you mean 'sys'"):
            renamed(make(), {"sis": "x"})

    def test_two_systems_of_one_label_are_refused(self, make: Make) -> None:
        base = make()
        two = replace(base, systems={**base.systems, "new": base.systems["sys"]})
        with pytest.raises(UserError, match="two systems of the run would be called 'sys'"):
            renamed(two, {"new": "sys"})


def test_a_system_that_only_writes_gates_by_what_it_writes(make: Make) -> None:
    def writes(right: list[int]) -> Snapshot:
        base = make(right)
        return replace(base, tasks={"task": replace(base.tasks["task"], metrics=("spoken_accuracy", "text_accuracy"))})

    result = gate(writes([1] * 20), writes([0] * 20), NO_SPEED)
    assert (result.quality[0].gates, result.exit_code) == (True, 1)


def test_a_gate_in_which_nothing_gates_says_so(make: Make) -> None:
    result = gate(make([1] * 20), make([0] * 20), Rules(speed="off", quality={"": QualityChange(gates=False)}))
    assert (result.exit_code, result.warnings) == (0, ("nothing gates: whatever comes out, this passes.",))


def test_other_data_of_the_same_samples_is_not_allowed_with_other_samples(make: Make) -> None:
    now = make([1] * 3)
    facts = {sample: replace(one, reference="other") for sample, one in now.tasks["task"].samples.items()}
    now = replace(now, tasks={"task": replace(now.tasks["task"], samples=facts)})
    result = gate(make([1] * 4), now, NO_SPEED, allow=["samples"])
    assert ([one.field for one in result.differences], result.exit_code) == (["samples", "data"], 4)


def test_a_system_with_another_prompt_is_not_comparable(make: Make) -> None:
    base = make()
    other = replace(base, systems={"sys": replace(base.systems["sys"], prompts={"qa": "Sing."})})
    (one,) = gate(base, other, NO_SPEED).differences
    assert (one.field, one.where) == ("prompt", "qa of sys")


def test_a_tail_that_no_draw_reaches_does_not_hide_a_worsening(make: Make) -> None:
    # 40 metrics gate, so p must be below 0.0005; 200 draws alone can't say less than 0.005.
    edits = [float(2 + at % 3) for at in range(60)]
    before = make([0] * 60, kind="rate", units=[10] * 60, lower_is_better=True)
    now = make(edits, kind="rate", units=[10] * 60, lower_is_better=True)

    def many(run: Snapshot) -> Snapshot:
        return replace(run, metrics=tuple(replace(run.metrics[0], name=f"m{at}") for at in range(40)))

    rules = Rules(speed="off", resamples=100, quality={"": QualityChange(gates=True)})
    assert gate(many(before), many(now), rules).exit_code == 1


def test_rules_that_name_nothing_are_pointed_out(make: Make) -> None:
    rules = Rules(
        quality={"text_acuracy": QualityChange(gates=True), "task.text_accuracy": QualityChange()},
        figures={"rtf": SpeedChange(factor=2.0)},
    )
    warnings = gate(make(), make(), rules).warnings
    assert len(warnings) == 2
    assert "[quality.text_acuracy]" in warnings[0]
    assert "[speed.rtf]" in warnings[1]
