"""Training examples from files of conversations, in the layout of the released data: JSON, JSON lines or parquet.

A record is ``{"messages": [{"role": …, "content": …}, …]}`` or ``{"text": …}``, a document; special tokens and audio
codes are written out (``<|audio_17|>``). What cannot be trained on is named: file, place and reason. Knows the layout,
no training.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from reference_model.config import TtTConfig
from reference_model.errors import ReferenceModelError
from reference_model.layout import Example
from reference_model.tokens import TtTTokenizer

_ANSWER = "<|im_start|>assistant\n"
_SPECIAL = re.compile(r"<\|\w+\|>")
_SHOWN = 5  # bad records that an error names; the rest are counted


@dataclass(frozen=True)
class BadRecord:
    """A record that cannot be trained on: which one (``line 7``, ``record 7``, ``row 7``, from 1), and why."""

    file: Path
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: {self.reason}"


class DataError(ReferenceModelError):
    """A file of conversations is missing, damaged, or holds records that cannot be trained on."""


class _BadRecordError(ValueError):
    """Why a record cannot be trained on."""


@dataclass(frozen=True)
class Conversations:
    """What a file held: the examples in its order, and what was skipped."""

    examples: tuple[Example, ...]
    bad: tuple[BadRecord, ...]


def read_conversations(
    path: Path, tokenizer: TtTTokenizer, config: TtTConfig, *, max_length: int = 2048, skip_bad: bool = False
) -> Conversations:
    """Read a file of conversations.

    Every message of the assistant is an answer that is trained, with all before it as prompt: an example each. A
    conversation without a system message gets an empty one, as in the released code. Of a document everything is
    trained but its first token.

    Args:
        path: ``.json`` (a list), ``.jsonl`` or ``.parquet``, with ``messages`` or ``text`` in every record.
        tokenizer: with the special tokens that the records write out.
        config: the ids of that tokenizer.
        max_length: a longer example is a bad record, never a cut one.
        skip_bad: leave bad records out and report them; without it they are an error.

    Raises:
        DataError: the file is missing or damaged, or holds bad records that are not to be skipped, or nothing else.
    """
    examples, bad = [], []
    # As few numbers as there are ids, however many tokens there are: each would be an object of its own.
    shared = list(range(config.vocab_size))
    n_records = 0
    for place, record in _records(path):
        n_records += 1
        try:
            if isinstance(record, _BadRecordError):
                raise record
            found = [_example(*texts, tokenizer, config, max_length) for texts in _prompts_and_answers(record)]
            for one in found:
                examples.append(Example(tuple(shared[i] for i in one.prompt), tuple(shared[i] for i in one.answer)))
        except _BadRecordError as error:
            bad.append(BadRecord(path, place, str(error)))
    if bad and not skip_bad:
        more = f"\n… and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        listed = "\n".join(str(one) for one in bad[:_SHOWN])
        raise DataError(
            f"{path}: {len(bad)} of {n_records} records cannot be trained on; fix them, or skip them "
            f'with bad_records = "skip":\n{listed}{more}'
        )
    if not examples:
        raise DataError(f"{path}: holds no record that can be trained on" + (f"; {bad[0]}" if bad else ""))
    return Conversations(tuple(examples), tuple(bad))


@dataclass(frozen=True)
class _Record:
    """What a record holds, not checked yet; None where it has no such field."""

    messages: object
    text: object


_Records = Iterator[tuple[str, _Record | _BadRecordError]]


def _records(path: Path) -> _Records:
    readers = {".json": _json, ".jsonl": _json_lines, ".parquet": _parquet}
    if path.suffix not in readers:
        raise DataError(f"{path}: unknown kind of file; expected one of {', '.join(readers)}")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return readers[path.suffix](path)


def _json(path: Path) -> _Records:
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(records, list):
        raise DataError(f"{path}: must hold a list of records; one record a line goes into a .jsonl file")
    for number, record in enumerate(records, start=1):
        yield f"record {number}", _record(record)


def _json_lines(path: Path) -> _Records:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield f"line {number}", _record(json.loads(line))
            except ValueError as error:
                yield f"line {number}", _BadRecordError(f"not readable as JSON ({error})")


def _parquet(path: Path) -> _Records:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(f'{path}: parquet needs pyarrow; pip install "tttbench[train]"') from error
    try:
        table = pyarrow.parquet.ParquetFile(path)
        number = 0
        for batch in table.iter_batches():
            for record in batch.to_pylist():
                number += 1
                yield f"row {number}", _record(record)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: not readable as parquet ({error})") from error


def _record(value: object) -> _Record | _BadRecordError:
    if not isinstance(value, dict):
        return _BadRecordError("is not an object with messages or text")
    return _Record(value.get("messages"), value.get("text"))


def _example(
    prompt_text: str, answer_text: str, tokenizer: TtTTokenizer, config: TtTConfig, max_length: int
) -> Example:
    try:
        (prompt_text + answer_text).encode()
    except UnicodeEncodeError as error:
        raise _BadRecordError(f"holds half a character ({error.reason})") from error
    for token in _SPECIAL.findall(prompt_text + answer_text):
        if tokenizer.token_id(token) is None:
            raise _BadRecordError(f"the tokenizer does not know {token}")
    prompt, answer = tokenizer.encode(prompt_text), tokenizer.encode(answer_text)
    if len(answer) < 2:
        raise _BadRecordError("there is nothing to train on: the answer, or the text, is empty")
    if len(prompt) + len(answer) > max_length:
        raise _BadRecordError(f"{len(prompt) + len(answer)} tokens, more than max_length {max_length}")
    if config.mask_token_id in prompt or config.mask_token_id in answer:
        raise _BadRecordError("holds <|mask_token|>, which only noise may write")
    _check_spans(answer, config)
    return Example(tuple(prompt), tuple(answer))


def _prompts_and_answers(record: _Record) -> list[tuple[str, str]]:
    """For every answer the text before it, and the answer with its ``<|im_end|>``; a document has nothing before it."""
    if record.messages is not None:
        turns = [_turn(message, number) for number, message in enumerate(_messages(record.messages), start=1)]
        if turns[0][0] != "system":
            turns.insert(0, ("system", ""))
        found, before = [], ""
        for role, content in turns:
            if role == "assistant":
                found.append((before + _ANSWER, content + "<|im_end|>"))
            before += f"<|im_start|>{role}\n{content}<|im_end|>\n"
        if not found:
            raise _BadRecordError("no message is the assistant's, so there is no answer")
        return found
    text = record.text
    if not isinstance(text, str):
        raise _BadRecordError("has neither messages nor text" if text is None else "text is not a string")
    return [("", text)]


def _messages(messages: object) -> Sequence[object]:
    if not isinstance(messages, list) or not messages:
        raise _BadRecordError("messages is not a list of messages")
    return messages


def _turn(message: object, number: int) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise _BadRecordError(f"message {number} is not an object")
    role, content = message.get("role"), message.get("content")
    if role not in ("system", "user", "assistant"):
        raise _BadRecordError(f"message {number} has the role {role!r}, expected system, user or assistant")
    if not isinstance(content, str):
        raise _BadRecordError(f"message {number} has no content that is a string")
    if "<|im_end|>" in content or "<|im_start|>" in content:
        raise _BadRecordError(f"message {number} holds <|im_start|> or <|im_end|>, which separate messages")
    return role, content


def _check_spans(answer: Sequence[int], config: TtTConfig) -> None:
    """Every run of codes stands between the token that opens a span and one that ends it."""
    start, ends = config.audio_token_id_start, config.span_end_ids
    if start in answer:
        raise _BadRecordError("holds the tag <|audio|>, which is no code")
    if answer[-1] in config.span_begin_ids or (answer[-1] >= start and answer[-1] not in ends):
        raise _BadRecordError("ends within a span of audio")
    if answer[0] >= start:
        raise _BadRecordError("begins with audio; a span needs <|begin_of_audio|> before it")
    for before, token_id in pairwise(answer):
        if token_id >= start > before and before not in config.span_begin_ids:
            raise _BadRecordError("audio without <|begin_of_audio|> or <|begin_of_quad|> before it")
        if before >= start > token_id and before not in ends:
            raise _BadRecordError("audio without <|end_of_audio_new|> or <|end_of_audio_span_last|> behind it")
        if before in ends and token_id >= start:
            raise _BadRecordError("audio goes on behind the end of its span")
        if before in config.span_begin_ids and token_id < start:
            raise _BadRecordError("a span is opened and holds no audio")
