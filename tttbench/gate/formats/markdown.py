"""The outcome as Markdown, for GitHub's step summary or a comment on a merge request. Knows results."""

from __future__ import annotations

from collections.abc import Sequence

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
    lines += [_cell(could_show(result)), ""] if could_show(result) else []
    lines += [f"{_cell(result.run)} against {_cell(result.baseline)}.", ""]
    lines += [f"- {_cell(problem)}" for problem in result.problems]
    lines += [f"- {_cell(difference_line(one))}" for one in result.differences]
    lines += [f"- ⚠️ {_cell(warning)}" for warning in result.warnings]
    if result.problems or result.differences or result.warnings:
        lines.append("")
    gating = [one for one in result.verdicts if one.gates]
    others = [one for one in result.verdicts if not one.gates]
    lines += _table(gating)
    if others:
        lines += ["<details><summary>Metrics that don't gate</summary>", "", *_table(others), "</details>", ""]
    if result.noted:
        lines += ["<details><summary>What else differs</summary>", ""]
        lines += [f"- {_cell(one.what)}: {_cell(one.baseline) or '-'} → {_cell(one.run)}" for one in result.noted]
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
        rows.append("| " + " | ".join(map(_cell, cells)) + " |")
    return [*rows, ""]


def _cell(text: str) -> str:
    """Text that can't leave its cell or turn into markup."""
    for character in "\\`*_|<>[]":
        text = text.replace(
            character, f"\\{character}" if character not in "<>" else {"<": "&lt;", ">": "&gt;"}[character]
        )
    return " ".join(text.split())
