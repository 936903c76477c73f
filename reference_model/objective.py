"""What TtT is trained on: the corruption of one example and the loss of a batch (arXiv 2509.20072).

``corrupt`` turns an example into a ``Row``: the ids the network sees, and for every row with a target its weight.
The weights already hold 1/p, the per-sample mean and nothing else, so a batch's loss is a weighted sum of
cross-entropies over the batch size. Knows ids; nothing of files, tokenizers and optimizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.errors import ConfigError
from reference_model.limits import limits
from reference_model.transformer import TtTModel

Ids = npt.NDArray[np.int64]
_LEAST_NOISE = 1e-3  # p = (1 - 1e-3) t + 1e-3


@dataclass(frozen=True)
class Example:
    """One conversation: the prompt up to where the answer begins, and the answer with its ``<|im_end|>``.

    Attributes:
        prompt, answer: token ids.
        heard: text ids of what is said in the prompt's audio, for ``ObjectiveConfig.ctc``; empty where unknown.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    heard: tuple[int, ...] = ()


@dataclass(frozen=True)
class ObjectiveConfig:
    """The strategies with their probabilities; the defaults are the published ones.

    Attributes:
        banom: share of samples that are not noised and train text alone, on clean audio.
        ppm: share of samples in which the audio before one random span stays clean and out of the loss.
        sst: share of samples whose last span, if longer than 10, is cut at 30-90 % of its length.
        block_view: share of samples shown as the decoder will see them: everything up to a block boundary of a
            random span is clean, one block of ``block_length`` is noised, nothing follows. Slots behind the span's
            end have the end token as target. Not published: our own, 0 switches it off (docs/decisions.md).
        block_length: the block of ``block_view``.
        ctc: weight of an auxiliary loss that makes the prompt's audio rows spell what is said in them, by CTC (Graves
            et al. 2006; beside attention, Kim et al. 2017). Not published: our own, 0 switches it off
            (docs/decisions.md).

    Raises:
        ConfigError: if a share lies outside [0, 1], a weight is negative or the block is empty.
    """

    banom: float = 0.3
    ppm: float = 0.3
    sst: float = 0.5
    block_view: float = 0.0
    block_length: int = 26
    ctc: float = 0.0

    def __post_init__(self) -> None:
        for name in ("banom", "ppm", "sst", "block_view"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"objective: field {name!r} is {getattr(self, name)!r}, expected a share from 0 to 1")
        if self.block_length < 1:
            raise ConfigError(f"objective: field 'block_length' is {self.block_length!r}, expected at least 1")
        if not 0 <= self.ctc < float("inf"):
            raise ConfigError(f"objective: field 'ctc' is {self.ctc!r}, expected a weight of 0 or more")


@dataclass(frozen=True)
class Row:
    """A corrupted example: the network reads ``ids``, and its row ``rows[j]`` predicts ``targets[j]``.

    Attributes:
        ids: (L,) what the network sees, masks included.
        answer_start: position at which the answer begins.
        rows: (n,) positions whose output is trained.
        targets: (n,) the id that each of them predicts.
        weights: (n,) factor of each cross-entropy in the sample's loss, its mean and 1/p included.
        heard: (m,) what the prompt's audio rows spell, see ``ObjectiveConfig.ctc``.
    """

    ids: Ids
    answer_start: int
    rows: Ids
    targets: Ids
    weights: npt.NDArray[np.float32]
    heard: Ids


@dataclass(frozen=True)
class Losses:
    """Scalars of a batch: ``text`` and ``audio`` as published, ``ctc`` times its weight (or 0), and their sum."""

    text: Tensor
    audio: Tensor
    ctc: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.text + self.audio + self.ctc


def corrupt(example: Example, settings: ObjectiveConfig, config: TtTConfig, rng: np.random.Generator) -> Row:
    """Draw one corruption of an example, by the model's own objective.

    Args:
        example: a conversation, clean.
        settings: shares of the strategies. ``banom``, ``ppm`` and ``sst`` concern hybrid models, ``block_view`` hybrid
            and NAR models; AR models know no corruption.
        config: the ids and the objective.
        rng: drawn from; the same state gives the same corruption.
    """
    ids = np.array(example.prompt + example.answer, dtype=np.int64)
    begin = len(example.prompt)
    if config.objective == "ar":
        row = _row(ids, begin, _next_token(ids, begin))
    elif config.objective == "nar":
        row = _corrupt_all(ids, begin, settings, config, rng)
    else:
        row = _corrupt_audio(ids, begin, settings, config, rng)
    return replace(row, heard=np.array(example.heard, dtype=np.int64)) if settings.ctc else row


def _corrupt_audio(ids: Ids, begin: int, settings: ObjectiveConfig, config: TtTConfig, rng: np.random.Generator) -> Row:
    if rng.random() < settings.block_view:
        return _block_view(ids, begin, settings, config, rng)
    if rng.random() < settings.sst:
        ids = _cut_last_span(ids, begin, config, rng)
    text = _next_token(ids, begin, below=config.audio_token_id_start)
    if rng.random() < settings.banom:
        return _row(ids, begin, text)
    spans = answer_spans(ids, begin, config)
    maskable = (ids >= config.audio_token_id_start) & (np.arange(len(ids)) >= begin)
    if spans and rng.random() < settings.ppm:
        maskable[: spans[rng.integers(len(spans))][0]] = False
    noised, audio = _mask(ids, np.flatnonzero(maskable), config, rng)
    return _row(noised, begin, text, audio)


def _corrupt_all(ids: Ids, begin: int, settings: ObjectiveConfig, config: TtTConfig, rng: np.random.Generator) -> Row:
    first, end = begin, len(ids)
    if rng.random() < settings.block_view:
        ids, first = _one_block(ids, begin, end, config.im_end_token_id, settings, rng)
        end = len(ids)
    noised, everything = _mask(ids, np.arange(first, end), config, rng)
    return _row(noised, begin, everything)


def _block_view(ids: Ids, begin: int, settings: ObjectiveConfig, config: TtTConfig, rng: np.random.Generator) -> Row:
    spans = answer_spans(ids, begin, config)
    if not spans:
        return _row(ids, begin, _next_token(ids, begin))
    low, high = spans[rng.integers(len(spans))]
    seen, first = _one_block(ids[:high], low, high, int(ids[high - 1]), settings, rng)
    text = _next_token(seen, begin, below=config.audio_token_id_start)
    noised, audio = _mask(seen, np.arange(first, len(seen)), config, rng)
    return _row(noised, begin, text, audio)


def _one_block(
    ids: Ids, low: int, high: int, filler: int, settings: ObjectiveConfig, rng: np.random.Generator
) -> tuple[Ids, int]:
    """``ids`` up to the end of one random block of ``[low, high)``, filled up to its length; and where it begins."""
    length = settings.block_length
    first = low + length * int(rng.integers(-(-(high - low) // length)))
    block = ids[first : min(first + length, high)]
    return np.concatenate([ids[:first], block, np.full(length - len(block), filler, np.int64)]), first


def _cut_last_span(ids: Ids, begin: int, config: TtTConfig, rng: np.random.Generator) -> Ids:
    spans = answer_spans(ids, begin, config)
    if not spans or ids[spans[-1][1] - 1] != config.end_of_audio_span_last_token_id:
        return ids
    low, high = spans[-1]
    codes = high - 1 - low
    if codes <= 10:
        return ids
    return ids[: low + max(1, int(codes * rng.uniform(0.3, 0.9)))]


def answer_spans(ids: Ids, begin: int, config: TtTConfig) -> list[tuple[int, int]]:
    """Audio spans ``[low, high)`` of the answer, end tokens included, in order."""
    audio = np.concatenate([[False], ids[begin:] >= config.audio_token_id_start, [False]])
    edges = np.flatnonzero(audio[1:] != audio[:-1]) + begin
    return [(int(low), int(high)) for low, high in edges.reshape(-1, 2)]


_Targets = tuple[Ids, Ids, npt.NDArray[np.float32]]


def _next_token(ids: Ids, begin: int, below: int | None = None) -> _Targets:
    """Row i - 1 predicts token i, for the answer's tokens with an id under ``below``; weights are their mean."""
    positions = np.arange(begin, len(ids))
    if below is not None:
        positions = positions[ids[positions] < below]
    return positions - 1, ids[positions], _mean(len(positions))


def _mask(ids: Ids, maskable: Ids, config: TtTConfig, rng: np.random.Generator) -> tuple[Ids, _Targets]:
    """Mask each place with one probability p; a masked place predicts its own token with weight 1 / p / count."""
    p = (1 - _LEAST_NOISE) * rng.random() + _LEAST_NOISE
    masked = maskable[rng.random(len(maskable)) < p]
    noised = ids.copy()
    noised[masked] = config.mask_token_id
    weights = np.full(len(masked), 1 / (p * max(len(maskable), 1)), np.float32)
    return noised, (masked, ids[masked], weights)


def _mean(n: int) -> npt.NDArray[np.float32]:
    return np.full(n, 1 / max(n, 1), np.float32)


def _row(ids: Ids, begin: int, *parts: _Targets) -> Row:
    rows, targets, weights = (np.concatenate([part[i] for part in parts]) for i in range(3))
    nothing = np.zeros(0, np.int64)
    return Row(ids, begin, rows.astype(np.int64), targets.astype(np.int64), weights.astype(np.float32), nothing)


def batch_losses(model: TtTModel, batch: Sequence[Row], ctc: float = 0.0) -> Losses:
    """One pass over a batch of corrupted examples, padded to the longest; the head runs only on rows with a target.

    For the ``ar`` and ``nar`` objectives one loss covers text and audio alike; it is split here by the target's kind,
    so that both are shown, and their sum is the objective. ``ctc`` is the weight of the auxiliary loss.
    """
    config = model.config
    longest = max(len(row.ids) for row in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.int64)
    for i, row in enumerate(batch):
        ids[i, : len(row.ids)] = torch.from_numpy(row.ids)
    ids = ids.to(model.device)
    limit = limits(
        ids,
        config.audio_token_id_start,
        prompt_audio=config.prompt_audio,
        objective=config.objective,
        answer_start=torch.tensor([row.answer_start for row in batch], device=ids.device),
        lengths=torch.tensor([len(row.ids) for row in batch], device=ids.device),
    )
    hidden = model.hidden(ids, limit)
    flat = torch.from_numpy(np.concatenate([row.rows + i * longest for i, row in enumerate(batch)])).to(ids.device)
    targets = torch.from_numpy(np.concatenate([row.targets for row in batch])).to(ids.device)
    weights = torch.from_numpy(np.concatenate([row.weights for row in batch])).to(ids.device)
    logits = model.logits(hidden.flatten(0, 1)[flat]).float()
    losses = F.cross_entropy(logits, targets, reduction="none") * weights / len(batch)
    is_audio = targets >= config.audio_token_id_start
    spelling = ctc * _ctc(model, hidden, ids, batch) if ctc else losses.new_zeros(())
    return Losses(losses[~is_audio].sum(), losses[is_audio].sum(), spelling)


def _ctc(model: TtTModel, hidden: Tensor, ids: Tensor, batch: Sequence[Row]) -> Tensor:
    """How far the prompts' audio rows are from spelling what is heard: nats a text token, mean over the batch.

    The head gives the letters, cut to the text ids; the tag ``<|audio|>``, which no sequence holds, is CTC's blank.
    """
    blank = model.config.audio_token_id_start
    device = ids.device
    audio = ids > blank
    for i, row in enumerate(batch):
        audio[i, row.answer_start :] = False
    heard = [torch.from_numpy(row.heard).to(device) for row in batch]
    rows = torch.nn.utils.rnn.pad_sequence([hidden[i][audio[i]] for i in range(len(batch))])
    losses = F.ctc_loss(
        model.logits(rows, 0, blank + 1).float().log_softmax(-1),
        torch.cat(heard),
        audio.sum(1),
        torch.tensor([len(ids) for ids in heard], device=device),
        blank=blank,
        reduction="none",
        zero_infinity=True,
    )
    # Where nothing is known to be said, or speech is too short for it, there is nothing to learn.
    shares = torch.tensor([1 / len(ids) if len(ids) else 0.0 for ids in heard], device=device)
    return (losses * shares).mean()
