"""The processes of a training: one, or several that share every batch, each with a copy of the network or a shard.

Started with ``torchrun`` or ``accelerate launch`` there are several; else one. Knows no data and no objective.
"""

from __future__ import annotations

import atexit
import copy
import gc
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def number_of_processes() -> int:
    """How many were started, without joining them; the launchers say it in the environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


class Processes:
    """This process among all.

    Attributes:
        device: where its network runs: its CUDA device, or the CPU.
        rank, number: which process this is, of how many.
        is_first: whether it is the one that writes files and reports.
    """

    def __init__(self, shard: bool) -> None:
        """Join the other processes, if there are any.

        Args:
            shard: spread weights and optimizer over the processes; without effect for a single one. Implied by
                ``accelerate launch --use_fsdp``.
        """
        from accelerate import Accelerator
        from accelerate.utils import DistributedType

        was_up = torch.distributed.is_initialized()
        self._accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self.device: torch.device = self._accelerator.device
        self.rank: int = self._accelerator.process_index
        self.number: int = self._accelerator.num_processes
        self.is_first: bool = self._accelerator.is_main_process
        self._shard = self.number > 1 and (shard or self._accelerator.distributed_type == DistributedType.FSDP)
        if not was_up and torch.distributed.is_initialized() and torch.distributed.get_backend() == "gloo":
            atexit.register(_leave_at_exit)

    def share(self, module: nn.Module, layers: list[nn.Module]) -> nn.Module:
        """The module as every process runs it; ``layers`` are parts of it, gathered one at a time where sharded.

        Where sharded, ``module`` itself is left with shapes and no numbers (on the device ``meta``).
        """
        module.to(self.device)
        if self._shard:
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import fully_shard

            # What is sharded refers to the group for good, and the caller keeps ``module``: a twin takes over its
            # parameters, and goes when the training does. PyTorch's caches keep the mesh, which would keep the group,
            # though for compilers alone; anything else finds it by name. See ``leave``.
            mesh = init_device_mesh(self.device.type, (self.number,))
            getattr(mesh, "_pg_registry", {}).clear()
            twins: dict[int, Any] = {id(parameter): parameter for parameter in module.parameters()}
            copy.deepcopy(module, twins)
            for part in (*layers, module):
                fully_shard(twins[id(part)], mesh=mesh)  # in place
            module.to("meta")
            twin: nn.Module = twins[id(module)]
            return twin
        prepared: nn.Module = self._accelerator.prepare_model(module)
        return prepared

    def part(self, module: nn.Module, is_last: bool) -> AbstractContextManager[Any]:
        """Within it a backward pass adds to the gradients; only the last part's shares them."""
        if self._shard or is_last:
            return nullcontext()
        # The library's own return type is unspecific.
        found: AbstractContextManager[Any] = self._accelerator.no_sync(module)
        return found

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        total: Tensor = self._accelerator.reduce(values.to(self.device), "sum")
        return total.cpu()

    def agree(self, number: int) -> bool:
        """Whether all processes have the same number; all of them get the same answer."""
        found = self._accelerator.gather(torch.tensor([number], device=self.device))
        return bool((found == number).all()) and len(set(found.tolist())) == 1

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()


def leave() -> None:
    """Take leave of the other processes, if there are any: the last thing that a program does.

    Ends the threads of the group. One that still held a tensor when the interpreter goes would ask it for its lock, be
    refused, and take the whole process with it (SIGABRT, "terminate called without an active exception").
    """
    if not torch.distributed.is_initialized():
        return
    # Threads end with the last reference. It has to be this one, which waits for them without Python's lock; modules,
    # which hold the others, stand in cycles.
    group = torch.distributed.group.WORLD
    torch.distributed.destroy_process_group()
    gc.collect()
    del group


def _leave_at_exit() -> None:
    """``leave`` for a program that ends with an error or an interrupt, or forgot to."""
    for name in ("last_exc", "last_value", "last_traceback"):
        # An error that nobody caught was printed by now; its frames hold the modules.
        vars(sys).pop(name, None)
    leave()


def state_of(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Weights and optimizer of a shared module, whole and by parameter name; every process must ask.

    Returns:
        Weights under their names in the module, and ``optimizer.NAME.STATISTIC``, on the CPU; in all processes but
        the first nothing.
    """
    # A tied head is in the state a second time, and is no parameter of its own.
    names = {name.removeprefix("module.") for name, _ in module.named_parameters()}
    weights: Mapping[str, Any] = get_model_state_dict(module, options=_WHOLE)
    tensors: dict[str, Tensor] = {name: value for name, value in weights.items() if name in names}
    whole: Mapping[str, Any] = get_optimizer_state_dict(module, optimizer, options=_WHOLE)
    for name, statistics in whole.get("state", {}).items():
        for statistic, value in statistics.items():
            tensors[f"optimizer.{name}.{statistic}"] = torch.as_tensor(value)
    return tensors


def set_state(module: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give a shared module and its optimizer what ``state_of`` returned, from however many processes."""
    weights: dict[str, Any] = {name: value for name, value in tensors.items() if not name.startswith("optimizer.")}
    set_model_state_dict(module, weights, options=replace(_WHOLE, strict=False))
    state: dict[str, Any] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            parameter, statistic = name.removeprefix("optimizer.").rsplit(".", 1)
            state.setdefault(parameter, {})[statistic] = value
    if state:
        groups = get_optimizer_state_dict(module, optimizer)["param_groups"]
        set_optimizer_state_dict(module, optimizer, {"state": state, "param_groups": groups}, options=_WHOLE)
