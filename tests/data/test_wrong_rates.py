"""A list that gives its recordings a sample rate: a file of another rate is the error of its request."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
import soundfile

from tttbench.core.errors import InputError, UserError
from tttbench.core.sample import AudioRef
from tttbench.data.audio import read_audio
from tttbench.data.sources.asr_folder import list_asr_folder
from tttbench.data.sources.nemo_tarred import list_nemo_tarred
from tttbench.data.sources.qa_folder import list_qa_folder

from .audio_files import speech
from .tables import tone, write_table
from .test_nemo_tarred import shard_of

RATED = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string()), ("sampling_rate", pyarrow.int64())])

Audio = list[AudioRef]


def audio_of(samples: object) -> Audio:
    assert isinstance(samples, list | tuple)
    return [one.audio for one in samples]


def files(folder: Path) -> None:
    """Two recordings of 16 kHz."""
    for name in ("a", "b"):
        (folder / f"{name}.wav").write_bytes(tone(1600))


def manifest(folder: Path) -> Audio:
    files(folder)
    rows = [
        {"audio_filepath": f"{name}.wav", "text": name, "duration": 0.1, "sample_rate": rate}
        for name, rate in (("a", 16_000), ("b", 8_000))
    ]
    (folder / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return audio_of(list_asr_folder(folder))


def tarred(folder: Path) -> Audio:
    shard_of(folder / "audio_0.tar", {f"{name}.wav": tone(1600) for name in ("a", "b")})
    rows = [
        {"audio_filepath": f"{name}.wav", "text": name, "duration": 0.1, "shard_id": 0, "sampling_rate": rate}
        for name, rate in (("a", 16_000), ("b", 8_000))
    ]
    (folder / "tarred_audio_manifest.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return audio_of(list_nemo_tarred(folder))


def audiofolder(folder: Path) -> Audio:
    files(folder)
    (folder / "metadata.csv").write_text("file_name,text,Sampling_Rate\na.wav,one,16000\nb.wav,two,8 kHz\n")
    return audio_of(list_asr_folder(folder))


def questions(folder: Path) -> Audio:
    files(folder)
    (folder / "l.csv").write_text("audio,question,answer,samplerate\na.wav,Who?,Ann,16k\nb.wav,Who?,Bob,8000\n")
    return audio_of(list_qa_folder(folder))


def table(folder: Path) -> Audio:
    columns = {
        "audio": [{"bytes": tone(1600), "path": f"{name}.wav"} for name in ("a", "b")],
        "text": ["one", "two"],
        "sample_rate": [16_000, 8_000],
    }
    write_table(folder / "l.parquet", columns)
    return audio_of(list_asr_folder(folder))


def struct(folder: Path) -> Audio:
    cells = [{"bytes": tone(1600), "path": "x.wav", "sampling_rate": rate} for rate in (16_000, 8_000)]
    write_table(folder / "l.parquet", {"audio": cells, "text": ["one", "two"], "id": ["a", "b"]}, audio=RATED)
    return audio_of(list_asr_folder(folder))


@pytest.mark.parametrize(
    ("listed", "where"),
    [
        (manifest, "l.jsonl, line 2 (audio_filepath, sample_rate, duration)"),
        (tarred, "tarred_audio_manifest.json, line 2 (audio_filepath, sampling_rate, duration)"),
        (audiofolder, "metadata.csv, line 3 (file_name, Sampling_Rate)"),
        (questions, "l.csv, line 3 (audio, samplerate)"),
        (table, "l.parquet, row 2 (audio, sample_rate)"),
        (struct, "l.parquet, row 2 (audio, audio.sampling_rate)"),
    ],
)
def test_a_file_of_another_rate_is_named_with_list_row_and_field(
    listed: Callable[[Path], Audio], where: str, tmp_path: Path
) -> None:
    right, wrong = listed(tmp_path)
    assert read_audio(right).sample_rate == 16_000
    with pytest.raises(InputError, match=r"has 16,000 Hz, and the list says 8,000 Hz\. Correct the list") as caught:
        read_audio(wrong)
    assert f"{where}: " in str(caught.value)


@pytest.mark.parametrize("given", ["", "16000", "16000.0", "16k", "16 kHz", "16000Hz", "1.6e4"])
def test_rates_are_read_as_people_write_them_and_none_is_no_fault(given: str, tmp_path: Path) -> None:
    files(tmp_path)
    (tmp_path / "l.csv").write_text(f"audio,text,sample_rate\na.wav,one,{given}\n")
    (audio,) = audio_of(list_asr_folder(tmp_path / "l.csv"))
    assert len(read_audio(audio).samples) == 1600
    assert audio.rate_hz == (16_000 if given else None)


def test_a_rate_that_is_no_number_is_refused_where_it_stands(tmp_path: Path) -> None:
    files(tmp_path)
    (tmp_path / "l.csv").write_text("audio,text,sample_rate\na.wav,one,wideband\n")
    with pytest.raises(UserError, match=r"l\.csv, line 2: .*'sample_rate'"):
        list_asr_folder(tmp_path / "l.csv")


def test_a_task_can_name_the_column(tmp_path: Path) -> None:
    files(tmp_path)
    (tmp_path / "l.csv").write_text("audio,text,hz\na.wav,one,8000\n")
    (audio,) = audio_of(list_asr_folder(tmp_path / "l.csv"))
    assert audio.rate_hz is None
    (audio,) = audio_of(list_asr_folder(tmp_path / "l.csv", sample_rate="hz"))
    assert audio.rate_hz == 8_000


def test_opus_has_no_rate_of_its_own(tmp_path: Path) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, speech(0.5), 16_000, format="OGG", subtype="OPUS")
    (tmp_path / "a.opus").write_bytes(stream.getvalue())
    (tmp_path / "l.csv").write_text("audio,text,sample_rate\na.opus,one,44100\n")
    (audio,) = audio_of(list_asr_folder(tmp_path / "l.csv"))
    assert read_audio(audio).duration_s == pytest.approx(0.5, abs=0.02)


def test_a_segment_is_of_a_file_of_the_right_rate(tmp_path: Path) -> None:
    files(tmp_path)
    (tmp_path / "l.csv").write_text("audio,text,start,end,sample_rate\na.wav,one,0,0.05,8000\n")
    (audio,) = audio_of(list_asr_folder(tmp_path / "l.csv"))
    with pytest.raises(InputError, match=r"line 2 \(audio, sample_rate, start, end\): .*says 8,000 Hz"):
        read_audio(audio)
