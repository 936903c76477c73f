"""Files of conversations become examples; what cannot be trained on is named with file, place and reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from reference_model.training.conversations import DataError, read_conversations
from reference_model.training.losses import batch_losses
from reference_model.training.objective import ObjectiveConfig, corrupt

from .test_trainer import CONFIG, TOKENIZER, fresh

ANSWER = "Yes.<|begin_of_audio|><|audio_3|><|audio_1|><|end_of_audio_new|>"
QUESTION = "<|begin_of_audio|><|audio_5|><|end_of_audio|>"
MESSAGES = {
    "messages": [
        {"role": "system", "content": "Answer."},
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWER},
    ]
}
TEXT = {"text": "<|begin_of_audio|><|audio_3|><|audio_1|><|end_of_audio_new|> and so on"}


def write(path: Path, records: list[object]) -> Path:
    if path.suffix == ".json":
        path.write_text(json.dumps(records))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), path)
    return path


def written(ids: tuple[int, ...]) -> str:
    """The tokens as text; the small tokenizer has no decoder, which would leave out the spaces between them."""
    return TOKENIZER.decode_raw(ids).replace(" ", "")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.parquet"])
def test_a_conversation_is_the_chat_layout_in_every_format(tmp_path: Path, name: str) -> None:
    found = read_conversations(write(tmp_path / name, [MESSAGES, MESSAGES]), TOKENIZER, CONFIG)
    assert found.bad == ()
    assert len(found.examples) == 2
    example = found.examples[0]
    assert list(example.prompt) == TOKENIZER.prompt("Answer.", [5])
    assert written(example.answer) == ANSWER + "<|im_end|>"
    assert TOKENIZER.codes(example.answer) == [3, 1]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.parquet"])
def test_a_document_is_trained_whole(tmp_path: Path, name: str) -> None:
    (example,) = read_conversations(write(tmp_path / name, [TEXT]), TOKENIZER, CONFIG).examples
    assert example.prompt == ()
    assert example.answer == tuple(TOKENIZER.encode(TEXT["text"]))
    row = corrupt(example, ObjectiveConfig(banom=0, ppm=0, sst=0), CONFIG, np.random.default_rng(1))
    start = CONFIG.audio_token_id_start
    predicted = [int(r) + 1 for r, target in zip(row.rows, row.targets, strict=True) if target < start]
    # Everything but the first token, which opens the span: nothing stands before it.
    assert predicted == [i for i, token in enumerate(example.answer) if i > 0 and token < start]
    assert np.isfinite(batch_losses(fresh(), [row]).total.item())


def test_every_answer_is_trained_and_what_came_before_is_its_prompt(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    record = {"messages": [*turns, {"role": "assistant", "content": "d"}]}
    first, second = read_conversations(write(tmp_path / "a.json", [record]), TOKENIZER, CONFIG).examples
    assert (written(first.answer), written(second.answer)) == ("b<|im_end|>", "d<|im_end|>")
    head = "<|im_start|>system\n<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
    assert list(first.prompt) == TOKENIZER.encode(head)
    more = "b<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"
    assert list(second.prompt) == TOKENIZER.encode(head + more)


def spoken(content: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": content}]}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "has neither messages nor text"),
        ([], "is not an object with messages or text"),
        ({"text": 3}, "text is not a string"),
        ({"text": ""}, "the answer, or the text, is empty"),
        ({"text": "<|audio_1|><|end_of_audio_new|>"}, "begins with audio; a span needs"),
        ({"messages": []}, "messages is not a list of messages"),
        ({"messages": ["a"]}, "message 1 is not an object"),
        ({"messages": [{"role": "robot", "content": "a"}]}, "message 1 has the role 'robot', expected system, user"),
        ({"messages": [{"role": "user", "content": 1}]}, "message 1 has no content that is a string"),
        ({"messages": [{"role": "user", "content": "a"}]}, "no message is the assistant's"),
        (spoken("a<|im_end|>b"), "message 2 holds <|im_start|> or <|im_end|>"),
        (spoken(""), "the answer, or the text, is empty"),
        (spoken("a" * 2048), r"tokens, more than max_length 2048"),
        (spoken("<|audio_99|>"), r"the tokenizer does not know <\|audio_99\|>"),
        (spoken("<|mask_token|>"), "which only noise may write"),
        (spoken("<|audio_1|><|end_of_audio_new|>"), "begins with audio"),
        (spoken("a<|audio_1|><|end_of_audio_new|>"), "audio without <|begin_of_audio|> or"),
        (spoken("a<|begin_of_audio|><|audio_1|>b"), "audio without <|end_of_audio_new|> or"),
        (spoken("a<|begin_of_audio|><|audio_1|><|end_of_audio_new|><|audio_2|>"), "goes on behind the end of its span"),
        (spoken("a<|begin_of_audio|><|audio_1|><|audio|><|end_of_audio_new|>"), "holds the tag <|audio|>"),
        ({"text": "a<|begin_of_audio|><|audio_1|>"}, "ends within a span of audio"),
        ({"text": "a<|begin_of_audio|>"}, "ends within a span of audio"),
        ({"text": "cut \ud83d"}, "holds half a character"),
        (spoken("a<|begin_of_audio|>b"), "a span is opened and holds no audio"),
    ],
)
def test_a_bad_record_is_named_and_refused_or_skipped(tmp_path: Path, record: object, reason: str) -> None:
    path = write(tmp_path / "a.jsonl", [MESSAGES, record, MESSAGES])
    reason = reason.replace("|", "\\|") if "\\" not in reason else reason
    with pytest.raises(DataError, match=rf"(?s)1 of 3 records .*a\.jsonl, line 2: .*{reason}"):
        read_conversations(path, TOKENIZER, CONFIG)
    found = read_conversations(path, TOKENIZER, CONFIG, skip_bad=True)
    assert (len(found.examples), len(found.bad)) == (2, 1)
    assert found.bad[0].place == "line 2"


def test_a_broken_line_is_a_bad_record(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(TEXT) + "\n{\n\n" + json.dumps(TEXT) + "\n")
    found = read_conversations(path, TOKENIZER, CONFIG, skip_bad=True)
    assert len(found.examples) == 2
    assert str(found.bad[0]).startswith(f"{path}, line 2: not readable as JSON")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "", "unknown kind of file; expected one of .json, .jsonl, .parquet"),
        ("a.json", "{", "not readable as JSON"),
        ("a.json", "{}", "must hold a list of records"),
        ("a.json", "[]", "holds no record that can be trained on"),
        ("a.parquet", "x", "not readable as parquet"),
        ("gone.json", None, "no such file"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=rf"{name}: {reason}"):
        read_conversations(tmp_path / name, TOKENIZER, CONFIG)


def test_where_everything_is_bad_skipping_is_no_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no record that can be trained on; .*line 1: has neither"):
        read_conversations(write(tmp_path / "a.jsonl", [{}]), TOKENIZER, CONFIG, skip_bad=True)
