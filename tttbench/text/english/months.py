"""The months and their abbreviations."""

from __future__ import annotations

_NAMES = "january february march april may june july august september october november december".split()

MONTHS = frozenset(_NAMES)
NAMES = {str(number): name for number, name in enumerate(_NAMES, 1)}
"""By number, without zeros in front."""
ABBREVIATED = {**{name[:3]: name for name in _NAMES}, "sept": "september"}
"""Names by abbreviation."""
OFTEN_WORDS = frozenset({"may", "march"})
"""Months that are mostly other words."""
