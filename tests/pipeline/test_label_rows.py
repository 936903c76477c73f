"""Filled sheets as people and spreadsheets write them: what is read, and what is named with file, line and field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.pipeline.label_rows import LabelRow, read_labeled


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_are_read_as_spreadsheets_write_them(tmp_path: Path, separator: str, mark: str, end: str) -> None:
    sheet = tmp_path / "s.csv"
    lines = (separator.join(one) for one in (("Item", "task", " LABEL "), ("i1", "qa", " yes "), ("i2", "qa", "")))
    sheet.write_bytes((mark + end.join(lines) + end).encode())
    assert list(read_labeled(sheet)) == [
        LabelRow(f"{sheet}, line 2", "i1", "yes", "qa", ""),
        LabelRow(f"{sheet}, line 3", "i2", "", "qa", ""),
    ]


def test_an_answer_of_json_lines_may_hold_whatever_splits_lines(tmp_path: Path) -> None:
    sheet = tmp_path / "s.jsonl"
    sheet.write_text('{"item": "i1", "answer": "a\u2028b\x85c", "label": true}\n\n', encoding="utf-8")
    assert list(read_labeled(sheet)) == [LabelRow(f"{sheet}, line 1", "i1", "true", "", "a\u2028b\x85c")]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("s.csv", "", "s.csv: holds no rows"),
        ("s.csv", "item,label\n", "s.csv: holds no rows"),
        ("s.csv", "item,verdict\ni1,yes\n", "s.csv, line 2: has no field 'label' (fields: 'item', 'verdict')"),
        ("s.csv", "task,label\nqa,yes\n", "s.csv, line 2: has no field 'item' (fields: 'task', 'label')"),
        ("s.csv", "item,label,Label\ni1,yes,no\n", "s.csv, line 1: the column 'label' stands 2 times"),
        ("s.csv", "item,label\ni1,yes,no\n", "s.csv, line 2: has 3 fields, not 2"),
        ("s.csv", "item,label\ni1\n", "s.csv, line 2: has 1 fields, not 2"),
        ("s.csv", 'item,label\ni1,yes\ni2,"no\ni3,no\n', "s.csv, line 3: not valid CSV"),
        ("s.jsonl", "item,label\n", "s.jsonl, line 1: not valid JSON"),
        ("s.jsonl", "[]\n", "s.jsonl, line 1: must be a JSON object"),
        ("s.json", "[]\n", "s.json: must be a .csv or .jsonl of 'judge sample'"),
        ("s.xlsx", "PK", "s.xlsx: must be a .csv or .jsonl of 'judge sample'"),
    ],
)
def test_what_is_no_sheet_is_named(tmp_path: Path, name: str, content: str, why: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=re.escape(why)):
        list(read_labeled(tmp_path / name))


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings_are_named_and_never_guessed(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "s.csv").write_bytes("item,answer,label\ni1,café,yes\n".encode(encoding))
    with pytest.raises(UserError, match=r"s\.csv, line \d: is not UTF-8\. Save the file as UTF-8\."):
        list(read_labeled(tmp_path / "s.csv"))
