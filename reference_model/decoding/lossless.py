"""Ways of decoding that are declared lossless: the tokens of a slower way, and which one that is. Runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reference_model.decoding.settings import DecodeConfig
from reference_model.decoding.strategy import Strategy, same_tokens_as


@dataclass(frozen=True)
class Oracle:
    """The slow way whose tokens a fast one is declared to give.

    Attributes:
        settings: of the slow way.
        declared: in words, what of the fast way is declared to change no token.
    """

    settings: DecodeConfig
    declared: str


def oracle_of(settings: DecodeConfig, strategy: Strategy) -> Oracle | None:
    """The oracle of a way of decoding; None where nothing of it is declared lossless.

    A strategy declares it by ``same_tokens_as``, the strategy whose tokens are its own; the cache ``exact``, and
    ``refresh`` that recomputes in every pass, give the tokens of ``none``.
    """
    other, parts = same_tokens_as(strategy), []
    if other:
        settings = replace(settings, strategy=other)
        parts.append(f"strategy {strategy.name} as {other}")
    if settings.cache == "exact" or (settings.cache == "refresh" and settings.refresh_every == 1):
        parts.append(f"cache {settings.cache} as none")
        settings = replace(settings, cache="none")
    return Oracle(settings, ", ".join(parts)) if parts else None
