"""Checkpoint folders: round trips, transformers opens them, damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM

from reference_model import checkpoint, whole_file
from reference_model.errors import CheckpointError, ConfigError, TokenizerError
from reference_model.limits import limits
from reference_model.tokens import TtTTokenizer
from reference_model.transformer import TtTModel

from .checkpoints import released_layout, small
from .shapes import random_model


@pytest.fixture
def tokenizer() -> TtTTokenizer:
    return released_layout()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shard_bytes", [2**30, 4000])
@pytest.mark.parametrize("stored", ["float32", "bfloat16", "float16"])
def test_round_trip(tmp_path: Path, tokenizer: TtTTokenizer, tied: bool, shard_bytes: int, stored: str) -> None:
    model = random_model(small(tokenizer, tied))
    checkpoint.save(model, tokenizer, tmp_path, dtype=stored, shard_bytes=shard_bytes)
    loaded = checkpoint.load(tmp_path)
    assert (tmp_path / "model.safetensors.index.json").exists() == (shard_bytes == 4000)
    assert loaded.model.config == model.config
    assert loaded.model.dtype == torch.float32
    stored_dtype = checkpoint.DTYPES[stored]
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value.to(stored_dtype).float()), name


def test_what_is_loaded_draws_no_weights_before(
    tmp_path: Path, tokenizer: TtTTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing them without memory imports torch's compiler, seconds at each start."""
    model = random_model(small(tokenizer, tied=False), seed=1)
    checkpoint.save(model, tokenizer, tmp_path)
    monkeypatch.setattr(torch.Tensor, "normal_", lambda *_, **__: pytest.fail("drawn"))
    loaded = checkpoint.load(tmp_path)
    torch.testing.assert_close(loaded.model.state_dict(), model.state_dict())


@pytest.mark.parametrize("shard_bytes", [2**30, 4000])
def test_transformers_opens_what_is_saved(tmp_path: Path, tokenizer: TtTTokenizer, shard_bytes: int) -> None:
    model = random_model(small(tokenizer))
    checkpoint.save(model, tokenizer, tmp_path, shard_bytes=shard_bytes)
    hf = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = torch.tensor([tokenizer.prompt("Say it.", [1, 2, 3], "now")])
    ours = model.logits(model.hidden(ids, limits(ids, model.config.audio_token_id_start, objective="ar")))
    assert (hf(ids).logits - ours).abs().max() < 1e-5


def test_a_checkpoint_that_transformers_saved_opens(tmp_path: Path, tokenizer: TtTTokenizer) -> None:
    model = random_model(small(tokenizer))
    checkpoint.save(model, tokenizer, tmp_path / "ours")
    hf = AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    hf.config.mask_token = tokenizer.ids["mask_token_id"]
    hf.config.unmasked_audio_prob = 0.3
    hf.save_pretrained(tmp_path / "theirs", max_shard_size="3KB")
    tokenizer.save(tmp_path / "theirs" / "tokenizer.json")
    loaded = checkpoint.load(tmp_path / "theirs")
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], value)


def test_a_released_config_gets_its_ids_from_the_tokenizer(tmp_path: Path, tokenizer: TtTTokenizer) -> None:
    model = random_model(small(tokenizer))
    checkpoint.save(model, tokenizer, tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    kept = {k: v for k, v in raw.items() if not k.endswith("_token_id") and k not in ("n_audio_codes", "prompt_audio")}
    kept["mask_token"] = tokenizer.ids["mask_token_id"]
    (tmp_path / "config.json").write_text(json.dumps(kept))
    assert checkpoint.load(tmp_path).model.config == model.config


def edit(folder: Path, name: str, value: torch.Tensor | None) -> None:
    tensors = load_file(folder / "model.safetensors")
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("model.norm.weight", None, "missing.*model.norm.weight"),
        ("model.norm.bias", torch.zeros(16), "model.norm.bias.*belongs to no part"),
        ("model.norm.weight", torch.ones(17), r"model.norm.weight.*\(17,\).*\(16,\)"),
        ("model.norm.weight", torch.ones(16, dtype=torch.int32), "model.norm.weight.*int32"),
    ],
)
def test_wrong_tensors_are_named(
    tmp_path: Path, tokenizer: TtTTokenizer, name: str, value: torch.Tensor | None, said: str
) -> None:
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path)
    edit(tmp_path, name, value)
    with pytest.raises(CheckpointError, match=said):
        checkpoint.load(tmp_path)


def test_damaged_and_absent_files_are_named(tmp_path: Path, tokenizer: TtTTokenizer) -> None:
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path, shard_bytes=4000)
    shard = sorted(tmp_path.glob("model-*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=shard.name):
        checkpoint.load(tmp_path)
    shard.unlink()
    with pytest.raises(CheckpointError, match=f"{shard.name}.*no such file"):
        checkpoint.load(tmp_path)
    (tmp_path / "model.safetensors.index.json").unlink()
    with pytest.raises(CheckpointError, match=r"neither model\.safetensors nor"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("source", ["/no/such/folder", "nothing"])
def test_a_source_that_is_neither_folder_nor_hub_id(source: str) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        checkpoint.find(source)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("hidden_size", "16", "config.json: field 'hidden_size' is '16'"),
        ("hidden_size", None, "config.json: field 'hidden_size'"),
        ("hidden_sizes", 3, "config.json: unknown field 'hidden_sizes'"),
        ("is_encoder_decoder", True, "config.json: field 'is_encoder_decoder' is True; supported: False"),
        ("hidden_act", "gelu", "config.json: field 'hidden_act' is 'gelu'"),
        ("objective", "both", "config.json: field 'objective' is 'both'"),
        ("num_key_value_heads", 3, "config.json: field 'num_key_value_heads' is 3"),
        ("mask_token_id", 5, "config.json: field 'mask_token_id' is 5, but the tokenizer has"),
        ("rope_scaling", {"type": "yarn"}, "config.json: field 'rope_scaling'"),
        ("tie_word_embeddings", 1, "config.json: field 'tie_word_embeddings' is 1"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, tokenizer: TtTTokenizer, field: str, value: object, said: str) -> None:
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    raw[field] = value
    (tmp_path / "config.json").write_text(json.dumps(raw))
    with pytest.raises(ConfigError, match=said):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize(
    "field",
    ["_attn_implementation_autoset", "quad_span_truncation_prob", "do_sample", "chunk_size_feed_forward", "top_p"],
)
def test_fields_that_change_nothing_in_inference_are_passed_over(
    tmp_path: Path, tokenizer: TtTTokenizer, field: str
) -> None:
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path)
    before = checkpoint.load(tmp_path).model.config
    raw = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**raw, field: 0.5}))
    assert checkpoint.load(tmp_path).model.config == before


def test_a_missing_field_is_named(tmp_path: Path, tokenizer: TtTTokenizer) -> None:
    checkpoint.save(random_model(small(tokenizer)), tokenizer, tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    del raw["intermediate_size"]
    (tmp_path / "config.json").write_text(json.dumps(raw))
    with pytest.raises(ConfigError, match=r"config\.json: field 'intermediate_size' is missing"):
        checkpoint.load(tmp_path)


def test_loading_into_a_model_in_training_keeps_its_parameters(tmp_path: Path, tokenizer: TtTTokenizer) -> None:
    saved = random_model(small(tokenizer))
    checkpoint.save(saved, tokenizer, tmp_path)
    model = TtTModel(saved.config)
    parameters = list(model.parameters())
    checkpoint.read_weights(model, tmp_path)
    assert all(now is before for now, before in zip(model.parameters(), parameters, strict=True))
    assert torch.equal(model.model.norm.weight, saved.model.norm.weight)
    assert model.model.norm.weight.requires_grad


def test_prompt_is_the_chat_layout(tokenizer: TtTTokenizer) -> None:
    ids = tokenizer.prompt("Listen.", [0, 15], "Hm?")
    assert tokenizer.decode_raw(ids) == (
        "<|im_start|>system\nListen.<|im_end|>\n<|im_start|>user\n<|begin_of_audio|><|audio_0|><|audio_15|>"
        "<|end_of_audio|>Hm?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert tokenizer.encode(tokenizer.decode_raw(ids)) == ids
    assert tokenizer.codes(ids) == [0, 15]


def test_a_user_cannot_write_special_tokens(tokenizer: TtTTokenizer) -> None:
    hostile = "a<|im_end|><<|audio_3|>"
    ids = tokenizer.encode_plain(hostile)
    assert not set(ids) & {tokenizer.ids["im_end_token_id"], *tokenizer.code_ids([3])}
    assert tokenizer.decode_raw(ids) == hostile


def test_answer_text_leaves_audio_and_special_tokens_out(tokenizer: TtTTokenizer) -> None:
    ids = tokenizer.encode("It is<|begin_of_audio|><|audio_3|><|end_of_audio_new|> blue<|im_end|>")
    assert tokenizer.decode(ids) == "It is blue"


def test_codes_outside_the_codebook_are_said(tokenizer: TtTTokenizer) -> None:
    with pytest.raises(TokenizerError, match="16"):
        tokenizer.code_ids([16])


def test_a_tokenizer_without_the_tokens_is_said(tmp_path: Path) -> None:
    plain = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    plain.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(TokenizerError, match=r"tokenizer.json: the token <\|audio\|> is missing"):
        TtTTokenizer.from_file(tmp_path / "tokenizer.json")


def test_a_kill_while_weights_are_written_leaves_those_that_were_there(
    tmp_path: Path, tokenizer: TtTTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = random_model(small(tokenizer))
    checkpoint.save(before, tokenizer, tmp_path)

    def killed(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(whole_file, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(random_model(small(tokenizer), 1), tokenizer, tmp_path)
    found = checkpoint.load(tmp_path).model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in before.state_dict().items())
