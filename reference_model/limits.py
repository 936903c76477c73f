"""The hybrid attention mask as one vector: ``limit[i]``, the number of keys (a prefix) that row i sees.

Text row i sees keys ``[0, i]``; a row of an audio span (a maximal run of audio ids, masks included) sees everything
up to the end of its own span. Packed documents add ``start[i]``: row i sees keys ``start[i] <= key < limit[i]``.
Knows token ids only: no weights, no tokenizer, no attention.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reference_model.config import Objective, PromptAudio
from reference_model.errors import ReferenceModelError


def limits(
    ids: Tensor,
    audio_start: int,
    *,
    prompt_audio: PromptAudio = "bidirectional",
    objective: Objective = "hybrid",
    answer_start: int | Tensor | None = None,
    lengths: int | Tensor | None = None,
    start: Tensor | None = None,
) -> Tensor:
    """How many keys each row sees.

    Args:
        ids: (L,) or (B, L) token ids.
        audio_start: the first audio id (``config.audio_token_id_start``).
        prompt_audio: ``"causal"`` makes audio rows before ``answer_start`` plain causal rows.
        objective: ``"hybrid"``; ``"ar"``: every row is causal; ``"nar"``: the prompt as in hybrid, and every row of
            the answer sees the whole answer.
        answer_start: where the answer begins: an int, (B,), or (B, L) for packed documents (each row's own). Needed
            for ``"nar"`` and for causal prompt audio.
        lengths: number of real tokens, an int or (B,); rows behind it are padding, which no real row ever sees.
        start: first position of each row's document, shaped like ``ids`` (see ``starts``); spans end with it.

    Returns:
        int64 limits, shaped like ``ids``; ``i < limit[i] <= L``.

    Raises:
        ReferenceModelError: if ``answer_start`` is needed and missing.
    """
    batch = ids if ids.dim() == 2 else ids.unsqueeze(0)
    length = batch.shape[1]
    position = torch.arange(length, device=ids.device).expand_as(batch)
    causal = position + 1
    if objective == "ar":
        return causal.reshape(ids.shape).clone()
    answer: Tensor | None = None
    if objective == "nar" or prompt_audio == "causal":
        if answer_start is None:
            raise ReferenceModelError(
                f"limits(objective={objective!r}, prompt_audio={prompt_audio!r}) needs answer_start: "
                "the position at which the answer begins"
            )
        answer = _column(answer_start, ids.device)
    is_span = batch >= audio_start
    # Where a run of rows that see each other cannot go on: text, another document, padding.
    stops = ~is_span
    if answer is not None:
        if objective == "nar":
            is_span = is_span | (position >= answer)
            # The answer is one span of its own, whatever stands right before it.
            stops = ~is_span | (position == answer)
        if prompt_audio == "causal":
            is_span = is_span & (position >= answer)
    if start is not None:
        stops = stops | (start.reshape(batch.shape) == position)
    if lengths is not None:
        is_padding = position >= _column(lengths, ids.device)
        is_span, stops = is_span & ~is_padding, stops | is_padding
    # end[i] = the first stop behind i: a running minimum from the right, one place ahead.
    stop_at = torch.where(stops, position, length)
    ahead = torch.nn.functional.pad(stop_at[:, 1:], (0, 1), value=length)
    end = ahead.flip(1).cummin(dim=1).values.flip(1)
    return torch.where(is_span, end, causal).reshape(ids.shape)


def starts(document_lengths: Sequence[int], total: int | None = None) -> Tensor:
    """First position of each row's document, for documents packed one after the other.

    Args:
        document_lengths: lengths of the documents, in order.
        total: length of the packed sequence; what is left behind the last document is a document of its own.

    Returns:
        (total,) int64.

    Raises:
        ReferenceModelError: if the documents are longer than ``total``.
    """
    lengths = list(document_lengths)
    packed = sum(lengths)
    total = packed if total is None else total
    if packed > total:
        raise ReferenceModelError(f"documents of {packed} tokens do not fit into a sequence of {total}")
    lengths.append(total - packed)
    sizes = torch.tensor(lengths)
    return torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)


def dense_mask(limit: Tensor, start: Tensor | None = None, n_keys: int | None = None) -> Tensor:
    """The mask written out: (..., L, n_keys) bool, True where row i sees key j. O(L²): for tests and ``sdpa``."""
    keys = torch.arange(limit.shape[-1] if n_keys is None else n_keys, device=limit.device)
    seen = keys < limit.unsqueeze(-1)
    return seen if start is None else seen & (keys >= start.unsqueeze(-1))


def _column(value: int | Tensor, device: torch.device) -> Tensor:
    """An int, (B,) or (B, L) as something that broadcasts against (B, L)."""
    column = torch.as_tensor(value, device=device)
    return column.unsqueeze(1) if column.dim() == 1 else column
