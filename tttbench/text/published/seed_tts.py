"""The normal forms of seed-tts-eval (BytedanceSpeech/seed-tts-eval, run_wer.py at commit 752f429, 2024-06-14).

It publishes the mean of the samples' rates: ``wer_mean:recipe=seed-tts``. Punctuation is that of ASCII and of Zhon
2.1.1 (``zhon.hanzi.punctuation``), without the apostrophe. Whisper-large-v3 transcribes English, Paraformer Chinese,
whose transcripts are simplified first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tttbench.text.steps import Step, register_steps

_PUNCTUATION = re.compile(
    "["
    "!-&(-/:-@\\[-`{-~"  # ASCII but the apostrophe
    "\u00b7\u2013\u2014\u2018\u2019\u201b-\u201f\u2026\u2027"
    "\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303e\u303f\ufe4f\ufe51\ufe54"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff64"
    "]"
)


def without_punctuation(text: str) -> str:
    """Drop punctuation, closing up to what stands behind it: ``well-known`` is ``wellknown``."""
    return _PUNCTUATION.sub("", text)


def characters_apart(text: str) -> str:
    """Return every character as a word, white space out."""
    return " ".join("".join(text.split()))


@register_steps("seed-tts", version=1, summary="seed-tts-eval, English: no punctuation but apostrophes, lower case")
def seed_tts_english() -> Sequence[Step]:
    """Return the steps for English."""
    return (Step("punctuation out but for apostrophes", without_punctuation), Step("lower case", str.lower))


@register_steps("seed-tts-zh", version=1, summary="seed-tts-eval, Chinese: no punctuation, every character a word")
def seed_tts_chinese() -> Sequence[Step]:
    """Return the steps for Chinese."""
    return (
        Step("punctuation out but for apostrophes", without_punctuation),
        Step("every character a word", characters_apart),
    )
