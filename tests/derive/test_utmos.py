"""UTMOS by a package of the same form: what is made of its numbers, and weights that are missing or others."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.missing import lacking
from tttbench.core.plugins import build_deriver, check_deriver, derivers, make_ready
from tttbench.core.system import SystemOptions
from tttbench.derive import utmos

torch = pytest.importorskip("torch", reason="needs the extra utmos")

NAME, OPTIONS = "naturalness:utmos", SystemOptions()
PACKAGE = {
    "__init__.py": "from .utmos_torch import UTMOSScoreTorch\n",
    "utmos_torch.py": """import torch

class UTMOSModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(2))

class UTMOSScoreTorch:
    def __init__(self, ckpt_path, device):
        self.gain = torch.load(ckpt_path, weights_only=True)["gain"]

    def score(self, wavs):
        if len(wavs) < 400:
            raise RuntimeError("too short")
        return 3 + self.gain[:1] * wavs.abs().mean()
""",
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of its weights, beside a package that predicts 3 and the mean of a recording's levels."""
    for name, content in PACKAGE.items():
        (tmp_path / "site/utmos_pytorch").mkdir(parents=True, exist_ok=True)
        (tmp_path / "site/utmos_pytorch" / name).write_text(content)
    (tmp_path / "site/utmos_pytorch-0.1.0.dist-info").mkdir()
    told = "Metadata-Version: 2.1\nName: utmos-pytorch\nVersion: 0.1.0\n"
    (tmp_path / "site/utmos_pytorch-0.1.0.dist-info/METADATA").write_text(told)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/utmos").mkdir(parents=True)
    yield tmp_path / "cache/utmos"
    for name in [one for one in sys.modules if one.partition(".")[0] == "utmos_pytorch"]:
        del sys.modules[name]


def test_a_recording_is_given_the_number_of_the_package(cache: Path) -> None:
    torch.save({"gain": torch.tensor([2.0, 0.0]), "unused": torch.zeros(1)}, cache / utmos.WEIGHTS)
    make_ready(NAME, OPTIONS, derivers)
    made = build_deriver(NAME, OPTIONS)
    # 0.5 at 8 kHz is 0.5 at 16 kHz; what is beyond full scale is cut to it.
    waves = [(np.full(8_000, 0.5), 8_000), (np.full(1_600, 3.0), 16_000), (np.zeros(10), 16_000)]
    inputs = [
        DerivationInput(Need(NAME, str(at)), wave.astype(np.float32), rate) for at, (wave, rate) in enumerate(waves)
    ]
    half, loud, short = made.derive(inputs)
    assert isinstance(half, Derived)
    assert isinstance(loud, Derived)
    assert json.loads(half.content)["utmos"] == pytest.approx(4, abs=0.01)
    assert json.loads(loud.content) == {"utmos": 5.0}
    assert str(short) == "too short"
    assert made.recipe.startswith("utmos@1 (utmos-pytorch 0.1.0, utmos_state_dict.pt sha256:")
    assert lacking(NAME, OPTIONS, derivers) == ()


def test_weights_that_are_missing_are_named_with_their_size_and_place(cache: Path) -> None:
    check_deriver(NAME, OPTIONS)
    says = (
        r"naturalness:utmos: its weights utmos_state_dict\.pt \(413 MB\) are missing\. Fix: get utmos_state_dict\.pt "
    )
    with pytest.raises(UserError, match=rf"{says}from Blinorot/UTMOS-PyTorch .*, as \S*/cache/utmos/utmos_state"):
        make_ready(NAME, OPTIONS, derivers)
    (missing,) = lacking(NAME, OPTIONS, derivers) or ()
    assert (missing.what, missing.n_bytes) == ("weights of UTMOS", 412_600_000)
    assert utmos.recipe_of("utmos") == NAME


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            {"gains": [1.0, 1.0]},
            "isn't UTMOS's weights: 1 of 1 tensors are missing or have another shape, gain for one",
        ),
        ({"gain": [1.0]}, "1 of 1 tensors are missing or have another shape"),
        (None, r"can't be read as weights \(\w+\)\. Download it again"),
    ],
)
def test_other_weights_are_refused(cache: Path, content: dict[str, list[float]] | None, says: str) -> None:
    if content is None:
        (cache / utmos.WEIGHTS).write_bytes(b"<html>")
    else:
        torch.save({name: torch.tensor(values) for name, values in content.items()}, cache / utmos.WEIGHTS)
    with pytest.raises(UserError, match=says):
        build_deriver(NAME, OPTIONS)


def test_a_missing_package_names_the_extra_and_there_is_one_predictor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda one: one != "utmos_pytorch")
    with pytest.raises(UserError, match=r"naturalness:utmos needs utmos-pytorch.*tttbench\[utmos\]"):
        check_deriver(NAME, OPTIONS)
    with pytest.raises(UserError, match=r"naturalness:nisqa: no such predictor\. Known: utmos"):
        check_deriver("naturalness:nisqa", OPTIONS)
