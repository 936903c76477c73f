"""The sources of transcribed speech by name, as a task's TOML asks for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.sample import Sample
from tttbench.data.sources.asr_folder import (
    list_asr_folder,
    list_jsonl,
    list_librispeech,
    list_ljspeech,
    list_tsv,
)

Listing = Callable[[Path], Sequence[Sample]]


def write(folder: Path, layout: str) -> None:
    """Two utterances of two speakers where the layout knows speakers, and a recording that no list names."""
    folder.mkdir()
    if layout == "tsv":
        (folder / "list.tsv").write_text("audio\ttext\tspeaker\na.wav\tone\tann\nb.wav\ttwo\tbob\n")
    elif layout == "jsonl":
        rows = [
            {"audio": "a.wav", "text": "one", "speaker": "ann"},
            {"audio": "b.wav", "text": "two", "speaker": "bob"},
        ]
        (folder / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif layout == "ljspeech":
        (folder / "wavs").mkdir()
        (folder / "metadata.csv").write_text("a|1|one\nb|2|two\n")
    else:
        (folder / "1-1.trans.txt").write_text("1-1-0 one\n")
        (folder / "2-1.trans.txt").write_text("2-1-0 two\n")
    (folder / "left.wav").touch()


SOURCES: dict[str, Listing] = {
    "tsv": list_tsv,
    "jsonl": list_jsonl,
    "ljspeech": list_ljspeech,
    "librispeech": list_librispeech,
}


@pytest.mark.parametrize("layout", SOURCES)
def test_a_source_of_one_layout_lists_what_the_general_one_finds(
    tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "data"
    write(folder, layout)
    samples = SOURCES[layout](folder)
    assert [sample.reference for sample in samples] == ["one", "two"]
    assert {sample.metadata["layout"] for sample in samples} == {layout}
    assert {sample.metadata["left_out"] for sample in samples} == {"audio files without a transcript: 1"}
    assert "audio files without a transcript, left out: 1 (left.wav)" in caplog.text
    assert list(list_asr_folder(folder)) == list(samples)
    clusters = [sample.cluster for sample in samples]
    assert clusters == {"ljspeech": ["", ""], "librispeech": ["1", "2"]}.get(layout, ["ann", "bob"])


@pytest.mark.parametrize("layout", ["tsv", "jsonl"])
def test_a_list_is_given_by_its_folder_or_by_itself(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "data"
    write(folder, layout)
    assert [one.id for one in SOURCES[layout](folder / f"list.{layout}")] == ["a", "b"]
    (folder / f"second.{layout}").write_text("")
    with pytest.raises(UserError, match=rf"data: holds 2 \.{layout} files. Give the one list"):
        SOURCES[layout](folder)
    with pytest.raises(UserError, match="none: is no folder"):
        SOURCES[layout](tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=rf"empty: holds 0 \.{layout} files"):
        SOURCES[layout](tmp_path / "empty")


def test_another_file_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.wav one\n")
    with pytest.raises(UserError, match=r"list\.txt: is not a list of utterances. Give a \.tsv or \.jsonl file"):
        list_asr_folder(tmp_path / "list.txt")
    with pytest.raises(UserError, match="holds no list of utterances"):
        list_asr_folder(tmp_path)
    with pytest.raises(UserError, match="none: no such folder"):
        list_asr_folder(tmp_path / "none")


def test_one_speaker_is_no_cluster_and_four_files_too_many_are_three_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\tspeaker\na.wav\tone\tann\nb.wav\ttwo\tann\n")
    for name in "wxyz":
        (tmp_path / f"{name}.flac").touch()
    samples = list_tsv(tmp_path)
    assert [sample.cluster for sample in samples] == ["", ""]
    assert [sample.metadata["source"] for sample in samples] == ["list.tsv:2", "list.tsv:3"]
    assert "left out: 4 (w.flac, x.flac, y.flac, …)" in caplog.text
