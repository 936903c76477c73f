"""A small checkpoint in the released layout that several test files share."""

from __future__ import annotations

from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from reference_model.config import TtTConfig
from reference_model.tokens import TtTTokenizer


def released_layout(n_codes: int = 16) -> TtTTokenizer:
    """Byte-level text, then the released order: control tokens, tag, codes, mask, ends."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={character: i for i, character in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    text = ["im_start", "im_end", "begin_of_audio", "begin_of_quad", "end_of_audio", "audio"]
    codes = [f"audio_{code}" for code in range(n_codes)]
    names = [*text, *codes, "mask_token", "end_of_audio_new", "end_of_audio_span_last"]
    tokenizer.add_tokens([AddedToken(f"<|{name}|>", special=not name.startswith("audio_")) for name in names])
    return TtTTokenizer(tokenizer)


def small(tokenizer: TtTTokenizer, tied: bool = True) -> TtTConfig:
    return TtTConfig(
        **dict[str, Any](tokenizer.ids),
        vocab_size=tokenizer.vocab_size,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=tied,
        max_position_embeddings=128,
    )
