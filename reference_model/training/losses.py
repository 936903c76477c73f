"""The loss of a batch of corrupted examples, as published (arXiv 2509.20072), and our auxiliary one.

The network runs once over all of them, and the head only on rows with a target. Knows rows and the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_model.training.batching import LENGTH_STEP, ROW_STEP, Batch, collate, rounded_up
from reference_model.training.objective import ObjectiveConfig, Row
from reference_model.transformer import TtTModel


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


def batch_losses(
    model: TtTModel,
    batch: Sequence[Row],
    ctc: float = 0.0,
    *,
    ctc_layer: int = 0,
    pack: int = 0,
    n_examples: int | None = None,
) -> Losses:
    """One pass over a batch of corrupted examples.

    For the ``ar`` and ``nar`` objectives one loss covers text and audio alike; it is split here by the target's kind,
    so that both are shown, and their sum is the objective.

    Args:
        model: the network.
        batch: at least one example.
        ctc: weight of the auxiliary loss.
        ctc_layer: see ``ObjectiveConfig``.
        pack: see ``collate``.
        n_examples: what the sum over examples is divided by, where they are a part of a larger batch; None: their
            number.

    Raises:
        ReferenceModelError: an example does not fit into ``pack``.
    """
    config = model.config
    made = collate(batch, config, pack=pack, device=model.device)
    divisor = len(batch) if n_examples is None else n_examples
    states = model.hidden_states(made.ids, made.limit, made.start, made.positions, after=ctc_layer)
    hidden = states[-1].flatten(0, 1)
    logits = target_logits(model, hidden, made.rows)
    losses = F.cross_entropy(logits, made.targets, reduction="none") * made.weights / divisor
    is_audio = made.targets >= config.audio_token_id_start
    spelling = losses.new_zeros(())
    if ctc:
        spelled = [_ctc(model, state.flatten(0, 1), made) for state in states]
        spelling = ctc * torch.stack(spelled).mean() / divisor
    return Losses(losses[~is_audio].sum(), losses[is_audio].sum(), spelling)


def target_logits(model: TtTModel, hidden: Tensor, rows: Tensor, low: int = 0, high: int | None = None) -> Tensor:
    """float32 (n, high - low) logits of the rows with a target, (n,) indices into ``hidden``; see ``ROW_STEP``."""
    n = len(rows)
    filled = F.pad(rows, (0, rounded_up(n, ROW_STEP) - n))  # the first row again, without a loss
    return model.logits(hidden[filled], low, high)[:n].float()


def _ctc(model: TtTModel, hidden: Tensor, batch: Batch) -> Tensor:
    """How far the prompts' audio rows are from spelling their transcripts: nats a text token, summed over the examples.

    The head gives the letters, cut to the text ids; the tag ``<|audio|>``, which no sequence holds, is CTC's blank.
    """
    blank = model.config.audio_token_id_start
    if not any(len(places) for places in batch.prompt_rows):
        return hidden.sum() * 0
    rows = nn.utils.rnn.pad_sequence([hidden[places] for places in batch.prompt_rows])
    rows = F.pad(rows, (0, 0, 0, 0, 0, rounded_up(len(rows), LENGTH_STEP) - len(rows)))
    lengths = torch.tensor([len(places) for places in batch.prompt_rows], device=hidden.device)
    losses = F.ctc_loss(
        model.logits(rows, 0, blank + 1).float().log_softmax(-1),
        torch.cat(batch.transcripts),
        lengths,
        torch.tensor([len(ids) for ids in batch.transcripts], device=hidden.device),
        blank=blank,
        reduction="none",
        zero_infinity=True,
    )
    # Where nothing is known to be said, or speech is too short for it, there is nothing to learn.
    shares = torch.tensor([1 / len(ids) if len(ids) else 0.0 for ids in batch.transcripts], device=hidden.device)
    return (losses * shares).sum()


class LossModule(nn.Module):
    """A network whose forward pass is its loss, which is what data-parallel and sharding wrappers can wrap."""

    def __init__(self, model: TtTModel, objective: ObjectiveConfig, pack: int) -> None:
        super().__init__()
        self.model = model
        self._objective = objective
        self._pack = pack

    def forward(self, batch: Sequence[Row], n_examples: int) -> Tensor:
        """(3,): the losses of ``Losses``, text, audio and ctc, with what they are divided by."""
        ctc, layer = self._objective.ctc, self._objective.ctc_layer
        losses = batch_losses(self.model, batch, ctc, ctc_layer=layer, pack=self._pack, n_examples=n_examples)
        return torch.stack([losses.text, losses.audio, losses.ctc])
