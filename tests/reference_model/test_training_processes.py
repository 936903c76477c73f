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
from test_trainer import EXAMPLES, SETTINGS, TOKENIZER, fresh

from reference_model.errors import ConfigError
from reference_model.training import trainer

PROGRAM = """
import dataclasses, pathlib, sys
import torch
from torch.distributed.tensor import DTensor
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
spread = {isinstance(parameter, DTensor) for parameter in model.parameters()}
assert spread == {shard == "shard" and int(n_processes) > 1}, spread
leave()
"""

pytestmark = pytest.mark.slow


def train_in(
    n_processes: int, folder: Path, *, until: int = SETTINGS.steps, shard: bool = False, parts: int = 1
) -> None:
    program = folder.parent / "program.py"
    program.write_text(PROGRAM)
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(n_processes)]
    # A free port of its own, so that several test runs on one machine don't meet.
    launcher += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    arguments = [str(program), str(folder), str(until), "shard" if shard else "copy", str(parts), str(n_processes)]
    done = subprocess.run(
        [sys.executable, *(launcher if n_processes > 1 else []), *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("alone") / "model"
    train_in(1, folder)
    return load_file(folder / "training.safetensors")


def furthest(folder: Path, expected: dict[str, torch.Tensor]) -> float:
    found = load_file(folder / "training.safetensors")
    assert found.keys() == expected.keys()
    return max(float((value - expected[name]).abs().max()) for name, value in found.items())


@pytest.mark.parametrize(("shard", "parts"), [(False, 1), (False, 2), (True, 1), (True, 2)])
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


def test_a_batch_that_cannot_be_shared_out_is_refused(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, batch_size=3, accumulate=2)
    with pytest.raises(
        ConfigError, match=r"'batch_size' is 3, expected a multiple of 1 processes times accumulate = 2"
    ):
        trainer.train(fresh(), TOKENIZER, EXAMPLES, settings, tmp_path)
