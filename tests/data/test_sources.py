"""The source ``asr_folder`` as a task's TOML asks for it: every layout, its options, and what it says of the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import sources
from tttbench.data.sources.asr_folder import list_asr_folder


def write(folder: Path, layout: str) -> None:
    """Two utterances of two speakers where the layout knows speakers, and a recording that no list names."""
    folder.mkdir()
    if layout in ("tsv", "csv"):
        lines = [["audio", "text", "speaker"], ["a.wav", "one", "ann"], ["b.wav", "two", "bob"]]
        separator = "\t" if layout == "tsv" else ","
        (folder / f"list.{layout}").write_text("".join(separator.join(line) + "\n" for line in lines))
    elif layout in ("jsonl", "json"):
        rows = [
            {"audio": "a.wav", "text": "one", "speaker": "ann"},
            {"audio": "b.wav", "text": "two", "speaker": "bob"},
        ]
        (folder / f"list.{layout}").write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif layout == "ljspeech":
        (folder / "wavs").mkdir()
        (folder / "metadata.csv").write_text("a|1|one\nb|2|two\n")
    elif layout == "kaldi":
        (folder / "wav.scp").write_text("a a.wav\nb b.wav\n")
        (folder / "text").write_text("a one\nb two\n")
        (folder / "utt2spk").write_text("a ann\nb bob\n")
    else:
        (folder / "1-1.trans.txt").write_text("1-1-0 one\n")
        (folder / "2-1.trans.txt").write_text("2-1-0 two\n")
    (folder / "left.wav").touch()


LAYOUTS = ("tsv", "csv", "jsonl", "json", "ljspeech", "librispeech", "kaldi")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_found(tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    write(folder, layout)
    samples = list_asr_folder(folder)
    assert [sample.reference for sample in samples] == ["one", "two"]
    assert {sample.metadata["layout"] for sample in samples} == {layout}
    assert {sample.metadata["left_out"] for sample in samples} == {"audio files without a transcript: 1"}
    assert "left out: audio files without a transcript: 1 (left.wav)" in caplog.text
    clusters = [sample.cluster for sample in samples]
    assert clusters == {"ljspeech": ["", ""], "librispeech": ["1", "2"]}.get(layout, ["ann", "bob"])


@pytest.mark.parametrize("layout", ["tsv", "csv", "jsonl", "json"])
def test_a_list_is_given_by_its_folder_by_itself_or_by_the_option(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "data"
    write(folder, layout)
    assert [one.id for one in list_asr_folder(folder / f"list.{layout}")] == ["a", "b"]
    (folder / f"second.{layout}").write_text((folder / f"list.{layout}").read_text())
    with pytest.raises(UserError, match=rf"data: holds several lists \(list\.{layout}, second\.{layout}\)"):
        list_asr_folder(folder)
    assert [one.id for one in list_asr_folder(folder, list=f"second.{layout}")] == ["a", "b"]


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "clip,raw,text,who,key,from,till,tongue\na.wav,One,one,ann,k1,0.5,2,en-GB\na.wav,Two,two,bob,k2,2,3,de\n"
    )
    options = {"audio": "clip", "text": "RAW", "speaker": "who", "id": "key", "start": "from", "end": "till"}
    first, second = list_asr_folder(tmp_path, **options, language="tongue")
    assert (first.id, first.reference, first.cluster, first.language) == ("k1", "One", "ann", "en-GB")
    assert first.audio is not None
    assert (first.audio.path, first.audio.start_s, first.audio.end_s) == (tmp_path / "a.wav", 0.5, 2.0)
    assert str(first.audio.listed) == f"{tmp_path}/l.csv, line 2 (clip, from, till)"
    assert (second.id, second.language) == ("k2", "de")
    for role in ("audio", "text", "speaker", "id", "start", "end", "duration", "language"):
        with pytest.raises(UserError, match=r"l\.csv, line 2: .*nosuch|found 'clip', 'raw'"):
            list_asr_folder(tmp_path, **{**options, role: "nosuch"})


def test_options_are_those_of_the_columns_and_the_list() -> None:
    assert sources.get("asr_folder").options == (
        *("list", "split", "audio", "text", "id", "speaker", "language", "start", "end", "duration"),
        "sample_rate",
    )


def test_another_file_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.wav one\n")
    with pytest.raises(UserError, match=r"list\.txt: is not a list of utterances. Give a \.tsv, \.csv"):
        list_asr_folder(tmp_path / "list.txt")
    with pytest.raises(UserError, match="holds no list of utterances"):
        list_asr_folder(tmp_path)
    with pytest.raises(UserError, match="none: no such folder"):
        list_asr_folder(tmp_path / "none")


def test_a_list_one_folder_further_down_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "metadata.csv").write_text("file_name,text\na.wav,one\n")
    with pytest.raises(UserError, match=r"There is one further down\. Give .*test/metadata\.csv$"):
        list_asr_folder(tmp_path)


def test_one_speaker_is_no_cluster_and_four_files_too_many_are_three_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\tspeaker\na.wav\tone\tann\nb.wav\ttwo\tann\n")
    for name in "wxyz":
        (tmp_path / f"{name}.flac").touch()
    samples = list_asr_folder(tmp_path)
    assert [sample.cluster for sample in samples] == ["", ""]
    assert [sample.metadata["source"] for sample in samples] == ["list.tsv:2", "list.tsv:3"]
    assert "transcript: 4 (w.flac, x.flac, y.flac, …)" in caplog.text
