"""What ``same_answers.py`` reads of a run: the one place that knows the product's read model.

Hashes of runs made before and after a change of the format can be compared as long as ``read_run`` and
``read_results`` give the same values under the same names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tttbench.core.derivation import Derived
    from tttbench.core.metric import Score as RunScore
    from tttbench.store.read_model import Run


class ComparisonError(Exception):
    """There is nothing to compare with or to compare; the message says why and what to do."""


@dataclass(frozen=True)
class Score:
    """One metric of one answer. ``normalized``: the texts that were compared, where the run keeps them."""

    value: float | None
    numerator: float | None
    denominator: float | None
    status: str
    normalized: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a run keeps of one answer; None for what there isn't. The reference audio counts as a system.

    ``codes``: None also where there are none. ``steps``: for each code the forward pass that committed it.
    ``transcript``: what the run's transcriber wrote of the spoken answer.
    """

    system: str
    task: str
    sample: str
    text: str | None
    codes: tuple[int, ...] | None
    finish_reason: str | None
    nfe: int | None
    steps: tuple[int, ...] | None
    status: str | None
    transcript: str | None
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class Result:
    """One metric of a system on a task; ``counts``: samples by status, where there are any."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    counts: Mapping[str, int]


def read_run(folder: Path) -> Iterator[Answer]:
    """Yield the answers of a run directory, each task's in the order of its samples.

    The scores of the reference audio stand under a system of their own. Scores that only explain others (a metric
    without a better direction) are left to the results.

    Raises:
        ComparisonError: the folder holds no run.
    """
    from tttbench.core.metric import TOPLINE

    with _opened(folder) as run:
        for task in sorted(run.manifest.tasks):
            samples = {one.sample.id: one for one in run.samples(task)}
            for system in sorted((*run.manifest.systems, TOPLINE)):
                if system == TOPLINE:
                    for sample, scores in run.topline_scores(task).items():
                        transcript = _text(run.transcript(samples[sample].answer_audio))
                        absent = dict.fromkeys(("text", "codes", "finish_reason", "nfe", "steps", "status"))
                        yield Answer(system, task, sample, **absent, transcript=transcript, scores=_scores(run, scores))
                    continue
                for one in run.answers(system, task):
                    response = one.response
                    yield Answer(
                        system=system,
                        task=task,
                        sample=one.key.sample,
                        text=None if response is None else response.text,
                        codes=None if response is None else tuple(response.audio_codes or ()) or None,
                        finish_reason=None if response is None else response.finish_reason,
                        nfe=None if response is None else response.trace.nfe,
                        steps=None if response is None else tuple(response.trace.commit_step) or None,
                        status=one.status,
                        transcript=_text(run.transcript(one.audio)),
                        scores=_scores(run, one.scores),
                    )


def read_results(folder: Path) -> dict[tuple[str, str], dict[str, Result]]:
    """Results of a run, and of its reference audio, by system and task, then metric.

    Raises:
        ComparisonError: the folder holds no run, or one that has not come to its end.
    """
    with _opened(folder) as run:
        if run.summary is None:
            raise ComparisonError(f"{folder}: has no summary.json, the run has not come to its end; finish it first")
        found: dict[tuple[str, str], dict[str, Result]] = {}
        for one in (*run.summary.results, *run.summary.topline):
            names = ("ok", "empty", "unparsed", "derivation_failed", "error")
            counts = {name: getattr(one, name) for name in names if getattr(one, name)}
            value, low, high = (_rounded(number) for number in (one.value, one.ci_low, one.ci_high))
            found.setdefault((one.system, one.task), {})[one.metric] = Result(value, low, high, one.n, counts)
        return found


def _opened(folder: Path) -> Run:
    from tttbench.core.errors import UserError
    from tttbench.store.read_model import Run

    try:
        return Run.open(folder)
    except UserError as error:
        raise ComparisonError(str(error)) from error


def _text(transcript: Derived | None) -> str | None:
    return None if transcript is None or transcript.status != "ok" else transcript.content


def _scores(run: Run, scores: Mapping[str, RunScore]) -> dict[str, Score]:
    return {name: _score(one) for name, one in scores.items() if run.metric(name).direction != "none"}


def _score(score: RunScore) -> Score:
    detail = score.detail
    expected = detail.get("expected")
    texts = [detail.get(name) for name in ("reference", "hypothesis", "normalized")]
    texts += expected if isinstance(expected, list | tuple) else []
    value, numerator, denominator = (_rounded(one) for one in (score.value, score.numerator, score.denominator))
    return Score(value, numerator, denominator, score.status, tuple(str(text) for text in texts if text is not None))


def _rounded(value: float) -> float | None:
    """To 12 significant digits; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.12g}")
