"""English normal forms of two evaluation kits, and the parts that their Chinese ones share.

``kimi-en``: MoonshotAI/Kimi-Audio-Evalkit, almeval/metrics/wer.py and datasets/ds_asr.py at commit 4080c49
(2025-08-21). ``ultraeval-en``: OpenBMB/UltraEval-Audio, audio_evals/lib/wer.py and agg/base.py at commit 9b69da6
(2026-08-04). Both are corpus rates over tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from tttbench.text.normalizers import normalize_whisper_basic
from tttbench.text.published.bleu_tokens import tokens_13a, tokens_zh
from tttbench.text.published.whisper import whisper_steps
from tttbench.text.steps import Step, register_steps

PACKAGE = "whisper-normalizer"

_TAG = re.compile(r"<\|.*?\|>")
_SPACE_BEFORE_MARK = re.compile(r" ?([!,.?;:])")
_LATIN_IN_WIDE_BRACKETS = re.compile("\uff08[a-z A-Z]+\uff09")


def without_tags(text: str) -> str:
    """Drop tags such as ``<|en|>``, and spaces in front of punctuation; white space becomes single."""
    text = re.sub(r"\s+", " ", _TAG.sub(" ", text))
    return _SPACE_BEFORE_MARK.sub(r"\1", text).lstrip(" ")


def words_by_zh(text: str) -> str:
    """Return the tokens of sacreBLEU's ``zh``, lower case, those that are all punctuation left out."""
    kept = (token for token in tokens_zh(text) if any(unicodedata.category(c)[0] != "P" for c in token))
    return " ".join(kept).lower()


def without_wide_brackets(text: str) -> str:
    """Drop full-width brackets with Latin letters in them."""
    return _LATIN_IN_WIDE_BRACKETS.sub("", text)


def ultraeval_whisper() -> Sequence[Step]:
    """Return Whisper's English steps as UltraEval-Audio applies them to every language."""
    lower, brackets, *rest = whisper_steps()
    return (lower, brackets, Step("Latin letters in full-width brackets out", without_wide_brackets), *rest)


@register_steps("kimi-en", version=1, package=PACKAGE, summary="Kimi-Audio's evaluation kit, English")
def kimi_english() -> Sequence[Step]:
    """Return the steps of Kimi-Audio's kit for English."""
    return (
        Step("tags out", without_tags),
        *whisper_steps(),
        Step("what Whisper's rules for other languages drop", normalize_whisper_basic),
        Step("tokens of sacreBLEU's zh, punctuation out", words_by_zh),
    )


@register_steps("ultraeval-en", version=1, package=PACKAGE, summary="UltraEval-Audio, English")
def ultraeval_english() -> Sequence[Step]:
    """Return the steps of UltraEval-Audio for English."""
    return (
        *ultraeval_whisper(),
        Step("tokens of sacreBLEU's 13a", lambda text: " ".join(tokens_13a(text)).lower()),
    )
