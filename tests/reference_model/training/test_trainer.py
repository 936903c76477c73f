"""Training: killed and resumed gives the same weights; the learning rate by hand; what is refused."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

import reference_model
from reference_model import checkpoint
from reference_model.config import TtTConfig
from reference_model.errors import CheckpointError, ConfigError, ReferenceModelError
from reference_model.layout import Example, interleave
from reference_model.tokens import TtTTokenizer
from reference_model.training import trainer
from reference_model.training.mixture import Mixture, picks
from reference_model.training.objective import ObjectiveConfig
from reference_model.training.resumable import store_tensors
from reference_model.training.settings import TrainingConfig, learning_rate
from reference_model.training.trainer import Progress, check_folder, train
from reference_model.transformer import TtTModel

SETTINGS = TrainingConfig(
    steps=7, batch_size=2, save_every=2, pool=2, bf16=False, warm_up=0.2, objective=ObjectiveConfig(block_view=0.5)
)


def small_tokenizer() -> TtTTokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={character: i for i, character in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    names = ["im_start", "im_end", "begin_of_audio", "begin_of_quad", "end_of_audio", "audio"]
    names += [*(f"audio_{code}" for code in range(8)), "mask_token", "end_of_audio_new", "end_of_audio_span_last"]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in names])
    return TtTTokenizer(tokenizer)


TOKENIZER = small_tokenizer()
CONFIG = TtTConfig(
    **dict[str, Any](TOKENIZER.ids),
    vocab_size=TOKENIZER.vocab_size,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
    tie_word_embeddings=True,
)


def some_examples(n: int = 9) -> list[Example]:
    rng = np.random.default_rng(4)
    made = []
    for i in range(n):
        codes = TOKENIZER.code_ids(rng.integers(0, 8, int(rng.integers(3, 20))).tolist())
        answer = interleave(TOKENIZER.encode_plain(f"answer {i}"), codes, CONFIG)
        made.append(Example(tuple(TOKENIZER.prompt("", [i % 8, 1])), tuple(answer)))
    return made


EXAMPLES = some_examples()


def fresh() -> TtTModel:
    torch.manual_seed(5)
    return TtTModel(CONFIG)


class KilledError(BaseException):
    """Stands for a kill: nothing in the training catches it."""


def train_into(folder: Path, settings: TrainingConfig = SETTINGS, killed_after: int | None = None) -> TtTModel:
    def report(progress: Progress) -> None:
        if progress.step == killed_after:
            raise KilledError

    return train(fresh(), TOKENIZER, EXAMPLES, settings, folder, report=report, report_every=1)


def same_weights(one: TtTModel, other: TtTModel) -> bool:
    others = dict(other.named_parameters())
    return all(torch.equal(parameter, others[name]) for name, parameter in one.named_parameters())


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TtTModel]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return folder, train_into(folder)


@pytest.mark.parametrize("step", range(1, SETTINGS.steps + 1))
def test_killed_and_resumed_gives_the_same_weights(
    tmp_path: Path, uninterrupted: tuple[Path, TtTModel], step: int
) -> None:
    with pytest.raises(KilledError):
        train_into(tmp_path, killed_after=step)
    resumed = train_into(tmp_path)
    folder, whole = uninterrupted
    assert same_weights(resumed, whole)
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (tmp_path / file).read_bytes() == (folder / file).read_bytes()


def test_killed_twice_under_autocast(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, bf16=True)
    whole = train_into(tmp_path / "whole", settings)
    for step in (3, 5):
        with pytest.raises(KilledError):
            train_into(tmp_path / "killed", settings, killed_after=step)
    assert same_weights(train_into(tmp_path / "killed", settings), whole)


@pytest.mark.parametrize("part", ["checkpoint.save", "store_tensors"])
def test_killed_while_the_last_checkpoint_is_written(
    tmp_path: Path, uninterrupted: tuple[Path, TtTModel], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    whole: Callable[..., None] = checkpoint.save if part == "checkpoint.save" else store_tensors
    done = []

    def dies_at_the_end(*args: Any, **kwargs: Any) -> None:
        done.append(1)
        if len(done) == 4:
            raise KilledError
        whole(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(f"reference_model.training.trainer.{part}", dies_at_the_end)
        with pytest.raises(KilledError):
            train_into(tmp_path)
    train_into(tmp_path)
    folder, _ = uninterrupted
    assert (tmp_path / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_until_stops_with_a_checkpoint_and_goes_on(tmp_path: Path, uninterrupted: tuple[Path, TtTModel]) -> None:
    train(fresh(), TOKENIZER, EXAMPLES, SETTINGS, tmp_path, until=3)
    assert (tmp_path / "model.safetensors").exists()
    assert same_weights(train_into(tmp_path), uninterrupted[1])


def test_the_folder_opens_as_a_checkpoint(uninterrupted: tuple[Path, TtTModel]) -> None:
    folder, model = uninterrupted
    loaded = reference_model.load(folder)
    assert loaded.model.config == CONFIG
    for name, parameter in model.named_parameters():
        assert torch.equal(loaded.model.state_dict()[name], parameter.half().float())


def test_the_log_has_every_step_once_after_a_kill(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        train_into(tmp_path, killed_after=5)
    with (tmp_path / "losses.jsonl").open("a") as log:
        log.write('{"step": 6, "st')
    train_into(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert rows[0]["learning_rate"] == pytest.approx(2e-3)
    assert all(math.isfinite(row["text_loss"]) and math.isfinite(row["audio_loss"]) for row in rows)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (dataclasses.replace(SETTINGS, learning_rate=1e-4), r"training\.learning_rate: there .*, here 0\.0001"),
        (dataclasses.replace(SETTINGS, steps=9), r"training\.steps: there \d+, here 9"),
        (
            dataclasses.replace(SETTINGS, objective=ObjectiveConfig(banom=0)),
            r"training\.objective\.banom: there 0\.3, here 0",
        ),
    ],
)
def test_other_settings_are_refused(uninterrupted: tuple[Path, TtTModel], changed: TrainingConfig, named: str) -> None:
    folder, _ = uninterrupted
    with pytest.raises(
        CheckpointError, match=rf"training\.safetensors: holds a training with other settings \({named}"
    ):
        train(fresh(), TOKENIZER, EXAMPLES, changed, folder)
    with pytest.raises(CheckpointError, match="other settings"):
        check_folder(folder, changed, CONFIG, EXAMPLES)


def test_another_model_or_data_is_refused_but_not_another_save_every(uninterrupted: tuple[Path, TtTModel]) -> None:
    folder, _ = uninterrupted
    with pytest.raises(CheckpointError, match="other settings"):
        check_folder(folder, SETTINGS, dataclasses.replace(CONFIG, objective="ar"), EXAMPLES)
    with pytest.raises(CheckpointError, match="other settings"):
        check_folder(folder, SETTINGS, CONFIG, EXAMPLES[1:])
    check_folder(folder, dataclasses.replace(SETTINGS, save_every=100), CONFIG, EXAMPLES)


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "training.safetensors").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match=r"training\.safetensors: not a readable training state .*remove it"):
        train_into(tmp_path)


def test_no_examples(tmp_path: Path) -> None:
    with pytest.raises(ReferenceModelError, match="no training examples"):
        train(fresh(), TOKENIZER, [], SETTINGS, tmp_path)


def picked_of(examples: list[Example], settings: TrainingConfig, step: int) -> list[int]:
    lengths = [len(example.prompt) + len(example.answer) for example in examples]
    mixture = Mixture((len(examples),), (1.0,))
    return picks(mixture, lengths, settings.batch_size, settings.pool, settings.seed, step)


def test_every_example_once_an_epoch() -> None:
    examples = some_examples(12)
    settings = dataclasses.replace(SETTINGS, batch_size=2, pool=3)
    for epoch in range(3):
        steps = range(epoch * 6, epoch * 6 + 6)
        picked = [i for step in steps for i in picked_of(examples, settings, step)]
        assert sorted(picked) == list(range(12))


def test_examples_of_like_length_share_a_batch() -> None:
    examples = some_examples(16)
    settings = dataclasses.replace(SETTINGS, batch_size=4, pool=4)
    spans = []
    for step in range(4):
        lengths = [len(examples[i].prompt) + len(examples[i].answer) for i in picked_of(examples, settings, step)]
        spans.append((min(lengths), max(lengths)))
    spans.sort()
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


def test_learning_rate_by_hand() -> None:
    settings = TrainingConfig(steps=110, warm_up=10 / 110, learning_rate=1.0)
    assert learning_rate(settings, 0) == pytest.approx(0.1)
    assert learning_rate(settings, 9) == pytest.approx(1.0)
    assert learning_rate(settings, 10) == pytest.approx(1.0)
    assert learning_rate(settings, 60) == pytest.approx(0.01 + 0.99 / 2)  # half of the cosine
    assert learning_rate(settings, 110) == pytest.approx(0.01)


def parameters(group: dict[str, object]) -> list[torch.nn.Parameter]:
    found = group["params"]
    assert isinstance(found, list)
    return found


def test_vectors_are_not_decayed() -> None:
    matrices, vectors = trainer.optimizer_for(fresh(), dataclasses.replace(SETTINGS, weight_decay=0.25)).param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.25, 0.0)
    parts = [(part, group) for group in (matrices, vectors) for part in parameters(group)]
    assert all((part.dim() > 1) == (group is matrices) for part, group in parts)
    assert sum(part.numel() for part, _ in parts) == fresh().n_parameters()


@pytest.mark.parametrize(
    ("field", "value"),
    [("steps", 0), ("batch_size", 0), ("save_every", 0), ("pool", 0), ("seed", -1), ("learning_rate", 0.0),
     ("clip", -1.0), ("warm_up", 1.5)],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(field: str, value: float) -> None:
    change: dict[str, Any] = {field: value}
    with pytest.raises(ConfigError, match=f"training: field '{field}' is {value}"):
        dataclasses.replace(SETTINGS, **change)


def test_training_learns(tmp_path: Path) -> None:
    """200 steps on two examples that differ in the prompt alone: AR reproduces both answers."""
    examples = [
        Example((1, 2, 3), tuple(interleave([10, 11], TOKENIZER.code_ids([1, 2]), CONFIG))),
        Example((1, 2, 4), tuple(interleave([12], TOKENIZER.code_ids([3]), CONFIG))),
    ]
    config = dataclasses.replace(CONFIG, objective="ar")
    torch.manual_seed(0)
    settings = TrainingConfig(steps=200, batch_size=2, learning_rate=1e-2, save_every=200, bf16=False)
    model = train(TtTModel(config), TOKENIZER, examples, settings, tmp_path)
    for example in examples:
        ids = torch.tensor([[*example.prompt, *example.answer]])
        limit = torch.arange(1, ids.shape[1] + 1)[None]
        best = model.logits(model.hidden(ids, limit))[0].argmax(-1)
        assert best[len(example.prompt) - 1 : -1].tolist() == list(example.answer)


def test_stored_state_is_safetensors(uninterrupted: tuple[Path, TtTModel]) -> None:
    folder, model = uninterrupted
    tensors = load_file(folder / "training.safetensors")
    assert {f"model.{name}" for name, _ in model.named_parameters()} < tensors.keys()
    assert not list(folder.glob("*.tmp"))


def test_what_noise_may_add_must_fit_as_well(tmp_path: Path) -> None:
    longest = max(len(example.prompt) + len(example.answer) for example in EXAMPLES)
    settings = dataclasses.replace(SETTINGS, pack=longest)
    with pytest.raises(ReferenceModelError, match=rf"an example of {longest + 25} tokens does not fit into rows of"):
        train(fresh(), TOKENIZER, EXAMPLES, settings, tmp_path)
    train(fresh(), TOKENIZER, EXAMPLES, dataclasses.replace(settings, pack=longest + 25), tmp_path)


def test_another_number_of_parts_is_the_same_training(uninterrupted: tuple[Path, TtTModel]) -> None:
    check_folder(uninterrupted[0], dataclasses.replace(SETTINGS, accumulate=2, shard=True), CONFIG, EXAMPLES)


def test_a_layer_that_the_model_does_not_have_cannot_spell(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, objective=dataclasses.replace(SETTINGS.objective, ctc=1.0, ctc_layer=9))
    with pytest.raises(ConfigError, match=r"'ctc_layer' is 9, and the model has \d layers"):
        train(fresh(), TOKENIZER, EXAMPLES, settings, tmp_path)


@pytest.mark.slow
def test_a_compiled_training_is_the_same_up_to_rounding(tmp_path: Path, uninterrupted: tuple[Path, TtTModel]) -> None:
    if not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("no C++ compiler")
    settings = dataclasses.replace(SETTINGS, compile=True)
    check_folder(uninterrupted[0], settings, CONFIG, EXAMPLES)  # and may go on where the other one was
    losses = []
    for name, one in (("compiled", settings), ("plain", SETTINGS)):
        seen: list[Progress] = []
        train(fresh(), TOKENIZER, EXAMPLES, one, tmp_path / name, until=3, report=seen.append, report_every=1)
        losses.append([(progress.text_loss, progress.audio_loss) for progress in seen])
    assert np.array(losses[0]) == pytest.approx(np.array(losses[1]), rel=0.02)


def test_compiling_needs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ReferenceModelError, match=r"'compile' is true, which needs a C\+\+ compiler; install g\+\+"):
        train(fresh(), TOKENIZER, EXAMPLES, dataclasses.replace(SETTINGS, compile=True), tmp_path / "out")


def test_a_loss_that_is_not_finite_stops_before_it_spoils_the_weights(tmp_path: Path) -> None:
    train(fresh(), TOKENIZER, EXAMPLES, SETTINGS, tmp_path, until=4)
    kept = (tmp_path / "training.safetensors").read_bytes()
    made = {name: value.clone() for name, value in load_file(tmp_path / "training.safetensors").items()}
    made["model.model.norm.weight"][0] = float("nan")
    with safe_open(tmp_path / "training.safetensors", "pt") as file:
        metadata = file.metadata()
    save_file(made, tmp_path / "training.safetensors", metadata)
    spoilt = (tmp_path / "training.safetensors").read_bytes()
    assert spoilt != kept
    with pytest.raises(
        ReferenceModelError, match=r"step 5: the loss is not finite \(text nan, .* keeps the last check"
    ):
        train(fresh(), TOKENIZER, EXAMPLES, SETTINGS, tmp_path)
    assert (tmp_path / "training.safetensors").read_bytes() == spoilt


def test_every_step_ticks_and_a_resumed_training_from_where_it_was(tmp_path: Path) -> None:
    ticks: list[int] = []
    train(fresh(), TOKENIZER, EXAMPLES, SETTINGS, tmp_path, until=3, tick=ticks.append)
    assert ticks == [1, 2, 3]
    train(fresh(), TOKENIZER, EXAMPLES, SETTINGS, tmp_path, until=5, tick=ticks.append)
    assert ticks == [1, 2, 3, 4, 5]
