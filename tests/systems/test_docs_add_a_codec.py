"""The example of docs/add_a_codec.md, as it stands there: loaded, spoken with, and part of a system."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.speech.codec import Codec, codec_kinds, load_codec, speak
from tttbench.core.errors import UserError
from tttbench.core.exchange import Message, Request
from tttbench.core.plugins import build_system
from tttbench.core.system import SystemOptions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add_a_codec.md"


def blocks() -> dict[str, str]:
    """The page's code blocks by language; one of each."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len({language for language, _ in found}) == len(found)
    return dict(found)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    path = tmp_path_factory.mktemp("codecs") / "tones.py"
    path.write_text(blocks()["python"])
    spec = importlib.util.spec_from_file_location("tones_of_the_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def codec(example: ModuleType, tmp_path: Path) -> Codec:
    (tmp_path / "config.json").write_text(blocks()["json"])
    return load_codec(tmp_path)


def test_its_folder_is_loaded_with_it(codec: Codec, example: ModuleType) -> None:
    assert type(codec) is example.Tones
    assert isinstance(codec, Codec)
    assert codec.n_codes == 1000
    assert "tones" in codec_kinds()


@given(st.lists(st.integers(1, 600), max_size=20))
def test_what_is_spoken_is_encoded_as_the_same_codes(codes: list[int]) -> None:
    namespace: dict[str, type] = {}
    exec(compile(blocks()["python"], str(PAGE), "exec"), namespace)
    tones = namespace["Tones"](1000)
    assert tones.encode([speak(tones, codes)]) == [codes]


def test_a_checkpoint_answers_with_it(folders: dict[str, Path], example: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(folders["hybrid"], tmp_path / "model")
    note = json.loads((tmp_path / "model" / "assistant.json").read_text())
    (tmp_path / "model" / "assistant.json").write_text(json.dumps({**note, "codec": "tones"}))
    (tmp_path / "tones").mkdir()
    (tmp_path / "tones" / "config.json").write_text('{"kind": "tones", "n_codes": 12}')
    system = build_system(f"ttt:{tmp_path / 'model'}", SystemOptions())
    tones = [np.sin(np.arange(9000) * n).astype(np.float32) for n in range(5)]
    messages = [Message("user", audio=tone, sample_rate=16_000) for tone in tones]
    requests = [Request(f"r{n}", (message,), "qa", seed=n) for n, message in enumerate(messages)]
    spoken = 0
    for answer in system.generate(requests):
        assert not isinstance(answer, Exception)
        assert answer.waveform is not None
        assert answer.audio_codes is not None
        assert len(answer.waveform) == 1280 * len(answer.audio_codes)
        np.testing.assert_array_equal(answer.waveform, speak(example.Tones(12), answer.audio_codes))
        spoken += len(answer.audio_codes)
    assert spoken > 0


def test_a_codec_of_another_size_is_refused(folders: dict[str, Path], example: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(folders["hybrid"], tmp_path / "model")
    (tmp_path / "model" / "assistant.json").write_text('{"codec": "tones-1000"}')
    (tmp_path / "tones-1000").mkdir()
    (tmp_path / "tones-1000" / "config.json").write_text(blocks()["json"])
    with pytest.raises(UserError, match="that codec has 1000 codes, but the model was made for 12"):
        build_system(f"ttt:{tmp_path / 'model'}", SystemOptions())
