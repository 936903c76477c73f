"""Published tables beside measured figures as HTML, Markdown, LaTeX and CSV. Knows filled tables, no runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

import jinja2

from tttbench import __version__
from tttbench.core.shipped import shipped
from tttbench.published import Source
from tttbench.published.measured import Cell, FilledBlock, FilledTable, Measured

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
    """The measured figure with its interval and the number of samples."""
    failed = f", {value.not_ok} not ok" if value.not_ok else ""
    return f"{value.value:.1f} [{value.low:.1f}, {value.high:.1f}] n={value.n}{failed}"


def difference(cell: Cell) -> str:
    """Measured minus published, signed, in points, or that they were judged otherwise; empty without both."""
    if cell.published is not None and cell.is_judged_otherwise:
        return "judged otherwise"
    return "" if cell.difference is None else f"{cell.difference:+.1f}"


def sources(table: FilledTable) -> list[Source]:
    """The sources of a table's figures, each once."""
    found = [block.block.source for block in table.blocks if block.block.source is not None]
    return list(dict.fromkeys(found))


def html(tables: Sequence[FilledTable]) -> str:
    """One page that needs no network."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("reports") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    style = (shipped("reports") / "static" / "report.css").read_text(encoding="utf-8")
    return environment.get_template("tables.html.j2").render(
        tables=tables,
        style=style,
        version=__version__,
        published=published,
        measured=measured,
        difference=difference,
        sources=sources,
        nothing=NOTHING,
    )


def markdown(table: FilledTable) -> str:
    """Each block as a table: published, measured and difference in one cell; then what the empty cells need."""
    lines = [f"# {table.table.title}", ""]
    lines += [table.table.note, ""] if table.table.note else []
    for block in table.blocks:
        lines += [f"## {block.block.title}", ""]
        lines.append("| system | " + " | ".join(_titles(block)) + " |")
        lines.append("|---" * (1 + len(block.block.columns)) + "|")
        for row, cells in zip(block.block.rows, block.cells, strict=True):
            lines.append(f"| {row.title} | " + " | ".join(_in_one(cell) for cell in cells) + " |")
        lines.append("")
        lines += _needs(block)
    lines += [f"Published: {one.citation}. {one.url}. {one.note}" for one in sources(table)]
    return "\n".join(lines).rstrip() + "\n"


def _titles(block: FilledBlock) -> list[str]:
    return [f"{column.title} {'↓' if column.lower_is_better else '↑'}" for column in block.block.columns]


def _in_one(cell: Cell) -> str:
    if cell.measured is None:
        return f"{published(cell)} / not measured" if cell.published is not None else "not measured"
    text = measured(cell.measured)
    return text if cell.published is None else f"{published(cell)} / {text} ({difference(cell)})"


def _needs(block: FilledBlock) -> list[str]:
    lines = []
    for row, cells in zip(block.block.rows, block.cells, strict=True):
        for column, cell in zip(block.block.columns, cells, strict=True):
            if cell.measured is None:
                lines.append(f"- {row.title}, {column.title}: {_how(cell)}")
    return ["Not measured:", "", *lines, ""] if lines else []


def _how(cell: Cell) -> str:
    """What a cell needs, and the command that fills it then."""
    needs = f"needs {cell.needs}" if cell.needs else ""
    return "; then ".join(part for part in (needs, f"`{cell.command}`" if cell.command else "") if part)


_ESCAPES = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    character: "\\" + character for character in "&%$#_{}"
}
_ARROWS = {"↓": r"$\downarrow$", "↑": r"$\uparrow$", "—": "--"}


def _tex(text: str) -> str:
    return "".join((_ESCAPES | _ARROWS).get(character, character) for character in text)


def latex(table: FilledTable) -> str:
    """A ``table`` with booktabs for each block: published over measured, the interval small."""
    lines = [f"% {table.table.title}; needs \\usepackage{{booktabs}}"]
    for block in table.blocks:
        lines += [
            r"\begin{table}",
            rf"\caption{{{_tex(table.table.title)}: {_tex(block.block.title)}. Published / measured [95\,\%], samples, "
            r"difference in points.}",
            rf"\begin{{tabular}}{{l{'r' * len(block.block.columns)}}}",
            r"\toprule",
            " & ".join(["", *map(_tex, _titles(block))]) + r" \\",
            r"\midrule",
        ]
        for row, cells in zip(block.block.rows, block.cells, strict=True):
            lines.append(" & ".join([_tex(row.title), *map(_tex_cell, cells)]) + r" \\")
        lines += [
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            *(f"% {line}" for line in _needs(block) if line),
            "",
        ]
    lines += [f"% Published: {one.citation}. {one.url}. {one.note}" for one in sources(table)]
    return "\n".join(lines).rstrip() + "\n"


def _tex_cell(cell: Cell) -> str:
    if cell.measured is None:
        return _tex(published(cell))
    one = cell.measured
    failed = f", {one.not_ok} not ok" if one.not_ok else ""
    away = f"; {difference(cell)}" if difference(cell) else ""
    figure = f"{one.value:.1f} {{\\scriptsize [{one.low:.1f}, {one.high:.1f}], $n={one.n}${failed}{away}}}"
    return figure if cell.published is None else f"{published(cell)} / {figure}"


_HEAD = (
    *("table", "block", "system", "column", "better", "published", "measured", "low", "high", "n", "not_ok"),
    *("difference", "recipe", "run", "source", "needs", "command"),
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
                figures = [""] * 5 if one is None else [one.value, one.low, one.high, one.n, one.not_ok]
                made_by = ["", ""] if one is None else [one.recipe, one.run]
                away = "" if cell.difference is None else cell.difference
                figure, origin = ("", "") if cell.published is None else (cell.published, source)
                place = [table.table.id, block.block.title, row.title, column.title, better]
                writer.writerow([*place, figure, *figures, away, *made_by, origin, cell.needs, cell.command])
    return out.getvalue()
