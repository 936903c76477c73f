"""``labels.json``: what a person says of some of a run's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.serialize import to_json, to_plain
from tttbench.core.tables import Document, Name, read_table
from tttbench.data.atomic import write_atomic
from tttbench.data.documents import read_json
from tttbench.store.schema import RESTORE

LABELS = "labels.json"


@dataclass(frozen=True)
class Label:
    """A person's value of one scored answer: ``item`` names answer and score (``tttbench.pipeline.labels``)."""

    item: Name
    value: float


@dataclass(frozen=True)
class _File:
    labels: tuple[Label, ...]
    format: int = 1


def read_labels(folder: Path) -> Mapping[str, float]:
    """Return a run's labels by item; none where it was given none. Raises ``UserError`` if the file is damaged."""
    path = folder / LABELS
    if not path.is_file():
        return {}
    document = read_json(path)
    found = read_table(_File, document)
    if found.format != 1:
        raise document.error("format", f"must be 1. {RESTORE}")
    return {one.item: one.value for one in found.labels}


def write_labels(folder: Path, labels: Mapping[str, float]) -> None:
    """Replace a run's labels; raises ``StorageError`` if the disk refuses."""
    kept = _File(tuple(Label(item, value) for item, value in sorted(labels.items())))
    plain = to_plain(kept)
    read_table(_File, Document(plain, f"{folder / LABELS} can't be written", "JSON"))
    write_atomic(folder / LABELS, to_json(plain, indent=2).encode())
