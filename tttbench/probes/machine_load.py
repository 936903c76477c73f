"""Was the machine busy? The one answer for gate, pages, terminal and probe, from what was noted beside every time.

Pure arithmetic on ``Conditions``; ``tttbench.probes.conditions`` notes them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tttbench.core.exchange import Conditions


@dataclass(frozen=True)
class MachineLoad:
    """How busy the machine was while a system generated for a task.

    Attributes:
        calibration_s: median seconds of the fixed piece of work before each call.
        others_cores: mean number of cores that other processes kept busy; None where that isn't known.
    """

    calibration_s: float
    others_cores: float | None


@dataclass(frozen=True)
class IdleLimits:
    """Up to where a machine counts as idle.

    Attributes:
        max_others_cores: cores that other processes may keep busy.
        max_calibration_difference: by which share longer the fixed piece of work may take than elsewhere.
    """

    max_others_cores: float = 0.2
    max_calibration_difference: float = 0.1


WITHIN_A_RUN = IdleLimits(max_calibration_difference=0.5)
"""What figures of one run are marked by. The piece of work runs behind whatever a system left in the processor's
caches, so systems of one run are held to less than two runs of one system, which the gate compares."""


def load_of(conditions: Iterable[Conditions | None]) -> MachineLoad | None:
    """Return the load over what was watched; None if nothing was."""
    watched = [one for one in conditions if one is not None]
    if not watched:
        return None
    others = [one.others_cores for one in watched if one.others_cores is not None]
    return MachineLoad(
        calibration_s=statistics.median(one.calibration_s for one in watched),
        others_cores=max(0.0, statistics.fmean(others)) if others else None,
    )


def fastest(loads: Iterable[MachineLoad | None]) -> float | None:
    """Return the shortest calibration time: what the machine takes when nothing slows it down; None if unknown."""
    return min((one.calibration_s for one in loads if one is not None), default=None)


def why_busy(load: MachineLoad | None, limits: IdleLimits = WITHIN_A_RUN, idle_s: float | None = None) -> str:
    """Return why times that were taken meanwhile can't be relied on; ``""`` if the machine was idle, or nobody watched.

    Args:
        load: while they were taken.
        limits: up to where it counts as idle.
        idle_s: calibration time that this one is compared with; None: with none.
    """
    if load is None:
        return ""
    if load.others_cores is not None and load.others_cores > limits.max_others_cores:
        return f"other processes kept {load.others_cores:.1f} cores busy (allowed: {limits.max_others_cores:g})"
    allowed = 1 + limits.max_calibration_difference
    if idle_s is not None and load.calibration_s > allowed * idle_s:
        ratio = load.calibration_s / idle_s if idle_s > 0 else float("inf")
        return f"the machine itself took {ratio:.2f} times as long for a fixed piece of work (allowed: {allowed:g})"
    return ""


def reasons(loads: Sequence[MachineLoad | None]) -> list[str]:
    """Return for each part of one run why the machine was busy, the parts compared with the fastest of them."""
    idle_s = fastest(loads)
    return [why_busy(load, idle_s=idle_s) for load in loads]
