"""Text stays text in Markdown, LaTeX and CSV, whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.markup import code_in_markdown, in_csv, in_latex, in_markdown, on_one_line

ANY = st.text(alphabet=st.characters(codec=None, exclude_categories=())) | st.text(
    alphabet="\\`*_|[]<>~#+-=@&%${}^\n\r "
)


@given(ANY)
def test_all_stay_on_one_line_that_can_be_written(text: str) -> None:
    for write in (on_one_line, in_markdown, in_latex, in_csv, code_in_markdown):
        found = write(text)
        assert len(found.splitlines()) <= 1
        found.encode()


@given(ANY)
def test_no_character_means_anything_to_tex(text: str) -> None:
    commands = r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}"
    rest = re.sub(rf"{commands}|\\[&%$#_{{}}]|\$\\(?:downarrow|uparrow|pm)\$", "", in_latex(text))
    assert not set(rest) & set("\\&%$#_{}~^<>|")


@given(ANY)
def test_no_cell_is_left_and_no_markup_begun_in_markdown(text: str) -> None:
    rest = re.sub(r"\\.", "", in_markdown(text).replace("&lt;", "").replace("&gt;", ""))
    assert not set(rest) & set("`*_|[]<>~")
    assert not re.match(r"(#+|[+-]|\d+[.)])(\s|$)", in_markdown(text))


@given(ANY)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    found = in_csv(text)
    assert found[:1] not in {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r"}
    assert found in (on_one_line(text), f"'{on_one_line(text)}")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("run --x", "`run --x`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("a``b`c", "```a``b`c```"),
        ("a\nb|c", "`a b\\|c`"),
    ],
)
def test_a_code_span_may_hold_backticks(text: str, code: str) -> None:
    assert code_in_markdown(text) == code
