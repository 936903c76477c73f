"""Chinese normal forms of two evaluation kits, at the commits of their English ones: ``kimi-zh``, ``ultraeval-zh``.

Both give tokens: Han characters alone, other words whole. So they go with scores of words (``wer``, ``mer``), not with
a character error rate, and Latin words count as one.
"""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.text.published.bleu_tokens import tokens_zh
from tttbench.text.published.cn_tn import cn_tn_steps
from tttbench.text.published.kits import PACKAGE, ultraeval_whisper, without_tags, words_by_zh
from tttbench.text.steps import Step, register_steps


def without_white_space(text: str) -> str:
    """Drop all white space, also between Latin words."""
    return "".join(text.split())


@register_steps("kimi-zh", version=1, summary="Kimi-Audio's evaluation kit, Chinese: cn_tn, tokens")
def kimi_chinese() -> Sequence[Step]:
    """Return the steps of Kimi-Audio's kit for Chinese."""
    return (
        Step("tags and white space out", lambda text: without_white_space(without_tags(text))),
        *cn_tn_steps(),
        Step("tokens of sacreBLEU's zh, punctuation out", words_by_zh),
    )


@register_steps(
    "ultraeval-zh",
    version=1,
    package=PACKAGE,
    summary="UltraEval-Audio, Chinese: Whisper's English rules, cn_tn, tokens",
)
def ultraeval_chinese() -> Sequence[Step]:
    """Return the steps of UltraEval-Audio for Chinese."""
    return (
        *ultraeval_whisper(),
        *cn_tn_steps(),
        Step("tokens of sacreBLEU's zh", lambda text: " ".join(tokens_zh(text)).lower()),
    )
