import math
import re
from dataclasses import replace
from xml.etree import ElementTree

from tttbench.pages.charts import chart_data, quality_latency_charts
from tttbench.pages.view import ReportView


def test_a_chart_shows_the_numbers_of_the_summary(view: ReportView) -> None:
    data = chart_data(view, view.task("mini_qa"))
    assert data is not None
    assert (data.metric, data.probe) == ("spoken_accuracy", "ttfa_wave")
    for point in data.points:
        (result,) = (r for r in view.results if (r.system, r.task, r.metric) == (point.system, "mini_qa", data.metric))
        (probe,) = (p for p in view.probes if (p.system, p.task, p.metric) == (point.system, "mini_qa", data.probe))
        assert (point.quality, point.quality_low, point.quality_high) == (result.value, result.ci_low, result.ci_high)
        assert (point.latency_p50, point.quality_high) == (probe.p50, result.ci_high)


def test_the_pair_of_metrics_that_most_systems_have_is_chosen(view: ReportView) -> None:
    data = chart_data(view, view.task("mini_asr"))
    assert data is not None
    assert {point.system for point in data.points} == {system.name for system in view.systems}
    assert (data.metric, data.probe) == ("wer", "latency")


def test_what_was_measured_on_a_busy_machine_is_hollow_and_said(view: ReportView) -> None:
    busy = tuple(replace(p, busy="much to do") if p.system == "ttt:mini" else p for p in view.probes)
    (before, *_), (after, *_) = quality_latency_charts(view), quality_latency_charts(replace(view, probes=busy))
    assert "busy" not in before.svg + before.caption
    assert after.caption.endswith("; hollow: the machine was busy")
    assert re.search(r"<title>ttt:mini: [^<]*, measured on a busy machine</title>", after.svg)
    assert not re.search(r"<title>ttt:mini-ar: [^<]*busy", after.svg)


def test_what_was_generated_together_is_in_no_chart(view: ReportView) -> None:
    timed = tuple(
        replace(one, together=8) if (one.system, one.task) == ("ttt:mini", "mini_qa") else one for one in view.timed
    )
    data = chart_data(replace(view, timed=timed), view.task("mini_qa"))
    assert data is not None
    assert [point.system for point in data.points] == ["ttt:mini-ar", "ttt:mini-nar"]


def test_a_figure_that_few_answers_have_stands_for_no_system(view: ReportView) -> None:
    few = tuple(replace(p, n=1) if p.metric == "ttfa_wave" else p for p in view.probes)
    data = chart_data(replace(view, probes=few), view.task("mini_qa"))
    assert data is not None
    assert data.probe == "rtf"


def test_one_system_alone_makes_no_chart(view: ReportView) -> None:
    alone = replace(view, results=tuple(r for r in view.results if r.system == "ttt:mini"))
    assert quality_latency_charts(alone) == ()


def test_a_system_without_a_value_is_left_to_the_table(view: ReportView) -> None:
    broken = tuple(replace(r, value=math.nan) if r.system == "ttt:mini" else r for r in view.results)
    data = chart_data(replace(view, results=broken), view.task("mini_qa"))
    assert data is not None
    assert "ttt:mini" not in {point.system for point in data.points}


def test_the_svg_is_well_formed_and_names_every_system_as_text(view: ReportView) -> None:
    chart = quality_latency_charts(view)[0]
    root = ElementTree.fromstring(chart.svg.replace("xlink:href", "href"))
    texts = {element.text for element in root.iter("text")}
    assert {"ttt:mini", "ttt:mini-ar", "ttt:mini-nar"} <= texts


def test_names_are_text_whatever_they_hold(view: ReportView) -> None:
    name = "$x_</text><b>&$"
    view = replace(
        view,
        systems=tuple(replace(s, name=name) if s.name == "ttt:mini" else s for s in view.systems),
        results=tuple(replace(r, system=name) if r.system == "ttt:mini" else r for r in view.results),
        probes=tuple(replace(p, system=name) if p.system == "ttt:mini" else p for p in view.probes),
    )
    root = ElementTree.fromstring(quality_latency_charts(view)[0].svg.replace("xlink:href", "href"))
    assert name in {element.text for element in root.iter("text")}


def test_colours_follow_the_theme_and_nothing_is_fetched(view: ReportView) -> None:
    svg = "".join(chart.svg for chart in quality_latency_charts(view))
    assert "http" not in svg
    assert "var(--system-0)" in svg
    assert not re.findall(r"(?:fill|stroke): #(?!ffffff|000000)\w+", svg)
    assert "#01010" not in svg


def test_charts_on_one_page_share_no_id(view: ReportView) -> None:
    found = [re.findall(r'\bid="([^"]+)"', chart.svg) for chart in quality_latency_charts(view)]
    assert len(found) == 2
    assert not set(found[0]) & set(found[1])
    for ids, chart in zip(found, quality_latency_charts(view), strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', chart.svg)) <= set(ids)


def test_who_cannot_see_the_chart_reads_its_numbers(view: ReportView) -> None:
    chart = quality_latency_charts(view)[0]
    assert "Spoken answers right against time to first audio" in chart.alternative
    assert re.search(r"ttt:mini: [\d.]+\s% at \d+ ms", chart.alternative)


LONG = "ttt:/home/somebody/experiments/hybrid/checkpoint-12000"


def renamed(view: ReportView, names: dict[str, str]) -> ReportView:
    """The view with other names of systems."""
    return replace(
        view,
        systems=tuple(replace(s, name=names.get(s.name, s.name)) for s in view.systems),
        results=tuple(replace(r, system=names.get(r.system, r.system)) for r in view.results),
        probes=tuple(replace(p, system=names.get(p.system, p.system)) for p in view.probes),
    )


def test_a_long_name_is_shortened_and_stands_whole_in_the_tooltip(view: ReportView) -> None:
    chart = quality_latency_charts(renamed(view, {"ttt:mini": LONG}))[0]
    root = ElementTree.fromstring(chart.svg.replace("xlink:href", "href"))
    texts = {element.text for element in root.iter("text")}
    assert "ttt:…/checkpoint-12000" in texts
    assert LONG not in texts
    titles = [element.text or "" for element in root.iter("title")]
    assert sum(title.startswith(f"{LONG}: ") for title in titles) == 2  # of the mark and of its name
    assert LONG in chart.alternative


def test_names_that_find_no_room_beside_their_points_stand_in_a_list_below(view: ReportView) -> None:
    names = {s.name: f"ttt:/experiments/{at}/checkpoint-12000" for at, s in enumerate(view.systems)}
    at_one_point = replace(
        view,
        results=tuple(replace(r, value=0.5, ci_low=0.4, ci_high=0.6) for r in view.results),
        probes=tuple(replace(p, p50=0.3, p90=0.3) for p in view.probes),
    )
    root = ElementTree.fromstring(quality_latency_charts(renamed(at_one_point, names))[0].svg.replace("xlink:", ""))
    assert any(element.get("id", "").endswith("legend_1") for element in root.iter("g"))
    shown = [element.text for element in root.iter("text") if "checkpoint" in (element.text or "")]
    assert len(shown) == len(set(shown)) == 3


def test_short_names_stand_beside_their_points(view: ReportView) -> None:
    assert "legend_1" not in quality_latency_charts(view)[0].svg
