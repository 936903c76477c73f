"""Where the folders of data lie that travel with the package: ``tasks/`` and ``reports/``.

They hold data, TOML, templates, scripts, and plug-ins that are loaded as files; nothing in them is imported by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(folder: Literal["tasks", "reports"]) -> Path:
    """Return the folder: inside the package when installed from a wheel, beside it in a checkout."""
    # The hyphen keeps Python from importing what is inside.
    installed = _PACKAGE / "shipped-data" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
