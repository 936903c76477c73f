"""Values survive the way to JSON and back; what can't be read says where it is wrong."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.core.exchange import AudioCommit, Chunk, Response, Trace
from tttbench.core.metric import Score
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.serialize import (
    KeptResponse,
    all_escaped,
    escaped,
    response_to_plain,
    to_json,
    to_plain,
)
from tttbench.core.tables import Document, odd_character, read_table

T = TypeVar("T")

TRACE = Trace(
    stages_s={"prefill": 0.1, "decode": 0.5},
    prefill_end_s=0.1,
    text_times_s=(0.2, 0.3),
    text_tokens=("a", "b"),
    audio_commits=(AudioCommit(0.4, 26),),
    chunks=(Chunk(0.5, 320),),
    end_s=0.6,
    nfe=4,
    commit_step=(1, 2),
    commit_confidence=(0.5, 0.25),
    spans=(2,),
)

RESPONSE = Response("hi", (1, 2), None, 16_000, "length", TRACE)

SAMPLE = Sample(
    "1",
    (Turn("system", "Be short."), Turn("user", "Who?", AudioRef(Path("a.tar"), "b.wav", 0.5, 1.5))),
    ("Paris", "paris"),
    Turn("assistant", "Paris.", AudioRef(Path("c.wav"))),
    "en",
    "joe",
    {"voice": "joe"},
)


def plain(value: object) -> Any:
    return json.loads(to_json(value))


def read(kind: type[T], values: object) -> T:
    """As the journal reads its rows."""
    return read_table(kind, Document(values, "", "JSON"), unknown="ignore", missing="refuse")


def test_a_response_comes_back_without_its_waveform() -> None:
    with_waveform = replace(RESPONSE, waveform=np.zeros(5, np.float32))
    assert read(KeptResponse, plain(response_to_plain(with_waveform))).response() == RESPONSE


def test_a_written_response_comes_back() -> None:
    assert read(KeptResponse, plain(response_to_plain(Response("hi")))).response() == Response("hi")


def test_a_confidence_that_is_unknown_is_null_and_nan_again() -> None:
    unknown = replace(RESPONSE, trace=replace(TRACE, commit_confidence=(math.nan, 0.5)))
    written = plain(response_to_plain(unknown))
    assert written["trace"]["commit_confidence"] == [None, 0.5]
    assert math.isnan(read(KeptResponse, written).trace.commit_confidence[0])


@pytest.mark.parametrize("sample", [SAMPLE, Sample("2", ()), Sample("3", (Turn("user"),), ("",))])
def test_a_sample_comes_back(sample: Sample) -> None:
    assert read(Sample, plain(sample)) == sample


def test_nan_is_null_on_the_way_and_nan_again_after() -> None:
    score = Score(math.nan, 1.0, 0.0, "ok", {"hits": [1]})
    text = to_json(score)
    assert '"value": null' in text
    back = read(Score, json.loads(text))
    assert math.isnan(back.value)
    assert (back.numerator, back.denominator, back.status, back.detail) == (1.0, 0.0, "ok", {"hits": [1]})


def test_numpy_values_become_plain() -> None:
    assert (
        to_json(
            {"a": np.float32(0.5), "b": np.arange(3), "c": float("inf"), "d": np.float64(0.25), "e": np.bool_(True)}
        )
        == '{"a": 0.5, "b": [0, 1, 2], "c": null, "d": 0.25, "e": true}'
    )


def test_sets_become_sorted_lists_and_words_of_python_lose_their_underscore() -> None:
    @dataclass(frozen=True)
    class Entry:
        from_: frozenset[str]

    assert to_plain(Entry(frozenset({"b", "a"}))) == {"from": ["a", "b"]}


BROKEN = [
    (("text",), 5, "text: must be a string, not 5."),
    (("text",), "a\0", r"text: must not hold the character '\x00'."),
    (("audio_codes",), [1, 2.5], "audio_codes[1]: must be a whole number, not 2.5."),
    (("audio_codes",), [True], "audio_codes[0]: must be a whole number, not true."),
    (("audio_codes",), [2**63], "audio_codes[0]: must be a whole number of at most 64 bits, not 9223372036854775808."),
    (("audio_codes",), {}, "audio_codes: must be a list of values, not an empty object."),
    (("sample_rate",), True, "sample_rate: must be a whole number, not true."),
    (("sample_rate",), -(2**64), "sample_rate: must be a whole number of at most 64 bits, not -18446744073709551616."),
    (("trace",), [], "trace: must be an object, not an empty list."),
    (("trace", "end_s"), None, "trace.end_s: must be a finite number, not null."),
    (("trace", "end_s"), 10**5000, "trace.end_s: must be a finite number, not a number of about 5,000 digits."),
    (("trace", "text_times_s"), ["a"], "trace.text_times_s[0]: must be a finite number, not 'a'."),
    (("trace", "text_times_s"), [0.5, 1e999], "trace.text_times_s[1]: must be a finite number, not inf."),
    (("trace", "text_times_s"), [None], "trace.text_times_s[0]: must be a finite number, not null."),
    (("trace", "text_tokens"), [1], "trace.text_tokens[0]: must be a string, not 1."),
    (("trace", "text_tokens"), ["a", "\ud800"], r"trace.text_tokens[1]: must not hold the character '\ud800'."),
    (("trace", "chunks"), 7, "trace.chunks: must be a list of objects, not 7."),
    (("trace", "chunks"), [7], "trace.chunks[0]: must be an object, not 7."),
    (("trace", "chunks"), [{"time_s": 1}], "trace.chunks[0].n_samples: missing."),
    (("trace", "stages_s"), {"a": "b"}, "trace.stages_s.a: must be a finite number, not 'b'."),
]


@pytest.mark.parametrize(("path", "value", "message"), BROKEN, ids=range(len(BROKEN)))
def test_a_wrong_field_of_a_response_is_named(path: tuple[str, ...], value: object, message: str) -> None:
    values = plain(response_to_plain(RESPONSE))
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(UserError) as refused:
        read(KeptResponse, values)
    assert str(refused.value) == message


@pytest.mark.parametrize("field", response_to_plain(RESPONSE))
def test_a_field_that_is_missing_is_named(field: str) -> None:
    values = plain(response_to_plain(RESPONSE))
    del values[field]
    with pytest.raises(UserError, match=rf"^{field}: missing\.$"):
        read(KeptResponse, values)


def test_a_field_of_a_newer_version_is_left_alone() -> None:
    assert read(KeptResponse, {**response_to_plain(RESPONSE), "since_0_9": 1}).response() == RESPONSE


def test_a_role_that_there_is_not_is_named() -> None:
    values = plain(SAMPLE)
    values["turns"][1]["role"] = "judge"
    with pytest.raises(UserError, match=r"^turns\[1\]\.role: must be 'system', 'user' or 'assistant', not 'judge'\."):
        read(Sample, values)


@pytest.mark.parametrize("status", ["judge_failed", None, ["ok"], {}])
def test_a_status_that_there_is_not_is_named(status: object) -> None:
    with pytest.raises(UserError, match=r"^status: must be 'ok', 'empty', 'unparsed', 'derivation_failed' or 'error'"):
        read(Score, {**plain(Score(1, 1, 1, "ok")), "status": status})


def test_the_detail_of_a_score_is_checked_at_every_depth() -> None:
    values = plain(Score(1, 1, 1, "ok", {"alignment": [{"op": "equal", "ref": "a", "hyp": "a"}], "hits": 1}))
    assert read(Score, values).detail == values["detail"]
    values["detail"]["alignment"][0]["ref"] = "a\0"
    with pytest.raises(UserError, match=r"^detail\.alignment\[0\]\.ref: must not hold the character '\\x00'\.$"):
        read(Score, values)


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=8))
def test_a_text_is_odd_if_it_cannot_be_written_or_holds_nul(text: str) -> None:
    try:
        text.encode()
        writable = "\0" not in text
    except UnicodeEncodeError:
        writable = False
    assert (odd_character(text) is None) == writable
    assert odd_character(escaped(text)) is None
    if writable:
        assert escaped(text) == text


def test_texts_are_escaped_at_every_depth() -> None:
    assert all_escaped({"a\0": [1, None, {"b": "\udce9"}]}) == {r"a\x00": [1, None, {"b": r"\udce9"}]}


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_whatever_stands_in_the_place_of_a_value_is_refused_as_such(values: object) -> None:
    for kind in (KeptResponse, Sample, Score):
        with pytest.raises(UserError):
            read(kind, values)
