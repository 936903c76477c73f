"""WavLM's embeddings with small random weights, and weights that are missing or others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Waveform
from tttbench.core.missing import lacking
from tttbench.core.plugins import build_deriver, build_scorer, check_deriver, derivers, make_ready
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import SystemOptions
from tttbench.derive import wavlm

torch = pytest.importorskip("torch", reason="needs the extra wavlm")
transformers = pytest.importorskip("transformers", reason="needs the extra wavlm")

NAME, OPTIONS = "wavlm:base-plus-sv", SystemOptions()
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": (8, 8),
    "conv_stride": (5, 4),
    "conv_kernel": (10, 8),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "tdnn_dim": (8, 8),
    "tdnn_kernel": (5, 1),
    "tdnn_dilation": (1, 1),
    "xvector_output_dim": 6,
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of its files, still empty."""
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache/wavlm/base-plus-sv"
    folder.mkdir(parents=True)
    return folder


def saved(folder: Path, head: str = "WavLMForXVector") -> Path:
    """A small model with random weights, as transformers saves it."""
    torch.manual_seed(0)
    getattr(transformers, head)(transformers.WavLMConfig(**SMALL)).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(folder)
    return folder


def waves() -> list[tuple[Waveform, int]]:
    noise = np.random.default_rng(0).standard_normal(8_000).astype(np.float32)
    return [(0.1 * noise, 16_000), (0.2 * noise[::-1].copy(), 16_000), (np.zeros(100, np.float32), 16_000)]


def embedded(name: str) -> list[Derived | Exception]:
    inputs = [DerivationInput(Need(name, str(at)), wave, rate) for at, (wave, rate) in enumerate(waves())]
    return list(build_deriver(name, OPTIONS).derive(inputs))


def test_recordings_are_embedded_as_transformers_does(cache: Path) -> None:
    saved(cache)
    make_ready(NAME, OPTIONS, derivers)
    assert lacking(NAME, OPTIONS, derivers) == ()
    one, other, short = embedded(NAME)
    assert isinstance(one, Derived)
    assert isinstance(other, Derived)
    assert isinstance(short, InputError)
    assert "shorter than 0.1 s" in str(short)
    model = transformers.WavLMForXVector.from_pretrained(cache).eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(waves()[0][0])[None]).embeddings[0]
    assert json.loads(one.content) == pytest.approx((expected / expected.norm()).tolist(), abs=2e-5)
    assert json.loads(one.content) != json.loads(other.content)
    assert embedded(NAME)[0] == one
    recipe = wavlm.recipe_of("base-plus-sv")
    assert recipe.startswith(
        f"wavlm-base-plus-sv@1 (transformers {transformers.__version__}, model.safetensors sha256:"
    )


def test_any_folder_of_transformers_can_be_given(cache: Path, tmp_path: Path) -> None:
    folder = saved(tmp_path / "own")
    options = {"embedding": f"wavlm:{folder}"}
    built = build_scorer(ScoreSpec("speaker_similarity", "own", options))
    (name,) = getattr(built, "derivers")  # noqa: B009 - no scorer has to have it
    assert name == f"wavlm:{folder}"
    check_deriver(name, OPTIONS)
    assert isinstance(embedded(name)[0], Derived)
    assert "embedding=wavlm-own@1 (transformers" in str(built.recipe({}))


def test_files_that_are_missing_are_named_with_their_size_and_place(cache: Path) -> None:
    check_deriver(NAME, OPTIONS)
    says = r"wavlm:base-plus-sv: its files \(405 MB\) are missing: config\.json, preprocessor_config\.json, model\.saf"
    with pytest.raises(
        UserError, match=rf"{says}.* Fix: get .* of microsoft/wavlm-base-plus-sv .*, into \S*/cache/wav"
    ):
        make_ready(NAME, OPTIONS, derivers)
    (missing,) = lacking(NAME, OPTIONS, derivers) or ()
    assert (missing.what, missing.n_bytes) == ("weights of WavLM for speakers", wavlm.WEIGHTS_BYTES)
    assert wavlm.recipe_of("base-plus-sv") == NAME
    saved(cache)
    (cache / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match=r"are missing: preprocessor_config\.json\."):
        build_deriver(NAME, OPTIONS)


def test_other_weights_are_refused(cache: Path) -> None:
    saved(cache, "WavLMModel")
    with pytest.raises(UserError, match=r"config\.json: is of WavLMModel, not of WavLMForXVector"):
        build_deriver(NAME, OPTIONS)
    # The name of the right head over the weights of another one.
    config = json.loads((cache / "config.json").read_text())
    (cache / "config.json").write_text(json.dumps({**config, "architectures": ["WavLMForXVector"]}))
    with pytest.raises(UserError, match=r"isn't WavLM with a head for speakers: \d+ tensors are missing, feature_ext"):
        build_deriver(NAME, OPTIONS)
    saved(cache)
    config = json.loads((cache / "config.json").read_text())
    (cache / "config.json").write_text(json.dumps({**config, "xvector_output_dim": 7}))
    with pytest.raises(UserError, match=r"can't be read as WavLM's"):
        build_deriver(NAME, OPTIONS)
    saved(cache)
    (cache / "model.safetensors").write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"can't be read as WavLM's .* Download its files again"):
        build_deriver(NAME, OPTIONS)


def test_a_name_that_is_no_folder_and_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"wavlm:large: give base-plus-sv, or the path of a folder, e\.g\. \./large"):
        check_deriver("wavlm:large", OPTIONS)
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda one: one != "transformers")
    with pytest.raises(UserError, match=r"wavlm:base-plus-sv needs transformers.*tttbench\[wavlm\]"):
        check_deriver(NAME, OPTIONS)
