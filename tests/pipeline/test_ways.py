"""Systems that differ in their speed alone are one way of decoding: its curve, its areas, its name."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from tttbench.core.json_values import JsonValue
from tttbench.core.metric import MetricInfo, WayOfDecoding
from tttbench.pipeline.frontier import Outcome
from tttbench.pipeline.ways import Decoding, ways
from tttbench.stats.aup import area

SHARE = MetricInfo("Right", aggregation="binary")
CAPPED = MetricInfo("Errors", direction="lower", aggregation="rate", lowest=0, highest=1)
SETTINGS: Mapping[str, JsonValue] = {"block_length": 27, "cache": "exact", "cfg": 0.0}


def decoding(steps: int = 1, strategy: str = "topk", model: str = "m", **settings: JsonValue) -> Decoding:
    return Decoding(model, strategy, {**SETTINGS, "steps_per_block": steps, **settings})


def outcomes(right: int, passes: int, n: int = 20) -> list[Outcome]:
    return [Outcome(f"s{i}", f"s{i}", float(i < right), 1.0, None, codes=27, passes=passes) for i in range(n)]


def found(systems: Mapping[str, tuple[Decoding, list[Outcome]]], info: MetricInfo = SHARE) -> dict[str, WayOfDecoding]:
    decodings = {label: how for label, (how, _) in systems.items()}
    given = {label: one for label, (_, one) in systems.items()}
    return {one.name: one for one in ways("t", "m", info, decodings, given, seed=0, n_resamples=200)}


def test_steps_are_points_of_one_curve_and_another_cache_is_another_way() -> None:
    curves = found(
        {
            "fast": (decoding(1), outcomes(15, 1)),
            "slow": (decoding(9), outcomes(16, 9)),
            "frozen": (decoding(9, cache="block"), outcomes(14, 9)),
        }
    )
    assert list(curves) == ["topk B=27 exact", "topk B=27 block"]
    one = curves["topk B=27 exact"]
    assert [(point.system, point.codes_per_pass, point.quality) for point in one.points] == [
        ("slow", 3.0, 0.8),
        ("fast", 27.0, 0.75),
    ]
    # The best of all ways is 80 %.
    by_hand = area([3, 27], [80, 75], best=80)
    assert (one.aup, one.area, one.n_left_out) == (by_hand.aup, by_hand.plain, 0)
    assert one.aup_low < one.aup < one.aup_high


def test_the_best_of_another_way_makes_points_weigh_less() -> None:
    alone = found({"a": (decoding(1), outcomes(10, 9)), "b": (decoding(9), outcomes(10, 27))})
    beside = found(
        {
            "a": (decoding(1), outcomes(10, 9)),
            "b": (decoding(9), outcomes(10, 27)),
            "c": (decoding(9, block_length=9), outcomes(20, 9)),
        }
    )
    assert beside["topk B=27 exact"].aup < alone["topk B=27 exact"].aup
    assert beside["topk B=27 exact"].area == alone["topk B=27 exact"].area


def test_a_threshold_is_a_speed_and_other_options_are_not() -> None:
    curves = found(
        {
            "a": (decoding(strategy="threshold:tau=0.9"), outcomes(10, 9)),
            "b": (decoding(strategy="threshold:tau=0.5"), outcomes(10, 3)),
            "c": (decoding(strategy="par:refinements=1"), outcomes(10, 3)),
            "d": (decoding(strategy="par:refinements=2"), outcomes(10, 3)),
        }
    )
    assert {name: len(one.points) for name, one in curves.items()} == {
        "threshold B=27 exact": 2,
        "par:refinements=1 B=27 exact": 1,
        "par:refinements=2 B=27 exact": 1,
    }


def test_what_else_differs_is_named() -> None:
    curves = found(
        {
            "a": (decoding(cfg=0.5), outcomes(10, 9)),
            "b": (decoding(model="other"), outcomes(10, 3)),
        }
    )
    assert list(curves) == ["m topk B=27 exact cfg=0.5", "other topk B=27 exact cfg=0.0"]


def test_of_errors_the_share_that_is_right_is_under_the_curve() -> None:
    (one,) = found({"a": (decoding(1), outcomes(5, 9))}, CAPPED).values()
    assert one.points[0].quality == 0.25
    assert one.aup == one.area == 3 * 75


def test_there_is_none_without_passes_and_for_metrics_without_end() -> None:
    silent = [Outcome("s", "s", 1.0, 1.0, None)]
    assert found({"a": (decoding(), silent)}) == {}
    endless = MetricInfo("Errors", direction="lower", aggregation="rate")
    assert found({"a": (decoding(), outcomes(5, 9))}, endless) == {}


def test_few_samples_have_no_interval() -> None:
    (one,) = found({"a": (decoding(), outcomes(3, 9, n=5))}).values()
    assert one.aup == pytest.approx(3 * 60)
    assert math.isnan(one.aup_low)
    assert math.isnan(one.aup_high)
