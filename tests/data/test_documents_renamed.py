"""Keys of documents: old names, and those that are given twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.tables import Document
from tttbench.data.documents import parse_json, read_json, read_text, read_toml, renamed

DOCUMENT = Document({}, "suite.toml", "TOML")


@pytest.mark.parametrize("entry", [None, 5, "old", ["old"], {}, {"x": 1}, {"new": 1}])
def test_what_has_no_old_name_stays_as_it_is(entry: object, caplog: pytest.LogCaptureFixture) -> None:
    assert renamed(entry, "old", "new", DOCUMENT) is entry
    assert caplog.messages == []


def test_an_old_name_is_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    found = renamed({"a": 1, "old": 2, "z": 3}, "old", "new", DOCUMENT, "run.")
    assert isinstance(found, dict)
    assert list(found.items()) == [("a", 1), ("new", 2), ("z", 3)]
    assert caplog.messages == ["suite.toml: run.old is called 'new' now; the old name is read until 0.3."]


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(UserError) as caught:
        renamed({"new": 1, "old": 2}, "old", "new", DOCUMENT, "run.")
    assert str(caught.value) == "suite.toml: run.old: is the old name of 'new', which is given too; remove it."


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"x": 1, "y": 2, "y": 3}', "y"),
        ('{"a": {"k": 1, "k": 2}, "b": {"j": 1, "j": 2}}', "a.k"),
        ('{"a": [{"b": 1}, {"c": [1, {"k": 1, "k": 1}]}], "d": {"j": 1, "j": 1}}', "a[1].c[1].k"),
        ('{"a": [{"k": 1, "k": 1}, {"j": 1, "j": 1}]}', "a[0].k"),
        ('[[{"k": {"j": 1, "j": 1}, "k": 1}]]', "[0][0].k"),
    ],
)
def test_the_first_key_that_is_given_twice_is_named(text: str, where: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_json(text, "a")
    assert str(caught.value) == f"a: {where}: given twice; remove one."


@pytest.mark.parametrize(
    ("raw", "line"), [(b"\xe9", 1), (b"\n\xe9", 2), (b"a\nb\xe9\n\xe9", 2), (b"\n\n\n\xe9", 4), (b"\xe9\n\n", 1)]
)
def test_the_line_that_is_not_utf_8(tmp_path: Path, raw: bytes, line: int) -> None:
    (tmp_path / "a").write_bytes(raw)
    with pytest.raises(UserError) as caught:
        read_text(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path}/a, line {line}: is not UTF-8. Save the file as UTF-8."


def test_what_to_do_where_a_file_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "none"
    for read in (read_toml, read_json, read_text):
        for given, says in (({}, "Check the path."), ({"absent": "Make one."}, "Make one.")):
            with pytest.raises(UserError) as caught:
                read(path, **given)
            assert str(caught.value) == f"{path}: no such file. {says}"
