"""How many nats a model needs for an answer: exactly where it predicts one by one, by a bound where it fills masks.

A network that fills masks in any order gives x the probability of the mean over all orders. By Jensen's inequality its
negative log is at most the mean over orders of the nats along each of them, which for a span of L tokens is
``E_n[L / n * sum of the cross-entropies of the n masked tokens]`` with n uniform over 1..L and the masked places
uniform (Uria et al. 2014; Hoogeboom et al. 2022, arXiv 2110.02037). So it is estimated by masking at random. Knows ids
and the network; no tokenizer and no audio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.errors import ReferenceModelError
from reference_model.layout import Example, answer_spans
from reference_model.limits import limits
from reference_model.transformer import TtTModel

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likelihood:
    """Nats of one answer.

    Attributes:
        text: of its text tokens, in sum.
        n_text: how many there are.
        audio: of its audio tokens, ends of spans included, in sum: exact, or the mean estimate of the bound.
        n_audio: how many there are.
        audio_se: standard error of ``audio``; 0 where it is exact.
        exact: whether ``audio`` (for NAR models also ``text``) is the likelihood itself or a bound from above.
        text_se: standard error of ``text``; 0 where it is exact.
    """

    text: float
    n_text: int
    audio: float
    n_audio: int
    audio_se: float
    exact: bool
    text_se: float = 0.0


@torch.inference_mode()
def likelihood(
    model: TtTModel, example: Example, *, n_samples: int = 16, seed: int = 0, batch_size: int = 64
) -> Likelihood:
    """Nats of an answer under the model's own objective.

    ``ar``: every token exactly, given all before it. ``hybrid``: text exactly; each span by its bound, given all
    before it in its final form and its own length, which the masks show. ``nar``: the whole answer by its bound, given
    the prompt and its length.

    Args:
        model: in eval mode.
        example: prompt and answer.
        n_samples: maskings of each span, spread evenly over the numbers of masked places.
        seed: of the maskings.
        batch_size: maskings in one pass.

    Raises:
        ReferenceModelError: the answer is empty, or ``n_samples`` is less than 2.
    """
    if not example.answer:
        raise ReferenceModelError("an answer of no tokens has no likelihood")
    if n_samples < 2:
        raise ReferenceModelError(f"n_samples={n_samples}: a standard error needs at least 2 maskings")
    config = model.config
    ids = np.array(example.prompt + example.answer, dtype=np.int64)
    begin = len(example.prompt)
    is_audio = ids >= config.audio_token_id_start
    n_audio = int(is_audio[begin:].sum())
    n_text = len(ids) - begin - n_audio
    if config.objective == "ar":
        nats = _next_token_nats(model, ids, begin)
        audio = float(nats[is_audio[begin:]].sum())
        return Likelihood(float(nats.sum()) - audio, n_text, audio, n_audio, 0.0, exact=True)
    rng = np.random.default_rng(seed)
    if config.objective == "nar":
        estimates = span_bound(model, ids, begin, len(ids), begin, n_samples, rng, batch_size)
        text, text_se = _mean_and_error(estimates[:, ~is_audio[begin:]].sum(1))
        audio, audio_se = _mean_and_error(estimates[:, is_audio[begin:]].sum(1))
        return Likelihood(text, n_text, audio, n_audio, audio_se, exact=False, text_se=text_se)
    nats = _next_token_nats(model, ids, begin)
    total, variance = 0.0, 0.0
    for low, high in answer_spans(ids, begin, config):
        mean, error = _mean_and_error(
            span_bound(model, ids[:high], low, high, begin, n_samples, rng, batch_size).sum(1)
        )
        total, variance = total + mean, variance + error**2
    return Likelihood(float(nats[~is_audio[begin:]].sum()), n_text, total, n_audio, variance**0.5, exact=n_audio == 0)


@torch.inference_mode()
def span_bound(
    model: TtTModel,
    ids: npt.NDArray[np.int64],
    low: int,
    high: int,
    answer_start: int,
    n_samples: int,
    rng: np.random.Generator,
    batch_size: int = 64,
) -> Floats:
    """Estimates of the bound for the tokens ``[low, high)``, given what stands before them.

    Args:
        model: fills masks.
        ids: (L,) clean, nothing behind ``high``.
        low, high: the span.
        answer_start: where the answer begins.
        n_samples: estimates; their numbers of masks are spread evenly over 1 to the span's length.
        rng: drawn from.
        batch_size: estimates in one pass.

    Returns:
        (n_samples, high - low): what each token adds to each estimate; 0 where it was not masked.
    """
    length = high - low
    # One draw in each of n_samples equal parts of (0, 1]: each alone is uniform, together they vary less.
    shares = (rng.permutation(n_samples) + rng.random(n_samples)) / n_samples
    counts = np.minimum(1 + (shares * length).astype(np.int64), length)
    masked = np.zeros((n_samples, length), dtype=bool)
    for row, count in enumerate(counts):
        masked[row, rng.permutation(length)[:count]] = True
    estimates = np.zeros((n_samples, length))
    for first in range(0, n_samples, batch_size):
        part = slice(first, first + batch_size)
        noised = np.tile(ids, (len(counts[part]), 1))
        noised[:, low:high][masked[part]] = model.config.mask_token_id
        nats = _filling_nats(model, torch.from_numpy(noised), torch.from_numpy(ids[low:high]), low, answer_start)
        estimates[part] = np.where(masked[part], nats * (length / counts[part, None]), 0.0)
    return estimates


def _next_token_nats(model: TtTModel, ids: npt.NDArray[np.int64], begin: int) -> Floats:
    """(len(ids) - begin,) nats of every token of the answer, predicted by the row before it; 0 where there is none."""
    batch = torch.from_numpy(ids)[None].to(model.device)
    hidden = model.hidden(batch, _limits(batch, model.config, begin))
    first = max(begin, 1)
    logits = model.logits(hidden[0, first - 1 : -1]).float()
    nats = F.cross_entropy(logits, batch[0, first:], reduction="none").double().cpu().numpy()
    return np.concatenate([np.zeros(first - begin), nats])


def _filling_nats(model: TtTModel, noised: Tensor, clean: Tensor, low: int, answer_start: int) -> Floats:
    """(B, n) nats of the clean tokens at the places from ``low`` on, masked there or not."""
    noised, clean = noised.to(model.device), clean.to(model.device)
    hidden = model.hidden(noised, _limits(noised, model.config, answer_start))
    logits = model.logits(hidden[:, low : low + len(clean)].flatten(0, 1)).float()
    nats = F.cross_entropy(logits, clean.repeat(len(noised)), reduction="none")
    return nats.view(len(noised), -1).double().cpu().numpy()


def _limits(ids: Tensor, config: TtTConfig, answer_start: int) -> Tensor:
    return limits(
        ids,
        config.audio_token_id_start,
        prompt_audio=config.prompt_audio,
        objective=config.objective,
        answer_start=answer_start,
    )


def _mean_and_error(estimates: Floats) -> tuple[float, float]:
    return float(estimates.mean()), float(estimates.std(ddof=1) / len(estimates) ** 0.5)
