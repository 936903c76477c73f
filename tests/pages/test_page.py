"""The finished page: it parses, says what the summary says, takes hostile text for text, and fetches nothing."""

from __future__ import annotations

import html
import itertools
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import FrontierPoint
from tttbench.core.recipe import Recipe
from tttbench.pages import render
from tttbench.pages.labels import against, format_quantity, format_value
from tttbench.pages.page import page
from tttbench.pages.view import Fact, ReportView, Row, SystemView, TaskView
from tttbench.scorers.words import counted

VOID = {"meta", "link", "input", "br", "hr", "img", "use", "wbr"}


class Document(HTMLParser):
    """Collects elements with their attributes and texts; complains about tags that don't match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.values: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        value = self.elements[-1][1].get("data-value") if self.elements else None
        if value and data.strip() and self.open and self.open[-1] == self.elements[-1][0]:
            self.values.append((value, data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(run_dir: Path) -> str:
    path = render(run_dir)
    assert path == run_dir / "report.html"
    return path.read_text()


@pytest.fixture(scope="module")
def document(text: str) -> Document:
    return Document(text)


def test_every_element_is_closed(document: Document) -> None:
    assert document.open == []


def test_every_result_stands_on_the_page_as_the_summary_has_it(document: Document, view: ReportView) -> None:
    shown = set(document.values)
    for result in view.results:
        for number in (result.value, result.ci_low, result.ci_high):
            text = format_value(number, view.metric(result.metric))
            assert math.isnan(number) or (str(number), text) in shown
        assert (str(result.n), counted(result)) in shown
    assert any(math.isfinite(result.ci_low) for result in view.results)


def test_every_difference_to_the_best_stands_on_the_page_as_the_summary_has_it(
    document: Document, view: ReportView
) -> None:
    assert len(view.comparisons) == 3 * 2 + 4
    compared = [one for one in view.comparisons if not math.isnan(one.difference)]
    assert len(compared) == 2 * 2 + 3
    for one in compared:
        assert (str(one.difference), against(one, view.metric(one.metric))) in document.values


def test_every_median_stands_on_the_page_as_the_summary_has_it(document: Document, view: ReportView) -> None:
    for probe in view.probes:
        assert (str(probe.p50), format_quantity(probe.p50, probe.unit)) in document.values


def test_no_number_on_the_page_is_missing_from_the_summary(document: Document, view: ReportView) -> None:
    known = {str(p.p50) for p in view.probes} | {str(one.difference) for one in view.comparisons}
    for result in view.results:
        numbers = (result.value, result.ci_low, result.ci_high, result.n, result.value_best, result.value_worst)
        known |= {str(number) for number in numbers}
    for one in view.spoken:
        known |= {str(number) for number in (one.n, one.median_s, one.silence, one.clipped)}
    assert {value for value, _ in document.values} <= known


def test_every_status_is_counted_even_at_zero(text: str, view: ReportView) -> None:
    for status, number in view.status_counts().items():
        assert f'data-count="{status}">{number}<' in text


def test_nothing_is_fetched(document: Document, text: str) -> None:
    for tag, attributes in document.elements:
        for name in ("src", "href", "action", "poster", "data", "xlink:href"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:,")), f"<{tag} {name}={address}>"
    assert not re.search(r"https?://|@import|url\((?!#)", text)


def test_hostile_text_stays_text(document: Document, text: str) -> None:
    assert len(document.all("script")) == 2
    assert "<script>alert" not in text
    assert html.escape("<script>alert('x')</script>", quote=False).replace("'", "&#39;") in text
    assert "{{ 7*7 }}" in text


def hostile_view(view: ReportView) -> ReportView:
    bad = "</script><img src=x onerror=alert(1)>\"'>{{ 1 }}<!--"
    return replace(
        view,
        name=bad,
        suite=bad,
        title=bad,
        command=bad,
        systems=(*view.systems, SystemView(bad, bad, (Fact(bad, bad),), bad)),
        tasks=(*view.tasks, TaskView(bad, bad, "qa", bad, (), (Fact(bad, bad),))),
        results=(*view.results, replace(view.results[0], system=bad, task=bad, metric=bad, recipe=Recipe(bad))),
        probes=(*view.probes, replace(view.probes[0], system=bad, task=bad, metric=bad, strategy=bad)),
        rows=(*view.rows, Row(bad, bad, bad, "qa", "error", bad, metadata={bad: bad})),
        facts=(Fact(bad, bad),),
        manifest=(Fact(bad, bad),),
    )


def test_no_field_can_smuggle_an_element_in(view: ReportView) -> None:
    document = Document(page(hostile_view(view)))
    assert document.open == []
    assert document.all("img") == []
    assert len(document.all("script")) == 2


def test_headings_descend_one_level_at_a_time(document: Document) -> None:
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_table_has_a_caption_and_every_header_a_scope(document: Document) -> None:
    assert len(document.all("caption")) == len(document.all("table"))
    assert all(attributes.get("scope") in ("col", "row") for attributes in document.all("th"))


def test_every_reference_within_the_page_has_its_target(document: Document) -> None:
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {a["href"] for a in document.all("a")} | {
        f"#{a['aria-labelledby']}" for _, a in document.elements if "aria-labelledby" in a
    }
    assert {str(target).removeprefix("#") for target in wanted} <= set(ids)


def test_a_failed_request_stands_under_failures_with_its_message(text: str) -> None:
    failures = text[text.index('id="failures"') :]
    assert "no audio" in failures
    assert "q003" in failures


def test_a_run_without_results_still_has_a_page(view: ReportView) -> None:
    text = page(replace(view, results=(), probes=(), rows=(), expected=3))
    assert "No results yet" in text
    assert "3 requests have no answer yet" in text


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        render(tmp_path)


def test_long_names_of_systems_are_shortened_and_stand_whole_in_a_tooltip(view: ReportView) -> None:
    long = "ttt:/home/somebody/experiments/hybrid/checkpoint-12000"
    view = replace(
        view,
        systems=tuple(replace(s, name=long) if s.name == "ttt:mini" else s for s in view.systems),
        results=tuple(replace(r, system=long) if r.system == "ttt:mini" else r for r in view.results),
        probes=tuple(replace(p, system=long) if p.system == "ttt:mini" else p for p in view.probes),
        rows=tuple(replace(r, system=long) if r.system == "ttt:mini" else r for r in view.rows),
    )
    text = page(view)
    assert f'<abbr title="{long}">ttt:…/checkpoint-12000</abbr>' in text
    assert f'<option value="{long}">ttt:…/checkpoint-12000</option>' in text
    verdict = text[text.index('class="verdict"') : text.index('class="tally"')]
    assert long not in verdict


def test_what_to_know_of_a_way_of_decoding_stands_where_ways_are_compared(view: ReportView) -> None:
    remark = "untrained <for it>"
    first, second, *rest = view.systems
    places = tuple(
        FrontierPoint(one.name, view.tasks[0].name, "wer", True, 0.2, 0.1, 0.3, 1.0, 0.9, 1.1, 8, 8, ())
        for one in (first, second)
    )
    changed = replace(view, systems=(replace(first, remark=remark), second, *rest), frontier=places)
    text = page(changed)
    trade_off = text[text.index('id="frontier"') :]
    assert (
        f'<p class="note">{first.name}: <bdi>{html.escape(remark)}</bdi>.</p>' in trade_off[: trade_off.index("<table")]
    )
    assert html.escape(remark) not in page(replace(changed, systems=view.systems))


def test_dotted_names_break_at_their_dots_and_nothing_is_blank(text: str) -> None:
    assert "card.<wbr>weights_<wbr>sha256" in text
    assert "<dd><bdi></bdi></dd>" not in text
