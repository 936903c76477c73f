"""Measuring one system: warm-up is left out, failures are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tttbench.probes.measure import measure, noise_requests
from tttbench.records import Request, RequestKind, Response, Trace


class Counting:
    """Answers in n seconds, n being the number of the call; fails at call 3."""

    name = "counting"
    kinds: frozenset[RequestKind] = frozenset({"asr"})
    strategy = "plain"

    def __init__(self) -> None:
        self.calls = 0

    def describe(self) -> Mapping[str, object]:
        return {}

    def answer(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        self.calls += 1
        if self.calls == 3:
            return [RuntimeError("tired") for _ in requests]
        return [Response("x", trace=Trace(end_s=float(self.calls))) for _ in requests]


def test_warm_up_calls_do_not_count() -> None:
    system = Counting()
    measured = measure(system, "counting", "noise", noise_requests("asr", 2, 0.1, 0), repeats=2, warmup=2, batch_size=1)
    assert system.calls == 2 + 4
    (latency,) = [probe for probe in measured.probes if probe.metric == "latency"]
    assert (latency.p50, latency.n) == (5.0, 3)
    assert measured.errors == ("noise-0: tired",)


def test_noise_is_the_same_for_the_same_seed() -> None:
    one, two = (noise_requests("qa", 2, 0.5, 3) for _ in range(2))
    assert [len(request.audio) for request in one if request.audio is not None] == [8000, 8000]
    assert all((a.audio == b.audio).all() for a, b in zip(one, two, strict=True) if a.audio is not None)
    assert (one[0].audio != one[1].audio).any()
