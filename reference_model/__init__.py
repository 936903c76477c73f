"""TtT, the reference model: one Qwen2-shaped decoder that writes text token by token and audio by block diffusion.

The package stands on its own: it knows nothing of the evaluation suite. Start with ``reference_model.load`` and
``reference_model.decoding.generate``; ``docs/reference_model.md`` explains sequence, mask and decoding. Imported before
torch it chooses how torch's threads wait (``reference_model.threads``), and before its first product how many of them
oneDNN keeps (``reference_model.onednn``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_model.onednn import keep_products as _keep_products
from reference_model.threads import wait_asleep as _wait_asleep

if TYPE_CHECKING:
    from reference_model.checkpoint import load, save
    from reference_model.config import TtTConfig

__all__ = ["TtTConfig", "load", "save"]

_wait_asleep()
_keep_products()


def __getattr__(name: str) -> Any:
    # Importing torch takes a second; naming the package must not.
    if name in ("load", "save"):
        try:
            from reference_model import checkpoint
        except ModuleNotFoundError as error:
            if error.name in ("torch", "safetensors"):
                message = f"reference_model needs {error.name}, which is not installed: pip install 'tttbench[model]'"
                raise ImportError(message, name=error.name) from error
            raise

        return getattr(checkpoint, name)
    if name == "TtTConfig":
        from reference_model.config import TtTConfig

        return TtTConfig
    raise AttributeError(f"module 'reference_model' has no attribute {name!r}")
