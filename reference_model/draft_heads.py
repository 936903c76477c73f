"""Draft heads of an AR model: what comes behind its next token, guessed without running the network.

Head i takes the hidden state that predicted token t+i and that token's embedding, and makes the hidden state that
predicts token t+i+1; the network's own output head gives the logits (as in Medusa, arXiv 2401.10774, with the tokens in
between known to each head, as in Hydra, arXiv 2402.05109). ``mtp.safetensors`` in a checkpoint folder holds them. They
only guess: what is written is decided by the network, so they change no token. Knows tensors and files; no decoding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor

from reference_model.config import MOST_DRAFT_HEADS
from reference_model.errors import CheckpointError

FILE = "mtp.safetensors"
"""Name of the file in a checkpoint folder."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class DraftHead:
    """One head: a residual block.

    Attributes:
        norm_hidden, norm_token: (d,) scales of the norms of its two inputs.
        up: (d, 2 d).
        down: (d, d).
    """

    norm_hidden: Tensor
    norm_token: Tensor
    up: Tensor
    down: Tensor

    def __call__(self, hidden: Tensor, embedded: Tensor, eps: float) -> Tensor:
        """(..., d) hidden states that predicted a token and (..., d) its embedding → (..., d), that of the next."""
        width = self.norm_hidden.shape
        both = torch.cat(
            (F.rms_norm(hidden, width, self.norm_hidden, eps), F.rms_norm(embedded, width, self.norm_token, eps)), -1
        )
        return hidden + F.linear(F.silu(F.linear(both, self.up)), self.down)

    def mapped(self, change: Callable[[Tensor], Tensor]) -> DraftHead:
        """The head with every tensor changed, such as moved to another device."""
        return DraftHead(change(self.norm_hidden), change(self.norm_token), change(self.up), change(self.down))


def head_shapes(width: int) -> Shapes:
    """Shape of each tensor of a head, by name, for hidden states of ``width``."""
    return {"norm_hidden": (width,), "norm_token": (width,), "up": (width, 2 * width), "down": (width, width)}


def read_draft_heads(
    folder: Path, width: int, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[DraftHead, ...]:
    """The heads of a checkpoint folder, in order; none if it has no file of them.

    Raises:
        CheckpointError: naming a damaged file, or a tensor that is missing, extra, misshapen or not finite.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        with safe_open(path, "pt") as file:
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dictionary
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error}); train the heads again") from error
    shapes = head_shapes(width)
    n_heads = min(max(1, -(-len(held) // len(shapes))), MOST_DRAFT_HEADS)
    expected = {f"{i}.{name}": shape for i in range(n_heads) for name, shape in shapes.items()}
    for name in sorted({*expected, *held}):
        if name not in held:
            raise CheckpointError(f"{path}: tensor {name!r} is missing; train the heads again")
        if name not in expected:
            raise CheckpointError(f"{path}: tensor {name!r} belongs to no draft head; train the heads again")
        value = held[name]
        if tuple(value.shape) != expected[name] or not value.is_floating_point():
            raise CheckpointError(
                f"{path}: tensor {name!r} is {value.dtype} of the shape {tuple(value.shape)}, a model of hidden_size = "
                f"{width} asks for floats of {expected[name]}"
            )
        if not bool(value.isfinite().all()):
            raise CheckpointError(f"{path}: tensor {name!r} holds NaN or infinity; train the heads again")
    return tuple(DraftHead(**{name: held[f"{i}.{name}"].to(device, dtype) for name in shapes}) for i in range(n_heads))
