"""Traditional Chinese characters as simplified ones, by OpenCC's tables (the extra ``chinese``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tttbench.core.extras import require

PACKAGE = "opencc-purepy"


@lru_cache(maxsize=1)
def _converter() -> Callable[[str], str]:
    require("chinese", "simplifying Chinese characters")
    import opencc_purepy

    convert: Callable[[str], str] = opencc_purepy.OpenCC("t2s").convert
    return convert


def simplified(text: str) -> str:
    """Return ``text`` with simplified characters; words decide where a character has several (乾隆, 干燥).

    Raises:
        UserError: the extra ``chinese`` isn't installed.
    """
    return _converter()(text)
