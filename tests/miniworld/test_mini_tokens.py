"""The token set: saved and read back, damage named, and examples with the layout of a conversation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file, save_file

from reference_model.config import TtTConfig
from reference_model.errors import TokenizerError
from tttbench.core.errors import UserError
from tttbench.miniworld import language, tokenizer
from tttbench.miniworld.tokens import N_CODES, SHIPPED, TokenSet, examples

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


def codes(seed: int, n: int) -> npt.NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(0, N_CODES, n).astype(np.uint16)


TOKENS = TokenSet(
    texts=("Five two.", "What is the capital of Peru?", "Five two."),
    questions=(-1, 16, -1),
    codes=(codes(0, 20), codes(1, 31), codes(2, 60)),
    answers=tuple(codes(100 + i, 20 + i % 7) for i in range(len(language.questions()))),
)


def same(one: TokenSet, other: TokenSet) -> bool:
    return (
        one.texts == other.texts
        and one.questions == other.questions
        and all(np.array_equal(a, b) for a, b in zip(one.codes, other.codes, strict=True))
        and all(np.array_equal(a, b) for a, b in zip(one.answers, other.answers, strict=True))
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    TOKENS.save(tmp_path / "codes.safetensors")
    return tmp_path / "codes.safetensors"


def test_round_trip(saved: Path) -> None:
    assert same(TokenSet.load(saved), TOKENS)


def test_what_is_read_is_written_as_it_was(saved: Path, tmp_path: Path) -> None:
    TokenSet.load(saved).save(tmp_path / "again.safetensors")
    assert same(TokenSet.load(tmp_path / "again.safetensors"), TOKENS)
    assert (tmp_path / "again.safetensors").stat().st_size == saved.stat().st_size


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.safetensors: no such file; `tttbench data build mini` makes it"):
        TokenSet.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 200, -30])
def test_a_cut_file_is_damaged(saved: Path, keep: int) -> None:
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"codes\.safetensors: damaged .*`tttbench data build mini` makes it anew"):
        TokenSet.load(saved)


def test_other_safetensors_are_no_token_set(saved: Path) -> None:
    save_file({"codes": codes(0, 3)}, saved)
    with pytest.raises(UserError, match="not a mini token set"):
        TokenSet.load(saved)


@pytest.mark.parametrize("change", ["length", "text", "codes"])
def test_parts_that_do_not_fit_are_named(saved: Path, change: str) -> None:
    from safetensors import safe_open

    with safe_open(saved, "numpy") as file:
        metadata = file.metadata()
    tensors = load_file(saved)
    if change == "length":
        tensors["length"][0] += 1
    elif change == "text":
        tensors["text"][0] = 50
    else:
        del tensors["codes"]
    save_file(tensors, saved, metadata=metadata)
    with pytest.raises(UserError, match="its parts do not fit"):
        TokenSet.load(saved)


def test_asr_is_written_down() -> None:
    example = examples(TOKENS, TOKENIZER, CONFIG)[0]
    assert TOKENIZER.codes(example.prompt) == TOKENS.codes[0].tolist()
    assert example.answer == (*TOKENIZER.encode_plain("Five two."), CONFIG.im_end_token_id)


def test_asr_can_be_written_down_and_spoken_with_its_own_codes() -> None:
    example = examples(TOKENS, TOKENIZER, CONFIG, spoken_transcripts=True)[0]
    assert TOKENIZER.codes(example.prompt) == TOKENS.codes[0].tolist()
    assert TOKENIZER.codes(example.answer) == TOKENS.codes[0].tolist()
    assert TOKENIZER.decode(example.answer) == "Five two."
    assert TOKENIZER.decode_raw(example.prompt).startswith(
        f"<|im_start|>system\n{tokenizer.ASR_PROMPT}<|im_end|>\n<|im_start|>user\n<|begin_of_audio|><|audio_"
    )
    assert TOKENIZER.decode_raw(example.prompt).endswith("|><|end_of_audio|><|im_end|>\n<|im_start|>assistant\n")


def test_a_question_is_answered_with_the_canonical_recording() -> None:
    example = examples(TOKENS, TOKENIZER, CONFIG)[1]
    assert TOKENIZER.codes(example.prompt) == TOKENS.codes[1].tolist()
    assert TOKENIZER.decode(example.answer) == language.questions()[16].sentence
    assert TOKENIZER.codes(example.answer) == TOKENS.answers[16].tolist()
    assert f"system\n{tokenizer.CHAT_PROMPT}<|im_end|>" in TOKENIZER.decode_raw(example.prompt)


def test_an_answer_ends_with_its_last_span_and_the_end() -> None:
    for example in examples(TOKENS, TOKENIZER, CONFIG, spoken_transcripts=True):
        assert example.answer[-2:] == (CONFIG.end_of_audio_span_last_token_id, CONFIG.im_end_token_id)
        assert example.answer.count(CONFIG.begin_of_quad_token_id) == 1
        assert CONFIG.im_end_token_id not in example.answer[:-1]


def test_a_code_outside_the_codebook_is_refused() -> None:
    with pytest.raises(TokenizerError, match="audio code 999 lies outside the codebook of 12 codes"):
        examples(dataclasses.replace(TOKENS, codes=(np.array([999], np.uint16),) * 3), tokenizer.build(12), CONFIG)


def test_the_tokenizer_is_always_the_same(tmp_path: Path) -> None:
    TOKENIZER.save(tmp_path / "one.json")
    tokenizer.build(N_CODES).save(tmp_path / "other.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "other.json").read_bytes()


def test_every_sentence_comes_back_from_its_tokens() -> None:
    for question in language.questions():
        for text in (question.sentence, *question.wordings):
            assert TOKENIZER.decode(TOKENIZER.encode_plain(text)) == text


def test_text_is_much_shorter_in_tokens_than_in_letters() -> None:
    ids = [TOKENIZER.encode_plain(question.sentence) for question in language.questions()]
    letters = sum(len(question.sentence) for question in language.questions())
    assert letters / sum(map(len, ids)) > 2


def test_prompts_cost_few_tokens() -> None:
    assert len(TOKENIZER.encode_plain(tokenizer.ASR_PROMPT)) <= 20
    assert len(TOKENIZER.encode_plain(tokenizer.CHAT_PROMPT)) <= 20


def test_the_shipped_set() -> None:
    tokens = TokenSet.load(SHIPPED)
    assert len(tokens.texts) == len(tokens.questions) == len(tokens.codes)
    assert len(tokens.answers) == len(language.questions())
    assert max(int(recording.max()) for recording in (*tokens.codes, *tokens.answers)) < N_CODES
    assert all(-1 <= question < len(tokens.answers) for question in tokens.questions)
    assert SHIPPED.stat().st_size <= 4e6
