"""The unconditional side of guidance for one request: which of its passes are run, which are known without one.

What is known: rows that see masks alone have the logits of ``TtTModel.mask_logits``. A row's limit is a prefix of the
keys, and a row within that prefix never sees more than the prefix itself (limits of rows of a span are equal, those of
earlier rows smaller), so if the prefix holds masks alone, all that reaches the row is the sequence of masks that
``mask_row`` speaks of. That is every row when a block opens, and later the rows before a text id that was drawn in the
block, as long as no code stands before that text. All other rows see a committed token, whose value differs from the
masks', with weights that depend on how far away it is: they must be run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_model.decoding.context import Context
from reference_model.decoding.settings import DecodeConfig
from reference_model.transformer import RowGroup


@dataclass(frozen=True)
class Side:
    """The unconditional side of one look.

    Attributes:
        rows: of the block, whose unconditional logits it has.
        groups: what must be run for it, one group per content that isn't known.
        known: (contents, rows, candidates), or per content its (candidates,); None where a group is run.
    """

    rows: tuple[int, ...]
    groups: tuple[RowGroup, ...]
    known: Tensor | tuple[Tensor | None, ...]


@dataclass
class _Kept:
    """Unconditional logits of an earlier look of the block, and for how many looks they may still be used."""

    rows: tuple[int, ...]
    logits: Tensor
    left: int


class Guidance:
    """Guided logits of one request's blocks."""

    def __init__(
        self, context: Context, settings: DecodeConfig, mask_id: int, mask_logits: Callable[[int, int], Tensor]
    ) -> None:
        """Guide the blocks behind ``context``; ``mask_logits`` is the model's."""
        self._context = context
        self._settings = settings
        self._mask_id = mask_id
        self._mask_logits = mask_logits
        self._kept: _Kept | None = None

    def begin_block(self) -> None:
        """Forget what was kept of the block before."""
        self._kept = None

    def side(
        self, contents: Sequence[Sequence[int]], rows: Sequence[int], still_open: Sequence[int], low: int, high: int
    ) -> Side:
        """What the unconditional side of a look is made of.

        Args:
            contents: of the block.
            rows: whose logits are wanted.
            still_open: rows whose logits later looks will want.
            low, high: the candidates' ids.
        """
        kept = self._kept
        if kept is not None and kept.left and len(kept.logits) == len(contents) and set(rows) <= set(kept.rows):
            kept.left -= 1
            return Side(kept.rows, (), kept.logits)
        rows = tuple(sorted({*rows, *still_open})) if self._settings.cfg_approximate_reuse else tuple(rows)
        groups: list[RowGroup] = []
        known: list[Tensor | None] = []
        for content in contents:
            group = None if self._is_masks(content) else self._group(content)
            if group is None or self._sees_masks(group, content, rows):
                logits = self._mask_logits(low, high)
                known.append(logits if logits.dtype == torch.float64 else logits.float())
            else:
                groups.append(group)
                known.append(None)
        return Side(rows, tuple(groups), tuple(known))

    def applied(self, conditional: Tensor, rows: Sequence[int], side: Side, replies: Sequence[Tensor]) -> Tensor:
        """Guide (contents, rows, candidates); ``replies`` are the logits of the side's groups at its rows."""
        if isinstance(side.known, Tensor):
            without = side.known
        else:
            ran = iter(replies)
            without = torch.stack(
                [next(ran) if known is None else known.expand(len(side.rows), -1) for known in side.known]
            )
            if self._settings.cfg_approximate_reuse:
                self._kept = _Kept(side.rows, without, self._settings.cfg_approximate_reuse)
        if side.rows != tuple(rows):
            without = without[:, [side.rows.index(row) for row in rows]]
        return without + (self._settings.cfg + 1) * (conditional - without)

    def _group(self, content: Sequence[int]) -> RowGroup:
        return self._context.unconditional(content, self._settings.cfg_approximate_context)

    def _is_masks(self, content: Sequence[int]) -> bool:
        """Whether no row needs to be run; the oracle runs all the same, which is how the tests know."""
        return self._settings.cache != "none" and all(token == self._mask_id for token in content)

    def _sees_masks(self, group: RowGroup, content: Sequence[int], rows: Sequence[int]) -> bool:
        """Whether all of ``rows`` see masks alone."""
        if self._settings.cache == "none":
            return False
        n_before = len(group.limit) - len(content)
        n_masks = n_before + next(i for i, token in enumerate([*content, -1]) if token != self._mask_id)
        return all(group.limit[n_before + row] <= n_masks for row in rows)
