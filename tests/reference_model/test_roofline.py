"""The formula's operations and bytes, by hand for a small network; the engine tells the passes that it ran."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model.decoding import DecodeConfig, Engine, Prompt
from reference_model.roofline import (
    Ceilings,
    HeadRows,
    PassShape,
    SequenceRows,
    Work,
    block_parameters,
    measure_ceilings,
    work_of,
    work_of_pass,
)

from .cases import MODELS
from .shapes import random_model, tiny_config

CONFIG = tiny_config(hidden_size=4, intermediate_size=3, num_attention_heads=2, num_key_value_heads=1)


def test_operations_and_bytes_of_a_pass_by_hand() -> None:
    # A layer: q and o 4x4, k and v 4x2, three 4x3: 32 + 16 + 36 = 84; two layers 168.
    assert block_parameters(CONFIG) == 168
    work = work_of(CONFIG, 2, sequences=3, rows=5, keys=10, head_rows=1, head_columns=7, guided=True)
    assert work.flops == 3 * 2 * (2 * 168 * 5 + 4 * 2 * 4 * 5 * 10 + 2 * 28 * 1)
    assert work.bytes == 2 * (168 + 28) + 2 * 2 * 2 * 2 * 10 * 3 * 2


def test_a_ragged_pass_by_hand() -> None:
    # A text row that sees 9 keys, and the row that opens a span (5 keys) with a block of two (7 keys each).
    shape = PassShape((SequenceRows(1, 9, 9), SequenceRows(3, 7, 19)), (HeadRows(1, 20), HeadRows(2, 15)))
    work = work_of_pass(CONFIG, 2, shape)
    assert work.flops == 2 * 168 * 4 + 4 * 2 * 4 * (9 + 19) + 2 * 4 * (20 * 1 + 15 * 2)
    assert work.bytes == 2 * (168 + 4 * 35) + 2 * 2 * 2 * 2 * (9 + 7)


sequences = st.builds(
    lambda rows, keys: SequenceRows(rows, rows + keys, rows * (rows + keys)), st.integers(1, 30), st.integers(0, 500)
)


@given(st.lists(sequences, min_size=1, max_size=5), st.lists(sequences, min_size=1, max_size=5))
def test_a_shared_pass_has_the_operations_of_both_and_reads_the_weights_once(
    one: list[SequenceRows], other: list[SequenceRows]
) -> None:
    apart = [work_of_pass(CONFIG, 4, PassShape(tuple(rows), ())) for rows in (one, other)]
    together = work_of_pass(CONFIG, 4, PassShape((*one, *other), ()))
    assert together.flops == sum(work.flops for work in apart)
    assert together.bytes == sum(work.bytes for work in apart) - 4 * block_parameters(CONFIG)


def test_the_larger_time_is_the_limit() -> None:
    assert Work(flops=100.0, bytes=10.0).limit_s(Ceilings(peak_flops=50.0, bandwidth=10.0)) == 2.0
    assert Work(flops=100.0, bytes=80.0).limit_s(Ceilings(peak_flops=50.0, bandwidth=10.0)) == 8.0


def test_the_blocks_parameters_are_those_of_the_network() -> None:
    model = random_model(tiny_config())
    matrices = [p for name, p in model.named_parameters() if "proj.weight" in name]
    assert block_parameters(model.config) == sum(p.numel() for p in matrices)


def test_ceilings_are_measured() -> None:
    found = measure_ceilings("cpu", torch.float32, 16, 1 << 12, repeats=1)
    assert found.peak_flops > 0
    assert found.bandwidth > 0


# Two text tokens, a span of three codes and its end in one block of four, the end of the answer.
PROMPT, CODE = (16, 1, 2), tiny_config(60).code_id_start
FORCED = (3, 13, CODE, CODE + 1, CODE + 2, tiny_config(60).end_of_audio_new_token_id, 17)


def passes(settings: DecodeConfig, prompts: int = 1) -> list[PassShape]:
    found: list[PassShape] = []
    engine = Engine(MODELS["hybrid", 60, 1], settings, on_pass=found.append)
    for seed in range(prompts):
        engine.submit(Prompt(PROMPT, seed, FORCED))
    while engine.step():
        pass
    return found


def test_the_passes_of_an_answer_by_hand() -> None:
    first, text, block, closing = passes(DecodeConfig(block_length=4, steps_per_block=1))
    # The prompt's rows see 1, 2 and 3 keys.
    assert first == PassShape((SequenceRows(3, 3, 6),), (HeadRows(1, 20),), prefill=True)
    assert text == PassShape((SequenceRows(1, 4, 4),), (HeadRows(1, 20),))
    # The token that opens the span, at position 4, rides with the block; codes, mask and ends are the head's columns.
    assert block == PassShape((SequenceRows(5, 9, 5 + 4 * 9),), (HeadRows(4, 64),))
    # The closed span is run once more, and writes the next text token.
    assert closing == PassShape((SequenceRows(4, 9, 4 * 9),), (HeadRows(1, 20),))


def test_sequences_of_a_batch_share_the_passes() -> None:
    alone = passes(DecodeConfig(block_length=4, steps_per_block=1))
    together = passes(DecodeConfig(block_length=4, steps_per_block=1), prompts=2)
    assert [one.sequences * 2 for one in alone] == [one.sequences for one in together]
    assert [head.rows for one in together for head in one.heads] == [2, 2, 8, 2]


def test_guidance_runs_the_whole_sequence_beside_the_block() -> None:
    opening, block = passes(DecodeConfig(block_length=4, steps_per_block=2, cfg=0.1))[2:4]
    # When the block opens, the other side is masks alone, which needn't be run.
    assert opening.sequences == (SequenceRows(5, 9, 5 + 4 * 9),)
    assert opening.heads == (HeadRows(4, 64),)
    assert block.sequences == (SequenceRows(4, 9, 4 * 9), SequenceRows(9, 9, 81))
    assert block.heads == (HeadRows(4, 64),)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_every_pass_is_told(steps: int) -> None:
    found = passes(DecodeConfig(block_length=4, steps_per_block=steps))
    # Of the steps of a block those behind its settling are not run: its end token may come first.
    assert 4 <= len(found) <= 3 + steps
    assert [one.prefill for one in found] == [True] + [False] * (len(found) - 1)


def test_without_a_cache_every_pass_runs_the_whole_sequence_and_head() -> None:
    found = passes(DecodeConfig(cache="none", block_length=4, steps_per_block=1))
    assert [one.sequences[0].rows for one in found] == [3, 4, 9, 9]
    vocab_size = MODELS["hybrid", 60, 1].config.vocab_size
    assert found[3].heads == (HeadRows(9, vocab_size),)
