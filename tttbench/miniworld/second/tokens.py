"""The second world's training set as codes: every prompt, every rendition of every answer, and examples made of them.

One safetensors file. Knows the tokenizer and the layout of a conversation; nothing of audio and of training.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reference_model.layout import interleave
from reference_model.training.renditions import RenderedExample
from tttbench.core.errors import UserError
from tttbench.core.shipped import shipped
from tttbench.miniworld.second.tokenizer import ASR_PROMPT, CHAT_PROMPT

if TYPE_CHECKING:
    from reference_model.config import TtTConfig
    from reference_model.layout import Example
    from reference_model.tokens import TtTTokenizer
    from tttbench.miniworld.second.questions import Question

Codes = npt.NDArray[np.uint16]
N_CODES = 1000
FORMAT = "tttbench mini tokens 2"
SHIPPED = shipped("tasks") / "mini2" / "train" / "codes.safetensors"
"""The set that travels with the package."""
_BUILD = "`tttbench data build mini2 --stage tokens` makes it"


@dataclass(frozen=True)
class RenderedTokens:
    """Recordings as codes.

    Attributes:
        texts: what each prompt says, as it is written.
        answers: for each prompt the number of its answer, or -1 for a sentence that is to be written down.
        prompts: for each prompt its codes, shape (n,), at 12.5 a second.
        answer_texts: every answer as it is written.
        renditions: for every answer the codes of its renditions, as many for each.
    """

    texts: tuple[str, ...]
    answers: tuple[int, ...]
    prompts: tuple[Codes, ...]
    answer_texts: tuple[str, ...]
    renditions: tuple[tuple[Codes, ...], ...]

    def save(self, path: Path) -> None:
        """Write the set."""
        from safetensors.numpy import save_file

        texts = sorted(set(self.texts))
        place = {text: i for i, text in enumerate(texts)}
        flat = [codes for ways in self.renditions for codes in ways]
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {
                "text": np.array([place[text] for text in self.texts], np.uint16),
                "answer": np.array(self.answers, np.int32),
                "prompt_length": np.array([len(codes) for codes in self.prompts], np.uint16),
                "prompt_codes": _joined(self.prompts),
                "rendition_length": np.array([len(codes) for codes in flat], np.uint16),
                "rendition_codes": _joined(flat),
            },
            path,
            metadata={
                "format": FORMAT,
                "texts": json.dumps(texts),
                "answers": json.dumps(self.answer_texts),
                "renditions": str(len(self.renditions[0]) if self.renditions else 0),
            },
        )

    @classmethod
    def load(cls, path: Path) -> RenderedTokens:
        """Read a set.

        Raises:
            UserError: the file is missing or not such a set; the message names it and what to do.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise UserError(f"{path}: no such file; {_BUILD}")
        try:
            with safe_open(path, "numpy") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        except SafetensorError as error:
            raise UserError(f"{path}: damaged ({error}); {_BUILD} again") from error
        if metadata.get("format") != FORMAT:
            raise UserError(f"{path}: not a token set of the second mini world; {_BUILD}")
        try:
            texts, answer_texts = json.loads(metadata["texts"]), tuple(json.loads(metadata["answers"]))
            n = int(metadata["renditions"])
            flat = _split(tensors["rendition_codes"], tensors["rendition_length"])
            if len(flat) != n * len(answer_texts):
                raise ValueError(f"{len(flat)} renditions of {len(answer_texts)} answers, expected {n} of each")
            return cls(
                tuple(texts[i] for i in tensors["text"]),
                tuple(tensors["answer"].tolist()),
                _split(tensors["prompt_codes"], tensors["prompt_length"]),
                answer_texts,
                tuple(flat[i : i + n] for i in range(0, len(flat), n or 1)),
            )
        except (KeyError, IndexError, ValueError) as error:
            raise UserError(f"{path}: its parts do not fit ({error}); {_BUILD} again") from error


def is_rendered(path: Path) -> bool:
    """Whether a file is a token set of the second world; False for what can't be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (OSError, SafetensorError):
        return False


def _joined(codes: Sequence[Codes]) -> Codes:
    return np.concatenate([np.zeros(0, np.uint16), *codes])


def _split(flat: Codes, lengths: Codes) -> tuple[Codes, ...]:
    if lengths.sum(dtype=np.int64) != len(flat):
        raise ValueError(f"{len(flat)} codes, but lengths of {lengths.sum(dtype=np.int64)}")
    return tuple(np.split(flat, np.cumsum(lengths.astype(np.int64))[:-1])) if len(lengths) else ()


def examples(tokens: RenderedTokens, tokenizer: TtTTokenizer, config: TtTConfig) -> list[Example]:
    """Every prompt as a conversation: sentences are written down, questions answered in all their renditions.

    Args:
        tokens: the recordings.
        tokenizer: with at least as many codes as the recordings use.
        config: gives the control ids.

    Returns:
        One example a prompt, in their order; those of questions are ``RenderedExample``.

    Raises:
        TokenizerError: a code lies outside the tokenizer's codebook.
    """
    from reference_model.layout import Example

    # One number object for each id: of the millions of tokens each would be an object of its own.
    shared_ids = list(range(config.vocab_size))

    def shared(ids: Sequence[int]) -> tuple[int, ...]:
        return tuple(shared_ids[i] for i in ids)

    @cache
    def words(text: str) -> tuple[int, ...]:
        return shared(tokenizer.encode_plain(text))

    @cache
    def spoken(answer: int) -> tuple[tuple[int, ...], ...]:
        text = words(tokens.answer_texts[answer])
        ways = tokens.renditions[answer]
        return tuple(shared(interleave(text, tokenizer.code_ids(codes.tolist()), config)) for codes in ways)

    made: list[Example] = []
    for text, answer, codes in zip(tokens.texts, tokens.answers, tokens.prompts, strict=True):
        prompt = shared(tokenizer.prompt(ASR_PROMPT if answer < 0 else CHAT_PROMPT, codes.tolist()))
        if answer < 0:
            made.append(Example(prompt, (*words(text), shared_ids[config.im_end_token_id]), words(text)))
        else:
            made.append(RenderedExample.of(prompt, spoken(answer), words(text)))
    return made


def written_examples(questions: Sequence[Question], tokenizer: TtTTokenizer, config: TtTConfig) -> list[Example]:
    """Questions that are asked and answered in writing, without audio."""
    from reference_model.layout import Example

    end = config.im_end_token_id
    return [
        Example(
            tuple(tokenizer.prompt(CHAT_PROMPT, None, question.text)),
            (*tokenizer.encode_plain(question.answer), end),
        )
        for question in questions
    ]
