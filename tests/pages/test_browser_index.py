"""The index of runs in a real browser: sorting, filtering, opening a report, light and dark, narrow, on paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tttbench.pages import render_index
from tttbench.pages.index import index_page
from tttbench.pages.runs import RunSystem, read_runs

from .browsing import NARROW, Visits, columns, fits

pytestmark = pytest.mark.slow

RUNS = ["first", "killed", "older runs/a: b #2", "broken"]


@pytest.fixture
def index(runs_dir: Path) -> Path:
    return render_index(runs_dir)


def shown(page: Page) -> list[str]:
    """The runs that are to be seen, from above."""
    return [name.split("\n")[0] for name in page.locator("#runs tbody tr:visible > th").all_inner_texts()]


def test_every_run_is_there_and_one_that_cannot_be_read_says_why(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    assert shown(page) == RUNS
    expect(page.locator("#runs tr[data-status=unreadable] .reason")).to_contain_text("manifest.json: not valid JSON")
    expect(page.locator("#count")).to_have_text("4 runs")


def test_a_run_opens_its_report(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    page.get_by_role("link", name="older runs/a: b #2").click()
    expect(page).to_have_title("other · a: b #2 · tttbench")
    assert page.url.endswith("/older%20runs/a%3A%20b%20%232/report.html")


@pytest.mark.parametrize(
    ("title", "up"),
    [
        ("Run", ["broken", "first", "killed", "older runs/a: b #2"]),
        ("Suite", ["first", "killed", "older runs/a: b #2", "broken"]),
        ("Started", ["older runs/a: b #2", "first", "killed", "broken"]),
        ("Status", ["first", "older runs/a: b #2", "killed", "broken"]),
        ("Requests", ["first", "killed", "older runs/a: b #2", "broken"]),
        ("Failures", ["first", "older runs/a: b #2", "killed", "broken"]),
        ("Device", ["first", "killed", "older runs/a: b #2", "broken"]),
    ],
)
def test_a_head_sorts_the_runs(visits: Visits, index: Path, title: str, up: list[str]) -> None:
    page = visits.open(index)
    page.locator("#runs").get_by_role("button", name=title, exact=True).click()
    assert shown(page) == up
    expect(page.locator("#runs th[aria-sort=ascending]")).to_have_text(title)


def test_a_column_of_figures_sorts_by_the_best_system_and_empty_cells_stay_last(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    button = page.locator("#runs").get_by_role("button", name="Mini dictation: WER")
    best = {
        run.path: min(r.value for s in run.systems for r in s.results if r.metric == "wer")
        for run in read_runs(index.parent)
        if run.counts
    }
    button.focus()
    page.keyboard.press("Enter")
    assert shown(page)[:2] == sorted(best, key=lambda path: best[path])
    page.keyboard.press("Enter")
    assert sorted(shown(page)[2:]) == ["broken", "killed"]
    page.keyboard.press("Enter")
    assert shown(page) == RUNS
    expect(button).to_be_focused()


def test_every_column_can_be_sorted(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    assert page.locator("#runs thead th").count() == page.locator("#runs thead th button").count() == 10


def test_words_filter_the_runs_by_system_device_and_whole_hash(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    page.get_by_role("searchbox").fill("example GPU other")
    assert shown(page) == ["older runs/a: b #2"]
    expect(page.locator("#count")).to_have_text("1 of 4 runs")
    weights = read_runs(index.parent)[0].systems[1].weights_sha256
    page.get_by_role("searchbox").fill(weights)
    assert shown(page) == RUNS[:3]


def test_suite_and_status_filter_and_reset_brings_all_back(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    page.locator("#filters [name=suite]").select_option("mini")
    assert shown(page) == ["first", "killed"]
    page.locator("#filters [name=status]").select_option("interrupted")
    assert shown(page) == ["killed"]
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#count")).to_have_text("4 runs")
    assert shown(page) == RUNS


def test_what_is_filtered_away_keeps_its_place_in_the_order(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    page.locator("#filters [name=suite]").select_option("mini")
    page.locator("#runs").get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#count")).to_have_text("4 runs")
    assert shown(page) == ["broken", "first", "killed", "older runs/a: b #2"]


def test_columns_without_a_figure_of_the_runs_found_are_put_away(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    head = page.locator("#runs thead th").filter(has_text="Mini dictation")
    page.locator("#filters [name=status]").select_option("interrupted")
    expect(head).to_be_hidden()
    page.locator("#filters [name=status]").select_option("done")
    expect(head).to_be_visible()


def test_of_many_systems_the_first_are_shown_until_all_are_asked_for(
    visits: Visits, runs_dir: Path, tmp_path: Path
) -> None:
    run = replace(read_runs(runs_dir)[0], systems=tuple(RunSystem(f"s{at}", "") for at in range(17)))
    (tmp_path / "index.html").write_text(index_page([run], "runs"))
    page = visits.open(tmp_path / "index.html")
    assert page.locator(".systems li:visible").count() == 6
    page.get_by_role("button", name="11 more").click()
    assert page.locator(".systems li:visible").count() == 17
    page.get_by_role("button", name="fewer").click()
    assert page.locator(".systems li:visible").count() == 6


def test_systems_and_their_figures_stand_side_by_side(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    row = page.locator("#runs tbody tr").first
    names, figures = (
        [round(box["y"]) for li in row.locator(f"{cell} li").all() if (box := li.bounding_box())]
        for cell in (".systems", ".figures >> nth=0 >> css=ul")
    )
    assert names == figures
    assert len(names) == 4


def test_five_tasks_are_in_sight_at_1280_pixels(visits: Visits, runs_dir: Path, tmp_path: Path) -> None:
    run = read_runs(runs_dir)[0]
    result = next(r for s in run.systems for r in s.results if r.metric == "wer")
    names = [f"own recordings {at}" for at in range(5)]
    results = tuple(replace(result, task=name, system="whisper:tiny.en") for name in names)
    title = "whisper:tiny.en on recordings/of/somebody/in/a/folder/with-a-long-name and four others"
    run = replace(
        run,
        title=title,
        systems=(RunSystem("whisper:tiny.en", "f" * 64, results),),
        tasks={name: name.capitalize() for name in names},
    )
    (tmp_path / "index.html").write_text(index_page([run], "runs"))
    page = visits.open(tmp_path / "index.html")
    assert page.locator("#runs thead th").count() == 13
    assert page.locator("#runs").evaluate("(t) => t.parentElement.scrollWidth <= t.parentElement.clientWidth")


def test_what_goes_on_beyond_an_edge_has_a_shadow(visits: Visits, index: Path) -> None:
    page = visits.open(index)
    shadows = page.locator(".scroll").first.evaluate("(s) => getComputedStyle(s).backgroundAttachment")
    assert shadows == "local, local, scroll, scroll"


@pytest.mark.parametrize(("dark", "paper"), [(False, "rgb(252, 251, 248)"), (True, "rgb(20, 22, 26)")])
def test_light_and_dark_follow_the_reader(visits: Visits, index: Path, dark: bool, paper: str) -> None:
    page = visits.open(index, dark=dark)
    expect(page.locator("body")).to_have_css("background-color", paper)


@pytest.mark.parametrize("width", [320, 400, 760, 1280])
def test_no_window_needs_scrolling_to_the_side(visits: Visits, index: Path, width: int) -> None:
    assert fits(visits.open(index, size={"width": width, "height": 800}))


def test_a_narrow_window_names_the_system_of_every_figure_and_sorts(visits: Visits, index: Path) -> None:
    page = visits.open(index, size=NARROW)
    expect(page.locator(".figures .of").first).to_be_visible()
    # A run without results names its systems, too.
    expect(page.locator("tr[data-status=interrupted] .systems .who").first).to_have_text("ttt:mini")
    places = page.locator("#runs tbody tr").first.locator(".figures b").all()
    assert len({round(box["x"]) for place in places if (box := place.bounding_box())}) == 1
    page.locator("#runs").get_by_role("button", name="Started").click()
    assert shown(page)[0] == "older runs/a: b #2"


def test_paper_has_no_controls_and_all_columns(visits: Visits, index: Path) -> None:
    page = visits.open(index, dark=True)
    page.emulate_media(media="print")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("#runs .systems code").first).to_be_visible()
    expect(page.locator("#runs .suite .counts").first).to_have_css("display", "block")


def test_without_its_script_all_runs_are_there(visits: Visits, index: Path) -> None:
    page = visits.open(index, script=False)
    assert len(columns(page, "#runs", 1)) == 4
    assert page.locator("#runs button").count() == 0
