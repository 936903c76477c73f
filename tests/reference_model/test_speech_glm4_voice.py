"""GLM-4-Voice's tokenizer against a slow plain version: codes of recordings of any length, alone and in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.errors import CheckpointError, ReferenceModelError
from reference_model.speech.codec import Codec, load_codec, speak, speaks
from reference_model.speech.glm4_voice import Glm4VoiceTokenizer
from reference_model.speech.glm4_voice.features import slaney_filters, whisper_log_mel
from reference_model.speech.glm4_voice.network import BlockAttention

from .devices import Careless
from .glm4_voice_plain import (
    CHUNK,
    SMALL,
    chunk_codes,
    filters,
    plain_codes,
    random_weights,
    sounds,
    write_folder,
)

Waves = list[npt.NDArray[np.float32]]

EDGES = (
    *(0, 1, 159, 160, 161, 319, 320, 321, 1119, 1120, 1240, 1279, 1280, 1281, 2559, 2560, 2561, 16_123),
    *(63_679, 63_999, 64_000, 64_001, 65_280, 128_001),
    *(479_999, 480_000, 480_001, 544_000, 960_001),
)
"""Lengths around a frame, a position, a code, a block of 4 s, and a chunk of 30 s; up to three chunks."""

DRAWN = tuple(int(n) for n in np.random.default_rng(7).integers(2, 40_000, 31))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("glm4") / "tokenizer")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Glm4VoiceTokenizer:
    return Glm4VoiceTokenizer.load(folder)


@pytest.fixture(scope="module")
def batched(folder: Path) -> Glm4VoiceTokenizer:
    return Glm4VoiceTokenizer.load(folder, chunks_at_once=128)


@pytest.fixture(scope="module")
def waves() -> Waves:
    return [sounds(n, seed) for seed, n in enumerate((*EDGES, *DRAWN))]


@pytest.fixture(scope="module")
def alone(tokenizer: Glm4VoiceTokenizer, waves: Waves) -> list[list[int]]:
    return [tokenizer.encode([wave])[0] for wave in waves]


def test_codes_are_those_of_the_plain_version(alone: list[list[int]], waves: Waves) -> None:
    assert len(waves) == 60
    weights = random_weights(SMALL)
    for wave, codes in zip(waves, alone, strict=True):
        assert codes == plain_codes(wave, SMALL, weights), f"{len(wave)} samples"
    assert len({code for codes in alone for code in codes}) > 15


def test_a_ragged_batch_has_the_codes_of_its_recordings_alone(
    batched: Glm4VoiceTokenizer, alone: list[list[int]], waves: Waves
) -> None:
    known = [(wave, codes) for wave, codes in zip(waves, alone, strict=True) if len(wave) < 40_000]
    assert len(known) > 40
    assert batched.encode([wave for wave, _ in known[::-1]]) == [codes for _, codes in known[::-1]]
    # Chunks of 30 s beside a sample.
    known = [(wave, codes) for wave, codes in zip(waves, alone, strict=True) if len(wave) in (1, 1281, 64_001, 544_000)]
    assert batched.encode([wave for wave, _ in known]) == [codes for _, codes in known]


@settings(max_examples=15)
@given(st.lists(st.integers(0, 9000), max_size=5), st.integers(0, 99))
def test_any_batch_has_the_codes_of_its_recordings_alone(
    tokenizer: Glm4VoiceTokenizer, batched: Glm4VoiceTokenizer, sizes: list[int], seed: int
) -> None:
    batch = [sounds(size, seed + number) for number, size in enumerate(sizes)]
    assert batched.encode(batch) == [tokenizer.encode([wave])[0] for wave in batch]


@pytest.mark.parametrize(
    ("n_samples", "n_codes"),
    [(0, 0), (1, 1), (159, 1), (1280, 1), (1281, 2), (16_123, 13), (479_999, 375), (480_000, 375), (480_001, 376)],
)
def test_a_code_for_each_1280_samples_begun_of_a_chunk(
    alone: list[list[int]], waves: Waves, n_samples: int, n_codes: int
) -> None:
    lengths = [len(wave) for wave in waves]
    assert len(alone[lengths.index(n_samples)]) == n_codes


def test_chunks_know_nothing_of_each_other(tokenizer: Glm4VoiceTokenizer) -> None:
    one, other = sounds(CHUNK, 1), sounds(CHUNK, 2)
    assert tokenizer.encode([np.concatenate([one, other])]) == [
        tokenizer.encode([one])[0] + tokenizer.encode([other])[0]
    ]


def test_a_recording_ends_in_its_reflection_and_a_last_chunk_in_padding(
    tokenizer: Glm4VoiceTokenizer, batched: Glm4VoiceTokenizer
) -> None:
    # As released: features are made when the chunks of a recording are padded to the longest of them.
    tail = np.zeros(1280, np.float32)
    tail[-40:] = 0.5 * np.random.default_rng(0).standard_normal(40)
    weights = random_weights(SMALL)
    reflected, padded = (chunk_codes(tail.astype(np.float64), n, SMALL, weights) for n in (1280, CHUNK))
    assert reflected != padded
    assert tokenizer.encode([np.concatenate([np.zeros(CHUNK, np.float32), tail])])[0][375:] == padded
    # But other recordings of a batch are nobody's padding.
    assert batched.encode([sounds(9000, 0), tail])[1] == tokenizer.encode([tail])[0] == reflected


def test_on_a_device_nothing_is_made_elsewhere(tokenizer: Glm4VoiceTokenizer) -> None:
    with Careless() as careless:
        tokenizer.encode([sounds(3000, 0)])
    assert careless.calls == []
    assert careless.watched


def test_it_is_a_codec(tokenizer: Glm4VoiceTokenizer, folder: Path) -> None:
    assert isinstance(tokenizer, Codec)
    rates = (tokenizer.sample_rate_hz, tokenizer.codes_per_s, tokenizer.n_codes, tokenizer.lookahead_codes)
    assert rates == (16_000, 12.5, 48, 0)
    found = load_codec(folder)
    assert isinstance(found, Glm4VoiceTokenizer)
    assert found.fingerprint == tokenizer.fingerprint
    assert len(found.fingerprint) == 64


def test_it_says_that_it_cannot_speak(tokenizer: Glm4VoiceTokenizer, folder: Path) -> None:
    assert not speaks(tokenizer)
    with pytest.raises(CheckpointError, match=r"tokenizer: turns speech into codes and can't speak: .*decoder"):
        speak(tokenizer, [1, 2])


@pytest.mark.parametrize(("row", "n_keys"), [(0, 200), (199, 200), (200, 400), (399, 400), (400, 450), (449, 450)])
def test_a_row_sees_its_block_and_all_before(tokenizer: Glm4VoiceTokenizer, row: int, n_keys: int) -> None:
    attention = BlockAttention(tokenizer.config)
    x = torch.randn(1, 450, 16, generator=torch.Generator().manual_seed(0), requires_grad=True)
    attention(x, torch.ones(1, 450, dtype=torch.bool))[0, row].sum().backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(1).nonzero().flatten().tolist()
    assert seen == list(range(n_keys))


def test_padding_is_no_key(tokenizer: Glm4VoiceTokenizer) -> None:
    attention = BlockAttention(tokenizer.config)
    x = torch.randn(1, 12, 16, generator=torch.Generator().manual_seed(0), requires_grad=True)
    attention(x, torch.arange(12)[None] < 9)[0, 2].sum().backward()
    assert x.grad is not None
    assert x.grad[0].abs().sum(1).nonzero().flatten().tolist() == list(range(9))


@torch.inference_mode()
def test_whole_blocks_of_frames_are_final(tokenizer: Glm4VoiceTokenizer) -> None:
    # 10.4 s of frames, of which the first 4, 6.4, 8 and 9.6 s are known before.
    mel = torch.randn(1, 20, 1040, generator=torch.Generator().manual_seed(1))
    later = tokenizer.encoder(mel, torch.tensor([520]))[0].tolist()
    for n_frames, n_final in ((400, 50), (640, 50), (800, 100), (960, 100)):
        before = tokenizer.encoder(mel[:, :, :n_frames], torch.tensor([n_frames // 2]))[0].tolist()
        assert before[:n_final] == later[:n_final]
        assert tokenizer.final_codes(160 * n_frames) == n_final
        if n_frames == 640:  # but not the 30 codes of the block that has begun
            assert before[50:] != later[50:80]


def test_a_recording_that_goes_on_after_a_pause_keeps_the_codes_of_its_whole_blocks(
    tokenizer: Glm4VoiceTokenizer,
) -> None:
    # The frame at the cut is all pause before and after, and what follows is no louder.
    first, more = sounds(128_000, 4), 0.5 * sounds(40_000, 5)
    first[-400:], more[:400] = 0, 0
    before = tokenizer.encode([first])[0]
    assert tokenizer.encode([np.concatenate([first, more])])[0][:100] == before
    # Not so in a block that isn't whole.
    cut = tokenizer.encode([first[:96_000]])[0]
    assert cut[:50] == before[:50]
    assert cut[50:] != before[50:75]


@pytest.mark.parametrize(
    ("n_samples", "n_codes"),
    [(0, 0), (63_999, 0), (64_000, 50), (479_999, 350), (480_000, 375), (543_999, 375), (544_000, 425)],
)
def test_codes_of_whole_blocks_are_counted(tokenizer: Glm4VoiceTokenizer, n_samples: int, n_codes: int) -> None:
    assert tokenizer.final_codes(n_samples) == n_codes


def test_of_equally_near_codewords_the_first_is_taken(tokenizer: Glm4VoiceTokenizer) -> None:
    words = tokenizer.encoder.codebook.weight
    kept = words.clone()
    try:
        words[7] = words[30] = words[41]
        assert tokenizer.encoder.nearest(words[None, [41, 12, 30]]).tolist() == [[7, 12, 7]]
    finally:
        words.copy_(kept)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_damaged_recording_is_refused(tokenizer: Glm4VoiceTokenizer, value: float) -> None:
    wave = sounds(3000, 0)
    wave[100] = value
    with pytest.raises(ReferenceModelError, match="waveform 1 of the batch holds NaN or infinity"):
        tokenizer.encode([sounds(10, 0), wave])


def test_silence_has_codes_too(tokenizer: Glm4VoiceTokenizer) -> None:
    silence = np.zeros(20_000, np.float32)
    assert tokenizer.encode([silence])[0] == plain_codes(silence, SMALL, random_weights(SMALL))


@pytest.mark.parametrize("n_mels", [20, 80, 128])
def test_filters_are_triangles_of_one_area(n_mels: int) -> None:
    np.testing.assert_allclose(slaney_filters(n_mels).numpy(), filters(n_mels), atol=1e-8)


@pytest.mark.parametrize("n_mels", [80, 128])
def test_features_are_those_of_transformers(n_mels: int) -> None:
    extractor_class = pytest.importorskip("transformers").WhisperFeatureExtractor
    extractor = extractor_class(feature_size=n_mels)
    for seed, n_samples in enumerate((1, 1280, 16_123, 33_000)):
        wave = sounds(n_samples, seed)
        theirs = extractor(wave, sampling_rate=16_000, padding="longest", pad_to_multiple_of=1280, return_tensors="pt")
        padded = torch.nn.functional.pad(torch.from_numpy(wave), (0, -n_samples % 1280))
        torch.testing.assert_close(whisper_log_mel(padded, n_mels), theirs.input_features[0], atol=1e-5, rtol=0)
