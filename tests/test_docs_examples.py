"""Every code block of "add a task" and "add a system" is run as a reader would: saved where the page says, called."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

import tttbench
from tttbench.core.registry import build_task
from tttbench.systems.whisper.weights import is_available_offline

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ("add_a_task.md", "add_a_system.md")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of each code block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def saved_as(page: str) -> str:
    """The file that the page wants its example saved as."""
    (name,) = re.findall(r"Save it as `([^`]+)`", (DOCS / page).read_text())
    return str(name)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Whisper's converted weights are kept while these tests run."""
    return tmp_path_factory.mktemp("cache")


def write_recordings(folder: Path) -> None:
    """Three recordings of the mini world, as the example of "add a task" lists them."""
    folder.mkdir()
    lines = ["audio\ttext\tspeaker"]
    for sample in build_task("mini_asr").samples(None)[:3]:
        samples, rate = soundfile.read(sample.audio)
        soundfile.write(folder / f"{sample.id}.wav", samples, rate)
        lines.append(f"{sample.id}.wav\t{sample.reference}\t{sample.cluster}")
    (folder / "digits.tsv").write_text("\n".join(lines) + "\n")


def call(words: list[str], folder: Path, cache: Path) -> dict[str, object]:
    """Run a command of the page in ``folder``; return its JSON document."""
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
    document: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return document


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "n", "metric"), [("add_a_task.md", 3, "wer"), ("add_a_system.md", 4, "text_accuracy")]
)
def test_every_block_of_the_page_runs(page: str, n: int, metric: str, tmp_path: Path, cache: Path) -> None:
    if not is_available_offline("tiny.en"):
        pytest.skip("The extra 'offline' is not installed: no Whisper to ask and to judge.")
    example = tmp_path / saved_as(page)
    example.parent.mkdir()
    write_recordings(tmp_path / "recordings")
    documents = []
    for language, text in blocks(page):
        if language == "python":
            example.write_text(text)
            continue
        assert language == "sh", f"a block of {language!r} is not run by this test"
        for line in text.splitlines():
            words = shlex.split(line)
            assert words[:2] == ["tttbench", "run"]
            documents.append(call(words, tmp_path, cache))
            shutil.rmtree(tmp_path / "runs")
    assert [document["status"] for document in documents] == ["done"]
    results = documents[0]["results"]
    assert isinstance(results, list)
    (row,) = [row for row in results if row["metric"] == metric and row["system"] in ("whisper:tiny.en", "echo:heard")]
    assert (row["n"], row["error"]) == (n, 0)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_a_page(page: str) -> None:
    assert len((DOCS / page).read_text().splitlines()) <= 85
