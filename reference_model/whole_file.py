"""A safetensors file that is written whole or not at all. Knows no checkpoint and no training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor


def save_whole(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write ``path``; a kill in the middle leaves what was there, and ``path`` with ``.tmp`` behind its name."""
    temporary = path.with_name(f"{path.name}.tmp")
    save_file(dict(tensors), temporary, dict(metadata))
    temporary.replace(path)
