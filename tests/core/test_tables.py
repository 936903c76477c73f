"""Tables become dataclasses or messages: each kind of fault has its words, and what is written is read again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject
from tttbench.core.serialize import to_plain
from tttbench.core.tables import Check, Count, Document, MaybeNan, Name, Share, read_table

Sha = NewType("Sha", str)


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
    digest: Sha = Sha("")
    note: Annotated[str, Check(filled=True, fix="say why")] = "x"
    count: Annotated[int, Check(least=0, most=2**70, says="a count of samples")] = 0

    def __post_init__(self) -> None:
        if self.seed == 13:
            raise ValueError("seed: 13 brings bad luck; take another.")


ONE = {"systems": [{"name": "a"}]}


def refused(values: object, form: Literal["TOML", "JSON"] = "TOML") -> str:
    with pytest.raises(UserError) as caught:
        read_table(Book, Document(values, "b.toml", form))
    return str(caught.value)


def test_what_is_not_given_has_its_default() -> None:
    assert read_table(System, Document({"name": "a"}, "b.toml")) == System("a")


PLAIN = {"x": [1, None, {"y": True}]}


def test_every_type_is_read() -> None:
    values = {
        "systems": [{"name": "a", "mode": 1, "tau": 2, "share": 1, "decode": PLAIN, "kinds": {"qa": "q"}}],
        "metrics": ["wer", "cer"],
        "data": "here/a.wav",
        "from": "z",
        "spoken": True,
        "size": "big",
        "pair": ["one", 1],
        "value": None,
        "digest": "ab",
        "count": 2**70,
    }  # fmt: skip
    book = read_table(Book, Document(values, "b.json", "JSON"))
    assert book.systems == (System("a", 1, 8, 2.0, 1.0, PLAIN, {"qa": "q"}),)
    assert isinstance(book.systems[0].tau, float)
    assert (book.metrics, book.data, book.from_, book.spoken) == (("wer", "cer"), Path("here/a.wav"), "z", True)
    assert (book.size, book.pair, book.digest, book.count) == ("big", ("one", 1), "ab", 2**70)
    assert math.isnan(book.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sed": 1}, "sed: unknown key. Did you mean 'seed'?"),
        (
            {"systems": [{"name": "a"}, {"name": "b", "batchsize": 1}]},
            "systems[1].batchsize: unknown key. Did you mean 'batch_size'?",
        ),
        ({"from_": "z"}, "from_: unknown key. Did you mean 'from'?"),
        ({"systems": [{"name": "a", "kinds": {"aqs": "x"}}]}, "systems[0].kinds.aqs: unknown key. Did you mean 'asr'?"),
        ({"systems": [{"tau": 1.0}]}, "systems[0].name: missing; add it."),
        (
            {"systems": []},
            "systems: must be a list of at least 1 table, not an empty list; add a [[systems]] table.",
        ),
        (
            {"systems": {"name": "a"}},
            "systems: must be a list of at least 1 table, not a table; add a [[systems]] table.",
        ),
        ({"systems": ["a"]}, "systems[0]: must be a table, not 'a'."),
        (
            {"systems": [{"name": "a"}, {"name": "b"}, {"name": "a"}]},
            "systems[2]: has the name 'a' of [0]; change or remove one.",
        ),
        ({"metrics": ["wer", "cer", "wer"]}, "metrics[2]: 'wer' is in [0] already; change or remove one."),
        ({"metrics": "wer"}, "metrics: must be a list of values, not 'wer'."),
        ({"metrics": ["wer", 3]}, "metrics[1]: must be a string, not 3."),
        ({"seed": "one"}, "seed: must be a whole number, not 'one'."),
        ({"seed": True}, "seed: must be a whole number, not true."),
        ({"seed": 3.0}, "seed: must be a whole number, not 3.0."),
        ({"seed": 2**63}, "seed: must be a whole number of at most 64 bits, not 9223372036854775808."),
        ({"seed": -(2**63) - 1}, "seed: must be a whole number of at most 64 bits, not -9223372036854775809."),
        ({"seed": 16**5000}, "seed: must be a whole number of at most 64 bits, not a number of about 6,021 digits."),
        ({"seed": 13}, "seed: 13 brings bad luck; take another."),
        ({"count": -1}, "count: must be a count of samples, not -1."),
        ({"spoken": 1}, "spoken: must be true or false, not 1."),
        ({"ratio": 1}, "ratio: must be a number above 0 and below 1, not 1."),
        ({"ratio": False}, "ratio: must be a number above 0 and below 1, not false."),
        ({"ratio": math.nan}, "ratio: must be a finite number, not nan."),
        ({"ratio": -math.inf}, "ratio: must be a finite number, not -inf."),
        ({"ratio": 10**400}, "ratio: must be a finite number, not a number of about 400 digits."),
        ({"value": math.nan}, "value: must be a finite number, not nan."),
        ({"note": " "}, "note: must be a string that isn't empty, not ' '; say why."),
        ({"systems": [{"name": "a\nb"}]}, r"systems[0].name: must not hold the character '\n'."),
        ({"systems": [{"name": "a\u202eb"}]}, r"systems[0].name: must not hold the character '\u202e'."),
        ({"data": "a\0b"}, r"data: must not hold the character '\x00'."),
        ({"data": ""}, "data: must be a path, not ''."),
        ({"from": "\ud800"}, r"from: must not hold the character '\ud800'."),
        ({"size": 1.5}, "size: must be a whole number or a string, not 1.5."),
        ({"pair": ["a"]}, "pair: must be a list of 2 values, not a list."),
        ({"pair": ["a", "b"]}, "pair[1]: must be a whole number, not 'b'."),
        ({"from": ["x" * 100]}, "from: must be a string, not a list."),
        ({"seed": "x" * 100}, f"seed: must be a whole number, not '{'x' * 60}…'."),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_place_and_what_is_right(change: dict[str, Any], message: str) -> None:
    assert refused({**ONE, **change}) == f"b.toml: {message}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 0}, "batch_size: must be a whole number of 1 or more, not 0."),
        ({"share": 1.5}, "share: must be a share from 0 to 1, not 1.5."),
        ({"mode": "reqired"}, "mode: must be 'auto', 'required', 'off' or 1, not 'reqired'. Did you mean 'required'?"),
        ({"mode": True}, "mode: must be 'auto', 'required', 'off' or 1, not true."),
        ({"decode": {"c": math.nan}}, "decode.c: must be a finite number, not nan."),
        (
            {"decode": {"c": [1 << 64]}},
            "decode.c[0]: must be a whole number of at most 64 bits, not 18446744073709551616.",
        ),
        (
            {"decode": {"a b": [{"c": date(2026, 12, 1)}]}},
            "decode.'a b'[0].c: must be a string, a number, true or false, a list or a table, not 2026-12-01.",
        ),
        ({"decode": {"\udfff": 1}}, r"decode.'\udfff': must not hold the character '\udfff'."),
        ({"decode": {"a": [{"b": "c\0"}]}}, r"decode.a[0].b: must not hold the character '\x00'."),
        ({"decode": {"a": {5: 1}}}, "decode.a.5: must be a string, not 5."),
        ({"decode": {"a": [math.inf, 1]}}, "decode.a[0]: must be a finite number, not inf."),
        ({"kinds": {"qa": "\0"}}, r"kinds.qa: must not hold the character '\x00'."),
        (
            {"x" * 100: 1},
            f"'{'x' * 60}…': unknown key. Known: batch_size, decode, kinds, mode, name, share, tau.",
        ),
    ],
)
def test_each_fault_of_a_nested_table_is_named_with_the_way_to_it(change: dict[str, Any], message: str) -> None:
    assert refused({"systems": [{"name": "a"}, {"name": "b", **change}]}) == f"b.toml: systems[1].{message}"


def test_json_is_spoken_of_in_its_own_words() -> None:
    assert refused([], "JSON") == "b.toml: must be an object, not an empty list."
    assert refused({**ONE, "seed": None}, "JSON") == "b.toml: seed: must be a whole number, not null."
    assert refused({**ONE, "size": None}, "JSON") == "b.toml: size: must be a whole number or a string, not null."


def test_all_faults_are_told_at_once_up_to_ten() -> None:
    assert refused({"seed": "x", "systems": [{"nam": "a"}]}).splitlines() == [
        "b.toml: seed: must be a whole number, not 'x'.",
        "b.toml: systems[0].nam: unknown key. Did you mean 'name'?",
        "b.toml: systems[0].name: missing; add it.",
    ]
    many = refused({**ONE, "metrics": list(range(1000))}).splitlines()
    assert (len(many), many[9], many[10]) == (11, "b.toml: metrics[9]: must be a string, not 9.", "… and more.")


def test_a_part_of_a_document_is_named_by_where_it_stands() -> None:
    part = Document({"tau": "x", "name": "a"}, "b.toml", at="systems[2]")
    with pytest.raises(UserError, match=r"^b\.toml: systems\[2\]\.tau: must be a number, not 'x'\.$"):
        read_table(System, part)
    assert str(part.error("name", "is taken.")) == "b.toml: systems[2].name: is taken."
    assert str(Document({}, "b.toml").error("", "is empty.")) == "b.toml: is empty."


def test_unknown_keys_can_be_left_to_newer_versions() -> None:
    newer = {"systems": [{"name": "a", "since_0_9": 1, "kinds": {"mt": "x", "qa": "y"}}], "also": {"a": 1}}
    book = read_table(Book, Document(newer, "b.json", "JSON"), unknown="ignore")
    assert book == Book((System("a", kinds={"qa": "y"}),), value=book.value)
    with pytest.raises(UserError, match=r"systems\[0\]\.name: missing"):
        read_table(Book, Document({"systems": [{}]}, "b.json"), unknown="ignore")


def test_what_was_written_as_a_whole_has_every_field() -> None:
    whole = Document(to_plain(System("a")), "b.json", "JSON")
    assert read_table(System, whole, missing="refuse") == System("a")
    part = Document({"systems": [{"name": "a"}]}, "b.json", "JSON")
    with pytest.raises(UserError) as caught:
        read_table(Book, part, missing="refuse", unknown="ignore")
    assert str(caught.value).splitlines()[0] == "b.json: systems[0].mode: missing."


def test_a_document_without_a_source_leaves_the_place_to_the_caller() -> None:
    with pytest.raises(UserError, match=r"^name: missing; add it\.$"):
        read_table(System, Document({}, ""))
    assert str(Document({}, "").error("", "is empty.")) == "is empty."


def test_a_list_of_tables_is_read_as_one() -> None:
    found = read_table(tuple[System, ...], Document([{"name": "a"}, {"name": "b"}], "rows.json", "JSON"))
    assert found == (System("a"), System("b"))


@dataclass(frozen=True)
class Columns:
    texts: tuple[str, ...] = ()
    floats: tuple[float, ...] = ()
    gaps: tuple[MaybeNan, ...] = ()
    wholes: tuple[int, ...] = ()
    counts: tuple[Count, ...] = ()


@pytest.mark.parametrize(
    ("column", "odd", "message"),
    [
        ("texts", 1, "must be a string, not 1."),
        ("texts", "\ud800", r"must not hold the character '\ud800'."),
        ("floats", math.inf, "must be a finite number, not inf."),
        ("floats", True, "must be a number, not true."),
        ("floats", None, "must be a number, not null."),
        ("gaps", math.nan, "must be a finite number, not nan."),
        ("wholes", 2**63, "must be a whole number of at most 64 bits, not 9223372036854775808."),
        ("wholes", False, "must be a whole number, not false."),
        ("wholes", 1.0, "must be a whole number, not 1.0."),
        ("counts", 0, "must be a whole number of 1 or more, not 0."),
    ],
)
def test_one_odd_value_in_a_long_column_is_found(column: str, odd: object, message: str) -> None:
    usual: dict[str, object] = {"texts": "a", "floats": 0.5, "gaps": 0.5, "wholes": 1, "counts": 1}
    sound = [usual[column]] * 1000
    values = Document({column: sound}, "c")
    assert getattr(read_table(Columns, values), column) == tuple(sound)
    with pytest.raises(UserError) as caught:
        read_table(Columns, Document({column: [*sound, odd, *sound]}, "c", "JSON"))
    assert str(caught.value) == f"c: {column}[1000]: {message}"


def test_whole_numbers_and_nulls_in_columns_of_floats_become_floats() -> None:
    found = read_table(Columns, Document({"floats": [1, 0.5], "gaps": [None, 2]}, "c", "JSON"))
    assert repr((found.floats, found.gaps)) == "((1.0, 0.5), (nan, 2.0))"


def test_deep_nesting_is_a_message() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert refused({"systems": [{"name": "a", "decode": {"x": deep}}]}).endswith(
        ": is nested more than 32 levels deep."
    )
    assert refused({**ONE, "seed": deep}) == "b.toml: seed: must be a whole number, not a list."


@dataclass(frozen=True)
class Tree:
    branches: tuple[Tree, ...] = ()
    height: float = field(init=False, default=1.0)


def test_a_dataclass_may_hold_its_own_kind() -> None:
    tree = Tree((Tree(), Tree((Tree(),))))
    assert read_table(Tree, Document(to_plain(tree), "t")) == tree
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"branches": [deep]}
    with pytest.raises(UserError, match=r"^t: nested too deeply; make it flatter\.$"):
        read_table(Tree, Document(deep, "t"))


@dataclass(frozen=True)
class Rest:
    names: frozenset[str] = frozenset()
    numbers: Sequence[float] = ()
    some: Annotated[Mapping[str, int], Check(fewest=1)] = field(default_factory=lambda: {"a": 1})


def test_sets_sequences_and_counted_tables() -> None:
    rest = Rest(frozenset({"b", "a"}), (1.0, 2.5), {"x": 1})
    assert read_table(Rest, Document(to_plain(rest), "r")) == rest
    for values, message in (
        ({"names": ["a", "a"]}, r"names\[1\]: 'a' is in \[0\] already"),
        ({"some": {}}, "some: must be a table of at least 1 entry, not an empty table"),
    ):
        with pytest.raises(UserError, match=message):
            read_table(Rest, Document(values, "r"))


@pytest.mark.parametrize(
    "hint", [bytes, complex, object, dict[str, object], dict[int, str], Annotated[str, Check(least=1)], bytes | complex]
)
def test_a_hint_that_no_document_can_fulfill_is_a_defect_of_the_program(hint: Any) -> None:
    kind = dataclasses.make_dataclass("Kind", [("x", hint)], frozen=True)
    with pytest.raises(TypeError, match=r"no document can hold|would be obeyed by nobody"):
        read_table(kind, Document({"x": 1}, "b.toml"))


@dataclass(frozen=True)
class Grown:
    """A form that got a field after its first documents were written."""

    first: int = 0
    later: int | None = field(default=None, metadata={"may_lack": True})


def test_of_what_a_program_wrote_only_fields_that_came_later_may_be_missing() -> None:
    assert read_table(Grown, Document({"first": 1}, "", "JSON"), missing="refuse") == Grown(1)
    with pytest.raises(UserError, match=r"^first: missing\.$"):
        read_table(Grown, Document({}, "", "JSON"), missing="refuse")
