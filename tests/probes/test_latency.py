"""Latency and compute, worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tttbench.core.exchange import AudioCommit, Chunk, Trace
from tttbench.probes.latency import Timed, figures, latency_probes

TRACE = Trace(
    stages_s={"encode": 0.2, "decode": 1.0},
    text_times_s=(0.3, 0.4),
    audio_commits=(AudioCommit(0.5, 10), AudioCommit(0.9, 15)),
    chunks=(Chunk(0.6, 8_000), Chunk(1.6, 8_000)),
    end_s=1.6,
    nfe=50,
)
SPOKEN = Timed(TRACE, n_codes=25, sample_rate=16_000, answer_s=2.0, input_s=4.0)


def of(timed: Timed) -> dict[str, float]:
    return {figure.metric: figure.value for figure in figures(timed)}


def test_a_spoken_answer() -> None:
    assert of(SPOKEN) == pytest.approx(
        {
            "ttft": 0.3,
            "ttfa_codes": 0.5,
            "ttfa_wave": 0.6,
            "latency": 1.6,
            "rtf": 0.8,
            "rtf_encode": 0.1,
            "rtf_decode": 0.5,
            "nfe": 50,
            "nfe_per_code": 2.0,
            "codes_per_s": 25.0,
            "stalls": 1,
            "stall_s": 0.5,
        }
    )


def test_a_written_answer_is_measured_against_its_input() -> None:
    trace = Trace(stages_s={"decode": 1.0}, text_times_s=(0.5,), end_s=2.0)
    assert of(Timed(trace, 0, 0, answer_s=0.0, input_s=4.0)) == pytest.approx(
        {"ttft": 0.5, "latency": 2.0, "rtf_input": 0.5, "rtf_input_decode": 0.25}
    )


def test_the_prefill_is_a_figure_where_it_is_timed() -> None:
    assert of(Timed(Trace(stages_s={"prefill": 0.2}), 0, 0, 0.0, 0.0)) == {"prefill": 0.2}


def test_an_empty_trace_shows_nothing() -> None:
    assert of(Timed(Trace(), 0, 0, 0.0, 0.0)) == {}


def test_percentiles_with_the_number_that_supports_them() -> None:
    requests = [Timed(Trace(end_s=float(second)), 0, 0, 0.0, 0.0) for second in range(1, 12)]
    (probe,) = latency_probes("s", "topk", "t", requests)
    assert (probe.metric, probe.unit, probe.p50, probe.p90, probe.n) == ("latency", "s", 6.0, 10.0, 11)
    assert math.isnan(probe.p99)


def test_each_figure_counts_the_requests_that_have_it() -> None:
    probes = latency_probes("s", "", "t", [SPOKEN, Timed(Trace(end_s=1.0), 0, 0, 0.0, 0.0)])
    assert {probe.metric: probe.n for probe in probes}["latency"] == 2
    assert {probe.metric: probe.n for probe in probes}["ttft"] == 1


def test_every_answer_has_the_denominator_of_its_own_kind() -> None:
    # One of forty answers is spoken: 2 s of compute for 4 s of speech. The others are written, to 8 s of speech.
    spoken = Timed(Trace(end_s=2.0), 0, 16_000, answer_s=4.0, input_s=8.0)
    written = Timed(Trace(end_s=2.0), 0, 0, answer_s=0.0, input_s=8.0)
    probes = {probe.metric: probe for probe in latency_probes("s", "", "t", [*[written] * 39, spoken])}
    assert (probes["rtf"].p50, probes["rtf"].n) == (0.5, 1)
    assert (probes["rtf_input"].p50, probes["rtf_input"].n) == (0.25, 39)
    assert probes["latency"].n == 40


def test_a_written_answer_to_a_written_request_has_no_real_time_factor() -> None:
    assert of(Timed(Trace(end_s=2.0), 0, 0, 0.0, 0.0)) == {"latency": 2.0}


TOGETHER = Timed(
    Trace({"encode": 0.25, "decode": 0.5}, text_times_s=(0.5,), end_s=8.0, nfe=10, compute_s=1.0),
    *(25, 16_000),
    answer_s=2.0,
    input_s=4.0,
    together=8,
)


def test_requests_that_were_generated_together_have_no_latency_and_their_own_part_of_the_compute() -> None:
    assert of(TOGETHER) == pytest.approx(
        {"rtf": 0.5, "rtf_encode": 0.125, "rtf_decode": 0.25, "nfe": 10, "nfe_per_code": 0.4, "codes_per_s": 50.0}
    )


def test_stages_that_claim_more_than_the_compute_are_scaled_to_it() -> None:
    # A system that counted the whole call, 8 s, for each of eight requests: 6 s and 2 s become 0.75 s and 0.25 s.
    trace = replace(TOGETHER.trace, stages_s={"encode": 2.0, "decode": 6.0})
    found = of(replace(TOGETHER, trace=trace))
    assert (found["rtf"], found["rtf_encode"], found["rtf_decode"]) == (0.5, 0.125, 0.375)


def test_where_a_part_of_a_call_is_not_known_there_is_no_real_time_factor() -> None:
    trace = replace(TOGETHER.trace, stages_s={}, compute_s=None)
    assert of(replace(TOGETHER, trace=trace)) == {"nfe": 10, "nfe_per_code": 0.4}


def test_of_answers_some_of_which_were_not_alone_there_is_no_latency() -> None:
    probes = latency_probes("s", "", "t", [SPOKEN, TOGETHER])
    assert {probe.metric for probe in probes} == {
        *("rtf", "rtf_encode", "rtf_decode", "nfe", "nfe_per_code", "codes_per_s")
    }


def test_waiting_is_no_stage_of_compute() -> None:
    trace = Trace(stages_s={"wait": 1.0, "decode": 1.0}, end_s=2.0)
    assert of(Timed(trace, 0, 0, 0.0, 4.0)) == {"latency": 2.0, "rtf_input": 0.5, "rtf_input_decode": 0.25}


def test_a_busy_machine_marks_what_depends_on_it() -> None:
    probes = latency_probes("s", "", "t", [SPOKEN], "much to do")
    assert {probe.metric for probe in probes if not probe.busy} == {"nfe", "nfe_per_code"}
    assert {probe.busy for probe in probes if probe.busy} == {"much to do"}


def test_codes_a_second_count_the_audio_stage_alone_where_it_is_timed() -> None:
    trace = Trace(stages_s={"text": 3.0, "audio": 0.5}, end_s=4.0)
    assert of(Timed(trace, 25, 16_000, 2.0, 4.0))["codes_per_s"] == 50.0
