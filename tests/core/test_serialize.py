"""Values survive the way to JSON and back; what can't be read says where it is wrong."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.exchange import AudioCommit, Chunk, Response, Trace
from tttbench.core.metric import Score
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.serialize import (
    Fields,
    PlainError,
    escaped,
    odd_character,
    parse_json,
    response_fault,
    response_from_plain,
    response_to_plain,
    sample_from_plain,
    score_from_plain,
    to_json,
    to_plain,
)

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


def plain(value: object) -> object:
    return json.loads(to_json(value))


def test_a_response_comes_back_without_its_waveform() -> None:
    with_waveform = replace(RESPONSE, waveform=np.zeros(5, np.float32))
    assert response_from_plain(plain(response_to_plain(with_waveform))) == RESPONSE


def test_a_written_response_comes_back() -> None:
    assert response_from_plain(plain(response_to_plain(Response("hi")))) == Response("hi")


def test_a_confidence_that_is_unknown_is_null_and_nan_again() -> None:
    unknown = replace(RESPONSE, trace=replace(TRACE, commit_confidence=(math.nan, 0.5)))
    written = plain(response_to_plain(unknown))
    assert isinstance(written, dict)
    assert written["trace"]["commit_confidence"] == [None, 0.5]
    assert math.isnan(response_from_plain(written).trace.commit_confidence[0])


@pytest.mark.parametrize("sample", [SAMPLE, Sample("2", ()), Sample("3", (Turn("user"),), ("",))])
def test_a_sample_comes_back(sample: Sample) -> None:
    assert sample_from_plain(plain(sample)) == sample


def test_nan_is_null_on_the_way_and_nan_again_after() -> None:
    score = Score(math.nan, 1.0, 0.0, "ok", {"hits": [1]})
    text = to_json(score)
    assert '"value": null' in text
    back = score_from_plain(json.loads(text))
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
    (("text",), 5, "text: must be a text, not 5"),
    (("text",), "a\0", r"text: holds the character '\x00'"),
    (("audio_codes",), [1, 2.5], "audio_codes: must be a list of whole numbers, not [1, 2.5]"),
    (("audio_codes",), [True], "audio_codes: must be a list of whole numbers, not [True]"),
    (("audio_codes",), [2**63], "audio_codes: must be a list of whole numbers of at most 64 bits"),
    (("audio_codes",), {}, "audio_codes: must be a list of whole numbers, not {}"),
    (("sample_rate",), True, "sample_rate: must be a whole number, not True"),
    (("sample_rate",), -(2**64), "sample_rate: must be a whole number, not"),
    (("trace",), [], "trace: must be an object, not []"),
    (("trace", "end_s"), None, "trace.end_s: must be a finite number, not None"),
    (("trace", "end_s"), 10**400, "trace.end_s: must be a finite number, not 1000"),
    (("trace", "end_s"), 10**5000, "trace.end_s: must be a finite number, not a number of thousands of digits"),
    (("trace", "text_times_s"), ["a"], "trace.text_times_s: must be a list of numbers"),
    (("trace", "text_times_s"), [1e999], "trace.text_times_s: must be a list of finite numbers"),
    (("trace", "text_times_s"), [None], "trace.text_times_s: must be a list of numbers"),
    (("trace", "text_tokens"), [1], "trace.text_tokens: must be a list of texts"),
    (("trace", "text_tokens"), ["\ud800"], r"trace.text_tokens.0: holds the character '\ud800'"),
    (("trace", "chunks"), 7, "trace.chunks: must be a list, not 7"),
    (("trace", "chunks"), [7], "trace.chunks[0]: must be an object, not 7"),
    (("trace", "chunks"), [{"time_s": 1}], "trace.chunks[0].n_samples: missing"),
    (("trace", "stages_s"), {"a": "b"}, "trace.stages_s.a: must be a finite number, not 'b'"),
]


@pytest.mark.parametrize(("path", "value", "message"), BROKEN, ids=range(len(BROKEN)))
def test_a_wrong_field_of_a_response_is_named(path: tuple[str, ...], value: object, message: str) -> None:
    values = response_to_plain(RESPONSE)
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(PlainError) as refused:
        response_from_plain(values)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("field", response_to_plain(RESPONSE))
def test_a_field_that_is_missing_is_named(field: str) -> None:
    values = response_to_plain(RESPONSE)
    del values[field]
    with pytest.raises(PlainError, match=f"^{field}: missing$"):
        response_from_plain(values)


def test_a_role_that_there_is_not_is_named() -> None:
    values = to_plain(SAMPLE)
    values["turns"][1]["role"] = "judge"
    with pytest.raises(PlainError, match=r"^turns\[1\]\.role: must be one of system, user, assistant, not 'judge'$"):
        sample_from_plain(values)


@pytest.mark.parametrize("status", ["judge_failed", None, ["ok"], {}])
def test_a_status_that_there_is_not_is_named(status: object) -> None:
    with pytest.raises(PlainError, match=r"^status: must be one of ok, empty, unparsed, derivation_failed, error"):
        score_from_plain({**to_plain(Score(1, 1, 1, "ok")), "status": status})


def changed(**fields: Any) -> Response:
    """A response whose fields hold anything, as a plug-in's may."""
    return replace(RESPONSE, **fields)


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (RESPONSE, ""),
        (replace(RESPONSE, waveform=np.zeros(2, np.float32)), ""),
        (None, "must be a Response, not None"),
        ("Paris", "must be a Response, not 'Paris'"),
        (changed(waveform=np.zeros(2, np.int16)), "waveform: must be a NumPy array of float32, not of int16"),
        (changed(waveform=[0.5]), "waveform: must be a NumPy array of float32, not of list"),
        (changed(audio_codes=(1, 2.5)), "audio_codes: must be a list of whole numbers, not [1, 2.5]"),
        (replace(RESPONSE, trace=replace(TRACE, end_s=math.inf)), "trace.end_s: must be a finite number, not None"),
        (changed(text=b"x"), "text: must be a text, not [120]"),
    ],
)
def test_a_response_says_why_it_cannot_be_kept(response: object, fault: str) -> None:
    assert response_fault(response) == fault


def test_a_reason_to_finish_is_a_text() -> None:
    assert response_fault(changed(finish_reason=None)) == "finish_reason: must be a text, not None"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name"),
        (b"\xff", "can't decode byte"),
        ('{"a": NaN}', "NaN is no number that JSON has"),
        ("[-Infinity]", "-Infinity is no number that JSON has"),
        ("[" * 100_000, "nested too deeply|Expecting value"),
        ("1" * 5000, "Exceeds the limit"),
        (r'{"a": ["\u0000"]}', r"a\.0: holds the character '\\x00'"),
        (r'{"\ud800": 1}', r"the object: has a key with the character '\\ud800'"),
    ],
)
def test_what_is_no_document_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(PlainError, match=message):
        parse_json(text)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert parse_json(r'"\ud83d\ude00"') == "😀"


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=8))
def test_a_text_is_odd_if_it_cannot_be_written_or_holds_nul(text: str) -> None:
    try:
        text.encode()
        writable = "\0" not in text
    except UnicodeEncodeError:
        writable = False
    assert (odd_character(text) == "") == writable
    assert odd_character(escaped(text)) == ""
    if writable:
        assert escaped(text) == text


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_whatever_stands_in_the_place_of_a_value_is_refused_as_such(values: object) -> None:
    for read in (response_from_plain, sample_from_plain, score_from_plain):
        with pytest.raises(PlainError):
            read(values)
    with pytest.raises(PlainError):
        Fields.of([values])
