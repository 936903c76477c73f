"""What ``suite.py`` measures: a function a part, from a scale to figures. Knows no command line and no file."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SEED = 0
WORDS, ERRORS = 12, 0.1
"""Words of a sentence on average, and the share of them that is wrong."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """How much work there is.

    Attributes:
        pairs: to be scored.
        samples: to be resampled, ``resamples`` times, in ``clusters`` clusters where there are any.
        answers: of the run that is assessed and reported.
    """

    pairs: int
    samples: int
    resamples: int
    clusters: int
    answers: int


SCALES = {"full": Scale(100_000, 100_000, 10_000, 2_000, 10_000), "tiny": Scale(300, 2_000, 100, 50, 40)}


@dataclass(frozen=True)
class Figure:
    """A measured value.

    Attributes:
        what: it is.
        value, unit: as they are.
        goal: the most it should be; None where nothing was promised.
        cpu_s: seconds of all cores together, for values in seconds; others' work adds little to it.
    """

    what: str
    value: float
    unit: str
    goal: float | None = None
    cpu_s: float | None = None

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or nothing."""
        return "" if self.goal is None else "met" if self.value <= self.goal else "missed"


def timed(what: str, call: Callable[[], object], goal_s: float | None = None) -> Figure:
    """Call once."""
    cpu_s, began_s = time.process_time(), time.perf_counter()
    call()
    return Figure(what, time.perf_counter() - began_s, "s", goal_s, time.process_time() - cpu_s)


class Parts:
    """The parts by name. ``assess`` and ``report`` share a run, which is made when the first of them needs it."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove the run."""
        if self._folder is not None:
            self._folder.cleanup()

    def scoring(self) -> list[Figure]:
        """The real scorer, normalizer and alignment included, on sentences none of which it has seen."""
        from benchmarks.suite_texts import pairs
        from benchmarks.written_view import WrittenView, dictated
        from tttbench.core.plugins import build_scorer
        from tttbench.core.scorer import ScoreSpec

        wer = build_scorer(ScoreSpec("wer", "wer"))
        answers = [
            (dictated(str(at), pair.reference), WrittenView(pair.hypothesis))
            for at, pair in enumerate(pairs(self._scale.pairs, SEED))
        ]
        # Libraries and their tables are read once a process, not once a sentence.
        wer.score(dictated("", "warm one"), WrittenView("worn 1"))

        def score() -> None:
            for sample, answer in answers:
                wer.score(sample, answer)

        return [timed(f"WER of {len(answers):,} sentences", score, 30.0)]

    def bootstrap_counts(self) -> list[Figure]:
        """Edits over words: few different rows."""
        edits, words = self._edits()
        return [self._resampled("edits over words", lambda options: self._ratio(edits, words, options))]

    def bootstrap_values(self) -> list[Figure]:
        """Real-time factors, say: every row is another."""
        from tttbench.stats.bootstrap import mean_interval

        values = np.random.default_rng(SEED).lognormal(-1, 0.5, self._scale.samples)
        return [self._resampled("continuous values", lambda options: mean_interval(values, **options))]

    def bootstrap_clusters(self) -> list[Figure]:
        """Edits over words of speakers, drawn speaker by speaker."""
        edits, words = self._edits()
        speakers = np.random.default_rng(SEED).integers(0, self._scale.clusters, self._scale.samples).tolist()

        def call(options: Mapping[str, Any]) -> object:
            return self._ratio(edits, words, {**options, "clusters": speakers})

        return [self._resampled(f"edits over words in {len(set(speakers)):,} clusters", call)]

    def assess(self) -> list[Figure]:
        """Scores, intervals and latencies of a stored run."""
        return [self._assessed]

    def report(self) -> list[Figure]:
        """The page of the same run, in a process that has written none before."""
        from tttbench.pages import render

        folder, _ = self._run, self._assessed
        seconds = timed(f"report of {self._scale.answers:,} samples", lambda: render(folder), 10.0)
        size = (folder / "report.html").stat().st_size / 1e6
        return [seconds, Figure("size of that report", size, "MB", 15.0)]

    def _edits(self) -> tuple[Numbers, Numbers]:
        rng = np.random.default_rng(SEED)
        words = 1 + rng.poisson(WORDS - 1, self._scale.samples)
        # Most sentences are right, some are lost.
        edits = rng.binomial(words, rng.beta(0.5, 0.5 * (1 - ERRORS) / ERRORS, self._scale.samples))
        return edits.astype(np.float64), words.astype(np.float64)

    def _ratio(self, edits: Numbers, words: Numbers, options: Mapping[str, Any]) -> object:
        from tttbench.stats.bootstrap import ratio_interval

        return ratio_interval(edits, words, **options)

    def _resampled(self, of: str, call: Callable[[Mapping[str, Any]], object]) -> Figure:
        options = {"seed": SEED, "n_resamples": self._scale.resamples}
        what = f"{self._scale.resamples:,} resamples of {self._scale.samples:,} samples, {of}"
        return timed(what, lambda: call(options), 5.0)

    @cached_property
    def _run(self) -> Path:
        from benchmarks.suite_run import write_run

        self._folder = tempfile.TemporaryDirectory(prefix="tttbench-suite-")
        folder = Path(self._folder.name) / "run"
        write_run(folder, self._scale.answers, SEED)
        return folder

    @cached_property
    def _assessed(self) -> Figure:
        from tttbench.pipeline.scores import Columns
        from tttbench.pipeline.summarize import summarize
        from tttbench.store.manifest import Summary
        from tttbench.store.run_directory import RunStore

        with RunStore.open(self._run, write=True) as store:
            found: list[Summary] = []
            columns = Columns(store.manifest)
            figure = timed(
                f"assessment of {self._scale.answers:,} samples", lambda: found.append(summarize(store, columns))
            )
            store.write_summary(found[0])
        return figure


PARTS: Mapping[str, Callable[[Parts], list[Figure]]] = {
    "scoring": Parts.scoring,
    "bootstrap_counts": Parts.bootstrap_counts,
    "bootstrap_values": Parts.bootstrap_values,
    "bootstrap_clusters": Parts.bootstrap_clusters,
    "assess": Parts.assess,
    "report": Parts.report,
}
"""All parts by name, in the order in which they are measured and shown."""
