"""Several processes train what one trains, each with a copy of the network or a shard, and go on from each other."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from reference_model.errors import ConfigError
from reference_model.training import trainer

from .test_trainer import EXAMPLES, SETTINGS, TOKENIZER, fresh

PROGRAM = """
import dataclasses, pathlib, sys
import torch
from test_trainer import EXAMPLES, SETTINGS, TOKENIZER, fresh
from reference_model.training.processes import leave
from reference_model.training.trainer import train
folder, until, shard, accumulate, n_processes = sys.argv[1:]
settings = dataclasses.replace(SETTINGS, batch_size=4, shard=shard == "shard", accumulate=int(accumulate))
model = fresh()
train(model, TOKENIZER, EXAMPLES, settings, pathlib.Path(folder), until=int(until))
if int(n_processes) > 1:
    assert torch.distributed.get_world_size() == int(n_processes)
    assert torch.distributed.get_backend() == "gloo"
# Sharded weights are not in the model, which the caller keeps.
emptied = {parameter.is_meta for parameter in model.parameters()}
assert emptied == {shard == "shard" and int(n_processes) > 1}, emptied
leave()
"""

BREAKING = """
import dataclasses, pathlib, sys
from test_trainer import EXAMPLES, SETTINGS, TOKENIZER, fresh
from reference_model.training.trainer import train
folder, until, shard, accumulate, n_processes = sys.argv[1:]
settings = dataclasses.replace(SETTINGS, batch_size=4, shard=shard == "shard")

def report(progress):
    if progress.step == 3:
        raise ValueError("the first process breaks off")

train(fresh(), TOKENIZER, EXAMPLES, settings, pathlib.Path(folder), report=report, report_every=3)
"""

# Registered before the training, so it looks after the training's own last act.
WATCHED = """
import atexit, os, pathlib, sys

def look():
    tasks = pathlib.Path("/proc/self/task").glob("*")
    left = sum("gloo" in (task / "comm").read_text() for task in tasks)
    pathlib.Path(sys.argv[0]).with_name("left." + os.environ.get("RANK", "0")).write_text(str(left))

atexit.register(look)
"""

pytestmark = pytest.mark.slow


def train_in(
    n_processes: int, folder: Path, *, until: int = SETTINGS.steps, shard: bool = False, parts: int = 1
) -> None:
    done = start(n_processes, folder, PROGRAM, until=until, shard=shard, parts=parts)
    assert done.returncode == 0, done.stderr[-3000:]
    if Path("/proc/self/task").exists():
        # A thread that outlives its group can end the process with SIGABRT.
        assert [threads_left(folder, rank) for rank in range(n_processes)] == [0] * n_processes


def start(
    n_processes: int, folder: Path, text: str, *, until: int = SETTINGS.steps, shard: bool = False, parts: int = 1
) -> subprocess.CompletedProcess[str]:
    program = folder.parent / "program.py"
    program.write_text(WATCHED + text)
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(n_processes)]
    # A free port of its own, so that several test runs on one machine don't meet.
    launcher += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    arguments = [str(program), str(folder), str(until), "shard" if shard else "copy", str(parts), str(n_processes)]
    path = [*map(str, Path(__file__).parents[:2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, *(launcher if n_processes > 1 else []), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def threads_left(folder: Path, rank: int) -> int:
    return int((folder.parent / f"left.{rank}").read_text())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("alone") / "model"
    train_in(1, folder)
    return load_file(folder / "training.safetensors")


def furthest(folder: Path, expected: dict[str, torch.Tensor]) -> float:
    found = load_file(folder / "training.safetensors")
    assert found.keys() == expected.keys()
    return max(float((value - expected[name]).abs().max()) for name, value in found.items())


@pytest.mark.parametrize(("shard", "parts"), [(False, 2), (True, 1), (True, 2)])
def test_two_processes_train_what_one_trains(
    tmp_path: Path, alone: dict[str, torch.Tensor], shard: bool, parts: int
) -> None:
    train_in(2, tmp_path / "model", shard=shard, parts=parts)
    assert furthest(tmp_path / "model", alone) < 1e-4


def test_shards_go_on_where_one_process_stopped_and_the_other_way_round(
    tmp_path: Path, alone: dict[str, torch.Tensor]
) -> None:
    train_in(1, tmp_path / "model", until=2)
    train_in(2, tmp_path / "model", until=4, shard=True)
    train_in(1, tmp_path / "model")
    assert furthest(tmp_path / "model", alone) < 1e-4


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_a_process_that_breaks_off_leaves_no_thread_either(tmp_path: Path) -> None:
    done = start(2, tmp_path / "model", BREAKING, shard=True)
    assert "ValueError: the first process breaks off" in done.stderr
    assert threads_left(tmp_path / "model", rank=0) == 0
    assert "SIGABRT" not in done.stderr


def test_a_batch_that_cannot_be_shared_out_is_refused(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, batch_size=3, accumulate=2)
    with pytest.raises(
        ConfigError, match=r"'batch_size' is 3, expected a multiple of 1 processes times accumulate = 2"
    ):
        trainer.train(fresh(), TOKENIZER, EXAMPLES, settings, tmp_path)
