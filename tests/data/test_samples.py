"""What is checked of a task's samples before anything else happens: files, folders, ids, languages."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.language import language_fault
from tttbench.core.sample import AudioRef, Sample, Turn, spoken_sample
from tttbench.core.task import Task
from tttbench.data.documents import parse_toml
from tttbench.data.files import RealPaths, why_not_regular
from tttbench.data.samples import list_samples
from tttbench.data.task_files import task_from

TASK = """
title = "Mine"
family = "asr"
description = ""
source = "asr_folder"
scores = ["wer"]
"""


def listed(folder: Path, more: str = "", *, allow_outside: bool = False) -> list[str]:
    """The ids that a task in TOML lists in a folder."""
    task = task_from(parse_toml(TASK + more, "tasks/mine.toml"), folder / "mine.toml")
    return [one.id for one in list_samples(task, folder, allow_outside=allow_outside)]


def of(samples: Sequence[object], data: Path | None = None, **more: str) -> tuple[Sample, ...]:
    """The samples of a task in Python that lists these."""
    task = Task(name="t", title="", family="", description="", scores=(), samples=lambda _: samples, **more)  # type: ignore[arg-type, return-value]  # as plug-ins do
    return list_samples(task, data)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    # The name of a socket is short.
    before = Path.cwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)
    os.chdir(before)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dead_link(path: Path) -> None:
    path.symlink_to("nowhere.wav")


def folder(path: Path) -> None:
    path.mkdir()


ODD: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (pipe, "is a named pipe"),
    "socket": (unix_socket, "is a socket"),
    "device": (device, "is a device"),
    "loop": (loop, "is a link that can't be followed (Too many levels of symbolic links)"),
    "dead link": (dead_link, "is a link to a file that isn't there"),
    "folder": (folder, "is a folder"),
}


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("layout", ["list.tsv", "wav.scp", "metadata.csv", "a.trans.txt"])
def test_only_regular_files_can_be_listed(tmp_path: Path, case: str, layout: str) -> None:
    make, says = ODD[case]
    path = tmp_path / ("wavs/b.wav" if layout == "metadata.csv" else "b.wav")
    path.parent.mkdir(exist_ok=True)
    make(path)
    content = {
        "list.tsv": "audio\ttext\na.wav\tone\nb.wav\ttwo\n",
        "wav.scp": "a a.wav\nb b.wav\n",
        "metadata.csv": "a|one|one\nb|two|two\n",
        "a.trans.txt": "a one\nb two\n",
    }[layout]
    (tmp_path / layout).write_text(content)
    (tmp_path / "text").write_text("a one\nb two\n")
    with pytest.raises(UserError) as caught:
        listed(tmp_path, allow_outside=True)
    row = f"{tmp_path}/{layout}, line {3 if layout == 'list.tsv' else 2} ("
    # One that no row could name is found when the folder is looked through.
    assert str(caught.value).startswith((row, str(path)))
    assert says in str(caught.value)


def test_audio_that_is_no_file_is_refused_where_no_list_names_it(tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_text("audio\ttext\na.wav\tone\n")
    pipe(tmp_path / "stray.wav")
    with pytest.raises(UserError, match=r"stray\.wav is a named pipe\. Remove it from the folder"):
        listed(tmp_path)


def test_missing_files_are_errors_of_their_requests(tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_text("audio\ttext\na.wav\tone\n")
    assert listed(tmp_path) == ["a"]
    assert why_not_regular(tmp_path / "a.wav") == why_not_regular(tmp_path / "a\0.wav") == ""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder ``data``, and beside it a recording that isn't its."""
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "secret.wav").touch()
    (tmp_path / "data" / "inside.wav").touch()
    (tmp_path / "data" / "link.wav").symlink_to("../secret.wav")
    (tmp_path / "data" / "up").symlink_to("..")
    (tmp_path / "data" / "good.wav").symlink_to("inside.wav")
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["../secret.wav", "sub/../../secret.wav", "link.wav", "up/secret.wav", "ABSOLUTE"])
def test_audio_outside_of_the_folder_is_refused_unless_allowed(outside: Path, name: str) -> None:
    path = str(outside.parent / "secret.wav") if name == "ABSOLUTE" else name
    (outside / "l.tsv").write_text(f"id\taudio\ttext\na\tinside.wav\tone\nb\t{path}\ttwo\n")
    with pytest.raises(UserError) as caught:
        listed(outside)
    assert str(caught.value).startswith(f"{outside}/l.tsv, line 3 (audio): {outside / path} lies outside of the data's")
    assert "say --allow-outside (in a task's file: allow_outside = true)" in str(caught.value)
    assert listed(outside, allow_outside=True) == listed(outside, "allow_outside = true") == ["a", "b"]


@pytest.mark.parametrize("name", ["inside.wav", "sub/../inside.wav", "good.wav", "up/data/inside.wav", "ABSOLUTE"])
def test_ways_around_that_end_inside_are_fine(outside: Path, name: str) -> None:
    path = str(outside / "inside.wav") if name == "ABSOLUTE" else name
    (outside / "l.tsv").write_text(f"id\taudio\ttext\na\t{path}\tone\n")
    assert listed(outside) == ["a"]
    (outside.parent / "other").symlink_to("data")
    if name != "ABSOLUTE":
        assert listed(outside.parent / "other") == ["a"]


@pytest.mark.parametrize(
    ("layout", "content"),
    [
        ("metadata.csv", "../../secret|one|one\n"),
        ("a.trans.txt", "../secret one\n"),
        ("wav.scp", "u1 ../secret.wav\n"),
        ("l.jsonl", '{"audio": "../secret.wav", "text": "one"}\n'),
        ("l.csv", "audio,text\n../secret.wav,one\n"),
    ],
)
def test_no_layout_leads_outside(outside: Path, layout: str, content: str) -> None:
    if layout == "metadata.csv":
        (outside / "wavs").mkdir()
    (outside / layout).write_text(content)
    (outside / "text").write_text("u1 one\n")
    with pytest.raises(UserError, match=r"line \d \(.*\): .* lies outside of the data's folder"):
        listed(outside)
    assert len(listed(outside, allow_outside=True)) == 1


def test_a_list_outside_of_the_folder_is_refused(outside: Path) -> None:
    (outside.parent / "l.tsv").write_text("audio\ttext\ndata/inside.wav\tone\n")
    with pytest.raises(UserError, match=r"l\.tsv lies outside of the data's folder"):
        listed(outside, 'options = {list = "../l.tsv"}')
    (outside / "l.tsv").symlink_to("../l.tsv")
    with pytest.raises(UserError, match=r"lies outside of the data's folder"):
        listed(outside)
    # Given by its own path, it is its folder that counts.
    assert listed(outside.parent / "l.tsv") == ["data/inside"]


def test_the_data_that_a_task_brings_along_are_no_way_out(outside: Path) -> None:
    (outside / "l.tsv").write_text("audio\ttext\nlink.wav\tone\n")
    task = task_from(parse_toml(f'{TASK}data = "data"', "t.toml"), outside.parent / "t.toml")
    with pytest.raises(UserError, match=r"link\.wav lies outside"):
        list_samples(task)
    assert len(list_samples(task, allow_outside=True)) == 1


def test_a_task_in_python_is_trusted_but_for_pipes(outside: Path) -> None:
    sample = spoken_sample("a", outside / "link.wav")
    assert of([sample], outside) == (sample,)
    pipe(outside / "b.wav")
    for bad in (
        spoken_sample("b", outside / "b.wav"),
        Sample("b", (Turn("user", "x"),), answer=Turn("assistant", "y", AudioRef(outside / "b.wav"))),
    ):
        with pytest.raises(UserError, match=r"^task 't' \(.*data\): sample 'b': .*b\.wav is a named pipe"):
            of([bad], outside)


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (["a"], "task 't': listed a str, expected a Sample"),
        ([Sample("", ())], "task 't': the id '' of a sample is empty; give it one"),
        ([Sample(" ", ())], "task 't': the id ' ' of a sample is empty; give it one"),
        ([Sample("a\0b", ())], r"task 't': the id 'a\x00b' of a sample must not hold the character '\x00'"),
        ([Sample("a\x1b[2J", ())], r"task 't': the id 'a\x1b[2J' of a sample must not hold the character '\x1b'"),
        ([Sample("a\u202eb", ())], r"task 't': the id 'a\u202eb' of a sample must not hold the character '\u202e'"),
        ([Sample("a", ()), Sample("a", ())], "task 't': two samples have the id 'a'; give every sample its own"),
        ([Sample("a", (), language="English")], "task 't': sample 'a': language: must be a BCP 47 tag such as 'en'"),
        (None, "task 't': its samples raised TypeError"),
    ],
)
def test_samples_that_are_wrong_are_named(samples: Sequence[object], says: str) -> None:
    with pytest.raises(UserError) as caught:
        of(samples)
    assert str(caught.value).startswith(says)


def test_the_language_of_a_task_is_checked() -> None:
    with pytest.raises(UserError, match=r"^task 't': language: must be a BCP 47 tag .* Did you mean 'en-US'\?$"):
        of([], language="en_US")


@pytest.mark.parametrize(
    "tag",
    [
        *("", "en", "EN", "zh", "yue", "pt-BR", "zh-Hant-TW", "es-419", "sl-rozaj-biske", "de-1996", "zh-cmn-Hans-CN"),
        *("en-a-myext-b-another", "de-CH-x-phonebk", "x-whatever", "nan-tw", "sr-Latn-RS", "hy-Latn-IT-arevela"),
    ],
)
def test_tags_of_rfc_5646(tag: str) -> None:
    """Those of its appendix A, and of Common Voice."""
    assert language_fault(tag) == ""


@pytest.mark.parametrize(
    "tag", ["english", "e", "en_US", "en-", "-en", "de-419-DE", "a-DE", "en US", "ar-a-aaa-b-", "中文", "en\n"]
)
def test_what_is_no_tag(tag: str) -> None:
    assert language_fault(tag).startswith("must be a BCP 47 tag such as 'en', 'zh' or 'pt-BR', not ")


def test_real_paths_are_those_of_the_system(outside: Path) -> None:
    paths = RealPaths()
    for name in (
        "inside.wav",
        "up/data/inside.wav",
        "link.wav",
        "sub/..",
        ".",
        "up",
        "none/a.wav",
        "up/../data/good.wav",
    ):
        assert paths.of(outside / name) == os.path.realpath(outside / name)
    assert paths.is_inside(outside / "sub/x", outside)
    # A folder whose name merely begins so is another one.
    assert not paths.is_inside(outside.parent / "data2" / "x", outside)


class Text(str):
    """A text of a class of its own, which can't be compared."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        # What mypy would refuse, a task in Python that nobody type-checks can list.
        (Sample("a", "x"), "sample 'a': turns: must be a list of objects, not 'x'. Correct the task's list."),  # type: ignore[arg-type]
        (Sample("a", None), "sample 'a': turns: must be a list of objects, not null."),  # type: ignore[arg-type]
        (Sample("a", (None,)), "sample 'a': turns[0]: must be an object, not null."),  # type: ignore[arg-type]
        (Sample("a", (Turn("user", "", "x.wav"),)), "sample 'a': turns[0].audio: must be an object, not 'x.wav'."),  # type: ignore[arg-type]
        (Sample("a", (), answer="x"), "sample 'a': answer: must be an object, not 'x'."),  # type: ignore[arg-type]
        (Sample("a", (), language=5), "sample 'a': language: must be a string, not 5."),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_fields_of_a_sample_that_hold_something_else_are_named(sample: object, says: str) -> None:
    with pytest.raises(UserError) as raised:
        of([sample])
    assert str(raised.value).startswith(f"task 't': {says}")


def test_a_sample_of_a_task_in_python_may_name_a_path_as_text_and_have_texts_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    turn = Turn("user", "", AudioRef(str(tmp_path / "a.wav")))  # type: ignore[arg-type]
    (found,) = of([Sample(Text("a"), (turn,))])
    assert type(found.id) is str
    assert found.audio == AudioRef(tmp_path / "a.wav")


def conversation(**answers_to: object) -> list[Sample]:
    """Rounds by id, each with what the system answered to another one."""
    return [
        Sample(name.replace("_", "-"), (Turn("assistant", answer_to=one), Turn("user", "and?")))  # type: ignore[arg-type]  # as plug-ins do
        for name, one in answers_to.items()
    ]


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (conversation(c_1="", c_2="c-l"), "sample 'c-2': answer_to: 'c-l' is no sample that is listed before it"),
        (conversation(c_1="c-1"), "sample 'c-1': answer_to: 'c-1' is no sample that is listed before it"),
        (conversation(c_1="c-2", c_2="c-1"), "sample 'c-1': answer_to: 'c-2' is no sample that is listed before it"),
        (conversation(c_1="", c_2=["c-1"]), "sample 'c-2': turns"),
    ],
    ids=["misspelled", "itself", "a cycle", "no text"],
)
def test_an_answer_is_to_an_earlier_sample(samples: list[Sample], says: str) -> None:
    with pytest.raises(UserError) as caught:
        of(samples)
    assert str(caught.value).startswith(f"task 't': {says}")


def test_an_answer_to_any_earlier_sample_may_be_named() -> None:
    samples = conversation(c_1="", d_1="", c_2="c-1", d_2="d-1", c_3="c-2")
    assert of(samples) == tuple(samples)
