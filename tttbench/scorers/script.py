"""The option ``script`` of scores: ``hans`` compares simplified Chinese characters, nothing characters as written."""

from __future__ import annotations

from collections.abc import Mapping

from tttbench.core.errors import UserError
from tttbench.core.extras import require
from tttbench.core.normalizer import package_version
from tttbench.text import script_variants


def script_of(scorer: str, options: Mapping[str, str]) -> str:
    """Return the option ``script``.

    Raises:
        UserError: it is another than ``hans``, or the extra ``chinese`` isn't installed.
    """
    script = options.get("script", "")
    if script not in ("", "hans"):
        raise UserError(
            f"{scorer}: script={script!s:.60}: must be 'hans' (simplified Chinese characters), or left out."
        )
    if script:
        require("chinese", f"{scorer}:script={script}")
    return script


def in_recipe(script: str) -> str:
    """Return what a recipe says of it."""
    package = script_variants.PACKAGE
    return f"script={script} ({package} {package_version(package)})" if script else ""


def in_script(text: str, script: str) -> str:
    """Return ``text`` as it is compared."""
    return script_variants.simplified(text) if script else text
