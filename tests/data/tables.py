"""Parquet tables as model hubs keep data sets, made by the tests."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import soundfile

AUDIO = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
"""The type of a column of audio."""


def tone(n: int, rate: int = 16_000) -> bytes:
    """A WAV file of ``n`` samples."""
    stream = io.BytesIO()
    soundfile.write(stream, np.linspace(-0.5, 0.5, n), rate, format="WAV")
    return stream.getvalue()


def held(n: int, name: str | None) -> dict[str, Any]:
    """A cell of a column of audio: a recording of ``n`` samples and what it is called."""
    return {"bytes": tone(n), "path": name}


def write_table(path: Path, columns: Mapping[str, Any], rows_a_group: int = 100, **types: pyarrow.DataType) -> Path:
    """Write a table, with the folders above it. A column ``audio`` holds audio; ``types`` gives others their type."""
    path.parent.mkdir(parents=True, exist_ok=True)
    types = {"audio": AUDIO, **types}
    arrays = {name: pyarrow.array(values, types.get(name)) for name, values in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), path, row_group_size=rows_a_group)
    return path
