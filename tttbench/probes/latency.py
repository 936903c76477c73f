"""Latency and compute from the traces of answers: pure arithmetic, no clock.

Definitions: TTFT is request in → first text token; TTFA-codes → first committed audio block; TTFA-wave → first
waveform chunk. All of these and what follows from them are of requests that were worked on alone. RTF is compute
seconds over audio seconds (below 1 is faster than real time), in all and by stage: an answer that is spoken counts by
its own audio (``rtf``), one that is only written by the input's (``rtf_input``), each answer for itself. Compute is
``end_s`` where the request was alone, and its part of the call (``tttbench.probes.compute``) where it wasn't.
Continuity is in ``tttbench.probes.continuity``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tttbench.core.exchange import Response, Trace
from tttbench.core.metric import ProbeResult
from tttbench.probes.compute import stages_of
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
        together: how many requests were worked on at once.
    """

    trace: Trace
    n_codes: int
    sample_rate: int
    answer_s: float
    input_s: float
    together: int = 1

    @property
    def compute_s(self) -> float:
        """Seconds of compute; 0 where they aren't known."""
        if self.trace.compute_s is not None:
            return self.trace.compute_s
        return self.trace.end_s if self.together == 1 else 0.0

    @property
    def stages_s(self) -> dict[str, float]:
        """Seconds of compute by stage. Of a request that wasn't alone they add up to no more than its compute."""
        found = dict(stages_of(self.trace))
        claimed_s = sum(found.values())
        if self.together == 1 or claimed_s <= self.compute_s or claimed_s <= 0:
            return found
        return {stage: seconds * self.compute_s / claimed_s for stage, seconds in found.items()}


def timed(response: Response, answer_s: float, input_s: float, together: int = 1) -> Timed:
    """Return a response as far as time is concerned; lengths of the answer's and the request's audio in seconds."""
    n_codes = len(response.audio_codes or ())
    return Timed(response.trace, n_codes, response.sample_rate, answer_s, input_s, together)


Kind = Literal["latency", "compute", "passes"]
"""What a figure depends on: the clock since the request, what the machine computed for it, or the forward passes."""


@dataclass(frozen=True)
class Figure:
    """One figure of one request."""

    metric: str
    unit: str
    value: float
    kind: Kind


def figures(timed: Timed) -> Iterator[Figure]:
    """Yield what the trace of one request supports; what it doesn't show is left out, never guessed."""
    if timed.together == 1:
        yield from _latencies(timed)
    yield from _real_time_factors(timed)
    trace = timed.trace
    if trace.nfe:
        yield Figure("nfe", "passes", trace.nfe, "passes")
        if timed.n_codes:
            yield Figure("nfe_per_code", "passes", trace.nfe / timed.n_codes, "passes")
    # Where a system times its audio apart from its text, the audio's seconds alone count.
    stages_s = timed.stages_s
    decode_s = stages_s.get("audio", stages_s.get("decode", 0.0))
    if timed.n_codes and decode_s > 0:
        yield Figure("codes_per_s", "1/s", timed.n_codes / decode_s, "compute")


def _latencies(timed: Timed) -> Iterator[Figure]:
    trace = timed.trace
    if "prefill" in trace.stages_s:
        yield Figure("prefill", "s", trace.stages_s["prefill"], "latency")
    if trace.text_times_s:
        yield Figure("ttft", "s", trace.text_times_s[0], "latency")
    if trace.audio_commits:
        yield Figure("ttfa_codes", "s", trace.audio_commits[0].time_s, "latency")
    if trace.chunks:
        yield Figure("ttfa_wave", "s", trace.chunks[0].time_s, "latency")
    if trace.end_s > 0:
        yield Figure("latency", "s", trace.end_s, "latency")
    if trace.chunks and timed.sample_rate:
        found = stalls(trace.chunks, timed.sample_rate)
        yield Figure("stalls", "count", len(found), "latency")
        yield Figure("stall_s", "s", sum(found), "latency")


def _real_time_factors(timed: Timed) -> Iterator[Figure]:
    metric, audio_s = ("rtf", timed.answer_s) if timed.answer_s > 0 else ("rtf_input", timed.input_s)
    if audio_s <= 0:
        return
    if timed.compute_s > 0:
        yield Figure(metric, "ratio", timed.compute_s / audio_s, "compute")
    for stage, seconds in timed.stages_s.items():
        yield Figure(f"{metric}_{stage}", "ratio", seconds / audio_s, "compute")


def latency_probes(
    system: str, strategy: str, task: str, requests: Sequence[Timed], busy: str = ""
) -> list[ProbeResult]:
    """Return P50, P90 and P99 of every figure over ``requests``, with the number of requests that have it.

    A percentile that the number doesn't support is NaN. If any request was not alone, no latency is given of any.

    Args:
        system, strategy, task: names for the figures.
        requests: complete answers.
        busy: why the machine was too busy for times; it marks all figures but those of passes.
    """
    from tttbench.stats.percentiles import percentiles

    alone = all(timed.together == 1 for timed in requests)
    kinds: dict[str, Figure] = {}
    values: dict[str, list[float]] = {}
    for timed in requests:
        for figure in figures(timed):
            if alone or figure.kind != "latency":
                kinds[figure.metric] = figure
                values.setdefault(figure.metric, []).append(figure.value)
    results = []
    for metric, found in values.items():
        over, one = percentiles(found), kinds[metric]
        mark = "" if one.kind == "passes" else busy
        numbers = (over.p50, over.p90, over.p99, over.n)
        results.append(ProbeResult(system, strategy, task, metric, one.unit, *numbers, mark))
    return results
