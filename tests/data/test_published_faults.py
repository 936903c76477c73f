"""Published data sets with a recording that is broken or missing: named with list, row and field by every source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.sample import Sample
from tttbench.data.audio import read_audio
from tttbench.data.sources.aishell1 import list_aishell1
from tttbench.data.sources.aishell2 import list_aishell2
from tttbench.data.sources.asr_folder import list_asr_folder
from tttbench.data.sources.audiocaps import list_audiocaps
from tttbench.data.sources.clotho import list_clotho
from tttbench.data.sources.fleurs import list_fleurs
from tttbench.data.sources.gigaspeech import list_gigaspeech
from tttbench.data.sources.librispeech import list_librispeech
from tttbench.data.sources.llama_questions import list_llama_questions
from tttbench.data.sources.macs import list_macs
from tttbench.data.sources.qa_folder import list_qa_folder
from tttbench.data.sources.uro_bench import list_uro_bench
from tttbench.data.sources.voicebench import list_voicebench
from tttbench.data.sources.voxpopuli import list_voxpopuli
from tttbench.data.sources.wenetspeech import list_wenetspeech

from .tables import write_table

Read = Callable[..., Sequence[Sample]]

NOISE = b"no audio at all, but bytes enough for a header " * 9
SEGMENT = {"begin_time": 0.0, "end_time": 0.5}


@dataclass(frozen=True)
class Published:
    """A data set of one recording.

    Attributes:
        read: lists it.
        lists: its lists, by their paths.
        audio: path of the recording; in a parquet table its cell.
        says: how messages about the recording begin behind the folder.
    """

    read: Read
    lists: dict[str, str]
    audio: str
    says: str


def long_recordings(name: str, text: str, subset: str) -> dict[str, str]:
    """A list as WenetSpeech and GigaSpeech have it."""
    segment = {"sid": "s", **SEGMENT, text: "one", "subsets": [subset]}
    return {name: json.dumps({"audios": [{"aid": "r", "path": "audio/r.opus", "segments": [segment]}]})}


SETS = {
    "aishell1": Published(
        list_aishell1,
        {"transcript/aishell_transcript_v0.8.txt": "BAC009S0764W0121 你 好\n"},
        "wav/test/S0764/BAC009S0764W0121.wav",
        "aishell_transcript_v0.8.txt, line 1 (id): ",
    ),
    "aishell2": Published(
        list_aishell2,
        {"iOS/test/wav.scp": "IT0011W0001\twav/a.wav\n", "iOS/test/trans.txt": "IT0011W0001\t你好\n"},
        "iOS/test/wav/a.wav",
        "wav.scp, line 1 (path): ",
    ),
    "wenetspeech": Published(
        list_wenetspeech,
        long_recordings("WenetSpeech.json", "text", "TEST_NET"),
        "audio/r.opus",
        "WenetSpeech.json, entry 1 (path, segments[0].begin_time, segments[0].end_time): ",
    ),
    "gigaspeech": Published(
        list_gigaspeech,
        long_recordings("GigaSpeech.json", "text_tn", "{TEST}"),
        "audio/r.opus",
        "GigaSpeech.json, entry 1 (path, segments[0].begin_time, segments[0].end_time): ",
    ),
    "fleurs": Published(
        list_fleurs,
        {"en_us/test.tsv": "1\t1.wav\tOne.\tone\to n e |\t8000\tMALE\n"},
        "en_us/audio/test/1.wav",
        "test.tsv, line 1 (file): ",
    ),
    "librispeech": Published(
        list_librispeech,
        {"test-clean/61/1/61-1.trans.txt": "61-1-0 ONE\n"},
        "test-clean/61/1/61-1-0.flac",
        "61-1.trans.txt, line 1 (id): ",
    ),
    "common voice": Published(
        list_asr_folder,
        {"test.tsv": "client_id\tpath\tsentence\na\tone.mp3\tone\n"},
        "clips/one.mp3",
        "test.tsv, line 2 (path): ",
    ),
    "voxpopuli": Published(
        list_voxpopuli,
        {"en/asr_test.tsv": "id\traw_text\tnormalized_text\tspeaker_id\n2018-a\tOne.\tone\t1\n"},
        "en/2018/2018-a.ogg",
        "asr_test.tsv, line 2 (id): ",
    ),
    "llama_questions": Published(
        list_llama_questions,
        {"llama_questions_300.tsv": "Questions\tAnswer\tWav Filename\nWho?\tAnn\t1.wav\n"},
        "1.wav",
        "llama_questions_300.tsv, line 2 (Wav Filename): ",
    ),
    "openaudiobench": Published(
        list_qa_folder,
        {"trivia_qa.csv": "question,answer_normalized_aliases,audio_filename\nWho?,['ann'],1.mp3\n"},
        "audios/1.mp3",
        "trivia_qa.csv, line 2 (audio_filename): ",
    ),
    "uro_bench": Published(
        list_uro_bench,
        {"basic/Repeat/test.jsonl": '{"source_wav": "wav/1.wav", "source_text": "one"}\n'},
        "basic/Repeat/wav/1.wav",
        "test.jsonl, line 1 (source_wav): ",
    ),
    "uro_bench, rounds": Published(
        lambda folder: list_uro_bench(folder, set="MtBenchEval-en"),
        {
            "pro/MtBenchEval-en/test.jsonl": '{"id": 1, "dialogue": [{"source_wav": "wav/1.wav", "source_text": "a", '
            '"target_text": "b"}]}\n'
        },
        "pro/MtBenchEval-en/wav/1.wav",
        "test.jsonl, line 1 (dialogue[0].source_wav): ",
    ),
    "clotho": Published(
        list_clotho,
        {
            "clotho_captions_evaluation.csv": "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
            "rain.wav,a,b,c,d,e\n"
        },
        "evaluation/rain.wav",
        "clotho_captions_evaluation.csv, line 2 (file_name): ",
    ),
    "audiocaps": Published(
        list_audiocaps,
        {"test.csv": "audiocap_id,youtube_id,start_time,caption\n1,abc,30,A dog\n"},
        "abc_30.flac",
        "test.csv, line 2 (youtube_id, start_time): ",
    ),
    "macs": Published(
        list_macs,
        {"MACS.yaml": "files:\n- filename: park.wav\n  annotations:\n  - sentence: Birds\n"},
        "audio/park.wav",
        "MACS.yaml, line 2 (files[0].filename): ",
    ),
}
TABLES: dict[str, tuple[Read, str, dict[str, Any]]] = {
    "fleurs": (
        list_fleurs,
        "en_us/test-00000-of-00001.parquet",
        {"id": [1], "transcription": ["one"], "raw_transcription": ["One."]},
    ),
    "gigaspeech": (
        list_gigaspeech,
        "test/test-00000-of-00001.parquet",
        {"segment_id": ["s"], "text": ["ONE"], "audio_id": ["r"]},
    ),
    "voxpopuli": (
        list_voxpopuli,
        "en/test-00000-of-00001.parquet",
        {"audio_id": ["a"], "normalized_text": ["one"], "raw_text": ["One."], "speaker_id": ["1"]},
    ),
    "voicebench": (list_voicebench, "alpacaeval/test-00000-of-00001.parquet", {"prompt": ["Who?"]}),
}


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def said_of(found: Sequence[Sample]) -> str:
    """What is said when the only recording is read."""
    (sample,) = found
    assert sample.audio is not None
    with pytest.raises(InputError) as caught:
        read_audio(sample.audio)
    return str(caught.value)


@pytest.mark.parametrize("fault", ["broken", "missing"])
@pytest.mark.parametrize("name", SETS)
def test_a_recording_that_can_not_be_read_is_named(name: str, fault: str, tmp_path: Path) -> None:
    if name == "macs":
        pytest.importorskip("yaml", reason="needs the extra captions")
    one = SETS[name]
    for path, content in one.lists.items():
        put(tmp_path / path, content.encode())
    put(tmp_path / one.audio, NOISE)
    found = one.read(tmp_path)
    if fault == "missing":
        (tmp_path / one.audio).unlink()
    said = said_of(found)
    assert re.match(rf"\S*/{re.escape(one.says)}", said)
    assert Path(one.audio).name in said


@pytest.mark.parametrize("content", [NOISE, None])
@pytest.mark.parametrize("name", TABLES)
def test_a_cell_that_can_not_be_read_is_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    read, path, columns = TABLES[name]
    write_table(tmp_path / path, {"audio": [{"bytes": content, "path": "a.wav"}], **columns})
    said = said_of(read(tmp_path))
    assert re.match(rf"\S*/{re.escape(Path(path).name)}, row 1 \(audio\): ", said)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("aishell1", "line 2 (id)"),
        ("aishell2", "line 2 (id)"),
        ("fleurs", "line 2 (file)"),
        ("librispeech", "line 2 (id)"),
        ("common voice", "line 3 (path)"),
        ("voxpopuli", "line 3 (id)"),
        ("llama_questions", "line 3 (Wav Filename)"),
        ("openaudiobench", "line 3 (audio_filename)"),
        ("uro_bench, rounds", "line 2 (id)"),
        ("clotho", "line 3 (file_name)"),
        ("audiocaps", "line 3: field 'audiocap_id'"),
    ],
)
def test_an_id_that_stands_twice_is_named_with_both_rows_and_their_field(name: str, where: str, tmp_path: Path) -> None:
    one = SETS[name]
    for path, content in one.lists.items():
        put(tmp_path / path, (content + content.splitlines(keepends=True)[-1]).encode())
    put(tmp_path / one.audio, NOISE)
    with pytest.raises(UserError, match="already stands in line") as caught:
        one.read(tmp_path)
    assert f"{where}: " in str(caught.value)
