"""For ``--include``: ``slowed:SHARE/NAME``, a system whose every layer takes SHARE longer, for real."""

from __future__ import annotations

import time
from typing import Any

from reference_model.transformer import Layer
from tttbench.errors import UserError
from tttbench.registry import build_system, register_system
from tttbench.systems.base import System, SystemOptions


def check(spec: str, options: SystemOptions) -> None:
    share, slash, name = spec.partition("/")
    if not (slash and name) or not share.replace(".", "", 1).isdigit():
        raise UserError(f"slowed:{spec}: must be slowed:SHARE/NAME, e.g. slowed:0.3/ttt:mini.")


@register_system("slowed", summary="a TtT checkpoint whose layers take longer", check=check)
def build(spec: str, options: SystemOptions) -> System:
    share, _, name = spec.partition("/")
    system = build_system(name, options)
    loaded: Any = vars(system)["_loaded"]
    for module in loaded.model.modules():
        if isinstance(module, Layer):
            slow_down(module, float(share))
    return system


def slow_down(layer: Layer, share: float) -> None:
    """Work on for ``share`` of the time that the layer took."""
    forward = layer.forward

    def slowly(*args: Any) -> Any:
        began = time.perf_counter()
        result = forward(*args)
        end = time.perf_counter()
        while time.perf_counter() < end + share * (end - began):
            pass
        return result

    setattr(layer, "forward", slowly)  # noqa: B010  # mypy sees no attribute in a method
