"""The training loop: examples in, a checkpoint folder out, resumable after a kill with the same result.

Every random draw is a function of the seed and the step, so a resumed run sees what an uninterrupted one would have
seen. Knows the objective and the checkpoint format; nothing of where examples come from.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from reference_model import checkpoint
from reference_model.config import TtTConfig
from reference_model.errors import ConfigError, ReferenceModelError
from reference_model.objective import Example, ObjectiveConfig, Row, batch_losses, corrupt
from reference_model.tokens import TtTTokenizer
from reference_model.training.resumable import refuse_other_settings, restore, stamp, store
from reference_model.transformer import TtTModel

_LOG = "losses.jsonl"
Vary = Callable[[Example, np.random.Generator], Example]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training.

    Attributes:
        steps: optimizer steps in all; the learning rate falls to a hundredth along a cosine.
        batch_size: examples a step.
        learning_rate: peak, after ``warm_up`` (a share of the steps).
        weight_decay, beta1, beta2, clip: AdamW and the gradient's largest norm.
        bf16: run the network under bfloat16 autocast; weights and optimizer stay in fp32.
        seed: of the weights, the order and the corruption.
        save_every: steps between checkpoints.
        pool: batches drawn at once and sorted by length, so that little is padded.
        objective: shares of the objective's strategies.

    Raises:
        ConfigError: if a number is out of range.
    """

    steps: int
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    warm_up: float = 0.02
    bf16: bool = True
    seed: int = 0
    save_every: int = 250
    pool: int = 8
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch_size", 1), ("save_every", 1), ("pool", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"training: field {name!r} is {getattr(self, name)!r}, expected at least {least}")
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"training: field {name!r} is {getattr(self, name)!r}, expected a number above 0")
        if not 0 <= self.warm_up <= 1:
            raise ConfigError(f"training: field 'warm_up' is {self.warm_up!r}, expected a share from 0 to 1")


@dataclass(frozen=True)
class Progress:
    """What happened since the last report: means of the losses, and how fast it goes."""

    step: int
    steps: int
    text_loss: float
    audio_loss: float
    ctc_loss: float
    learning_rate: float
    examples_per_s: float
    eta_s: float


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth of the peak."""
    warm = max(1, round(config.warm_up * config.steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, config.steps - warm)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def train(
    model: TtTModel,
    tokenizer: TtTTokenizer,
    examples: Sequence[Example],
    config: TrainingConfig,
    folder: Path,
    *,
    vary: Vary | None = None,
    until: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
) -> TtTModel:
    """Train ``model`` in place and keep ``folder`` a checkpoint that ``reference_model.load`` opens.

    Args:
        model: fresh weights; overwritten by the folder's training state if there is one.
        tokenizer: saved beside the weights.
        examples: the training set.
        config: settings; a resumed training must have the same ones.
        folder: gets ``config.json``, ``model.safetensors``, ``tokenizer.json``, ``training.safetensors`` and
            ``losses.jsonl``.
        vary: changes an example every time it is drawn, with random numbers of its own; its ``repr`` must say how.
        until: stop (with a checkpoint) after this step instead of ``config.steps``.
        report: called every ``report_every`` steps.

    Returns:
        ``model``, in eval mode.

    Raises:
        ReferenceModelError: if there are no examples.
        CheckpointError: if the folder holds a training with other settings or examples, or a damaged one.
    """
    if not examples:
        raise ReferenceModelError("there are no training examples")
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(
        _decayed(model, config.weight_decay), lr=config.learning_rate, betas=(config.beta1, config.beta2)
    )
    made_of = _stamp(config, model.config, examples, vary)
    first = restore(folder, model, optimizer, settings=made_of)
    last = min(config.steps, until if until is not None else config.steps)
    _forget_later(folder / _LOG, first)
    began, sums, since = time.monotonic(), np.zeros(3), 0
    model.train()
    for step in range(first, last):
        rows = [
            _drawn(examples[i], config, model.config, vary, np.random.default_rng((config.seed, step, n)))
            for n, i in enumerate(_picks(examples, config, step))
        ]
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=config.bf16):
            losses = batch_losses(model, rows, config.objective.ctc)
        optimizer.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        sums += (losses.text.item(), losses.audio.item(), losses.ctc.item())
        since += 1
        if (step + 1) % report_every == 0 or step + 1 == last:
            pace = (time.monotonic() - began) / (step + 1 - first)
            progress = Progress(
                step=step + 1,
                steps=config.steps,
                text_loss=sums[0] / since,
                audio_loss=sums[1] / since,
                ctc_loss=sums[2] / since,
                learning_rate=learning_rate(config, step),
                examples_per_s=config.batch_size / pace,
                eta_s=pace * (last - step - 1),
            )
            with (folder / _LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(progress)) + "\n")
            report(progress)
            sums, since = np.zeros(3), 0
        if (step + 1) % config.save_every == 0 or step + 1 == last:
            # In this order: a kill in between costs steps, and never leaves old weights beside a finished training.
            checkpoint.save(model, tokenizer, folder, dtype="float16")
            store(folder, model, optimizer, step + 1, made_of)
    return model.eval()


def _drawn(
    example: Example, config: TrainingConfig, model: TtTConfig, vary: Vary | None, rng: np.random.Generator
) -> Row:
    return corrupt(example if vary is None else vary(example, rng), config.objective, model, rng)


def check_folder(
    folder: Path, config: TrainingConfig, model: TtTConfig, examples: Sequence[Example], vary: Vary | None = None
) -> None:
    """Do nothing if a training with these settings and examples may begin or go on in ``folder``.

    Raises:
        CheckpointError: if the folder holds a training with other settings or examples, or a damaged one.
    """
    refuse_other_settings(folder, _stamp(config, model, examples, vary))


def _forget_later(log: Path, step: int) -> None:
    """Drop what a killed training reported behind the step that it goes on from: it will be reported again."""
    if not log.exists():
        return
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except json.JSONDecodeError:  # the kill came in the middle of the line
            break
    log.write_text("".join(kept), encoding="utf-8")


def _picks(examples: Sequence[Example], config: TrainingConfig, step: int) -> list[int]:
    """The examples of a step: epochs without repeats, and within a pool of batches examples of like length together."""
    per_pool = config.batch_size * config.pool
    pool, place = divmod(step, config.pool)
    drawn = []
    for n in range(pool * per_pool, (pool + 1) * per_pool):
        epoch, i = divmod(n, len(examples))
        drawn.append(int(_order(len(examples), config.seed, epoch)[i]))
    drawn.sort(key=lambda i: len(examples[i].prompt) + len(examples[i].answer))
    batches = [drawn[i : i + config.batch_size] for i in range(0, per_pool, config.batch_size)]
    turn = np.random.default_rng((config.seed, pool, 7)).permutation(len(batches))
    return batches[turn[place]]


@lru_cache(maxsize=2)
def _order(n: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(n)


def _decayed(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _stamp(config: TrainingConfig, model: TtTConfig, examples: Sequence[Example], vary: Vary | None) -> str:
    return stamp(replace(config, save_every=1), model, examples, vary)
