"""``benchmarks/decoding.py`` on the smallest shape: the ratios, the table, the last line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.decoding import main

ROOT = Path(__file__).resolve().parents[2]
PROMISED = (
    "exact_vs_none_256",
    "exact_vs_none_1024",
    "ar_vs_transformers",
    "ar_vs_transformers_mini",
    "block_vs_ar",
    "batch16_vs_1",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benchmarks/decoding.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_ratio_is_measured_and_the_last_line_is_json() -> None:
    ended = run("--shape", "tiny", "--repeats", "1", "--json", "--threads", "1")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout.splitlines()[-1])
    assert set(PROMISED) <= set(document["ratios"])
    assert all(ratio > 0 for ratio in document["ratios"].values())
    assert {part["machine"]["threads"] for part in document["parts"].values()} == {1}
    assert {point["step"] for point in document["parts"]["curve"]["curve"]["points"]} == {"text", "span"}
    for name in PROMISED:
        assert name in ended.stdout.splitlines()[1 + list(document["ratios"]).index(name)]


def test_a_part_that_is_saved_later_is_kept_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--shape", "tiny", "--repeats", "1", "--threads", "1", "--save", str(tmp_path), "--only")
    for name in ("curve", "block_vs_ar"):
        assert main([*common, name]) == 0
        assert list(json.loads(capsys.readouterr().out.splitlines()[-1])["parts"]) == [name]
    saved = json.loads((tmp_path / "decoding.json").read_text())
    assert [(name, part["command"].split()[-1]) for name, part in saved["parts"].items()] == [
        ("block_vs_ar", "block_vs_ar"),
        ("curve", "curve"),
    ]
    assert "block_vs_ar" in (tmp_path / "decoding.md").read_text()


def test_what_could_not_be_saved_is_not_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "decoding.json").write_text('{"shape": "tiny", "parts": {}}')
    with pytest.raises(SystemExit, match="2"):
        main(["--shape", "mini", "--save", str(tmp_path)])
    said = capsys.readouterr()
    assert "holds shape 'tiny', not 'mini'" in said.err
    assert "…" not in said.err


def test_an_unknown_measurement_is_refused_with_the_names_there_are() -> None:
    ended = run("--only", "exact_vs_non")
    assert ended.returncode == 2
    assert "exact_vs_none_256" in ended.stderr
    assert "Traceback" not in ended.stderr
