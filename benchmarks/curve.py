"""Cost of one decode step against context length, beside what the formula of the limit says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from benchmarks.shapes import SPAN, some
from reference_model.cache import KeyValueCache
from reference_model.roofline import Ceilings, work_of
from reference_model.timing import seconds_of
from reference_model.transformer import RowGroup, TtTModel
from tttbench.stats.median import MedianInterval, median_interval


@dataclass(frozen=True)
class Point:
    """One kind of step at one context length.

    Attributes:
        step: ``"text"`` (one row) or ``"span"`` (27 rows).
        context: keys before the step's own rows.
        seconds: measured.
        limit_s: the formula's least time on this device.
        percent: limit over measured, in percent.
        growth, limit_growth: measured and the formula's seconds over those at the shortest context.
    """

    step: str
    context: int
    seconds: MedianInterval
    limit_s: float
    percent: float
    growth: float
    limit_growth: float


@dataclass(frozen=True)
class Curve:
    """All points, shortest context first, and what the device reached when they were measured."""

    ceilings: Ceilings
    points: tuple[Point, ...]


def curve(model: TtTModel, contexts: Sequence[int], ceilings: Ceilings, repeats: int) -> Curve:
    """Measure both kinds of step at every context length, shortest first, on a cache of random keys."""
    points: list[Point] = []
    for step, rows in (("text", 1), ("span", SPAN)):
        first: tuple[float, float] | None = None
        for context in contexts:
            seconds = median_interval(_step_s(model, context, rows, repeats))
            low, high = _columns(model, step)
            work = work_of(
                model.config,
                model.dtype.itemsize,
                sequences=1,
                rows=rows,
                keys=context + rows,
                head_rows=1 if step == "text" else SPAN,
                head_columns=high - low,
            )
            limit_s = work.limit_s(ceilings)
            first = first or (seconds.median, limit_s)
            points.append(
                Point(
                    step,
                    context,
                    seconds,
                    limit_s,
                    100 * limit_s / seconds.median,
                    seconds.median / first[0],
                    limit_s / first[1],
                )
            )
    return Curve(ceilings, tuple(points))


def _columns(model: TtTModel, step: str) -> tuple[int, int]:
    """The ids whose logits the step needs."""
    start = model.config.audio_token_id_start
    return (0, start) if step == "text" else (start, model.config.vocab_size)


def _step_s(model: TtTModel, context: int, rows: int, repeats: int) -> list[float]:
    config = model.config
    cache = KeyValueCache(config, context + rows, model.dtype, model.device)
    with torch.inference_mode():
        for position in cache.views(0, context):
            position.normal_()
        ids = torch.tensor(some(0, config.audio_token_id_start, rows, seed=context), device=model.device)
        group = RowGroup(ids, context, (context + rows,) * rows, cache)
        low, high = _columns(model, "text" if rows == 1 else "span")
        return seconds_of(lambda: model.logits(model.step([group]), low, high), model.device.type, repeats, warmup=2)
