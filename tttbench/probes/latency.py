"""Latency and throughput from the traces of answers: pure arithmetic, no clock.

Definitions: TTFT is request in → first text token; TTFA-codes → first committed audio block; TTFA-wave → first
waveform chunk. RTF is compute seconds over audio seconds (below 1 is faster than real time), in all and by stage:
seconds of the answer's audio for systems that speak (``rtf``), of the input's for those that only write
(``rtf_input``). Continuity is in ``tttbench.probes.continuity``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tttbench.core.exchange import Response, Trace
from tttbench.core.metric import ProbeResult
from tttbench.probes.continuity import stalls


@dataclass(frozen=True)
class Timed:
    """One answered request, as far as time is concerned.

    Attributes:
        trace: its trace.
        n_codes: audio codes in the answer.
        sample_rate: of the answer's waveform, in Hz; 0 if there is none.
        answer_s: seconds of audio in the answer; 0 for a written answer.
        input_s: seconds of audio in the request; 0 for a written one.
    """

    trace: Trace
    n_codes: int
    sample_rate: int
    answer_s: float
    input_s: float


def timed(response: Response, answer_s: float, input_s: float) -> Timed:
    """Return a response as far as time is concerned; lengths of the answer's and the request's audio in seconds."""
    return Timed(response.trace, len(response.audio_codes or ()), response.sample_rate, answer_s, input_s)


@dataclass(frozen=True)
class Figure:
    """One figure of one request."""

    metric: str
    unit: str
    value: float


def figures(timed: Timed, speaks: bool) -> Iterator[Figure]:
    """Yield what the trace of one request supports; what it doesn't show is left out, never guessed.

    Args:
        timed: the request.
        speaks: whether its system answers with speech, so that the real-time factor is that of the answer's audio.
    """
    trace = timed.trace
    if "prefill" in trace.stages_s:
        yield Figure("prefill", "s", trace.stages_s["prefill"])
    if trace.text_times_s:
        yield Figure("ttft", "s", trace.text_times_s[0])
    if trace.audio_commits:
        yield Figure("ttfa_codes", "s", trace.audio_commits[0].time_s)
    if trace.chunks:
        yield Figure("ttfa_wave", "s", trace.chunks[0].time_s)
    if trace.end_s > 0:
        yield Figure("latency", "s", trace.end_s)
    yield from _real_time_factors(timed, speaks)
    if trace.nfe:
        yield Figure("nfe", "passes", trace.nfe)
        if timed.n_codes:
            yield Figure("nfe_per_code", "passes", trace.nfe / timed.n_codes)
    # Where a system times its audio apart from its text, the audio's seconds alone count.
    decode_s = trace.stages_s.get("audio", trace.stages_s.get("decode", 0.0))
    if timed.n_codes and decode_s > 0:
        yield Figure("codes_per_s", "1/s", timed.n_codes / decode_s)
    if trace.chunks and timed.sample_rate:
        found = stalls(trace.chunks, timed.sample_rate)
        yield Figure("stalls", "count", len(found))
        yield Figure("stall_s", "s", sum(found))


def _real_time_factors(timed: Timed, speaks: bool) -> Iterator[Figure]:
    metric, audio_s = ("rtf", timed.answer_s) if speaks else ("rtf_input", timed.input_s)
    if audio_s <= 0:
        return
    if timed.trace.end_s > 0:
        yield Figure(metric, "ratio", timed.trace.end_s / audio_s)
    for stage, seconds in timed.trace.stages_s.items():
        yield Figure(f"{metric}_{stage}", "ratio", seconds / audio_s)


def latency_probes(system: str, strategy: str, task: str, requests: Sequence[Timed]) -> list[ProbeResult]:
    """Return P50, P90 and P99 of every figure over ``requests``, with the number of requests that have it.

    A percentile that the number doesn't support is NaN.
    """
    from tttbench.stats.percentiles import percentiles

    units: dict[str, str] = {}
    values: dict[str, list[float]] = {}
    speaks = any(timed.answer_s > 0 for timed in requests)
    for timed in requests:
        for figure in figures(timed, speaks):
            units[figure.metric] = figure.unit
            values.setdefault(figure.metric, []).append(figure.value)
    results = []
    for metric, found in values.items():
        over = percentiles(found)
        results.append(ProbeResult(system, strategy, task, metric, units[metric], over.p50, over.p90, over.p99, over.n))
    return results
