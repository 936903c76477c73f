"""Text for documents of other languages, in which it must stay text: Markdown, LaTeX, CSV. Always on one line."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Control characters, ends of lines, marks of direction, halves of characters."""

_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_|[]~"} | {"<": "&lt;", ">": "&gt;"})

_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    | {"↓": r"$\downarrow$", "↑": r"$\uparrow$", "—": "--", "±": r"$\pm$"}
)

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula; the last four are the first in full width."""


def on_one_line(text: str) -> str:
    """Return a text whose line ends, blanks and control characters in a row are one blank each."""
    return " ".join(_CONTROL.sub(" ", text).split())


def in_markdown(text: str) -> str:
    """Return a text that can't leave its cell or line, or turn into markup or a link."""
    found = on_one_line(text).translate(_MARKDOWN)
    return re.sub(r"^([#+-]|\d+[.)])(?=\s|$)", r"\\\1", found)


def code_in_markdown(text: str) -> str:
    """Return a code span of a text, which may hold backticks."""
    line = on_one_line(text).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def code_on_one_line(text: str) -> str:
    """Return a text that people can tell from the words around it."""
    return f"`{on_one_line(text)}`"


def in_latex(text: str) -> str:
    """Return a text in which no character means anything to TeX."""
    return on_one_line(text).translate(_LATEX)


def in_csv(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before what would be one."""
    line = on_one_line(text)
    return f"'{line}" if line.startswith(_FORMULA) else line
