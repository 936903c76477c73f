"""Every reader of lists on 2,000 files (layouts of one data set: 400): samples that can be kept, or a message.

Files are random bytes, and valid ones that were spoiled: NUL, halves of characters, byte order marks, UTF-16, line ends
of old systems, numbers of thousands of digits, deep nesting, doubled keys and columns, long lines, nothing at all.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tttbench.core.checked import checked_sample
from tttbench.core.errors import UserError
from tttbench.core.sample import Sample
from tttbench.data.documents import read_toml
from tttbench.data.samples import list_samples
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
from tttbench.data.sources.mini import read_mini_qa
from tttbench.data.sources.nemo_tarred import list_nemo_tarred
from tttbench.data.sources.qa_folder import list_qa_folder
from tttbench.data.sources.uro_bench import list_uro_bench
from tttbench.data.sources.voxpopuli import list_voxpopuli
from tttbench.data.sources.wenetspeech import list_wenetspeech
from tttbench.data.task_files import task_from

N_FILES = 2_000
N_FILES_OF_ONE_SET = 400


@dataclass(frozen=True)
class Case:
    """A reader: its files, the first of which is spoiled unless another is chosen, and what reads their folder."""

    files: dict[str, str]
    read: Callable[[Path], Sequence[Sample]]


def task_file(folder: Path) -> Sequence[Sample]:
    path = folder / "t.toml"
    return list_samples(task_from(read_toml(path), path), folder)


TSV = (
    "id\taudio\ttext\tspeaker\tlang\tstart\tend\tduration\n"
    'a\ta.wav\tone "two"\tann\ten\t0.5\t1.5\t\n'
    "b\tsub/b.wav\t\t\t\t\t\t2\n"
)
JSON_LINES = (
    '{"id": "a", "audio_filepath": "a.wav", "offset": 0.5, "duration": 1.25, "text": "one"}\n'
    '{"audio_filepath": "b.wav", "text": "zw\\u00f6lf", "speaker": null, "lang": "de", "more": [1, {"x": 2.5}]}\n'
)
QA = (
    '{"id": "1", "audio": "a.opus", "voice": "v", "cluster": "c", "question": "Who?", "answer": "Ann", '
    '"aliases": ["A"], "answer_text": "It is Ann.", "answer_audio": "r.opus"}\n'
)
WRITTEN = """[{"qId": "w1", "qText": "Who?", "answers": ["Ann", 4]}, {"qText": "Q", "answer": "['x', 1]"}]"""
WENETSPEECH = (
    '{"version": 1.5, "audios": [{"aid": "N1", "path": "audio/N1.opus", "segments": [{"sid": "N1_S1", '
    '"begin_time": 0.25, "end_time": 1, "text": "你好", "subsets": ["TEST_NET"]}, {"sid": "N1_S2", "begin_time": 1, '
    '"end_time": 2, "text": "", "subsets": ["L"]}]}, {"aid": "N2", "path": "N2.opus", "segments": []}]}'
)
TASK = """title = "T"
family = "asr"
description = "D"
source = "asr_folder"
scores = ["wer", {scorer = "cer", id = "c"}]
language = "en"
max_seconds = 5.5
options = {list = "l.tsv"}
needs = {accepts = ["audio"], produces = ["text"], turns = false}
"""

CASES = {
    "tsv": Case({"l.tsv": TSV}, list_asr_folder),
    "csv": Case({"l.csv": 'audio,text,start,end\na.wav,"one, ""two""",0,1\nb.wav,three,,\n'}, list_asr_folder),
    "json lines": Case({"l.jsonl": JSON_LINES}, list_asr_folder),
    "json": Case(
        {"l.json": '[{"audio": "a.wav", "text": "one"}, {"audio": "b.wav", "text": "two", "end_ms": 5}]'},
        lambda folder: list_asr_folder(folder / "l.json"),
    ),
    "nemo": Case({"test_manifest.json": JSON_LINES}, lambda folder: list_asr_folder(folder / "test_manifest.json")),
    "kaldi": Case(
        {
            "wav.scp": "r1 a.wav\nr2 sub/b.wav\n",
            "segments": "u1 r1 0.5 1.75\nu2 r2 0 -1\n",
            "text": "u1 one two\nu2\n",
            "utt2spk": "u1 ann\nu2 bob\n",
        },
        list_asr_folder,
    ),
    "questions": Case(
        {
            "l.csv": "qid,question,answer,aliases,alias_1,audio,answer_audio,language\n"
            '1,Who?,Ann,"[\'A\', ""Ann\'s""]",x,a.wav,r.wav,en\n2,,B,C|D,,b.wav,,\n'
        },
        list_qa_folder,
    ),
    "task": Case({"t.toml": TASK, "l.tsv": TSV}, task_file),
    "wenetspeech": Case({"WenetSpeech.json": WENETSPEECH}, list_wenetspeech),
}

CASES_OF_ONE_SET = {
    "ljspeech": Case({"metadata.csv": "LJ1|Mr. 5|Mister five\nLJ2|6|six\n"}, list_asr_folder),
    "librispeech": Case({"a.trans.txt": "61-1-0000 HE BEGAN\n61-1-0001 GIVE\n"}, list_asr_folder),
    "common voice": Case(
        {"test.tsv": 'client_id\tpath\tsentence\tlocale\nc\tx.mp3\t"""Hi,"" he said"\ten\nd\ty.mp3\tTwo\tzh-CN\n'},
        list_asr_folder,
    ),
    "llama questions": Case(
        {"llama_questions_300.tsv": "Questions\tAnswer\tWav Filename\nWho?\tAnn\ta.wav\n"}, list_llama_questions
    ),
    "mini": Case({"qa.jsonl": QA}, read_mini_qa),
    "written questions": Case(
        {"l.json": WRITTEN},
        lambda folder: list_qa_folder(folder / "l.json", ask="text"),
    ),
    "questions as Kimi-Audio's kit has them": Case(
        {"l.jsonl": '{"index": 1, "audio_path": ["a.wav"], "question": "Q", "audio_content": "W", "answer": "A"}\n'},
        list_qa_folder,
    ),
    "aishell1": Case(
        {
            "transcript/aishell_transcript_v0.8.txt": "BAC009S0764W0121 甚至 出现\nBAC009S0765W0001 你好\n",
            "wav/test/S0764/BAC009S0764W0121.wav": "",
        },
        list_aishell1,
    ),
    "aishell2": Case(
        {
            "iOS/test/wav.scp": "IT0011W0001\twav/a.wav\nIT0012W0001\twav/b.wav\n",
            "iOS/test/trans.txt": "IT0011W0001\t打开 WIFI\nIT0012W0001\t换\n",
        },
        list_aishell2,
    ),
    "fleurs": Case(
        {"en_us/test.tsv": "1\ta.wav\tYes!\tyes\ty e s |\t4000\tMALE\n", "en_us/audio/test/a.wav": ""}, list_fleurs
    ),
    "uro_bench": Case(
        {
            "basic/Repeat/test.jsonl": '{"source_wav": "w/a.wav", "source_text": "Say x", "target_text": ["x", 4]}\n'
            '{"source_wav": "w/b.wav", "source_text": "Say y", "emotion": "sad", "target_text": "y"}\n',
        },
        list_uro_bench,
    ),
    "conversations of uro_bench": Case(
        {
            "pro/MtBenchEval-en/test.jsonl": '{"id": 7, "num_round": 2, "dialogue": [{"round": 1, '
            '"source_wav": "a.wav", "source_text": "A", "target_text": "B"}, '
            '{"round": 2, "source_wav": "c.wav", "source_text": "C", "target_text": ["D", "E"]}]}\n',
        },
        lambda folder: list_uro_bench(folder, set="MtBenchEval-en"),
    ),
    "clotho": Case(
        {
            "clotho_captions_evaluation.csv": "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
            'a.wav,"A dog, barking",b,c,d,e\n',
            "clotho_metadata_evaluation.csv": "file_name,keywords,license\na.wav,dog;bark,CC0\n",
            "evaluation/a.wav": "-",
        },
        list_clotho,
    ),
    "macs": Case(
        {
            "MACS.yaml": "files:\n- filename: a.wav\n  annotations:\n  - {sentence: Birds sing, tags: [b]}\n",
            "audio/a.wav": "-",
        },
        list_macs,
    ),
    "audiocaps": Case(
        {
            "test.csv": 'audiocap_id,youtube_id,start_time,caption\n1,a,3,"A dog, barking"\n2,a,3,A dog\n',
            "a_3.wav": "-",
        },
        list_audiocaps,
    ),
    "gigaspeech": Case(
        {
            "GigaSpeech.json": '{"audios": [{"aid": "P1", "path": "audio/P1.opus", "segments": [{"sid": "P1_S1", '
            '"begin_time": 0.5, "end_time": 1, "text_tn": "A WORD <COMMA> AND ONE", "subsets": ["{TEST}"]}, '
            '{"sid": "P1_S2", "begin_time": 1, "end_time": 2, "text_tn": "<SIL>", "subsets": ["{TEST}", "{DEV}"]}]}]}'
        },
        list_gigaspeech,
    ),
    "voxpopuli": Case(
        {
            "asr_test.tsv": "id\traw_text\tnormalized_text\tspeaker_id\tsplit\n"
            "20180611-a_1\tA.\ta\t1\ttest\n20180611-a_2\t\tb\tNone\ttest\n"
        },
        list_voxpopuli,
    ),
    "nemo_tarred": Case(
        {
            "tarred_audio_manifest.json": '{"audio_filepath": "a.wav", "duration": 1.5, "text": "one", "shard_id": 0}\n'
            '{"audio_filepath": "a-sub1.wav", "offset": 2, "duration": 1, "text": "two", "shard_id": 0}\n',
            "audio_0.tar": "\0" * 10_240,
        },
        list_nemo_tarred,
    ),
    "librispeech as published": Case(
        {"test-clean/61/1/61-1.trans.txt": "61-1-0000 HE BEGAN\n61-1-0001 GIVE\n"}, list_librispeech
    ),
}
"""Layouts of one data set each, which are read by the same functions."""

SPOILERS = (
    *(b"\0", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\r", b"\n\n", b"\t", b"|", b",", b";", b'"'),
    *(b"\\", b"\\ud800", b"\\u0000", b"{", b"}", b"[", b"]", b'"a": 1, "a": 2', b"null", b"true", b"NaN", b"-1"),
    *(b"9" * 5_000, b"[" * 3_000, b'{"a":' * 3_000, b"../", b"/", b"|", b"..", b".", b" ", b"\x1b[2J", b"1e999"),
    *(b"x" * 200_000, b"=", b"#", b"[[tasks]]\n", b"inf", b"1979-05-27", b"0x_1", b"text", b"audio", b"\xe2\x80\xae"),
)


def spoiled(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(content) + 1)
        to = min(len(content), at + chance.choice((0, 0, 1, 3, 20)))
        what = chance.randrange(9)
        if what < 5:
            content = content[:at] + chance.choice(SPOILERS) + content[to:]
        elif what == 5:
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
        elif what == 6:
            content = content[:at] + content[to:] + content[at:to]
        elif what == 7:
            lines = content.split(b"\n")
            content = b"\n".join([*lines, chance.choice(lines)])
        else:
            content = chance.choice(
                (b"", content[:at], content.replace(b"\n", b"\r"), content.decode("latin-1").encode("utf-16"))
            )
    return content


FILES = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=300))
"""A seed for spoiling a valid file, twice as often as random bytes."""

_numbers = itertools.count()


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[], Path]:
    """Make new folders: a file system may tell two files of one name and size apart too late."""

    def new() -> Path:
        folder = tmp_path / str(next(_numbers))
        folder.mkdir()
        return folder

    return new


def outcome(case: Case, folder: Path) -> list[str]:
    """What is wrong with what a reader gave; its message must name a file of the folder."""
    try:
        samples = case.read(folder)
    except UserError as error:
        message = str(error)
        named = any(name in message for name in case.files) or str(folder) in message
        return [] if named and len(message) < 5_000 else [f"names no file: {message[:500]}"]
    for one in samples:
        checked_sample(one)
    return [f"{one!r} is no sample" for one in samples if not (isinstance(one, Sample) and one.id.strip())]


def check(case: Case, given: int | bytes, folder: Path) -> None:
    contents = {file: content.encode() for file, content in case.files.items()}
    if isinstance(given, bytes):
        contents[next(iter(contents))] = given
    else:
        chance = random.Random(given)
        file = chance.choice([*contents])
        contents[file] = spoiled(contents[file], chance)
    for file, content in contents.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
    assert outcome(case, folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@settings(max_examples=N_FILES, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=FILES)
def test_whatever_a_file_holds_gives_samples_or_a_message(
    name: str, given: int | bytes, folders: Callable[[], Path]
) -> None:
    check(CASES[name], given, folders())


@pytest.mark.parametrize("name", CASES_OF_ONE_SET)
@settings(max_examples=N_FILES_OF_ONE_SET, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=FILES)
def test_the_layouts_of_one_data_set_likewise(name: str, given: int | bytes, folders: Callable[[], Path]) -> None:
    check(CASES_OF_ONE_SET[name], given, folders())


@pytest.mark.parametrize("name", [*CASES, *CASES_OF_ONE_SET])
def test_the_files_that_are_spoiled_are_valid(name: str, tmp_path: Path) -> None:
    case = {**CASES, **CASES_OF_ONE_SET}[name]
    for file, content in case.files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(content)
    (tmp_path / "a.wav").touch()
    assert len(case.read(tmp_path)) in (1, 2)
