"""The formula's operations and bytes, by hand for a small network; parameters as the network has them."""

from __future__ import annotations

from benchmarks.limit import Ceilings, Work, block_parameters, work_of
from benchmarks.shapes import SHAPES, Shape, answer_ids, config_of, prompt_ids, random_model

CONFIG = config_of(Shape(layers=2, hidden=4, intermediate=3, heads=2, kv_heads=1, n_text=40, n_codes=7))


def test_operations_and_bytes_of_a_pass_by_hand() -> None:
    # A layer: q and o 4x4, k and v 4x2, three 4x3: 32 + 16 + 36 = 84; two layers 168.
    assert block_parameters(CONFIG) == 168
    work = work_of(CONFIG, 2, sequences=3, rows=5, keys=10, head_rows=1, head_columns=7, guided=True)
    assert work.flops == 3 * 2 * (2 * 168 * 5 + 4 * 2 * 4 * 5 * 10 + 2 * 28 * 1)
    assert work.bytes == 2 * (168 + 28) + 2 * 2 * 2 * 2 * 10 * 3 * 2


def test_the_larger_time_is_the_limit() -> None:
    assert Work(flops=100.0, bytes=10.0).limit_s(Ceilings(peak_flops=50.0, bandwidth=10.0)) == 2.0
    assert Work(flops=100.0, bytes=80.0).limit_s(Ceilings(peak_flops=50.0, bandwidth=10.0)) == 8.0


def test_the_blocks_parameters_are_those_of_the_network() -> None:
    model = random_model(SHAPES["tiny"])
    matrices = [p for name, p in model.named_parameters() if "proj.weight" in name]
    assert block_parameters(model.config) == sum(p.numel() for p in matrices)


def test_the_large_shapes_have_the_released_ids() -> None:
    config = config_of(SHAPES["3b"])
    assert (config.audio_token_id_start, config.mask_token_id, config.vocab_size) == (151_684, 168_069, 168_072)


def test_a_schedule_is_text_and_spans() -> None:
    ids = answer_ids(CONFIG, 2, n_text=3, n_codes=4)
    begin, end = CONFIG.begin_of_audio_token_id, CONFIG.end_of_audio_new_token_id
    assert len(ids) == 2 * (3 + 1 + 4 + 1) + 1
    assert [i for i, token in enumerate(ids) if token == begin] == [3, 12]
    assert [i for i, token in enumerate(ids) if token == end] == [8, 17]
    assert ids[-1] == CONFIG.im_end_token_id
    assert len(prompt_ids(CONFIG, 64)) == 64
