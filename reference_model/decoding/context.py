"""What a pass must run and what it may read from the cache: the cache modes for one sequence.

The exactness rule: a row's key and value are final when every position below its limit holds its final token. So the
prompt, text and closed spans are cached; an open span is run again with every pass, or, where approximate keys will do,
with some passes or none. Knows ids and limits, no strategy.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reference_model.cache import KeyValueCache
from reference_model.config import TtTConfig
from reference_model.decoding.settings import CacheMode
from reference_model.limits import limits
from reference_model.transformer import RowGroup


class Context:
    """The final tokens of one sequence and the part of them that is cached.

    Attributes:
        ids: prompt and answer so far; all final.
        n_prompt: how many of them are the prompt.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        config: TtTConfig,
        mode: CacheMode,
        cache: KeyValueCache | None,
        device: torch.device,
        refresh_every: int = 1,
    ) -> None:
        """Begin with a prompt; ``cache`` is None exactly in the mode ``none``. ``refresh_every`` is for ``refresh``."""
        self.ids = list(prompt)
        self.n_prompt = len(prompt)
        self._config = config
        self._cache = cache
        self._device = device
        # Every so many passes run the open span from its start; None: no pass does.
        self._every = {"none": 1, "exact": 1, "block": None, "refresh": refresh_every}[mode]
        # Passes over the open span, and up to where its finished blocks have keys, which are not final.
        self._n_passes = 0
        self._n_frozen = 0
        # Every position below _run has a limit that no later token moves.
        self._run = 0
        self._computed = 0
        for end, token_id in enumerate(self.ids, start=1):
            self._settle(end, token_id)

    def _settle(self, end: int, token_id: int) -> None:
        """Take note of the token at position ``end - 1``."""
        objective = self._config.objective
        if objective == "nar":
            self._run = min(end, self.n_prompt)
        elif objective == "ar" or token_id < self._config.audio_token_id_start:
            self._run = end

    @property
    def _recomputes(self) -> bool:
        """Whether the next pass runs the finished blocks of the open span again."""
        return self._every is not None and (self._n_passes + 1) % self._every == 0

    @property
    def _n_cached(self) -> int:
        """How many positions the next pass finds in the cache."""
        if self._cache is None:
            return 0
        return self._cache.length if self._recomputes else max(self._cache.length, self._n_frozen)

    def append(self, ids: Sequence[int]) -> None:
        """Add final tokens."""
        for token_id in ids:
            before, run = len(self.ids), self._run
            self.ids.append(token_id)
            self._settle(before + 1, token_id)
            if self._run == run:
                continue
            self._n_passes = 0
            # A text token closes the span before it: if the last pass ran that span complete, its keys are final.
            if self._cache is not None and self._computed == before:
                self._cache.length = before

    def group(self, tail: Sequence[int] = (), write: bool = True) -> RowGroup:
        """The rows of a pass: the pending tokens, then ``tail``, which is not final.

        Args:
            tail: ids of the open block; empty for a text pass.
            write: False leaves the cache alone (several contents of one block in one pass).
        """
        first, n_final = self._n_cached, len(self.ids)
        plain = [*self.ids[first:], *tail]
        limit = self._limit(plain, first, n_final)
        return RowGroup(self._tensor(plain), first, limit, self._cache, write and self._cache is not None)

    def _tensor(self, ids: list[int]) -> Tensor:
        return torch.tensor(ids, dtype=torch.int64, device=self._device)

    def _limit(self, plain: list[int], first: int, n_final: int) -> tuple[int, ...]:
        """Limits of the rows at the positions ``first …``; every run of audio that they touch begins among them."""
        if first >= self.n_prompt and self._config.objective != "nar":
            return self._limit_of_answer(plain, first, n_final)
        found = self._limits_of(plain, max(self.n_prompt - first, 0)) + first
        if not self._recomputes:
            # Rows of finished blocks don't see the open one.
            found[: n_final - first].clamp_(max=n_final)
        return tuple(found.tolist())

    def _limits_of(self, ids: list[int], answer_start: int) -> Tensor:
        config = self._config
        return limits(
            torch.tensor(ids),
            config.audio_token_id_start,
            prompt_audio=config.prompt_audio,
            objective=config.objective,
            answer_start=answer_start,
        )

    def _limit_of_answer(self, plain: list[int], first: int, n_final: int) -> tuple[int, ...]:
        """``_limit`` for rows of the answer: so few that a loop is cheaper than tensors."""
        n = len(plain)
        found = list(range(first + 1, first + n + 1))
        if self._config.objective == "hybrid":
            start, end = self._config.audio_token_id_start, first + n
            for i in range(n - 1, -1, -1):
                if plain[i] < start:
                    end = first + i
                else:
                    found[i] = end
        if not self._recomputes:
            for i in range(n_final - first):
                found[i] = min(found[i], n_final)
        return tuple(found)

    def ran(self, n_tail: int, written: bool = True) -> None:
        """A pass over ``group(tail)`` with ``n_tail`` open rows was run, and written or not."""
        self._n_passes += 1
        if self._cache is None or not written:
            return
        n_final = len(self.ids)
        self._computed = n_final if n_tail == 0 else 0
        if n_tail:
            self._n_frozen = n_final
        self._cache.length = max(self._cache.length, min(self._run, n_final))

    def verified(self, n: int) -> None:
        """The first ``n`` rows behind what was final in the last pass were run as they now are, in causal order."""
        if self._cache is not None:
            self._cache.length += n

    def unconditional(self, tail: Sequence[int], most: int | None = None) -> RowGroup:
        """The guidance pass: every token before the open block is a mask; a text id in the block cuts their span.

        Args:
            tail: ids of the open block.
            most: with at most so many masks before it, those that stand next to it; None: all of them.
        """
        n = len(self.ids)
        n_masks = n if most is None else min(most, n)
        return self._apart(n_masks, list(tail), max(self.n_prompt - (n - n_masks), 0))

    def alone(self, tail: Sequence[int]) -> RowGroup:
        """The open block with nothing before it."""
        return self._apart(0, list(tail), 0)

    def _apart(self, n_masks: int, tail: list[int], answer_start: int) -> RowGroup:
        """Rows of a sequence of its own: masks, then ``tail``. None of it is cached, and its limits are its own."""
        config, n = self._config, n_masks + len(tail)
        mask_id = config.mask_token_id
        ids = torch.full((n,), mask_id, dtype=torch.int64, device=self._device)
        ids[n_masks:] = self._tensor(tail)
        if config.objective == "hybrid" and (config.prompt_audio == "bidirectional" or answer_start == 0):
            limit = self._limit_of_answer(tail, n_masks, n_masks)
            # The masks are one run, which goes on up to the first text of the tail.
            limit = (limit[0] if tail[0] >= config.audio_token_id_start else n_masks,) * n_masks + limit
        else:
            limit = tuple(self._limits_of([mask_id] * n_masks + tail, answer_start).tolist())
        return RowGroup(ids, 0, limit, None)
