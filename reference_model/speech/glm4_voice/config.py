"""The released folder's ``config.json`` and ``preprocessor_config.json``: sizes, and all that must be as we compute it.

Fields that change no code are passed over; those that would change one are checked, under their released names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from reference_model.errors import ConfigError
from reference_model.json_values import JsonObject, JsonValue
from reference_model.speech.glm4_voice.features import HOP, N_FFT, SAMPLE_RATE_HZ

CHUNK_SAMPLES = 30 * SAMPLE_RATE_HZ
SAMPLES_PER_POSITION = 2 * HOP  # the second convolution has a stride of 2: 50 positions a second
POSITIONS_PER_CHUNK = CHUNK_SAMPLES // SAMPLES_PER_POSITION


@dataclass(frozen=True)
class Glm4VoiceConfig:
    """Sizes under their released names.

    Attributes:
        d_model: width of the encoder and of a codeword.
        encoder_attention_heads: heads; divides ``d_model``.
        encoder_ffn_dim: inner width of the feed-forward layers.
        num_mel_bins: bands of the log-mel frames.
        max_source_positions: rows of the table of positions; a chunk of 30 s has 1500.
        pooling_kernel_size: positions (at 50 Hz) that one code is the mean of.
        pooling_position: the number of layers before that mean; where the codes are taken, too.
        quantize_position: the number of layers before the codes.
        quantize_vocab_size: size of the codebook.
        quantize_causal_block_size: positions that see each other, and all before them.

    Raises:
        ConfigError: a size isn't positive, doesn't divide, or is of a network that isn't computed here.
    """

    d_model: int
    encoder_attention_heads: int
    encoder_ffn_dim: int
    num_mel_bins: int
    max_source_positions: int
    pooling_kernel_size: int
    pooling_position: int
    quantize_position: int
    quantize_vocab_size: int
    quantize_causal_block_size: int

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ConfigError(f"field {field.name!r} is {getattr(self, field.name)}, expected at least 1")
        if self.d_model % self.encoder_attention_heads:
            raise ConfigError(
                f"field 'encoder_attention_heads' is {self.encoder_attention_heads}, which does not divide "
                f"d_model = {self.d_model}"
            )
        if self.pooling_position != self.quantize_position:
            raise ConfigError(
                f"field 'pooling_position' is {self.pooling_position}; supported: that of the codes, "
                f"quantize_position = {self.quantize_position}"
            )
        if self.max_source_positions < POSITIONS_PER_CHUNK:
            raise ConfigError(
                f"field 'max_source_positions' is {self.max_source_positions}, but a chunk of 30 s has "
                f"{POSITIONS_PER_CHUNK}"
            )
        if POSITIONS_PER_CHUNK % self.pooling_kernel_size:
            raise ConfigError(
                f"field 'pooling_kernel_size' is {self.pooling_kernel_size}, which does not divide the "
                f"{POSITIONS_PER_CHUNK} positions of a chunk"
            )

    @property
    def samples_per_code(self) -> int:
        """Samples at 16 kHz that one code stands for."""
        return SAMPLES_PER_POSITION * self.pooling_kernel_size

    @classmethod
    def from_folder(cls, folder: Path) -> Glm4VoiceConfig:
        """Read a released folder's ``config.json``, and check its ``preprocessor_config.json`` where there is one.

        Raises:
            ConfigError: naming file, field, and what is supported.
        """
        path = folder / "config.json"
        raw = _json_object(path)
        values = {field.name: _whole(raw, field.name, path) for field in fields(cls)}
        for name, (supported, if_absent) in _FIXED.items():
            if raw.get(name, if_absent) != supported:
                found = f"is {raw[name]!r}" if name in raw else f"is missing, which means {if_absent!r}"
                raise ConfigError(
                    f"{path}: field {name!r} {found}; supported: {supported!r}, as in the released tokenizer"
                )
        try:
            config = cls(**values)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        preprocessor = folder / "preprocessor_config.json"
        if preprocessor.exists():
            _check_features(preprocessor, config)
        return config


_FIXED: Mapping[str, tuple[JsonValue, JsonValue]] = {
    "activation_function": ("gelu", "gelu"),
    "pooling_type": ("avg", "max"),
    "quantize_causal_encoder": (False, False),
    "encoder_causal_attention": (False, False),
    "encoder_causal_convolution": (True, False),
}
"""Fields that change the computation: the value that is computed here, and what their absence means."""


def _check_features(path: Path, config: Glm4VoiceConfig) -> None:
    computed: dict[str, JsonValue] = {
        "feature_size": config.num_mel_bins,
        "sampling_rate": SAMPLE_RATE_HZ,
        "n_fft": N_FFT,
        "hop_length": HOP,
        "n_samples": CHUNK_SAMPLES,
        "padding_value": 0.0,
        "padding_side": "right",
        "dither": 0.0,
        "do_normalize": False,
    }
    raw = _json_object(path)
    for name, value in computed.items():
        if raw.get(name, value) != value:
            raise ConfigError(
                f"{path}: field {name!r} is {raw[name]!r}, but features are computed with {value!r}; take the file of "
                "the tokenizer that config.json describes"
            )


def _json_object(path: Path) -> JsonObject:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; copy the released folder whole") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not readable as JSON ({error}); copy the file anew") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: holds a {type(raw).__name__}, not a JSON object; copy the file anew")
    return raw


def _whole(raw: JsonObject, name: str, path: Path) -> int:
    if name not in raw:
        raise ConfigError(f"{path}: field {name!r} is missing, so this is no GLM-4-Voice tokenizer; copy the file anew")
    value = raw[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{path}: field {name!r} is {value!r}, expected a whole number")
    return value
