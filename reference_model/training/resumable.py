"""A training's state in one safetensors file: weights, optimizer and step, and its schedule. Knows no model by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from reference_model.errors import CheckpointError
from reference_model.whole_file import save_whole

_FILE = "training.safetensors"
_LONG = 80
"""Characters of a setting's ``repr`` that are kept as they are."""


def one_cycle(
    optimizer: torch.optim.Optimizer, peak: float, steps: int, warm_up_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Up to the ``peak`` learning rate in ``warm_up_steps``, and down along a cosine; ``restore`` sets it forward."""
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak, steps, pct_start=warm_up_steps / steps, cycle_momentum=False
    )


def stamp(**made_of: object) -> str:
    """What a training is made of, to be given to ``store`` and ``restore``: every setting by its name, as JSON text.

    Settings (dataclasses, one in another too) are kept field by field, so that it can be said which differ; what is
    long, such as data, as a hash of its ``repr``.
    """
    return json.dumps(dict(pair for name, value in made_of.items() for pair in _named(name, value)), sort_keys=True)


def _named(name: str, value: object) -> Iterator[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, type):
        for entry in fields(value):
            yield from _named(f"{name}.{entry.name}", getattr(value, entry.name))
        return
    text = repr(value)
    yield name, text if len(text) <= _LONG else hashlib.sha256(text.encode()).hexdigest()


def begun_with(begin: nn.Module | None) -> list[float]:
    """What tells the weights that a training begins with from others, for its ``stamp``; nothing for random ones."""
    return [] if begin is None else [float(parameter.detach().sum()) for parameter in begin.parameters()]


def store(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, settings: str = "") -> None:
    """Write the state after ``step`` steps, whole or not at all. ``settings`` is a stamp that ``restore`` compares."""
    tensors = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{name}": torch.as_tensor(value) for name, value in state.items()}
    store_tensors(folder, tensors, step, settings)


def store_tensors(folder: Path, tensors: Mapping[str, Tensor], step: int, settings: str = "") -> None:
    """``store`` for a state that is tensors by name already; ``weights`` finds those called ``model.…``."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"step": str(step), "settings": settings}
    save_whole({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / _FILE, metadata)


def stored_tensors(folder: Path, settings: str = "") -> tuple[int, Mapping[str, Tensor]]:
    """What ``store_tensors`` wrote, and the number of steps done: 0 and nothing if nothing is stored.

    Raises:
        CheckpointError: the stored training had other settings, or its file is damaged.
    """
    if not (folder / _FILE).exists():
        return 0, {}
    stored = _read(folder / _FILE, settings)
    return stored.step, stored.tensors


def restore(
    folder: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    settings: str = "",
) -> int:
    """Read a stored state into model, optimizer and schedule: the number of steps done, 0 if nothing is stored.

    Raises:
        CheckpointError: the stored training had other settings, or its file is damaged.
    """
    path = folder / _FILE
    if not path.exists():
        return 0
    stored = _read(path, settings)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(stored.tensors[f"model.{name}"])
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in stored.tensors.items():
        if key.startswith("optimizer."):
            _, i, name = key.split(".", 2)
            state.setdefault(int(i), {})[name] = tensor
    if state:
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    if schedule is not None:
        for _ in range(stored.step):
            schedule.step()
    return stored.step


def refuse_other_settings(folder: Path, settings: str) -> None:
    """Do nothing if ``folder`` holds no training, or one with these settings.

    Raises:
        CheckpointError: the stored training had other settings, or its file is damaged.
    """
    if (folder / _FILE).exists():
        _read(folder / _FILE, settings, tensors=False)


def weights(folder: Path, prefix: str = "") -> dict[str, Tensor]:
    """The stored weights whose names begin with ``prefix``, without it; whatever the settings were.

    Raises:
        CheckpointError: nothing is stored, or the file is damaged.
    """
    whole = "model." + prefix
    stored = _read(folder / _FILE, None)
    return {name[len(whole) :]: tensor for name, tensor in stored.tensors.items() if name.startswith(whole)}


@dataclass(frozen=True)
class _Stored:
    step: int
    tensors: Mapping[str, Tensor]


def _read(path: Path, settings: str | None, tensors: bool = True) -> _Stored:
    """Read the file if it was stored with ``settings`` (None: with whatever settings)."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            names = list(file.keys()) if tensors else []
            stored = _Stored(int(metadata["step"]), {name: file.get_tensor(name) for name in names})
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; nothing has been trained in this folder yet") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: not a readable training state ({error}); remove it to start again") from error
    if settings is not None and metadata.get("settings", "") != settings:
        differ = _differing(metadata.get("settings", ""), settings)
        raise CheckpointError(
            f"{path}: holds a training with other settings{differ}; give another folder, or remove this one to start "
            "again"
        )
    return stored


def _differing(stored: str, asked: str) -> str:
    """Which settings differ, and how, in words; nothing of stamps that aren't JSON."""
    try:
        before, now = json.loads(stored), json.loads(asked)
    except json.JSONDecodeError:
        return ""
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return " (" + ", ".join(f"{name}: there {before.get(name)}, here {now.get(name)}" for name in names) + ")"
