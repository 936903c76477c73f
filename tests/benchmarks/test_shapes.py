"""The released ids, and schedules of text and spans."""

from __future__ import annotations

from benchmarks.shapes import SHAPES, Shape, answer_ids, config_of, prompt_ids

CONFIG = config_of(Shape(layers=2, hidden=4, intermediate=3, heads=2, kv_heads=1, n_text=40, n_codes=7))


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
