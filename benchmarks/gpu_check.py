"""Correctness and speed on a CUDA device, in one command of under eight minutes that downloads nothing.

    python benchmarks/gpu_check.py --out gpu_check.json
    python benchmarks/gpu_check.py --tiny --device cpu        # a smoke test where there is no GPU

Backends ``sdpa``, ``flex``, ``xformers``, what ``auto`` makes of them, and graph decoding are held against fp64; then
the 3B shape (random weights, bf16) is timed at batch 1 and 64 against the limit of the device, measured in the same
run. Every part runs in a process of its own, so that one that fails or hangs costs only itself. Knows the parts' names;
what they do stands in ``gpu_attention.py`` and ``gpu_sections.py``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

MOST_S: Mapping[str, float] = {
    "device": 60,
    "attention_sdpa": 60,
    "attention_flex": 120,
    "attention_xformers": 60,
    "attention_auto": 60,
    "logits": 90,
    "ragged_xformers": 60,
    "gradient": 90,
    "graphs": 60,
    "speed_1": 90,
    "speed_64": 120,
    "graphs_compiled": 120,
    "speed_1_compiled": 150,
    "speed_64_compiled": 150,
}
"""The parts in the order in which they run, each with the most seconds it may take; what matters most comes first."""

GOALS = {"speed_1": 60.0, "speed_64": 50.0}
"""Percent of the limit that the schedule should reach, the better of plain and compiled."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes: shows that it runs, measures nothing")
    parser.add_argument("--out", type=Path, default=Path("gpu_check.json"), metavar="FILE", help="the JSON to write")
    parser.add_argument("--budget-s", type=float, default=450.0, metavar="S", help="no part runs on after so long")
    parser.add_argument("--only", action="append", choices=list(MOST_S), metavar="PART", help=", ".join(MOST_S))
    parser.add_argument("--part", choices=list(MOST_S), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.part:
        before = json.loads(args.out.read_text(encoding="utf-8"))
        args.out.write_text(json.dumps(run_here(args.part, args.device, args.tiny, before)), encoding="utf-8")
        return 0
    on_gpu = args.device.startswith("cuda")
    if on_gpu:
        import torch

        if not torch.cuda.is_available():
            parser.error(f"--device {args.device}: torch sees no CUDA device; --tiny --device cpu runs everywhere")
    began_s = time.monotonic()
    done: dict[str, Any] = {"benchmark": "gpu_check", "tiny": args.tiny}
    for name, most_s in MOST_S.items():
        if args.only and name not in {"device", *args.only}:
            continue
        left_s = args.budget_s - (time.monotonic() - began_s)
        before_s = time.monotonic()
        if on_gpu:
            found = run_apart(name, args.device, args.tiny, done, min(most_s, left_s))
        else:
            # A CPU has no context that a failing part could take with it.
            found = run_here(name, args.device, args.tiny, done)
        done[name] = {**found, "section_s": round(time.monotonic() - before_s, 2)}
        args.out.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
        print(f"{name:20} {summary(done[name])}", flush=True)
    failed = [name for name in MOST_S if "error" in done.get(name, {}) or done.get(name, {}).get("ok") is False]
    done["summary"] = {name: best_percent(done, name) for name in GOALS} | {"goals": GOALS, "failed": failed}
    args.out.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(done))
    return 1 if failed else 0


def run_here(name: str, device: str, tiny: bool, done: Mapping[str, Any]) -> dict[str, Any]:
    """Run one part; its failure becomes its result."""
    try:
        from benchmarks.gpu_attention import Where
        from benchmarks.gpu_sections import SECTIONS

        return SECTIONS[name](Where(device, tiny), done)
    except Exception as error:  # whatever a driver, a compiler or a missing package raises is a finding here
        return {"error": f"{type(error).__name__}: {error}"[:2000], "trace": traceback.format_exc()[-3000:]}


def run_apart(name: str, device: str, tiny: bool, done: Mapping[str, Any], most_s: float) -> dict[str, Any]:
    """Run one part in a process of its own, for ``most_s`` seconds at most."""
    if most_s < 15:
        return {"error": "left out: the time budget was spent"}
    with tempfile.TemporaryDirectory() as folder:
        exchange = Path(folder) / "part.json"
        exchange.write_text(json.dumps({"device": done.get("device", {})}), encoding="utf-8")
        command = [sys.executable, __file__, "--part", name, "--device", device, "--out", str(exchange)]
        try:
            ended = subprocess.run(
                command + (["--tiny"] if tiny else []),
                capture_output=True,
                text=True,
                timeout=most_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"error": f"took more than {most_s:.0f} s"}
        if ended.returncode != 0:
            return {"error": f"ended with {ended.returncode}", "trace": ended.stderr[-3000:]}
        found: dict[str, Any] = json.loads(exchange.read_text(encoding="utf-8"))
        return found


def summary(found: Mapping[str, Any]) -> str:
    """One line of a part's result."""
    if "error" in found:
        return f"ERROR  {found['error'].splitlines()[0][:90]}"
    if "schedule" in found:
        line = ", ".join(f"{name} {found[name]['percent']:.0f} %" for name in ("text", "block", "close", "schedule"))
        ratio = f"; {found['no_cache']['ratio']:.1f} times the loop with no cache" if "no_cache" in found else ""
        return f"of the limit: {line}{ratio}"
    if "bfloat16" in found:
        ceilings = found["bfloat16"]
        return f"{ceilings['peak_flops'] / 1e12:.4g} TFLOP/s bf16, {ceilings['bandwidth'] / 1e12:.4g} TB/s"
    return "ok" if found.get("ok") else "NOT OK: errors above the tolerance, see the JSON"


def best_percent(done: Mapping[str, Any], name: str) -> float | None:
    """The better of the plain and the compiled schedule, in percent of the limit."""
    reached = [done.get(key, {}).get("schedule", {}).get("percent") for key in (name, f"{name}_compiled")]
    return max((percent for percent in reached if percent is not None), default=None)


if __name__ == "__main__":
    # Without this folder, whose files would hide packages of the same names; the repository last, so that an installed
    # reference model is the one that is checked.
    sys.path = [*(entry for entry in sys.path if Path(entry).resolve() != ROOT / "benchmarks"), str(ROOT)]
    sys.exit(main())
