"""tttbench: evaluation and benchmarking of speaking language models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_model.threads import wait_asleep as _wait_asleep

__version__ = "0.2.0.dev0"

# Whatever of ours is imported next, it may import torch.
_wait_asleep()

if TYPE_CHECKING:
    from tttbench.api import load as load


def __getattr__(name: str) -> object:
    """Give the names of ``tttbench.api``, which is imported only when one of them is needed."""
    if name == "load":
        import importlib

        return getattr(importlib.import_module("tttbench.api"), name)
    raise AttributeError(f"module 'tttbench' has no attribute {name!r}")
