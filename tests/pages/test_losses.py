"""Where right answers are lost, on the page and in the terminal."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from tttbench.cli.loss_table import loss_table
from tttbench.core.losses import Loss, LossPath
from tttbench.pages.losses import loss_groups
from tttbench.pages.page import page as render
from tttbench.pages.view import ReportView

NAN = math.nan
CLEAN = LossPath(
    *("<b>", "q", "q", "clean", "spoken_accuracy", 20, 20, 3, 0.35),
    (
        Loss("answering", -0.4, -0.6, -0.1, 8, 0),
        Loss("transcription", -0.3, -0.5, 0.0, 7, 1),
        Loss("speaking", 0.05, NAN, NAN, 0, 1),
    ),
)
NOISE = replace(
    CLEAN,
    task="q_noise10",
    condition="noise:10",
    left_out=0,
    against_clean=Loss("transcription", -0.1, -0.3, 0.1, 4, 2),
)
WRITES = replace(CLEAN, system="w", stages=CLEAN.stages[:2], right=0.3, left_out=0, metric="text_accuracy")


def test_bars_add_up_and_what_is_gained_has_no_part(view: ReportView) -> None:
    (group,) = loss_groups(replace(view, losses=(CLEAN, WRITES)))
    assert group.stages == ("answering", "transcription", "speaking")
    assert [(one.name, round(one.percent, 1)) for one in group.rows[0].bar] == [
        ("right", 33.3),
        ("answering", 38.1),
        ("transcription", 28.6),
    ]
    assert group.rows[1].cells[2] is None
    assert not group.has_clean


def test_the_page_shows_each_condition_and_escapes_names(view: ReportView) -> None:
    page = render(replace(view, losses=(CLEAN, NOISE, WRITES)))
    section = page[page.index('<section id="losses"') : page.index('<section id="latency"')]
    assert '<a href="#losses">' in page
    assert "<b>&lt;b&gt;" not in section
    assert "&lt;b&gt;</th>" in section
    assert re.findall(r'data-value="-0.4">([^<]+)<', section) == ["\u221240.0"] * 3
    assert section.count("3 left out") == 1
    assert "7 lost, 1 gained" in section
    assert "Against clean speech" in section
    assert [section.count(f">{asked}<span") for asked in ("clean speech", "pink noise at 10 dB")] == [2, 1]


def test_runs_that_ask_in_one_way_have_no_such_section(view: ReportView) -> None:
    page = render(view)
    assert 'id="losses"' not in page
    assert "#losses" not in page
    assert loss_table(()) == ""


def test_the_terminal_has_a_row_for_each_condition() -> None:
    lines = loss_table((CLEAN, NOISE, WRITES)).splitlines()
    assert re.split(r"\s{2,}", lines[1]) == [
        *("system", "questions", "asked", "answering", "transcription", "speaking", "right", "to clean speech", "n")
    ]
    assert re.split(r"\s{2,}", lines[2]) == [
        *("<b>", "q", "clean", "-40.0 [-60.0, -10.0], 8 lost", "-30.0 [-50.0, 0.0], 7 lost, 1 gained"),
        *("+5.0, 0 lost, 1 gained", "35.0 %", "20"),
    ]
    assert "-10.0 [-30.0, +10.0], 4 lost, 2 gained" in lines[3]
    assert lines[-1] == "<b> on q: 3 answers without a value in some stage left out."


def test_a_table_is_headed_by_the_title_without_its_condition(view: ReportView) -> None:
    task = replace(view.tasks[0], name="q_noise10", title="QA, own folder, pink noise at 10 dB")
    (group,) = loss_groups(replace(view, tasks=(*view.tasks, task), losses=(NOISE,)))
    assert group.title == "QA, own folder"


def test_what_cannot_be_compared_is_said_on_the_page_and_in_the_terminal(view: ReportView) -> None:
    page = render(replace(view, losses_left_out=("<s> on q: left out.",)))
    assert "&lt;s&gt; on q: left out." in page[page.index('<section id="losses"') :]
    assert loss_table((CLEAN,), ("s on q: left out.",)).splitlines()[-1] == "s on q: left out."
    assert loss_table((), ("s on q: left out.",)).splitlines()[-1] == "s on q: left out."
