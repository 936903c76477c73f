"""Published tables beside measured figures as HTML, Markdown, LaTeX and CSV. Knows filled tables, no runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

from tttbench import __version__
from tttbench.core.markup import code_in_markdown, code_on_one_line, in_csv, in_latex, in_markdown, on_one_line
from tttbench.pages.assets import style, template
from tttbench.published import Source
from tttbench.published.measured import Cell, FilledBlock, FilledTable, Measured
from tttbench.scorers import words

from .labels import against, behind, difference_unit_of, figure_of

NOTHING = "—"


def render_all(tables: Sequence[FilledTable]) -> dict[str, str]:
    """Every file by its name: ``tables.html``, and for each table ``ID.md``, ``ID.tex`` and ``ID.csv``."""
    files = {"tables.html": html(tables)}
    writers: Mapping[str, Callable[[FilledTable], str]] = {"md": markdown, "tex": latex, "csv": comma_separated}
    for table in tables:
        files |= {f"{table.table.id}.{suffix}": writer(table) for suffix, writer in writers.items()}
    return files


def published(cell: Cell) -> str:
    """The published figure, as it is printed."""
    return NOTHING if cell.published is None else f"{cell.published:.2f}"


def measured(value: Measured) -> str:
    """The measured value with its interval and the number of samples."""
    return f"{figure(value)} [{bounds(value)}] n={value.result.n}{failed(value)}"


def figure(value: Measured) -> str:
    """The measured value alone."""
    return value.info.text(value.result.value)


def bounds(value: Measured, between: str = ", ") -> str:
    """Its interval, or why it has none."""
    return words.interval(value.result, value.info, between)


def failed(value: Measured) -> str:
    """How many requests ended otherwise than ok, after a comma; empty if none."""
    return f", {value.not_ok} not ok" if value.not_ok else ""


def difference(cell: Cell) -> str:
    """Measured minus published, signed, or that they were judged otherwise; empty without both."""
    if cell.published is not None and cell.is_judged_otherwise:
        return "judged otherwise"
    if cell.difference is None or cell.measured is None:
        return ""
    info = cell.measured.info
    return info.text(cell.difference / info.scale, signed=True)


def to_the_best(cell: Cell) -> str:
    """The difference to the best that was measured in the column, and what the test says; empty without another."""
    if cell.comparison is None or cell.measured is None:
        return ""
    parts = (words.difference(cell.comparison, cell.measured.info), words.standing_in_full(cell.comparison))
    return ", ".join(part for part in parts if part)


def _difference_with_unit(cell: Cell) -> str:
    """As ``difference``, for the page."""
    text = difference(cell)
    if cell.difference is None or cell.measured is None or not text or cell.is_judged_otherwise:
        return text
    return behind(text.replace("-", "\u2212"), difference_unit_of(cell.measured.info))


def _to_the_best_with_unit(cell: Cell) -> str:
    """As ``to_the_best``, for the page."""
    if cell.comparison is None or cell.measured is None:
        return ""
    parts = (against(cell.comparison, cell.measured.info), words.standing_in_full(cell.comparison))
    return ", ".join(part for part in parts if part)


def sources(table: FilledTable) -> list[Source]:
    """The sources of a table's figures, each once."""
    found = [block.block.source for block in table.blocks if block.block.source is not None]
    return list(dict.fromkeys(found))


def html(tables: Sequence[FilledTable]) -> str:
    """One page that needs no network."""
    return template("tables.html.j2").render(
        tables=tables,
        style=style(),
        version=__version__,
        published=published,
        measured=measured,
        figure_of=figure_of,
        bounds=bounds,
        failed=failed,
        counted=words.counted,
        to_the_best=_to_the_best_with_unit,
        difference=_difference_with_unit,
        sources=sources,
        nothing=NOTHING,
    )


def markdown(table: FilledTable) -> str:
    """Each block as a table: published, measured and difference in one cell; then what the empty cells need."""
    lines = [f"# {in_markdown(table.table.title)}", ""]
    lines += [in_markdown(table.table.note), ""] if table.table.note else []
    for block in table.blocks:
        lines += [f"## {in_markdown(block.block.title)}", ""]
        lines.append("| system | " + " | ".join(map(in_markdown, _titles(block))) + " |")
        lines.append("|---" * (1 + len(block.block.columns)) + "|")
        for row, cells in zip(block.block.rows, block.cells, strict=True):
            lines.append(f"| {in_markdown(row.title)} | " + " | ".join(_in_one(cell) for cell in cells) + " |")
        lines.append("")
        lines += _differs(block)
        lines += _needs(block)
    lines += [in_markdown(f"Published: {one.citation}. {one.url}. {one.note}") for one in sources(table)]
    return "\n".join(lines).rstrip() + "\n"


def _titles(block: FilledBlock) -> list[str]:
    return [f"{column.title} {'↓' if column.lower_is_better else '↑'}" for column in block.block.columns]


def _in_one(cell: Cell) -> str:
    if cell.measured is None:
        return f"{published(cell)} / not measured" if cell.published is not None else "not measured"
    text = measured(cell.measured)
    if difference(cell):
        text = f"{published(cell)} / {text} ({difference(cell)})"
    return f"{text}; {to_the_best(cell)}" if to_the_best(cell) else text


def _differs(block: FilledBlock, text: Callable[[str], str] = in_markdown) -> list[str]:
    """Where what made measured values differs from what made the published ones."""
    lines = [
        f"- {text(f'{row.title}, {column.title}: ' + '; '.join(cell.differs))}"
        for row, cells in zip(block.block.rows, block.cells, strict=True)
        for column, cell in zip(block.block.columns, cells, strict=True)
        if cell.differs
    ]
    return ["Where protocol and run differ:", "", *lines, ""] if lines else []


def _needs(
    block: FilledBlock, text: Callable[[str], str] = in_markdown, code: Callable[[str], str] = code_in_markdown
) -> list[str]:
    """What cells need that weren't measured, and the command that fills each then."""
    lines = []
    for row, cells in zip(block.block.rows, block.cells, strict=True):
        for column, cell in zip(block.block.columns, cells, strict=True):
            if cell.measured is None:
                needs = text(f"needs {cell.needs}") if cell.needs else ""
                how = "; then ".join(part for part in (needs, code(cell.command) if cell.command else "") if part)
                lines.append(f"- {text(f'{row.title}, {column.title}')}: {how}")
    return ["Not measured:", "", *lines, ""] if lines else []


def latex(table: FilledTable) -> str:
    """A ``table`` with booktabs for each block: published over measured, the interval small."""
    lines = [f"% {on_one_line(table.table.title)}; needs \\usepackage{{booktabs}}"]
    for block in table.blocks:
        lines += [
            r"\begin{table}",
            rf"\caption{{{in_latex(f'{table.table.title}: {block.block.title}')}. Published / measured [95\,\%], "
            r"samples, difference; of several systems that to the best.}",
            rf"\begin{{tabular}}{{l{'r' * len(block.block.columns)}}}",
            r"\toprule",
            " & ".join(["", *map(in_latex, _titles(block))]) + r" \\",
            r"\midrule",
        ]
        for row, cells in zip(block.block.rows, block.cells, strict=True):
            lines.append(" & ".join([in_latex(row.title), *map(_tex_cell, cells)]) + r" \\")
        lines += [
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            *(f"% {line}" for line in _differs(block, on_one_line) if line),
            *(f"% {line}" for line in _needs(block, on_one_line, code_on_one_line) if line),
            "",
        ]
    lines += [f"% {on_one_line(f'Published: {one.citation}. {one.url}. {one.note}')}" for one in sources(table)]
    return "\n".join(lines).rstrip() + "\n"


def _tex_cell(cell: Cell) -> str:
    if cell.measured is None:
        return in_latex(published(cell))
    one = cell.measured
    away = "".join(f"; {in_latex(part)}" for part in (difference(cell), to_the_best(cell)) if part)
    text = f"{figure(one)} {{\\scriptsize [{bounds(one)}], $n={one.result.n}${failed(one)}{away}}}"
    return text if cell.published is None else f"{published(cell)} / {text}"


_HEAD = (
    *("table", "block", "system", "column", "better", "published", "measured", "low", "high", "n", "not_ok"),
    *("difference", "recipe", "run", "source", "needs", "command"),
    *("unit", "n_units", "cluster", "best", "to_best", "to_best_low", "to_best_high", "p_adjusted", "standing", "note"),
    "differs",
)


def comma_separated(table: FilledTable) -> str:
    """A line a cell, for a spreadsheet or a script; empty where there is no figure."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    for block in table.blocks:
        source = "" if block.block.source is None else block.block.source.url
        for row, cells in zip(block.block.rows, block.cells, strict=True):
            for column, cell in zip(block.block.columns, cells, strict=True):
                one = cell.measured
                better = "lower" if column.lower_is_better else "higher"
                figures = [""] * 5 if one is None else _figures(one)
                made_by = ["", ""] if one is None else [one.recipe, one.run.name]
                away = "" if cell.difference is None else cell.difference
                printed, origin = ("", "") if cell.published is None else (cell.published, source)
                place = [table.table.id, block.block.title, row.title, column.title, better]
                line = [*place, printed, *figures, away, *made_by, origin, cell.needs, cell.command, *_against(cell)]
                line.append("; ".join(cell.differs))
                writer.writerow([in_csv(one) if isinstance(one, str) else one for one in line])
    return out.getvalue()


def _figures(one: Measured) -> list[float]:
    bounds = (one.info.shown(bound) for bound in (one.result.ci_low, one.result.ci_high))
    return [one.value, *bounds, one.result.n, one.not_ok]


def _against(cell: Cell) -> list[float | str]:
    """Unit and number of what was counted, and how the cell stands to the best of its column."""
    if cell.measured is None:
        return [""] * 10
    info, result, one = cell.measured.info, cell.measured.result, cell.comparison
    counted: list[float | str] = [info.unit, result.n_units, result.cluster or result.unit]
    if one is None:
        return [*counted, *[""] * 7]
    figures = [info.shown(value) for value in (one.difference, one.ci_low, one.ci_high)]
    return [*counted, one.best, *figures, one.p_adjusted, one.standing, one.note]
