"""The rules of timestamps and the no-speech gate, against openai-whisper's own decoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import whisper
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.decoding import ApplyTimestampRules, SuppressTokens
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import get_tokenizer

from tttbench.systems.whisper import greedy
from tttbench.systems.whisper.greedy import decode_greedy, suppressed_tokens

ENGLISH = get_tokenizer(multilingual=False)
BEGIN, EOT = ENGLISH.timestamp_begin, ENGLISH.eot


def steps(*tokens: int) -> list[int]:
    """Ids: negative ones are text, others steps of timestamps."""
    return [BEGIN + token if token >= 0 else -token for token in tokens]


def allowed(logits: torch.Tensor) -> list[int]:
    return torch.isfinite(logits).nonzero()[:, 0].tolist()


@pytest.mark.parametrize(
    ("written", "text", "stamps"),
    [
        # The first token is a timestamp of the first second.
        ((), False, range(51)),
        # Text follows the first timestamp, and the second of a pair.
        ((0,), True, range(0)),
        ((0, -9, 20, 20), True, range(0)),
        # Behind text a later timestamp, behind the first of a pair its like or a later one, or the end.
        ((0, -9), True, range(1, 1_501)),
        ((0, -9, 20), False, range(20, 1_501)),
        ((0, -9, 20, 20, -9), True, range(21, 1_501)),
        ((0, -9, 1_500), False, range(1_500, 1_501)),
    ],
)
def test_what_may_follow(written: tuple[int, ...], text: bool, stamps: range) -> None:
    window = greedy._Window()
    window._tokens = steps(*written)
    logits = torch.zeros(BEGIN + 1_501)
    window.forbid(logits, EOT, BEGIN)
    found = allowed(logits)
    assert [token for token in found if token < EOT] == (list(range(EOT)) if text else [])
    assert [token - BEGIN for token in found if token >= BEGIN] == list(stamps)
    assert (EOT in found) == bool(written)


@settings(max_examples=100)
@given(st.lists(st.integers(-3, 6), max_size=5), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 3.0, 8.0]))
def test_the_choice_is_openai_whisper_s(written: list[int], seed: int, bias: float) -> None:
    # Whatever was written behind a first timestamp, and with timestamps that together are more or less probable than
    # the best text.
    tokens = steps(2, *written)
    logits = torch.randn(BEGIN + 1_501, generator=torch.Generator().manual_seed(seed))
    logits[BEGIN:] += bias
    theirs, context = logits[None].clone(), torch.tensor([[ENGLISH.sot, *tokens]])
    SuppressTokens(suppressed_tokens(ENGLISH)).apply(theirs, context)
    ApplyTimestampRules(ENGLISH, 1, 50).apply(theirs, context)
    penalty = torch.zeros(len(logits))
    penalty[suppressed_tokens(ENGLISH)] = -torch.inf
    window = greedy._Window()
    window._tokens = tokens
    ours = logits + penalty
    window.forbid(ours, EOT, BEGIN)
    assert int(greedy._most_probable(ours[None], BEGIN)[0]) == int(theirs.argmax(dim=-1)[0])


@pytest.fixture(scope="module")
def random_model() -> Whisper:
    """A tiny model of random weights with Whisper's English vocabulary and a context of 48 tokens."""
    torch.manual_seed(1)
    dims = ModelDimensions(4, 1_500, 16, 2, 1, 51_864, 48, 16, 2, 2)
    model = Whisper(dims).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.normal_(0.0, 0.3)
    return model


@pytest.mark.parametrize("n_before", [0, 3, 23])
@pytest.mark.parametrize("threshold", [-1.0, 2.0])
def test_tokens_and_the_gate_are_those_of_whisper_decode(
    random_model: Whisper, n_before: int, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Any no-speech probability is above -1, none above 2.
    monkeypatch.setattr(greedy, "NO_SPEECH", threshold)
    before = np.random.default_rng(n_before).integers(1, 50_000, n_before).tolist()
    start = [ENGLISH.sot_prev, *before, ENGLISH.sot] if before else [ENGLISH.sot]
    features = torch.randn(5, 1_500, 16, generator=torch.Generator().manual_seed(2))
    options = whisper.DecodingOptions(language="en", temperature=0.0, fp16=False, prompt=before)
    with torch.inference_mode():
        theirs = random_model.decode(features, options)
        means = [one.avg_logprob for one in theirs]
        middle = sum(sorted(means)[1:3]) / 2
        monkeypatch.setattr(greedy, "MEAN_LOGPROB", middle)
        found = decode_greedy(random_model, ENGLISH, features, [start] * 5, lambda: 0.0)
    assert [list(one.tokens) for one in found] == [one.tokens for one in theirs]
    assert [one.is_silent for one in found] == [threshold < 0 and mean < middle for mean in means]
    assert [one.passes for one in found] == [len(one.tokens) + one.ended for one in found]
    # Half of the context is for the text before, and all of it together ends a window, too.
    assert all(len(one.tokens) == min(24, 49 - len(start)) for one in found if not one.ended)
