"""Ways of decoding on the page: in groups, largest AUP first; of many systems the tables are folded."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from tttbench.core.metric import FrontierPoint, WayOfDecoding, WayPoint
from tttbench.pages.frontier import frontiers
from tttbench.pages.page import page as render
from tttbench.pages.view import ReportView


def place(system: str, speed: float, quality: float = 0.5, dominated_by: tuple[str, ...] = ()) -> FrontierPoint:
    seconds = 1 / speed
    return FrontierPoint(
        *(system, "mini_qa", "spoken_accuracy", False, quality, quality - 0.1, quality + 0.1),
        *(seconds, seconds * 0.9, seconds * 1.1, 12, 12, dominated_by),
        codes_per_pass=speed,
        codes_per_pass_low=speed * 0.9,
        codes_per_pass_high=speed * 1.1,
    )


def way(name: str, aup: float, *systems: str) -> WayOfDecoding:
    points = tuple(WayPoint(system, 1.0 + at, 0.5) for at, system in enumerate(systems))
    return WayOfDecoding(name, "mini_qa", "spoken_accuracy", points, aup, aup - 9, aup + 9, aup, 0)


@pytest.fixture
def decoded(view: ReportView) -> ReportView:
    places = (place("a1", 1), place("a2", 2), place("b1", 3, dominated_by=("a1", "a2", "c", "d")), place("c", 1.5))
    return replace(view, frontier=places, ways=(way("topk B=27", 100, "a1", "a2"), way("pmi B=9", 300, "b1")))


def test_ways_come_by_their_aup_and_what_is_of_none_comes_last(decoded: ReportView) -> None:
    (one,) = frontiers(decoded)
    found = [
        ("" if group.way is None else group.way.name, [place.system for place in group.places]) for group in one.groups
    ]
    assert found == [("pmi B=9", ["b1"]), ("topk B=27", ["a1", "a2"]), ("", ["c"])]


def test_the_page_has_a_row_for_each_way_and_folds_its_systems(decoded: ReportView) -> None:
    page = render(decoded)
    section = page[page.index('<section id="frontier"') : page.index('<section id="latency"')]
    rows = re.findall(r"<bdi>([^<]+)</bdi></th>\s*<td data-label=\"AUP\"><span[^>]*>([^<]+)</span>", section)
    assert rows == [("pmi B=9", "300"), ("topk B=27", "100")]
    assert re.findall(r"<details><summary><b>([^<]+)</b>", section) == ["pmi B=9", "topk B=27", "Other systems"]
    assert "a1, a2, c <span" in section
    assert "and 1 more" in section
    assert page.index('<section id="results"') < page.index('<section id="frontier"')


def test_of_many_systems_the_curves_come_first_and_tables_are_folded(decoded: ReportView) -> None:
    system = decoded.systems[0]
    many = replace(decoded, systems=tuple(replace(system, name=f"s{at}") for at in range(13)))
    page = render(many)
    assert page.index('<section id="frontier"') < page.index('<section id="results"')
    results = page[page.index('<section id="results"') : page.index('<section id="latency"')]
    assert results.count("<details>") == results.count("</details>") > 0


def test_paces_that_are_not_known_make_no_chart(view: ReportView) -> None:
    blind = [replace(place(name, 1), codes_per_pass=math.nan) for name in "ab"]
    (one,) = frontiers(replace(view, frontier=tuple(blind)))
    assert not any("forward pass" in chart.caption for chart in one.charts)
    assert one.ways == ()
