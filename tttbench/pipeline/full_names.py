"""Transcribers by their full names: ``whisper`` alone is another model on another device, so no run is planned with it.

Runs of development versions have it in their scores. What it meant there is known by what the run keeps of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tttbench.core.scorer import ScoreSpec
from tttbench.store.manifest import DeriverEntry, Manifest
from tttbench.store.read_model import TRANSCRIBER
from tttbench.systems.whisper.weights import default_model

WHISPER = "whisper"
"""Named without a model."""

_FORMERLY = "whisper:tiny.en"
"""What ``whisper`` was before it depended on the device."""

_MADE_BY = re.compile(r"whisper (\S+)@[0-9a-f]+ ")
"""How the recipes of Whisper's models begin."""


def full_name(transcriber: str, device: str) -> str:
    """Return the name of a system, that of Whisper with its model; ``device``: where it runs."""
    return f"{WHISPER}:{default_model(device)}" if is_bare(transcriber) else transcriber


def is_bare(transcriber: str) -> bool:
    """Whether it is Whisper without the name of a model."""
    return transcriber in (WHISPER, f"{WHISPER}:")


def with_full_names(scores: Iterable[ScoreSpec], device: str) -> tuple[ScoreSpec, ...]:
    """Return scores whose transcribers have their full names; their ids stay."""
    return tuple(_with(one, full_name(one.options.get("transcriber", ""), device)) for one in scores)


def named_in_full(manifest: Manifest) -> Manifest:
    """Return a run's manifest with the model in place of ``whisper``: the one that made the run's transcripts.

    The recipe of those stays, so that they are found, and what is lacking is made by the same model.
    """
    made = {name: entry for name, entry in manifest.derivers.items() if _is_bare_deriver(name)}
    used = {spec.options.get("transcriber", "") for task in manifest.tasks.values() for spec in task.scores}
    if not made and not any(map(is_bare, used)):
        return manifest
    model = next(map(_model_of, made.values()), _FORMERLY)
    derivers: dict[str, DeriverEntry] = {}
    for name, entry in manifest.derivers.items():
        if name in made:
            derivers.setdefault(f"{TRANSCRIBER}{model}", entry)
        else:
            derivers[name] = entry
    tasks = {
        name: replace(
            task,
            scores=tuple(
                _with(one, model) if is_bare(one.options.get("transcriber", "")) else one for one in task.scores
            ),
        )
        for name, task in manifest.tasks.items()
    }
    return replace(manifest, tasks=tasks, derivers=derivers)


def _is_bare_deriver(name: str) -> bool:
    return name.startswith(TRANSCRIBER) and is_bare(name.removeprefix(TRANSCRIBER))


def _model_of(entry: DeriverEntry) -> str:
    """The system that a deriver called ``transcriber:whisper`` was, by its recipe."""
    found = _MADE_BY.match(entry.recipe)
    return f"{WHISPER}:{found[1]}" if found else _FORMERLY


def _with(spec: ScoreSpec, transcriber: str) -> ScoreSpec:
    if spec.options.get("transcriber", "") == transcriber:
        return spec
    return replace(spec, options={**spec.options, "transcriber": transcriber})
