"""The picture of a probe: which points make a line, and what stands in the SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tttbench.core.metric import ProbeResult
from tttbench.probes.axes import Value, product, swept
from tttbench.probes.picture import COLOURS, lines_of, picture
from tttbench.probes.sweep import PointResult
from tttbench.stats.median import median_interval


def result(point: Mapping[str, Value], latencies_s: Sequence[float] = (1.0,) * 6, busy: str = "") -> PointResult:
    intervals = (
        {"latency": median_interval(latencies_s), "answers_per_s": median_interval([1.0])} if latencies_s else {}
    )
    probes = [ProbeResult("s", "", "t", name, "s", 0.25, 0.5, float("nan"), 12) for name in ("ttft", "latency")]
    found = PointResult(point, "", "budget", len(latencies_s), intervals, tuple(latencies_s), tuple(probes), ())
    return replace(found, together=int(point.get("batch_size", 1)), busy=busy)


def words(svg: str) -> list[str]:
    """All text of the picture; it is well-formed."""
    return [
        "".join(text.itertext()).strip() for text in ElementTree.fromstring(svg).iter() if text.tag.endswith("}text")
    ]


def test_a_line_holds_the_points_that_differ_in_its_axis_alone() -> None:
    results = [result(point) for point in product({"steps_per_block": [1, 2, 4], "cache": ["none", "exact"]})]
    axes = swept([one.point for one in results])
    by_steps, by_cache = (lines_of(results, axis, axes) for axis in axes)
    assert [(line.name, [one.point["steps_per_block"] for one in line.results]) for line in by_steps] == [
        ("cache none", [1, 2, 4]),
        ("cache exact", [1, 2, 4]),
    ]
    assert [line.name for line in by_cache] == ["steps 1", "steps 2", "steps 4"]


def test_every_swept_axis_has_a_panel_for_latency_and_one_for_throughput() -> None:
    svg = picture([result(point) for point in product({"span_codes": [26, 104], "prompt_codes": [9, 50]})], "a system")
    said = words(svg)
    assert said.count("latency P50 (ms)") == said.count("answers a second") == 2
    assert said.count("span codes") == said.count("prompt codes") == 2
    assert any(text.startswith("a system") for text in said)
    assert not any("busy" in text for text in said)


def test_batch_sizes_have_throughput_and_a_word_in_the_place_of_latency() -> None:
    points = product({"span_codes": [26, 104], "batch_size": [1, 4]})
    said = words(picture([result(point) for point in points], "a system"))
    assert (said.count("latency P50 (ms)"), said.count("answers a second")) == (1, 2)
    assert any(text.startswith("no latency of several requests a call") for text in said)
    alone = words(picture([result({"batch_size": 4})], "a system"))
    assert any(text.startswith("no latency of several requests a call") for text in alone)


def test_a_busy_machine_is_told() -> None:
    assert "one; the machine was busy" in words(picture([result({}, busy="much to do")], "one"))


def test_names_stand_below_their_values() -> None:
    said = words(picture([result({"strategy": name}) for name in ("topk", "threshold:tau=0.9")], ""))
    assert {"topk", "threshold:tau=0.9", "strategy"} <= set(said)


def test_more_lines_than_colours_are_grey_but_for_the_first() -> None:
    chosen: dict[str, Sequence[Value]] = {"span_codes": [1, 2], "prompt_codes": list(range(1, len(COLOURS) + 2))}
    said = words(picture([result(point) for point in product(chosen)], ""))
    assert "prompt codes 1" in said
    assert "prompt codes 2" not in said
    assert "other combinations" in said


def test_a_point_without_answers_is_left_out() -> None:
    assert "batch size" in words(picture([result({"batch_size": 1}), result({"batch_size": 2}, ())], ""))


def test_a_single_point_shows_its_moments_with_what_supports_them() -> None:
    said = words(picture([result({})], "one"))
    assert {"first text token", "whole answer"} <= set(said)
    assert "250 ms, P90 500, n = 12" in said
