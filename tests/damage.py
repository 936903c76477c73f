"""Documents with one thing wrong, whatever may be wrong with one: for tests that nothing but a message comes of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FUZZED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
}
"""Settings of tests that take a document after the other."""

fuzzed = settings(max_examples=2000, **FUZZED)
"""So many cases of a kind are enough to find what has been found so far several times over."""

NESTED: list[Any] = []
for _ in range(200):
    NESTED = [NESTED]

HARD: list[Any] = [
    *(None, True, False, 0, -1, 1, 9, 2.5, 2**70, 10**300, "", " ", "ok", "\0", "a\0b", "😀", "../../x", "/etc/passwd"),
    *("\ud800", "x\udfff", "\x1b[31m", "\u202e", "nan", "x" * 5000, "a\nb", float("nan"), float("inf"), -float("inf")),
    *([], {}, [[]], {"": None}, [None], {"a": {"b": ["c", 1.5]}}, [1, 1], ["a", "a"], NESTED, {"\0": 1}),
]
"""Values that are something else than what is expected almost everywhere."""

PLAIN = st.sampled_from(HARD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
    max_leaves=6,
)

RAW_JSON = [
    *(b"", b"null", b"NaN", b"-Infinity", b"1e999", b"1" * 5000, b"[" * 100_000, b'{"a":' * 100_000, b'"\\ud800"'),
    *(b'"\\u0000"', b"\xff\xfe", b'{"format": 3}', b'{"format": 3, "format": 3}', b"\xef\xbb\xbf{}", b"\0", b"]", b","),
]
RAW_TOML = [
    *(b"", b"nan", b"-inf", b"1e999", b"1" * 5000, b"[" * 5000, b"{a=" * 5000, b'"\\ud800"', b'"\\u0000"', b"\xff\xfe"),
    *(b"1979-05-27", b"07:32:00", b"1979-05-27T07:32:00Z", b"0x10", b"1_000", b"[[x]]", b"a = 1\na = 1", b"\0", b'"""'),
]
"""Documents, or parts of one, that no value gives."""


def as_json(values: Any) -> bytes:
    """Return values as JSON, lone surrogates and NaN as Python writes them."""
    return json.dumps(values).encode()


def as_toml(values: Any) -> bytes:
    """Return values as TOML, a line a key; what TOML can't hold is left out or written as a text."""
    if not isinstance(values, Mapping):
        return _inline(values).encode("utf-8", "surrogatepass")
    lines = [f"{json.dumps(key)} = {_inline(value)}\n" for key, value in values.items() if value is not None]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        entries = (f"{json.dumps(key)} = {_inline(one)}" for key, one in value.items() if one is not None)
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(one) for one in value if one is not None) + "]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value if isinstance(value, str) else str(value), ensure_ascii=False)


def damaged(
    values: Any,
    data: st.DataObject,
    write: Callable[[Any], bytes] = as_json,
    raw: Sequence[bytes] = RAW_JSON,
) -> bytes:
    """Return the text of ``values`` with one thing wrong: a value, a key, a list's length, a line, or bytes."""
    kinds = ["replace"] * 4 + ["swap", "remove", "add", "twice", "raw", "cut", "byte", "line"]
    kind = data.draw(st.sampled_from(kinds))
    if kind == "raw":
        return data.draw(st.sampled_from(list(raw)))
    if kind in ("cut", "byte", "line"):
        return _cut(write(values), kind, data)
    values = copy.deepcopy(values)
    holder, key = _place(values, data)
    if kind == "swap":
        # What stands elsewhere in the document is of a type that is known there.
        other, its_key = _place(values, data)
        value = copy.deepcopy(other[its_key])
        holder[key] = value
    elif kind == "remove":
        del holder[key]
    elif kind == "add" and isinstance(holder, dict):
        holder[data.draw(st.text(max_size=8))] = data.draw(PLAIN)
    elif kind == "twice" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[key] = data.draw(PLAIN)
    document = write(values)
    if data.draw(st.integers(0, 9)) == 0:
        inner = data.draw(st.sampled_from(list(raw)))
        document = document.replace(b"0", inner, 1) if inner else document
    return document


def _place(values: Any, data: st.DataObject) -> tuple[Any, Any]:
    """Where something stands: its holder, and its key in it."""
    holder, key = values, data.draw(st.sampled_from(_keys(values)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.integers(0, 5)):
        holder, key = holder[key], data.draw(st.sampled_from(_keys(holder[key])))
    return holder, key


def _cut(text: bytes, kind: str, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, max(0, len(text) - 1)))
    if kind == "cut":
        return text[:at]
    if kind == "byte":
        return text[:at] + bytes([data.draw(st.integers(0, 255))]) + text[at + 1 :]
    lines = text.split(b"\n")
    line = lines[data.draw(st.integers(0, len(lines) - 1))]
    return text + b"\n" + line


def _keys(holder: dict[str, Any] | list[Any]) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def refusal(read: Callable[[], object], kinds: type[Exception] | tuple[type[Exception], ...]) -> str:
    """Return the message with which something is refused, which can be written and printed; ``""`` if it isn't."""
    try:
        read()
    except kinds as error:
        message = str(error)
        assert message
        assert message.encode().decode() == message
        return message
    return ""
