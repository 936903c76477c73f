"""Records survive the way to JSON and back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from tttbench.core.records import AudioCommit, Packet, ProbeResult, Response, Result, Sample, Score, Trace
from tttbench.core.serialize import (
    probe_from_plain,
    response_from_plain,
    response_to_plain,
    result_from_plain,
    sample_from_plain,
    score_from_plain,
    to_json,
)

TRACE = Trace(
    stages_s={"prefill": 0.1, "decode": 0.5},
    prefill_end_s=0.1,
    text_times_s=(0.2, 0.3),
    text_tokens=("a", "b"),
    audio_commits=(AudioCommit(0.4, 26),),
    packets=(Packet(0.5, 320),),
    end_s=0.6,
    nfe=4,
    commit_step=(1, 2),
    commit_confidence=(0.5, 0.25),
    spans=(2,),
)


def test_a_response_comes_back_without_its_waveform() -> None:
    waveform = np.zeros(5, np.float32)
    plain = json.loads(to_json(response_to_plain(Response("hi", (1, 2), waveform, 16_000, "length", TRACE))))
    assert response_from_plain(plain) == Response("hi", (1, 2), None, 16_000, "length", TRACE)
    assert plain["n_samples"] == 5


def test_a_written_response_comes_back() -> None:
    response = Response("hi")
    assert response_from_plain(json.loads(to_json(response_to_plain(response)))) == response


def test_a_sample_comes_back() -> None:
    sample = Sample(
        "1", "qa", Path("a.wav"), "Paris", ("paris",), answer_audio=Path("b.wav"), metadata={"voice": "joe"}
    )
    assert sample_from_plain(json.loads(to_json(sample))) == sample


def test_nan_is_null_on_the_way_and_nan_again_after() -> None:
    score = Score("wer", math.nan, "rate", 1.0, 0.0, "ok", "r", {"heard": "x"})
    text = to_json(score)
    assert '"value": null' in text
    back = score_from_plain(json.loads(text))
    assert math.isnan(back.value)
    assert back.detail == {"heard": "x"}


def test_results_and_probes_come_back() -> None:
    result = Result("s", "t", "wer", 0.1, 0.0, 0.2, 5, 5, 0, 0, 0, 0, "r", 0.1, 0.1, True)
    probe = ProbeResult("s", "topk", "t", "rtf", "ratio", 0.5, 0.6, 0.7, 5)
    assert result_from_plain(json.loads(to_json(result))) == result
    assert probe_from_plain(json.loads(to_json(probe))) == probe


def test_numpy_values_become_plain() -> None:
    assert (
        to_json({"a": np.float32(0.5), "b": np.arange(3), "c": float("inf")}) == '{"a": 0.5, "b": [0, 1, 2], "c": null}'
    )
