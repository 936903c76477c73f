"""Latency metrics, worked by hand."""

from __future__ import annotations

import math

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
    return {figure.metric: figure.value for figure in figures(timed, speaks=timed.answer_s > 0)}


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


def test_a_silent_answer_of_a_speaking_system_has_no_real_time_factor() -> None:
    silent = Timed(Trace(stages_s={"audio": 1.0}, end_s=2.0), 0, 16_000, answer_s=0.0, input_s=4.0)
    metrics = {probe.metric for probe in latency_probes("s", "topk", "t", [SPOKEN, silent])}
    assert {metric for metric in metrics if metric.startswith("rtf_input")} == set()


def test_codes_a_second_count_the_audio_stage_alone_where_it_is_timed() -> None:
    trace = Trace(stages_s={"text": 3.0, "audio": 0.5}, end_s=4.0)
    assert of(Timed(trace, 25, 16_000, 2.0, 4.0))["codes_per_s"] == 50.0
