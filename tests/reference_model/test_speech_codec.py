"""Codecs are found by the kind that their folder names: built in, registered, or brought by a package."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_model.errors import CheckpointError
from reference_model.speech import codec as codecs
from reference_model.speech.codec import codec_kinds, load_codec, register_codec
from reference_model.speech.mini import MiniCodec
from reference_model.speech.networks import CodecConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    MiniCodec(CodecConfig((4, 3), 16, 16, 16)).save(tmp_path / "codec")
    return tmp_path / "codec"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package ``humming`` with the entry point of a codec; its module is still to be written."""
    info = tmp_path / "site" / "humming-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: humming\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tttbench.codecs]\nhumming = humming_codec:load\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield tmp_path / "site" / "humming_codec.py"
    sys.modules.pop("humming_codec", None)


def of_kind(folder: Path, kind: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"kind": kind}))
    return folder


def test_a_mini_codec_says_so_in_its_folder(folder: Path) -> None:
    assert json.loads((folder / "config.json").read_text())["kind"] == "mini"
    loaded = load_codec(folder)
    assert isinstance(loaded, MiniCodec)
    assert loaded.config == CodecConfig((4, 3), 16, 16, 16)


def test_a_folder_that_names_no_kind_is_a_mini_codecs_as_before(folder: Path) -> None:
    raw = json.loads((folder / "config.json").read_text())
    del raw["kind"]
    (folder / "config.json").write_text(json.dumps(raw))
    assert load_codec(folder).n_codes == 12


def test_an_unknown_kind_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: unknown codec kind 'minni'. Did you mean 'mini'\?"):
        load_codec(of_kind(tmp_path, "minni"))


@pytest.mark.parametrize("content", ["{", "[1]", '{"kind": 3}', '"mini', ""])
def test_a_damaged_configuration_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json: not the configuration of a codec"):
        load_codec(tmp_path)


def test_a_folder_without_a_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: not the configuration of a codec"):
        load_codec(tmp_path)


def test_a_released_folder_of_another_architecture_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["WhisperForConditionalGeneration"]}))
    with pytest.raises(CheckpointError, match=r"'architectures' is \['WhisperForC.*no codec known here.*'kind'"):
        load_codec(tmp_path)


def test_a_kind_wins_over_an_architecture(folder: Path) -> None:
    raw = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**raw, "architectures": ["MimiModel"]}))
    with pytest.raises(CheckpointError, match="not the configuration of a mini codec"):
        load_codec(folder)


def test_a_registered_loader_gets_folder_and_device(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "_registry", {})
    asked: list[tuple[Path, str]] = []

    @register_codec("other")
    def load(of: Path, device: str) -> MiniCodec:
        asked.append((of, device))
        return MiniCodec.load(folder)

    other = of_kind(tmp_path / "other", "other")
    assert load_codec(other, "cuda:1").n_codes == 12
    assert asked == [(other, "cuda:1")]
    assert "other" in codec_kinds()


def test_what_lacks_a_part_of_the_contract_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "_registry", {"half": lambda folder, device: object()})
    with pytest.raises(CheckpointError, match=r"of kind 'half' lacks codes_per_s, encode, fingerprint, .*, speaker;"):
        load_codec(of_kind(tmp_path, "half"))


def test_a_loader_that_raises_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path, device: str) -> MiniCodec:
        raise KeyError("hop_length")

    monkeypatch.setattr(codecs, "_registry", {"broken": load})
    with pytest.raises(CheckpointError, match=r"kind 'broken' failed to load \(KeyError: 'hop_length'\)"):
        load_codec(of_kind(tmp_path, "broken"))


def test_a_package_brings_a_codec(folder: Path, package: Path, tmp_path: Path) -> None:
    package.write_text(
        "from pathlib import Path\n"
        "from reference_model.speech.mini import MiniCodec\n"
        f"def load(folder, device):\n    return MiniCodec.load(Path({str(folder)!r}))\n"
    )
    assert "humming" in codec_kinds()
    assert load_codec(of_kind(tmp_path / "other", "humming")).n_codes == 12


def test_a_package_that_breaks_is_named_and_costs_other_codecs_nothing(
    folder: Path, package: Path, tmp_path: Path
) -> None:
    package.write_text("raise RuntimeError('no such driver')\n")
    assert load_codec(folder).n_codes == 12
    with pytest.raises(CheckpointError, match=r"'humming' is humming_codec:load's.*RuntimeError: no such driver"):
        load_codec(of_kind(tmp_path / "other", "humming"))
