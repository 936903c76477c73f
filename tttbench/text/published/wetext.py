"""``wetext``: WeTextProcessing's Chinese text normalization (package wetext, Apache-2.0), all that drops words off.

It reads more than ``cn_tn`` (3:30 is 三点三十分, 2个 is 两个), spells telephone numbers with 幺, and gets amounts of
money with a sign and a name wrong.
WeTextProcessing itself drops 儿化 and interjections and simplifies characters by default, which no score should.
"""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.core.extras import require
from tttbench.text.published.cn_tn import blank_punctuation
from tttbench.text.steps import Step, register_steps


@register_steps(
    "wetext",
    version=1,
    package="wetext",
    extra="wetext",
    summary="WeTextProcessing's Chinese normalizer, bare characters",
)
def wetext_steps() -> Sequence[Step]:
    """Return the steps: numbers spelled by the package, then punctuation and white space out.

    Raises:
        UserError: the extra ``wetext`` isn't installed.
    """
    require("wetext", "normalizer 'wetext'")
    # The package has no type information.
    from wetext import Normalizer

    spell = Normalizer(lang="zh", operator="tn")
    return (
        Step("numbers spelled as characters, by wetext", lambda text: str(spell.normalize(text))),
        Step("punctuation out", blank_punctuation),
        Step("white space out", lambda text: "".join(text.split())),
    )
