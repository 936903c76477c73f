"""The page of two probes set against each other: the ratio of their speeds over batch size, a line a length."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

import tttbench
from tttbench.probes.advantage import Advantage, Probed

from .assets import script, style, template
from .charts import Chart, drawing, dress, svg_of, themed

_INK, _MUTED = "#010101", "#020202"
_LINES = ("#040100", "#040101", "#040102", "#040103", "#040104", "#040105")


def advantage_page(first: Probed, second: Probed, rows: Sequence[Advantage], sentences: Sequence[str]) -> str:
    """Return the whole page."""
    chart = _chart(rows, first.system, second.system)
    return template("advantage.html.j2").render(
        first=first.system,
        second=second.system,
        made_on=first.made_on,
        busy=first.busy or second.busy,
        rows=rows,
        sentences=sentences,
        chart=chart,
        svg=Markup(chart.svg),
        style=style(),
        script=script("sortable.js"),
        version=tttbench.__version__,
    )


def _chart(rows: Sequence[Advantage], first: str, second: str) -> Chart:
    lengths = list(dict.fromkeys((row.prompt_codes, row.span_codes) for row in rows))
    with drawing(6.4, 4.2) as (figure, axes):
        axes.axhline(1.0, color=_MUTED, linewidth=1, linestyle="--")
        for at, length in enumerate(lengths):
            own = [row for row in rows if (row.prompt_codes, row.span_codes) == length]
            color = _LINES[at % len(_LINES)]
            for row in own:
                if math.isfinite(row.low):
                    axes.plot([row.batch_size] * 2, [row.low, row.high], color=color, linewidth=1)
            name = f"{length[1]} audio tokens"
            axes.plot([r.batch_size for r in own], [r.ratio for r in own], color=color, marker="o", label=name)
        batches = sorted({row.batch_size for row in rows})
        axes.set_xscale("log", base=2)
        axes.set_xticks(batches, [str(batch) for batch in batches])
        axes.set_ylim(bottom=0)
        dress(axes, "times as fast", "requests at once (batch size)")
        axes.legend(frameon=False, fontsize=9, labelcolor=_INK)
        svg = svg_of(figure)
    caption = f"How many times as fast {first} is as {second}, over the batch size, a line a length of answer"
    words = "; ".join(f"{row.span_codes} tokens, batch {row.batch_size}: {row.ratio:.3g}" for row in rows)
    return Chart(themed(svg, "advantage-"), caption, f"{caption}. {words}.")
