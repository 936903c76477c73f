"""Settings of a training, and the learning rate they make. Knows no data and no network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from reference_model.errors import ConfigError
from reference_model.training.objective import ObjectiveConfig


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training.

    Attributes:
        steps: optimizer steps in all; the learning rate falls along a cosine.
        batch_size: examples a step, over all processes and their parts.
        learning_rate: peak, after ``warm_up`` (a share of the steps).
        least_learning_rate: what is left of the peak at the end, a share of it.
        weight_decay, beta1, beta2, clip: AdamW and the gradient's largest norm.
        bf16: run the network under bfloat16 autocast; weights and optimizer stay in fp32.
        seed: of the weights, the order and the corruption.
        save_every: steps between checkpoints.
        pool: batches drawn at once and sorted by length, so that little is padded.
        pack: 0 pads every example to the longest of its part; else examples share rows of so many tokens.
        compile: torch.compile what stands between the attentions, on a CPU with a C++ compiler (g++ or clang++): steps
            are faster, and differ by rounding.
        accumulate: parts in which each process runs its share of a batch, one after the other, to save memory.
        shard: spread weights, gradients and optimizer over the processes (FSDP) in place of a copy for each.
        objective: shares of the objective's strategies.

    Raises:
        ConfigError: if a number is out of range.
    """

    steps: int
    batch_size: int = 32
    learning_rate: float = 2e-3
    least_learning_rate: float = 0.01
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    warm_up: float = 0.02
    bf16: bool = True
    seed: int = 0
    save_every: int = 250
    pool: int = 8
    pack: int = 0
    compile: bool = False
    accumulate: int = 1
    shard: bool = False
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    def __post_init__(self) -> None:
        least_values = (("steps", 1), ("batch_size", 1), ("save_every", 1), ("pool", 1), ("seed", 0), ("pack", 0))
        for name, least in (*least_values, ("accumulate", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"training: field {name!r} is {getattr(self, name)!r}, expected at least {least}")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"training: field {name!r} is {getattr(self, name)!r}, expected a number above 0")
        if not 0 <= self.weight_decay < math.inf:
            raise ConfigError(f"training: field 'weight_decay' is {self.weight_decay!r}, expected 0 or more")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"training: field {name!r} is {getattr(self, name)!r}, expected at least 0, below 1")
        for name in ("warm_up", "least_learning_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"training: field {name!r} is {getattr(self, name)!r}, expected a share from 0 to 1")


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to the least."""
    warm = max(1, round(config.warm_up * config.steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, config.steps - warm)
    least = config.least_learning_rate
    return config.learning_rate * (least + (1 - least) * 0.5 * (1 + math.cos(math.pi * done)))
