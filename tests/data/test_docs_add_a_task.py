"""The examples of docs/add_a_task.md and docs/add_a_source.md, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.registry import include
from tttbench.core.sample import AudioRef

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_tasks_are_found_and_list_their_samples(tmp_path: Path) -> None:
    page = (DOCS / "add_a_task.md").read_text()
    (toml,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (python,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "my_tasks").mkdir()
    (tmp_path / "my_tasks" / "digits.toml").write_text(toml)
    (tmp_path / "my_tasks" / "counting.py").write_text(python)
    include(tmp_path / "my_tasks")

    (tmp_path / "digits.tsv").write_text("audio\ttext\tspeaker\na.wav\tone two\tann\nb.wav\tfour\tbob\n")
    task = build_task("digits")
    sample, _ = task.samples(tmp_path)
    assert (sample.id, sample.audio, sample.references) == ("a", AudioRef(tmp_path / "a.wav"), ("one two",))
    assert sample.cluster == "ann"
    with pytest.raises(UserError, match=r"digits: needs a folder of data, or an archive\..* --data digits=PATH"):
        task.samples(None)
    first = build_task("counting").samples(None)[0]
    assert (first.text, first.reference) == ("3", "1 2 3")


def test_the_source_is_found_and_names_what_is_missing(tmp_path: Path) -> None:
    page = (DOCS / "add_a_source.md").read_text()
    (python,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (toml,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "beside.py").write_text(python)
    (tmp_path / "mine" / "notes.toml").write_text(toml)
    include(tmp_path / "mine")
    (tmp_path / "a.wav").touch()
    (tmp_path / "a.txt").write_text("hello\n")
    assert [sample.references for sample in build_task("notes").samples(tmp_path)] == [("hello",)]
    (tmp_path / "b.wav").touch()
    with pytest.raises(UserError, match=r"b\.txt: no such file"):
        build_task("notes").samples(tmp_path)
