"""Written questions asked in speech: tasks for each condition, the samples' turns, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core import plugins
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.registry import include
from tttbench.core.sample import AudioRef, Sample, SpeechRecipe, Turn
from tttbench.data.asked import Asking, asked, fault_of
from tttbench.data.samples import list_samples
from tttbench.data.voices import named

FILE = """
title = "Capitals"
family = "qa"
language = "en"
description = "Capitals."
source = "qa_folder"
options = {ask = "text"}
scores = ["text_accuracy"]
speak = "pico:en-US"
"""


@pytest.fixture(autouse=True)
def _voice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        named, "voice_recipe", lambda voice, condition="clean": SpeechRecipe(voice, "p 1", "00", "en", condition)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "l.tsv").write_text("id\tquestion\tanswer\na\tCapital of France?\tParis\nb\tOf Italy?\tRome\n")
    (tmp_path / "mine").mkdir()
    return tmp_path


def test_a_voice_alone_asks_the_questions_of_a_list(folder: Path) -> None:
    (folder / "mine" / "spoken_capitals.toml").write_text(FILE)
    include(folder / "mine")
    task = build_task("spoken_capitals")
    assert task.needs.accepts == {"audio"}
    assert (task.condition, task.doubles_as, task.title) == ("", (), "Capitals")
    first, second = list_samples(task, folder / "data")
    assert first.turns[0].text == ""
    assert first.audio is not None
    assert first.audio.made is not None
    assert first.audio.made.text == "Capital of France?"
    assert first.audio.made.recipe.voice == "pico:en-US"
    assert (first.metadata["question"], first.references, second.id) == ("Capital of France?", ("Paris",), "b")
    assert str(second.audio) == "speech by pico:en-US of 'Of Italy?'"


def test_conditions_are_tasks_with_the_same_samples(folder: Path) -> None:
    text = FILE + 'conditions = ["clean", "text", "noise:10", "telephone"]\n'
    (folder / "mine" / "ways.toml").write_text(text)
    include(folder / "mine")
    names = ("ways", "ways_text", "ways_noise10", "ways_telephone")
    tasks = [build_task(name) for name in names]
    assert [one.doubles_as for one in tasks] == [names[1:], (), (), ()]
    assert {one.condition_of for one in tasks} == {"ways"}
    assert [one.condition for one in tasks] == ["clean", "text", "noise:10", "telephone"]
    assert [one.needs.accepts for one in tasks] == [{"audio"}, {"text"}, {"audio"}, {"audio"}]
    assert tasks[2].title == "Capitals, pink noise at 10 dB"
    listed = [list_samples(one, folder / "data") for one in tasks]
    assert {tuple(sample.id for sample in one) for one in listed} == {("a", "b")}
    assert listed[1][0].turns == (Turn("user", "Capital of France?"),)
    assert len({sample.audio.path for one in listed for sample in one if sample.audio is not None}) == 6


@pytest.mark.parametrize(
    ("conditions", "voice", "says"),
    [
        (("loud",), "piper", "'loud' is no condition. Write clean, noise:DB (such as noise:10), or telephone, or text"),
        (("clean", "clean"), "piper", "'clean' is there twice"),
        (("text", "clean"), "", "'clean' needs a voice; say speak = \"piper:joe\""),
        (("text", "noise:5"), "piper", ""),
        ((), "piper", ""),
    ],
)
def test_conditions_that_are_wrong(conditions: tuple[str, ...], voice: str, says: str) -> None:
    assert says in fault_of(conditions, voice)
    assert bool(says) == bool(fault_of(conditions, voice))


def test_a_file_with_wrong_conditions_says_so_and_has_one_task(folder: Path) -> None:
    (folder / "mine" / "wrong_ways.toml").write_text(FILE + 'conditions = ["clean", "loud"]\n')
    include(folder / "mine")
    with pytest.raises(UserError, match=r"wrong_ways\.toml.*conditions.*'loud' is no condition"):
        build_task("wrong_ways")
    assert "wrong_ways_loud" not in plugins.tasks


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (Sample("a", (Turn("user", "x", AudioRef(Path("a.wav"))),)), "sample 'a' has a recording; `speak`"),
        (Sample("a", (Turn("user", " "),)), "sample 'a' holds no text"),
        (Sample("a", (Turn("user", "你好"),), language="zh-CN"), "is in 'zh-CN', and the voice pico speaks 'en'"),
    ],
)
def test_samples_that_cannot_be_asked(sample: Sample, says: str) -> None:
    with pytest.raises(UserError, match=says):
        asked([sample], Asking("clean", "pico"), "en", "task 't'")


@pytest.mark.parametrize(
    ("text", "is_spoken"),
    [
        ("法国的首都是哪里", False),
        ("Столица России?", False),
        ("What does 你好 mean?", True),
        ("Où est Zürich?", True),
        ("1 + 1 = ?", True),
    ],
)
def test_a_voice_is_given_no_text_in_another_script_than_its_language_has(text: str, is_spoken: bool) -> None:
    sample = Sample("a", (Turn("user", text),), ("x",))
    if is_spoken:
        assert asked([sample], Asking("clean", "pico:en-US"), "", "t")[0].audio is not None
        return
    with pytest.raises(
        UserError, match=r"t: sample 'a' \(.*\) isn't written in Latin letters, and the voice pico:en-US"
    ):
        asked([sample], Asking("clean", "pico:en-US"), "", "t")


def test_user_turns_alone_are_spoken() -> None:
    turns = (Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello"), Turn("user", "Who?"))
    (found,) = asked([Sample("a", turns)], Asking("clean", "pico"), "", "task 't'")
    assert [turn.text for turn in found.turns] == ["Be brief.", "", "Hello", ""]
    assert found.language == "en"


def test_a_missing_voice_names_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(voice: str, condition: str) -> SpeechRecipe:
        raise UserError("is not installed")

    monkeypatch.setattr(named, "voice_recipe", absent)
    with pytest.raises(UserError, match="task 't': speak: is not installed"):
        asked([Sample("a", (Turn("user", "x"),))], Asking("clean", "pico"), "", "task 't'")


def test_the_shipped_tasks_with_a_voice_have_the_one_that_needs_no_debian_package() -> None:
    names = ("web_questions_spoken", "web_questions_conditions", "qa_folder_spoken", "qa_folder_conditions")
    for name in names:
        assert build_task(name).needs.accepts == {"audio"}
    assert build_task("qa_folder_conditions_noise10").condition == "noise:10"
    files = Path(__file__).resolve().parents[2] / "tasks" / "qa"
    assert {(files / f"{name}.toml").read_text().count(f'speak = "{named.DEFAULT_VOICE}"') for name in names} == {1}
