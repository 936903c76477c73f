from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import Sample


def samples(folder: Path | None) -> Sequence[Sample]:
    return build_task("asr_folder").samples(folder)


def test_the_folder_must_be_given() -> None:
    with pytest.raises(UserError, match="--data asr_folder=PATH"):
        samples(None)


def test_left_out_audio_is_reported_and_in_the_samples(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\na.wav\tone\n")
    (tmp_path / "b.wav").touch()
    with caplog.at_level(logging.WARNING):
        found = samples(tmp_path)
    assert "left out: audio files without a transcript: 1 (b.wav)" in caplog.text
    assert found[0].metadata["left_out"] == "audio files without a transcript: 1"


@pytest.mark.parametrize(("speakers", "clusters"), [(("ann", "bob"), ["ann", "bob"]), (("ann", "ann"), ["", ""])])
def test_speakers_are_clusters_if_there_are_several(
    tmp_path: Path, speakers: tuple[str, ...], clusters: list[str]
) -> None:
    (tmp_path / "list.tsv").write_text(f"audio\ttext\tspeaker\na.wav\tone\t{speakers[0]}\nb.wav\ttwo\t{speakers[1]}\n")
    assert [sample.cluster for sample in samples(tmp_path)] == clusters


def test_chinese_recordings_are_scored_by_characters(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\na.wav\t你好\n", encoding="utf-8")
    task = build_task("asr_folder_zh")
    assert [(spec.id, spec.scorer) for spec in task.scores] == [("cer_zh", "cer_zh")]
    assert [sample.reference for sample in task.samples(tmp_path)] == ["你好"]
    with pytest.raises(UserError, match="--data asr_folder_zh=PATH"):
        task.samples(None)
