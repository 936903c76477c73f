"""``naturalness:utmos``: UTMOS's mean opinion score of a recording, by the package ``utmos-pytorch``.

The package brings no weights and would fetch them while it runs; here they are got by hand, into the cache. It takes
whatever file it is given, and leaves what that lacks at random, so the file is checked first. The content is a JSON
object with one number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import AbsentError, UserError
from tttbench.core.extras import is_installed, require
from tttbench.core.missing import Missing
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.audio import resample
from tttbench.data.cache import cache_folder
from tttbench.derive.weights import sha256_of

VERSION = 1
"""Raised whenever the same recording may be given another number, for a reason that lies in our code."""

INPUT_HZ = 16_000
SPEC = "utmos"
WEIGHTS = "utmos_state_dict.pt"
WEIGHTS_BYTES = 412_600_000
"""Of the 224 tensors that the package's network has; its file holds a little more."""


class Utmos:
    """Predicts; a ``Deriver``."""

    name = f"naturalness:{SPEC}"
    batch_size = 1  # padding would change the numbers of the shorter ones

    def __init__(self, path: Path) -> None:
        """Load the network, on the CPU; raises ``UserError`` if the file isn't its weights."""
        from utmos_pytorch import UTMOSScoreTorch

        _refuse_others(path)
        self.recipe = recipe_of(SPEC)
        self.details = {"weights": path.name}
        self._score = UTMOSScoreTorch(str(path), "cpu").score

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Predict for recordings, one JSON object each."""
        return [self._one(given) for given in inputs]

    def _one(self, given: DerivationInput) -> Derived | Exception:
        import torch

        assert given.audio is not None  # its needs name a recording
        wave = np.clip(resample(given.audio, given.sample_rate, INPUT_HZ), -1.0, 1.0).astype(np.float32)
        try:
            return Derived("ok", json.dumps({SPEC: round(float(self._score(torch.from_numpy(wave))), 6)}))
        except Exception as error:  # what a network makes of an odd recording concerns that one alone
            return error


def weights() -> Path:
    """Where its weights are looked for."""
    return cache_folder() / SPEC / WEIGHTS


def _how_to_get() -> str:
    return f"get {WEIGHTS} from Blinorot/UTMOS-PyTorch on the Hugging Face hub, as {weights()}"


def _refuse_others(path: Path) -> None:
    """Raise ``UserError`` for a file that lacks a tensor of the network, or has it in another shape."""
    import torch
    from utmos_pytorch.utmos_torch import UTMOSModel

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its readers do
        raise UserError(f"{path}: can't be read as weights ({type(error).__name__}). Download it again.") from error
    with torch.device("meta"):
        wanted = UTMOSModel().state_dict()
    shapes = {name: getattr(one, "shape", None) for name, one in found.items()} if isinstance(found, dict) else {}
    lacking = [name for name, one in wanted.items() if shapes.get(name) != one.shape]
    if lacking:
        raise UserError(
            f"{path}: isn't UTMOS's weights: {len(lacking)} of {len(wanted)} tensors are missing or have another "
            f"shape, {lacking[0]} for one. Download {WEIGHTS} again."
        )


def check(spec: str, options: SystemOptions) -> None:
    """Refuse predictors that there are not, and what isn't installed."""
    if spec != SPEC:
        raise UserError(f"naturalness:{spec!s:.60}: no such predictor. Known: {SPEC}.")
    require("utmos", f"naturalness:{spec}")


def ready(spec: str, options: SystemOptions) -> None:
    """Raise ``AbsentError`` naming the weights, their size and where to get them, unless they are there."""
    if not weights().is_file():
        raise AbsentError(
            f"naturalness:{spec}: its weights {WEIGHTS} ({WEIGHTS_BYTES / 1e6:.0f} MB) are missing.",
            f"Fix: {_how_to_get()}.",
        )


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing]:
    """The weights, if they aren't there."""
    return [] if weights().is_file() else [Missing("weights of UTMOS", _how_to_get(), WEIGHTS_BYTES)]


def recipe_of(spec: str) -> str:
    """What predicts, with the package's version and the hash of the weights, where both are here."""
    path = weights()
    if not is_installed("utmos_pytorch") or not path.is_file():
        return f"naturalness:{spec}"
    version = package_version("utmos-pytorch")
    return f"{spec}@{VERSION} (utmos-pytorch {version}, {WEIGHTS} sha256:{sha256_of(path)})"


@register_deriver(
    "naturalness",
    check=check,
    ready=ready,
    lacks=lacks,
    recipe_of=recipe_of,
    summary="predicted mean opinion score of naturalness: utmos",
)
def build(spec: str, options: SystemOptions) -> Utmos:
    """Build ``naturalness:utmos``."""
    ready(spec, options)
    return Utmos(weights())
