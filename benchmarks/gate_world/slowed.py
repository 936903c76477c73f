"""For ``--include``: ``slowed:SHARE/NAME``, a TtT system whose every decoding layer takes SHARE longer, for real."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reference_model import decode_step, transformer
from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.plugins import build_system, register_system
from tttbench.core.system import System, SystemOptions

_step_layer = decode_step.step_layer
_shares = [0.0]
"""What holds for the system that is responding; others in the process are as fast as ever."""


class Slowed:
    """A system that works on for a share of the time that each layer took."""

    def __init__(self, spec: str, system: System, share: float) -> None:
        self.card = replace(system.card, name=f"slowed:{spec}")
        self._system = system
        self._share = share

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        _shares.append(self._share)
        try:
            return self._system.generate(requests)
        finally:
            _shares.pop()


def check(spec: str, options: SystemOptions) -> None:
    share, slash, name = spec.partition("/")
    if not (slash and name.startswith("ttt")) or not share.replace(".", "", 1).isdigit():
        raise UserError(f"slowed:{spec}: must be slowed:SHARE/NAME, e.g. slowed:0.3/ttt:mini.")


@register_system("slowed", summary="a TtT checkpoint whose layers take longer", check=check)
def build(spec: str, options: SystemOptions) -> System:
    share, _, name = spec.partition("/")
    setattr(transformer, "step_layer", _slowly)  # noqa: B010  # for mypy a module's function can't be assigned
    return Slowed(spec, build_system(name, options), float(share))


def _slowly(*args: Any) -> Any:
    # In this thread's own time: on a busy machine waiting by the clock would cost more than the share.
    began = time.thread_time()
    result = _step_layer(*args)
    end = time.thread_time()
    while time.thread_time() < end + _shares[-1] * (end - began):
        pass
    return result
