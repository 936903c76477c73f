"""Tasks that are TOML files: every key, its default, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core import plugins
from tttbench.core.errors import UserError
from tttbench.core.plugins import SourceEntry
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.task import Needs, Task
from tttbench.data.documents import parse_toml
from tttbench.data.task_files import load, task_from

LEAST = """
title = "Digits"
family = "asr"
description = "Digit strings."
source = "listed"
scores = ["wer", {scorer = "cer", id = "c"}]
"""

ALL = f"""{LEAST}
options = {{part = "b"}}
data = "folder"
get = "from the moon."
size = 7
hours = 1.5
license = "CC0"
instruction = "Transcribe."
language = "en"
max_seconds = 5
doubles_as = ["other"]
allow_outside = true
needs = {{accepts = ["text"], produces = ["audio"], turns = true}}
"""


def listed(folder: Path, part: str = "a") -> list[Sample]:
    return [Sample(f"{folder.name}-{part}", (Turn("user", "x"),))]


@pytest.fixture(autouse=True)
def _source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins.sources, "get", {"listed": SourceEntry(listed, ("part", "where"), "")}.__getitem__)


def task(text: str) -> Task:
    return task_from(parse_toml(text, "tasks/digits.toml"), Path("tasks/digits.toml"))


def test_every_key_of_a_task() -> None:
    found = task(ALL)
    assert found == Task(
        name="digits",
        title="Digits",
        family="asr",
        description="Digit strings.",
        scores=(ScoreSpec("wer", "wer"), ScoreSpec("cer", "c")),
        samples=found.samples,
        instruction="Transcribe.",
        needs=Needs(frozenset({"text"}), frozenset({"audio"}), True),
        language="en",
        max_seconds=5.0,
        doubles_as=("other",),
        data=Path("tasks/folder"),
        size=7,
        hours=1.5,
        license="CC0",
        get="from the moon.",
        allow_outside=True,
    )
    assert [one.id for one in found.samples(None)] == ["folder-b"]
    assert [one.id for one in found.samples(Path("mine"))] == ["mine-b"]


def test_what_a_task_does_not_say_is_the_default() -> None:
    found = task(LEAST)
    assert found == Task(
        name="digits",
        title="Digits",
        family="asr",
        description="Digit strings.",
        scores=(ScoreSpec("wer", "wer"), ScoreSpec("cer", "c")),
        samples=found.samples,
        needs=Needs(frozenset({"audio"}), frozenset({"text"}), False),
        max_seconds=30.0,
        allow_outside=False,
    )
    assert [one.id for one in found.samples(Path("mine"))] == ["mine-a"]
    assert task(f"{LEAST}needs = {{}}").needs == found.needs


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "digits: needs a folder of data, or an archive. Make one and give it with --data digits=PATH."),
        (
            'get = "at x.org."',
            "digits: needs a folder of data, or an archive. Get it at x.org and give it with --data digits=PATH.",
        ),
    ],
)
def test_a_task_without_data_says_where_to_get_them(more: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        task(LEAST + more).samples(None)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'{LEAST}options = {{prt = "b"}}', "options: listed has no 'prt'. Did you mean 'part'?"),
        (LEAST.replace('["wer", {scorer = "cer", id = "c"}]', '["wer", ""]'), "scores[1]: must"),
        (LEAST.replace('["wer", {scorer = "cer", id = "c"}]', '["wer:x"]'), "scores[0] 'wer': 'x' must be OPTION"),
        (LEAST.replace('["wer", {scorer = "cer", id = "c"}]', "[]"), "scores: must"),
        (f"{LEAST}max_seconds = 0", "max_seconds: must"),
        (f"{LEAST}needs = {{turn = true}}", "needs.turn: "),
        (f"{LEAST}tittle = 'x'", "tittle: "),
        (
            f"{LEAST}language = 'english'",
            "language: must be a BCP 47 tag such as 'en', 'zh' or 'pt-BR', not",
        ),
        (
            f"{LEAST}language = 'en_US'",
            "language: must be a BCP 47 tag such as",
        ),
    ],
)
def test_a_key_that_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        task(text)
    assert str(caught.value).startswith(f"tasks/digits.toml: {says}")


def test_a_file_with_a_source_is_registered_and_another_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: dict[str, object] = {}
    monkeypatch.setattr(plugins.tasks, "add", added.__setitem__)
    for name, text in (("digits", LEAST), ("suite", 'title = "x"\n[sources]'), ("empty", "")):
        (tmp_path / f"{name}.toml").write_text(text)
        load(tmp_path / f"{name}.toml")
    assert list(added) == ["digits"]
    make = added["digits"]
    assert callable(make)
    assert make().title == "Digits"
    with pytest.raises(UserError, match=r"none\.toml: no such file\. Check the path\."):
        load(tmp_path / "none.toml")
