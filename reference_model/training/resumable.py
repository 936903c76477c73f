"""A training's state in one safetensors file: weights, optimizer and step. Knows no model by name."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

_FILE = "training.safetensors"


def store(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, settings: str = "") -> None:
    """Write the state after ``step`` steps, whole or not at all. ``settings`` is a stamp that ``restore`` compares."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{name}": torch.as_tensor(value) for name, value in state.items()}
    temporary = folder / f"{_FILE}.tmp"
    metadata = {"step": str(step), "settings": settings}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, metadata)
    temporary.replace(folder / _FILE)


def restore(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    settings: str = "",
) -> int:
    """Read a stored state into model, optimizer and schedule: the number of steps done, 0 if nothing is stored.

    Raises:
        ValueError: the stored training had other settings.
    """
    path = folder / _FILE
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    if metadata.get("settings", "") != settings:
        raise ValueError(
            f"{path}: holds a training with other settings; give another folder, or remove this one to start again"
        )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimizer."):
            _, i, name = key.split(".", 2)
            state.setdefault(int(i), {})[name] = tensor
    if state:
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    step = int(metadata["step"])
    for _ in range(step if schedule is not None else 0):
        schedule.step()  # type: ignore[union-attr]  # the range is empty without a schedule
    return step


def weights(folder: Path, prefix: str = "") -> dict[str, Tensor]:
    """The stored weights whose names begin with ``prefix``, without it."""
    whole = "model." + prefix
    with safe_open(folder / _FILE, "pt") as file:
        return {name[len(whole) :]: file.get_tensor(name) for name in file.keys() if name.startswith(whole)}  # noqa: SIM118  # not a mapping
