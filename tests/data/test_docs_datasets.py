"""The page of published data sets: its commands, tasks and sources are those that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tttbench.cli.main import build_parser
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task, sources, tasks
from tttbench.data.documents import parse_toml
from tttbench.data.task_files import task_from

PAGE = (Path(__file__).parents[2] / "docs/datasets.md").read_text(encoding="utf-8")
PUBLISHED = (
    *("aishell1", "aishell2", "wenetspeech", "gigaspeech", "fleurs", "librispeech", "voxpopuli", "common_voice"),
    *("voicebench", "uro"),
)


def test_every_command_runs_a_task_of_its_row() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|.*\| `(tttbench [^`]+)` \|$", PAGE, re.MULTILINE)
    assert len(rows) == len(PUBLISHED) + len(("UltraEval-Audio", "OpenAudioBench", "Web Questions", "Llama Questions"))
    for names, command in rows:
        task = build_parser().parse_args(shlex.split(command)[1:]).tasks
        name = task if isinstance(task, str) else ",".join(task)
        before, _, after = name.partition("_")
        assert f"`{name}`" in names or (f"`{before}_…`: " in names and f"`{after}`" in names)


def test_the_page_names_every_task_of_a_published_set() -> None:
    published = {name for name in tasks.names() if name.startswith(PUBLISHED)}
    (subsets,) = re.findall(r"^\| `voicebench_…`: (.*?) \|", PAGE, re.MULTILINE)
    told = {f"voicebench_{name}" for name in re.findall(r"`(\w+)`", subsets)} | set(re.findall(r"`(\w+)`", PAGE))
    assert published - told == set()
    assert len(published) == 62


def test_every_set_of_uro_bench_has_its_published_score() -> None:
    section = PAGE.partition("## URO-Bench")[2]
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \| (?:missing|with `--judge`|`spoken_repetition`)[^|]* \|$", section, re.MULTILINE
    )
    named = [name for row in rows for name in re.findall(r"`(uro_\w+)`", row)]
    assert sorted(named) == [name for name in tasks.names() if name.startswith("uro_")]


@pytest.mark.parametrize("name", [name.replace("uro", "uro_bench") for name in PUBLISHED if name != "common_voice"])
def test_the_page_names_every_option_of_a_source(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| (`\w+`: .+) \| .+ \|$", PAGE, re.MULTILINE)
    assert [option for option in sources.get(name).options if f"`{option}`:" not in row] == []


def test_the_example_is_a_task(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    with pytest.raises(UserError, match=r"holds no Android/dev/wav\.scp"):
        task_from(parse_toml(text, "own.toml"), tmp_path / "own.toml").samples(tmp_path)


def test_tasks_say_where_to_get_the_data() -> None:
    for name in (name for name in tasks.names() if name.startswith(PUBLISHED)):
        with pytest.raises(UserError, match=rf"Get it from .* and give it with --data {name}=PATH"):
            build_task(name).samples(None)
