"""Which times of two runs are compared: of complete answers, to requests that were given one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tttbench.gate.comparable import differences
from tttbench.gate.decide import gate
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import Snapshot

Make = Callable[..., Snapshot]


@pytest.mark.parametrize(
    ("batches", "name"), [(((1,), (1, 8)), "run"), (((8,), (1,)), "baseline"), (((8,), (8,)), "baseline")]
)
def test_times_of_requests_that_were_generated_together_are_not_compared(
    make: Make, batches: tuple[tuple[int, ...], tuple[int, ...]], name: str
) -> None:
    before, now = make([1] * 20, times=[1.0] * 20), make([1] * 20, times=[9.0] * 20)
    before, now = (
        replace(one, systems={"sys": replace(one.systems["sys"], batch_sizes=sizes)})
        for one, sizes in zip((before, now), batches, strict=True)
    )
    result = gate(before, now, Rules())
    (one,) = result.speed
    assert one.busy == f"the {name} generated 8 requests at a time, and latencies are those of one at a time"
    assert (one.verdict, result.exit_code) == ("cannot tell", 0)
    # Forward passes are the same whatever is given beside.
    passes = [replace(side, timings=(replace(side.timings[0], unit="passes"),)) for side in (before, now)]
    assert gate(passes[0], passes[1], Rules()).speed[0].verdict == "worse"
    required = gate(before, now, Rules(speed="required"))
    assert (required.exit_code, "requests at a time" in required.problems[0]) == (3, True)


def test_batch_sizes_need_no_allowance_any_more(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    run = make([1] * 20, times=[1.0] * 20)
    assert gate(run, run, Rules(), allow=["batch_size"]).exit_code == 0
    assert "--allow batch_size: latencies of requests that were generated together aren't compared" in caplog.text


def test_answers_that_are_none_or_empty_or_cut_have_lost_no_figure(make: Make) -> None:
    base = make([1] * 20, times=[1.0] * 20)
    # Seven of twenty aren't timed any more: two are errors, two empty, two cut; of one nobody knows why.
    statuses = ["error", "error", "empty", "empty", *["ok"] * 16]
    now = make([0] * 4 + [1] * 16, times=[1.0] * 20, statuses=statuses)
    texts = {**now.answers["sys", "task"]}
    texts |= {name: replace(texts[name], cut=True) for name in ("s4", "s5")}

    def lost(first: int) -> list[tuple[str, str, str]]:
        """What differs where the samples before ``first`` aren't timed."""
        timing = replace(now.timings[0], values={f"s{at}": 1.0 for at in range(first, 20)})
        run = replace(now, timings=(timing,), answers={("sys", "task"): texts})
        found = differences(base, run, Rules(), allow=(), speed=True)
        return [(one.field, one.baseline, one.run) for one in found]

    assert lost(7) == []
    assert lost(8) == [("timings", "14 samples timed", "2 of them not")]
