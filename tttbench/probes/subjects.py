"""From a system and the points asked for to what is measured at each: settings, and requests or lengths."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from tttbench.core.errors import UserError
from tttbench.core.exchange import Request
from tttbench.core.system import Lengths, PassRun, Sweepable, System, SystemOptions
from tttbench.probes.axes import AXES, BY_NAME, Point, in_words
from tttbench.probes.conditions import Watch
from tttbench.probes.sweep import Subject
from tttbench.probes.turn import Call, Turn, calls_of, take_turn

DEFAULT_LENGTHS: Point = {"prompt_codes": 50, "span_codes": 52}
"""Four seconds of speech at 12.5 codes a second in, and out."""


def check_axes(system: System, names: Iterable[str]) -> None:
    """Raise ``UserError`` for the first axis that ``system`` doesn't have."""
    has = system.axes if isinstance(system, Sweepable) else frozenset({"batch_size"})
    for name in names:
        if name not in has:
            options = ", ".join(axis.option for axis in AXES if axis.name in has)
            axis = BY_NAME[name]
            raise UserError(
                f"{axis.option}: {system.card.name} has no {axis.title} that could be set. Leave the option out; "
                f"what can be varied here: {options}."
            )


def subjects_of(
    system: System,
    points: Sequence[Point],
    requests: Sequence[Request] | None,
    device: str,
    seed: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Subject]:
    """Return what is measured at each point.

    Args:
        system: built for the largest batch of the points.
        points: values by axis; see ``check_axes``.
        requests: what is generated for; None means synthetic requests, of the lengths of the point.
        device: where the system runs.
        seed: of synthetic requests.
        clock: monotonic seconds.

    Raises:
        UserError: settings or lengths that the system can't have, with the options that say so.
    """
    made = []
    watch = Watch(device)
    for point in points:
        try:
            batch_size = int(point.get("batch_size", 1))
            tuned, passes = _tuned(system, point, device, batch_size)
            if requests is not None:
                calls = calls_of(tuned.generate, requests, batch_size)
            else:
                calls = [_synthetic(tuned, point, batch_size, seed)]
            turn = partial(_turn, calls, passes, device, clock, watch)
            made.append(Subject(point, tuned.card.strategy, turn))
        except UserError as error:
            raise UserError(f"{in_words(point)}: {error}" if point else str(error)) from error
    return made


def _tuned(system: System, point: Point, device: str, batch_size: int) -> tuple[System, list[PassRun]]:
    """The system at the point's settings, and where it tells its passes."""
    passes: list[PassRun] = []
    if not isinstance(system, Sweepable):
        return system, passes
    settings = {name: BY_NAME[name].setting(value) for name, value in point.items() if BY_NAME[name].sets == "decode"}
    options = SystemOptions(device, batch_size, str(point.get("strategy", "")), settings)
    return system.tuned(options, passes.append), passes


def _turn(
    calls: Sequence[Call],
    passes: list[PassRun],
    device: str,
    clock: Callable[[], float],
    watch: Watch,
    afresh: bool,
) -> Turn:
    return take_turn(calls, passes, device, clock, afresh=afresh, watch=watch)


def _synthetic(system: System, point: Point, batch_size: int, seed: int) -> Call:
    if not isinstance(system, Sweepable):
        raise UserError(
            f"{system.card.name} can't be given requests of given lengths; give --task or --synthetic SECONDS."
        )
    prompt_codes, span_codes = (int(point.get(name, value)) for name, value in DEFAULT_LENGTHS.items())
    lengths = [Lengths(prompt_codes, span_codes, seed + at) for at in range(batch_size)]
    names = tuple(f"synthetic-{at}" for at in range(batch_size))
    return Call(names, (0.0,) * batch_size, system.scheduled(lengths))
