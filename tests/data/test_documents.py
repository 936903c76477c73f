"""Whatever a file holds, it is a document or a message that names the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.core.tables import Document
from tttbench.data.documents import parse_json, parse_toml, read_json, read_text, read_toml


def test_toml_and_json_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('x = "é"\n', encoding="utf-8")
    (tmp_path / "a.json").write_text('\ufeff{"x": [1, {"y": null}]}', encoding="utf-8")
    assert read_toml(tmp_path / "a.toml") == Document({"x": "é"}, str(tmp_path / "a.toml"), "TOML")
    assert read_json(tmp_path / "a.json") == Document({"x": [1, {"y": None}]}, str(tmp_path / "a.json"), "JSON")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n", "a: not valid JSON: Expecting property name enclosed in double quotes (line 2, column 1). Correct it."),
        ('{"x" 1}', "a: not valid JSON: Expecting ':' delimiter (column 6). Correct it."),
        ('{"x": 1,\n"x": 2}', "a: x: given twice; remove one."),
        ('{"b": [{}, {"c d": {"x": 1, "y": 2, "x": 3}}]}', "a: b[1].'c d'.x: given twice; remove one."),
        ('{"x": {"y": 1, "y": 2}, "x": 3}', "a: x: given twice; remove one."),
        ("[" * 5000 + "]" * 5000, "a: nested too deeply. Make it flatter."),
        ("1" * 5000, "a: not valid JSON: a number has too many digits. Correct it."),
    ],
)
def test_json_that_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_json(text, "a")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = = 3", "a: not valid TOML: Invalid value (at line 1, column 5). Correct it."),
        ("x = 1\nx = 2", "a: not valid TOML: Cannot overwrite a value (at end of document). Correct it."),
        ('x = "\0"', r"a: not valid TOML: Illegal character '\x00' (at line 1, column 6). Correct it."),
        ("x = " + "[" * 5000 + "]" * 5000, "a: nested too deeply. Make it flatter."),
        ("x = " + "1" * 5000, "a: not valid TOML: a number has too many digits. Correct it."),
    ],
)
def test_toml_that_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_toml(text, "a")
    assert str(caught.value) == message


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json: no such file\. Save a baseline first\.$"):
        read_json(tmp_path / "none.json", absent="Save a baseline first.")


def test_what_is_no_readable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin").write_bytes(b"x = 1\ny = '\xe9'\n")
    for name, message in (
        ("loop", r"loop': cannot be read \(Too many levels of symbolic links\)\. Check the path"),
        ("pipe", r"pipe: not a file\. Give the path of a regular file\."),
        (".", r": not a file\."),
        ("nul\0", r"nul\\x00': cannot be read \(embedded null byte\)"),
        ("half\ud800", r"half\\ud800': cannot be read"),
        ("latin", r"latin, line 2: is not UTF-8\. Save the file as UTF-8\."),
    ):
        with pytest.raises(UserError, match=message):
            read_text(tmp_path / name)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('{}[]",:=.\n#0123456789eE+-xinfatrueslN \\ud8\ufeff'), max_size=30))
def test_any_text_is_a_document_or_a_message(text: str) -> None:
    for parse in (parse_json, parse_toml):
        try:
            outcome = parse(text, "a").source
        except UserError as error:
            outcome = str(error)
        assert outcome.startswith("a")
