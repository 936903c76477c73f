"""The tokenizer as a codec: recordings of any length to codes, and the released folder's weights.

A recording is cut every 30 s; each chunk is encoded on its own, and its codes follow those of the one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reference_model.checkpoint import stored_tensors
from reference_model.errors import CheckpointError, ReferenceModelError
from reference_model.finite import FiniteWeights
from reference_model.speech.codec import Waveform, register_codec
from reference_model.speech.glm4_voice.config import CHUNK_SAMPLES, SAMPLES_PER_POSITION, Glm4VoiceConfig
from reference_model.speech.glm4_voice.features import HOP, SAMPLE_RATE_HZ, whisper_log_mel
from reference_model.speech.glm4_voice.network import WhisperVQEncoder

CHUNKS_AT_ONCE = 128
"""As released: so many chunks are padded to the longest of them before their features are made."""

_FULL = "model.encoder."  # what older checkpoints, of the whole model, call the encoder
_UNUSED = ("ema_count", "ema_weight", "embed_positions2.weight")


@dataclass(frozen=True)
class _Chunk:
    """One chunk of a recording, and the samples that it is padded to before its features are made."""

    recording: int
    samples: Waveform
    padded: int


class Glm4VoiceTokenizer:
    """Speech at 16 kHz to codes at 12.5 a second; see ``Codec``.

    Attributes:
        fingerprint: sha256 of the sizes and of the weights that codes depend on, as float32.
        speaks: false, as the decoder from codes to speech is another model.
    """

    sample_rate_hz = SAMPLE_RATE_HZ
    lookahead_codes = 0
    speaks = False

    def __init__(
        self, encoder: WhisperVQEncoder, fingerprint: str = "", chunks_at_once: int | None = None, where: str = ""
    ) -> None:
        """Encode with ``encoder``, where its weights lie.

        Args:
            encoder: in eval mode.
            fingerprint: see above.
            chunks_at_once: chunks that are run together. None: 1 on a CPU, where more are no faster and the neighbors
                could change the rounding; as many as released elsewhere.
            where: the folder, for messages.
        """
        self.config = encoder.config
        self.encoder = encoder
        self.fingerprint = fingerprint
        self._device = encoder.codebook.weight.device
        self._at_once = chunks_at_once or (1 if self._device.type == "cpu" else CHUNKS_AT_ONCE)
        self._where = where

    @property
    def codes_per_s(self) -> float:
        """Codes for a second of speech."""
        return SAMPLE_RATE_HZ / self.config.samples_per_code

    @property
    def n_codes(self) -> int:
        """Size of the codebook."""
        return self.config.quantize_vocab_size

    def encode(self, batch: Sequence[Waveform]) -> list[list[int]]:
        """Codes of mono waveforms at 16 kHz: for each 30 s of n samples, and for the rest, ceil(n / 1280).

        They are those that the released code gives for a recording alone. There the last frame of a recording, and
        with it a code, may depend on longer neighbors in a batch; here it doesn't.

        Raises:
            ReferenceModelError: a waveform holds NaN or infinity.
        """
        for number, wave in enumerate(batch):
            if not np.isfinite(wave).all():
                raise ReferenceModelError(f"waveform {number} of the batch holds NaN or infinity; read it anew")
        codes: list[list[int]] = [[] for _ in batch]
        chunks = list(self._chunks(batch))
        made: list[list[int]] = [[] for _ in chunks]
        # Chunks of about the same length are run together, so that little of it is padding.
        order = sorted(range(len(chunks)), key=lambda index: len(chunks[index].samples))
        for start in range(0, len(order), self._at_once):
            together = order[start : start + self._at_once]
            for index, found in zip(together, self._run([chunks[index] for index in together]), strict=True):
                made[index] = found
        for chunk, found in zip(chunks, made, strict=True):
            codes[chunk.recording] += found
        return codes

    def final_codes(self, n_samples: int) -> int:
        """How many codes of a recording's first n samples are of whole blocks, which rows of later audio can't change.

        A block is 4 s of a chunk, and the end of a chunk ends one. What is said of the codes is exact given the frames.
        Of those the last one before the cut is made anew when audio follows, and all are where the audio that follows
        is louder than anything before by so much that it raises the least value (see ``whisper_log_mel``).
        """
        pooling = self.config.pooling_kernel_size
        whole, rest = divmod(n_samples, CHUNK_SAMPLES)
        block = self.config.quantize_causal_block_size
        positions = rest // (SAMPLES_PER_POSITION * block) * block
        return whole * (CHUNK_SAMPLES // self.config.samples_per_code) + positions // pooling

    def speaker(self) -> NoReturn:
        """Raise: see ``speaks``."""
        raise CheckpointError(
            f"{self._where or 'GLM-4-Voice tokenizer'}: turns speech into codes and can't speak: GLM-4-Voice's "
            "decoder, which makes speech of codes, is another model and not among the codecs here. Text and codes are "
            "answered without it"
        )

    def _chunks(self, batch: Sequence[Waveform]) -> Iterator[_Chunk]:
        step = self.config.samples_per_code
        for number, wave in enumerate(batch):
            samples = np.asarray(wave, np.float32)
            parts = [samples[at : at + CHUNK_SAMPLES] for at in range(0, len(samples), CHUNK_SAMPLES)]
            for at in range(0, len(parts), CHUNKS_AT_ONCE):
                together = parts[at : at + CHUNKS_AT_ONCE]
                longest = max(map(len, together))
                yield from (_Chunk(number, part, longest + -longest % step) for part in together)

    @torch.inference_mode()
    def _run(self, chunks: Sequence[_Chunk]) -> list[list[int]]:
        counts = [-(-len(chunk.samples) // self.config.samples_per_code) for chunk in chunks]
        mels = [self._frames(chunk, count) for chunk, count in zip(chunks, counts, strict=True)]
        longest = max(mel.shape[1] for mel in mels)
        mel = torch.stack([functional.pad(one, (0, longest - one.shape[1])) for one in mels])
        n_real = [-(-len(chunk.samples) // SAMPLES_PER_POSITION) for chunk in chunks]
        found: list[list[int]] = self.encoder(mel, torch.tensor(n_real, device=self._device)).tolist()
        return [row[:count] for row, count in zip(found, counts, strict=True)]

    def _frames(self, chunk: _Chunk, n_codes: int) -> Tensor:
        """The frames that the codes of a chunk are made of; those of the padding behind them count for the loudest."""
        samples = torch.tensor(chunk.samples, device=self._device)
        samples = functional.pad(samples, (0, chunk.padded - len(samples)))
        return whisper_log_mel(samples, self.config.num_mel_bins)[:, : n_codes * self.config.samples_per_code // HOP]

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", chunks_at_once: int | None = None) -> Glm4VoiceTokenizer:
        """Read a released folder: ``config.json`` and ``model.safetensors``, or its shards with their index.

        Raises:
            ConfigError, CheckpointError: naming file, field or tensor, and what to do.
        """
        config = Glm4VoiceConfig.from_folder(folder)
        with torch.device("meta"):
            encoder = WhisperVQEncoder(config)
        weights = _weights(encoder, folder)
        fingerprint = _fingerprint(config, weights)
        encoder.load_state_dict(weights, strict=True, assign=True)
        return cls(encoder.to(device).eval().requires_grad_(False), fingerprint, chunks_at_once, str(folder))


def _weights(encoder: WhisperVQEncoder, folder: Path) -> dict[str, Tensor]:
    """The encoder's tensors out of a folder, as float32."""
    expected = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    found: dict[str, Tensor] = {}
    finite = FiniteWeights()
    for stored_name, tensor, path in stored_tensors(folder):
        name = stored_name.removeprefix(_FULL)
        if name in _UNUSED or (name not in expected and _is_of_the_whole_model(stored_name, encoder.config)):
            continue
        if name not in expected:
            raise CheckpointError(
                f"{path}: tensor {stored_name!r} belongs to no part of the tokenizer that config.json describes; "
                "copy both files from one release"
            )
        if tuple(tensor.shape) != expected[name]:
            raise CheckpointError(
                f"{path}: tensor {stored_name!r} has the shape {tuple(tensor.shape)}, config.json asks for "
                f"{expected[name]}; copy both files from one release"
            )
        if not tensor.is_floating_point():
            raise CheckpointError(f"{path}: tensor {stored_name!r} is stored as {tensor.dtype}, expected a float type")
        if name in found:
            raise CheckpointError(f"{path}: tensor {stored_name!r} is stored twice in the folder; keep one")
        found[name] = tensor.float()
        finite.look(stored_name, found[name], path, stored=tensor)
    finite.finish()
    missing = [name for name in expected if name not in found]
    if missing:
        raise CheckpointError(
            f"{folder}: {len(missing)} of the tokenizer's {len(expected)} tensors are missing, the first is "
            f"{missing[0]!r}; copy the weights anew"
        )
    return found


def _is_of_the_whole_model(name: str, config: Glm4VoiceConfig) -> bool:
    """Whether a tensor of an older checkpoint is of the parts behind the codes: later layers, last norm, decoder."""
    if not name.startswith(_FULL):
        return name.startswith(("model.decoder.", "proj_out."))
    part, _, rest = name.removeprefix(_FULL).partition(".")
    number = rest.partition(".")[0]
    return part == "layer_norm" or (part == "layers" and number.isdecimal() and int(number) >= config.quantize_position)


def _fingerprint(config: Glm4VoiceConfig, weights: dict[str, Tensor]) -> str:
    """Hash of sizes and weights, in whatever files and precision they lie."""
    total = hashlib.sha256(json.dumps(asdict(config), sort_keys=True).encode())
    for name in sorted(weights):
        total.update(name.encode())
        total.update(weights[name].contiguous().numpy().tobytes())
    return total.hexdigest()


@register_codec("glm4_voice")
def _load(folder: Path, device: str) -> Glm4VoiceTokenizer:
    return Glm4VoiceTokenizer.load(folder, device)
