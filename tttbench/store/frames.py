"""A run as pandas DataFrames: what ``tttbench.load`` gives to programs and notebooks."""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.store.manifest import Manifest, Summary
from tttbench.store.read_model import Run

if TYPE_CHECKING:
    import pandas as pd


class LoadedRun:
    """A run read from its directory. Tables are made when they are first asked for; nothing stays open in between.

    Attributes:
        folder: of the run.
        manifest: what was run, on what.
        summary: what came out; None if the run hasn't come so far.
    """

    def __init__(self, folder: Path | str) -> None:
        """Read the run in ``folder``; raises ``UserError`` naming file and field if it can't be read."""
        self.folder = Path(folder)
        with Run.open(self.folder) as run:
            self.manifest: Manifest = run.manifest
            self.summary: Summary | None = run.summary

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row per system, task and metric, and per metric of the reference audio: the fields of ``Result``.

        ``recipe`` is the recipe in words, ``recipe_digest`` equal where scores are comparable. Without rows if the run
        has no summary yet.
        """
        import pandas as pd

        from tttbench.core.metric import Result

        found = [] if self.summary is None else [*self.summary.results, *self.summary.topline]
        names = [field.name for field in dataclasses.fields(Result)]
        rows = [
            {**{name: getattr(one, name) for name in names}, "recipe": str(one.recipe), "digest": one.recipe.digest}
            for one in found
        ]
        return pd.DataFrame(rows, columns=[*names, "digest"]).rename(columns={"digest": "recipe_digest"})

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """One row per system, task and metric of which several systems have a value: the fields of ``Comparison``.

        Each system against the best, on the same answers. Without rows if the run has no summary, or one of before 0.2.
        """
        import pandas as pd

        from tttbench.core.metric import Comparison

        names = [field.name for field in dataclasses.fields(Comparison)]
        found = () if self.summary is None else self.summary.comparisons
        return pd.DataFrame([[getattr(one, name) for name in names] for one in found], columns=names)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """One row per answer.

        Columns: ``system``, ``task``, ``sample``, ``repeat``, ``status`` (the worst of the answer's and its scores'),
        ``cut`` (whether a length limit cut the answer), ``text``, ``transcript`` (by the run's first transcriber; None
        without one), ``reference`` (the first), ``error`` (why there is no answer; ``""`` if there is one), and the
        value of each score under its id, NaN where it has none.
        """
        import pandas as pd

        first = ["system", "task", "sample", "repeat", "status", "cut", "text", "transcript", "reference", "error"]
        ids = dict.fromkeys(spec.id for task in self.manifest.tasks.values() for spec in task.scores)
        rows = []
        with Run.open(self.folder) as run:
            for answer in run.answers():
                transcript = run.transcript(answer.audio)
                key, sample = answer.key, answer.sample.sample
                spoken = transcript.content if transcript is not None and transcript.status == "ok" else None
                row = [
                    key.system,
                    key.task,
                    key.sample,
                    key.repeat,
                    answer.outcome,
                    answer.response is not None and answer.response.is_cut,
                    answer.text,
                    spoken,
                    sample.reference,
                    answer.error,
                ]
                ids |= dict.fromkeys(answer.scores)
                rows.append((row, answer.scores))
        columns = [*first, *ids]
        values = [[*row, *(scores[name].value if name in scores else math.nan for name in ids)] for row, scores in rows]
        return pd.DataFrame(values, columns=columns)

    @cached_property
    def latency(self) -> pd.DataFrame:
        """One row per system, task and metric, with ``unit``, ``p50``, ``p90``, ``p99``, ``n`` and ``busy``.

        Of complete answers: none that are empty or were cut. A percentile that ``n`` of them don't support is NaN.
        ``busy`` says why the machine was too busy for the figure to be relied on; ``""`` where it wasn't.
        """
        import pandas as pd

        columns = ["system", "task", "metric", "unit", "p50", "p90", "p99", "n", "busy"]
        with Run.open(self.folder) as run:
            probes = run.timings().probes
        return pd.DataFrame([[getattr(one, name) for name in columns] for one in probes], columns=columns)


def load(folder: Path | str) -> LoadedRun:
    """Read the run in ``folder``, whatever format it has, without changing anything in it.

    Raises:
        UserError: there is no run, it has an unknown format, or is damaged; the message names file and field.
    """
    return LoadedRun(folder)
