"""Fields that hold several accepted answers: lists of JSON, lists as Python prints them, texts between vertical bars.

Nothing is evaluated: what Python printed is held against a grammar of strings and whole numbers first. It refuses what
NumPy prints, too, whose strings stand side by side without commas: Python would join them into one.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace

from tttbench.core.errors import UserError
from tttbench.core.tables import Document, read_table
from tttbench.data.documents import parse_json
from tttbench.data.sources.listing import Row

_ITEM = r"""(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|-?\d{1,18})"""
_PYTHON_LIST = re.compile(rf"\[\s*+(?:{_ITEM}\s*+(?:,\s*+{_ITEM}\s*+)*+,?\s*+)?\]", re.DOTALL | re.ASCII)

_PRINTED = re.compile(r"\{.*\}|array\(.*\)|\(['\"].*\)", re.DOTALL)
"""What prints an object, a set, an array, a tuple: no list, and no answer."""


def read_answers(row: Row, column: str, *, bars: bool = False) -> tuple[str, ...]:
    """Return the answers that a field holds, without blanks around them; none if it is null, or holds nothing.

    Args:
        row: of the list.
        column: the field, which must be there.
        bars: whether a text that is no list holds several answers between vertical bars.

    Raises:
        UserError: it looks like a list and is none, or holds something else than texts and whole numbers, or one of
            them is empty.
    """
    cell = row.cell(column)
    if cell.values is None:
        return ()
    items = cell.values if isinstance(cell.values, list) else _items(row.text_or_whole(column), cell, bars)
    texts = read_table(tuple[str, ...], replace(cell, values=[str(one) if type(one) is int else one for one in items]))
    for at, text in enumerate(texts):
        if not text.strip():
            raise cell.error(f"[{at}]", "is empty. Fill it or take it out.")
    return tuple(text.strip() for text in texts)


def _items(text: str, cell: Document, bars: bool) -> list[object]:
    if text.startswith("[") and text.endswith("]"):
        return _listed(text, cell)
    if _PRINTED.fullmatch(text):
        raise cell.error("", 'is what a program prints of something that is no list. Write ["one", "two"].')
    if not text:
        return []
    return [*text.split("|")] if bars else [text]


def _listed(text: str, cell: Document) -> list[object]:
    try:
        found = parse_json(text, cell.source).values
    except UserError:
        found = _python_list(text)
    if not isinstance(found, list):
        raise cell.error("", 'stands in brackets and is no list of texts. Write ["one", "two"], with commas.')
    return found


def _python_list(text: str) -> object:
    """The list that Python printed; None if it is none."""
    if not _PYTHON_LIST.fullmatch(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash that escapes nothing stands for itself
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
