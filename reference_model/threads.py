"""How the threads of torch wait for work: asleep. Knows torch's settings, and never imports it.

A small model's operations take microseconds, and between two of them OpenMP's threads wait awake, up to 3 ms each time,
so that the next one begins at once. Where another process wants the core, the thread that has the work can't get it
from the one that waits: the mini models then cost several times the CPU time, for the same answers. Asleep they pay a
few microseconds for waking up instead (``docs/decisions.md`` has both measured).
"""

from __future__ import annotations

import os
import sys

CHOSEN_BY = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""With what a user can have chosen how threads wait: OpenMP's own variable, and that of GNU's implementation."""


def wait_asleep() -> bool:
    """Let the threads of torch sleep while they wait, unless the environment says how they wait; their number stays.

    OpenMP reads its variables when torch is loaded. So both packages call this when they are imported, and where torch
    was imported before, nothing changes: the same answers, slower beside other processes.

    Returns:
        Whether the environment now holds a choice, the user's or ours, that torch was or will be loaded with; False
        where torch came first and found none.
    """
    if any(name in os.environ for name in CHOSEN_BY):
        return True
    if "torch" in sys.modules:
        return False
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    return True
