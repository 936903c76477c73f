"""What TtT is trained on: the corruption of one example (arXiv 2509.20072).

``corrupt`` turns an example into a ``Row``: the ids the network sees, and for every row with a target its weight.
The weights already hold 1/p, the per-sample mean and nothing else, so a batch's loss (``losses.py``) is a
weighted sum of cross-entropies over the batch size. Knows ids; nothing of networks, files and optimizers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reference_model.config import TtTConfig
from reference_model.errors import ConfigError
from reference_model.layout import Example, Ids, answer_spans

_LEAST_NOISE = 1e-3  # p = (1 - 1e-3) t + 1e-3


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
        ctc_layer: number of a layer, from 1, that spells beside the last one, so that the layers above it have words to
            work with (Lee & Watanabe 2021, arXiv 2102.03216); ``ctc`` is then the weight of their mean. Not published
            either; 0: the last one alone.
        sst_least: audio tokens that SST leaves at least; 5 in the released code, which matters for spans of 11 to 16.

    Raises:
        ConfigError: if a share lies outside [0, 1], a weight is negative, the block is empty, or SST is to leave more
            than 9 tokens.
    """

    banom: float = 0.3
    ppm: float = 0.3
    sst: float = 0.5
    block_view: float = 0.0
    block_length: int = 26
    ctc: float = 0.0
    ctc_layer: int = 0
    sst_least: int = 0

    def __post_init__(self) -> None:
        for name in ("banom", "ppm", "sst", "block_view"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"objective: field {name!r} is {getattr(self, name)!r}, expected a share from 0 to 1")
        if self.block_length < 1:
            raise ConfigError(f"objective: field 'block_length' is {self.block_length!r}, expected at least 1")
        if not 0 <= self.ctc < float("inf"):
            raise ConfigError(f"objective: field 'ctc' is {self.ctc!r}, expected a weight of 0 or more")
        if self.ctc_layer < 0:
            raise ConfigError(f"objective: field 'ctc_layer' is {self.ctc_layer!r}, expected a layer's number, or 0")
        if not 0 <= self.sst_least <= 9:
            raise ConfigError(f"objective: field 'sst_least' is {self.sst_least!r}, expected a number from 0 to 9")


@dataclass(frozen=True)
class Row:
    """A corrupted example: the network reads ``ids``, and its row ``rows[j]`` predicts ``targets[j]``.

    Attributes:
        ids: (L,) what the network sees, masks included.
        answer_start: position at which the answer begins.
        rows: (n,) positions whose output is trained.
        targets: (n,) the id that each of them predicts.
        weights: (n,) factor of each cross-entropy in the sample's loss, its mean and 1/p included.
        transcript: (m,) what the prompt's audio rows spell, see ``ObjectiveConfig.ctc``.
    """

    ids: Ids
    answer_start: int
    rows: Ids
    targets: Ids
    weights: npt.NDArray[np.float32]
    transcript: Ids


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
    return replace(row, transcript=np.array(example.transcript, dtype=np.int64)) if settings.ctc else row


def _corrupt_audio(ids: Ids, begin: int, settings: ObjectiveConfig, config: TtTConfig, rng: np.random.Generator) -> Row:
    if rng.random() < settings.block_view:
        return _block_view(ids, begin, settings, config, rng)
    if rng.random() < settings.sst:
        ids = _cut_last_span(ids, begin, settings.sst_least, config, rng)
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


def longest_filler(settings: ObjectiveConfig, config: TtTConfig) -> int:
    """By how many tokens a corrupted example can be longer than the clean one."""
    return settings.block_length - 1 if settings.block_view and config.objective != "ar" else 0


def _one_block(
    ids: Ids, low: int, high: int, filler: int, settings: ObjectiveConfig, rng: np.random.Generator
) -> tuple[Ids, int]:
    """``ids`` up to the end of one random block of ``[low, high)``, filled up to its length; and where it begins."""
    length = settings.block_length
    first = low + length * int(rng.integers(-(-(high - low) // length)))
    block = ids[first : min(first + length, high)]
    return np.concatenate([ids[:first], block, np.full(length - len(block), filler, np.int64)]), first


def _cut_last_span(ids: Ids, begin: int, least: int, config: TtTConfig, rng: np.random.Generator) -> Ids:
    spans = answer_spans(ids, begin, config)
    if not spans or ids[spans[-1][1] - 1] != config.end_of_audio_span_last_token_id:
        return ids
    low, high = spans[-1]
    codes = high - 1 - low
    if codes <= 10:
        return ids
    return ids[: low + max(1, int(codes * rng.uniform(max(0.3, least / codes), 0.9)))]


_Targets = tuple[Ids, Ids, npt.NDArray[np.float32]]


def _next_token(ids: Ids, begin: int, below: int | None = None) -> _Targets:
    """Row i - 1 predicts token i, for the answer's tokens with an id under ``below``; weights are their mean."""
    # Where there is no prompt, nothing stands before the first token to predict it.
    positions = np.arange(max(begin, 1), len(ids))
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
