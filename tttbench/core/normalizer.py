"""A normalizer of texts and its identity, with the version of the package whose rules it uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Literal

from tttbench.core.extras import Extra


@dataclass(frozen=True)
class Normalizer:
    """A normalizer and its identity.

    Attributes:
        name: e.g. ``"whisper-en"``.
        version: raised whenever the same input may give another output.
        normalize: text to text.
        package: the distribution whose rules it uses; ``""`` if all rules are ours.
        summary: a line about it.
        extra: of tttbench, that brings ``package``; ``""`` if the bare package does.
    """

    name: str
    version: int
    normalize: Callable[[str], str]
    package: str = ""
    summary: str = ""
    extra: Extra | Literal[""] = ""

    @property
    def recipe(self) -> str:
        """Name, version and package version, e.g. ``"whisper-en@1 (whisper-normalizer 0.1.15)"``."""
        made_with = f" ({self.package} {package_version(self.package)})" if self.package else ""
        return f"{self.name}@{self.version}{made_with}"


@lru_cache(maxsize=32)  # looking a version up reads the disk
def package_version(package: str) -> str:
    """Return the version of an installed distribution."""
    return version(package)
