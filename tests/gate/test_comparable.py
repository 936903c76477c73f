"""What must be equal and isn't: every difference whole, with its fix; and what may differ and is noted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.recipe import Recipe
from tttbench.gate.comparable import FIELDS, differences, metric_gates, noted, with_old_names
from tttbench.gate.rules import QualityChange, Rules, SpeedChange
from tttbench.gate.snapshot import Outcome, SampleFacts, Snapshot, SystemFacts, Timing
from tttbench.gate.verdict import Difference, Noted
from tttbench.store.manifest import Machine

Make = Callable[..., Snapshot]
ALL_GATE = Rules(quality={"": QualityChange(gates=True)}, figures={"": SpeedChange(gates=True)})


def found(
    baseline: Snapshot, run: Snapshot, rules: Rules = ALL_GATE, allow: Sequence[str] = (), speed: bool = True
) -> list[Difference]:
    return list(differences(baseline, run, rules, allow=allow, speed=speed))


def two_systems(one: Snapshot) -> Snapshot:
    """With a second system, ``more``, that has everything that the first has."""
    return replace(
        one,
        systems={**one.systems, "more": one.systems["sys"]},
        metrics=(*one.metrics, *(replace(metric, system="more") for metric in one.metrics)),
        timings=(*one.timings, *(replace(timing, system="more") for timing in one.timings)),
    )


def with_task(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, tasks={"task": replace(snapshot.tasks["task"], **changes)})


def test_systems_and_tasks_that_are_gone_are_one_difference_each(make: Make) -> None:
    base = two_systems(make([1] * 4, times=[1.0] * 4))
    more = replace(base, tasks={**base.tasks, "second": base.tasks["task"], "third": base.tasks["task"]})
    left = replace(base, systems={"sys": base.systems["sys"]}, metrics=base.metrics[:1], timings=base.timings[:1])
    fix = (
        "give --match NEW=OLD if it has another name now, or run it, or compare the rest with --allow systems",
        "run them, or compare the rest with --allow tasks",
    )
    assert found(more, left) == [
        Difference("systems", "", "more", "only sys", False, fix[0]),
        Difference("tasks", "", "second, third", "only task", False, fix[1]),
    ]
    assert [one.allowed for one in found(more, left, allow=["tasks"])] == [False, True]
    # What is new is no difference: there is nothing to compare it with.
    assert found(left, more) == []


def test_a_task_that_is_gone_takes_its_metrics_and_figures_along(make: Make) -> None:
    base = make([1] * 4, times=[1.0] * 4)
    second = replace(base.metrics[0], task="second"), replace(base.timings[0], task="second")
    more = replace(
        base,
        tasks={"second": base.tasks["task"], **base.tasks},
        metrics=(second[0], *base.metrics),
        timings=(second[1], *base.timings),
    )
    now = replace(base, metrics=(), timings=())
    assert [(one.field, one.where) for one in found(more, now)] == [
        ("tasks", ""),
        ("metrics", "text_accuracy of sys on task"),
        ("timings", "ttft of sys on task"),
    ]


def test_a_metric_that_gates_has_to_be_scored_and_may_not_lose_values(make: Make) -> None:
    base = two_systems(make([1, 0, 1, 1]))
    unscored = replace(base, metrics=base.metrics[:1])
    assert found(base, unscored) == [
        Difference(
            "metrics",
            "text_accuracy of more on task",
            "scored",
            "not scored",
            False,
            "score it too, or compare the other metrics with --allow metrics",
        )
    ]
    lost = replace(base.metrics[0].outcomes["s1"], numerator=math.nan)
    outcomes = {**base.metrics[0].outcomes, "s1": lost}
    fewer = replace(base, metrics=(replace(base.metrics[0], outcomes=outcomes), base.metrics[1]))
    assert found(base, fewer) == [
        Difference(
            "metrics",
            "text_accuracy of sys on task",
            "4 samples have a value",
            "1 of them have lost it",
            False,
            "find out why; --allow metrics compares the samples that have a value in both",
        )
    ]
    assert found(fewer, base) == []


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [
        (Outcome(1, 1, "ok"), Outcome(1, 0, "ok"), True),
        (Outcome(1, 1, "ok"), Outcome(1, math.nan, "ok"), True),
        (Outcome(1, 1, "ok"), Outcome(math.inf, 1, "ok"), True),
        (Outcome(0, 2, "ok"), Outcome(0, 0.5, "ok"), False),
        (Outcome(1, 0, "ok"), Outcome(math.nan, 1, "ok"), False),
        (Outcome(math.nan, 1, "ok"), Outcome(math.nan, 1, "ok"), False),
        (Outcome(1, 1, "ok"), Outcome(math.nan, 1, "derivation_failed"), False),
        (Outcome(1, 1, "ok"), Outcome(math.nan, 1, "error"), True),
    ],
)
def test_a_value_counts_over_a_denominator_above_0(make: Make, before: Outcome, now: Outcome, lost: bool) -> None:
    def with_first(outcome: Outcome) -> Snapshot:
        base = make([1, 1])
        outcomes = {**base.metrics[0].outcomes, "s0": outcome}
        return replace(base, metrics=(replace(base.metrics[0], outcomes=outcomes),))

    assert [one.run for one in found(with_first(before), with_first(now))] == ["1 of them have lost it"] * lost


def test_a_sample_that_was_not_scored_is_no_value_lost(make: Make) -> None:
    base, now = make([1, 1, 1]), make([1, 1, math.nan])
    fewer = {key: one for key, one in now.metrics[0].outcomes.items() if key != "s0"}
    (one,) = found(base, replace(now, metrics=(replace(now.metrics[0], outcomes=fewer),)))
    assert (one.baseline, one.run) == ("2 samples have a value", "1 of them have lost it")


def test_other_samples_data_and_instructions(make: Make) -> None:
    base = with_task(make([1] * 4), instruction="Answer.", listing_sha256="a" * 64)
    now = with_task(make([1] * 5), instruction="", listing_sha256="b" * 64)
    assert found(base, now) == [
        Difference(
            "samples",
            "task",
            "4 samples",
            "5, of which 4 are the same",
            False,
            "run the same --limit, or compare the 4 with --allow samples",
        ),
        Difference(
            "prompt",
            "task",
            "'Answer.'",
            "none",
            False,
            "give the same instruction, or save a new baseline; --allow prompt compares anyway",
        ),
    ]
    other = with_task(base, listing_sha256="b" * 64, instruction="x" * 61)
    fix = "save a new baseline on the new data, or compare what has equal ids with --allow data"
    assert found(base, other) == [
        Difference("data", "task", "a" * 16 + "…", "b" * 16 + "…", False, fix),
        Difference("prompt", "task", "'Answer.'", f"'{'x' * 16}…'", False, found(base, other)[1].fix),
    ]


@pytest.mark.parametrize(
    ("before", "now", "differs"),
    [("a", "a", False), ("a", "b", True), ("", "b", False), ("a", "", False), ("", "", False)],
)
def test_a_listing_without_a_hash_says_nothing(make: Make, before: str, now: str, differs: bool) -> None:
    base = make([1] * 4)
    sides = [with_task(base, listing_sha256=one) for one in (before, now)]
    assert bool(found(sides[0], sides[1])) is differs


@pytest.mark.parametrize("more_in", ["baseline", "run"])
def test_the_hash_of_more_samples_says_nothing_of_those_that_both_have(make: Make, more_in: str) -> None:
    few, many = with_task(make([1] * 3), listing_sha256="a"), with_task(make([1] * 4), listing_sha256="b")
    sides = (many, few) if more_in == "baseline" else (few, many)
    assert [one.field for one in found(*sides)] == ["samples"]


@pytest.mark.parametrize(("reference", "cluster"), [("no", ""), ("yes", "c")])
def test_one_sample_with_other_facts_is_other_data(make: Make, reference: str, cluster: str) -> None:
    base = with_task(make([1] * 4), listing_sha256="")
    samples = {**base.tasks["task"].samples, "s1": SampleFacts(reference, cluster)}
    (one,) = found(base, with_task(base, samples=samples))
    assert (one.field, one.where, one.baseline, one.run) == ("data", "task", "other references", "")


def test_a_task_that_is_gone_hides_no_difference_of_the_next(make: Make) -> None:
    base = make([1] * 4)
    more = replace(base, tasks={"gone": base.tasks["task"], **base.tasks})
    now = with_task(base, instruction="Sing.")
    assert [(one.field, one.where) for one in found(more, now)] == [("tasks", ""), ("prompt", "task")]


def test_prompts_of_systems_are_compared_by_family(make: Make) -> None:
    base = two_systems(make([1] * 4))
    tasks = {"task": base.tasks["task"], "other": replace(base.tasks["task"], family="asr")}
    base = replace(base, tasks=tasks, systems={"gone": base.systems["sys"], **base.systems})

    def prompted(prompts: Mapping[str, str]) -> Snapshot:
        return replace(base, systems={**base.systems, "sys": replace(base.systems["sys"], prompts=prompts)})

    fix = "prompt it as before, or save a new baseline; --allow prompt compares anyway"
    now = prompted({"qa": "Sing.", "asr": "Write.", "dance": "Dance."})
    left = replace(now, systems={label: one for label, one in now.systems.items() if label != "gone"})
    gone, *prompts = found(base, left)
    assert gone.field == "systems"
    assert prompts == [
        Difference("prompt", "asr of sys", "none", "'Write.'", False, fix),
        Difference("prompt", "qa of sys", "none", "'Sing.'", False, fix),
    ]
    assert found(prompted({"qa": "Sing."}), prompted({"qa": "Sing.", "dance": "Dance."})) == []


def recipes(make: Make, *given: Recipe) -> Snapshot:
    """A snapshot with a metric a recipe."""
    base = make([1] * 4)
    return replace(base, metrics=tuple(replace(base.metrics[0], name=f"m{i}", recipe=r) for i, r in enumerate(given)))


def test_another_scorer_is_named_for_every_metric_and_whole(make: Make) -> None:
    before = recipes(make, Recipe("wer@1", "en@1", transcriber="ears", judge="j", prompt_sha256="p"), Recipe("cer@1"))
    now = recipes(make, Recipe("wer@2", "en@1", transcriber="ears", judge="j", prompt_sha256="p"), Recipe("cer@2"))
    fix = "score both with one version (tttbench rescore RUN), or save a new baseline (tttbench baseline save)"
    assert found(before, now) == [
        Difference("scorer", "m0 of sys on task", "wer@1; en@1", "wer@2; en@1", False, fix),
        Difference("scorer", "m1 of sys on task", "cer@1", "cer@2", False, fix),
    ]


def test_another_transcriber_and_judge_are_named_once_each(make: Make) -> None:
    before = recipes(make, Recipe("a@1"), *[Recipe("b@1", transcriber="ears", judge="j", prompt_sha256="p")] * 2)
    now = recipes(make, Recipe("a@1"), *[Recipe("b@1", transcriber="eyes", judge="j", prompt_sha256="q")] * 2)
    fixes = {
        field: f"take the same {field} (tttbench rescore RUN), or save a new baseline; --allow {field} compares all "
        "the same"
        for field in ("transcriber", "judge")
    }
    assert found(before, now) == [
        Difference("transcriber", "", "ears", "eyes", False, fixes["transcriber"]),
        Difference("judge", "", "j p", "j q", False, fixes["judge"]),
    ]
    assert found(before, before) == []
    assert found(recipes(make, Recipe("a@1")), recipes(make, Recipe("a@1", transcriber="ears", judge="j"))) == [
        Difference("transcriber", "", "none", "ears", False, fixes["transcriber"]),
        Difference("judge", "", "none", "j", False, fixes["judge"]),
    ]
    assert [
        (one.baseline, one.run) for one in found(recipes(make, Recipe("a@1", judge="j")), recipes(make, Recipe("a@1")))
    ] == [("j", "none")]


def test_pairs_of_transcribers_that_differ_are_named_one_by_one(make: Make) -> None:
    before = recipes(make, *(Recipe("a@1", transcriber=one) for one in ("x", "x", "y", "y", "x")))
    now = recipes(make, *(Recipe("a@1", transcriber=one) for one in ("x", "y", "y", "x", "z")))
    assert [(one.baseline, one.run) for one in found(before, now)] == [("x", "y"), ("y", "x"), ("x", "z")]


def test_a_metric_that_is_not_scored_any_more_hides_no_other(make: Make) -> None:
    before = recipes(make, Recipe("a@1"), Recipe("b@1"))
    now = replace(before, metrics=(replace(before.metrics[1], recipe=Recipe("b@2")),))
    assert [(one.field, one.where) for one in found(before, now)] == [
        ("metrics", "m0 of sys on task"),
        ("scorer", "m1 of sys on task"),
    ]


def test_the_machine_counts_by_device_gpu_processor_and_cores(make: Make) -> None:
    base = make([1] * 4, times=[1.0] * 4)
    base = replace(base, machine=Machine("cpu", "linux", "x", 2, 8.0, ""))
    other = replace(base, machine=Machine("cuda", "bsd", "y", 4, 9.0, "H"))
    assert found(base, other) == [
        Difference(
            "device",
            "device, gpu, processor, cores",
            "cpu, none, x, 2",
            "cuda, H, y, 4",
            False,
            "measure both on one machine, or compare quality alone with --speed off",
        )
    ]
    assert found(base, other, speed=False) == []
    assert found(base, replace(base, machine=replace(base.machine, platform="bsd", memory_gb=1.0))) == []
    (one,) = found(base, replace(base, machine=replace(base.machine, cores=0)))
    assert (one.where, one.baseline, one.run) == ("cores", "2", "none")


def test_the_calibration(make: Make) -> None:
    base = two_systems(make([1] * 4, times=[1.0] * 4))
    # How many requests were given together doesn't matter here: such times aren't compared (``speed.in_batches``).
    systems = {"sys": replace(base.systems["sys"], batch_sizes=(1, 8)), "more": base.systems["more"]}
    now = replace(base, systems=systems, machine=replace(base.machine, calibration="numpy"))
    fix = "measure both with torch installed, or both without, or compare quality alone with --speed off"
    assert found(base, now) == [Difference("calibration", "", "torch", "numpy", False, fix)]


def timed(base: Snapshot, figure: str, n: int) -> Timing:
    return replace(base.timings[0], figure=figure, values={f"s{at}": 1.0 for at in range(n)})


def test_a_figure_that_gates_may_not_be_lost(make: Make) -> None:
    base = make([1] * 20, times=[1.0] * 20)
    base = replace(base, timings=(timed(base, "rtf", 20), timed(base, "latency", 20), timed(base, "ttft", 19)))
    fix = "find out why they aren't timed any more; --allow timings compares the others"
    now = replace(base, timings=(timed(base, "ttft", 17),))
    expected = [
        Difference("timings", "rtf of sys on task", "20 samples timed", "20 of them not", False, fix),
        Difference("timings", "ttft of sys on task", "19 samples timed", "2 of them not", False, fix),
    ]
    # Latency doesn't gate by default.
    assert found(base, now, Rules()) == expected
    assert [one.where for one in found(base, now)] == [f"{one} of sys on task" for one in ("rtf", "latency", "ttft")]
    # Of samples that the run wasn't given nothing is lost.
    few = make([1] * 2, times=[1.0] * 2)
    assert [one.field for one in found(base, replace(few, timings=base.timings))] == ["samples"]


def test_a_system_that_is_gone_hides_no_figure_of_the_next(make: Make) -> None:
    base = two_systems(make([1] * 4, times=[1.0] * 4))
    now = replace(base, systems={"more": base.systems["more"]}, metrics=base.metrics[1:], timings=())
    assert [(one.field, one.where) for one in found(base, now)] == [
        ("systems", ""),
        ("timings", "ttft of more on task"),
    ]


def test_every_field_can_be_allowed_and_others_are_refused(make: Make) -> None:
    base = make([1] * 4)
    assert found(base, base, allow=FIELDS) == []
    with pytest.raises(UserError) as raised:
        found(base, base, allow=["data", "devise"])
    assert str(raised.value) == "--allow devise: no such field. Did you mean 'device'?"


def test_the_transcribers_old_name(caplog: pytest.LogCaptureFixture) -> None:
    for given in ((), ("data",), ("transcriber",), ("judge", "transcriber")):
        assert with_old_names(given) == given
    assert caplog.messages == []
    assert with_old_names(["judge", "data"]) == ("judge", "data", "transcriber")
    assert caplog.messages == [
        "--allow judge: what transcribes is called transcriber now, and allowed too until 0.3; name it."
    ]


def test_the_primary_metric_gates_and_others_where_the_rules_say_so(make: Make) -> None:
    base = make()
    other = replace(base.metrics[0], name="other")
    both = replace(base, metrics=(other, base.metrics[0]))
    for rules, expected in ((Rules(), [False, True]), (ALL_GATE, [True, True])):
        assert [metric_gates(one, both, rules) for one in both.metrics] == expected
    switched = Rules(quality={"task.other": QualityChange(gates=True), "text_accuracy": QualityChange(gates=False)})
    assert [metric_gates(one, both, switched) for one in both.metrics] == [True, False]


def test_what_may_differ_is_noted_whole(make: Make) -> None:
    base = make()
    before = SystemFacts(
        "ttt:a", "topk", {"steps": 2}, "a" * 60, (1,), {"cfg": 0.1, "same": 1}, "c" * 61, {}, {"v": "1"}
    )
    now = SystemFacts("ttt:b", "par", {}, "b" * 61, (1,), {"cfg": 0.2, "same": 1}, "d d" * 30, {}, {"v": "2"})
    left = replace(base, seed=1, systems={"gone": before, "sys": before}, versions={"a": "1", "c": "1", "same": "0"})
    right = replace(
        base, seed=2, systems={"sys": now, "new": now, "too": now}, versions={"b": "2", "c": "2", "same": "0"}
    )
    assert noted(left, right) == (
        Noted("seed", "1", "2"),
        Noted("sys: name", "ttt:a", "ttt:b"),
        Noted("sys: strategy", "topk", "par"),
        Noted("sys: weights", "a" * 60, "b" * 16 + "…"),
        Noted("sys: codec", "c" * 16 + "…", ("d d" * 30)[:59] + "…"),
        Noted("sys: cfg", "0.1", "0.2"),
        Noted("sys: steps", "2", "default"),
        Noted("sys: v", "1", "2"),
        Noted("a", "1", "absent"),
        Noted("b", "absent", "2"),
        Noted("c", "1", "2"),
        Noted("systems that the baseline doesn't have", "", "new, too"),
    )
    assert noted(left, left) == ()


def test_what_held_is_noted_rather_than_what_was_asked_for(make: Make) -> None:
    base = make()

    def system(decode: dict[str, Any], settings: dict[str, Any], identity: dict[str, str]) -> Snapshot:
        facts = SystemFacts("ttt:a", "", decode, "", (1,), settings, "", {}, identity)
        return replace(base, systems={"sys": facts})

    assert noted(system({"n": 1}, {"n": 3}, {}), system({"n": 2}, {"n": 3}, {})) == ()
    assert noted(system({}, {"n": 3}, {"n": "4"}), system({}, {"n": 5}, {"n": "4"})) == ()
