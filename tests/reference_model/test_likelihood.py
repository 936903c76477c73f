"""Likelihoods against sums over every order, on spans short enough to write all orders out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from reference_model.config import TtTConfig
from reference_model.errors import ReferenceModelError
from reference_model.layout import Example
from reference_model.likelihood import likelihood, span_bound
from reference_model.limits import limits
from reference_model.transformer import TtTModel

from .shapes import random_model, tiny_config

CONFIG = tiny_config(n_codes=4)
CODE = CONFIG.code_id_start
SPAN = (CODE, CODE + 2, CODE + 1, CONFIG.end_of_audio_new_token_id)
EXAMPLE = Example((1, 2), (3, CONFIG.begin_of_audio_token_id, *SPAN, 4, CONFIG.im_end_token_id))


def log_probability(model: TtTModel, ids: list[int], place: int, token: int, answer_start: int) -> float:
    batch = torch.tensor([ids])
    config = model.config
    limit = limits(batch, config.audio_token_id_start, objective=config.objective, answer_start=answer_start)
    with torch.no_grad():
        return float(model.logits(model.hidden(batch, limit))[0, place].double().log_softmax(-1)[token])


def along(model: TtTModel, before: list[int], span: tuple[int, ...], order: tuple[int, ...], begin: int) -> float:
    """Log probability of a span when its places are filled in this order."""
    ids = [*before, *[model.config.mask_token_id] * len(span)]
    total = 0.0
    for place in order:
        total += log_probability(model, ids, len(before) + place, span[place], begin)
        ids[len(before) + place] = span[place]
    return total


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_is_the_mean_over_all_orders_and_never_below_the_likelihood(seed: int) -> None:
    model = random_model(CONFIG, seed)
    before = [1, 2, 3, CONFIG.begin_of_audio_token_id]
    orders = list(itertools.permutations(range(len(SPAN))))
    along_each = np.array([along(model, before, SPAN, order, 2) for order in orders])
    exact = -math.log(np.exp(along_each).mean())
    bound = -along_each.mean()
    ids = np.array([*before, *SPAN])
    estimates = span_bound(model, ids, len(before), len(ids), 2, 4000, np.random.default_rng(seed)).sum(1)
    error = estimates.std(ddof=1) / len(estimates) ** 0.5
    assert estimates.mean() == pytest.approx(bound, abs=4 * error)
    # The bound is one: orders differ, and what is estimated isn't below the likelihood.
    assert bound - exact > 1e-3
    assert estimates.mean() + 4 * error > exact
    assert error < 0.05 * bound


def test_hybrid_text_is_exact_and_audio_is_the_sum_of_its_spans() -> None:
    model = random_model(CONFIG)
    found = likelihood(model, EXAMPLE, n_samples=500, seed=1)
    ids = [*EXAMPLE.prompt, *EXAMPLE.answer]
    text = [i for i in range(2, len(ids)) if ids[i] < CONFIG.audio_token_id_start]
    expected = -sum(log_probability(model, ids, i - 1, ids[i], 2) for i in text)
    assert found.text == pytest.approx(expected, rel=1e-5)
    assert (found.n_text, found.n_audio, found.exact) == (4, 4, False)
    orders = itertools.permutations(range(len(SPAN)))
    bound = -np.mean([along(model, ids[:4], SPAN, order, 2) for order in orders])
    assert found.audio == pytest.approx(bound, abs=4 * found.audio_se)


def test_ar_is_exact_token_by_token() -> None:
    config = tiny_config(n_codes=4, objective="ar")
    model = random_model(config)
    found = likelihood(model, EXAMPLE)
    ids = [*EXAMPLE.prompt, *EXAMPLE.answer]
    nats = [-log_probability(model, ids, i - 1, ids[i], 2) for i in range(2, len(ids))]
    audio = [x for x, token in zip(nats, ids[2:], strict=True) if token >= config.audio_token_id_start]
    assert found.audio == pytest.approx(sum(audio), rel=1e-5)
    assert found.text == pytest.approx(sum(nats) - sum(audio), rel=1e-5)
    assert found.exact
    assert found.audio_se == 0


def test_nar_is_the_bound_of_the_whole_answer() -> None:
    config = tiny_config(n_codes=4, objective="nar")
    model = random_model(config)
    short = Example((1, 2), (3, CODE, CODE + 1, config.im_end_token_id))
    found = likelihood(model, short, n_samples=2000)
    orders = itertools.permutations(range(4))
    bound = -np.mean([along(model, [1, 2], short.answer, order, 2) for order in orders])
    assert found.text + found.audio == pytest.approx(bound, abs=4 * (found.text_se + found.audio_se))
    assert (found.n_text, found.n_audio) == (2, 2)


def one_hot(config: TtTConfig, token: int) -> TtTModel:
    """Predicts one token everywhere, whatever it sees: all of a bound's randomness is then gone."""
    model = random_model(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.zero_() if "norm" not in name else parameter.fill_(1.0)
        model.model.embed_tokens.weight.fill_(1.0)
        model.lm_head.weight[token] = 5.0
    return model


def test_a_network_that_sees_nothing_has_no_error() -> None:
    model = one_hot(CONFIG, CODE)
    same = Example((1,), (CONFIG.begin_of_audio_token_id, *[CODE] * 9))
    found = likelihood(model, same, n_samples=7)
    once = -log_probability(model, [1], 0, CODE, 1)
    assert found.audio == pytest.approx(9 * once, rel=1e-5)
    assert found.audio_se == pytest.approx(0.0, abs=1e-6)


def test_the_same_seed_and_another_batch_size_give_the_same() -> None:
    model = random_model(CONFIG)
    one, other = (likelihood(model, EXAMPLE, n_samples=10, seed=3, batch_size=size) for size in (10, 3))
    assert one.audio == pytest.approx(other.audio, rel=1e-6)
    assert likelihood(model, EXAMPLE, n_samples=10, seed=4).audio != one.audio


def test_what_cannot_be_is_refused() -> None:
    model = random_model(CONFIG)
    with pytest.raises(ReferenceModelError, match="no tokens has no likelihood"):
        likelihood(model, Example((1,), ()))
    with pytest.raises(ReferenceModelError, match="n_samples=1: a standard error needs at least 2"):
        likelihood(model, EXAMPLE, n_samples=1)


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_a_document_has_no_row_before_its_first_token(objective: str) -> None:
    config = tiny_config(n_codes=4, objective=objective)
    found = likelihood(random_model(config), Example((), EXAMPLE.answer))
    assert math.isfinite(found.text + found.audio)
    assert found.n_text + found.n_audio == len(EXAMPLE.answer)
