"""Strategies of a suite as tables: the text that a call would have, and what is wrong with a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.config.strategies import strategy_text
from tttbench.config.suite import parse_suite
from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject
from tttbench.core.tables import Document

HERE = Document({}, "s.toml")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("pmi:weight=0.5", "pmi:weight=0.5"),
        ({"name": "topk"}, "topk"),
        ({"name": "threshold", "tau": 0.9}, "threshold:tau=0.9"),
        ({"name": "speculate", "of": "par", "depth": 2}, "speculate:depth=2,of=par"),
        (
            {"name": "speculate", "of": {"name": "par", "refinements": 2, "share": 0.5}, "depth": 2},
            "speculate:depth=2,of=par:refinements=2,share=0.5",
        ),
    ],
)
def test_a_table_is_the_text_of_a_call(given: str | JsonObject, text: str) -> None:
    assert strategy_text(given, HERE, "systems[0].strategy") == text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tau": 0.9}, r"s\.toml: systems\[0\]\.strategy: needs a name"),
        ({"name": "threshold", "tau": True}, r"systems\[0\]\.strategy\.tau: must be a number or a strategy, not True"),
        ({"name": "speculate", "of": {"tau": 1}}, r"systems\[0\]\.strategy\.of: needs a name"),
        ({"name": "a", "of": "b", "to": "c"}, r"systems\[0\]\.strategy: names more than one other strategy"),
    ],
)
def test_a_table_that_is_no_strategy_is_refused(given: JsonObject, message: str) -> None:
    with pytest.raises(UserError, match=message):
        strategy_text(given, HERE, "systems[0].strategy")


def test_a_suite_takes_both_forms() -> None:
    of = {"name": "threshold", "tau": 0.9}
    systems = [
        {"name": "ttt:mini", "strategy": {"name": "speculate", "of": of}},
        {"name": "ttt:mini", "strategy": "speculate:of=threshold:tau=0.9", "label": "other"},
    ]
    suite = parse_suite("s", Document({"systems": systems, "tasks": [{"name": "mini_qa"}]}, "s.toml"), Path())
    assert [plan.strategy for plan in suite.systems] == ["speculate:of=threshold:tau=0.9"] * 2
    assert suite.systems[0].label == "ttt:mini@speculate:of=threshold:tau=0.9"
