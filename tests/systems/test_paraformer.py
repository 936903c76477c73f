"""``paraformer:FOLDER``: a small model in Paraformer's form, run by sherpa-onnx itself."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response, Waveform
from tttbench.core.plugins import build_deriver, build_system, check_deriver, check_system
from tttbench.core.system import System, SystemOptions
from tttbench.core.task import Needs, why_not
from tttbench.systems.paraformer.folder import ARCHIVE

from .paraformer_models import SAMPLE_RATE_HZ, TOKENS, tones, write_paraformer, write_tokens
from .ttt_checkpoints import answered

pytest.importorskip("sherpa_onnx", reason="needs pip install 'tttbench[paraformer]'")

LOW_HZ, HIGH_HZ = 200.0, 4000.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_paraformer(tmp_path_factory.mktemp("models") / "tones-zh")


@pytest.fixture(scope="module")
def system(folder: Path) -> System:
    return build_system(f"paraformer:{folder}", SystemOptions())


def request(audio: Waveform | None, family: str = "asr", rate: int = SAMPLE_RATE_HZ, language: str = "zh") -> Request:
    return Request("r1", (Message("user", audio=audio, sample_rate=rate),), family, language=language)


def transcribed(system: System, *waveforms: Waveform, rate: int = SAMPLE_RATE_HZ) -> list[str]:
    """What is written of each, with runs of a character as one."""
    responses = answered(system.generate([request(one, rate=rate) for one in waveforms]))
    return ["".join(letter for letter, _ in groupby(one.text)) for one in responses]


def test_features_model_and_tokens_make_the_text_of_a_recording(system: System) -> None:
    assert transcribed(system, tones(LOW_HZ), tones(HIGH_HZ), tones(LOW_HZ, HIGH_HZ, LOW_HZ)) == ["低", "高", "低高低"]
    (response,) = answered(system.generate([request(tones(LOW_HZ, HIGH_HZ))]))
    # A frame of the model is 60 ms.
    assert (response.text.count("低"), response.text.count("高")) == pytest.approx((6, 6), abs=1)
    assert response.trace.end_s >= response.trace.stages_s["decode"] > 0
    assert response.trace.nfe == 1


def test_a_recording_of_another_rate_has_the_same_text(system: System) -> None:
    assert transcribed(system, tones(HIGH_HZ, LOW_HZ, rate=24_000), rate=24_000) == ["高低"]


def test_a_text_does_not_depend_on_what_else_is_in_the_call(system: System) -> None:
    waveforms = [tones(LOW_HZ), tones(HIGH_HZ, LOW_HZ, HIGH_HZ, seconds=1.0), tones(HIGH_HZ, seconds=0.1)]
    together = [one.text for one in answered(system.generate([request(one) for one in waveforms]))]
    alone = [answered(system.generate([request(one)]))[0].text for one in waveforms]
    assert together == alone


@pytest.mark.parametrize("n", [0, 1, 100, 16_000])
def test_where_nothing_was_recorded_nothing_is_written(system: System, n: int) -> None:
    assert transcribed(system, np.zeros(n, np.float32)) == [""]


def test_a_click_is_no_error(system: System) -> None:
    assert transcribed(system, np.full(20, 0.5, np.float32)) == [""]


def test_what_it_cannot_transcribe_is_the_error_of_its_request(system: System) -> None:
    no_audio, question, right = system.generate(
        [request(None), request(tones(LOW_HZ), family="qa"), request(tones(LOW_HZ))]
    )
    assert isinstance(no_audio, InputError)
    assert "r1: has no audio" in str(no_audio)
    assert isinstance(question, InputError)
    assert "r1: Paraformer transcribes speech" in str(question)
    assert isinstance(right, Response)


def test_the_recipe_names_model_weights_package_and_decoding(system: System, folder: Path, tmp_path: Path) -> None:
    card = system.card
    assert card.recipe == (
        f"paraformer tones-zh@{card.weights_sha256[:12]} sherpa-onnx {_version()} greedy@1 "
        "(model.onnx, whole recordings, no punctuation)"
    )
    other = write_paraformer(tmp_path / "tones-zh")
    assert build_system(f"paraformer:{other}", SystemOptions()).card.recipe == card.recipe
    write_tokens(other, (*TOKENS, "more"))
    assert build_system(f"paraformer:{other}", SystemOptions()).card.recipe != card.recipe


def _version() -> str:
    from importlib.metadata import version

    return version("sherpa-onnx")


def test_it_is_a_transcriber_of_spoken_answers(folder: Path) -> None:
    made = build_deriver(f"transcriber:paraformer:{folder}", SystemOptions())
    assert made.recipe.startswith("paraformer tones-zh@")
    need = Need(made.name, audio_sha256="a", language="zh")
    (found,) = made.derive([DerivationInput(need, tones(HIGH_HZ), SAMPLE_RATE_HZ)])
    assert isinstance(found, Derived)
    assert set(found.content) == {"高"}


def test_of_two_models_the_exact_one_is_taken_and_the_other_can_be_named(tmp_path: Path) -> None:
    write_paraformer(tmp_path)
    write_paraformer(tmp_path, name="model.int8.onnx")
    named = build_system(f"paraformer:{tmp_path}/model.int8.onnx", SystemOptions())
    assert build_system(f"paraformer:{tmp_path}", SystemOptions()).card.details["model"] == "model.onnx"
    assert named.card.details["model"] == "model.int8.onnx"
    (tmp_path / "model.onnx").unlink()
    assert build_system(f"paraformer:{tmp_path}", SystemOptions()).card.details["model"] == "model.int8.onnx"


def test_the_model_for_chinese_lies_in_the_cache_and_takes_chinese_and_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path))
    write_paraformer(tmp_path / "paraformer" / ARCHIVE)
    system = build_system("paraformer:zh", SystemOptions())
    assert system.card.recipe.startswith("paraformer zh@")
    (french,) = system.generate([request(tones(LOW_HZ), language="fr")])
    assert isinstance(french, InputError)
    assert "r1: paraformer:zh transcribes Chinese and English, not 'fr'; use a multilingual model" in str(french)
    needs = Needs()
    assert why_not(system.card.capability, needs, "asr", "zh-CN") == ""
    assert why_not(system.card.capability, needs, "asr", "fr") != ""
    check_deriver("transcriber:paraformer:zh", SystemOptions(languages=frozenset({"cmn-Hans", "en-US", ""})))
    with pytest.raises(UserError, match="not 'fr'"):
        check_deriver("transcriber:paraformer:zh", SystemOptions(languages=frozenset({"zh", "fr"})))


def test_it_has_no_settings(folder: Path) -> None:
    with pytest.raises(UserError, match="has no decoding strategies"):
        check_system(f"paraformer:{folder}", SystemOptions(strategy="beam"))
    with pytest.raises(UserError, match=re.escape("unknown decode settings beam; it has none")):
        check_system(f"paraformer:{folder}", SystemOptions(settings={"beam": 4}))
