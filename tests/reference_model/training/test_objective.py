"""The objective against a plain reading of it: lists and loops, one sample at a time, no padding, the whole head."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_model.config import Objective, PromptAudio, TtTConfig
from reference_model.errors import ConfigError
from reference_model.layout import Example
from reference_model.training.losses import batch_losses
from reference_model.training.objective import ObjectiveConfig, Row, corrupt
from reference_model.transformer import TtTModel

from ..shapes import random_model, tiny_config

CONFIG = tiny_config(hidden_size=16, intermediate_size=24)
NOTHING = ObjectiveConfig(banom=0, ppm=0, sst=0)


@dataclasses.dataclass
class Plain:
    """A corrupted sample in plain values: targets as ``{row: token}`` and what the audio sum is divided by."""

    ids: list[int]
    begin: int
    text: list[tuple[int, int]]
    masked: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    p: float = 1.0
    maskable: int = 0


def is_audio(token: int, config: TtTConfig) -> bool:
    return token >= config.audio_token_id_start


def spans_of(ids: list[int], begin: int, config: TtTConfig) -> list[list[int]]:
    """Positions of each run of audio in the answer."""
    spans: list[list[int]] = []
    for i in range(begin, len(ids)):
        if is_audio(ids[i], config):
            if i == begin or not is_audio(ids[i - 1], config):
                spans.append([])
            spans[-1].append(i)
    return spans


def next_text(ids: list[int], begin: int, config: TtTConfig) -> list[tuple[int, int]]:
    return [(i - 1, ids[i]) for i in range(begin, len(ids)) if not is_audio(ids[i], config)]


def noised(plain: Plain, places: list[int], config: TtTConfig, rng: np.random.Generator) -> Plain:
    plain.p = 0.999 * rng.random() + 0.001
    plain.maskable = len(places)
    draws = rng.random(len(places))
    clean = list(plain.ids)
    for place, draw in zip(places, draws, strict=True):
        if draw < plain.p:
            plain.ids[place] = config.mask_token_id
            plain.masked.append((place, clean[place]))
    return plain


def plain_corrupt(example: Example, settings: ObjectiveConfig, config: TtTConfig, rng: np.random.Generator) -> Plain:
    """The same draws in the same order as ``corrupt``; everything else said anew."""
    ids, begin = [*example.prompt, *example.answer], len(example.prompt)
    if config.objective == "ar":
        return Plain(ids, begin, [(i - 1, ids[i]) for i in range(begin, len(ids))])
    block_view = rng.random() < settings.block_view
    size = settings.block_length
    if config.objective == "nar":
        places = list(range(begin, len(ids)))
        if block_view:
            block = int(rng.integers(math.ceil(len(places) / size)))
            ids = ids[: begin + (block + 1) * size]
            while (len(ids) - begin) % size:
                ids.append(config.im_end_token_id)
            places = list(range(begin + block * size, begin + (block + 1) * size))
        return noised(Plain(ids, begin, []), places, config, rng)
    if block_view:
        spans = spans_of(ids, begin, config)
        if not spans:
            return Plain(ids, begin, next_text(ids, begin, config))
        span = spans[int(rng.integers(len(spans)))]
        end_token = ids[span[-1]]
        block = int(rng.integers(math.ceil(len(span) / size)))
        places = span[block * size : (block + 1) * size]
        ids = ids[: places[-1] + 1]
        while len(places) < size:
            places.append(len(ids))
            ids.append(end_token)
        return noised(Plain(ids, begin, next_text(ids, begin, config)), places, config, rng)
    if rng.random() < settings.sst:
        spans = spans_of(ids, begin, config)
        if spans and ids[spans[-1][-1]] == config.end_of_audio_span_last_token_id:
            codes = spans[-1][:-1]
            if len(codes) > 10:
                ids = ids[: codes[0] + int(len(codes) * rng.uniform(0.3, 0.9))]
    plain = Plain(ids, begin, next_text(ids, begin, config))
    if rng.random() < settings.banom:
        return plain
    spans = spans_of(ids, begin, config)
    if spans and rng.random() < settings.ppm:
        spans = spans[int(rng.integers(len(spans))) :]
    return noised(plain, [i for span in spans for i in span], config, rng)


def limit_of(plain: Plain, config: TtTConfig) -> list[int]:
    ids, n = plain.ids, len(plain.ids)
    out = []
    for i in range(n):
        end = i + 1
        in_answer = i >= plain.begin
        if config.objective == "nar" and in_answer:
            end = n
        elif config.objective != "ar" and (in_answer or config.prompt_audio == "bidirectional"):
            while is_audio(ids[i], config) and end < n and is_audio(ids[end], config):
                end += 1
        out.append(end)
    return out


def plain_losses(model: TtTModel, batch: Sequence[Plain]) -> tuple[Tensor, Tensor]:
    """Text and audio loss, in the words of the definition."""
    config = model.config
    total = {True: torch.zeros(()), False: torch.zeros(())}
    for plain in batch:
        hidden = model.hidden(torch.tensor([plain.ids]), torch.tensor([limit_of(plain, config)]))
        log_p = model.logits(hidden)[0].log_softmax(-1)
        for row, token in plain.text:
            kind = is_audio(token, config)
            total[kind] = total[kind] - log_p[row, token] / len(plain.text)
        for row, token in plain.masked:
            kind = is_audio(token, config)
            total[kind] = total[kind] - log_p[row, token] / plain.p / plain.maskable
    return total[False] / len(batch), total[True] / len(batch)


def random_example(rng: np.random.Generator, config: TtTConfig, n_spans: int | None = None) -> Example:
    def text(n: int) -> list[int]:
        return list(map(int, rng.integers(0, 13, n)))

    def codes(n: int) -> list[int]:
        return list(map(int, rng.integers(config.code_id_start, config.mask_token_id, n)))

    asked = codes(int(rng.integers(0, 9)))
    prompt = [16, *text(2), config.begin_of_audio_token_id, *asked, config.end_of_audio_token_id, 17, *text(1)]
    answer: list[int] = []
    n_spans = int(rng.integers(0, 4)) if n_spans is None else n_spans
    for n in range(n_spans):
        last = n == n_spans - 1
        answer += text(int(rng.integers(0, 5)))
        answer += [config.begin_of_quad_token_id if last else config.begin_of_audio_token_id]
        answer += codes(int(rng.integers(0, 16)))
        answer += [config.end_of_audio_span_last_token_id if last else config.end_of_audio_new_token_id]
    if n_spans == 0:
        answer += text(int(rng.integers(0, 5)))
    return Example(tuple(prompt), (*answer, config.im_end_token_id))


def random_case(case: int) -> tuple[TtTConfig, ObjectiveConfig, list[Example]]:
    rng = np.random.default_rng(case)
    objectives: tuple[Objective, ...] = ("hybrid", "hybrid", "ar", "nar")
    kinds: tuple[PromptAudio, ...] = ("bidirectional", "causal")
    config = dataclasses.replace(CONFIG, objective=objectives[case % 4], prompt_audio=kinds[case // 4 % 2])
    banom, ppm, sst, block_view = (float(rng.choice([0.0, 0.5, 1.0])) for _ in range(4))
    settings = ObjectiveConfig(banom, ppm, sst, block_view, block_length=int(rng.integers(1, 12)))
    return config, settings, [random_example(rng, config) for _ in range(int(rng.integers(1, 5)))]


def both(case: int, model_seed: int = 0) -> tuple[TtTModel, list[Row], list[Plain]]:
    config, settings, examples = random_case(case)
    rows = [corrupt(x, settings, config, np.random.default_rng((case, n))) for n, x in enumerate(examples)]
    plain = [plain_corrupt(x, settings, config, np.random.default_rng((case, n))) for n, x in enumerate(examples)]
    return random_model(config, model_seed), rows, plain


@pytest.mark.parametrize("first", range(0, 240, 40))
def test_losses_are_those_of_the_plain_reading(first: int) -> None:
    for case in range(first, first + 40):
        model, rows, plain = both(case)
        assert [row.ids.tolist() for row in rows] == [sample.ids for sample in plain], case
        with torch.no_grad():
            padded = batch_losses(model, rows)
            packed = batch_losses(model, rows, pack=max(len(row.ids) for row in rows) + 40)
            text, audio = plain_losses(model, plain)
        for losses in (padded, packed):
            # 1/p reaches 1000, so a loss can be large; the tolerance is relative there.
            assert losses.text.item() == pytest.approx(text.item(), rel=1e-5, abs=1e-5), case
            assert losses.audio.item() == pytest.approx(audio.item(), rel=1e-5, abs=1e-5), case


@pytest.mark.parametrize("room", [0, 40])
@pytest.mark.parametrize("case", range(240))
def test_gradients_are_those_of_the_plain_reading(case: int, room: int) -> None:
    model, rows, plain = both(case)
    parameters = list(model.parameters())
    pack = room and max(len(row.ids) for row in rows) + room
    ours = torch.autograd.grad(batch_losses(model, rows, pack=pack).total, parameters, allow_unused=True)
    loss = sum(plain_losses(model, plain))
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        assert all(gradient is None or not gradient.any() for gradient in ours)
        return
    theirs = torch.autograd.grad(loss, parameters, allow_unused=True)
    largest = max(float(gradient.abs().max()) for gradient in theirs if gradient is not None)
    for one, other in zip(ours, theirs, strict=True):
        one, other = (torch.zeros(()) if x is None else x for x in (one, other))
        assert float((one - other).abs().max()) <= 1e-4 * max(1.0, largest)


# One sample by hand: text 1, span 21 22 and its end, text 2, last span 23 and its end, the end.
HAND = Example((16, 5), (1, 13, 21, 22, 34, 2, 14, 23, 35, 17))


def targets(row: Row) -> list[tuple[int, int]]:
    return list(zip(row.rows.tolist(), row.targets.tolist(), strict=True))


def test_text_rows_predict_the_next_token_and_the_row_after_a_span_is_its_end_token() -> None:
    row = corrupt(HAND, dataclasses.replace(NOTHING, banom=1), CONFIG, np.random.default_rng(0))
    assert row.ids[6] == CONFIG.end_of_audio_new_token_id
    assert targets(row) == [(1, 1), (2, 13), (6, 2), (7, 14), (10, 17)]
    assert row.weights.tolist() == pytest.approx([1 / 5] * 5)
    assert row.ids.tolist() == [*HAND.prompt, *HAND.answer]


def test_masked_audio_predicts_itself_with_weight_one_over_p_and_the_maskable_count() -> None:
    row = corrupt(HAND, NOTHING, CONFIG, np.random.default_rng(2))
    generator = np.random.default_rng(2)
    p = 0.999 * generator.random(5)[4] + 0.001  # after one draw for each of the four strategies
    everything = [(4, 21), (5, 22), (6, 34), (9, 23), (10, 35)]
    audio = [target for target, draw in zip(everything, generator.random(5), strict=True) if draw < p]
    assert len(audio) == 3
    assert targets(row)[5:] == audio
    assert row.weights[5:].tolist() == pytest.approx([1 / p / 5] * len(audio))
    assert [i for i, token in enumerate(row.ids) if token == CONFIG.mask_token_id] == [i for i, _ in audio]


def test_ar_predicts_every_token_of_the_answer() -> None:
    config = dataclasses.replace(CONFIG, objective="ar")
    row = corrupt(HAND, ObjectiveConfig(), config, np.random.default_rng(0))
    assert targets(row) == [(i + 1, token) for i, token in enumerate(HAND.answer)]
    assert row.weights.tolist() == pytest.approx([0.1] * 10)


def test_nar_masks_text_too_and_never_the_prompt() -> None:
    config = dataclasses.replace(CONFIG, objective="nar")
    ever: set[tuple[int, int]] = set()
    for seed in range(50):
        row = corrupt(HAND, ObjectiveConfig(), config, np.random.default_rng(seed))
        ever |= set(targets(row))
        assert row.ids[:2].tolist() == [16, 5]
    assert ever == {(i + 2, token) for i, token in enumerate(HAND.answer)}


def test_block_view_ends_with_one_block_filled_up_with_the_end_token() -> None:
    settings = dataclasses.replace(NOTHING, block_view=1, block_length=2)
    lengths = set()
    for seed in range(60):
        row = corrupt(HAND, settings, CONFIG, np.random.default_rng(seed))
        lengths.add(len(row.ids))
        clean = row.ids.copy()
        audio = targets(row)[np.flatnonzero(row.targets >= CONFIG.audio_token_id_start).min(initial=99) :]
        for place, token in audio:
            clean[place] = token
            assert place >= len(row.ids) - 2
        wanted = {6: HAND.answer[:4], 8: (*HAND.answer[:5], 34), 11: HAND.answer[:9]}[len(row.ids)]
        assert clean.tolist() == [*HAND.prompt, *wanted]
    assert lengths == {6, 8, 11}


# Statistics on fixed seeds. Bounds are χ²'s 0.999 quantiles for the degrees of freedom named.
CHI2 = {1: 10.83, 3: 16.27, 5: 20.52, 9: 27.88}
MANY = 2000


def chi2(observed: Sequence[int], shares: Sequence[float]) -> float:
    n = sum(observed)
    return sum((seen - n * share) ** 2 / (n * share) for seen, share in zip(observed, shares, strict=True))


def spoken(*lengths: int) -> Example:
    """An answer of spans with so many codes."""
    answer: list[int] = []
    for n, length in enumerate(lengths):
        last = n == len(lengths) - 1
        answer += [1, 14 if last else 13, *[21] * length, 35 if last else 34]
    return Example((16, 5), (*answer, 17))


def draws(example: Example, settings: ObjectiveConfig) -> list[Row]:
    return [corrupt(example, settings, CONFIG, np.random.default_rng((71, n))) for n in range(MANY)]


def test_noise_rate_is_uniform_and_so_many_are_masked() -> None:
    size = 300
    bins, squares = [0] * 10, 0.0
    for row in draws(spoken(size - 1), NOTHING):
        audio = row.targets >= CONFIG.audio_token_id_start
        masked = int(audio.sum())
        # Nothing masked says that p was small: the lowest bin.
        p = 1 / float(row.weights[audio][0]) / size if masked else 0.0
        bins[min(9, int(p * 10))] += 1
        squares += (masked - size * p) ** 2 / (size * p * (1 - p)) if 0 < p < 1 else 1.0
    assert chi2(bins, [0.1] * 10) < CHI2[9]
    # A sum of N squared standard normals has mean N and variance 2 N.
    assert abs(squares - MANY) < 4 * math.sqrt(2 * MANY)


def test_banom_skips_the_noise_in_its_share_of_the_samples() -> None:
    rows = draws(spoken(400), dataclasses.replace(NOTHING, banom=0.3))
    clean = sum(not (row.targets >= CONFIG.audio_token_id_start).any() for row in rows)
    assert chi2([clean, MANY - clean], [0.3, 0.7]) < CHI2[1]


def test_ppm_chooses_spans_uniformly_in_its_share_of_the_samples() -> None:
    example = spoken(60, 60, 60, 60)
    begins = [i for i, token in enumerate((*example.prompt, *example.answer)) if token in CONFIG.span_begin_ids]
    first: Counter[int] = Counter()
    for row in draws(example, dataclasses.replace(NOTHING, ppm=0.4)):
        masked = row.rows[row.targets >= CONFIG.audio_token_id_start]
        # With enough noise the first span that has any is the one that was chosen.
        if (masked > begins[3]).sum() > 15:
            first[sum(int(masked[0]) > begin for begin in begins) - 1] += 1
    assert sum(first.values()) > MANY / 2
    assert chi2([first[i] for i in range(4)], [0.7, 0.1, 0.1, 0.1]) < CHI2[3]


def test_ppm_divides_by_what_is_left_to_mask() -> None:
    row = corrupt(spoken(3, 40), dataclasses.replace(NOTHING, ppm=1), CONFIG, np.random.default_rng(5))
    audio = row.targets >= CONFIG.audio_token_id_start
    generator = np.random.default_rng(5)
    generator.random(4)
    assert generator.integers(2) == 1  # the second span
    p = 0.999 * generator.random() + 0.001
    assert row.weights[audio].tolist() == pytest.approx([1 / p / 41] * int(audio.sum()))


def test_sst_keeps_30_to_90_percent_uniformly_in_its_share_of_the_samples() -> None:
    example = spoken(5, 600)
    whole, bins, cut = len(example.prompt) + len(example.answer), [0] * 6, 0
    begin = len(example.prompt) + 2 + 6 + 2
    for row in draws(example, dataclasses.replace(NOTHING, sst=0.5)):
        if len(row.ids) < whole:
            cut += 1
            share = (len(row.ids) - begin) / 600
            assert 0.3 <= share < 0.9
            assert row.targets[row.targets < CONFIG.audio_token_id_start].tolist() == [1, 13, 1, 14]
            bins[int((share - 0.3) * 10 + 1e-9)] += 1
    assert chi2([cut, MANY - cut], [0.5, 0.5]) < CHI2[1]
    assert chi2(bins, [1 / 6] * 6) < CHI2[5]


@pytest.mark.parametrize(("codes", "is_cut"), [(10, False), (11, True)])
def test_sst_leaves_short_spans_whole(codes: int, is_cut: bool) -> None:
    example = spoken(codes)
    row = corrupt(example, dataclasses.replace(NOTHING, sst=1), CONFIG, np.random.default_rng(0))
    assert (len(row.ids) < len(example.prompt) + len(example.answer)) == is_cut


@pytest.mark.parametrize(("least", "kept"), [(0, range(3, 10)), (5, range(5, 10))])
def test_sst_leaves_as_many_as_it_is_told(least: int, kept: range) -> None:
    example = spoken(11)
    rows = draws(example, dataclasses.replace(NOTHING, sst=1, sst_least=least))
    assert {len(row.ids) - len(example.prompt) - 2 for row in rows} == set(kept)


def test_strategies_are_drawn_independently() -> None:
    """SST and BANOM: the four combinations come as often as the product of their shares says."""
    example = spoken(400)
    whole, seen = len(example.prompt) + len(example.answer), Counter[tuple[bool, bool]]()
    for row in draws(example, dataclasses.replace(NOTHING, sst=0.5, banom=0.3)):
        seen[len(row.ids) < whole, not (row.targets >= CONFIG.audio_token_id_start).any()] += 1
    combinations = [(True, True), (True, False), (False, True), (False, False)]
    assert chi2([seen[c] for c in combinations], [0.15, 0.35, 0.15, 0.35]) < CHI2[3]


@pytest.mark.parametrize("field", ["banom", "ppm", "sst", "block_view"])
@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan])
def test_a_share_outside_0_to_1_is_refused(field: str, value: float) -> None:
    shares: dict[str, Any] = {field: value}
    with pytest.raises(ConfigError, match=f"field '{field}'"):
        ObjectiveConfig(**shares)


def test_an_empty_block_is_refused() -> None:
    with pytest.raises(ConfigError, match="field 'block_length' is 0"):
        ObjectiveConfig(block_length=0)
