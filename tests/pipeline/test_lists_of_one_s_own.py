"""Runs of a list of one's own: a language written without spaces, and a file of another rate than the list says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

Tones = Callable[..., Any]


def listed(world: Any, data: Path, *rows: str) -> None:
    for path in data.iterdir():
        path.unlink()
    for name in ("a", "b"):
        soundfile.write(data / f"{name}.wav", world.speak("ame"), world.RATE_HZ)
    (data / "list.csv").write_text("\n".join(("audio,text,language,sample_rate", *rows)), encoding="utf-8")


def test_japanese_is_scored_by_character_under_its_own_name(
    tones: Tones, world: Any, data: Path, tmp_path: Path
) -> None:
    listed(world, data, "a.wav,雨です,ja,", "b.wav,雪,ja,")
    document = tones("--tasks", "asr_folder", "--out", tmp_path / "run", "--json").document
    found = {one["metric"]: (one["value"], one["recipe"]) for one in document["results"]}
    # What was written, "ame", is one unit: one is wrong and two are missing, and one is wrong.
    assert {name for name in found if name.startswith("wer")} == {"wer_characters", "wer_whisper-basic_characters"}
    for name in ("wer_characters", "wer_whisper-basic_characters"):
        value, recipe = found[name]
        assert value == pytest.approx(4 / 4)
        assert "characters of scripts without spaces@1" in recipe


def test_a_file_of_another_rate_is_one_error_and_the_run_goes_on(
    tones: Tones, world: Any, data: Path, tmp_path: Path
) -> None:
    listed(world, data, f"a.wav,ame,en,{world.RATE_HZ}", f"b.wav,ame,en,{world.RATE_HZ // 2}")
    ended = tones("--tasks", "asr_folder", "--out", tmp_path / "run", "--json")
    n_systems = len({one["system"] for one in ended.document["results"]})
    assert ended.document["counts"]["error"] == n_systems
    assert ended.document["counts"]["ok"] == n_systems
    rate = world.RATE_HZ
    assert (
        f"list.csv, line 3 (audio, sample_rate): {data}/b.wav: has {rate:,} Hz, and the list says {rate // 2:,} Hz"
        in ended.err
    )
