"""A transcriber's own errors on reference audio are counted as the language of the samples has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

Tones = Callable[..., Any]


@pytest.mark.parametrize(
    ("language", "answer", "spoken", "expected"),
    [
        # Five letters for two characters: five edits.
        ("zh", "巴黎", "paris", ("transcriber_cer", 5 / 2, "; zh@")),
        ("cmn-Hans", "巴黎", "paris", ("transcriber_cer", 5 / 2, "; zh@")),
        # The normalizer of English takes accents off, and there would be no error.
        ("de", "ein café", "ein cafe", ("transcriber_wer", 1 / 2, "; basic@")),
        ("en", "a café", "a cafe", ("transcriber_wer", 0.0, "; en@")),
        ("", "a café", "a cafe", ("transcriber_wer", 0.0, "; en@")),
    ],
)
def test_the_language_is_that_of_the_list_not_of_the_task(
    tones: Tones,
    world: Any,
    data: Path,
    tmp_path: Path,
    language: str,
    answer: str,
    spoken: str,
    expected: tuple[str, float, str],
) -> None:
    soundfile.write(data / "a0.wav", world.speak(spoken), world.RATE_HZ)
    row = {"id": "q0", "answer": answer, "audio": "q0.wav", "answer_audio": "a0.wav"}
    (data / "questions.json").write_text(json.dumps([{**row, **({"language": language} if language else {})}]))
    document = tones("--tasks", "qa_folder", "--out", tmp_path / "run", "--json").document
    found = [one for one in document["results"] if one["metric"].startswith("transcriber_")]
    metric, value, normalizer = expected
    assert [(one["system"], one["metric"], one["value"]) for one in found] == [
        ("reference audio", metric, pytest.approx(value))
    ]
    assert normalizer in found[0]["recipe"]
