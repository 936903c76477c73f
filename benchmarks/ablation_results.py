"""What is kept of each model of the ablation, and what they say together. Knows files and numbers, trains nothing.

A result holds the verdict on every sample, so that variants can be compared sample by sample after the models are gone.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

METRICS = (
    ("mini_asr", "wer"),
    ("mini_asr_noisy", "wer"),
    ("mini_qa", "text_accuracy"),
    ("mini_qa_noisy", "text_accuracy"),
    ("mini_qa", "spoken_accuracy"),
    ("mini_qa_noisy", "spoken_accuracy"),
)
"""Task and metric of the table's columns."""

BASE = "ttt"
"""The variant that the others are compared with."""

_SEED = 0  # of the resampling


@dataclass(frozen=True)
class Measured:
    """One metric of one model on one task.

    Attributes:
        value, low, high: with the 95 % interval over samples, as the run reported it.
        n: samples.
        failed: how many of them ended as something other than ``ok``.
        numerators, denominators: by sample, in the order of ``samples``.
        samples, clusters: ids, and what they were resampled by.
    """

    value: float
    low: float
    high: float
    n: int
    failed: int
    samples: tuple[str, ...]
    clusters: tuple[str, ...]
    numerators: tuple[float, ...]
    denominators: tuple[float, ...]


@dataclass(frozen=True)
class ModelResult:
    """What one model came to.

    Attributes:
        variant, seed: which one.
        config_sha256: of the training config's file.
        steps: of its training.
        weights_sha256: of its ``model.safetensors``.
        recipes: names and versions of what scored it, metric by metric.
        machine: where it was evaluated.
        metrics: by ``task/metric``.
    """

    variant: str
    seed: int
    config_sha256: str
    steps: int
    weights_sha256: str
    recipes: Mapping[str, str]
    machine: Mapping[str, Any]
    metrics: Mapping[str, Measured]


def collect(variant: str, seed: int, model: Path, run: Path) -> ModelResult:
    """Read a finished run of one model.

    Raises:
        SystemExit: the run is not complete.
    """
    from benchmarks.machine import this_machine
    from tttbench.config.training import shipped_training_configs
    from tttbench.store.read_model import Run

    steps = [json.loads(line)["step"] for line in (model / "losses.jsonl").read_text(encoding="utf-8").splitlines()]
    metrics: dict[str, Measured] = {}
    recipes: dict[str, str] = {}
    with Run.open(run) as opened:
        summary = opened.summary
        if summary is None or summary.status != "done":
            raise SystemExit(
                f"{run}: the run is {summary.status if summary else 'unfinished'}; remove it and start again"
            )
        for result in summary.results:
            if opened.metric(result.metric).direction == "none":
                continue  # it explains other metrics, and there is nothing to compare in it
            found = opened.answers(result.system, result.task)
            answers = sorted((one for one in found if result.metric in one.scores), key=lambda one: one.key.sample)
            scores = [one.scores[result.metric] for one in answers]
            recipes[result.metric] = str(result.recipe)
            metrics[f"{result.task}/{result.metric}"] = Measured(
                result.value,
                result.ci_low,
                result.ci_high,
                result.n,
                result.n - result.ok,
                tuple(one.key.sample for one in answers),
                tuple(one.sample.sample.cluster or one.key.sample for one in answers),
                tuple(score.numerator for score in scores),
                tuple(score.denominator for score in scores),
            )
    return ModelResult(
        variant,
        seed,
        _sha256(shipped_training_configs()[f"ablation/{variant}"]),
        steps[-1],
        _sha256(model / "model.safetensors"),
        recipes,
        asdict(this_machine()),
        metrics,
    )


def check_current(file: Path, variant: str, steps: int | None) -> None:
    """Do nothing if a result is that of the training config as it stands.

    Raises:
        SystemExit: it is of another training config, or of a training of another length.
    """
    from tttbench.config.training import read, shipped_training_configs

    path = shipped_training_configs()[f"ablation/{variant}"]
    plain = json.loads(file.read_text(encoding="utf-8"))
    expected = read(path).training.steps if steps is None else steps
    if (plain["config_sha256"], plain["steps"]) != (_sha256(path), expected):
        raise SystemExit(
            f"{file}: is of another training config or of {plain['steps']} steps; remove it to measure again"
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def save_result(path: Path, result: ModelResult) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
    temporary.replace(path)


def load_results(folder: Path) -> list[ModelResult]:
    """Read all results of a folder, by variant and seed.

    Raises:
        SystemExit: a file is no result; names it.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            metrics = {name: _measured(one) for name, one in plain.pop("metrics").items()}
            found.append(ModelResult(metrics=metrics, **plain))
        except (ValueError, TypeError, KeyError) as error:
            raise SystemExit(f"{path}: not a result of the ablation ({error}); remove it and measure again") from error
    return found


def _measured(plain: Mapping[str, Any]) -> Measured:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
    return Measured(**values)


def summary(results: Sequence[ModelResult]) -> str:
    """A table in Markdown: means over seeds, their spread, and paired differences from ``BASE`` with intervals."""
    variants = list(dict.fromkeys(result.variant for result in results))
    variants.sort(key=lambda name: (name != BASE, name))
    lines = [
        "| variant | seeds | " + " | ".join(f"{task} {metric}" for task, metric in METRICS) + " |",
        "|---" * (2 + len(METRICS)) + "|",
    ]
    for variant in variants:
        ours = [result for result in results if result.variant == variant]
        cells = [cell(ours, [r for r in results if r.variant == BASE], f"{task}/{metric}") for task, metric in METRICS]
        lines.append(f"| {variant} | {len(ours)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(ours: Sequence[ModelResult], base: Sequence[ModelResult], name: str) -> str:
    """Mean over seeds in percent, smallest to largest, and the difference from the base variant."""
    values = [100 * result.metrics[name].value for result in ours if name in result.metrics]
    if not values:
        return ""
    text = f"{statistics.mean(values):.1f}"
    if len(values) > 1:
        text += f" ({min(values):.1f} to {max(values):.1f})"
    theirs = [result for result in base if name in result.metrics]
    if ours[0].variant != BASE and theirs:
        estimate, low, high = difference(ours, theirs, name)
        text += f", {100 * estimate:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
    return text


def difference(ours: Sequence[ModelResult], base: Sequence[ModelResult], name: str) -> tuple[float, float, float]:
    """The mean over seeds minus the base's, with its paired 95 % interval over samples (by cluster).

    Both sides' verdicts on a sample are summed over the seeds, so the interval says how sure the samples make the
    difference between these models, not between all seeds there could be: for that there is the spread.
    """
    from tttbench.stats.bootstrap import paired_ratio_difference

    first = base[0].metrics[name]
    for result in (*ours, *base):
        if result.metrics[name].samples != first.samples:
            raise SystemExit(f"{result.variant}-{result.seed}: other samples in {name} than {base[0].variant}'s")
    a, b = (list(_summed(side, name)) for side in (ours, base))
    found = paired_ratio_difference(
        [x[0] for x in a],
        [x[1] for x in a],
        [x[0] for x in b],
        [x[1] for x in b],
        seed=_SEED,
        n_resamples=10_000,
        clusters=first.clusters,
    )
    return found.estimate, found.low, found.high


def _summed(side: Sequence[ModelResult], name: str) -> Iterator[tuple[float, float]]:
    measured = [result.metrics[name] for result in side]
    for i in range(len(measured[0].samples)):
        yield sum(one.numerators[i] for one in measured), sum(one.denominators[i] for one in measured)
