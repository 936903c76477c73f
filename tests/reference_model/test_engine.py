"""Continuous batching: cancelling, streams and traces hold. Tokens: test_batch_invariance; memory: test_cache_pool."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from reference_model.decoding import AudioCommitted, DecodeConfig, Engine, Prompt, TextCommitted, generate
from reference_model.decoding.answer import Event
from reference_model.decoding.engine import strategy_for
from reference_model.errors import DecodeError
from reference_model.roofline import PassShape
from reference_model.transformer import RowGroup

from .cases import MODELS, prompt_for, same

SAMPLED = DecodeConfig(
    block_length=5,
    steps_per_block=3,
    text_temperature=1.5,
    text_top_k=10,
    audio_temperature=1.0,
    max_text_tokens=10,
    max_audio_tokens=24,
)


def prompts_for(key: tuple[str, int, int], n: int) -> list[Prompt]:
    return [Prompt(prompt_for(MODELS[key], case), seed=100 + case) for case in range(n)]


@pytest.mark.parametrize(
    ("ids", "said"), [((), "no tokens"), ((1, 10**6), "outside the vocabulary"), ((-1,), "outside")]
)
def test_impossible_prompts_are_refused(ids: tuple[int, ...], said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        generate(MODELS["hybrid", 6, 2], [Prompt(ids)])


def test_cancelling_keeps_what_was_written_and_leaves_the_others_alone() -> None:
    model = MODELS["hybrid", 60, 1]
    prompts = prompts_for(("hybrid", 60, 1), 3)
    alone = generate(model, prompts, SAMPLED)
    engine = Engine(model, SAMPLED, max_batch=2)
    handles = [engine.submit(prompt) for prompt in prompts]
    for _ in range(3):
        engine.step()
    engine.cancel(handles[0])
    engine.cancel(handles[0])
    while engine.step():
        pass
    cut = engine.answers[handles[0]]
    assert cut.finish_reason == "cancelled"
    assert 0 < len(cut.ids) < len(alone[0].ids)
    assert cut.ids == alone[0].ids[: len(cut.ids)]
    for n in (1, 2):
        same(engine.answers[handles[n]], alone[n])


def test_cancelling_a_prompt_that_waits_gives_an_empty_answer() -> None:
    engine = Engine(MODELS["hybrid", 6, 2], SAMPLED)
    handle = engine.submit(prompts_for(("hybrid", 6, 2), 1)[0])
    engine.cancel(handle)
    assert engine.answers[handle].ids == ()
    assert engine.answers[handle].finish_reason == "cancelled"
    assert not engine.step()


@pytest.mark.parametrize("key", sorted(MODELS))
def test_the_stream_tells_the_answer(key: tuple[str, int, int]) -> None:
    told: dict[int, list[Event]] = {}
    answers = generate(
        MODELS[key],
        prompts_for(key, 6),
        SAMPLED,
        batch_size=3,
        on_event=lambda index, event: told.setdefault(index, []).append(event),
    )
    for index, answer in enumerate(answers):
        events = told[index]
        text = [event for event in events if isinstance(event, TextCommitted)]
        audio = [event for event in events if isinstance(event, AudioCommitted)]
        assert tuple(event.token_id for event in text) == answer.text_ids
        assert tuple(code for event in audio for code in event.codes) == answer.codes
        assert tuple(event.time_s for event in text) == answer.trace.text_times_s
        times = [event.time_s for event in events]
        assert times == sorted(times)


@pytest.mark.parametrize("key", sorted(MODELS))
def test_a_trace_fits_its_answer(key: tuple[str, int, int]) -> None:
    ticks = itertools.count()
    for answer in generate(MODELS[key], prompts_for(key, 8), SAMPLED, clock=lambda: float(next(ticks))):
        trace = answer.trace
        assert trace.spans == tuple(len(span) for span in answer.spans)
        assert len(trace.commit_step) == len(trace.commit_confidence) == len(answer.codes) == sum(trace.spans)
        assert sum(commit.n_codes for commit in trace.audio_commits) == len(answer.codes)
        assert all(0 <= step < trace.nfe for step in trace.commit_step)
        assert all(0 < confidence <= 1 for confidence in trace.commit_confidence)
        assert len(trace.text_times_s) == len(answer.text_ids)
        assert 0 < trace.prefill_end_s <= trace.end_s
        assert set(trace.stages_s) == {"prefill", "text", "audio"}


def test_the_seconds_of_a_pass_are_shared_by_its_rows() -> None:
    """On a clock that goes on by a second a look every pass takes one: no second is anybody's twice."""
    model, prompts = MODELS["hybrid", 60, 1], prompts_for(("hybrid", 60, 1), 4)
    ticks, shapes = itertools.count(), list[PassShape]()
    engine = Engine(model, SAMPLED, max_batch=4, clock=lambda: float(next(ticks)), on_pass=shapes.append)
    handles = [engine.submit(prompt) for prompt in prompts]
    while engine.step():
        pass
    stages = [engine.answers[handle].trace.stages_s for handle in handles]
    assert sum(sum(one.values()) for one in stages) == pytest.approx(len(shapes))
    # The first pass reads all prompts: each has the part of its tokens.
    n_rows = [len(prompt.ids) for prompt in prompts]
    assert [one["prefill"] for one in stages] == pytest.approx([n / sum(n_rows) for n in n_rows])


def test_passes_and_rows_of_an_answer_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, the token that opens a span, two blocks of four codes in two steps each: what every pass runs."""
    model = copy.copy(MODELS["hybrid", 60, 1])
    counted: list[int] = []
    step = model.step

    def counting(groups: Sequence[RowGroup]) -> torch.Tensor:
        counted.append(sum(len(group.limit) for group in groups))
        return step(groups)

    monkeypatch.setattr(model, "step", counting)
    chosen = DecodeConfig(block_length=4, steps_per_block=2, max_text_tokens=30, max_audio_tokens=8)
    for case in range(100):
        prompt = Prompt(prompt_for(model, case))
        counted.clear()
        answer = generate(model, [prompt], chosen)[0]
        if answer.spans and len(answer.spans[0]) == 8:
            break
    begin = next(i for i, token in enumerate(answer.ids) if token in model.config.span_begin_ids)
    # The opening token rides with the first pass of its block; the open span is run again until it closes.
    assert counted == [len(prompt.ids)] + [1] * begin + [1 + 4, 4, 4 + 4, 4 + 4]
    assert answer.trace.nfe == begin + 1 + 4
    assert sorted(answer.trace.commit_step) == sorted([begin + 1 + pass_ for pass_ in range(4)] * 2)
    assert answer.finish_reason == "length"


@pytest.mark.parametrize(
    ("objective", "chosen", "said"),
    [
        ("ar", DecodeConfig(strategy="topk"), "strategy='ar'"),
        ("hybrid", DecodeConfig(strategy="ar"), "topk"),
        ("hybrid", DecodeConfig(strategy="topkk"), "Did you mean 'topk'"),
        ("hybrid", DecodeConfig(strategy="topk:width=3"), "no option 'width'"),
        ("ar", DecodeConfig(cfg=0.1), "cfg=0"),
    ],
)
def test_a_strategy_that_does_not_fit_is_refused(objective: str, chosen: DecodeConfig, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        strategy_for(MODELS[objective, 6, 2], chosen)


@pytest.mark.parametrize(
    ("name", "value"), [("block_length", 0), ("cfg", -0.1), ("text_top_p", 1.5), ("text_top_p", 0), ("cache", "some")]
)
def test_impossible_settings_are_named(name: str, value: object) -> None:
    settings: dict[str, Any] = {name: value}
    with pytest.raises(DecodeError, match=name):
        DecodeConfig(**settings)


def test_seeds_differ() -> None:
    model = MODELS["hybrid", 60, 1]
    prompt = prompt_for(model, 1)
    answers = generate(model, [Prompt(prompt, seed) for seed in range(8)], SAMPLED)
    assert len({answer.ids for answer in answers}) > 4


@pytest.mark.parametrize("key", sorted(MODELS))
def test_limits_cut_the_answer(key: tuple[str, int, int]) -> None:
    chosen = dataclasses.replace(SAMPLED, max_text_tokens=3, max_audio_tokens=4)
    for answer in generate(MODELS[key], prompts_for(key, 20), chosen):
        if key[0] != "nar":
            assert sum(token < MODELS[key].config.audio_token_id_start for token in answer.ids[:-1]) <= 3
            assert sum(token >= MODELS[key].config.audio_token_id_start for token in answer.ids) <= 4
        assert len(answer.ids) <= 7
        assert (answer.finish_reason == "stop") == (answer.ids[-1] == MODELS[key].config.im_end_token_id)
