"""Where on this machine things are kept that can be fetched or made again. Knows nothing of what they are."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """The user's caches: ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def cache_folder() -> Path:
    """Ours: ``$TTTBENCH_CACHE``, else ``tttbench`` in the user's."""
    own = os.environ.get("TTTBENCH_CACHE")
    return Path(own) if own else user_cache() / "tttbench"
