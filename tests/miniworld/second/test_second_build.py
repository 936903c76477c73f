"""The second world's build: lists that fit each other, encodings kept for each codec, stages that name their needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import CodecConfig
from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform
from tttbench.miniworld.second import build, codec, encode, floor, speech
from tttbench.miniworld.second.build import N_RENDITIONS, Build
from tttbench.miniworld.second.corpus import CorpusSize, Statement
from tttbench.miniworld.second.questions import Question
from tttbench.miniworld.second.renditions import Unit
from tttbench.miniworld.second.speech import Speech
from tttbench.systems.whisper.transcriber import WhisperTranscriber

SMALL = CorpusSize(questions=60, sentences=40, test_questions=19, test_sentences=10)


@pytest.fixture
def small(tmp_path: Path) -> Build:
    return Build(tmp_path, size=SMALL)


@pytest.fixture
def mini_codec() -> MiniCodec:
    torch.manual_seed(0)
    made = MiniCodec(CodecConfig(levels=(4, 3), encoder_width=8, decoder_width=8, frame_width=8)).eval()
    made.fingerprint = "f" * 64
    return made


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Speech:
    """Five recordings of noise, 0.3 to 0.7 s long, in pieces of two."""
    monkeypatch.setattr(speech, "PIECE", 2)
    monkeypatch.setattr(encode, "PIECE", 2)
    monkeypatch.setattr(codec, "PIECE", 2)
    rng = np.random.default_rng(0)
    waves = [np.round(rng.normal(0, 3000, 4800 + 1600 * i)).astype(np.int16) for i in range(5)]
    paths = []
    for n in range(0, 5, 2):
        paths.append(tmp_path / f"piece{n}.npz")
        piece = waves[n : n + 2]
        np.savez(paths[-1], samples=np.concatenate(piece), lengths=np.array([len(wave) for wave in piece]))
    return Speech(tuple(paths), 5)


def test_any_first_part_of_what_is_said_has_questions_and_sentences(small: Build) -> None:
    said = small.said()
    assert len(said) == len(set(said)) == 100
    kinds = Counter(type(one) for one in said[:20])
    assert (kinds[Question], kinds[Statement]) == (12, 8)
    assert [one for one in said if isinstance(one, Question)] == list(small.corpus().questions)


def test_every_answer_has_its_renditions_behind_one_another(small: Build) -> None:
    spoken = small.spoken_answers()
    assert len(spoken) == 60 * N_RENDITIONS
    world = small.corpus()
    for i, rendition in spoken:
        assert rendition.text.replace(",", "") == world.questions[i].answer
    assert [i for i, _ in spoken[::N_RENDITIONS]] == list(range(60))


def test_renditions_are_grouped_and_kept(
    small: Build, recorded: Speech, mini_codec: MiniCodec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = encode.encode_renditions(mini_codec, recorded, 2, tmp_path / "codes")
    assert [[len(codes) for codes in ways] for ways in first] == [
        [4, 5],
        [7, 8],
    ]  # ceil(n / 1280); the fifth stands alone
    assert capsys.readouterr().out.count("encoded") == 3
    assert first[1][0].tolist() == mini_codec.encode([recorded.wave(2)])[0]
    again = encode.encode_renditions(mini_codec, recorded, 2, tmp_path / "codes")
    assert capsys.readouterr().out == ""
    assert [[c.tolist() for c in ways] for ways in again] == [[c.tolist() for c in ways] for ways in first]
    with torch.no_grad():
        next(iter(mini_codec.decoder.parameters())).add_(1.0)
    encode.encode_renditions(mini_codec, recorded, 2, tmp_path / "codes")
    assert capsys.readouterr().out == ""  # codes don't depend on the decoder
    with torch.no_grad():
        next(iter(mini_codec.encoder.parameters())).add_(1.0)
    encode.encode_renditions(mini_codec, recorded, 2, tmp_path / "codes")
    assert capsys.readouterr().out.count("encoded") == 3


def test_prompts_are_encoded_several_times(recorded: Speech, mini_codec: MiniCodec, tmp_path: Path) -> None:
    found = list(encode.encode_prompts(mini_codec, recorded, 3, 1, tmp_path / "codes"))
    assert [i for i, _ in found] == [*range(5)] * 3
    assert all(len(codes) == -(-(4800 + 1600 * i) // 1280) for i, codes in found)
    plain = mini_codec.encode([recorded.wave(i) for i in range(5)])
    assert sum(codes.tolist() == plain[i] for i, codes in found[:5]) >= 1
    later = list(encode.encode_prompts(mini_codec, recorded, 3, 1, tmp_path / "codes"))
    assert [codes.tolist() for _, codes in later] == [codes.tolist() for _, codes in found]


def test_units_are_numbered_alike_in_all_recordings() -> None:
    one, two, calm = Unit("one", "plain", 0), Unit("one", "plain", 1), Unit("one", "calm", 0)
    found = codec.numbered([[None, one, two, None], [two, calm], []])
    assert [numbers.tolist() for numbers in found] == [[-1, 0, 1, -1], [1, 2], []]
    assert {numbers.dtype for numbers in found} == {np.dtype(np.int64)}


def test_voice_recordings_are_whole_codes_with_silence_behind_and_a_pitch_for_every_frame(
    recorded: Speech, mini_codec: MiniCodec
) -> None:
    pytest.importorskip("pyworld")
    found = codec.voice_recordings(mini_codec, recorded, 2)
    assert [len(one.codes) for one in found] == [4 + 2, 5 + 2, 7 + 2, 8 + 2]  # ceil(n / 1280) and two of silence
    for i, one in enumerate(found):
        assert len(one.wave) == 1280 * len(one.codes)
        assert len(one.f0_hz) == 8 * len(one.codes)
        wave = recorded.wave(i)
        np.testing.assert_array_equal(one.wave[: len(wave)], wave)
        assert not one.wave[len(wave) :].any()
        assert one.codes.tolist() == mini_codec.encode([one.wave])[0]
    pitch = codec.pitches(recorded, 1)[1]
    assert found[3].f0_hz[: len(pitch)].tolist() == pitch.tolist()
    assert not found[3].f0_hz[len(pitch) :].any()


def test_an_unknown_stage_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown stage 'codex'; stages are answers, prompts"):
        build.main(["--out", str(tmp_path), "--stage", "codex"])


def test_the_codec_needs_speech(small: Build, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 pieces of answers are spoken, 16 are needed: run stage answers first"):
        build.STAGES["codec"](small)


class _Transcriber(WhisperTranscriber):
    """Writes down what it is told, and keeps what it hears."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.waves: Sequence[Waveform] = []

    def transcribe(self, waveforms: Sequence[Waveform], language: str = "") -> list[str]:
        self.waves = waveforms
        return self.texts


def test_the_floor_counts_misheard_words_by_family_and_manner(small: Build) -> None:
    asked = [one for one in small.corpus().test_questions if one.family in ("plus", "swap")]
    heard = _Transcriber([asked[0].answer, ""])
    try:
        found = floor.measure(asked, heard, None, seed=3)
    except UserError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))
    assert len(heard.waves) == 2
    units = len(asked[1].answer.split())
    assert found.by_family[asked[0].family][0] == 0
    assert found.by_family[asked[1].family] == (found.errors, found.errors)
    assert found.errors >= units
    assert found.rate == found.errors / found.units
    assert sum(n for _, n in found.by_manner.values()) == found.units
    assert found.wrong == ((asked[1].answer, ""),)
