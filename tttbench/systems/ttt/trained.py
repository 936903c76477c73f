"""``training.json`` of a checkpoint folder: by which training config its weights were made. Shown, never compared."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.json_values import JsonObject
from tttbench.core.serialize import to_plain
from tttbench.core.tables import Name, read_table
from tttbench.data.documents import read_json

FILE = "training.json"


@dataclass(frozen=True)
class Trained:
    """What ``tttbench train`` was asked for.

    Attributes:
        config: name of the training config.
        without: strategies of the paper that the call switched off.
        training: the settings in force, the objective's shares among them.
    """

    config: Name
    without: tuple[Name, ...] = ()
    training: JsonObject = field(default_factory=dict)

    def __str__(self) -> str:
        """Say so in a few words."""
        return f"{self.config} without {', '.join(self.without)}" if self.without else self.config

    def write(self, folder: Path) -> None:
        """Write the file."""
        (folder / FILE).write_text(json.dumps(to_plain(self), indent=1) + "\n", encoding="utf-8")


def read_trained(folder: Path) -> Trained | None:
    """Read the file; None for a folder that has none.

    Raises:
        UserError: naming file, field and fix.
    """
    path = folder / FILE
    return read_table(Trained, read_json(path)) if os.path.exists(path) else None
