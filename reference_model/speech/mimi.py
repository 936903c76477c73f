"""Mimi through the package ``transformers``: 24 kHz speech to 12.5 frames a second of several codes each, and back.

The codes of a frame follow one another in the stream, first codebook first; each codebook has indices of its own, so
the stream's vocabulary is all of them: code ``size * codebook + index``. The folder is the released one. A field
``codebooks`` of its ``config.json``, ours, says how many of the codebooks are used (without it 8, as in Moshi).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reference_model.errors import CheckpointError, ConfigError, ReferenceModelError
from reference_model.finite import FiniteWeights
from reference_model.json_values import JsonObject
from reference_model.speech.codec import Waveform, register_codec

if TYPE_CHECKING:
    from transformers import MimiModel

DEFAULT_CODEBOOKS = 8


class MimiCodec:
    """Speech at 24 kHz to a stream of codes, and back to the voice that was encoded; see ``Codec``.

    Attributes:
        fingerprint: sha256 of the configuration, the number of codebooks, and the weights as float32.
    """

    def __init__(self, model: MimiModel, codebooks: int, fingerprint: str = "") -> None:
        """Use the first ``codebooks`` of ``model``, which is in eval mode."""
        self._model = model
        self.codebooks = codebooks
        self.fingerprint = fingerprint
        self._size = int(model.config.codebook_size)

    @property
    def sample_rate_hz(self) -> int:
        """Of waveforms in and out, in Hz."""
        return int(self._model.config.sampling_rate)

    @property
    def codes_per_s(self) -> float:
        """Codes for a second of speech, those of all codebooks."""
        return float(self._model.config.frame_rate) * self.codebooks

    @property
    def n_codes(self) -> int:
        """Codes of all codebooks."""
        return self._size * self.codebooks

    @property
    def lookahead_codes(self) -> int:
        """A frame is spoken when its last code is known."""
        return self.codebooks - 1

    @torch.inference_mode()
    def encode(self, batch: Sequence[Waveform]) -> list[list[int]]:
        """Codes of mono waveforms, one by one: the encoder has no mask of padding.

        Raises:
            ReferenceModelError: a waveform holds NaN or infinity.
        """
        found: list[list[int]] = []
        for number, wave in enumerate(batch):
            samples = np.asarray(wave, np.float32)
            if not np.isfinite(samples).all():
                raise ReferenceModelError(f"waveform {number} of the batch holds NaN or infinity; read it anew")
            if len(samples) == 0:
                found.append([])
                continue
            values = torch.tensor(samples, device=self._model.device)[None, None]
            indices = self._model.encode(values, num_quantizers=self.codebooks, return_dict=True).audio_codes[0]
            first = self._size * torch.arange(self.codebooks, device=indices.device)
            found.append((indices + first[:, None]).T.flatten().tolist())
        return found

    @torch.inference_mode()
    def waveform(self, codes: Sequence[int]) -> Waveform:
        """The samples of all whole frames among ``codes``; of a code of another codebook its index counts."""
        n_frames = len(codes) // self.codebooks
        if n_frames == 0:
            return np.zeros(0, np.float32)
        stream = torch.tensor(codes[: n_frames * self.codebooks], device=self._model.device)
        indices = (stream % self._size).view(n_frames, self.codebooks).T[None]
        samples = self._model.decode(indices, return_dict=True).audio_values[0, 0]
        return np.asarray(samples.clamp(-1.0, 1.0).cpu().numpy(), np.float32)

    def speaker(self) -> MimiSpeaker:
        """Begin a waveform; but for float rounding it is the same however codes are pushed."""
        return MimiSpeaker(self)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> MimiCodec:
        """Read a released folder: ``config.json`` and ``model.safetensors``.

        Raises:
            ConfigError, CheckpointError: naming the package, file, field or tensor, and what to do.
        """
        try:
            from transformers import MimiModel
        except ImportError as error:
            raise CheckpointError(
                f"{folder}: Mimi needs the package transformers ({error}): pip install 'tttbench[transformers]'"
            ) from error
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if not (any(folder.glob("model*.safetensors"))):
            raise CheckpointError(f"{folder}: holds no weights (model.safetensors); copy the released folder whole")
        # Of what the files lack it would draw weights, and only warn.
        model, report = MimiModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype=torch.float32
        )
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            if report[kind]:
                raise CheckpointError(
                    f"{folder}: {len(report[kind])} tensors are {kind.partition('_')[0]} by config.json, one is "
                    f"{min(map(str, report[kind]))!r}; copy both files from one release"
                )
        finite = FiniteWeights()
        for name, tensor in model.state_dict().items():
            finite.look(name, tensor, folder)
        finite.finish()
        codebooks = _codebooks(raw, model.config, folder / "config.json")
        return cls(model.to(device).eval(), codebooks, _fingerprint(model, codebooks))


class MimiSpeaker:
    """See ``Speaker``. The decoder looks back only, so samples are final when they are made.

    Each push decodes all codes so far, as the package's decoder keeps no state of its convolutions: the cost of an
    answer grows with the square of its length.
    """

    def __init__(self, codec: MimiCodec) -> None:
        self._codec = codec
        self._codes: list[int] = []
        self._n_spoken = 0  # samples

    def push(self, codes: Sequence[int]) -> Waveform:
        """See ``Speaker.push``."""
        before = len(self._codes) // self._codec.codebooks
        self._codes += codes
        if len(self._codes) // self._codec.codebooks == before:
            return np.zeros(0, np.float32)
        samples = self._codec.waveform(self._codes)[self._n_spoken :]
        self._n_spoken += len(samples)
        return samples

    def finish(self) -> Waveform:
        """See ``Speaker.finish``; codes of a frame that was never completed are not spoken."""
        return np.zeros(0, np.float32)


def _codebooks(raw: JsonObject, config: Any, path: Path) -> int:
    if not config.use_causal_conv or config.trim_right_ratio != 1.0:
        raise ConfigError(
            f"{path}: fields 'use_causal_conv' and 'trim_right_ratio' are {config.use_causal_conv!r} and "
            f"{config.trim_right_ratio!r}; supported: True and 1.0, with which speech can be streamed"
        )
    found = raw.get("codebooks", min(DEFAULT_CODEBOOKS, config.num_quantizers))
    least, most = config.num_semantic_quantizers, config.num_quantizers
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise ConfigError(f"{path}: field 'codebooks' is {found!r}, expected a whole number in [{least}, {most}]")
    return found


def _fingerprint(model: MimiModel, codebooks: int) -> str:
    """Hash of all that codes and waveforms depend on, without what a package's version or the folder's name adds."""
    config = {name: value for name, value in model.config.to_dict().items() if name not in _NOT_OF_THE_CODEC}
    total = hashlib.sha256(json.dumps([config, codebooks], sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(tensor.float().contiguous().cpu().numpy().tobytes())
    return total.hexdigest()


_NOT_OF_THE_CODEC = frozenset(
    {"_name_or_path", "architectures", "codebooks", "dtype", "torch_dtype", "transformers_version"}
)


@register_codec("mimi")
def _load(folder: Path, device: str) -> MimiCodec:
    return MimiCodec.load(folder, device)
