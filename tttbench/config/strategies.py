"""Decoding strategies in suites: as a call writes them, or as a table. Knows no strategy by name."""

from __future__ import annotations

from collections.abc import Mapping

from tttbench.core.json_values import JsonObject
from tttbench.core.tables import Document


def strategy_text(given: str | JsonObject, document: Document, where: str) -> str:
    """A strategy as a call writes it: ``"NAME:OPTION=VALUE,…"``.

    Args:
        given: that text, or ``{name = "NAME", OPTION = VALUE, …}``; an option's value may be another strategy, in
            either form, whose text then ends this one's.
        document: where it stands, for messages.
        where: the field.

    Raises:
        UserError: a table without a name, with a value that isn't a number or a strategy, or with two strategies.
    """
    if isinstance(given, str):
        return given
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise document.error(where, 'needs a name, as in { name = "threshold", tau = 0.9 }.')
    numbers, others = [], []
    for option, value in given.items():
        if option == "name":
            continue
        if isinstance(value, str | Mapping):
            others.append(f"{option}={strategy_text(value, document, f'{where}.{option}')}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            numbers.append(f"{option}={value}")
        else:
            raise document.error(f"{where}.{option}", f"must be a number or a strategy, not {value!r}.")
    if len(others) > 1:
        raise document.error(where, "names more than one other strategy; leave one.")
    options = ",".join([*numbers, *others])
    return f"{name}:{options}" if options else name
