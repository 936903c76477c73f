"""Published figures of the strategies that a run has stand on its page, with their source and the run's own ways."""

from __future__ import annotations

from dataclasses import replace

from tttbench.core.metric import FrontierPoint, WayOfDecoding, WayPoint
from tttbench.pages.page import page as render
from tttbench.pages.published_ways import published_ways
from tttbench.pages.view import ReportView


def way(name: str) -> WayOfDecoding:
    points = (WayPoint("s", 2.0, 0.5), WayPoint("t", 4.0, 0.5))
    return WayOfDecoding(name, "mini_qa", "spoken_accuracy", points, 123.0, 100.0, 140.0, 130.0, 0)


def test_the_figures_are_those_of_the_runs_strategies() -> None:
    found = published_ways([way("threshold B=9 exact"), way("topk B=9"), way("ttt:mini saber:per_back=2 B=27")])
    assert [(one.block.title.partition(":")[0], [own.name for own in one.ways]) for one in found] == [
        ("threshold", ["threshold B=9 exact"]),
        ("saber", ["ttt:mini saber:per_back=2 B=27"]),
    ]
    assert published_ways([way("topk B=9"), way("ttt:threshold topk B=9")]) == ()


def test_the_page_shows_them_with_their_source(view: ReportView) -> None:
    numbers = (0.5, 0.4, 0.6, 1.0, 0.9, 1.1, 12, 12, ())
    places = tuple(FrontierPoint(one, "mini_qa", "spoken_accuracy", False, *numbers) for one in "st")
    page = render(replace(view, frontier=places, ways=(way("threshold B=9 exact"),)))
    section = page[page.index("What their papers report") : page.index('<section id="latency"')]
    assert 'href="https://arxiv.org/abs/2505.22618"' in section
    assert '<span data-value="79.2">79.2</span>' in section
    assert "<bdi>threshold B=9 exact</bdi>" in section
    assert "AUP 123, 2 to 4 audio tokens a pass." in section
    assert "What their papers report" not in render(replace(view, frontier=places, ways=(way("topk B=9"),)))
