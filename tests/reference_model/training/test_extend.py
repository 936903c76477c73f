"""A text checkpoint gets TtT's tokens: old tokens keep ids and rows, new ones stand in the released order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

import reference_model
from reference_model.errors import CheckpointError, TokenizerError
from reference_model.training.extend import extend

N_TEXT, N_ROWS, WIDTH = 258, 272, 16
SHAPE = {
    "model_type": "qwen2",
    "vocab_size": N_ROWS,
    "hidden_size": WIDTH,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def text_model(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A Qwen2 checkpoint with two control tokens, and rows that nothing uses, as Qwen2.5 has."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path / "text"
    torch.manual_seed(0)
    shape = {name: value for name, value in SHAPE.items() if name != "model_type"}
    Qwen2ForCausalLM(Qwen2Config(**shape, tie_word_embeddings=request.param)).save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={character: i for i, character in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in ("im_start", "im_end")])
    assert tokenizer.get_vocab_size() == N_TEXT
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_old_tokens_keep_ids_and_rows_and_new_ones_are_near_their_mean(text_model: Path) -> None:
    model, tokenizer = extend(text_model, n_audio_codes=40, seed=3)
    config = model.config
    assert (config.im_start_token_id, config.im_end_token_id) == (256, 257)
    assert config.n_audio_codes == 40
    assert config.mask_token_id == config.audio_token_id_start + 41
    assert config.vocab_size == tokenizer.vocab_size == N_TEXT + 4 + 40 + 3
    old = load_file(text_model / "model.safetensors")
    assert torch.equal(model.model.embed_tokens.weight[:N_TEXT], old["model.embed_tokens.weight"][:N_TEXT])
    new = model.model.embed_tokens.weight[N_TEXT:].detach()
    mean = old["model.embed_tokens.weight"][:N_TEXT].mean(0)
    assert float((new - mean).std()) == pytest.approx(config.initializer_range, rel=0.2)
    if not config.tie_word_embeddings:
        assert torch.equal(model.lm_head.weight[:N_TEXT], old["lm_head.weight"][:N_TEXT])
        assert not torch.equal(model.lm_head.weight[N_TEXT:], model.model.embed_tokens.weight[N_TEXT:])
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_text_is_continued_as_before(text_model: Path) -> None:
    from transformers import Qwen2ForCausalLM

    model, _ = extend(text_model, n_audio_codes=40)
    ids = torch.tensor([[1, 2, 3, 200, 17]])
    with torch.no_grad():
        ours = model.logits(model.hidden(ids, torch.arange(1, 6)[None]))[..., :N_TEXT]
        theirs = Qwen2ForCausalLM.from_pretrained(text_model)(ids).logits[..., :N_TEXT]
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_result_is_saved_and_extended_again_without_a_change(text_model: Path, tmp_path: Path) -> None:
    model, tokenizer = extend(text_model, n_audio_codes=40, objective="ar")
    reference_model.save(model, tokenizer, tmp_path / "made")
    assert reference_model.load(tmp_path / "made").model.config.objective == "ar"
    again, _ = extend(tmp_path / "made", n_audio_codes=7)
    assert again.config.objective == "ar"
    assert extend(tmp_path / "made", objective="nar")[0].config.objective == "nar"
    assert again.config.n_audio_codes == 40
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), again.parameters(), strict=True))


def test_what_is_missing_or_misshapen_is_named(text_model: Path) -> None:
    path = text_model / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "model.norm.weight": torch.ones(3)}, path)
    with pytest.raises(CheckpointError, match=r"tensor 'model.norm.weight' has the shape \(3,\)"):
        extend(text_model)
    save_file({name: value for name, value in tensors.items() if name != "model.norm.weight"}, path)
    with pytest.raises(CheckpointError, match=r"1 tensors are missing, the first is 'model.norm.weight'"):
        extend(text_model)
    save_file({**tensors, "extra": torch.ones(3)}, path)
    with pytest.raises(CheckpointError, match=r"tensor 'extra' belongs to no part"):
        extend(text_model)
    (text_model / "tokenizer.json").write_text("{")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: not a readable tokenizer"):
        extend(text_model)


def test_a_damaged_configuration_is_named(text_model: Path) -> None:
    (text_model / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    with pytest.raises(CheckpointError, match=r"config\.json: not a readable config.json with a vocab_size"):
        extend(text_model)
