"""Whether weights can be computed with: NaN and infinity make every answer empty, and so do zeros everywhere."""

from __future__ import annotations

from torch import Tensor

from reference_model.errors import CheckpointError


class FiniteWeights:
    """Looks at one tensor of a checkpoint after the other. ``where`` names its files in messages."""

    def __init__(self) -> None:
        self._matrix = ""
        self._has_values = False

    def look(self, name: str, value: Tensor, where: object, *, stored: Tensor | None = None) -> None:
        """Look at a tensor of floats.

        Args:
            name: of the tensor.
            value: as it is computed with.
            where: the file.
            stored: as it lies in the file, where it was converted.

        Raises:
            CheckpointError: it holds NaN or infinity.
        """
        if not value.numel() or not value.is_floating_point():
            return
        low, high = value.aminmax()
        if not (low.isfinite() and high.isfinite()):
            if stored is not None and all(end.isfinite() for end in stored.aminmax()):
                dtypes = [str(one.dtype).removeprefix("torch.") for one in (value, stored)]
                raise CheckpointError(f"{where}: tensor {name!r} doesn't fit into {dtypes[0]}; compute in {dtypes[1]}")
            raise CheckpointError(f"{where}: tensor {name!r} holds NaN or infinity; fetch the file again")
        if value.ndim > 1:
            self._matrix = self._matrix or f"{where}: tensor {name!r}"
            self._has_values |= bool(low != 0 or high != 0)

    def finish(self) -> None:
        """Raise ``CheckpointError`` if all matrices were zero."""
        if self._matrix and not self._has_values:
            raise CheckpointError(f"{self._matrix} is zero everywhere, and so are all others; fetch the file again")
