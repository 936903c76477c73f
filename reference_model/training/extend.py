"""A text model made into one that can learn to speak: TtT's tokens behind its vocabulary, and fresh rows for them.

The layout is that of the released checkpoints: control tokens, the tag ``<|audio|>``, the codes, and behind them the
mask and the ends of spans. Knows files, ids and tensors; nothing of training.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from reference_model.checkpoint import find, stored_tensors, tokenizer_file
from reference_model.config import Objective, PromptAudio, TtTConfig
from reference_model.errors import CheckpointError, TokenizerError
from reference_model.tokens import TtTTokenizer
from reference_model.transformer import TtTModel

_BEFORE = ("<|im_start|>", "<|im_end|>", "<|begin_of_audio|>", "<|begin_of_quad|>", "<|end_of_audio|>", "<|audio|>")
_BEHIND = ("<|mask_token|>", "<|end_of_audio_new|>", "<|end_of_audio_span_last|>")
_ROWS = ("model.embed_tokens.weight", "lm_head.weight")


def extend(
    source: str | Path,
    *,
    n_audio_codes: int = 16384,
    objective: Objective | None = None,
    prompt_audio: PromptAudio | None = None,
    seed: int = 0,
) -> tuple[TtTModel, TtTTokenizer]:
    """Read a Qwen2 checkpoint and add what TtT needs; a checkpoint that has it all is read as it is.

    New rows of embedding and head are the mean of the old ones with the usual noise, so that at first no new token
    stands out.

    Args:
        source: a folder or a hub id.
        n_audio_codes: codes to add; a checkpoint with codes keeps its own.
        objective: what the model will be trained on; None: as the checkpoint says, or ``"hybrid"``.
        prompt_audio: see ``TtTConfig``; None likewise.
        seed: of the noise.

    Returns:
        The model, in fp32 and trainable, and the tokenizer.

    Raises:
        CheckpointError, ConfigError, TokenizerError: naming file and tensor, field or token.
    """
    folder = find(source)
    tokenizer, n_old = _extended_tokenizer(tokenizer_file(folder), n_audio_codes)
    config = _extended_config(folder / "config.json", tokenizer, objective, prompt_audio)
    model = TtTModel(config, initialise=False)
    generator = torch.Generator().manual_seed(seed)
    expected = dict(model.named_parameters())
    missing = set(expected)
    with torch.no_grad():
        for name, value, path in stored_tensors(folder):
            if name == _ROWS[1] and config.tie_word_embeddings:
                continue
            if name not in expected:
                raise CheckpointError(f"{path}: tensor {name!r} belongs to no part of the model of config.json")
            target = expected[name]
            filled = _more_rows(value.float(), n_old, target, generator, config) if name in _ROWS else value.float()
            if filled.shape != target.shape:
                raise CheckpointError(
                    f"{path}: tensor {name!r} has the shape {tuple(value.shape)}, config.json asks for "
                    f"{tuple(target.shape)}"
                )
            target.copy_(filled)
            missing.discard(name)
    if missing:
        raise CheckpointError(f"{folder}: {len(missing)} tensors are missing, the first is {min(missing)!r}")
    return model, tokenizer


def _extended_tokenizer(path: Path, n_audio_codes: int) -> tuple[TtTTokenizer, int]:
    """The tokenizer with all tokens, and how many it had."""
    from tokenizers import AddedToken, Tokenizer

    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; a checkpoint folder holds a tokenizer.json")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception for every kind of damage
        raise TokenizerError(f"{path}: not a readable tokenizer ({error})") from error
    n_old = int(tokenizer.get_vocab_size(with_added_tokens=True))
    if tokenizer.token_to_id("<|audio_0|>") is None:
        codes = [f"<|audio_{code}|>" for code in range(n_audio_codes)]
        new = [token for token in (*_BEFORE, *codes, *_BEHIND) if tokenizer.token_to_id(token) is None]
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in new])
    return TtTTokenizer(tokenizer, str(path)), n_old


def _extended_config(
    path: Path, tokenizer: TtTTokenizer, objective: Objective | None, prompt_audio: PromptAudio | None
) -> TtTConfig:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        size = max(int(raw["vocab_size"]), tokenizer.vocab_size)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: not a readable config.json with a vocab_size ({error!r})") from error
    asked = {"objective": objective, "prompt_audio": prompt_audio}
    changed = {**raw, "vocab_size": size, **{name: value for name, value in asked.items() if value is not None}}
    return TtTConfig.from_json(changed, tokenizer.ids, where=str(path))


def _more_rows(value: Tensor, n_old: int, target: Tensor, generator: torch.Generator, config: TtTConfig) -> Tensor:
    """Embedding or head with rows for the new tokens; rows that stood behind the old tokens were never trained."""
    if value.dim() != 2 or value.shape[1] != target.shape[1] or value.shape[0] < n_old:
        return value
    old = value[:n_old]
    noise = torch.randn(len(target) - n_old, target.shape[1], generator=generator)
    return torch.cat([old, old.mean(0) + config.initializer_range * noise])
