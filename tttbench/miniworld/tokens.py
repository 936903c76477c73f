"""The mini world's training set as shipped: the codes of every recording, and the examples made of them.

One safetensors file: texts, codes and which question a recording asks. Knows the tokenizer and the layout of a
conversation; nothing of audio and of training.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reference_model.config import TtTConfig
from reference_model.layout import Example, interleave
from reference_model.tokens import TtTTokenizer
from tttbench.core.errors import UserError
from tttbench.core.shipped import shipped
from tttbench.core.tables import read_table
from tttbench.data.documents import parse_json
from tttbench.miniworld import language
from tttbench.miniworld.tokenizer import ASR_PROMPT, CHAT_PROMPT

N_CODES = 1000
SHIPPED = shipped("tasks") / "mini" / "train" / "codes.safetensors"
_FORMAT = "tttbench mini tokens 1"


@dataclass(frozen=True)
class TokenSet:
    """Recordings as codes.

    Attributes:
        texts: what each recording says.
        questions: for each the index into ``language.questions()``, or -1 for a free sentence.
        codes: for each its codes, shape (n,), at 12.5 a second.
        answers: the codes of every question's canonical answer.
    """

    texts: tuple[str, ...]
    questions: tuple[int, ...]
    codes: tuple[npt.NDArray[np.uint16], ...]
    answers: tuple[npt.NDArray[np.uint16], ...]

    def save(self, path: Path) -> None:
        """Write the set."""
        from safetensors.numpy import save_file

        texts = sorted(set(self.texts))
        place = {text: i for i, text in enumerate(texts)}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {
                "text": np.array([place[text] for text in self.texts], np.uint16),
                "question": np.array(self.questions, np.int16),
                "length": np.array([len(codes) for codes in self.codes], np.uint16),
                "codes": np.concatenate(self.codes),
                "answer_length": np.array([len(codes) for codes in self.answers], np.uint16),
                "answer_codes": np.concatenate(self.answers),
            },
            path,
            metadata={"format": _FORMAT, "texts": json.dumps(texts)},
        )

    @classmethod
    def load(cls, path: Path = SHIPPED) -> TokenSet:
        """Read a set.

        Raises:
            UserError: the file is missing or not a token set; the message names it and the fix.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise UserError(f"{path}: no such file; `tttbench data build mini` makes it")
        try:
            with safe_open(path, "numpy") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        except SafetensorError as error:
            raise UserError(f"{path}: damaged ({error}); `tttbench data build mini` makes it anew") from error
        if metadata.get("format") != _FORMAT:
            raise UserError(f"{path}: not a mini token set; `tttbench data build mini` makes one")
        try:
            texts = read_table(tuple[str, ...], parse_json(metadata["texts"], f"{path}: texts"))
            return cls(
                tuple(texts[i] for i in tensors["text"]),
                tuple(tensors["question"].tolist()),
                _split(tensors["codes"], tensors["length"]),
                _split(tensors["answer_codes"], tensors["answer_length"]),
            )
        except (KeyError, IndexError, ValueError) as error:
            raise UserError(
                f"{path}: its parts do not fit ({error}); `tttbench data build mini` makes it anew"
            ) from error


def _split(flat: npt.NDArray[np.uint16], lengths: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.uint16], ...]:
    if lengths.sum(dtype=np.int64) != len(flat):
        raise ValueError(f"{len(flat)} codes, but lengths of {lengths.sum(dtype=np.int64)}")
    return tuple(np.split(flat, np.cumsum(lengths.astype(np.int64))[:-1]))


def examples(
    tokens: TokenSet, tokenizer: TtTTokenizer, config: TtTConfig, *, spoken_transcripts: bool = False
) -> list[Example]:
    """Every recording as a conversation: free sentences are written down, questions are answered.

    A question's answer is its sentence with the codes of the one canonical recording.

    Args:
        tokens: the recordings.
        tokenizer: with at least as many codes as the recordings use.
        config: gives the control ids.
        spoken_transcripts: in ASR the answer is the transcript interleaved with the input's own codes, as in the
            released data; without, it is the transcript alone.

    Returns:
        One example a recording, in their order.

    Raises:
        TokenizerError: a code lies outside the tokenizer's codebook.
    """
    known = language.questions()

    @cache
    def words(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode_plain(text))

    # One number object for each id: of the millions of tokens each would be an object of its own.
    shared_ids = list(range(config.vocab_size))
    made = []
    for text, question, codes in zip(tokens.texts, tokens.questions, tokens.codes, strict=True):
        system = ASR_PROMPT if question < 0 else CHAT_PROMPT
        said = words(text if question < 0 else known[question].sentence)
        answer_codes = codes if question < 0 else tokens.answers[question]
        if question < 0 and not spoken_transcripts:
            answer = [*said, config.im_end_token_id]
        else:
            answer = interleave(said, tokenizer.code_ids(answer_codes.tolist()), config)
        prompt = tokenizer.prompt(system, codes.tolist())
        made.append(Example(tuple(shared_ids[i] for i in prompt), tuple(shared_ids[i] for i in answer), words(text)))
    return made
