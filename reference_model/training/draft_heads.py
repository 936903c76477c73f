"""Trains draft heads on a frozen AR model: what they guess is the audio that follows, in the model's own data.

Head i sees the hidden state behind token t, and the true tokens t+1 … t+i; its target is token t+i+1, where all of them
belong to one span. The loss is the mean cross-entropy of every head, over the candidates of a span, summed over heads.
Every random draw is a function of the seed and the step, as in ``trainer``. One process.
"""

from __future__ import annotations

import filecmp
import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_model.checkpoint import tokenizer_file
from reference_model.draft_heads import FILE, DraftHead, head_shapes
from reference_model.errors import CheckpointError, ConfigError, ReferenceModelError
from reference_model.layout import Example
from reference_model.training.batching import Batch, collate, pack_lengths
from reference_model.training.losses import target_logits
from reference_model.training.mixture import Mixture, picks
from reference_model.training.processes import number_of_processes
from reference_model.training.resumable import refuse_other_settings, restore, store
from reference_model.training.settings import TrainingConfig, learning_rate
from reference_model.training.trainer import LOG, Progress, Vary, drawn, forget_later, note, optimizer_for, stamp_of
from reference_model.transformer import TtTModel
from reference_model.whole_file import save_whole

_PARTIAL = ".partial"
"""Ends the name of a file that is being copied."""


class HeadsModule(nn.Module):
    """The heads as parameters, named as in their file; they begin by guessing the token before once more."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        for i in range(n_heads):
            head = nn.Module()
            for name, shape in head_shapes(width).items():
                value = torch.ones(shape) if name.startswith("norm") else torch.zeros(shape)
                if name == "up":
                    nn.init.normal_(value, std=width**-0.5)
                head.register_parameter(name, nn.Parameter(value))
            self.add_module(str(i), head)

    def heads(self) -> list[DraftHead]:
        """The heads, whose tensors are the parameters."""
        return [DraftHead(**dict(head.named_parameters())) for head in self.children()]


def chains(batch: Batch, model: TtTModel, n_heads: int) -> tuple[Tensor, Tensor]:
    """Where audio follows a row's own target, and with what.

    Returns:
        (n,) rows of the flattened batch, and (n, n_heads + 1) tokens: the one that the row predicts, and those behind
        it as far as the span goes; -1 beyond.
    """
    config = model.config
    target = torch.full((batch.ids.numel() + n_heads,), -1, device=batch.ids.device)
    target[batch.rows] = batch.targets
    rows = batch.rows
    tokens = torch.stack([target[rows + i] for i in range(n_heads + 1)], 1)
    is_audio = tokens >= config.audio_token_id_start
    is_end = torch.isin(tokens, torch.tensor(config.span_end_ids, device=tokens.device))
    # A row without a target stands between documents, so a chain of targets never leaves its own.
    goes_on = is_audio[:, 1:] & ~is_end[:, :-1]
    opens = is_audio[:, 0] | torch.isin(tokens[:, 0], torch.tensor(config.span_begin_ids, device=tokens.device))
    goes_on[:, 0] &= opens
    follows = goes_on.cumprod(1).bool()
    tokens[:, 1:] = tokens[:, 1:].masked_fill(~follows, -1)
    kept = follows[:, 0]
    return rows[kept], tokens[kept]


def head_losses(model: TtTModel, heads: Sequence[DraftHead], batch: Batch) -> Tensor:
    """(n_heads,) mean cross-entropies in nats; 0 where nothing follows."""
    config = model.config
    low = config.audio_token_id_start
    high = max(config.code_id_start + config.n_audio_codes - 1, *config.span_end_ids) + 1
    rows, tokens = chains(batch, model, len(heads))
    with torch.no_grad():
        hidden = model.hidden(batch.ids, batch.limit, batch.start, batch.positions).flatten(0, 1)
        state, embedded = hidden[rows], F.embedding(tokens.clamp(min=0), model.model.embed_tokens.weight)
    losses = []
    for i, head in enumerate(heads):
        state = head(state, embedded[:, i], config.rms_norm_eps)
        targets = tokens[:, i + 1]
        known = targets >= 0
        logits = target_logits(model, state, known.nonzero().squeeze(1), low, high)
        losses.append(F.cross_entropy(logits, targets[known] - low, reduction="sum") / known.sum().clamp(min=1))
    return torch.stack(losses)


def train_draft_heads(
    model: TtTModel,
    source: Path,
    examples: Sequence[Example],
    config: TrainingConfig,
    folder: Path,
    n_heads: int,
    *,
    mixture: Mixture | None = None,
    vary: Vary | None = None,
    until: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
    tick: Callable[[int], None] = lambda step: None,
) -> tuple[DraftHead, ...]:
    """Train heads for ``model``, and keep ``folder`` a copy of its checkpoint with them; resumable as ``train`` is.

    Args:
        model: an AR model; its weights are frozen.
        source: the folder it was loaded from, whose files are copied.
        examples, config, mixture, vary, until, report, report_every, tick: as in ``trainer.train``; ``accumulate`` and
            ``shard`` have no effect.
        folder: gets the checkpoint, the heads, ``training.safetensors`` and ``losses.jsonl``.
        n_heads: how many tokens ahead are guessed.

    Raises:
        ReferenceModelError: there are no examples, one does not fit into ``config.pack``, or a loss is not a number.
        ConfigError: the model isn't an AR model, or several processes train.
        CheckpointError: if the folder holds a training with other settings or examples, or a damaged one.
    """
    made_of = _checked(model, source, examples, config, n_heads, vary, mixture)
    lengths = [len(example.prompt) + len(example.answer) for example in examples]
    if config.pack:
        pack_lengths([max(lengths)], config.pack)
    mixture = mixture or Mixture.once(len(examples))
    model.eval().requires_grad_(False)
    folder.mkdir(parents=True, exist_ok=True)
    _copy_checkpoint(source, folder)
    torch.manual_seed(config.seed)
    module = HeadsModule(model.config.hidden_size, n_heads).to(model.device)
    optimizer = optimizer_for(module, config)
    first = restore(folder, module, optimizer, settings=made_of)
    last = min(config.steps, until if until is not None else config.steps)
    forget_later(folder / LOG, first)
    began_s, since, summed, n_tokens = time.monotonic(), first, torch.zeros(n_heads), 0
    for step in range(first, last):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        rows = []
        for n, i in enumerate(picks(mixture, lengths, config.batch_size, config.pool, config.seed, step)):
            rows.append(drawn(examples[i], config, model.config, vary, np.random.default_rng((config.seed, step, n))))
        batch = collate(rows, model.config, pack=config.pack, device=model.device)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=config.bf16):
            losses = head_losses(model, module.heads(), batch)
        losses.sum().backward()
        if not bool(losses.isfinite().all()):
            raise ReferenceModelError(
                f"step {step + 1}: the loss is not finite ({losses.tolist()}); lower field 'learning_rate' of "
                "[training], or set bf16 = false, and train into another folder"
            )
        nn.utils.clip_grad_norm_(module.parameters(), config.clip)
        optimizer.step()
        summed += losses.detach().cpu()
        n_tokens += sum(len(row.ids) for row in rows)
        tick(step + 1)
        if (step + 1) % report_every == 0 or step + 1 == last:
            step_s = (time.monotonic() - began_s) / (step + 1 - first)
            progress = Progress(
                step=step + 1,
                steps=config.steps,
                text_loss=0.0,
                audio_loss=float(summed.mean()) / (step + 1 - since),
                ctc_loss=0.0,
                learning_rate=learning_rate(config, step),
                examples_per_s=config.batch_size / step_s,
                tokens_per_s=n_tokens / (time.monotonic() - began_s),
                eta_s=step_s * (last - step - 1),
            )
            since, summed = step + 1, torch.zeros(n_heads)
            note(progress, folder)
            report(progress)
        if (step + 1) % config.save_every == 0 or step + 1 == last:
            _save_heads(module, folder)
            store(folder, module, optimizer, step + 1, made_of)
    return tuple(module.heads())


def check_heads_folder(
    folder: Path,
    model: TtTModel,
    source: Path,
    examples: Sequence[Example],
    config: TrainingConfig,
    n_heads: int,
    vary: Vary | None = None,
    mixture: Mixture | None = None,
) -> None:
    """Do nothing if such a training may begin or go on in ``folder``; raises what ``train_draft_heads`` raises."""
    refuse_other_settings(folder, _checked(model, source, examples, config, n_heads, vary, mixture))


def _checked(
    model: TtTModel,
    source: Path,
    examples: Sequence[Example],
    config: TrainingConfig,
    n_heads: int,
    vary: Vary | None,
    mixture: Mixture | None,
) -> str:
    """What the training is made of, after what cannot be trained was refused."""
    if not examples:
        raise ReferenceModelError("there are no training examples")
    if model.config.objective != "ar":
        raise ConfigError(f"draft heads are for models with objective 'ar', not {model.config.objective!r}")
    if number_of_processes() > 1:
        raise ConfigError("draft heads are trained by one process; start the training without torchrun")
    weights = hashlib.sha256()
    for path in sorted(source.glob("model*.safetensors")):
        with path.open("rb") as file:
            weights.update(hashlib.file_digest(file, "sha256").digest())
    more = {"n_heads": n_heads, "frozen": weights.hexdigest()}
    return stamp_of(config, model.config, examples, vary, mixture or Mixture.once(len(examples)), **more)


def _copy_checkpoint(source: Path, folder: Path) -> None:
    """The frozen model's own files, unchanged, so that the weights keep their hash; whole or not at all.

    Raises:
        CheckpointError: the folder holds weights that aren't this model's.
    """
    files = [source / "config.json", *source.glob("model*.safetensors"), *source.glob("model*.safetensors.index.json")]
    own = {path.name for path in files}
    for path in sorted(folder.glob("model*.safetensors*")):
        if path.name not in own and not path.name.endswith(_PARTIAL):
            raise CheckpointError(f"{path}: isn't of {source}; train the heads into another folder")
    for path in files:
        _copy(path, folder / path.name)
    _copy(tokenizer_file(source), folder / "tokenizer.json")


def _copy(path: Path, to: Path) -> None:
    if to.exists():
        if not filecmp.cmp(path, to, shallow=False):
            raise CheckpointError(f"{to}: isn't that of {path.parent}; train the heads into another folder")
        return
    partial = to.with_name(to.name + _PARTIAL)
    shutil.copyfile(path, partial)
    partial.replace(to)


def _save_heads(module: HeadsModule, folder: Path) -> None:
    tensors = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in module.named_parameters()}
    save_whole(tensors, folder / FILE, {"format": "pt"})
