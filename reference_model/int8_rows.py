"""Matrices stored as int8 with a scale per row: a quarter of the bytes of float32.

Row r of a matrix is ``scale[r]`` times its integers, which go from -127 to 127. Knows tensors and names; no files.
"""

from __future__ import annotations

from collections.abc import Set

import torch
from torch import Tensor

from reference_model.errors import CheckpointError

NAME = "int8"
"""As a dtype that checkpoints are stored in."""

SCALE = "_scale"
"""What a matrix's name is followed by in the name of its scales."""

_MOST = 127


def stored(name: str, value: Tensor) -> dict[str, Tensor]:
    """What is written of a parameter: integers and float32 scales, (rows, 1), of a matrix; anything else as float16.

    Args:
        name: of the parameter.
        value: floats; axes behind the first are one row.

    Raises:
        CheckpointError: the parameter holds NaN or infinity, or is a vector with numbers beyond float16's.
    """
    small = value.to(torch.float16) if value.ndim < 2 else value
    if not bool(small.isfinite().all()):
        what = "holds NaN or infinity" if not bool(value.isfinite().all()) else "holds numbers beyond float16's"
        raise CheckpointError(f"parameter {name!r} {what}, which int8 checkpoints can't; store it as float32")
    if value.ndim < 2:
        return {name: small}
    rows = value.float().flatten(1)
    scale = rows.abs().amax(1, keepdim=True) / _MOST
    # A row of zeros stays one whatever its scale.
    integers = (rows / scale.where(scale > 0, torch.ones_like(scale))).round().to(torch.int8)
    return {name: integers.view(value.shape), name + SCALE: scale}


def is_scale(name: str, names: Set[str]) -> bool:
    """Whether a stored tensor is the scales of another one of ``names``."""
    return name.endswith(SCALE) and name.removesuffix(SCALE) in names


def restored(name: str, value: Tensor, scale: Tensor | None, where: object) -> Tensor:
    """A stored tensor as floats: the matrix that ``stored`` was given, to half a scale, or what was stored as it is.

    Args:
        name: of the tensor.
        value: as it is stored.
        scale: what is stored as its scales; None: nothing is.
        where: the file.

    Raises:
        CheckpointError: integers without scales, scales without integers, or scales that are not (rows, 1) floats.
    """
    if value.dtype != torch.int8:
        if scale is not None:
            raise CheckpointError(
                f"{where}: tensor {name + SCALE!r} belongs to no part of the model: under {name!r} nothing is stored "
                "as int8"
            )
        return value
    if scale is None:
        raise CheckpointError(
            f"{where}: tensor {name!r} is stored as int8 and its scales, {name + SCALE!r}, are missing; fetch it again"
        )
    if value.ndim < 2:
        raise CheckpointError(
            f"{where}: tensor {name!r} is stored as int8 and has the shape {tuple(value.shape)}, expected a matrix"
        )
    if scale.shape != (len(value), 1) or not scale.is_floating_point():
        raise CheckpointError(
            f"{where}: tensor {name + SCALE!r} has the shape {tuple(scale.shape)} and the type {scale.dtype}, expected "
            f"floats of the shape {(len(value), 1)}: a scale per row of {name!r}"
        )
    return (value.flatten(1).float() * scale.float()).view(value.shape)
