"""``echo``: speaks what it is given, and writes the text of the request or the seconds of its audio. For trying out."""

from __future__ import annotations

import time

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Chunk, Request, Response, Trace
from tttbench.core.plugins import register_system
from tttbench.core.system import Capability, FunctionSystem, SystemCard, SystemOptions


def check(spec: str, options: SystemOptions) -> None:
    """Refuse what it doesn't have; loads nothing."""
    if spec or options.strategy or options.settings:
        raise UserError("echo: has no variants, strategies or settings; say just 'echo'.")


@register_system("echo", summary="repeats what it is given", check=check)
def build(spec: str, options: SystemOptions) -> FunctionSystem:
    """Build it."""
    capability = Capability(produces=frozenset({"text", "audio"}), turns=True, instruction=False)
    return FunctionSystem(SystemCard("echo", capability), _echo)


def _echo(request: Request) -> Response:
    began_s = time.perf_counter()
    if request.audio is None:
        if not request.text:
            raise InputError(f"{request.id}: has neither audio nor text to repeat.")
        return Response(request.text)
    text = request.text or f"{len(request.audio) / request.sample_rate:.1f}"
    end_s = time.perf_counter() - began_s
    trace = Trace(
        stages_s={"decode": end_s}, text_times_s=(end_s,), chunks=(Chunk(end_s, len(request.audio)),), end_s=end_s
    )
    return Response(text, waveform=request.audio, sample_rate=request.sample_rate, trace=trace)
