"""Speech is made as blocks come: when each chunk is there, and that nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference_model.decoding import AudioCommitted, TextCommitted
from reference_model.speech.codec import speak
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import CodecConfig
from tttbench.systems.ttt.speech import Speech


@pytest.fixture(scope="module")
def codec() -> MiniCodec:
    torch.manual_seed(0)
    return MiniCodec(CodecConfig((4, 3), 16, 16, 16)).eval()


def block(*codes: int, ends: bool = False) -> AudioCommitted:
    return AudioCommitted(0.0, codes, ends)


def test_a_block_is_spoken_as_soon_as_it_comes(codec: MiniCodec) -> None:
    speech = Speech(codec)
    speech.take(block(*range(10)))
    assert len(speech.chunks) == 1


def test_single_codes_are_held_back_until_a_chunk_is_worth_it(codec: MiniCodec) -> None:
    speech = Speech(codec)
    n_chunks = []
    for code in range(28):
        speech.take(block(code % 12))
        n_chunks.append(len(speech.chunks))
    # Five to look ahead and three to speak; five more; then thirteen at a time.
    assert n_chunks == [0] * 7 + [1] * 5 + [2] * 13 + [3] * 3


def test_the_end_of_a_span_holds_nothing_back(codec: MiniCodec) -> None:
    speech = Speech(codec)
    speech.take(block(*range(10)))
    speech.take(block(1, 2, ends=True))
    assert len(speech.chunks) == 2


def test_a_first_span_within_the_look_ahead_waits_for_more(codec: MiniCodec) -> None:
    speech = Speech(codec)
    speech.take(block(1, 2, 3, ends=True))
    assert speech.chunks == []
    assert len(speech.finish()) == 3 * 1280


def test_an_end_without_codes_makes_no_chunk(codec: MiniCodec) -> None:
    speech = Speech(codec)
    speech.take(block(*range(10)))
    speech.take(block(ends=True))
    assert len(speech.chunks) == 1


def test_no_codes_are_no_speech(codec: MiniCodec) -> None:
    speech = Speech(codec)
    speech.take(TextCommitted(0.0, 1))
    assert len(speech.finish()) == 0
    assert speech.chunks == []


@pytest.mark.parametrize("sizes", [[1] * 40, [26, 14], [6, 1, 33], [3, 37], [40], [2, 3]])
def test_the_chunks_are_the_codes_spoken_at_once(codec: MiniCodec, sizes: list[int]) -> None:
    codes = [(7 * i) % 12 for i in range(sum(sizes))]
    speech, at = Speech(codec), 0
    for size in sizes:
        speech.take(block(*codes[at : at + size], ends=True))
        at += size
    wave = speech.finish()
    assert sum(map(len, speech.chunks)) == len(wave) == 1280 * len(codes)
    np.testing.assert_allclose(wave, speak(codec, codes), atol=1e-3)
