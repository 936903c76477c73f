"""``benchmarks/gpu_check.py`` on a CPU: every part runs, and one that fails is a finding, not an end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("gpu") / "check.json"
    command = [sys.executable, "benchmarks/gpu_check.py", "--tiny", "--device", "cpu", "--out", str(out)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stderr  # as xformers' parts fail here
    written: dict[str, Any] = json.loads(out.read_text())
    assert json.loads(process.stdout.splitlines()[-1]) == written
    return written


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["attention_sdpa", "attention_flex", "attention_auto", "logits", "gradient", "graphs", "graphs_compiled"]
)
def test_what_is_held_against_fp64_is_right(ended: dict[str, Any], part: str) -> None:
    assert ended[part].get("ok"), ended[part]


@pytest.mark.slow
def test_xformers_on_a_cpu_is_recorded_as_an_error_and_the_rest_goes_on(ended: dict[str, Any]) -> None:
    parts = ["attention_xformers", "ragged_xformers"]
    for part in parts:
        assert "use attention='sdpa'" in ended[part]["error"]
    assert "schedule" in ended["speed_64"]
    assert ended["summary"]["failed"] == parts


def test_sequences_of_one_pool_are_held_against_fp64(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a call for each sequence in place of xformers' the part passes; with one that sees a key less it fails."""
    from benchmarks import gpu_attention
    from reference_model import decode_step
    from reference_model.attention.rows import attend_rows
    from reference_model.transformer import TtTModel

    monkeypatch.setattr(TtTModel, "pool_operator", lambda model: None)
    assert gpu_attention.ragged_section(gpu_attention.Where("cpu", True))["ok"]
    n_calls = iter(range(10**6))

    def one_key_less(q: Any, keys: Any, values: Any, limit: tuple[int, ...]) -> Any:
        less = next(n_calls) > 12
        return attend_rows(q, keys, values, tuple(n - 1 for n in limit) if less else limit)

    monkeypatch.setattr(decode_step, "attend_rows", one_key_less)
    assert not gpu_attention.ragged_section(gpu_attention.Where("cpu", True))["ok"]


def test_every_part_has_its_time() -> None:
    from benchmarks.gpu_check import MOST_S
    from benchmarks.gpu_sections import SECTIONS

    assert set(SECTIONS) == set(MOST_S)


def test_a_kernel_that_is_missing_for_one_dtype_leaves_the_other_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from benchmarks import gpu_attention
    from reference_model.attention import attend

    def only_bfloat16(q: torch.Tensor, *rest: Any, attention: str) -> torch.Tensor:
        if q.dtype == torch.float32:
            raise NotImplementedError("no kernel")
        return attend(q, *rest, attention="sdpa")

    monkeypatch.setattr(gpu_attention, "attend", only_bfloat16)
    found = gpu_attention.attention_section(gpu_attention.Where("cpu", True), "xformers")
    assert found["ok_by_dtype"] == {"torch.float32": False, "torch.bfloat16": True}
    assert not found["ok"]
    assert {case.get("raised") for case in found["cases"]} == {None, "NotImplementedError: no kernel"}


def test_a_backend_that_sees_other_keys_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from benchmarks import gpu_attention
    from reference_model.attention import attend

    def one_key_less(q: torch.Tensor, k: Any, v: Any, limit: torch.Tensor, start: Any, attention: str) -> torch.Tensor:
        return attend(q, k, v, (limit - 1).clamp(min=1), None, attention=attention)

    monkeypatch.setattr(gpu_attention, "attend", one_key_less)
    found = gpu_attention.attention_section(gpu_attention.Where("cpu", True), "sdpa")
    assert not any(case["ok"] for case in found["cases"])


@pytest.mark.slow
@pytest.mark.parametrize("part", ["speed_1", "speed_64"])
def test_speed_is_told_in_percent_of_the_limit(ended: dict[str, Any], part: str) -> None:
    found = ended[part]["schedule"]
    assert found["percent"] == pytest.approx(100 * found["limit_s"] / found["s"])
    assert ended[part]["no_cache"]["ratio"] > 0


@pytest.mark.parametrize(
    ("found", "status"), [({"ok": True}, 0), ({"seconds": 1.0}, 0), ({"ok": False}, 1), ({"error": "no memory"}, 1)]
)
def test_the_exit_status_says_whether_a_part_failed(
    found: dict[str, Any], status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from benchmarks import gpu_check

    monkeypatch.setattr(gpu_check, "run_here", lambda *_: dict(found))
    command = ["--tiny", "--device", "cpu", "--only", "logits", "--out", str(tmp_path / "check.json")]
    assert gpu_check.main(command) == status


def test_without_a_gpu_it_says_so() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    process = subprocess.run(
        [sys.executable, "benchmarks/gpu_check.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert "--tiny --device cpu" in process.stderr


def test_logits_of_a_backend_that_sees_other_keys_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import gpu_attention
    from reference_model.attention.flex import FlexBackend

    whole = FlexBackend.plan

    def one_key_less(backend: FlexBackend, limit: Any, *rest: Any) -> Any:
        return whole(backend, (limit - 1).clamp(min=1), *rest)

    monkeypatch.setattr(FlexBackend, "plan", one_key_less)
    found = gpu_attention.logits_section(gpu_attention.Where("cpu", True))
    assert not found["ok"]
    for entry in (found["torch.float32"], found["torch.bfloat16"]):
        assert entry["errors"]["flex"] > entry["tolerance"] > entry["errors"]["auto"]
        assert entry["auto"] == "sdpa"
