"""From BCP 47 tags to Whisper's languages: which one a clip is to be transcribed in, or that it has to be detected.

Knows tags and names of models; loads no model.
"""

from __future__ import annotations

from tttbench.core.errors import InputError
from tttbench.core.language import primary_language

MOST_LANGUAGES = 100
"""As many as ``large-v3`` and ``turbo`` know; other multilingual models know the first 99."""

_ALIASES = {"cmn": "zh", "nb": "no", "fil": "tl", "jv": "jw", "iw": "he", "in": "id", "ji": "yi"}
"""Tags for which Whisper has another name."""


def is_english_only(model: str) -> bool:
    """Whether a model knows English alone; so their names say, and those of files that are called like them."""
    return model.removesuffix(".pt").endswith(".en")


def language_of(tag: str, model: str, n_languages: int, *, english_only: bool | None = None) -> str:
    """Return Whisper's code of a language, by the first part of its tag: ``"zh-TW"`` is ``"zh"``.

    Args:
        tag: BCP 47.
        model: Whisper's name of the model.
        n_languages: how many languages it knows, if it is multilingual.
        english_only: whether it knows English alone, where that was seen in its weights; None: as its name says.

    Returns:
        The code; ``""`` for a tag that names no language: it has to be detected. An English-only model can't, and takes
        what it is given for English.

    Raises:
        InputError: a language that the model doesn't know.
    """
    from whisper.tokenizer import LANGUAGES

    primary = primary_language(tag)
    code = _ALIASES.get(primary, primary)
    if is_english_only(model) if english_only is None else english_only:
        if code not in ("", "en"):
            raise InputError(
                f"whisper:{model} transcribes English only, not {tag!r}; use a multilingual model, e.g. whisper:base."
            )
        return "en"
    known = list(LANGUAGES)[:n_languages]
    if not code or code in known:
        return code
    fix = "use whisper:large-v3" if code in LANGUAGES else "give an ISO 639-1 code, e.g. 'de'"
    raise InputError(f"whisper:{model} doesn't know the language {tag!r}; {fix}, or 'und' to have it detected.")
