"""The published decoding loop, written anew and plainly: no cache, no batch, all of the sequence each time.

An independent implementation to hold ``reference_model.decoding`` against: hybrid models, greedy audio, and of the
package only the network and the settings' values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_model.decoding import DecodeConfig, Prompt
from reference_model.transformer import TtTModel


@dataclass(frozen=True)
class Told:
    """An answer of the published loop, and what happened in it.

    Attributes:
        ids: the answer.
        n_cut: steps in which a text id stood in the open block and a mask, which was cut off by no end, was still open.
        n_blocks: blocks of each span, in order.
        openers: the ids that opened them.
    """

    ids: tuple[int, ...]
    n_cut: int
    n_blocks: tuple[int, ...]
    openers: tuple[int, ...]


def dense_logits(model: TtTModel, ids: list[int], n_prompt: int) -> Tensor:
    """Logits (L, ids) of the whole sequence under the hybrid mask of these very ids, built from its words.

    A text row sees what stands before it and itself; an audio row, to the end of its maximal run of audio ids, masks
    included; where prompt audio is causal, that among the first ``n_prompt`` ids sees nothing behind itself.
    """
    config = model.config
    audio = [token >= config.audio_token_id_start for token in ids]
    n_causal = n_prompt if config.prompt_audio == "causal" else 0
    limit = []
    for i in range(len(ids)):
        end = i + 1
        while i >= n_causal and audio[i] and end < len(ids) and audio[end]:
            end += 1
        limit.append(end)
    with torch.no_grad():
        return model.logits(model.hidden(torch.tensor([ids]), torch.tensor([limit])))[0]


def guided_logits(model: TtTModel, ids: list[int], begin: int, n_prompt: int, cfg: float) -> Tensor:
    """Logits of a sequence whose open block begins at ``begin``: u + (w + 1)(c - u), u from masks before the block."""
    logits = dense_logits(model, ids, n_prompt)
    if not cfg:
        return logits
    without = dense_logits(model, [model.config.mask_token_id] * begin + ids[begin:], n_prompt)
    return without + (cfg + 1) * (logits - without)


def oracle(model: TtTModel, prompt: Prompt, chosen: DecodeConfig) -> Told:
    """The answer to a prompt; the first ids are the prompt's ``forced`` ones, which must all be text."""
    config = model.config
    ends = config.span_end_ids
    noise = torch.Generator().manual_seed(prompt.seed)
    ids, n_text, n_audio, owed, inside = list(prompt.ids), 0, 0, 0, False
    n_cut, n_blocks, openers = 0, [], []
    while True:
        if not inside:
            row = dense_logits(model, ids, len(prompt.ids))[-1]
            row = row[: config.audio_token_id_start if chosen.forbid_audio_in_text else None].clone()
            if owed:
                row[config.im_end_token_id] = -torch.inf
            token = text_token(row, chosen, noise)
            if n_text < len(prompt.forced):
                token = prompt.forced[n_text]
            ids.append(token)
            n_text += 1
            if token == config.im_end_token_id or n_text == chosen.max_text_tokens:
                break
            inside = token in config.span_begin_ids
            owed = 0 if inside else max(0, owed - 1)
            if inside:
                openers.append(token)
                n_blocks.append(0)
            continue
        size = min(chosen.block_length, chosen.max_audio_tokens - n_audio)
        if size == 0:
            break
        begin = len(ids)
        *seen, block = fill(model, ids, size, len(prompt.ids), chosen)
        n_cut += sum(is_cut(step, model) for step in seen)
        n_blocks[-1] += 1
        found = [i for i, token in enumerate(block) if token in ends]
        ids += block[: found[0] + 1] if found else block
        n_audio += len(ids) - begin
        if found:
            inside, owed = False, chosen.min_text_after_audio
    return Told(tuple(ids[len(prompt.ids) :]), n_cut, tuple(n_blocks), tuple(openers))


def fill(model: TtTModel, ids: list[int], size: int, n_prompt: int, chosen: DecodeConfig) -> Iterator[list[int]]:
    """A block of masks before each step, and at last the block as it was filled."""
    config, begin = model.config, len(ids)
    mask, steps = config.mask_token_id, chosen.steps_per_block
    allowed = torch.zeros(config.vocab_size, dtype=torch.bool)
    if chosen.forbid_non_audio:
        allowed[config.code_id_start : config.code_id_start + config.n_audio_codes] = True
        allowed[list(config.span_end_ids)] = True
    else:
        allowed[:] = True
        allowed[config.im_end_token_id] = False
    x = ids + [mask] * size
    for step in range(steps):
        yield x[begin:]
        count = size // steps + (step < size % steps)
        logits = guided_logits(model, x, begin, n_prompt, chosen.cfg)
        best = torch.softmax(logits.masked_fill(~allowed, -torch.inf), -1).max(-1)
        is_open = [i for i in range(begin, len(x)) if x[i] == mask]
        for i in sorted(is_open, key=lambda i: -float(best.values[i]))[:count]:
            x[i] = int(best.indices[i])
    yield x[begin:]


def is_cut(block: list[int], model: TtTModel) -> bool:
    """Whether text stands in the block while a mask is open that no end token has cut off."""
    ends = [i for i, token in enumerate(block) if token in model.config.span_end_ids]
    is_open = model.config.mask_token_id in block[: ends[0] if ends else None]
    return is_open and min(block) < model.config.audio_token_id_start


def text_token(row: Tensor, chosen: DecodeConfig, noise: torch.Generator) -> int:
    """Greedy, or drawn from what top-k and then top-p leave: the first of clocks that ring at these rates."""
    if chosen.text_temperature == 0:
        return int(row.argmax())
    probability = torch.softmax(row / chosen.text_temperature, -1).tolist()
    ranked = sorted(range(len(probability)), key=lambda token: -probability[token])
    ranked = ranked[: chosen.text_top_k or None]
    waits = torch.empty(len(ranked)).exponential_(generator=noise).tolist()
    before, rings = 0.0, {}
    for token, wait in zip(ranked, waits, strict=True):
        if before < chosen.text_top_p or chosen.text_top_p == 1:
            rings[token] = wait / probability[token] if probability[token] else float("inf")
        before += probability[token]
    return min(rings, key=lambda token: rings[token])
