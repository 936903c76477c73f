"""The network's configuration: Qwen2's fields under their Hugging Face names, and the ids TtT needs.

Knows nothing of torch and of tokenizers; ids that a ``config.json`` doesn't hold are filled in by the caller
(``reference_model.checkpoint`` reads them from ``tokenizer.json``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from reference_model.errors import ConfigError
from reference_model.json_values import JsonObject, JsonValue

PromptAudio = Literal["bidirectional", "causal"]
"""What a row in the prompt's audio sees: its whole span (released code, default) or only itself and earlier (paper)."""

Objective = Literal["hybrid", "ar", "nar"]
"""How the weights were trained, hence how they answer: TtT, next-token only, or diffusion over the whole answer."""

MOST_DRAFT_HEADS = 32
"""More than this many tokens ahead nothing can be guessed."""


@dataclass(frozen=True)
class TtTConfig:
    """Shape and ids of one model.

    Attributes:
        vocab_size: rows of the embedding, text and audio together.
        hidden_size: width of the residual stream.
        intermediate_size: width of the gated feed-forward layer.
        num_hidden_layers: number of decoder layers.
        num_attention_heads: query heads; divides ``hidden_size``.
        num_key_value_heads: key/value heads; divides ``num_attention_heads``.
        audio_token_id_start: the first id that counts as audio: the tag ``<|audio|>``, just below code 0.
        n_audio_codes: size of the codebook; code k has the id ``audio_token_id_start + 1 + k``.
        mask_token_id: ``<|mask_token|>``.
        begin_of_audio_token_id: ``<|begin_of_audio|>`` opens a span of the answer, and the input audio.
        begin_of_quad_token_id: ``<|begin_of_quad|>`` opens the last span of the answer.
        end_of_audio_token_id: ``<|end_of_audio|>`` ends the *input* audio.
        end_of_audio_new_token_id: ``<|end_of_audio_new|>`` ends a span of the answer.
        end_of_audio_span_last_token_id: ``<|end_of_audio_span_last|>`` ends the last span of the answer.
        im_start_token_id: ``<|im_start|>``.
        im_end_token_id: ``<|im_end|>``, which ends the answer.
        max_position_embeddings: the longest sequence the weights were made for.
        rms_norm_eps: epsilon of RMSNorm.
        rope_theta: base of the rotary frequencies.
        tie_word_embeddings: whether the head is the embedding.
        initializer_range: standard deviation of fresh weights.
        prompt_audio: see ``PromptAudio``.
        objective: see ``Objective``.

    Raises:
        ConfigError: if a size is not positive or does not divide, or an id lies outside the vocabulary.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    audio_token_id_start: int
    n_audio_codes: int
    mask_token_id: int
    begin_of_audio_token_id: int
    begin_of_quad_token_id: int
    end_of_audio_token_id: int
    end_of_audio_new_token_id: int
    end_of_audio_span_last_token_id: int
    im_start_token_id: int
    im_end_token_id: int
    max_position_embeddings: int = 32768
    rms_norm_eps: float = 1e-6
    rope_theta: float = 1000000.0
    tie_word_embeddings: bool = False
    initializer_range: float = 0.02
    prompt_audio: PromptAudio = "bidirectional"
    objective: Objective = "hybrid"

    def __post_init__(self) -> None:
        _check(self, "config")

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def code_id_start(self) -> int:
        """The id of audio code 0."""
        return self.audio_token_id_start + 1

    @property
    def span_begin_ids(self) -> tuple[int, int]:
        """The text ids that open an audio span of the answer."""
        return (self.begin_of_audio_token_id, self.begin_of_quad_token_id)

    @property
    def span_end_ids(self) -> tuple[int, int]:
        """The audio ids that close a span of the answer."""
        return (self.end_of_audio_new_token_id, self.end_of_audio_span_last_token_id)

    def is_code(self, token_id: int) -> bool:
        """Whether the id is one of the codebook's codes."""
        return 0 <= token_id - self.code_id_start < self.n_audio_codes

    def to_json(self, dtype: str = "float32", quantization: JsonObject | None = None) -> JsonObject:
        """The content of ``config.json``, in a form that ``transformers`` opens as ``Qwen2ForCausalLM``.

        Args:
            dtype: that the weights are stored in.
            quantization: how integers among them are to be read; None: there are none.
        """
        return {
            **({} if quantization is None else {QUANTIZATION: quantization}),
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "hidden_act": "silu",
            "torch_dtype": dtype,
            "use_cache": True,
            "use_sliding_window": False,
            "attention_dropout": 0.0,
            "bos_token_id": self.im_start_token_id,
            "eos_token_id": self.im_end_token_id,
            **asdict(self),
        }

    @classmethod
    def from_file(cls, path: Path, ids: Mapping[str, int] | None = None) -> TtTConfig:
        """Read a ``config.json``.

        Args:
            path: the file.
            ids: values for id fields, as the tokenizer has them; used where the file lacks a field. A field that
                both have must agree.

        Raises:
            ConfigError: naming file and field.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such file; a checkpoint folder holds a config.json") from None
        except (OSError, ValueError, RecursionError) as error:  # no text, no JSON, endless numbers or nesting
            raise ConfigError(f"{path}: not readable as JSON ({error})") from error
        if not isinstance(raw, dict):
            raise ConfigError(f"{path}: holds a {type(raw).__name__}, not a JSON object")
        return cls.from_json(raw, ids, where=str(path))

    @classmethod
    def from_json(cls, raw: JsonObject, ids: Mapping[str, int] | None = None, where: str = "config") -> TtTConfig:
        """Build from the parsed content of a ``config.json``; see ``from_file``."""
        given = _own_fields(raw, where)
        for name, value in (ids or {}).items():
            if given.setdefault(name, value) != value:
                raise ConfigError(f"{where}: field {name!r} is {given[name]!r}, but the tokenizer has {value}")
        values: dict[str, JsonValue] = {}
        for field in fields(cls):
            if field.name not in given:
                if field.default is MISSING:
                    raise ConfigError(f"{where}: field {field.name!r} is missing")
                continue
            values[field.name] = _typed(given[field.name], str(field.type), field.name, where)
        try:
            return cls(**values)  # type: ignore[arg-type]  # each value was checked against its field just above
        except ConfigError as error:
            raise ConfigError(str(error).replace("config:", f"{where}:", 1)) from None


_ALIASES = {"mask_token": "mask_token_id"}
"""Names the released checkpoints use."""

_FIXED: Mapping[str, tuple[object, ...]] = {
    "model_type": ("qwen2",),
    "hidden_act": ("silu",),
    "use_sliding_window": (False, None),
    "rope_scaling": (None,),
    "attention_dropout": (0, 0.0),
    "pruned_heads": ({}, None),
    "is_encoder_decoder": (False, None),
    "add_cross_attention": (False, None),
}
"""Fields that would change the computation, with the values under which they don't."""

QUANTIZATION = "quantization_config"
"""Field that says how stored integers are to be read; the stored tensors say the same by their names and types."""

INT8_ROWS: JsonObject = {"quant_method": "int8_rows", "bits": 8}
"""What that field holds for matrices stored as int8: no other library takes the integers as weights."""

SHARED_TOKENIZER = "shared_tokenizer"
"""Field of a ``config.json`` that says where the tokenizer lies; nothing of the network."""

_WITHOUT_EFFECT = frozenset(
    {
        SHARED_TOKENIZER,
        "_attn_implementation",
        "_attn_implementation_autoset",
        "_name_or_path",
        "architectures",
        "auto_map",
        "bos_token_id",
        "dtype",
        "eos_token_id",
        "id2label",
        "label2id",
        "learn_padding",
        "max_window_layers",
        "pad_token_id",
        "prefix_preservation_ratio",
        "sliding_window",
        "torch_dtype",
        "transformers_version",
        "unmasked_audio_prob",
        "use_cache",
        "use_mrope",
        "quad_span_truncation_prob",
        # What transformers writes into any configuration: how to generate, what to return, words for other tasks.
        *("do_sample", "temperature", "top_k", "top_p", "typical_p", "num_beams", "num_beam_groups"),
        *("early_stopping", "max_length", "min_length", "length_penalty", "repetition_penalty", "diversity_penalty"),
        *("no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "num_return_sequences", "bad_words_ids"),
        *("forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens"),
        *("exponential_decay_length_penalty", "remove_invalid_values", "decoder_start_token_id", "sep_token_id"),
        *("output_attentions", "output_hidden_states", "output_scores", "return_dict", "return_dict_in_generate"),
        *("chunk_size_feed_forward", "cross_attention_hidden_size", "finetuning_task", "is_decoder", "prefix"),
        *("problem_type", "task_specific_params", "tf_legacy_loss", "tie_encoder_decoder", "tokenizer_class"),
        *("torchscript", "use_bfloat16"),
    }
)
"""Fields of Qwen2's and of the released configurations that inference doesn't read."""


def _check_quantization(found: JsonValue, where: str) -> None:
    method = found.get("quant_method") if isinstance(found, dict) else found
    if method != INT8_ROWS["quant_method"]:
        raise ConfigError(
            f"{where}: field {QUANTIZATION!r} has the quant_method {method!r}; supported: "
            f"{INT8_ROWS['quant_method']!r}; get the weights as floats"
        )


def _own_fields(raw: JsonObject, where: str) -> dict[str, JsonValue]:
    """Sort a raw config.json: keep our fields, check the fixed ones, drop those without effect, refuse the rest."""
    known = {field.name for field in fields(TtTConfig)}
    given: dict[str, JsonValue] = {}
    for name, value in raw.items():
        name = _ALIASES.get(name, name)
        if name in known:
            given[name] = value
        elif name in _FIXED:
            if value not in _FIXED[name]:
                raise ConfigError(f"{where}: field {name!r} is {value!r}; supported: {_FIXED[name][0]!r}")
        elif name == QUANTIZATION:
            _check_quantization(value, where)
        elif name == "rope_parameters" and isinstance(value, dict):
            if value.get("rope_type", "default") != "default":
                raise ConfigError(
                    f"{where}: field 'rope_parameters' has rope_type {value['rope_type']!r}, not 'default'"
                )
            given.setdefault("rope_theta", value.get("rope_theta", 10000.0))
        elif name == "layer_types":
            if not isinstance(value, list) or any(kind != "full_attention" for kind in value):
                raise ConfigError(f"{where}: field 'layer_types' asks for something else than full attention")
        elif name == "head_dim":
            if value is not None and value != _quotient(raw.get("hidden_size"), raw.get("num_attention_heads")):
                raise ConfigError(f"{where}: field 'head_dim' is {value!r}, not hidden_size / num_attention_heads")
        elif name not in _WITHOUT_EFFECT:
            raise ConfigError(f"{where}: unknown field {name!r}; remove it, or check that this is a TtT checkpoint")
    return given


def _quotient(numerator: object, denominator: object) -> object:
    if isinstance(numerator, int) and isinstance(denominator, int) and denominator:
        return numerator // denominator
    return None


def _typed(value: JsonValue, kind: str, name: str, where: str) -> JsonValue:
    """The value as the field's type, or a ConfigError."""
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    choices = {"PromptAudio": get_args(PromptAudio), "Objective": get_args(Objective)}.get(kind, ())
    if value in choices:
        return value
    wanted = "one of " + ", ".join(map(repr, choices)) if choices else f"a value of type {kind}"
    raise ConfigError(f"{where}: field {name!r} is {value!r}, expected {wanted}")


def _check(config: TtTConfig, where: str) -> None:
    for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
        if getattr(config, name) < 1:
            raise ConfigError(f"{where}: field {name!r} is {getattr(config, name)}, expected at least 1")
    if config.num_key_value_heads < 1 or config.num_attention_heads % config.num_key_value_heads:
        raise ConfigError(
            f"{where}: field 'num_key_value_heads' is {config.num_key_value_heads}, "
            f"which does not divide num_attention_heads = {config.num_attention_heads}"
        )
    if config.hidden_size % config.num_attention_heads or config.head_dim % 2:
        raise ConfigError(
            f"{where}: field 'hidden_size' is {config.hidden_size}; divided by num_attention_heads = "
            f"{config.num_attention_heads} it must give an even number"
        )
    for name in ("prompt_audio", "objective"):
        choices = get_args({"prompt_audio": PromptAudio, "objective": Objective}[name])
        if getattr(config, name) not in choices:
            raise ConfigError(f"{where}: field {name!r} is {getattr(config, name)!r}, expected one of {choices}")
    audio = {"mask_token_id", "end_of_audio_new_token_id", "end_of_audio_span_last_token_id"}
    seen: dict[int, str] = {}
    for name in (field.name for field in fields(config) if field.name.endswith("_token_id")):
        token_id = getattr(config, name)
        low, high = (
            (config.audio_token_id_start, config.vocab_size) if name in audio else (0, config.audio_token_id_start)
        )
        if not low <= token_id < high:
            raise ConfigError(f"{where}: field {name!r} is {token_id}, expected an id in [{low}, {high})")
        if config.is_code(token_id):
            raise ConfigError(f"{where}: field {name!r} is {token_id}, which is the id of an audio code")
        if token_id in seen:
            raise ConfigError(f"{where}: fields {seen[token_id]!r} and {name!r} have the same id {token_id}")
        seen[token_id] = name
    if config.n_audio_codes < 1 or config.code_id_start + config.n_audio_codes > config.vocab_size:
        raise ConfigError(
            f"{where}: field 'n_audio_codes' is {config.n_audio_codes}; codes starting at id {config.code_id_start} "
            f"must fit into vocab_size = {config.vocab_size}"
        )
