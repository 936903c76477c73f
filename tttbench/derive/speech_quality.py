"""``speech_quality:dnsmos``, ``speech_quality:plcmos``: mean opinion scores that a network predicts from a recording.

DNSMOS (P.835 and P.808) and PLCMOS of the package ``speechmos``, whose wheel holds their weights. They were trained on
noise and dropouts, and say nothing of how natural a voice is. Each content is a JSON object of numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.exchange import Waveform
from tttbench.core.extras import is_installed, require
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.audio import resample

VERSION = 1
"""Raised whenever the same recording may be given another number, for a reason that lies in our code."""

INPUT_HZ = 16_000


@dataclass(frozen=True)
class Predictor:
    """Its ``name``, the ``weights`` by their place in the package with their bytes, and what builds it."""

    name: str
    weights: Mapping[str, int]
    build: Callable[[Sequence[Path]], Callable[[Waveform, int], dict[str, float]]]


class SpeechQuality:
    """Predicts; a ``Deriver``."""

    batch_size = 1  # its networks take one recording at a time

    def __init__(self, predictor: Predictor, paths: Sequence[Path]) -> None:
        """Predict with weights that are there."""
        self.name = f"speech_quality:{predictor.name}"
        self.recipe = recipe_of(predictor.name)
        self.details = {"weights": ", ".join(path.name for path in paths)}
        self._predict = predictor.build(paths)

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Predict for recordings, one JSON object each."""
        return [_attempt(self._predict, one) for one in inputs]


def _attempt(predict: Callable[[Waveform, int], dict[str, float]], given: DerivationInput) -> Derived | Exception:
    assert given.audio is not None  # its needs name a recording
    wave = np.clip(resample(given.audio, given.sample_rate, INPUT_HZ), -1.0, 1.0).astype(np.float32)
    try:
        return Derived("ok", json.dumps({name: round(value, 6) for name, value in predict(wave, given.seed).items()}))
    except Exception as error:  # what a network makes of an odd recording concerns that one alone
        return error


def _dnsmos(paths: Sequence[Path]) -> Callable[[Waveform, int], dict[str, float]]:
    from speechmos import dnsmos

    model = dnsmos.DNSMOS(*map(str, paths))
    # Its own sessions take all cores, and wait for each other where cores are shared.
    model.onnx_sess, model.p808_onnx_sess = map(_session, paths)

    def predict(wave: Waveform, seed: int) -> dict[str, float]:
        found = model(wave, INPUT_HZ, False)
        return {name: float(found[f"{name}_mos"]) for name in ("ovrl", "sig", "bak", "p808")}

    return predict


def _plcmos(paths: Sequence[Path]) -> Callable[[Waveform, int], dict[str, float]]:
    from speechmos import plcmos

    model = plcmos.PLCMOS()
    model.session = _session(paths[0])

    def predict(wave: Waveform, seed: int) -> dict[str, float]:
        before = np.random.get_state()  # it draws raters from NumPy's one generator
        np.random.seed(seed % 2**32)
        try:
            return {"plcmos": float(model(wave)["plcmos"])}
        finally:
            np.random.set_state(before)

    return predict


def _session(path: Path) -> object:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


PREDICTORS: Mapping[str, Predictor] = {
    "dnsmos": Predictor(
        "dnsmos", {"dnsmos_models/sig_bak_ovr.onnx": 1_157_965, "dnsmos_models/model_v8.onnx": 224_860}, _dnsmos
    ),
    "plcmos": Predictor("plcmos", {"plcmos_models/plcmos_v2.onnx": 1_344_808}, _plcmos),
}


def check(spec: str, options: SystemOptions) -> None:
    """Refuse predictors that there are not, and what isn't installed; names weights that are missing and their size."""
    if spec not in PREDICTORS:
        raise UserError(f"speech_quality:{spec!s:.60}: no such predictor. {did_you_mean(spec, PREDICTORS)}")
    require("speech", f"speech_quality:{spec}")
    weights(PREDICTORS[spec])


def weights(predictor: Predictor) -> tuple[Path, ...]:
    """Return the files of a predictor's weights; raises ``UserError`` if one isn't there."""
    spec = find_spec("speechmos")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    for name, size in predictor.weights.items():
        if not (folder / name).is_file():
            raise UserError(
                f"speech_quality:{predictor.name}: its weights {name} ({size / 1e6:.1f} MB, of the package speechmos) "
                "are missing: pip install --force-reinstall speechmos"
            )
    return tuple(folder / name for name in predictor.weights)


def recipe_of(spec: str) -> str:
    """What predicts, with the version of the package that holds its weights, where that is installed."""
    if not is_installed("speechmos"):
        return f"speech_quality:{spec}"
    return f"{spec}@{VERSION} (speechmos {package_version('speechmos')})"


@register_deriver(
    "speech_quality", check=check, recipe_of=recipe_of, summary="predicted mean opinion scores: dnsmos, plcmos"
)
def build(spec: str, options: SystemOptions) -> SpeechQuality:
    """Build ``speech_quality:spec``."""
    predictor = PREDICTORS[spec]
    return SpeechQuality(predictor, weights(predictor))
