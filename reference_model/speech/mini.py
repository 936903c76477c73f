"""The mini codec: 16 kHz speech to one stream of 12.5 codes a second, and back to one voice.

The encoder keeps what is said and drops who says it: it was trained to spell the sentence (CTC) and to rebuild a clean
spectrum given the speaker's timbre. The decoder always speaks with the answer voice: it predicts pitch and two spectral
envelopes from the codes, and a harmonic-plus-noise source is filtered with them (``source_filter.py``).
Knows nothing of language models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reference_model.errors import CheckpointError
from reference_model.finite import FiniteWeights
from reference_model.speech.codec import Waveform, register_codec
from reference_model.speech.features import HOP, SAMPLE_RATE_HZ, centred, log_mel
from reference_model.speech.networks import FRAMES_PER_CODE, SAMPLES_PER_CODE, CodecConfig, Decoder, Encoder, FrameNet
from reference_model.speech.source_filter import FRAME, MARGIN, cut, impulse_train, noise, overlap_add, shape

_WEIGHTS = "model.safetensors"
_SIDE = (FRAME - HOP) // 2


class MiniCodec(nn.Module):
    """Speech at 16 kHz to codes at 12.5 a second, and codes to speech of the answer voice; see ``Codec``.

    Attributes:
        fingerprint: sha256 of the weights' file; empty for fresh weights.
    """

    sample_rate_hz = SAMPLE_RATE_HZ
    codes_per_s = SAMPLE_RATE_HZ / SAMPLES_PER_CODE
    lookahead_codes = FrameNet.lookahead_codes

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.fingerprint = ""

    @property
    def n_codes(self) -> int:
        """Size of the codebook."""
        return self.encoder.quantise.size

    def encode(self, batch: Sequence[Waveform]) -> list[list[int]]:
        """Codes of mono waveforms at 16 kHz: ceil(n / 1280) for n samples."""
        # One by one: in a batch rounding depends on the neighbours, and a code is where a value is rounded.
        return [self._encode(wave) for wave in batch]

    @torch.inference_mode()
    def _encode(self, wave: Waveform) -> list[int]:
        if len(wave) == 0:
            return []
        samples = torch.from_numpy(np.asarray(wave, np.float32))[None]
        samples = nn.functional.pad(samples, (0, -samples.shape[1] % SAMPLES_PER_CODE))
        return self.encode_frames(log_mel(samples))[0]

    @torch.inference_mode()
    def encode_frames(self, mel: Tensor) -> list[list[int]]:
        """Codes of log-mel frames (B, 80, 8 n), not yet centred: n for each row."""
        codes: list[list[int]] = self.encoder.quantise.indices(self.encoder(centred(mel))).tolist()
        return codes

    def speaker(self) -> MiniSpeaker:
        """Begin a waveform of 1280 samples a code; but for float rounding it is the same however codes are pushed."""
        return MiniSpeaker(self.decoder)

    def save(self, folder: Path) -> None:
        """Write ``config.json`` and the weights in half precision."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"kind": "mini", **asdict(self.config)}, indent=1) + "\n")
        save_file({name: tensor.half() for name, tensor in self.state_dict().items()}, folder / _WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> MiniCodec:
        """Read a folder that ``save`` wrote.

        Raises:
            CheckpointError: naming the file that is missing or damaged, and the tensor that holds NaN or infinity.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            raw = json.loads((folder / "config.json").read_text())
            sizes = {name: value for name, value in raw.items() if name != "kind"}
            codec = cls(CodecConfig(**{**sizes, "levels": tuple(raw["levels"])}))
        except (OSError, ValueError, TypeError, AttributeError, KeyError, RuntimeError) as error:
            raise CheckpointError(
                f"{folder / 'config.json'}: not the configuration of a mini codec ({error})"
            ) from error
        path = folder / _WEIGHTS
        try:
            content = path.read_bytes()
            tensors = {name: tensor.float() for name, tensor in load(content).items()}
            codec.load_state_dict(tensors)
            finite = FiniteWeights()
            for name, tensor in tensors.items():
                finite.look(name, tensor, path)
            finite.finish()
        except (OSError, SafetensorError, RuntimeError) as error:
            raise CheckpointError(f"{path}: damaged or of another shape ({error}); copy the file anew") from error
        codec.fingerprint = hashlib.sha256(content).hexdigest()
        return codec.eval()


@register_codec("mini")
def _load(folder: Path, device: str) -> MiniCodec:
    del device  # so small that a CPU speaks many times faster than it plays
    return MiniCodec.load(folder)


class MiniSpeaker:
    """See ``Speaker``. Holds codes that may still be needed, the pitch's phase, and frames not yet added up."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._codes: list[int] = []
        self._spoken = 0  # codes whose frames are made
        self._phase = 0.0
        self._train = torch.zeros(_SIDE)  # the pulse source behind the last cut frame
        self._tail = torch.zeros(0)  # filtered frames that later ones overlap
        self._envelopes: list[tuple[Tensor, Tensor]] = []
        self._frames_out = 0
        self._skip = MARGIN  # the first frame reaches before the beginning

    def push(self, codes: Sequence[int]) -> Waveform:
        """See ``Speaker.push``: a code is spoken when the ``FrameNet.lookahead_codes`` behind it are known."""
        self._codes += codes
        return self._speak(len(self._codes) - FrameNet.lookahead_codes, last=False)

    def finish(self) -> Waveform:
        """See ``Speaker.finish``."""
        return self._speak(len(self._codes), last=True)

    @torch.inference_mode()
    def _speak(self, until: int, last: bool) -> Waveform:
        if until > self._spoken:
            first = max(0, self._spoken - FrameNet.lookahead_codes)
            f0_hz, harmonic, breath = self._decoder(torch.tensor([self._codes[first:]]))
            new = slice((self._spoken - first) * FRAMES_PER_CODE, (until - first) * FRAMES_PER_CODE)
            pulses, self._phase = impulse_train(f0_hz[0, new], self._phase)
            self._train = torch.cat([self._train, pulses])
            self._envelopes += zip(harmonic[0, :, new].T, breath[0, :, new].T, strict=True)
            self._spoken = until
        if last:
            self._train = torch.cat([self._train, torch.zeros(_SIDE)])
        return self._shape(last)

    def _shape(self, last: bool) -> Waveform:
        """Filter and add up every frame whose source is complete; give out what no later frame reaches."""
        n = max(0, (len(self._train) - FRAME) // HOP + 1) if self._envelopes else 0
        n = min(n, len(self._envelopes))
        if n == 0 and not last:
            return np.zeros(0, np.float32)
        if n:
            span = HOP * (n - 1) + FRAME
            hiss = _hiss(self._frames_out, n)
            harmonic = torch.stack([pair[0] for pair in self._envelopes[:n]], 1)
            breath = torch.stack([pair[1] for pair in self._envelopes[:n]], 1)
            frames = shape(cut(self._train[:span]), harmonic) + shape(cut(hiss), breath)
            added = overlap_add(frames[None])[0]
            added[: len(self._tail)] += self._tail
            self._train = self._train[HOP * n :]
            self._envelopes = self._envelopes[n:]
            self._frames_out += n
            ready, self._tail = added[: HOP * n], added[HOP * n :]
        else:
            ready = torch.zeros(0)
        if last:
            ready = torch.cat([ready, self._tail[: max(0, len(self._tail) - MARGIN)]])
        skipped = min(self._skip, len(ready))
        self._skip -= skipped
        return np.asarray(np.clip(ready[skipped:].numpy(), -1.0, 1.0), np.float32)


def _hiss(first: int, n: int) -> Tensor:
    """The noise under the frames [first, first + n), 240 samples more on either side."""
    more = -(-_SIDE // HOP)
    return noise(first - more, first + n + more)[more * HOP - _SIDE : (n + more) * HOP + _SIDE]
