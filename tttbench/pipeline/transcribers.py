"""Which system transcribes spoken answers in which language. Builds none.

What a suite says is turned into a system's name here, once a task's language is known; so scores, manifest and recipes
hold what is really used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tttbench.config.suite import AUTO, OTHER, Transcribers
from tttbench.core.language import primary_language
from tttbench.core.scorer import ScoreSpec
from tttbench.systems.paraformer.adapter import is_here
from tttbench.systems.whisper.weights import default_model

_CHINESE = ("zh", "cmn")
"""Tags of one language: what is given for one holds for the other, unless that has its own."""


def transcriber_of(given: Transcribers, language: str, device: str) -> str:
    """Return the system that transcribes answers in a language; ``""`` for none.

    Args:
        given: of a suite or a call; see ``Suite.transcriber``.
        language: BCP 47 tag of the answers; one that names no language (``""``, ``"und"``) takes what is for others,
            as answers that nobody said to be English may be in any language.
        device: the system's.
    """
    primary = primary_language(language)
    if isinstance(given, Mapping):
        tags = (primary, *_CHINESE) if primary in _CHINESE else (primary or OTHER,)
        given = next((given[tag] for tag in (*tags, OTHER) if tag in given), "")
    return automatic(primary, device) if given == AUTO else given


def automatic(language: str, device: str) -> str:
    """Return what ``auto`` means for a language, ``""`` where it isn't known.

    Paraformer for Chinese where it is on this machine; else Whisper, which is multilingual but for English.
    """
    if language in _CHINESE and is_here():
        return "paraformer:zh"
    return f"whisper:{default_model(device, multilingual=language != 'en')}"


def resolved(scores: Iterable[ScoreSpec], language: str, device: str) -> tuple[ScoreSpec, ...]:
    """Return scores whose own ``transcriber=auto`` is the name of a system."""
    return tuple(
        replace(one, options={**one.options, "transcriber": transcriber_of(AUTO, language, device)})
        if one.options.get("transcriber") == AUTO
        else one
        for one in scores
    )
