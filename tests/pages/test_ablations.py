"""What each switch is worth, on the page and in the terminal: a row a switch and score, its difference to the base."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from tttbench.cli.columns import ablations_table
from tttbench.core.metric import Ablated, Comparison
from tttbench.pages.page import page as render
from tttbench.pages.view import ReportView


def ablated(view: ReportView, difference: float = -0.25) -> ReportView:
    """The page's first two systems as a base, and as the base without guidance."""
    task, (base, row) = view.tasks[0], view.systems[:2]
    interval = (difference, difference - 0.1, difference + 0.1)
    one = Comparison(row.name, task.name, task.metrics[0], base.name, *interval, 12, 12, 0.01, 0.02, "worse")
    return replace(view, ablations=(Ablated("cfg", one),))


def test_the_page_has_a_table_for_the_base_and_a_row_for_the_switch(view: ReportView) -> None:
    page = render(ablated(view))
    section = page[page.index('<section id="ablations"') : page.index('<section id="latency"')]
    assert re.search(r'<th scope="row" data-sort="cfg"><code>cfg</code></th>', section)
    assert re.search(r'<span data-value="-0\.25">.25\.0[^<]*\[.35\.0, .15\.0\]</span>', section)
    assert "worse (p = 0.020)" in section


def test_a_run_without_switches_has_no_such_table(view: ReportView) -> None:
    assert 'id="ablations"' not in render(view)


def test_the_terminal_has_the_same_row(view: ReportView) -> None:
    shown = ablated(view)
    head, row = ablations_table(shown.ablations, shown.results, shown.metrics).splitlines()
    assert head.split()[:2] == ["base", "without"]
    assert row.split()[:2] == [shown.systems[0].name, "cfg"]
    assert "-25.0 [-35.0, -15.0]" in row
    assert row.endswith("worse (p = 0.020)")
    assert not math.isnan(shown.value(shown.systems[0].name, shown.tasks[0].name, shown.tasks[0].metrics[0]))
