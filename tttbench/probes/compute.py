"""A call's seconds of compute, divided among its requests. Pure arithmetic on traces; the clock's seconds come in.

Of several requests that are worked on together each takes as long as all of them, so its own latency says nothing about
what it cost. Every request has the seconds that its trace's stages claim for it, and an equal part of what no request
claims; if they claim more than the call took (stages that were not shared), each has an equal part of the call. So the
parts add up to the call's seconds, whatever a system tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tttbench.core.exchange import Response, Trace

WAIT = "wait"
"""A stage of traces that were written by 0.1: waiting, which is no compute."""

_ROUNDING = 1 + 1e-9


def stages_of(trace: Trace) -> Mapping[str, float]:
    """Return the seconds of compute by stage."""
    return {stage: seconds for stage, seconds in trace.stages_s.items() if stage != WAIT}


def parts(traces: Sequence[Trace], call_s: float) -> list[float]:
    """Return the part of each request in the seconds of the call that made their answers.

    Args:
        traces: of the call's answers.
        call_s: seconds of the call by the caller's clock. A trace that ends later is believed: answers that were
            recorded elsewhere come back at once.
    """
    if not traces:
        return []
    told = [trace.compute_s for trace in traces]
    whole_s = max(call_s, *(trace.end_s for trace in traces))
    left_s = max(0.0, whole_s - sum(seconds for seconds in told if seconds is not None))
    silent = [sum(stages_of(trace).values()) for trace in traces if trace.compute_s is None]
    claimed_s = sum(silent)
    fits = claimed_s <= left_s * _ROUNDING and all(seconds >= 0 for seconds in silent)
    found = []
    for trace, known_s in zip(traces, told, strict=True):
        if known_s is not None:
            found.append(known_s)
        elif fits:
            rest_s = max(0.0, left_s - claimed_s) / len(silent)
            found.append(sum(stages_of(trace).values()) + rest_s)
        else:
            found.append(left_s / len(silent))
    return found


def shared(answers: Sequence[Response | Exception], call_s: float) -> list[Response | Exception]:
    """Return a call's answers with each one's ``compute_s``; a request that was alone in it keeps its own times."""
    if len(answers) == 1:
        return list(answers)
    responses = [one for one in answers if isinstance(one, Response)]
    seconds = iter(parts([one.trace for one in responses], call_s))
    return [
        replace(one, trace=replace(one.trace, compute_s=next(seconds))) if isinstance(one, Response) else one
        for one in answers
    ]
