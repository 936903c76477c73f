"""Metrics of somebody's own plug-in, plain values, on every page: a rating of 1 to 5, a level in dB, a duration.

Ten ratings, half 4.0 and half 4.5, are 4.25; the other system's, half 2.0 and half 2.5, are 2.25.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.pages import render_index
from tttbench.pages.load import load
from tttbench.pages.results import result_tables
from tttbench.pages.verdict import verdict

PLUGIN = """
from tttbench.api import MetricInfo, register_system, scorer


@register_system("included_writer", specs=("8", "4"), summary="writes so many letters, or one more")
def build(spec, options):
    return lambda request: "x" * (int(spec) + int(request.id[-1]) % 2)


@scorer("included_mos", MetricInfo("Mean opinion score", "MOS", "how natural it sounds, 1 to 5", lowest=1, highest=5))
def mos(sample, view):
    return len(view.text) / 2


@scorer("included_level", MetricInfo("Level", unit="dBFS", direction="none", highest=0))
def level(sample, view):
    return -len(view.text) - 0.5


@scorer("included_length", MetricInfo("Duration", unit="s", direction="lower", lowest=0))
def length(sample, view):
    return 100.0 * len(view.text)
"""
SUITE = """
title = "Ratings"
limit = 10

[[tasks]]
name = "mini_asr"
scores = ["included_mos", "included_level", "included_length"]
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs below one folder: of both systems, and of each alone under one name."""
    top = tmp_path_factory.mktemp("own")
    (top / "plug").mkdir()
    (top / "plug" / "own_metrics.py").write_text(PLUGIN)
    for name, systems in (("both", ("8", "4")), ("good", ("8",)), ("bad", ("4",))):
        lines = [
            f'[[systems]]\nname = "included_writer:{one}"\nlabel = "{one if len(systems) > 1 else "mine"}"'
            for one in systems
        ]
        (top / f"{name}.toml").write_text("\n".join([SUITE, *lines]))
        command = ["run", str(top / f"{name}.toml"), "--include", str(top / "plug"), "--out", str(top / "runs" / name)]
        assert main(command) == 0
    return top / "runs"


@pytest.fixture(scope="module")
def report(runs: Path) -> str:
    return (runs / "both" / "report.html").read_text()


def body(page: str) -> str:
    """A page without its style and script, its spaces as one and its minus signs as hyphens."""
    inside = page.split("</style>", 1)[1].split("<script", 1)[0]
    return re.sub(r"\s+", " ", inside.replace("\u00a0", " ").replace("&nbsp;", " ").replace("\u2212", "-"))


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", markup)).strip()


def cells(page: str, table: str) -> list[list[str]]:
    """The texts of the rows of a page's first table of a class."""
    found = re.search(rf'<table class="{table}[ "].*?</table>', body(page))
    assert found is not None
    return [
        [text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", found[0].split("</thead>", 1)[1])
    ]


def test_the_report_shows_them_in_their_own_units_and_decimals(report: str) -> None:
    good, bad = cells(report, "scores")
    assert good[1].startswith("4.250 best ")
    assert re.match(r"2\.250 2\.\d{3} to 2\.\d{3} -2\.00 \[-2\.\d\d, -0\.\d\d\], worse \(p = ", bad[1])
    assert good[2].startswith("-9.000 dBFS -9.")
    assert bad[3].startswith("450.0 s best ")
    # All differences are equal, and without an end of the range nothing bounds them: no interval.
    assert "+400 s, worse (p = " in good[3]


def test_the_report_says_which_way_is_better(report: str) -> None:
    assert re.findall(r'<span class="direction">(.*?)</span>', body(report)) == [
        "higher is better",
        "neither way is better",
        "lower is better",
    ]


def test_a_rating_has_a_bar_over_its_scale_and_a_level_none(runs: Path) -> None:
    (table,) = result_tables(load(runs / "both"))
    ratings, levels, durations = table.columns
    assert ((ratings.begin, ratings.end), (levels.begin, levels.end)) == ((1.0, 5.0), (0.0, 0.0))
    assert (durations.begin, durations.end >= 850.0) == (0.0, True)
    cell = table.rows[0].cells[0]
    bar = None if cell is None else ratings.bar(cell.result)
    assert bar is not None
    assert bar.at == 81.25  # 3.25 of 4


def test_the_first_sentence_ranks_systems_by_it(runs: Path) -> None:
    said = verdict(load(runs / "both"))
    assert said[0].startswith("On Mini ASR, 8 has the highest MOS: 4.250 (95\u00a0% interval 4.")
    assert said[0].endswith(", 4 2.250.")


def test_every_sample_has_its_values_unscaled(report: str) -> None:
    found = re.search(r'id="rows-data">(.*?)</script>', report)
    assert found is not None
    data = json.loads(found[1])
    assert [(m["short"], m["unit"], m["scale"], m["kind"]) for m in data["metrics"]] == [
        ("MOS", "", 1.0, "value"),
        ("Level", "dBFS", 1.0, "value"),
        ("Duration", "s", 1.0, "value"),
    ]
    scores = data["columns"].index("scores")
    assert sorted({row[scores][0][1] for row in data["rows"]}) == [2.0, 2.5, 4.0, 4.5]


def test_the_comparison_page_shows_a_worse_rating(runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "comparison.html"
    assert main(["gate", str(runs / "good"), str(runs / "bad"), "--speed", "off", "--html", str(page)]) == 1
    rows = {row[0]: row[1:] for row in cells(page.read_text(), "verdicts")}
    assert set(rows) == {"Mean opinion scoremini_asr", "Durationmini_asr"}  # a level can't be better or worse
    before, now, difference, _, n, says = rows["Mean opinion scoremini_asr"]
    assert (before, now, n) == ("4.250", "2.250", "10")
    assert re.fullmatch(r"-2\.00 \[-2\.\d\d, -0\.\d\d\]", difference)
    assert says.startswith("worse ")
    before, now, difference, *_ = rows["Durationmini_asr"]
    assert (before, now, difference.split(" [")[0]) == ("850 s", "450 s", "-400 s")


def test_the_index_shows_the_rating_with_its_interval_and_sorts_by_the_best(runs: Path) -> None:
    page = body(render_index(runs).read_text())
    assert "Mini ASR: MOS" in text_of(page)
    figures = re.findall(r'<td class="figures"[^>]*data-sort="([\d.]+)">(.*?)</td>', page)
    assert sorted(float(best) for best, _ in figures) == [2.25, 4.25, 4.25]
    shown = sorted(re.findall(r'<b data-value="[\d.]+">([\d.]+)</b> <span class="ci">(\d\.\d{3}) to \d\.\d{3}<', page))
    assert [value for value, _ in shown] == ["2.250", "2.250", "4.250", "4.250"]
