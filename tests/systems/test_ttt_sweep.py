"""What ``tttbench probe`` asks of ``ttt:``: exact lengths, other settings over the same weights, forward passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_model import checkpoint
from reference_model.config import Objective
from reference_model.roofline import HeadRows, PassShape, SequenceRows, work_of_pass
from reference_model.tokens import TtTTokenizer
from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import build_system
from tttbench.core.system import Lengths, PassRun, SystemOptions
from tttbench.probes.axes import AXES
from tttbench.systems.ttt.adapter import TtTSystem
from tttbench.systems.ttt.limits import TEXT_CHUNK
from tttbench.systems.ttt.synthetic import synthetic_prompt

from .ttt_checkpoints import Folders, answered, write_checkpoint


def system_of(folder: Path, **settings: JsonValue) -> TtTSystem:
    system = build_system(f"ttt:{folder}", SystemOptions(settings=settings))
    assert isinstance(system, TtTSystem)
    return system


def nothing(_: PassRun) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
@pytest.mark.parametrize(("prompt_codes", "span_codes"), [(1, 1), (7, 26), (40, 33)])
def test_answers_have_exactly_the_codes_that_are_asked_for(
    folders: Folders, objective: Objective, prompt_codes: int, span_codes: int
) -> None:
    asked = [Lengths(prompt_codes, span_codes, seed) for seed in range(2)]
    ask = system_of(folders[objective]).tuned(SystemOptions(batch_size=2), nothing).scheduled(asked)
    for answer in answered(ask()):
        assert answer.audio_codes is not None
        assert answer.waveform is not None
        assert len(answer.audio_codes) == span_codes
        assert len(answer.trace.text_times_s) == TEXT_CHUNK
        assert len(answer.waveform) == 1280 * span_codes
        assert answer.finish_reason == "stop"


@pytest.mark.parametrize("codes", [1, 90])
def test_prompts_have_exactly_the_codes_that_are_asked_for(folders: Folders, codes: int) -> None:
    loaded = checkpoint.load(folders["hybrid"])
    ids = synthetic_prompt(loaded, "Answer.", Lengths(codes, 2)).ids
    assert len(loaded.tokenizer.codes(ids)) == codes


def test_asking_again_gives_the_same_answer(folders: Folders) -> None:
    ask = system_of(folders["hybrid"]).scheduled([Lengths(5, 9, seed=3)])
    first, second = answered([ask()[0], ask()[0]])
    assert (first.text, first.audio_codes, first.trace.nfe) == (second.text, second.audio_codes, second.trace.nfe)


def test_another_seed_gives_other_codes(folders: Folders) -> None:
    system = system_of(folders["hybrid"])
    (one,), (other,) = (answered(system.scheduled([Lengths(5, 9, seed)])()) for seed in range(2))
    assert one.audio_codes != other.audio_codes


@pytest.mark.parametrize(("steps", "passes"), [(1, 1), (3, 3)])
def test_settings_take_the_place_of_the_systems_own(folders: Folders, steps: int, passes: int) -> None:
    tuned = system_of(folders["hybrid"]).tuned(SystemOptions(settings={"steps_per_block": steps}), nothing)
    assert tuned.card.settings["block_length"] == 10
    (answer,) = answered(tuned.scheduled([Lengths(5, 10)])())
    # A block of ten codes takes all its steps; the block behind it, which begins with the end token, at most as many.
    assert len(set(answer.trace.commit_step)) == passes


def test_settings_without_effect_so_far_are_kept_for_those_that_give_them_one(folders: Folders) -> None:
    own = system_of(folders["hybrid"]).tuned(SystemOptions(settings={"refresh_every": 2}), nothing)
    assert isinstance(own, TtTSystem)
    assert "refresh_every" not in own.card.settings
    tuned = own.tuned(SystemOptions(settings={"cache": "refresh"}), nothing)
    assert tuned.card.settings["refresh_every"] == 2


def test_another_strategy_shares_the_weights(folders: Folders) -> None:
    system = system_of(folders["hybrid"])
    tuned = system.tuned(SystemOptions(strategy="threshold:tau=0.5"), nothing)
    assert tuned.card.strategy == "threshold:tau=0.5"
    assert isinstance(tuned, TtTSystem)
    assert tuned._loaded is system._loaded


def test_a_strategy_that_does_not_fit_is_refused(folders: Folders) -> None:
    with pytest.raises(UserError, match="'topk' doesn't fit a model trained with objective 'ar'"):
        system_of(folders["ar"]).tuned(SystemOptions(strategy="topk"), nothing)


def test_lengths_beyond_the_positions_are_refused_with_what_to_cut(folders: Folders) -> None:
    # 400 positions; the prompt holds letters and control tokens beside its codes.
    with pytest.raises(UserError, match=r"390 codes and a span of 100 take \d+ positions, .* has 400. Shorten them"):
        system_of(folders["hybrid"]).scheduled([Lengths(390, 100)])


def test_every_pass_is_told_with_its_work(folders: Folders) -> None:
    told: list[PassRun] = []
    system = system_of(folders["hybrid"], block_length=12, steps_per_block=1)
    (answer,) = answered(system.tuned(SystemOptions(), told.append).scheduled([Lengths(4, 11)])())
    assert len(told) == answer.trace.nfe == 1 + TEXT_CHUNK + 1 + 1
    assert [one.prefill for one in told] == [True] + [False] * (len(told) - 1)
    assert all(one.seconds > 0 for one in told)
    model = system._loaded.model
    config, n_prompt = model.config, len(system._loaded.tokenizer.prompt("Answer.", [0] * 4))
    # The second pass is a text row that sees the prompt, the first token and itself.
    text = PassShape((SequenceRows(1, n_prompt + 1, n_prompt + 1),), (HeadRows(1, config.audio_token_id_start),))
    assert told[1].work == work_of_pass(config, 4, text)
    # The last but one is the block of eleven codes and their end, with the token that opens the span.
    seen = n_prompt + TEXT_CHUNK + 1
    columns = 1 + config.n_audio_codes + 3
    block = PassShape((SequenceRows(13, seen + 12, seen + 12 * (seen + 12)),), (HeadRows(12, columns),))
    assert told[-2].work == work_of_pass(config, 4, block)


def test_a_batch_shares_its_passes(folders: Folders) -> None:
    alone: list[PassRun] = []
    together: list[PassRun] = []
    system = system_of(folders["hybrid"], block_length=12, steps_per_block=1)
    system.tuned(SystemOptions(batch_size=1), alone.append).scheduled([Lengths(4, 11)])()
    system.tuned(SystemOptions(batch_size=3), together.append).scheduled([Lengths(4, 11, seed) for seed in range(3)])()
    assert len(together) == len(alone)
    assert [one.work.flops for one in together] == [3 * one.work.flops for one in alone]


@pytest.mark.parametrize(
    ("objective", "missing"),
    [("hybrid", set()), ("ar", {"block_length", "block_lengths", "steps_per_block", "cfg", "refresh_every"})],
)
def test_a_model_that_writes_token_by_token_has_no_blocks(
    folders: Folders, objective: Objective, missing: set[str]
) -> None:
    assert system_of(folders[objective]).axes == {axis.name for axis in AXES} - missing


def test_limits_of_the_settings_cut_no_synthetic_answer(
    tokenizer: TtTTokenizer, folders: Folders, tmp_path: Path
) -> None:
    (tmp_path / "codec").symlink_to(folders["hybrid"].parent / "codec")
    folder = write_checkpoint(tmp_path / "model", tokenizer, max_text_tokens=2, max_audio_tokens=3)
    (answer,) = answered(system_of(folder).scheduled([Lengths(4, 30)])())
    assert answer.audio_codes is not None
    assert len(answer.audio_codes) == 30
