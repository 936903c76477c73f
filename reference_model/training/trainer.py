"""The training loop: examples in, a checkpoint folder out, resumable after a kill with the same result.

Every random draw is a function of the seed and the step, so a resumed run sees what an uninterrupted one would have
seen. Knows the objective and the checkpoint format; nothing of where examples come from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reference_model import checkpoint
from reference_model.config import TtTConfig
from reference_model.errors import CheckpointError, ConfigError, ReferenceModelError
from reference_model.layout import Example
from reference_model.tokens import TtTTokenizer
from reference_model.training.batching import pack_lengths
from reference_model.training.losses import LossModule
from reference_model.training.mixture import Mixture, picks
from reference_model.training.objective import Row, corrupt, longest_filler
from reference_model.training.processes import Processes, number_of_processes, set_state, state_of
from reference_model.training.resumable import refuse_other_settings, stamp, store_tensors, stored_tensors
from reference_model.training.settings import TrainingConfig, learning_rate
from reference_model.transformer import TtTModel

LOG = "losses.jsonl"
"""Name of the file that gets what is reported, a line of JSON each time."""

Vary = Callable[[Example, np.random.Generator], Example]


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
    tokens_per_s: float
    eta_s: float


def train(
    model: TtTModel,
    tokenizer: TtTTokenizer,
    examples: Sequence[Example],
    config: TrainingConfig,
    folder: Path,
    *,
    mixture: Mixture | None = None,
    vary: Vary | None = None,
    until: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
    tick: Callable[[int], None] = lambda step: None,
) -> TtTModel:
    """Train ``model`` in place and keep ``folder`` a checkpoint that ``reference_model.load`` opens.

    Run by several processes (``torchrun``, ``accelerate launch``), all of them call it with the same arguments; the
    batch is shared out, and the result is that of one process up to the order of sums.

    Args:
        model: fresh weights; overwritten by the folder's training state if there is one.
        tokenizer: saved beside the weights.
        examples: the training set.
        config: settings; a resumed training must have the same ones.
        folder: gets ``config.json``, ``model.safetensors``, ``tokenizer.json``, ``training.safetensors`` and
            ``losses.jsonl``.
        mixture: how often the examples of which file are seen; None: all of them once an epoch.
        vary: changes an example every time it is drawn, with random numbers of its own; its ``repr`` must say how.
        until: stop (with a checkpoint) after this step instead of ``config.steps``.
        report: called every ``report_every`` steps, by the first process.
        tick: called with the number of steps done after each of them, by the first process.

    Returns:
        ``model``, in eval mode; where the weights were sharded, without numbers: load ``folder``.

    Raises:
        ReferenceModelError: there are no examples, one does not fit into ``config.pack``, or a loss is not a number.
        ConfigError: ``config.batch_size`` is not a multiple of processes times ``config.accumulate``.
        CheckpointError: if the folder holds a training with other settings or examples, or a damaged one.
    """
    if not examples:
        raise ReferenceModelError("there are no training examples")
    lengths = [len(example.prompt) + len(example.answer) for example in examples]
    if config.pack:
        # Refuses now what it would refuse after hours.
        pack_lengths([max(lengths) + longest_filler(config.objective, model.config)], config.pack)
    mixture = mixture or Mixture.once(len(examples))
    processes = Processes(config.shard)
    _check_shares(config, processes.number)
    folder.mkdir(parents=True, exist_ok=True)
    if config.objective.ctc_layer > model.config.num_hidden_layers:
        raise ConfigError(
            f"objective: field 'ctc_layer' is {config.objective.ctc_layer}, and the model has "
            f"{model.config.num_hidden_layers} layers"
        )
    if config.compile:
        compile_layers(model)
    module = processes.share(LossModule(model, config.objective, config.pack), list(model.model.layers))
    optimizer = optimizer_for(module, config)
    made_of = stamp_of(config, model.config, examples, vary, mixture)
    first, stored = stored_tensors(folder, made_of)
    if not processes.agree(first):
        raise CheckpointError(
            f"{folder}: the processes do not find the same training there; it must be one folder that all of them see"
        )
    if stored:
        set_state(module, optimizer, stored)
    del stored
    last = min(config.steps, until if until is not None else config.steps)
    if processes.is_first:
        forget_later(folder / LOG, first)
    meter = _Meter(config, first, last)
    module.train()
    for step in range(first, last):
        chosen = picks(mixture, lengths, config.batch_size, config.pool, config.seed, step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        optimizer.zero_grad(set_to_none=True)
        mine = list(enumerate(chosen))[processes.rank :: processes.number]
        for part in range(config.accumulate):
            rows = [
                drawn(examples[i], config, model.config, vary, np.random.default_rng((config.seed, step, n)))
                for n, i in mine[part :: config.accumulate]
            ]
            with processes.part(module, is_last=part + 1 == config.accumulate):
                with torch.autocast(processes.device.type, torch.bfloat16, enabled=config.bf16):
                    # Gradients are averaged over the processes, so each divides by its own share of the batch.
                    losses = module(rows, len(mine))
                losses.sum().backward()
            _check_finite(losses, step, folder)
            meter.add(losses.detach() / processes.number, sum(len(row.ids) for row in rows))
        nn.utils.clip_grad_norm_(module.parameters(), config.clip)
        optimizer.step()
        if processes.is_first:
            tick(step + 1)
        if (step + 1) % report_every == 0 or step + 1 == last:
            progress = meter.progress(step + 1, processes)
            if processes.is_first:
                note(progress, folder)
                report(progress)
        if (step + 1) % config.save_every == 0 or step + 1 == last:
            state = state_of(module, optimizer)
            if processes.is_first:
                # In this order: a kill in between costs steps, and never leaves old weights beside a finished training.
                checkpoint.save(model, tokenizer, folder, dtype="float16", weights=_own_weights(state))
                store_tensors(folder, state, step + 1, made_of)
            processes.wait()
    return model.eval()


def note(progress: Progress, folder: Path) -> None:
    """Write what happened behind the rest of ``losses.jsonl``."""
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(progress)) + "\n")


def _check_finite(losses: Tensor, step: int, folder: Path) -> None:
    """Stop before weights are spoilt that hours went into."""
    if bool(losses.isfinite().all()):
        return
    text, audio, ctc = losses.tolist()
    kept = f"{folder} keeps the last checkpoint; " if (folder / "training.safetensors").exists() else ""
    raise ReferenceModelError(
        f"step {step + 1}: the loss is not finite (text {text}, audio {audio}, ctc {ctc}); {kept}"
        "lower field 'learning_rate' of [training], or set bf16 = false, and train into another folder"
    )


def _own_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's weights out of a state whose module is a ``LossModule``."""
    begin = "model."
    return {name.removeprefix(begin): value for name, value in state.items() if name.startswith(begin)}


def _check_shares(config: TrainingConfig, n_processes: int) -> None:
    if config.batch_size % (n_processes * config.accumulate):
        raise ConfigError(
            f"training: field 'batch_size' is {config.batch_size}, expected a multiple of {n_processes} processes "
            f"times accumulate = {config.accumulate}"
        )


class _Meter:
    """Adds up losses and tokens between two reports."""

    def __init__(self, config: TrainingConfig, first: int, last: int) -> None:
        self._config = config
        self._first, self._last = first, last
        self._began_s = time.monotonic()
        self._n_tokens = 0
        self._losses = torch.zeros(3)
        self._since = first

    def add(self, losses: Tensor, n_tokens: int) -> None:
        self._losses = self._losses + losses.cpu()
        self._n_tokens += n_tokens

    def progress(self, step: int, processes: Processes) -> Progress:
        """What happened in all processes since the last call; speed and time left are means since the beginning."""
        summed = processes.sum(torch.cat([self._losses.double(), torch.tensor([float(self._n_tokens)]).double()]))
        text, audio, ctc = (summed[:3] / (step - self._since)).tolist()
        taken_s = time.monotonic() - self._began_s
        step_s = taken_s / (step - self._first)
        self._losses, self._since = torch.zeros(3), step
        return Progress(
            step=step,
            steps=self._config.steps,
            text_loss=text,
            audio_loss=audio,
            ctc_loss=ctc,
            learning_rate=learning_rate(self._config, step - 1),
            examples_per_s=self._config.batch_size / step_s,
            tokens_per_s=float(summed[3]) / taken_s,
            eta_s=step_s * (self._last - step),
        )


def drawn(
    example: Example, config: TrainingConfig, model: TtTConfig, vary: Vary | None, rng: np.random.Generator
) -> Row:
    """One use of an example: varied, and with what the objective masks."""
    return corrupt(example if vary is None else vary(example, rng), config.objective, model, rng)


def check_folder(
    folder: Path,
    config: TrainingConfig,
    model: TtTConfig,
    examples: Sequence[Example],
    vary: Vary | None = None,
    mixture: Mixture | None = None,
) -> None:
    """Do nothing if a training with these settings and examples may begin or go on in ``folder``.

    Raises:
        CheckpointError: if the folder holds a training with other settings or examples, or a damaged one.
        ConfigError: ``config.batch_size`` cannot be shared out.
    """
    refuse_other_settings(folder, stamp_of(config, model, examples, vary, mixture or Mixture.once(len(examples))))
    _check_shares(config, number_of_processes())


def forget_later(log: Path, step: int) -> None:
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


def compile_layers(model: TtTModel) -> None:
    """Compile what stands between the attentions of every layer, for this process; the weights stay as they are.

    Raises:
        ReferenceModelError: on a CPU, if there is no C++ compiler.
    """
    if model.device.type == "cpu" and not any(map(shutil.which, (os.environ.get("CXX", ""), "g++", "clang++"))):
        raise ReferenceModelError(
            "training: field 'compile' is true, which needs a C++ compiler; install g++ or clang++, or set "
            "compile = false"
        )
    for layer in model.model.layers:
        for name in ("before_attention", "after_attention"):
            setattr(layer, name, torch.compile(getattr(layer, name), dynamic=True))  # one for all lengths


def optimizer_for(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW that decays matrices alone."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2))


def stamp_of(
    config: TrainingConfig,
    model: TtTConfig,
    examples: Sequence[Example],
    vary: Vary | None,
    mixture: Mixture,
    **more: object,
) -> str:
    """What a training is made of, see ``stamp``: settings, data, and ``more`` by name."""
    # Example by example: the text of all of them would take more memory than they do.
    digest = hashlib.sha256()
    for example in examples:
        for ids in (example.prompt, example.answer, example.transcript):
            digest.update(np.array([len(ids), *ids], np.int64).tobytes())
    same = replace(config, save_every=1, shard=False, accumulate=1, compile=False)
    return stamp(training=same, model=model, examples=digest.hexdigest(), variation=vary, data=mixture, **more)
