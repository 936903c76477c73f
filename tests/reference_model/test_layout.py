"""The layout of an answer, by hand and as a property: nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reference_model.layout import interleave

from .shapes import tiny_config

CONFIG = tiny_config(n_codes=12)
BOA, QUAD, NEW, LAST, END = 13, 14, 34, 35, 17


def test_ids_of_this_file() -> None:
    assert (CONFIG.begin_of_audio_token_id, CONFIG.begin_of_quad_token_id, CONFIG.im_end_token_id) == (BOA, QUAD, END)
    assert CONFIG.span_end_ids == (NEW, LAST)


def test_13_text_tokens_26_codes_and_the_rest_in_one_last_span() -> None:
    text, codes = [n % 13 for n in range(30)], [21 + n % 12 for n in range(100)]
    assert interleave(text, codes, CONFIG) == [
        *text[:13], BOA, *codes[:26], NEW,
        *text[13:26], BOA, *codes[26:52], NEW,
        *text[26:], QUAD, *codes[52:], LAST, END,
    ]  # fmt: skip


def test_a_short_answer_is_one_span() -> None:
    assert interleave([1, 2, 3], [21, 22], CONFIG) == [1, 2, 3, QUAD, 21, 22, LAST, END]


def test_text_that_ends_with_a_full_chunk_is_followed_by_the_last_span() -> None:
    text, codes = list(range(13)), [21] * 40
    assert interleave(text, codes, CONFIG) == [*text, QUAD, *codes, LAST, END]


def test_where_speech_ends_first_the_text_stands_before_the_last_span() -> None:
    text, codes = [1] * 40, [21] * 30
    assert interleave(text, codes, CONFIG) == [
        *[1] * 13, BOA, *[21] * 26, NEW,
        *[1] * 27, QUAD, *[21] * 4, LAST, END,
    ]  # fmt: skip


@given(
    st.lists(st.integers(0, 12), max_size=60),
    st.lists(st.integers(21, 32), max_size=150),
    st.integers(1, 20),
    st.integers(1, 40),
)
def test_nothing_is_lost(text: list[int], codes: list[int], text_chunk: int, audio_chunk: int) -> None:
    ids = interleave(text, codes, CONFIG, text_chunk, audio_chunk)
    assert [token for token in ids if token < 13] == text
    assert [token for token in ids if 21 <= token <= 32] == codes
    controls = [token for token in ids if token >= 13 and not 21 <= token <= 32]
    turns = controls.count(BOA)
    assert controls == [BOA, NEW] * turns + [QUAD, LAST, END]
    for n in range(turns):
        turn = ids[n * (text_chunk + audio_chunk + 2) :][: text_chunk + audio_chunk + 2]
        assert (turn[text_chunk], turn[-1]) == (BOA, NEW)
