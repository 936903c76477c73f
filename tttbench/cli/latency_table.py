"""Latency and compute of a run in the terminal: a table, and what has to be said of its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tttbench.cli.columns import columns, number
from tttbench.store.timings import in_words

if TYPE_CHECKING:
    from tttbench.core.metric import ProbeResult, TimedAnswers

BUSY = "~"
"""Stands before figures that a busy machine touched."""

_MOST_REASONS = 3

_OF_A_RUN: tuple[tuple[str, str, float], ...] = (
    ("TTFT", "ttft", 1000),
    ("TTFA", "ttfa_wave", 1000),
    ("complete", "latency", 1000),
    ("RTF", "rtf", 1),
    ("RTF of input", "rtf_input", 1),
    ("NFE per token", "nfe_per_code", 1),
)
"""Head, metric and factor; times are shown in milliseconds."""


def latency_table(probes: Sequence[ProbeResult], timed: Sequence[TimedAnswers]) -> str:
    """Return medians of a run, a row for each system and task, with what is to be said of them; ``""`` for nothing."""
    found = {(probe.system, probe.task, probe.metric): probe for probe in probes}
    shown = [entry for entry in timed if entry.n or in_words(entry)]
    heads = [head for head in _OF_A_RUN if any((one.system, one.task, head[1]) in found for one in shown)]
    if not heads:
        return "\n".join(_notes(shown))
    rows = [["system", "task", *(title for title, _, _ in heads), "n", "left out"]]
    for one in shown:
        cells = [figure_text(found.get((one.system, one.task, metric)), factor) for _, metric, factor in heads]
        rows.append([one.system, one.task, *cells, str(one.n), in_words(one) or "-"])
    table = columns(rows, right=frozenset(range(2, len(heads) + 3)))
    return "\n".join(["Latency: medians over n complete answers; times in ms.", table, *_notes(shown)])


def figure_text(probe: ProbeResult | None, factor: float) -> str:
    """Return a figure's median times ``factor``, marked where a busy machine touched it; a dash for none."""
    if probe is None:
        return "-"
    return f"{BUSY if probe.busy else ''}{number(factor * probe.p50)}"


def _notes(timed: Sequence[TimedAnswers]) -> Iterator[str]:
    """What a reader has to know of the figures: where there is no latency, and where the machine was busy."""
    for why in dict.fromkeys(one.why_no_latency for one in timed if one.why_no_latency):
        where = [f"{one.system} on {one.task}" for one in timed if one.why_no_latency == why]
        yield from lines_of(f"No latency of {_some(where)}: {why}.")
    yield from busy_notes([(f"{one.system} on {one.task}", one.busy) for one in timed if one.busy])


def lines_of(note: str) -> Iterator[str]:
    """Yield a note in lines that a terminal holds: what follows its first semicolon stands on a line of its own."""
    first, semicolon, rest = note.partition("; ")
    yield f"{first}{semicolon.strip()}"
    if rest:
        yield f"    {rest}"


def busy_notes(reasons: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield what ``BUSY`` means, with the first reasons; nothing if there is none. Each reason with its place."""
    if not reasons:
        return
    yield f"{BUSY} The machine was busy, so this may be too slow; measure again on an idle one:"
    yield from (f"    {where}: {why}" for where, why in reasons[:_MOST_REASONS])
    if len(reasons) > _MOST_REASONS:
        yield f"    and {len(reasons) - _MOST_REASONS} more"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_REASONS
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_REASONS])} and {more} more"
