"""Draft heads learn what follows, on a model that stays as it is; killed and resumed, they are the same."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from reference_model import checkpoint
from reference_model.decoding import DecodeConfig, Prompt, generate
from reference_model.draft_heads import DraftHead
from reference_model.errors import CheckpointError, ConfigError, ReferenceModelError
from reference_model.layout import Example, interleave
from reference_model.training.batching import collate
from reference_model.training.draft_heads import HeadsModule, chains, head_losses, train_draft_heads
from reference_model.training.objective import ObjectiveConfig, corrupt
from reference_model.training.settings import TrainingConfig
from reference_model.training.trainer import Progress
from reference_model.transformer import TtTModel

from ..checkpoints import released_layout, small

TOKENIZER = released_layout(8)
CONFIG = dataclasses.replace(small(TOKENIZER), objective="ar")
SETTINGS = TrainingConfig(steps=6, batch_size=2, save_every=2, pool=2, bf16=False)


def example(i: int) -> Example:
    """Codes that count on from where they begin: what follows can be learned from what was."""
    codes = TOKENIZER.code_ids([(i + n) % 8 for n in range(4 + i % 5)])
    return Example(
        tuple(TOKENIZER.prompt("", [i % 8, 1])), tuple(interleave(TOKENIZER.encode_plain("a"), codes, CONFIG))
    )


EXAMPLES = [example(i) for i in range(9)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of random weights."""
    folder = tmp_path_factory.mktemp("frozen")
    torch.manual_seed(3)
    checkpoint.save(TtTModel(CONFIG), TOKENIZER, folder)
    return folder


def train(source: Path, folder: Path, settings: TrainingConfig = SETTINGS, until: int | None = None) -> list[Tensor]:
    model = checkpoint.load(source).model
    train_draft_heads(model, source, EXAMPLES, settings, folder, 2, until=until)
    return [value for head in checkpoint.load(folder).model.draft_heads for value in vars(head).values()]


@pytest.mark.parametrize("pack", [0, 80])
def test_chains_are_the_audio_behind_a_rows_own_target(pack: int) -> None:
    """Read off the answers one by one, with lists."""
    rng = np.random.default_rng(0)
    batch = collate([corrupt(one, ObjectiveConfig(), CONFIG, rng) for one in EXAMPLES], CONFIG, pack=pack)
    rows, tokens = chains(batch, TtTModel(CONFIG), 3)
    flat = batch.ids.flatten().tolist()
    expected = []
    for one in EXAMPLES:
        for at in range(len(one.answer) - 1):
            own, following = one.answer[at], list(one.answer[at + 1 : at + 4])
            if own in CONFIG.span_end_ids or (own < CONFIG.audio_token_id_start and own not in CONFIG.span_begin_ids):
                continue
            for n, token in enumerate(following):
                if token in CONFIG.span_end_ids:
                    following = following[: n + 1]
                    break
            expected.append([own, *following, *[-1] * (3 - len(following))])
    assert sorted(tokens.tolist()) == sorted(expected)
    # The row that predicts a token stands before it.
    assert all(flat[row + 1] == own for row, own in zip(rows.tolist(), tokens[:, 0].tolist(), strict=True))


def test_losses_by_an_independent_reading() -> None:
    torch.manual_seed(1)
    model = TtTModel(CONFIG)
    module = HeadsModule(CONFIG.hidden_size, 2)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    heads = module.heads()
    rng = np.random.default_rng(0)
    losses = head_losses(model, heads, collate([corrupt(EXAMPLES[0], ObjectiveConfig(), CONFIG, rng)], CONFIG))
    ids = [*EXAMPLES[0].prompt, *EXAMPLES[0].answer]
    hidden = model.hidden(torch.tensor([ids]), torch.arange(1, len(ids) + 1).unsqueeze(0))[0]
    table, low = model.model.embed_tokens.weight, CONFIG.audio_token_id_start
    n_prompt = len(EXAMPLES[0].prompt)
    nats: tuple[list[Tensor], list[Tensor]] = ([], [])
    for at in range(n_prompt - 1, len(ids) - 2):
        state = hidden[at]
        for i, head in enumerate(heads):
            before, target = ids[at + 1 : at + 2 + i], ids[at + 2 + i : at + 3 + i]
            in_span = all(
                (token >= low and token not in CONFIG.span_end_ids) or (n == 0 and token in CONFIG.span_begin_ids)
                for n, token in enumerate(before)
            )
            if not in_span or not target or target[0] < low:
                break
            state = head(state, table[before[-1]], CONFIG.rms_norm_eps)
            nats[i].append(-(table[low:] @ state).log_softmax(0)[target[0] - low])
    for found, of_head in zip(losses, nats, strict=True):
        torch.testing.assert_close(found, torch.stack(of_head).mean(), atol=1e-5, rtol=0)


def test_killed_and_resumed_gives_the_same_heads(source: Path, tmp_path: Path) -> None:
    whole = train(source, tmp_path / "whole")
    train(source, tmp_path / "parts", until=3)
    resumed = train(source, tmp_path / "parts")
    assert all(torch.equal(one, other) for one, other in zip(whole, resumed, strict=True))
    lines = (tmp_path / "parts" / "losses.jsonl").read_text().splitlines()
    assert len(lines) == 2


def test_the_model_stays_as_it_is(source: Path, tmp_path: Path) -> None:
    train(source, tmp_path / "out", until=2)
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [("model.safetensors", b"other weights"), ("config.json", b"{}"), ("tokenizer.json", b"{}"),
     ("model-00002-of-00002.safetensors", b"a shard of another model")],
)  # fmt: skip
def test_another_checkpoint_in_the_folder_is_left_alone(
    source: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{re.escape(name)}: isn't .*; train the heads into another folder"):
        train(source, tmp_path)
    assert (tmp_path / name).read_bytes() == content


def test_a_copy_that_broke_off_is_made_again(source: Path, tmp_path: Path) -> None:
    copied = shutil.copyfile

    def broken(begin: Path, to: Path) -> None:
        to.write_bytes(begin.read_bytes()[:100])
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "copyfile", broken)
        with pytest.raises(KeyboardInterrupt):
            train(source, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    assert shutil.copyfile is copied
    train(source, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if "partial" in path.name) == []
    assert (tmp_path / "model.safetensors").read_bytes() == (source / "model.safetensors").read_bytes()


def test_heads_learn_and_draft(source: Path, tmp_path: Path) -> None:
    reported: list[Progress] = []
    model = checkpoint.load(source).model
    settings = dataclasses.replace(SETTINGS, steps=60, learning_rate=1e-2, save_every=60)
    heads = train_draft_heads(
        model, source, EXAMPLES, settings, tmp_path / "out", 2, report=reported.append, report_every=20
    )
    assert reported[-1].audio_loss < 0.8 * reported[0].audio_loss
    assert all(isinstance(head, DraftHead) for head in heads)
    loaded = checkpoint.load(tmp_path / "out")
    prompts = [Prompt(one.prompt, forced=one.answer[:4]) for one in EXAMPLES]
    chosen = DecodeConfig(max_text_tokens=4, max_audio_tokens=12)
    expected = generate(loaded.model, prompts, chosen)
    drafted = generate(loaded.model, prompts, dataclasses.replace(chosen, strategy="mtp"))
    assert [answer.ids for answer in drafted] == [answer.ids for answer in expected]


def test_what_cannot_be_trained_is_refused(source: Path, tmp_path: Path) -> None:
    train(source, tmp_path / "out", until=2)
    with pytest.raises(CheckpointError, match=r"holds a training with other settings .*batch_size: there 2, here 3"):
        train(source, tmp_path / "out", dataclasses.replace(SETTINGS, batch_size=3))
    hybrid = TtTModel(dataclasses.replace(CONFIG, objective="hybrid"))
    with pytest.raises(ConfigError, match="draft heads are for models with objective 'ar', not 'hybrid'"):
        train_draft_heads(hybrid, source, EXAMPLES, SETTINGS, tmp_path / "other", 2)
    with pytest.raises(ReferenceModelError, match="there are no training examples"):
        train_draft_heads(TtTModel(CONFIG), source, [], SETTINGS, tmp_path / "other", 2)
    assert not (tmp_path / "other").exists()
