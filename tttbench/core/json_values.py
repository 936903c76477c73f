"""The type of values that JSON can hold, for what is open: options, decode settings, the details of a card or score.

``tttbench.core.tables`` checks fields of these types at every depth. TOML's dates are none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    JsonValue: TypeAlias = bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
else:

    class JsonValue:
        """Stands for the type at run time, where hints are looked up by name and none may hold itself."""


JsonObject: TypeAlias = Mapping[str, JsonValue]
"""A table of any keys."""
