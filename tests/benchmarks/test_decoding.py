"""``benchmarks/decoding.py`` on the smallest shape: the ratios, the table, the last line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    assert document["machine"]["threads"] == 1
    assert {point["step"] for point in document["curve"]} == {"text", "span"}


def test_an_unknown_measurement_is_refused_with_the_names_there_are() -> None:
    ended = run("--only", "exact_vs_non")
    assert ended.returncode == 2
    assert "exact_vs_none_256" in ended.stderr
    assert "Traceback" not in ended.stderr
