"""What the pages about gates and CIs show works: commands, thresholds, the test without a plugin, our own baseline."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tttbench.cli.main import build_parser, main
from tttbench.gate.baseline_file import read_baseline
from tttbench.gate.rules import QualityRule, Rules, read_rules
from tttbench.gate.stale import staleness
from tttbench.gate.valid import problems
from tttbench.stats.power import PairedPower, detectable_paired_difference

ROOT = Path(__file__).resolve().parent.parent


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[list[str]]:
    """Every command line of ``tttbench`` on the page, those of the workflow too."""
    lines = [line for language in ("sh", "yaml") for block in blocks(page, language) for line in block.splitlines()]
    found = [re.sub(r"^\s*- run: ", "", line).split("#")[0].strip() for line in lines]
    return [shlex.split(line)[1:] for line in found if line.startswith("tttbench ")]


@pytest.mark.parametrize("page", ["gate.md", "ci.md"])
def test_every_command_is_one_that_the_parser_takes(page: str) -> None:
    assert len(commands(page)) >= 5
    for words in commands(page):
        build_parser().parse_args(words)


def test_the_thresholds_on_the_page_are_the_defaults(tmp_path: Path) -> None:
    (text,) = blocks("gate.md", "toml")
    path = tmp_path / "rules.toml"
    path.write_text(text)
    rules, defaults = read_rules(path), Rules()
    for field in ("alpha", "power", "resamples", "seed", "max_errors", "max_derivation_failed", "speed"):
        assert getattr(rules, field) == getattr(defaults, field)
    for field in ("max_others_cores", "max_calibration_difference"):
        assert getattr(rules, field) == getattr(defaults, field)
    assert rules.of_metric("t", "cer", is_primary=False) == defaults.of_metric("t", "cer", is_primary=False)
    assert rules.of_figure("t", "ttft") == defaults.of_figure("t", "ttft")


def test_our_own_gate_is_the_one_that_the_page_names() -> None:
    tox = (ROOT / "tox.ini").read_text()
    assert "tttbench gate {tox_root}{/}tests{/}baselines{/}mini.json run --speed off" in tox


def test_our_own_baseline_fits_what_is_here() -> None:
    baseline = read_baseline(ROOT / "tests" / "baselines" / "mini.json")
    suite = tomllib.loads((ROOT / "tasks" / "suites" / "mini.toml").read_text())
    assert list(baseline.snapshot.systems) == [system["name"] for system in suite["systems"]]
    assert list(baseline.snapshot.tasks) == [task["name"] for task in suite["tasks"]]
    assert {len(task.samples) for task in baseline.snapshot.tasks.values()} == {suite["limit"]}
    assert problems(baseline.snapshot, Rules()) == ()
    # Its age is no defect of a checkout; what was measured must still be what would be measured.
    assert [reason for reason in staleness(baseline) if not reason.endswith("days old")] == []


@pytest.mark.slow
def test_the_test_without_a_plugin_passes_and_fails(tmp_path: Path) -> None:
    (code,) = blocks("ci.md", "python")
    (tmp_path / "test_gate.py").write_text(code)
    words = [
        "run",
        "mini",
        "--limit",
        "2",
        "--systems",
        "ttt:mini",
        "--tasks",
        "mini_asr",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main(words) == 0
    folder = tmp_path / "baselines"
    assert main(["baseline", "save", str(tmp_path / "run"), "--name", "small", "--folder", str(folder)]) == 0

    def pytest_of_the_page() -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_gate.py"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout

    assert pytest_of_the_page()[0] == 0
    path = folder / "small.json"
    path.write_text(path.read_text().replace("wer@1", "wer@0"))
    status, out = pytest_of_the_page()
    assert status == 1
    assert "not comparable: scorer" in out


def detectable(n: int, metrics: int, change: float) -> float:
    """What a gate of so many metrics finds with n samples, of whose answers a share changes half each way."""
    rules = Rules()
    basis = PairedPower(n, float(n), math.sqrt(change / n))
    margin = QualityRule(gates=True).worse_by_more_than
    return detectable_paired_difference(basis, level=1 - rules.alpha / metrics, power=rules.power, margin=margin)


def test_the_numbers_of_samples_are_those_that_the_power_function_gives() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    rows = re.findall(r"^\| (\d+) points \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert len(rows) == 4
    for points, *numbers in rows:
        for n, (metrics, change) in zip(map(int, numbers), [(1, 0.0), (6, 0.0), (1, 0.05), (6, 0.05)], strict=True):
            assert detectable(n, metrics, change) <= int(points) / 100
            # With one sample less it isn't found.
            assert not detectable(n - 1, metrics, change) <= int(points) / 100
    assert "34 points of one metric, 44 of six" in " ".join(text.split())
    assert [round(100 * detectable(32, metrics, 0.0)) for metrics in (1, 6)] == [34, 44]
    gate = " ".join((ROOT / "docs" / "gate.md").read_text().split())
    assert "32 samples of one metric would have shown 34 points or more, of six that gate 44." in gate
