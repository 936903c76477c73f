"""What counts as a busy machine, by hand."""

from __future__ import annotations

import pytest

from tttbench.core.exchange import Conditions
from tttbench.gate.rules import Rules
from tttbench.probes.machine_load import IdleLimits, MachineLoad, fastest, load_of, reasons, why_busy


def test_the_load_is_the_median_calibration_and_the_mean_of_what_others_did() -> None:
    watched = [Conditions(0.01, 0.5), None, Conditions(0.03, None), Conditions(0.02, -0.1)]
    found = load_of(watched)
    assert found is not None
    assert found.calibration_s == 0.02
    assert found.others_cores == pytest.approx(0.2)


def test_a_load_below_0_is_none_and_one_that_nobody_watched_is_not_known() -> None:
    assert load_of([Conditions(0.01, -0.3)]) == MachineLoad(0.01, 0.0)
    assert load_of([Conditions(0.01, None)]) == MachineLoad(0.01, None)
    assert load_of([None]) is None


@pytest.mark.parametrize(
    ("load", "idle_s", "why"),
    [
        (None, 0.01, ""),
        (MachineLoad(0.01, 0.2), None, ""),
        (MachineLoad(0.01, 0.21), None, "other processes kept 0.2 cores busy (allowed: 0.2)"),
        (MachineLoad(0.01, 1.6), None, "other processes kept 1.6 cores busy (allowed: 0.2)"),
        (MachineLoad(0.015, 0.0), 0.01, ""),
        (
            MachineLoad(0.02, None),
            0.01,
            "the machine itself took 2.00 times as long for a fixed piece of work (allowed: 1.5)",
        ),
        (MachineLoad(9.0, None), None, ""),
    ],
)
def test_why_a_machine_is_busy(load: MachineLoad | None, idle_s: float | None, why: str) -> None:
    assert why_busy(load, idle_s=idle_s) == why


def test_parts_of_a_run_are_compared_with_the_fastest_of_them() -> None:
    loads = [MachineLoad(0.02, 0.0), None, MachineLoad(0.01, 0.0), MachineLoad(0.012, 1.0)]
    assert fastest(loads) == 0.01
    assert [bool(why) for why in reasons(loads)] == [True, False, False, True]
    assert fastest([None]) is None


def test_the_gate_s_rules_and_the_pages_agree_on_other_processes() -> None:
    assert Rules().max_others_cores == IdleLimits().max_others_cores
    assert Rules().max_calibration_difference == IdleLimits().max_calibration_difference
