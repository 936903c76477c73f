"""The source ``qa_folder``: lists in the forms that are published, and what it says of those that are wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task, sources
from tttbench.core.sample import AudioRef, Turn
from tttbench.data.samples import list_samples
from tttbench.data.sources.llama_questions import list_llama_questions
from tttbench.data.sources.qa_folder import KNOWN, list_qa_folder
from tttbench.data.sources.recording import KNOWN_OF_AUDIO


def test_llama_questions_are_those_of_their_own_source(shared_data: Path) -> None:
    folder = shared_data / "llama_questions"
    own, found = list_llama_questions(folder), list_qa_folder(folder)
    assert len(found) == 60
    assert [(one.id, one.turns, one.references, one.answer, one.cluster) for one in found] == [
        (one.id, one.turns, one.references, one.answer, one.cluster) for one in own
    ]
    assert [one.metadata["question"] for one in found] == [one.metadata["question"] for one in own]


@pytest.mark.parametrize("task", ["qa_folder_text", "web_questions_text"])
def test_web_questions_are_written_questions_with_all_their_answers(shared_data: Path, task: str) -> None:
    path = shared_data / "webquestions" / "test.json"
    found = list_samples(build_task(task), path)
    rows = json.loads(path.read_text())
    assert len(found) == 2032
    assert [(one.id, one.turns, one.references) for one in found] == [
        (row["qId"], (Turn("user", row["qText"]),), tuple(row["answers"])) for row in rows
    ]
    assert [one.id for one in list_samples(build_task(task), path.parent)] == [row["qId"] for row in rows]


KIMI = {
    "index": 7,
    "audio_path": ["a.wav"],
    "question": "Answer it.",
    "audio_content": "Who?",
    "answer": "['Ann', 'A.']",
}


@pytest.mark.parametrize(
    ("name", "content", "asked", "references"),
    [
        ("l.tsv", "Questions\tAnswer\tWav Filename\nWho?\tAnn\ta.wav\n", "Who?", ("Ann",)),
        ("l.csv", 'question,answers,audio_filename\nWho?,"[\'Ann\', ""Ann\'s""]",a.wav\n', "Who?", ("Ann", "Ann's")),
        ("l.csv", "Prompt,参考答案,audio_filename\n谁,安,a.wav\n", "谁", ("安",)),
        (
            "l.csv",
            "question,answer,alias_1,alias 2,alias3,audio\nWho?,Ann,A,,B,a.wav\n",
            "Who?",
            ("Ann", "A", "B"),
        ),
        ("l.csv", "question,answer,aliases,audio\nWho?,Ann,A. | Ann|Anne,a.wav\n", "Who?", ("Ann", "A.", "Anne")),
        ("l.jsonl", '{"WavPath": "a.wav", "question": "Who?", "answer": "A|B", "aliases": null}\n', "Who?", ("A|B",)),
        (
            "l.jsonl",
            '{"source_wav": "a.wav", "source_text": "Who?", "target_text": ["Ann", "A."]}\n',
            "Who?",
            ("Ann", "A."),
        ),
        ("l.jsonl", json.dumps(KIMI) + "\n", "Who?", ("Ann", "A.")),
        ("l.json", '[{"audio": "a.wav", "answer": 4, "aliases": ["four", 4, "vier"]}]', "", ("4", "four", "vier")),
    ],
)
def test_the_forms_in_use_are_read(
    tmp_path: Path, name: str, content: str, asked: str, references: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "a.wav").touch()
    (found,) = list_qa_folder(tmp_path)
    assert found.turns == (Turn("user", "", AudioRef(tmp_path / "a.wav")),)
    assert found.id == ("7" if "index" in content else "a")
    assert found.references == references
    assert found.metadata.get("question", "") == asked
    if asked:
        (written,) = list_qa_folder(tmp_path, ask="text")
        assert (written.id, written.turns, written.references) == (found.id, (Turn("user", asked),), references)


@pytest.mark.parametrize(
    ("field", "answers"),
    [
        ('["a, b", "c|d"]', ("a, b", "c|d")),
        ("['a, b', 'c|d']", ("a, b", "c|d")),
        ("[\"it's\", 'say \"x\"', 'it\\'s \"y\"']", ("it's", 'say "x"', 'it\'s "y"')),
        ("['\\xe9t\\xe9', 1912, -3,]", ("été", "1912", "-3")),
        ('["\\ud83d\\ude00"]', ("\N{GRINNING FACE}",)),
        ("['AC\\DC']", ("AC\\DC",)),
        ("[citation] needed", ("[citation] needed",)),
        ("{x} and (y)", ("{x} and (y)",)),
        ("Paris, France", ("Paris, France",)),
    ],
)
def test_lists_are_read_as_json_or_as_python_prints_them(tmp_path: Path, field: str, answers: tuple[str, ...]) -> None:
    (tmp_path / "l.tsv").write_text(f"question\tanswers\nWho?\t{field}\n")
    assert list_qa_folder(tmp_path, ask="text")[0].references == answers


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("", "holds no answer"),
        ("[]", "holds no answer"),
        ("['a' 'b']", "no list of texts"),  # as NumPy prints: Python reads it as "ab"
        ("['a', ['b']]", "no list of texts"),
        ("[__import__('os').getcwd()]", "no list of texts"),
        ("[f'{1}']", "no list of texts"),
        ("['a', nan]", "no list of texts"),
        ("[a, b]", "no list of texts"),
        ("['\\N{nothing}']", "no list of texts"),
        ("['\\ud800']", r"\[0\]: must not hold the character"),
        ('["a", 1.5]', r"\[1\]: must be a string"),
        ('["a", true]', r"\[1\]: must be a string"),
        ("['a', '']", r"\[1\]: is empty"),
        ("a||b", r"\[1\]: is empty"),
        ("{'value': 'a'}", "what a program prints"),
        ("('a', 'b')", "what a program prints"),
        ("array(['a'], dtype=object)", "what a program prints"),
    ],
)
def test_what_is_no_list_of_answers_is_named_with_line_and_field(tmp_path: Path, field: str, says: str) -> None:
    (tmp_path / "l.tsv").write_text(f"question\tanswers\nWho?\t{field}\n")
    with pytest.raises(UserError, match=rf"l\.tsv, line 2: field 'answers'.*{says}"):
        list_qa_folder(tmp_path, ask="text")


@pytest.mark.parametrize(
    ("row", "ask", "says"),
    [
        ({"question": "Q", "answer": "A"}, "audio", "no column for the recording of the question.*qa_folder_text"),
        ({"audio": "a.wav", "answer": "A"}, "text", "no column for the question; found 'audio', 'answer'"),
        ({"audio": "a.wav", "question": "Q"}, "audio", "no column for the right answer; found 'audio', 'question'"),
        ({"audio": "a.wav", "answer": None}, "audio", "field 'answer': holds no answer. Fill it"),
        ({"audio": "a.wav", "answer": {"value": "A"}}, "audio", "field 'answer': must be a string"),
        ({"audio": "a.wav", "answer": "", "alias_1": ""}, "audio", "field 'answer': holds no answer"),
        ({"audio": "", "answer": "A"}, "audio", "field 'audio': holds no recording.*qa_folder_text"),
        ({"audio": None, "answer": "A"}, "audio", "field 'audio': holds no recording"),
        ({"audio": [], "answer": "A"}, "audio", "field 'audio': names 0 files"),
        ({"audio": ["a.wav", "b.wav"], "answer": "A"}, "audio", "field 'audio': names 2 files"),
        ({"question": " ", "answer": "A"}, "text", "field 'question': holds no question"),
        ({"question": None, "answer": "A"}, "text", "field 'question': holds no question"),
        ({"question": "Q", "Question": "R", "answer": "A"}, "text", "'question' stands there more than once"),
        ({"question": "Q", "answer": "A", "language": "english!"}, "text", "field 'language': must be a BCP 47 tag"),
        ({"question": "Q", "answer": "A", "id": 1.5}, "text", "field 'id': must be a string"),
        ({"question": "Q", "answer": "A", "id": ""}, "text", "field 'id': is empty"),
        ({"audio": "a.wav", "answer": "A", "start": 1}, "audio", "field 'start': begins a segment"),
        ({"audio": "a.wav", "answer": "A", "answer_audio": 3}, "audio", "field 'answer_audio': must be a string"),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_field(
    tmp_path: Path, row: dict[str, object], ask: str, says: str
) -> None:
    (tmp_path / "l.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(UserError, match=rf"l\.jsonl, line 1.*{says}"):
        list_qa_folder(tmp_path, ask=ask)


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(
        "q,right,short,long,clip,key,tongue,who,spoken,words\n"
        "Q1,A,B,C|D,a.wav,k1,de,ann,ra.wav,It is A.\nQ2,E,F,G,b.wav,k2,en,bob,,\n"
    )
    options = {"question": "q", "answer": "right", "aliases": "Short|long", "audio": "clip", "id": "key"}
    options |= {"language": "tongue", "cluster": "who", "answer_audio": "spoken", "answer_text": "words"}
    first, second = list_qa_folder(tmp_path, **options)
    assert (first.id, first.language, first.cluster, first.references) == ("k1", "de", "ann", ("A", "B", "C", "D"))
    assert first.answer == Turn("assistant", "It is A.", AudioRef(tmp_path / "ra.wav"))
    assert (second.id, second.cluster, second.references, second.answer) == ("k2", "bob", ("E", "F", "G"), None)
    for role in options:
        with pytest.raises(UserError, match=r"l\.csv, line 2: .*(nosuch|found 'q', 'right')"):
            list_qa_folder(tmp_path, **{**options, role: "nosuch"})


def test_the_list_on_the_page_is_read_as_the_page_says(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "own_data.md").read_text()
    (tmp_path / "l.csv").write_text(page.split("```csv\n")[1].split("```")[0])
    assert list_qa_folder(tmp_path)[0].references == ("Washington", "Washington, D.C.", "Washington DC")
    table = page.split("## Questions and answers")[1]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    named = {name.lower() for name in re.findall(r"`([^`]+)`", "".join(rows))}
    own = {name for role, names in KNOWN.items() if role not in KNOWN_OF_AUDIO for name in names}
    assert own <= named


def test_options_are_those_of_the_columns_the_list_and_how_to_ask() -> None:
    assert sources.get("qa_folder").options == (
        *("list", "split", "ask", "references", "question", "answer", "aliases", "audio", "id", "cluster"),
        *("answer_audio", "answer_text", "language", "start", "end", "duration", "sample_rate"),
    )


def test_open_questions_have_no_references(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("audio,question,output\na.wav,Write it,{x}\n")
    (sample,) = list_qa_folder(tmp_path, references="none")
    assert (sample.id, sample.references, sample.metadata["question"]) == ("a", (), "Write it")
    with pytest.raises(UserError, match="no column for the right answer"):
        list_qa_folder(tmp_path)
    with pytest.raises(UserError, match="option 'references' of qa_folder: must be 'all' or 'none'"):
        list_qa_folder(tmp_path, references="some")
    with pytest.raises(UserError, match="option 'ask' of qa_folder: must be 'audio' or 'text', not 'speech'"):
        list_qa_folder(Path(), ask="speech")


def test_without_id_and_recording_a_question_is_called_by_its_row(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("question,answer\nQ1,A\nQ2,B\n")
    assert [one.id for one in list_qa_folder(tmp_path, ask="text")] == ["2", "3"]


def test_ids_stand_once(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("id,question,answer\nx,Q1,A\nx,Q2,B\n")
    with pytest.raises(UserError, match=r"l\.csv, line 3 \(id\): the id 'x' already stands in line 2"):
        list_qa_folder(tmp_path, ask="text")


def test_recordings_may_lie_in_audios_and_others_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "audios").mkdir()
    for name in ("a.mp3", "r.mp3", "left.mp3"):
        (tmp_path / "audios" / name).touch()
    (tmp_path / "l.csv").write_text("question,answer,audio_filename,answer_audio\nQ,A,a.mp3,r.mp3\n")
    (found,) = list_qa_folder(tmp_path)
    assert found.audio == AudioRef(tmp_path / "audios" / "a.mp3")
    assert found.answer == Turn("assistant", "A", AudioRef(tmp_path / "audios" / "r.mp3"))
    assert found.metadata["left_out"] == "audio files without a question: 1"
    assert "left out: audio files without a question: 1 (left.mp3)" in caplog.text
    assert "left_out" not in list_qa_folder(tmp_path, ask="text")[0].metadata


@pytest.mark.parametrize("column", ["audio", "answer_audio"])
def test_audio_outside_of_the_folder_is_refused(tmp_path: Path, column: str) -> None:
    (tmp_path / "data").mkdir()
    row = {"audio": "a.wav", "answer": "A", column: "../b.wav"}
    (tmp_path / "data" / "l.jsonl").write_text(json.dumps(row) + "\n")
    task = build_task("qa_folder")
    with pytest.raises(UserError, match=rf"l\.jsonl, line 1 \({column}\): .*b\.wav lies outside of the data's folder"):
        list_samples(task, tmp_path / "data")
    assert len(list_samples(task, tmp_path / "data", allow_outside=True)) == 1


def test_a_folder_without_a_list_says_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('[{"name": "x"}]')
    with pytest.raises(UserError, match=r"no list of questions\. Needed is .*columns question or audio, and answer"):
        list_qa_folder(tmp_path)
    with pytest.raises(UserError, match=r"none: no such folder\. Give the folder of questions"):
        list_qa_folder(tmp_path / "none")
    (tmp_path / "empty.csv").write_text("name,size\n")
    with pytest.raises(UserError, match=r"empty\.csv, line 1: no column for the question; found 'name', 'size'"):
        list_qa_folder(tmp_path, ask="text")


@pytest.mark.parametrize(
    ("task", "list_name", "content", "references"),
    [
        (
            *("trivia_qa", "trivia_qa.csv"),
            "question,answer,answer_normalized_aliases,audio_filename\nWho?,{'value': 'Ann'},\"['ann', 'a']\",1.mp3\n",
            ("ann", "a"),
        ),
        ("web_questions", "web_questions.csv", "question,answers,audio_filename\nWho?,\"['Ann']\",1.mp3\n", ("Ann",)),
        ("reasoning_qa", "reasoning_qa.csv", "Prompt,参考答案,audio_filename\n谁,安,1.mp3\n", ("安",)),
    ],
)
def test_tasks_read_the_folders_of_open_audio_bench(
    tmp_path: Path, task: str, list_name: str, content: str, references: tuple[str, ...]
) -> None:
    (tmp_path / "audios").mkdir()
    (tmp_path / "audios" / "1.mp3").touch()
    (tmp_path / list_name).write_text(content, encoding="utf-8")
    (found,) = list_samples(build_task(task), tmp_path)
    assert (found.id, found.audio, found.references) == ("1", AudioRef(tmp_path / "audios" / "1.mp3"), references)
