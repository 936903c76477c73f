"""What stands in the repository itself: no large file unnoticed, and metadata that agree with one another."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LARGE_BYTES = 300_000

_ABLATION = "a model of the ablation, first of three seeds; in git, in no wheel"

LARGE_FILES = {
    "reference_model/weights/mini/model.safetensors": "the hybrid model of the default suite",
    "reference_model/weights/mini-ar/model.safetensors": "the AR model of the default suite",
    "reference_model/weights/mini-nar/model.safetensors": "the NAR model of the default suite",
    "reference_model/weights/mini-codec/model.safetensors": "the codec of all mini models",
    "reference_model/weights/ablation-ttt/model.safetensors": _ABLATION,
    "reference_model/weights/ablation-ar/model.safetensors": _ABLATION,
    "reference_model/weights/ablation-nar/model.safetensors": _ABLATION,
    "reference_model/weights/ablation-no_banom/model.safetensors": _ABLATION,
    "reference_model/weights/ablation-no_ppm/model.safetensors": _ABLATION,
    "reference_model/weights/ablation-no_sst/model.safetensors": _ABLATION,
    "tasks/mini/train/codes.safetensors": "what the mini models are trained on, so that training needs no download",
    "tasks/mini2/train/codes.safetensors": "likewise of the second mini world",
    "tasks/mini2/test/asr.tar": "the sentences of the second mini world, spoken",
    "tasks/mini2/test/qa.tar": "its questions, spoken, with the answers' reference audio",
    "reference_model/weights/mini2-codec/model.safetensors": "the codec of the second mini world",
}
"""Files over ``LARGE_BYTES``, and why they are in the repository: whoever clones it has them for good."""


@pytest.fixture(scope="module")
def large() -> set[str]:
    """Files over the limit that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert len(names) > 1000
    return {name for name in names if (ROOT / name).stat().st_size > LARGE_BYTES}


def test_a_large_file_is_listed_with_its_reason(large: set[str]) -> None:
    unlisted = sorted(large - LARGE_FILES.keys())
    assert not unlisted, (
        f"over {LARGE_BYTES // 1000} kB; make it smaller, or list it in {Path(__file__).name}: {unlisted}"
    )


def test_a_listed_file_is_there_and_large(large: set[str]) -> None:
    assert sorted(LARGE_FILES.keys() - large) == []


def test_the_citation_is_of_this_version_and_of_the_paper() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^version: {re.escape(version)}$", text, re.MULTILINE)
    assert re.search(r"^authors:\n  - name: The tttbench authors$", text, re.MULTILINE)
    assert 'title: "From Text to Talk: Audio-Language Model Needs Non-Autoregressive Joint Training"' in text
    assert "arXiv:2509.20072" in text


def test_pre_commit_runs_the_pinned_ruff() -> None:
    pinned = re.search(r"^ruff==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    hooks = re.findall(r'"ruff==([^"]+)"', (ROOT / ".pre-commit-config.yaml").read_text())
    assert hooks == [pinned[1]] * 2


def test_lines_of_prose_are_at_most_120_characters() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tasks/**/*.md")]
    assert len(pages) > 15
    long = [
        f"{page.relative_to(ROOT)}:{number}: {len(line)}"
        for page in pages
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120 and not line.lstrip().startswith("|")  # a row of a table can't be broken
    ]
    assert long == []
