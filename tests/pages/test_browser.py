"""The report in a real browser: sorting, filtering, pages, details, sound, light and dark, narrow, on paper, large."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tttbench.core.metric import MetricInfo
from tttbench.pages import render
from tttbench.pages.load import load
from tttbench.pages.page import page as page_of
from tttbench.pages.view import ReportView, ScoreView

from .browsing import NARROW, Visits, columns, fits
from .conftest import write_run

pytestmark = pytest.mark.slow

SAMPLES = "#samples-table"
CONTRASTS = """() => {
  const style = getComputedStyle(document.documentElement);
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (name) => {
    paint.fillStyle = style.getPropertyValue(name);
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (ink, paper) => {
    const [low, high] = [luminance(ink), luminance(paper)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  return [["--ink", "--paper"], ["--muted", "--paper"], ["--muted", "--raised"], ["--accent", "--paper"],
    ["--good", "--good-paper"], ["--bad", "--bad-paper"], ["--bad", "--paper"], ["--warn", "--warn-paper"],
    ["--warn", "--paper"]].map((pair) => contrast(...pair));
}"""
"""Contrast of every ink on its paper, as WCAG 2 defines it."""

KEEP_PLAYER = """
  const OwnAudio = window.Audio;
  window.Audio = function () { window.player = new OwnAudio(); return window.player; };
"""
"""The page's one player isn't part of its document; this makes it findable."""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six samples a task, which these tests count."""
    return write_run(tmp_path_factory.mktemp("runs") / "example", 6)


@pytest.fixture(scope="module")
def view(run_dir: Path) -> ReportView:
    return load(run_dir)


@pytest.fixture(scope="module")
def report(run_dir: Path) -> Path:
    return render(run_dir)


@pytest.fixture(scope="module")
def large(view: ReportView, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 10,000 samples, sample 7,777 the only one that speaks of a giraffe."""
    rows = [replace(view.rows[at % len(view.rows)], id=f"s{at:05d}") for at in range(10_000)]
    rows[7_777] = replace(rows[7_777], text="a giraffe", text_diff=())
    file = tmp_path_factory.mktemp("large") / "report.html"
    file.write_text(page_of(replace(view, rows=tuple(rows), expected=10_000)))
    return file


def rtf(page: Page) -> list[float]:
    return [float(text) for text in columns(page, SAMPLES, 10) if text != "—"]


def test_the_watch_notices_errors_and_requests(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    file.write_text("<img src='missing.png'><script src='https://example.org/x.js'></script><script>oops()</script>")
    visits = Visits(browser)
    visits.open(file)
    visits.close()
    assert visits.elsewhere() == ["https://example.org/x.js"]
    assert any("missing.png" in complaint for complaint in visits.complaints)
    assert any("oops is not defined" in complaint for complaint in visits.complaints)


def test_all_rows_and_pictures_are_there(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    expect(page.locator("#count")).to_have_text("1 to 42 of 42 requests")
    assert page.locator(f"{SAMPLES} .toggle").count() == 42
    assert page.locator("#decoding .picture").count() == 6


def test_scores_can_be_told_apart(visits: Visits, view: ReportView, tmp_path: Path) -> None:
    """Two scores with one short name, a binary score of which none is right, and errors."""
    metrics = {
        "wer": MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate"),
        "clips": MetricInfo("Clips with words", "with words", direction="lower", aggregation="binary"),
        "right": MetricInfo("Right", "right", direction="higher", aggregation="binary"),
    }
    scores = (ScoreView("wer", 0.0, "ok"), ScoreView("wer_raw", 0.5, "ok"), ScoreView("clips", 1.0, "ok"))
    rows = (
        replace(view.rows[0], scores=scores),
        replace(view.rows[1], scores=(ScoreView("clips", 0.0, "ok"), ScoreView("right", 0.0, "error"))),
        replace(view.rows[2], scores=(ScoreView("right", None, "unparsed", "left out: why", is_left_out=True),)),
    )
    metrics["wer_raw"] = metrics["wer"]
    (file := tmp_path / "report.html").write_text(page_of(replace(view, rows=rows, metrics=metrics)))
    page = visits.open(file)
    shown = page.locator(f"{SAMPLES} .chip:visible").all()
    texts = [chip.evaluate("(c) => c.firstChild.data + c.children[0].textContent") for chip in shown]
    assert [text.replace("\u00a0", " ") for text in texts] == [
        "WER 0.0 %",
        "wer_raw 50.0 %",
        "with words yes",
        "with words no",
        "right ✗",
        "right left out",
    ]
    classes = [(chip.get_attribute("class") or "").split()[-1] for chip in shown]
    assert classes == ["good", "bad", "bad", "good", "bad", "chip"]


def test_a_picture_that_stands_alone_is_no_larger_than_it_was_drawn(
    visits: Visits, view: ReportView, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page_of(replace(view, rows=tuple(row for row in view.rows if row.system == "ttt:mini"))))
    picture = visits.open(file).locator("#decoding .picture").first
    box, drawn = picture.bounding_box(), (picture.get_attribute("viewBox") or "").split()[2]
    assert box is not None
    assert box["width"] == float(drawn) == 720


@pytest.mark.parametrize("system", ["recorded:/data/answers-of-last-week.tsv", "a" * 40])
def test_long_names_of_systems_leave_the_last_column_in_sight(
    visits: Visits, view: ReportView, tmp_path: Path, system: str
) -> None:
    renamed = replace(view.systems[0], name=system)
    file = tmp_path / "report.html"
    file.write_text(
        page_of(replace(view, systems=(renamed,), rows=tuple(replace(r, system=system) for r in view.rows)))
    )
    page = visits.open(file)
    assert page.locator(f"{SAMPLES}").evaluate("(t) => t.parentElement.scrollWidth <= t.parentElement.clientWidth")


def test_a_head_sorts_the_samples_up_then_down_then_as_run(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    as_run = rtf(page)
    cell = page.locator(f"{SAMPLES} th[data-key=rtf]")
    cell.get_by_role("button").click()
    assert rtf(page) == sorted(as_run) != as_run
    expect(cell).to_have_attribute("aria-sort", "ascending")
    cell.get_by_role("button").click()
    assert rtf(page) == sorted(as_run, reverse=True)
    expect(cell).to_have_attribute("aria-sort", "descending")
    cell.get_by_role("button").click()
    assert rtf(page) == as_run
    assert cell.get_attribute("aria-sort") is None


def test_the_keyboard_sorts_and_stays_at_the_head(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    button = page.locator(f"{SAMPLES} th[data-key=system] button")
    page.locator("#filters button[type=reset]").focus()
    for _ in range(3):  # the region that scrolls, then the first head
        page.keyboard.press("Tab")
        if button.evaluate("(element) => element === document.activeElement"):
            break
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert columns(page, SAMPLES, 2)[0] == "whisper:tiny.en"
    expect(button).to_be_focused()


def test_the_list_sorts_like_the_heads(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    page.get_by_label("Sort by").select_option("rtf-")
    assert rtf(page) == sorted(rtf(page), reverse=True)
    expect(page.locator(f"{SAMPLES} th[data-key=rtf]")).to_have_attribute("aria-sort", "descending")


def test_words_filter_the_samples(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    page.get_by_role("searchbox").fill("norway OSLO")
    expect(page.locator("#count")).to_have_text("1 to 3 of 3 found among 42 requests")
    assert columns(page, SAMPLES, 4) == ["q003"] * 3


def test_a_status_filters_the_samples(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    page.locator("#filters [name=status]").select_option("error")
    assert columns(page, SAMPLES, 11) == ["error", "error"]


def test_wrong_only_leaves_what_is_wrong(visits: Visits, report: Path, view: ReportView) -> None:
    page = visits.open(report)
    page.get_by_label("wrong only").check()
    wrong = [(row.system, row.task, row.status) for row in view.rows if row.wrong]
    assert 0 < len(wrong) < len(view.rows)
    assert list(zip(*(columns(page, SAMPLES, at) for at in (2, 3, 11)), strict=True)) == wrong


def test_nothing_found_is_said_and_reset_brings_all_back(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    page.get_by_role("searchbox").fill("no such word")
    expect(page.locator("#count")).to_have_text("Nothing found among 42 requests")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#count")).to_have_text("1 to 42 of 42 requests")


def test_pages_turn_and_the_keyboard_is_not_lost_at_the_end(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    page.get_by_label("Per page").select_option("25")
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("26 to 42 of 42 requests")
    expect(page.locator("#page")).to_have_text("page 2 of 2")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    expect(page.get_by_role("button", name="Previous")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("1 to 25 of 42 requests")


def test_details_open_with_pictures_and_close(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    toggle = page.locator(f"{SAMPLES} .toggle").first
    toggle.focus()
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".details dl")).to_contain_text("The capital of France is Paris.")
    assert page.locator(".details .picture").count() == 2
    page.keyboard.press("Enter")
    assert page.locator(".details").count() == 0


def test_a_recording_plays_until_it_is_stopped(visits: Visits, report: Path) -> None:
    page = visits.open(report, before=KEEP_PLAYER)
    play = page.locator(f"{SAMPLES} tbody tr").first.get_by_role("button", name="Play the spoken answer")
    play.click()
    page.wait_for_function("window.player.currentTime > 0.1")
    assert page.evaluate("window.player.error") is None
    assert page.evaluate("window.player.duration") > 1
    expect(play).to_have_attribute("aria-pressed", "true")
    play.click()
    assert page.evaluate("window.player.paused")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_a_recording_plays_to_its_end_and_another_one_stops_it(visits: Visits, report: Path) -> None:
    page = visits.open(report, before=KEEP_PLAYER)
    row = page.locator(f"{SAMPLES} tbody tr").first
    heard, given = row.get_by_role("button", name="Play the spoken"), row.get_by_role("button", name="Play the input")
    heard.click()
    page.wait_for_function("window.player.currentTime > 0")
    given.click()
    expect(heard).to_have_attribute("aria-pressed", "false")
    page.wait_for_function("window.player.ended")
    assert page.evaluate("window.player.error") is None
    expect(given).to_have_attribute("aria-pressed", "false")


def test_the_players_of_the_details_play(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    page.locator(f"{SAMPLES} .toggle").first.click()
    assert page.locator(".details audio").count() == 3
    page.locator(".details audio").nth(1).evaluate("(audio) => audio.play()")
    page.wait_for_function("document.querySelectorAll('.details audio')[1].currentTime > 0.1")


def test_a_page_without_its_recordings_says_so(browser: Browser, report: Path, tmp_path: Path) -> None:
    shutil.copyfile(report, tmp_path / "report.html")
    visits = Visits(browser)
    play = visits.open(tmp_path / "report.html").locator(f"{SAMPLES} .play").first
    play.click()
    expect(play).to_have_attribute(
        "title", "This recording can't be played: it must lie where it lay when this page was written."
    )
    visits.close()
    assert all("ERR_FILE_NOT_FOUND" in complaint for complaint in visits.complaints)


@pytest.mark.parametrize(("title", "ascending"), [("Spoken answers right", True), ("System", False)])
def test_the_head_of_a_result_table_sorts_the_systems(
    visits: Visits, report: Path, view: ReportView, title: str, ascending: bool
) -> None:
    page = visits.open(report)
    table = page.locator("table.scores").first
    button = table.get_by_role("button", name=title)
    for _ in range(1 if ascending else 2):
        button.click()
    systems = [text.split("\n")[0] for text in table.locator("tbody th").all_inner_texts()]
    values = {r.system: r.value for r in view.results if (r.task, r.metric) == ("mini_qa", "spoken_accuracy")}
    speaking = ["ttt:mini", "ttt:mini-ar", "ttt:mini-nar"]
    expected = sorted(speaking, key=lambda name: values[name]) if ascending else sorted(speaking, reverse=True)
    assert systems == [*expected, "reference audio"]
    expect(table.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending" if ascending else "descending")


def test_the_keyboard_sorts_the_latency_table(visits: Visits, report: Path, view: ReportView) -> None:
    page = visits.open(report)
    table = page.locator("table.latency").first
    table.get_by_role("button", name="TTFA", exact=True).focus()
    page.keyboard.press("Enter")
    medians = {p.system: p.p50 for p in view.probes if (p.task, p.metric) == ("mini_qa", "ttfa_wave")}
    systems = [text.split("\n")[0] for text in table.locator("tbody th").all_inner_texts()]
    assert systems == sorted(medians, key=lambda name: medians[name])


def test_failures_sort_by_how_many_samples_they_have(visits: Visits, report: Path) -> None:
    page = visits.open(report)
    button = page.locator("table.failures").get_by_role("button", name="Task")
    button.click()
    assert columns(page, "table.failures", 2) == ["mini_asr", "mini_qa"]
    button.click()
    assert columns(page, "table.failures", 2) == ["mini_qa", "mini_asr"]


def test_without_its_script_the_results_read_well_and_their_heads_are_no_buttons(visits: Visits, report: Path) -> None:
    page = visits.open(report, script=False)
    assert page.locator("table.scores button, table.latency button").count() == 0
    expect(page.locator("table.scores").first).to_contain_text("Spoken answers right")
    expect(page.locator("table.latency").first).to_contain_text("TTFA")


@pytest.mark.parametrize(("dark", "paper"), [(False, "rgb(252, 251, 248)"), (True, "rgb(20, 22, 26)")])
def test_light_and_dark_follow_the_reader_and_are_legible(visits: Visits, report: Path, dark: bool, paper: str) -> None:
    page = visits.open(report, dark=dark)
    expect(page.locator("body")).to_have_css("background-color", paper)
    assert min(page.evaluate(CONTRASTS)) >= 4.5


@pytest.mark.parametrize("width", [320, 400, 760])
def test_a_narrow_window_needs_no_scrolling_to_the_side(visits: Visits, report: Path, width: int) -> None:
    page = visits.open(report, size={"width": width, "height": 800})
    page.locator(f"{SAMPLES} .toggle").first.click()
    assert fits(page)


def test_a_narrow_window_sorts_the_results_too(visits: Visits, report: Path) -> None:
    page = visits.open(report, size=NARROW)
    table = page.locator("table.latency").first
    table.get_by_role("button", name="TTFA", exact=True).click()
    expect(table.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")


def test_paper_is_white_and_has_no_controls_even_in_the_dark(visits: Visits, report: Path) -> None:
    page = visits.open(report, dark=True)
    page.locator(f"{SAMPLES} .toggle").first.click()
    page.emulate_media(media="print")
    for controls in ("#filters", "nav", ".toggle", ".play", ".player", ".pager button"):
        for control in page.locator(controls).all()[:3]:
            expect(control).to_be_hidden()
    expect(page.locator(".mark.open").first).to_be_visible()  # "not settled" is no control
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    assert min(page.evaluate(CONTRASTS)) >= 4.5


def test_on_paper_details_are_whole_and_folded_model_cards_open(visits: Visits, report: Path) -> None:
    page = visits.open(report, size={"width": 703, "height": 1000})  # A4 less margins of 12 mm
    page.locator(f"{SAMPLES} .toggle").first.click()
    page.emulate_media(media="print")
    expect(page.locator("#setup .setup details dd").first).to_be_visible()
    expect(page.locator(".details .picture").first).to_be_visible()
    assert page.locator(".scroll").first.evaluate("(box) => getComputedStyle(box).overflowX") == "visible"
    assert fits(page)


def test_ten_thousand_samples_are_shown_a_page_at_a_time(visits: Visits, large: Path) -> None:
    page = visits.open(large)
    expect(page.locator("#count")).to_have_text("1 to 50 of 10,000 requests")
    assert page.locator("#rows tr").count() == 50
    page.get_by_label("Per page").select_option("200")
    assert page.locator("#rows tr").count() == 200


def test_ten_thousand_samples_are_filtered_and_sorted(visits: Visits, large: Path) -> None:
    page = visits.open(large)
    page.get_by_role("searchbox").fill("giraffe")
    expect(page.locator("#count")).to_have_text("1 to 1 of 1 found among 10,000 requests")
    assert columns(page, SAMPLES, 4) == ["s07777"]
    page.get_by_role("button", name="Reset").click()
    button = page.locator(f"{SAMPLES} th[data-key=id] button")
    button.click()
    button.click()
    assert columns(page, SAMPLES, 4)[:2] == ["s09999", "s09998"]
    assert page.locator("#rows tr").count() == 50
