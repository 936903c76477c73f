"""What only a GPU would show, watched for on the CPU: tensors made elsewhere, other noise, ties in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_NOISE = (torch.rand, torch.randint)
_MAKERS = (torch.arange, torch.as_tensor, torch.empty, torch.full, torch.tensor, torch.zeros, *_NOISE)


class Careless(TorchFunctionMode):
    """Notes calls that name no device, draw without a generator, or sort so that ties may fall otherwise on a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.watched: set[str] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func in _MAKERS or func is Tensor.sort:
            self.watched.add(func.__name__)
            needed = ("stable",) if func is Tensor.sort else ("device", "generator") if func in _NOISE else ("device",)
            self.calls += [f"{func.__name__} without {name}" for name in needed if given.get(name) in (None, False)]
        return func(*args, **given)
