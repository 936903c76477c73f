"""``benchmarks/training.py`` on the smallest shape: both ways compute the same loss, and the last line is JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import training
from benchmarks.shapes import SHAPES, random_model


def test_both_ways_have_the_same_loss_and_gradients() -> None:
    model, work = random_model(SHAPES["tiny"]).train(), training.WORK["tiny"]
    rows = training.documents(model.config, work.documents, work.length)
    gradients = []
    losses = []
    for way in (training.padded, training.packed):
        losses.append(way(model, rows, work))
        gradients.append([parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None])
        model.zero_grad(set_to_none=True)
    assert len(gradients[0]) == len(gradients[1]) == len(list(model.parameters()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert all(torch.allclose(one, other, atol=1e-4) for one, other in zip(*gradients, strict=True))


@pytest.mark.slow
def test_it_is_measured_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--shapes", "tiny", "--repeats", "1", "--threads", str(torch.get_num_threads())]
    assert training.main([*arguments, "--save", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document == json.loads((tmp_path / "training.json").read_text())
    assert document["ratios"]["tiny"] > 0
    part = document["parts"]["tiny"]
    assert part["packed_gib"] > 0
    assert part["padded_gib"] > 0
