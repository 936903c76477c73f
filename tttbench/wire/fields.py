"""JSON values taken for what they are: each function returns a value of its type, or a default, or raises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject, JsonValue


class WireError(UserError):
    """Something that came over the wire can't be read. ``param`` names the field, as OpenAI's error objects do."""

    def __init__(self, message: str, param: str = "") -> None:
        super().__init__(f"{param}: {message}" if param else message)
        self.param = param


def parsed(text: str | bytes, what: str) -> JsonValue:
    """Return the value of a JSON text; ``what`` begins the message of the ``WireError`` for one that is broken."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError) as error:
        start = text[:60].decode(errors="replace") if isinstance(text, bytes) else text[:60]
        raise WireError(f"{what} is no JSON ({_reason(error)}); it begins with {start!r}") from error
    return value


def parsed_object(text: str | bytes, what: str) -> JsonObject:
    """Return a JSON object likewise."""
    value = parsed(text, what)
    if not isinstance(value, Mapping):
        raise WireError(f"{what} must be a JSON object, not {told(value)}")
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return str(error).partition("\n")[0][:80]


def told(value: JsonValue) -> str:
    """Name a value for a message: short ones as they are, of others the kind."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    return "null" if value is None else f"{value!r:.60}"


def text_of(table: JsonObject, name: str, default: str = "") -> str:
    """Return a text; ``default`` where there is none, or null."""
    value = table.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise WireError(f"must be a text, not {told(value)}", name)
    return value


def whole_of(table: JsonObject, name: str, default: int | None = None) -> int | None:
    """Return a whole number (``3.0`` is one, as other languages write it); ``default`` where there is none."""
    value = table.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise WireError(f"must be a whole number, not {told(value)}", name)
    return int(value)


def number_of(table: JsonObject, name: str, default: float | None = None) -> float | None:
    """Return a finite number; ``default`` where there is none."""
    value = table.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WireError(f"must be a number, not {told(value)}", name)
    return float(value)


def switch_of(table: JsonObject, name: str, default: bool = False) -> bool:
    """Return a truth value; ``default`` where there is none."""
    value = table.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise WireError(f"must be true or false, not {told(value)}", name)
    return value


def object_of(table: JsonObject, name: str) -> JsonObject:
    """Return an object; an empty one where there is none."""
    value = table.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WireError(f"must be an object, not {told(value)}", name)
    return value


def items_of(table: JsonObject, name: str) -> Sequence[JsonValue]:
    """Return a list; an empty one where there is none."""
    value = table.get(name)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise WireError(f"must be a list, not {told(value)}", name)
    return value


def objects_of(table: JsonObject, name: str) -> Sequence[JsonObject]:
    """Return a list of objects; an empty one where there is none."""
    found = []
    for at, one in enumerate(items_of(table, name)):
        if not isinstance(one, Mapping):
            raise WireError(f"must be an object, not {told(one)}", f"{name}[{at}]")
        found.append(one)
    return found


def without_nothing(table: JsonObject) -> JsonObject:
    """Return an object without the fields that are null, empty texts or empty lists; what is left out has a default."""
    return {name: value for name, value in table.items() if value is not None and value != "" and value != []}
