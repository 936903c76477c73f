"""Token ids: the special ids a model needs, text to ids and back, and the chat layout of a prompt.

Everything is read from ``tokenizer.json``; no id is assumed. Knows nothing of weights and of audio beyond its codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reference_model.errors import TokenizerError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL_TOKENS: Mapping[str, str] = {
    "audio_token_id_start": "<|audio|>",
    "mask_token_id": "<|mask_token|>",
    "begin_of_audio_token_id": "<|begin_of_audio|>",
    "begin_of_quad_token_id": "<|begin_of_quad|>",
    "end_of_audio_token_id": "<|end_of_audio|>",
    "end_of_audio_new_token_id": "<|end_of_audio_new|>",
    "end_of_audio_span_last_token_id": "<|end_of_audio_span_last|>",
    "im_start_token_id": "<|im_start|>",
    "im_end_token_id": "<|im_end|>",
}
"""Field of ``TtTConfig`` → the token whose id it is."""


class TtTTokenizer:
    """A Hugging Face tokenizer that holds TtT's special tokens.

    Attributes:
        ids: the ids of the special tokens under their ``TtTConfig`` field names, and ``n_audio_codes``; ready for
            ``TtTConfig.from_json(..., ids=...)``.
        vocab_size: number of tokens, added ones included.
    """

    def __init__(self, tokenizer: Tokenizer, where: str = "tokenizer") -> None:
        """Wrap a tokenizer.

        Raises:
            TokenizerError: if a special token is missing or the codes are not consecutive behind ``<|audio|>``.
        """
        self._tokenizer = tokenizer
        self.ids: Mapping[str, int] = _special_ids(tokenizer, where)
        self.vocab_size: int = tokenizer.get_vocab_size(with_added_tokens=True)
        self._special = frozenset(value for name, value in self.ids.items() if name != "n_audio_codes")

    @classmethod
    def from_file(cls, path: Path) -> TtTTokenizer:
        """Read ``tokenizer.json``.

        Raises:
            TokenizerError: if the file is missing, damaged or lacks a token.
        """
        from tokenizers import Tokenizer

        if not path.is_file():
            raise TokenizerError(f"{path}: no such file; a checkpoint folder holds a tokenizer.json")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises a bare Exception for every kind of damage
            raise TokenizerError(f"{path}: not a readable tokenizer ({error})") from error
        return cls(tokenizer, str(path))

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``."""
        self._tokenizer.save(str(path))

    def token_id(self, token: str) -> int | None:
        """Id of a token written out, e.g. ``<|audio_17|>``; None if there is none."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    def encode(self, text: str) -> list[int]:
        """Ids of a text in which special tokens may be written out, as in the training files."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_plain(self, text: str) -> list[int]:
        """Ids of a text from outside: nothing in it is read as a special token."""
        # Every special token begins with "<|", so none can match once that pair is cut in two.
        pieces = text.split("<|")
        parts = [("|" if i else "") + piece + ("<" if i < len(pieces) - 1 else "") for i, piece in enumerate(pieces)]
        return [token_id for part in parts for token_id in (self.encode(part) if part else ())]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; special tokens and audio are left out."""
        start = self.ids["audio_token_id_start"]
        text = [token_id for token_id in ids if token_id < start and token_id not in self._special]
        return str(self._tokenizer.decode(text, skip_special_tokens=True))

    def decode_raw(self, ids: Sequence[int]) -> str:
        """The text of the ids with every special token and audio code written out."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def code_ids(self, codes: Sequence[int]) -> list[int]:
        """Token ids of audio codes.

        Raises:
            TokenizerError: if a code lies outside the codebook.
        """
        n_codes, first = self.ids["n_audio_codes"], self.ids["audio_token_id_start"] + 1
        for code in codes:
            if not 0 <= code < n_codes:
                raise TokenizerError(f"audio code {code} lies outside the codebook of {n_codes} codes")
        return [first + code for code in codes]

    def codes(self, ids: Sequence[int]) -> list[int]:
        """The audio codes among the ids, in order; everything else is left out."""
        n_codes, first = self.ids["n_audio_codes"], self.ids["audio_token_id_start"] + 1
        return [token_id - first for token_id in ids if 0 <= token_id - first < n_codes]

    def prompt(self, system: str, codes: Sequence[int] | None = None, text: str = "") -> list[int]:
        """The chat prompt up to where the answer begins.

        Args:
            system: the system prompt.
            codes: audio codes of the spoken input; None where nothing is spoken.
            text: written input; it follows the audio.

        Returns:
            ``<|im_start|>system\\n…<|im_end|>\\n<|im_start|>user\\n<|begin_of_audio|>codes<|end_of_audio|>text``
            ``<|im_end|>\\n<|im_start|>assistant\\n`` as ids.
        """
        im_start, im_end = self.ids["im_start_token_id"], self.ids["im_end_token_id"]
        newline = self.encode("\n")
        if codes is None:
            user = self.encode_plain("user\n" + text)
        else:
            audio = [self.ids["begin_of_audio_token_id"], *self.code_ids(codes), self.ids["end_of_audio_token_id"]]
            user = [*self.encode("user\n"), *audio, *self.encode_plain(text)]
        turns = ([*self.encode_plain("system\n" + system)], user)
        ids = [token_id for turn in turns for token_id in (im_start, *turn, im_end, *newline)]
        return [*ids, im_start, *self.encode("assistant\n")]


def _special_ids(tokenizer: Tokenizer, where: str) -> dict[str, int]:
    ids: dict[str, int] = {}
    for name, token in SPECIAL_TOKENS.items():
        token_id = tokenizer.token_to_id(token)
        if token_id is None:
            raise TokenizerError(f"{where}: the token {token} is missing; TtT needs it")
        ids[name] = token_id
    n_codes = 0
    while (token_id := tokenizer.token_to_id(f"<|audio_{n_codes}|>")) is not None:
        expected = ids["audio_token_id_start"] + 1 + n_codes
        if token_id != expected:
            raise TokenizerError(f"{where}: <|audio_{n_codes}|> has the id {token_id}, expected {expected}")
        n_codes += 1
    if n_codes == 0:
        raise TokenizerError(f"{where}: holds no audio codes <|audio_0|>, <|audio_1|>, …")
    return {**ids, "n_audio_codes": n_codes}
