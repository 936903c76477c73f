"""Which answers a busy machine could have touched."""

from collections import Counter

import pytest

from tttbench.core.exchange import Trace
from tttbench.probes.latency import Timed
from tttbench.probes.machine_load import MachineLoad
from tttbench.store.timings import TimedCell, timings_of


@pytest.mark.parametrize(("end_s", "busy"), [(0.1, "other processes kept 1.5 cores busy (allowed: 0.2)"), (0.0, "")])
def test_only_answers_with_times_are_called_measured_on_a_busy_machine(end_s: float, busy: str) -> None:
    trace = Trace({"decode": end_s} if end_s else {}, end_s=end_s)
    timed = tuple(Timed(trace, 0, 0, 0.0, 1.0) for _ in range(3))
    found = timings_of([TimedCell("mine", "", "asr", timed, Counter(), MachineLoad(0.004, 1.5))])
    assert [one.busy for one in found.answers] == [busy]
    assert {probe.busy for probe in found.probes} == ({busy} if busy else set())
