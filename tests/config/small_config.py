"""A training config that trains in a second."""

from __future__ import annotations

from pathlib import Path

SMALL = """
[model]
objective = "{objective}"
hidden_size = 16
intermediate_size = 16
num_hidden_layers = 1
num_attention_heads = 2
num_key_value_heads = 1
tie_word_embeddings = true

[data]
tokens = "{tokens}"

[training]
steps = 4
batch_size = 2
pool = 2

[decode]
steps_per_block = 4
"""
"""Without what ``format`` is given: the objective, and the path of a token set."""


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return path
