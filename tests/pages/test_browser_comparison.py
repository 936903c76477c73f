"""The comparison page in a real browser: filters, sorting, players, light and dark, narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tttbench.gate.decide import gate
from tttbench.gate.from_run import snapshot_of
from tttbench.gate.rules import Rules
from tttbench.gate.sources import Source
from tttbench.pages.comparison import comparison_page

from .browsing import NARROW, Visits, columns, fits
from .conftest import write_run

pytestmark = pytest.mark.slow

TABLE = "#samples-table"

NOTE_WHAT_PLAYS = """
    window.heard = [];
    const play = Audio.prototype.play;
    Audio.prototype.play = function () {
      this.addEventListener("playing", () => window.heard.push(this.src), { once: true });
      return play.call(this);
    };
"""


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("compared")
    folders = [write_run(top / "before", 12), write_run(top / "now", 12, seed=8)]
    before, now = (Source(snapshot_of(folder), folder) for folder in folders)
    page = top / "comparison.html"
    result = gate(before.snapshot, now.snapshot, Rules(speed="off", max_errors=1.0))
    page.write_text(comparison_page(result, before, now, page))
    return page


def test_what_got_worse_comes_first_and_can_be_filtered(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    order = ["worse", "changed", "better", "as before"]
    found = columns(page, TABLE, 1)
    assert found == sorted(found, key=order.index)
    page.get_by_label("Change").select_option("better")
    expect(page.locator("#count")).to_contain_text("found among 84 answers")
    assert set(columns(page, TABLE, 1)) == {"better"}
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#count")).to_have_text("1 to 50 of 84 answers")


def test_the_tally_is_that_of_the_rows(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    page.get_by_label("Per page").select_option("200")
    changes = columns(page, TABLE, 1)
    for change, shown in (("worse", "worse"), ("better", "better"), ("changed", "changed"), ("same", "as before")):
        assert page.locator(f"[data-change={change}]").inner_text() == str(changes.count(shown))


def test_words_systems_and_tasks_filter(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    page.get_by_label("System").select_option("ttt:mini-nar")
    page.get_by_label("Task").select_option("mini_asr")
    assert set(columns(page, TABLE, 2)) == {"ttt:mini-nar"}
    assert set(columns(page, TABLE, 3)) == {"mini_asr"}
    page.get_by_label("Search").fill("BERGEN")
    for text in page.locator(f"{TABLE} tbody tr").all_inner_texts():
        assert "Bergen" in text


def test_heads_sort_by_keyboard(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    button = page.locator(TABLE).get_by_role("button", name="System")
    button.focus()
    page.keyboard.press("Enter")
    names = columns(page, TABLE, 2)
    assert names == sorted(names)
    expect(page.locator(f"{TABLE} th[aria-sort=ascending]")).to_have_text("System")
    expect(button).to_be_focused()


def test_pages_turn(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#count")).to_have_text("51 to 84 of 84 answers")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()


def test_both_answers_play(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison, before=NOTE_WHAT_PLAYS)
    page.get_by_label("System").select_option("ttt:mini")
    row = page.locator(f"{TABLE} tbody tr").first
    for at, folder in enumerate(("before", "now"), 1):
        row.locator("td").nth(4 + at).locator(".play").click()
        page.wait_for_function("(count) => window.heard.length === count", arg=at)
        assert f"/{folder}/audio/" in str(page.evaluate("window.heard.at(-1)"))


@pytest.mark.parametrize("dark", [False, True])
def test_a_narrow_window_holds_it(visits: Visits, comparison: Path, dark: bool) -> None:
    page = visits.open(comparison, size=NARROW, dark=dark)
    assert fits(page)
    page.get_by_label("Change").select_option("worse")
    assert fits(page)


def test_in_a_narrow_window_every_value_stands_at_one_edge(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison, size=NARROW)
    cells = page.locator(".verdicts tbody td:visible").all()
    edges = {
        cell.evaluate("(c) => c.getBoundingClientRect().left + parseFloat(getComputedStyle(c).paddingLeft)")
        for cell in cells
    }
    assert len(cells) > 20
    assert len(edges) == 1
    assert {cell.evaluate("(c) => getComputedStyle(c).textAlign") for cell in cells} <= {"left", "start"}


def test_a_verdict_has_room_for_its_sentence(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    widths = [box["width"] for cell in page.locator(".verdicts .says").all() if (box := cell.bounding_box())]
    assert min(widths) >= 230
    region = page.locator(".verdicts").first.locator("..")
    assert region.evaluate("(r) => r.scrollWidth <= r.clientWidth")


def test_the_filters_look_as_on_the_report(visits: Visits, comparison: Path) -> None:
    page = visits.open(comparison)
    expect(page.locator("#filters")).to_have_css("display", "flex")
