"""``wavlm:MODEL``: an embedding of a recording's speaker by WavLM with a head for speakers, as transformers has it.

Nothing is fetched: the weights are got by hand, into the cache, or are any folder in the form of transformers. The
content is a JSON list of numbers of length 1, 512 of them for the published model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import AbsentError, InputError, UserError
from tttbench.core.extras import is_installed, require
from tttbench.core.missing import Missing
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.audio import resample
from tttbench.data.cache import cache_folder
from tttbench.derive.weights import quiet_transformers, sha256_of

VERSION = 1
"""Raised whenever the same recording may be given another embedding, for a reason that lies in our code."""

INPUT_HZ = 16_000
SPEC = "base-plus-sv"
PUBLISHED = "microsoft/wavlm-base-plus-sv"
WEIGHTS_BYTES = 404_900_000
"""Of the published model, about: 101 million parameters of 4 bytes."""

_CONFIGS = ("config.json", "preprocessor_config.json")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SHORTEST = INPUT_HZ // 10


class WavlmEmbedding:
    """Embeds; a ``Deriver``."""

    batch_size = 1  # padding would change the embeddings of the shorter ones

    def __init__(self, spec: str, folder: Path) -> None:
        """Load the network, on the CPU; raises ``UserError`` if the folder isn't one with a head for speakers."""
        self.name, self.recipe = f"wavlm:{spec}", recipe_of(spec)
        self.details = {"weights": _weights_in(folder).name}
        self._features, self._model = _loaded(folder)

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Embed recordings, one list of numbers each."""
        return [self._one(given) for given in inputs]

    def _one(self, given: DerivationInput) -> Derived | Exception:
        import torch

        assert given.audio is not None  # its needs name a recording
        wave = np.asarray(resample(given.audio, given.sample_rate, INPUT_HZ), np.float32)
        if len(wave) < _SHORTEST:
            return InputError("it is shorter than 0.1 s, too little to tell a speaker.")
        try:
            with torch.inference_mode():
                made = self._features(wave, sampling_rate=INPUT_HZ, return_tensors="pt")
                found = torch.nn.functional.normalize(self._model(**made).embeddings[0], dim=0)
        except Exception as error:  # what a network makes of an odd recording concerns that one alone
            return error
        if not bool(torch.isfinite(found).all()):
            return InputError("its embedding isn't finite.")
        return Derived("ok", json.dumps([round(float(one), 6) for one in found]))


def folder_of(spec: str) -> Path:
    """Where the files of a model are looked for: in the cache, or the folder that is named."""
    return cache_folder() / "wavlm" / SPEC if spec == SPEC else Path(spec).expanduser()


def _weights_in(folder: Path) -> Path:
    """The file of the weights; the first that there may be where there is none."""
    there = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    return there[0] if there else folder / _WEIGHTS[0]


def _lacking(folder: Path) -> list[str]:
    """The files that a model lacks."""
    found = [name for name in _CONFIGS if not (folder / name).is_file()]
    return found if _weights_in(folder).is_file() else [*found, " or ".join(_WEIGHTS)]


def _how_to_get(spec: str) -> str:
    folder = folder_of(spec)
    if spec != SPEC:
        return f"save a WavLMForXVector and its feature extractor there (save_pretrained), as {folder}"
    names = f"{', '.join(_CONFIGS)} and {' or '.join(_WEIGHTS)}"
    return f"get {names} of {PUBLISHED} from the Hugging Face hub, into {folder}"


def _loaded(folder: Path) -> tuple[Any, Any]:
    """The feature extractor and the network, each as transformers has it."""
    from transformers import Wav2Vec2FeatureExtractor, WavLMForXVector

    try:
        _refuse_others(folder)
        with quiet_transformers():  # what is missing is said below
            features = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
            model, told = WavLMForXVector.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except UserError:
        raise
    except Exception as error:  # safetensors, torch and transformers raise whatever their readers do
        why = str(error).partition("\n")[0]
        raise UserError(f"{folder}: can't be read as WavLM's ({why:.200}). Download its files again.") from error
    # The last two serve its training alone.
    lacking = sorted(name for name in told["missing_keys"] if not name.startswith(("objective.", "classifier.")))
    if lacking:
        raise UserError(
            f"{_weights_in(folder)}: isn't WavLM with a head for speakers: {len(lacking)} tensors are missing, "
            f"{lacking[0]} for one. Get {PUBLISHED}, or another WavLMForXVector."
        )
    if features.sampling_rate != INPUT_HZ:
        raise UserError(f"{folder}: its preprocessor_config.json is for {features.sampling_rate} Hz, not {INPUT_HZ}.")
    return features, model.eval()


def _refuse_others(folder: Path) -> None:
    """Raise ``UserError`` for a model of another kind, whose head would be left at random."""
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind, heads = found.get("model_type"), found.get("architectures") or []
    if kind != "wavlm" or "WavLMForXVector" not in heads:
        called = ", ".join(map(str, heads)) or str(kind)
        raise UserError(
            f"{folder / 'config.json'}: is of {called!s:.80}, not of WavLMForXVector, so nothing in it tells speakers. "
            f"Get {PUBLISHED}, or another one with that head."
        )


def check(spec: str, options: SystemOptions) -> None:
    """Refuse what names neither the published model nor a folder, and what isn't installed."""
    if spec != SPEC and "/" not in spec:
        raise UserError(f"wavlm:{spec!s:.60}: give {SPEC}, or the path of a folder, e.g. ./{spec!s:.60}.")
    require("wavlm", f"wavlm:{spec}")


def ready(spec: str, options: SystemOptions) -> None:
    """Raise ``AbsentError`` naming the files that are missing, their size and where to get them."""
    if lacking := _lacking(folder_of(spec)):
        size = f" ({WEIGHTS_BYTES / 1e6:.0f} MB)" if spec == SPEC else ""
        what = f"wavlm:{spec}: its files{size} are missing: {', '.join(lacking)}."
        raise AbsentError(what, f"Fix: {_how_to_get(spec)}.")


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing]:
    """The weights, if they aren't there."""
    size = WEIGHTS_BYTES if spec == SPEC else 0
    return [Missing("weights of WavLM for speakers", _how_to_get(spec), size)] if _lacking(folder_of(spec)) else []


def recipe_of(spec: str) -> str:
    """What embeds, with the package's version and the hash of the weights, where both are here."""
    folder = folder_of(spec)
    if not is_installed("transformers") or _lacking(folder):
        return f"wavlm:{spec}"
    path = _weights_in(folder)
    called = SPEC if spec == SPEC else folder.name
    made_by = f"transformers {package_version('transformers')}, {path.name}"
    return f"wavlm-{called}@{VERSION} ({made_by} sha256:{sha256_of(path)})"


@register_deriver(
    "wavlm",
    check=check,
    ready=ready,
    lacks=lacks,
    recipe_of=recipe_of,
    summary="embeddings of the speaker by WavLM: base-plus-sv, or the path of a folder",
)
def build(spec: str, options: SystemOptions) -> WavlmEmbedding:
    """Build ``wavlm:MODEL``."""
    ready(spec, options)
    return WavlmEmbedding(spec, folder_of(spec))
