"""Recordings to codes, piece by piece: renditions as they are, prompts in noise and by speakers of other sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tttbench.data.voices.conditions import in_noise, over_telephone
from tttbench.miniworld.second.speech import PIECE, Speech

if TYPE_CHECKING:
    from reference_model.speech.mini import MiniCodec
    from tttbench.core.exchange import Waveform

Codes = npt.NDArray[np.uint16]
_NOISY = 1 / 3  # share of the encodings with noise
_TELEPHONE = 1 / 6  # share over a telephone
_SNR_DB = (5.0, 20.0)
_SIZE = (0.87, 1.15)


def encode_renditions(codec: MiniCodec, speech: Speech, n: int, folder: Path) -> tuple[tuple[Codes, ...], ...]:
    """Codes of the renditions, ``n`` for each answer, in order."""

    def made(piece: int) -> list[Codes]:
        return [np.array(codec.encode([speech.wave(i)])[0], np.uint16) for i in _of(speech, piece)]

    flat = [codes for piece in range(len(speech.paths)) for codes in _kept(codec, speech, piece, folder, "", made)]
    return tuple(tuple(flat[i : i + n]) for i in range(0, len(flat) - n + 1, n))


def encode_prompts(
    codec: MiniCodec, speech: Speech, times: int, seed: int, folder: Path
) -> Iterator[tuple[int, Codes]]:
    """Every prompt ``times`` times: its number and its codes.

    The first time as it was spoken, then by a speaker of another size, so that voices differ more than the engines do;
    a third of the encodings have noise, a sixth are as over a telephone.
    """
    for time in range(times):
        for piece in range(len(speech.paths)):

            def made(piece: int, time: int = time) -> list[Codes]:
                waves = [speech.wave(i) for i in _of(speech, piece)]
                rng = np.random.default_rng((seed, time, piece))
                return [_varied(codec, waves, i, time, rng) for i in range(len(waves))]

            found = _kept(codec, speech, piece, folder, f"-{seed}-{time}", made)
            yield from zip(_of(speech, piece), found, strict=True)


def encoder_sha256(codec: MiniCodec) -> str:
    """Hash of the encoder's weights, in the precision of the codec's file."""
    found = hashlib.sha256()
    for name, tensor in codec.encoder.state_dict().items():
        found.update(name.encode() + tensor.half().numpy().tobytes())
    return found.hexdigest()


def _varied(codec: MiniCodec, waves: list[Waveform], i: int, time: int, rng: np.random.Generator) -> Codes:
    import torch

    from reference_model.speech.features import log_mel, warp
    from reference_model.speech.networks import SAMPLES_PER_CODE
    from tttbench.data.audio import resample

    wave, drawn = waves[i], rng.random()
    if drawn < _NOISY:
        others = [waves[int(j)] for j in rng.integers(len(waves), size=3)]
        wave = in_noise(wave, others if rng.random() < 0.5 else [], rng.uniform(*_SNR_DB), rng)
    elif drawn < _NOISY + _TELEPHONE:
        wave = resample(over_telephone(wave), 8000, 16_000)
    size = 1.0 if time == 0 else rng.uniform(*_SIZE)
    samples = torch.from_numpy(np.pad(wave, (0, -len(wave) % SAMPLES_PER_CODE)))
    return np.array(codec.encode_frames(warp(log_mel(samples[None]), torch.tensor([size])))[0], np.uint16)


def _kept(
    codec: MiniCodec, speech: Speech, piece: int, folder: Path, variant: str, make: Callable[[int], list[Codes]]
) -> list[Codes]:
    """The codes of a piece, made once for every encoder: they don't depend on the decoder."""
    path = folder / encoder_sha256(codec)[:12] / f"{speech.paths[piece].stem}{variant}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        found = make(piece)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, codes=np.concatenate(found), lengths=np.array([len(one) for one in found]))
        temporary.rename(path)
        print(f"encoded {path.name}", flush=True)
    with np.load(path, allow_pickle=False) as stored:
        return np.split(stored["codes"], np.cumsum(stored["lengths"])[:-1])


def _of(speech: Speech, piece: int) -> range:
    return range(piece * PIECE, min((piece + 1) * PIECE, speech.n))
