"""The second world's token set: saved and read back, damage named, examples with the layout of a conversation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from reference_model.config import TtTConfig
from reference_model.layout import Example, answer_spans
from reference_model.training.objective import ObjectiveConfig
from reference_model.training.renditions import RenderedExample
from tttbench.core.errors import UserError
from tttbench.miniworld.second import corpus, tokenizer
from tttbench.miniworld.second.corpus import CorpusSize
from tttbench.miniworld.second.coverage import coverage
from tttbench.miniworld.second.questions import Question
from tttbench.miniworld.second.tokens import N_CODES, Codes, RenderedTokens, examples, is_rendered, written_examples

TOKENIZER = tokenizer.build(N_CODES)
CONFIG = TtTConfig(
    **dict[str, Any](TOKENIZER.ids),
    vocab_size=TOKENIZER.vocab_size,
    hidden_size=16,
    intermediate_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    num_key_value_heads=1,
)
LONG = "Good night David good night Peter good night Helen good night Robert good night Daniel " * 2


def codes(seed: int, n: int) -> Codes:
    return np.random.default_rng(seed).integers(0, N_CODES, n).astype(np.uint16)


TOKENS = RenderedTokens(
    texts=("Five two.", "Say one two backwards.", "Say good night."),
    answers=(-1, 0, 1),
    prompts=(codes(0, 20), codes(1, 31), codes(2, 60)),
    answer_texts=("Two one.", LONG.strip() + "."),
    renditions=((codes(3, 12), codes(4, 15)), (codes(5, 110), codes(6, 130))),
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    TOKENS.save(tmp_path / "codes.safetensors")
    return tmp_path / "codes.safetensors"


def plain(tokens: RenderedTokens) -> tuple[object, ...]:
    ways = [[c.tolist() for c in one] for one in tokens.renditions]
    return tokens.texts, tokens.answers, [c.tolist() for c in tokens.prompts], tokens.answer_texts, ways


def test_round_trip(saved: Path) -> None:
    assert plain(RenderedTokens.load(saved)) == plain(TOKENS)
    assert is_rendered(saved)


def test_no_answer_yet(tmp_path: Path) -> None:
    nothing = replace(TOKENS, answers=(-1, -1, -1), answer_texts=(), renditions=())
    nothing.save(tmp_path / "codes.safetensors")
    assert plain(RenderedTokens.load(tmp_path / "codes.safetensors")) == plain(nothing)


def test_the_first_editions_set_is_another() -> None:
    from tttbench.miniworld.tokens import SHIPPED

    assert not is_rendered(SHIPPED)
    with pytest.raises(UserError, match="not a token set of the second mini world"):
        RenderedTokens.load(SHIPPED)


def test_missing_and_damaged(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none: no such file; `tttbench data build mini2 --stage tokens` makes it"):
        RenderedTokens.load(tmp_path / "none")
    assert not is_rendered(tmp_path / "none")
    saved.write_bytes(saved.read_bytes()[:200])
    with pytest.raises(UserError, match="damaged"):
        RenderedTokens.load(saved)


def test_parts_that_do_not_fit_are_named(tmp_path: Path) -> None:
    replace(TOKENS, renditions=(*TOKENS.renditions, TOKENS.renditions[0])).save(tmp_path / "codes.safetensors")
    with pytest.raises(UserError, match="6 renditions of 2 answers, expected 2 of each"):
        RenderedTokens.load(tmp_path / "codes.safetensors")


def test_a_sentence_is_written_down() -> None:
    example = examples(TOKENS, TOKENIZER, CONFIG)[0]
    assert type(example) is Example
    assert TOKENIZER.codes(example.prompt) == TOKENS.prompts[0].tolist()
    assert example.answer == (*TOKENIZER.encode_plain("Five two."), CONFIG.im_end_token_id)
    assert example.transcript == tuple(TOKENIZER.encode_plain("Five two."))


def test_a_question_is_answered_in_all_renditions() -> None:
    example = examples(TOKENS, TOKENIZER, CONFIG)[1]
    assert isinstance(example, RenderedExample)
    assert [TOKENIZER.codes(way) for way in example.renditions] == [c.tolist() for c in TOKENS.renditions[0]]
    assert {TOKENIZER.decode(way) for way in example.renditions} == {"Two one."}
    assert all(way[-1] == CONFIG.im_end_token_id for way in example.renditions)
    assert example.transcript == tuple(TOKENIZER.encode_plain("Say one two backwards."))


def test_a_long_answer_has_three_spans() -> None:
    example = examples(TOKENS, TOKENIZER, CONFIG)[2]
    spans = answer_spans(np.array(example.answer), 0, CONFIG)
    assert [high - low for low, high in spans] == [27, 27, 130 - 52 + 1]


def test_a_written_question_is_answered_in_writing() -> None:
    (example,) = written_examples(
        [Question("plus", "What is one plus one?", "One plus one is two.")], TOKENIZER, CONFIG
    )
    assert TOKENIZER.decode_raw(example.prompt) == (
        "<|im_start|>system\nAnswer.<|im_end|>\n<|im_start|>user\nWhat is one plus one?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert TOKENIZER.decode_raw(example.answer) == "One plus one is two.<|im_end|>"
    assert example.transcript == ()


def test_a_word_is_a_token() -> None:
    world = corpus.make(CorpusSize(questions=300, sentences=0, test_questions=0, test_sentences=0), seed=5)
    words = sum(len(one.answer.split()) + 1 for one in world.questions)  # and the period
    tokens = sum(len(TOKENIZER.encode_plain(one.answer)) for one in world.questions)
    assert words <= tokens < 1.03 * words


def test_the_tokenizer_is_made_alike_every_time() -> None:
    again = tokenizer.build(N_CODES)
    for text in ("Every hour from nine on meet Peter.", "Seventy seven cookies."):
        assert again.encode_plain(text) == TOKENIZER.encode_plain(text)
        assert again.decode(again.encode_plain(text)) == text
    assert again.ids == TOKENIZER.ids


def test_coverage_of_the_published_objective() -> None:
    """One transcript, an answer of one span (12 or 15 codes) and one of three: worked by hand."""
    made = coverage(examples(TOKENS, TOKENIZER, CONFIG), ObjectiveConfig(block_view=0.5), CONFIG)
    assert made.spans == {0: 1, 1: 1, 3: 1}
    assert made.last_span == (58, 68, 78)
    assert made.banom == pytest.approx(0.5 * 0.3 * 2 / 3)
    assert made.ppm == pytest.approx(0.5 * 0.7 * 0.3 * (2 / 3) / 3)
    assert made.sst == pytest.approx(0.5 * 0.5 * 2 / 3)
    assert "BANOM about 100 (10.0%), PPM about 23 (2.3%), SST about 167 (16.7%)" in made.describe(1000)


@pytest.mark.parametrize("objective", ["ar", "nar"])
def test_models_that_the_strategies_do_not_concern_are_not_said_to_be_changed_by_them(
    objective: Literal["ar", "nar"],
) -> None:
    config = replace(CONFIG, objective=objective)
    made = coverage(examples(TOKENS, TOKENIZER, config), ObjectiveConfig(), config)
    assert (made.banom, made.ppm, made.sst) == (0, 0, 0)
    assert made.describe(1000).endswith("BANOM, PPM and SST change no sample: they concern hybrid models.")
