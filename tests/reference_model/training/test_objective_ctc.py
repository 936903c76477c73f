"""The auxiliary spelling loss against its definition: the sum over every alignment, enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from reference_model.config import TtTConfig
from reference_model.layout import Example
from reference_model.limits import limits
from reference_model.training.losses import batch_losses
from reference_model.training.objective import ObjectiveConfig, corrupt
from reference_model.transformer import TtTModel

from ..shapes import random_model, tiny_config

CONFIG = tiny_config(hidden_size=16, intermediate_size=24)
BLANK = CONFIG.audio_token_id_start
WITH_CTC = ObjectiveConfig(banom=0, ppm=0, sst=0, ctc=0.5)


def asked(codes: list[int], transcript: list[int]) -> Example:
    """A prompt with these codes, and an answer that speaks (so that the answer has audio rows as well)."""
    prompt = [16, CONFIG.begin_of_audio_token_id, *(BLANK + 1 + code for code in codes), CONFIG.end_of_audio_token_id]
    answer = [3, 4, CONFIG.begin_of_quad_token_id, BLANK + 2, CONFIG.end_of_audio_span_last_token_id, 17]
    return Example(tuple(prompt), tuple(answer), tuple(transcript))


def spells(path: tuple[int, ...]) -> list[int]:
    """What an alignment says: repeats are one, blanks are nothing."""
    return [token for token, _ in itertools.groupby(path) if token != BLANK]


def nats_a_token(model: TtTModel, example: Example, config: TtTConfig) -> float:
    """-log of the summed probability of all alignments that spell the transcript, over its length."""
    row = corrupt(example, WITH_CTC, config, np.random.default_rng(0))
    ids = torch.from_numpy(row.ids)[None]
    limit = limits(ids, BLANK, objective=config.objective, answer_start=row.answer_start)
    letters = model.logits(model.hidden(ids, limit)[0])[:, : BLANK + 1].log_softmax(-1)
    first, last = 2, len(example.prompt) - 1
    steps = letters[first:last]
    transcript = list(example.transcript)
    symbols = sorted({*transcript, BLANK})
    paths = [path for path in itertools.product(symbols, repeat=len(steps)) if spells(path) == transcript]
    total = torch.logsumexp(torch.stack([steps[range(len(steps)), list(path)].sum() for path in paths]), 0)
    return -float(total) / len(transcript)


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_it_is_the_probability_of_all_alignments(objective: str) -> None:
    config = tiny_config(hidden_size=16, intermediate_size=24, objective=objective)
    model = random_model(config)
    examples = [asked([1, 2, 3, 4, 5], [7, 7]), asked([6, 2, 9], [5, 8, 6]), asked([3, 3, 1, 0], [9])]
    rows = [corrupt(example, WITH_CTC, config, np.random.default_rng(0)) for example in examples]
    with torch.no_grad():
        losses = batch_losses(model, rows, WITH_CTC.ctc)
        packed = batch_losses(model, rows, WITH_CTC.ctc, pack=max(len(row.ids) for row in rows) + 20)
        expected = np.mean([nats_a_token(model, example, config) for example in examples])
    assert packed.ctc.item() == pytest.approx(losses.ctc.item(), rel=1e-5)
    assert losses.ctc.item() == pytest.approx(0.5 * expected, rel=1e-5)
    assert losses.total.item() == pytest.approx(losses.text.item() + losses.audio.item() + losses.ctc.item())


def test_a_layer_below_may_spell_as_well() -> None:
    """What a network of the first layers alone would spell, and what the whole one does: their mean."""
    whole = random_model(CONFIG)
    first = random_model(tiny_config(hidden_size=16, intermediate_size=24, num_hidden_layers=1))
    first.load_state_dict({k: v for k, v in whole.state_dict().items() if k in first.state_dict()})
    row = corrupt(asked([1, 2, 3, 4, 5], [7, 5]), WITH_CTC, CONFIG, np.random.default_rng(0))
    with torch.no_grad():
        alone = [batch_losses(model, [row], 0.5).ctc.item() for model in (first, whole)]
        both = batch_losses(whole, [row], 0.5, ctc_layer=1)
        same = batch_losses(whole, [row], 0.5, ctc_layer=CONFIG.num_hidden_layers)
        spelled_once = batch_losses(whole, [row], 0.5)
    assert both.ctc.item() == pytest.approx(np.mean(alone), rel=1e-5)
    assert same.ctc.item() == spelled_once.ctc.item()
    assert (both.text.item(), both.audio.item()) == (spelled_once.text.item(), spelled_once.audio.item())


def test_a_layers_number_is_not_negative() -> None:
    with pytest.raises(ValueError, match="'ctc_layer' is -1"):
        ObjectiveConfig(ctc_layer=-1)


@pytest.mark.parametrize(("codes", "transcript"), [([1, 2], [7, 7]), ([1, 2, 3], [])])
def test_speech_too_short_for_its_text_and_unknown_text_teach_nothing(codes: list[int], transcript: list[int]) -> None:
    """Two equal tokens need a blank between them, so two codes cannot spell them."""
    row = corrupt(asked(codes, transcript), WITH_CTC, CONFIG, np.random.default_rng(0))
    losses = batch_losses(random_model(CONFIG), [row], 1.0)
    assert losses.ctc.item() == 0.0
    assert torch.isfinite(losses.total)


def test_a_model_that_learns_it_reads_the_text_off_the_prompt() -> None:
    config = tiny_config()
    model = random_model(config, scale=0.1).train()
    row = corrupt(asked([1, 2, 3, 4, 5], [7, 5, 8]), WITH_CTC, config, np.random.default_rng(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        batch_losses(model, [row], 1.0).ctc.backward()
        optimizer.step()
    ids = torch.from_numpy(row.ids)[None]
    read = model.logits(model.hidden(ids, limits(ids, BLANK))[0, 2:7])[:, : BLANK + 1].argmax(-1)
    assert spells(tuple(read.tolist())) == [7, 5, 8]


def test_without_a_weight_nothing_is_spelt() -> None:
    row = corrupt(asked([1, 2, 3], [7]), ObjectiveConfig(banom=0, ppm=0, sst=0), CONFIG, np.random.default_rng(0))
    assert len(row.transcript) == 0
    assert batch_losses(random_model(CONFIG), [row]).ctc.item() == 0.0


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan])
def test_a_weight_is_a_number_of_at_least_zero(weight: float) -> None:
    with pytest.raises(ValueError, match="'ctc'"):
        ObjectiveConfig(ctc=weight)


def test_a_batch_without_speech_spells_nothing() -> None:
    row = corrupt(Example((1, 2), (3, CONFIG.im_end_token_id)), WITH_CTC, CONFIG, np.random.default_rng(0))
    losses = batch_losses(random_model(CONFIG), [row, row], 1.0)
    assert losses.ctc.item() == 0.0
    losses.total.backward()
