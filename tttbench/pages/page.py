"""Fills the templates: from a ``ReportView`` to the text of one HTML file. Reads only this package's own files."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

import tttbench
from tttbench.core.exchange import STATUSES
from tttbench.core.metric import TOPLINE
from tttbench.core.transcriber_errors import unknown_errors, without_reference_audio
from tttbench.scorers import words
from tttbench.store.lossless import lossless_sentences

from .assets import script, style, template
from .charts import quality_latency_charts
from .examples import featured
from .failures import failure_groups, without_scores
from .frontier import frontiers
from .labels import (
    RUN_STATUSES,
    STATUS_TITLES,
    against,
    corrected_text,
    count,
    direction,
    ended,
    format_quantity,
    format_value,
    points,
    probe_head,
    probe_title,
    stage_name,
    status_count,
    together,
    unit_of,
    with_unit,
)
from .losses import loss_groups
from .payload import payload
from .published_ways import published_ways
from .results import result_tables
from .tables import latency_tables, without_latency
from .verdict import verdict
from .view import ReportView

_SORT_KEYS = (
    ("system", "System"),
    ("task", "Task"),
    ("id", "Sample"),
    ("reference", "Reference"),
    ("text", "Written answer"),
    ("transcript", "Transcript"),
    ("score", "Score"),
    ("ttfaWave", "TTFA"),
    ("rtf", "RTF"),
    ("status", "Status"),
)


def page(view: ReportView) -> str:
    """Return the whole page. Everything from the run is escaped; only this package's own markup is trusted."""
    counts = view.status_counts()
    total = sum(counts.values())
    latency = latency_tables(view)
    return template("report.html.j2").render(
        view=view,
        sentences=verdict(view),
        counts=counts,
        total=total,
        missing=max(0, view.expected - total),
        tables=result_tables(view),
        latency=latency,
        of_answers=[table for table in latency if table.is_of_answers],
        without_latency=without_latency(view),
        busy=any(probe.busy for probe in view.probes),
        cut=view.cut_count(),
        charts=[(chart, Markup(chart.svg)) for chart in quality_latency_charts(view)],
        frontiers=frontiers(view),
        lost=loss_groups(view),
        points=points,
        published_ways=published_ways(view.ways),
        safe=Markup,
        lossless=lossless_sentences(view.lossless),
        is_lossless=not any(one.difference for checks in view.lossless.values() for one in checks),
        examples=featured(view),
        failures=failure_groups(view),
        without_scores=without_scores,
        unknown_errors=_unknown_errors(view),
        task_titles={task.name: task.title for task in view.tasks},
        run_statuses=RUN_STATUSES,
        breakable=_breakable,
        recipes=sorted({(result.metric, str(result.recipe)) for result in view.results}),
        row_systems=list(dict.fromkeys(row.system for row in view.rows)),
        row_tasks=list(dict.fromkeys(row.task for row in view.rows)),
        sort_keys=_SORT_KEYS,
        statuses=STATUSES,
        status_titles=STATUS_TITLES,
        topline=TOPLINE,
        label=view.metric,
        probe_title=probe_title,
        probe_head=probe_head,
        stage_name=stage_name,
        number=format_value,
        with_unit=with_unit,
        together=together,
        unit_of=unit_of,
        direction=direction,
        count=count,
        ended=ended,
        status_count=status_count,
        quantity=format_quantity,
        counted=words.counted,
        no_interval=words.no_interval,
        corrected_text=corrected_text,
        against=against,
        standing=words.standing,
        rows_json=Markup(payload(view)),
        style=style(),
        script=script("rows.js", "sortable.js", "parts.js", "pictures.js", "report.js"),
        version=tttbench.__version__,
    )


def _unknown_errors(view: ReportView) -> str:
    """The sentence on transcribers whose own errors nothing in the data tells; ``""`` where there is none."""
    titles = {task.name: task.title for task in view.tasks}
    return unknown_errors([titles.get(name, name) for name in without_reference_audio(view.results)])


def _breakable(name: str) -> Markup:
    """A dotted name that breaks behind its dots and underscores, rather than within a word."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))
