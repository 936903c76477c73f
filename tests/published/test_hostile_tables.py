"""A file of published tables may come from anywhere: what is rendered of it holds nothing that acts."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.published import load_tables

HOSTILE = "=cmd|'/C calc'!A0 \\input{/etc/passwd} | <script>alert(1)</script> [x](javascript:alert(1)) `x` %"
SECOND_LINE = "harmless\n\\input{/etc/passwd}\n=1+1\n# heading"


def write(path: Path, *, ids: tuple[str, ...] = ("main",), url: str = "https://example.org/a?b=c_d") -> Path:
    text, note = json.dumps(HOSTILE), json.dumps(SECOND_LINE)
    path.write_text(
        f"[sources.paper]\ncitation = {text}\nurl = {json.dumps(url)}\nnote = {note}\n"
        + "".join(
            f"[[tables]]\nid = {json.dumps(one)}\ntitle = {text}\nnote = {note}\n"
            f"[[tables.blocks]]\ntitle = {text}\nsource = 'paper'\n"
            f"columns = "
            f"[{{id = 'a', title = {text}, better = 'lower', task = {text}, metric = 'wer', needs = {note}}}]\n"
            f"rows = [{{id = 'x', title = {text}, system = {text}, needs = {note}, published = [1.5]}}]\n"
            for one in ids
        )
    )
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    out = tmp_path / "out"
    assert main(["tables", "--published", str(write(tmp_path / "t.toml")), "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["main.csv", "main.md", "main.tex", "tables.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "t.toml"]
    return {path.suffix: path.read_text() for path in out.iterdir()}


def test_latex(files: dict[str, str]) -> None:
    live = [line for line in files[".tex"].splitlines() if not line.startswith("%")]
    assert not [line for line in live if "\\input" in line]
    assert all(line.startswith("%") for line in files[".tex"].splitlines() if "harmless" in line)
    assert not re.search(r"(?<!\\)%", "\n".join(live))


def test_csv(files: dict[str, str]) -> None:
    rows = list(csv.reader(io.StringIO(files[".csv"])))
    assert len(rows) == 2
    assert not [cell for cell in rows[1] if cell.startswith(("=", "+", "@"))]
    assert f"'{HOSTILE}" in rows[1]


def test_markdown(files: dict[str, str]) -> None:
    outside_code = re.sub(r"(`+).*?(?<!`)\1(?!`)", "", files[".md"])
    plain = re.sub(r"\\.", "", outside_code)
    assert "<script" not in plain
    assert "](javascript" not in plain
    assert len([line for line in files[".md"].splitlines() if line.startswith("#")]) == 2
    (row,) = [line for line in plain.splitlines() if line.startswith("|") and "not measured" in line]
    assert row.count("|") == 3


def test_html(files: dict[str, str]) -> None:
    assert "<script" not in files[".html"]
    assert 'href="javascript' not in files[".html"]
    assert "<a href=" in files[".html"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "//x", " https://x", ""])
def test_a_link_leads_to_the_web(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match=r"t\.toml: sources\.paper"):
        load_tables(write(tmp_path / "t.toml", url=url))


@pytest.mark.parametrize("table_id", ["../x", "/x/y", "a/b", "..", "", "x" * 61, "a\x00b", "CON:"])
def test_a_file_is_named_inside_the_folder(tmp_path: Path, table_id: str) -> None:
    with pytest.raises(UserError, match=r"t\.toml"):
        load_tables(write(tmp_path / "t.toml", ids=(table_id,)))


def test_two_tables_need_names_that_differ_in_more_than_case(tmp_path: Path) -> None:
    path = write(tmp_path / "t.toml", ids=("main", "Main"))
    with pytest.raises(UserError, match="'Main' differs from 'main' in case alone"):
        load_tables(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["tables", "--out", str(tmp_path / "file" / "x")]) == 2
    assert "--out " in capsys.readouterr().err
