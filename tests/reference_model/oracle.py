"""The published decoding loop, written anew and plainly: no cache, no batch, all of the sequence each time.

An independent implementation to hold ``reference_model.decoding`` against; greedy, hybrid models only.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reference_model.transformer import TtTModel


def dense_logits(model: TtTModel, ids: list[int]) -> Tensor:
    """Logits of the whole sequence under the hybrid mask, built from its words."""
    audio = [token >= model.config.audio_token_id_start for token in ids]
    limit = []
    for i in range(len(ids)):
        end = i + 1
        while audio[i] and end < len(ids) and audio[end]:
            end += 1
        limit.append(end)
    with torch.no_grad():
        return model.logits(model.hidden(torch.tensor([ids]), torch.tensor([limit])))[0]


def oracle(
    model: TtTModel,
    prompt: list[int],
    *,
    block_length: int,
    steps: int,
    cfg: float,
    max_text: int,
    max_audio: int,
    min_text_after_audio: int,
    forbid_non_audio: bool,
) -> list[int]:
    """The answer's ids."""
    config = model.config
    mask, ends = config.mask_token_id, config.span_end_ids
    ids, n_text, n_audio, owed, inside = list(prompt), 0, 0, 0, False
    while True:
        if not inside:
            row = dense_logits(model, ids)[-1][: config.audio_token_id_start].clone()
            if owed:
                row[config.im_end_token_id] = -torch.inf
            token = int(row.argmax())
            ids.append(token)
            n_text += 1
            if token == config.im_end_token_id or n_text == max_text:
                return ids[len(prompt) :]
            inside = token in config.span_begin_ids
            owed = 0 if inside else max(0, owed - 1)
            continue
        size = min(block_length, max_audio - n_audio)
        if size == 0:
            return ids[len(prompt) :]
        begin = len(ids)
        x = ids + [mask] * size
        per_step = [size // steps + (i < size % steps) for i in range(steps)]
        for count in per_step:
            logits = dense_logits(model, x)
            if cfg:
                without = dense_logits(model, [mask] * begin + x[begin:])
                logits = without + (cfg + 1) * (logits - without)
            allowed = torch.zeros(config.vocab_size, dtype=torch.bool)
            if forbid_non_audio:
                allowed[config.code_id_start : config.code_id_start + config.n_audio_codes] = True
                allowed[list(ends)] = True
            else:
                allowed[:] = True
                allowed[config.im_end_token_id] = False
            probability = torch.softmax(logits.masked_fill(~allowed, -torch.inf), -1)
            best = probability.max(-1)
            is_open = [i for i in range(begin, len(x)) if x[i] == mask]
            for i in sorted(is_open, key=lambda i: -float(best.values[i]))[:count]:
                x[i] = int(best.indices[i])
        found = [i for i in range(begin, len(x)) if x[i] in ends]
        x = x[: found[0] + 1] if found else x
        n_audio += len(x) - begin
        ids = x
        if found:
            inside, owed = False, min_text_after_audio
