"""What a task is: a name, where its samples come from, and the scorers that judge the answers.

A task reads listings, never audio; it knows no system. Tasks stand in ``tasks/``, one file each, and are registered
with ``tttbench.core.registry.register_task``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.records import RequestKind, Sample


@dataclass(frozen=True, kw_only=True)
class Task:
    """One set of questions and how answers are judged.

    Attributes:
        name: the name it is registered under.
        title: a few words for tables.
        kind: what is asked of the system.
        description: one or two sentences: what it measures, where the data come from, under which licence.
        metrics: names of scorers in table order; the first is the headline.
        samples: lists the samples. Its argument is the folder of ``--data TASK=DIR``; None means the data that are
            shipped, or a ``UserError`` that says how to get them. The order is fixed: ``--limit`` takes the first.
        instruction: what the system is told beside the audio.
        max_seconds: the longest spoken answer worth waiting for.
        doubles_as: names of tasks over the same data that are run along with this one.
        data_fingerprint: hash of the data, where the task has a cheaper one than ``fingerprint_samples``.
    """

    name: str
    title: str
    kind: RequestKind
    description: str
    metrics: tuple[str, ...]
    samples: Callable[[Path | None], Sequence[Sample]]
    instruction: str = ""
    max_seconds: float = 30.0
    doubles_as: tuple[str, ...] = ()
    data_fingerprint: Callable[[Path | None], str] | None = None


def fingerprint_samples(samples: Sequence[Sample]) -> str:
    """Return the sha256 over the samples in order: their fields, and the names and contents of their audio files.

    A file that is missing counts as such, so that a broken sample doesn't stop a run.
    """
    digest = hashlib.sha256()
    for sample in samples:
        row = [
            sample.id,
            sample.kind,
            sample.reference,
            sample.aliases,
            sample.text,
            sample.answer_text,
            _file_hash(sample.audio),
            _file_hash(sample.answer_audio),
        ]
        digest.update(json.dumps(row, ensure_ascii=False).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _file_hash(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            return f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return f"{path.name}:unreadable"
