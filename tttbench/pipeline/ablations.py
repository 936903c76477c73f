"""Whether what a suite switches off (``[[ablate]]``) changes anything, found before any system is built."""

from __future__ import annotations

from tttbench.config.suite import Suite, SystemPlan
from tttbench.core.errors import AbsentError, UserError
from tttbench.core.json_values import JsonObject
from tttbench.core.plugins import systems
from tttbench.core.system import SystemOptions


def check_ablations(suite: Suite, device: str, *, may_lack: bool = False) -> None:
    """Raise ``UserError`` for a switch without effect: its row would be the base once more, and its difference 0.

    ``may_lack``: pass over systems that aren't here, of which nothing can be told yet.
    """
    plans = {system.label: system for system in suite.systems}
    for one in suite.ablations:
        try:
            on, off = (_in_force(plans[label], device) for label in (one.base, one.system))
        except AbsentError:
            if not may_lack:
                raise
            continue
        if on is not None and on == off:
            raise UserError(f"{one.where}: {one.switch!r} is off in {one.base} already, or has no effect; remove it.")


def _in_force(plan: SystemPlan, device: str) -> JsonObject | None:
    """The decode settings that have an effect on a system; None where its kind can't say."""
    kind, _, spec = plan.name.partition(":")
    decoding = systems.get(kind).decoding
    if decoding is None or decoding.in_force is None:
        return None
    return decoding.in_force(spec, SystemOptions(device, strategy=plan.strategy, settings=plan.settings))
