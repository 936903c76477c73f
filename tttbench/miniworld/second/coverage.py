"""How many samples each strategy of the published objective changes: removing one that changes none shows nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reference_model.config import TtTConfig
from reference_model.layout import Example, answer_spans
from reference_model.training.objective import ObjectiveConfig
from reference_model.training.renditions import RenderedExample

_LEAST_CUT = 10  # a last span is cut if it holds more codes


@dataclass(frozen=True)
class Coverage:
    """What the objective's strategies change.

    Attributes:
        n: examples, their renditions counted as parts of one.
        spans: how many examples have how many audio spans in their answer (of a rendition).
        last_span: least, median and largest number of codes of the last spans of answers with more than one span.
        banom: expected share of the samples drawn that train text alone beside clean audio.
        ppm: expected share in which audio is left clean and out of the loss.
        sst: expected share whose last span is cut.
        is_hybrid: whether the model is one that the strategies concern; else they change nothing.
    """

    n: int
    spans: Counter[int]
    last_span: tuple[int, int, int]
    banom: float
    ppm: float
    sst: float
    is_hybrid: bool = True

    def describe(self, n_drawn: int) -> str:
        """Two sentences about it, for a training that draws so many samples in all."""
        spans = ", ".join(f"{n} of {count}" for count, n in sorted(self.spans.items()))
        least, median, most = self.last_span
        named = (
            f"{self.n} examples by audio spans: {spans} spans; last spans of answers with several: "
            f"{least} to {most} codes, median {median}."
        )
        if not self.is_hybrid:
            return f"{named} BANOM, PPM and SST change no sample: they concern hybrid models."
        parts = (("BANOM", self.banom), ("PPM", self.ppm), ("SST", self.sst))
        changed = ", ".join(f"{name} about {share * n_drawn:,.0f} ({share:.1%})" for name, share in parts)
        return f"{named} Of {n_drawn:,} samples drawn are changed by {changed}."


def coverage(examples: Sequence[Example], objective: ObjectiveConfig, config: TtTConfig) -> Coverage:
    """Expected shares, averaged over the renditions of each example.

    A strategy changes a sample only where it finds something to change: BANOM audio in the answer, PPM an earlier span
    than the one it draws, SST a last span longer than 10; and ``block_view`` shows some samples in another way.
    """
    shares = np.zeros(3)
    spans_found: Counter[int] = Counter()
    last_spans: list[int] = []
    is_hybrid = config.objective == "hybrid"
    free = 1 - objective.block_view if is_hybrid else 0.0
    for example in examples:
        answers = example.renditions if isinstance(example, RenderedExample) else (example.answer,)
        for number, answer in enumerate(answers):
            spans = answer_spans(np.array(answer, np.int64), 0, config)
            n = len(spans)
            if number == 0:
                spans_found[n] += 1
            if not n:
                continue
            last = spans[-1][1] - 1 - spans[-1][0]
            if n > 1:
                last_spans.append(last)
            banom = free * objective.banom
            ppm = free * (1 - objective.banom) * objective.ppm * (n - 1) / n
            sst = free * objective.sst * (last > _LEAST_CUT)
            shares += np.array([banom, ppm, sst]) / len(answers)
    banom, ppm, sst = (shares / max(1, len(examples))).tolist()
    bounds = (min(last_spans), int(np.median(last_spans)), max(last_spans)) if last_spans else (0, 0, 0)
    return Coverage(len(examples), spans_found, bounds, banom, ppm, sst, is_hybrid)
