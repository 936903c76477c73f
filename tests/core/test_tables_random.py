"""Random tables: what is written is read again, and garbage at any place is a message or a value, nothing else."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.serialize import to_json, to_plain
from tttbench.core.tables import Check, Count, Document, MaybeNan, Name, Share, read_table


@dataclass(frozen=True)
class System:
    name: Name
    mode: Literal["auto", "required", "off", 1] = "auto"
    batch_size: Count = 8
    tau: float = 0.5
    share: Share | None = None
    decode: JsonObject = field(default_factory=dict)
    kinds: Mapping[Literal["asr", "qa"], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    systems: Annotated[tuple[System, ...], Check(fewest=1, unique=("name",), fix="add a [[systems]] table")]
    metrics: Annotated[tuple[str, ...], Check(unique=True)] = ()
    data: Path | None = None
    seed: int = 0
    from_: str = ""
    spoken: bool = False
    ratio: Annotated[float, Check(above=0, below=1)] = 0.5
    size: int | str = 1
    pair: tuple[str, int] = ("", 0)
    value: MaybeNan = math.nan
    digest: str = ""
    note: Annotated[str, Check(filled=True, fix="say why")] = "x"
    count: Annotated[int, Check(least=0, most=2**70, says="a count of samples")] = 0

    def __post_init__(self) -> None:
        if self.seed == 13:
            raise ValueError("seed: 13 brings bad luck; take another")


Hinted = tuple[Any, st.SearchStrategy[Any]]
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS: list[Hinted] = [
    (str, WORDS),
    (int, st.integers(-(2**63), 2**63 - 1)),
    (float, NUMBERS),
    (bool, st.booleans()),
    (Path, WORDS.map(Path)),
    (Literal["a", 1, True], st.sampled_from(["a", 1, True])),
    (MaybeNan, st.one_of(st.just(math.nan), NUMBERS)),
    (JsonValue, st.one_of(st.none(), st.booleans(), WORDS, NUMBERS, st.lists(WORDS, max_size=2))),
]


TUPLE: Any = tuple
MAPPING: Any = Mapping


def wrapped(inner: st.SearchStrategy[Hinted]) -> st.SearchStrategy[Hinted]:
    """Hints made of other hints, each with values that fulfill it."""

    def table(parts: list[Hinted]) -> Hinted:
        names = [f"f{at}" for at in range(len(parts))]
        kind = dataclasses.make_dataclass(
            "Kind", [(name, hint) for name, (hint, _) in zip(names, parts, strict=True)], frozen=True
        )
        return kind, st.builds(kind, **{name: values for name, (_, values) in zip(names, parts, strict=True)})

    nullable = inner.filter(lambda one: one[0] is not MaybeNan and one[0] is not JsonValue)
    return st.one_of(
        inner.map(lambda one: (TUPLE[one[0], ...], st.lists(one[1], max_size=3).map(tuple))),
        inner.map(lambda one: (MAPPING[str, one[0]], st.dictionaries(WORDS, one[1], max_size=3))),
        nullable.map(lambda one: (one[0] | None, st.one_of(st.none(), one[1]))),
        st.tuples(inner, inner).map(lambda two: (TUPLE[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))),
        st.lists(inner, max_size=4).map(table),
    )


HINTED = st.recursive(st.sampled_from(SCALARS), wrapped, max_leaves=6)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Any, Any]:
    """A dataclass of random fields, and a value of it."""
    parts = draw(st.lists(HINTED, max_size=5))
    fields = [(f"f{at}", hint) for at, (hint, _) in enumerate(parts)]
    kind = dataclasses.make_dataclass("Kind", fields, frozen=True)
    return kind, kind(*(draw(values) for _, values in parts))


@settings(max_examples=400, deadline=None)
@given(tables())
def test_what_is_written_is_read_again(case: tuple[Any, Any]) -> None:
    kind, value = case
    back = read_table(kind, Document(json.loads(to_json(value)), "x.json", "JSON"))
    # As text, because NaN isn't equal to itself.
    assert repr(back) == repr(value)


GARBAGE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**4000, -(10**400), 2**63]),
        st.floats(),
        st.text(st.characters(), max_size=4),
        st.dates(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(), max_size=4) | st.sampled_from(["name", "f0", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)


def damaged(draw: st.DrawFn, plain: Any) -> Any:
    """``plain`` with garbage at one place."""
    if isinstance(plain, dict) and plain and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(plain)))
        return {**plain, key: damaged(draw, plain[key])}
    if isinstance(plain, list) and plain and draw(st.booleans()):
        at = draw(st.integers(0, len(plain) - 1))
        return [*plain[:at], damaged(draw, plain[at]), *plain[at + 1 :]]
    if isinstance(plain, dict) and draw(st.booleans()):
        return {**plain, draw(st.text(max_size=3)): draw(GARBAGE)}
    return draw(GARBAGE)


def outcome(kind: Any, document: Document) -> str:
    """The value or the message, as text that can be printed."""
    try:
        return repr(read_table(kind, document))
    except UserError as error:
        return str(error).encode().decode()


BOOK: Mapping[str, Any] = {
    "systems": [{"name": "a", "decode": {"x": 1}, "kinds": {"asr": "x"}, "share": 0.5}],
    "metrics": ["wer"],
    "data": "a",
    "seed": 1,
    "from": "b",
    "size": 2,
    "pair": ["a", 1],
    "value": None,
    "digest": "x",
    "note": "y",
}


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_garbage_anywhere_is_a_message_or_a_value(data: st.DataObject) -> None:
    values = data.draw(st.composite(lambda draw: damaged(draw, dict(BOOK)))())
    form: Literal["TOML", "JSON"] = data.draw(st.sampled_from(["TOML", "JSON"]))
    assert outcome(Book, Document(values, "b", form)).startswith(("Book(", "b: "))


@pytest.mark.slow
@settings(max_examples=800, deadline=None)
@given(tables(), st.data())
def test_garbage_in_a_random_table_is_a_message_or_a_value(case: tuple[Any, Any], data: st.DataObject) -> None:
    kind, value = case
    values = data.draw(st.composite(lambda draw: damaged(draw, to_plain(value)))())
    assert outcome(kind, Document(values, "b", "JSON")).startswith(("Kind(", "b: "))
