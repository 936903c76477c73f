"""The outcome as Markdown, for GitHub's step summary or a comment on a merge request. Knows results."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.core.markup import in_markdown
from tttbench.gate.formats.words import (
    could_show,
    difference_line,
    difference_text,
    heading,
    quality_value,
    sentence,
    speed_value,
)
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict

_SIGNS = {"better": "🟢", "worse": "🔴", "same": "⚪", "cannot tell": "🟡"}


def markdown(result: GateResult) -> str:
    """Return a section: the outcome, then tables, what gates first."""
    lines = [f"## {'✅' if result.exit_code == 0 else '❌'} {heading(result)}", ""]
    lines += [in_markdown(could_show(result)), ""] if could_show(result) else []
    lines += [f"{in_markdown(result.run)} against {in_markdown(result.baseline)}.", ""]
    lines += [f"- {in_markdown(problem)}" for problem in result.problems]
    lines += [f"- {in_markdown(difference_line(one))}" for one in result.differences]
    lines += [f"- ⚠️ {in_markdown(warning)}" for warning in result.warnings]
    if result.problems or result.differences or result.warnings:
        lines.append("")
    gating = [one for one in result.verdicts if one.gates]
    others = [one for one in result.verdicts if not one.gates]
    lines += _table(gating)
    if others:
        lines += ["<details><summary>Metrics that don't gate</summary>", "", *_table(others), "</details>", ""]
    if result.noted:
        lines += ["<details><summary>What else differs</summary>", ""]
        lines += [
            f"- {in_markdown(one.what)}: {in_markdown(one.baseline) or '-'} → {in_markdown(one.run)}"
            for one in result.noted
        ]
        lines += ["", "</details>", ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(verdicts: Sequence[QualityVerdict | SpeedVerdict]) -> list[str]:
    if not verdicts:
        return []
    rows = ["| | system | task | metric | baseline | run | difference | |", "|---|---|---|---|--:|--:|--:|---|"]
    for one in sorted(verdicts, key=lambda one: ("worse", "better", "cannot tell", "same").index(one.verdict)):
        if isinstance(one, QualityVerdict):
            name, values = one.metric, [quality_value(one, value) for value in (one.baseline, one.run)]
        else:
            name, values = one.figure, [speed_value(one, value) for value in (one.baseline, one.run)]
        cells = [_SIGNS[one.verdict], one.system, one.task, name, *values, difference_text(one), sentence(one)]
        rows.append("| " + " | ".join(map(in_markdown, cells)) + " |")
    return [*rows, ""]
