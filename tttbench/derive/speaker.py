"""``speaker:resemblyzer``: an embedding of a recording's speaker, by Resemblyzer, whose wheel holds its weights.

The content is a JSON list of 256 numbers of length 1. It isn't the embedding of WavLM that publications take.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import InputError, UserError
from tttbench.core.extras import is_installed, require
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.audio import resample

VERSION = 1
"""Raised whenever the same recording may be given another embedding, for a reason that lies in our code."""

INPUT_HZ = 16_000
WEIGHTS, WEIGHTS_BYTES = "pretrained.pt", 17_090_379

_SHORTEST = INPUT_HZ // 10


class SpeakerEmbedding:
    """Embeds; a ``Deriver``."""

    name = "speaker:resemblyzer"
    batch_size = 1  # its network takes one recording at a time

    def __init__(self) -> None:
        """Load the network."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that it imports
            from resemblyzer import VoiceEncoder, preprocess_wav

        self.recipe = recipe_of("resemblyzer")
        self.details = {"weights": WEIGHTS}
        self._encoder = VoiceEncoder("cpu", verbose=False)
        self._prepare = preprocess_wav

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Embed recordings, one list of numbers each."""
        return [self._one(given) for given in inputs]

    def _one(self, given: DerivationInput) -> Derived | Exception:
        assert given.audio is not None  # its needs name a recording
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of recordings without a sound
                wave = self._prepare(resample(given.audio, given.sample_rate, INPUT_HZ), INPUT_HZ)
            if len(wave) < _SHORTEST:
                return InputError("less than 0.1 s of it is speech, too little to tell a speaker.")
            found = self._encoder.embed_utterance(wave)
        except Exception as error:  # what a network makes of an odd recording concerns that one alone
            return error
        return Derived("ok", json.dumps([round(float(one), 6) for one in found]))


def check(spec: str, options: SystemOptions) -> None:
    """Refuse others than Resemblyzer, and what isn't installed; names weights that are missing and their size."""
    if spec != "resemblyzer":
        raise UserError(f"speaker:{spec!s:.60}: no such embedding. Known: resemblyzer.")
    require("speaker", "speaker:resemblyzer")
    found = find_spec("resemblyzer")
    assert found is not None
    assert found.origin is not None
    if not Path(found.origin).with_name(WEIGHTS).is_file():
        raise UserError(
            f"speaker:resemblyzer: its weights {WEIGHTS} ({WEIGHTS_BYTES / 1e6:.1f} MB, of the package Resemblyzer) "
            "are missing: pip install --force-reinstall Resemblyzer"
        )


def recipe_of(spec: str) -> str:
    """What embeds, with the version of the package that holds its weights, where that is installed."""
    if not is_installed("resemblyzer"):
        return f"speaker:{spec}"
    return f"{spec}@{VERSION} (Resemblyzer {package_version('Resemblyzer')})"


@register_deriver("speaker", check=check, recipe_of=recipe_of, summary="embeddings of the speaker: resemblyzer")
def build(spec: str, options: SystemOptions) -> SpeakerEmbedding:
    """Build ``speaker:resemblyzer``."""
    return SpeakerEmbedding()
