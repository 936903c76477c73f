"""Continuous batching: sequences in different phases share every pass; they join and leave while others run.

One ``step`` runs one ragged pass: a text row here, an open block there, a whole prompt elsewhere. A sequence's numbers
depend on its own rows alone, so its answer doesn't depend on its neighbours. Knows no strategy and no tokenizer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reference_model.cache import CachePool, KeyValueCache
from reference_model.decoding.answer import Answer, Event
from reference_model.decoding.context import Context
from reference_model.decoding.forced import check_forced
from reference_model.decoding.sequence import Decoding, Pass, Reply, Running, Wanted
from reference_model.decoding.settings import DecodeConfig, Prompt
from reference_model.decoding.strategies.mtp import Mtp
from reference_model.decoding.strategies.speculate import Speculate
from reference_model.decoding.strategy import Strategy, make_strategy
from reference_model.draft_heads import FILE
from reference_model.errors import DecodeError
from reference_model.roofline import HeadRows, PassShape, rows_of
from reference_model.transformer import TtTModel


@dataclass
class _Active:
    """A sequence that runs: its state, its generator, the pass it waits for, its cache."""

    handle: int
    decoding: Decoding
    running: Running
    waiting_for: Pass
    cache: KeyValueCache | None


@dataclass(frozen=True)
class _Submitted:
    handle: int
    prompt: Prompt
    on_event: Callable[[Event], None] | None
    at_s: float


class Engine:
    """Answers prompts, several at a time.

    Attributes:
        answers: finished answers by handle.
    """

    def __init__(
        self,
        model: TtTModel,
        settings: DecodeConfig,
        *,
        max_batch: int = 16,
        max_cache_positions: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
        on_pass: Callable[[PassShape], None] | None = None,
    ) -> None:
        """Prepare an empty engine.

        Args:
            model: the network, in eval mode.
            settings: used for every prompt.
            max_batch: sequences that run at once.
            max_cache_positions: positions of key/value cache that all of them share, allocated now; prompts wait
                until there is room. None: nothing waits. Every sequence allocates its own, as it grows; where one call
                attends to a whole pool (xformers), ``max_batch`` sequences like the first share one, and those that
                find no room in it allocate their own. Without effect if ``settings.cache`` is ``"none"``.
            clock: monotonic seconds.
            on_pass: called with the shape of every pass, when its logits are computed.

        Raises:
            DecodeError: if the strategy doesn't fit the model's objective.
            BackendError: if the model's attention backend was chosen by name and cannot run here.
        """
        if max_batch < 1:
            raise DecodeError(f"max_batch={max_batch}: expected at least 1")
        self.answers: dict[int, Answer] = {}
        self._model = model
        self._settings = settings
        self._strategy = strategy_for(model, settings)
        self._max_batch = max_batch
        self._pool: CachePool | None = None
        self._is_bounded = max_cache_positions is not None
        self._shares_calls = model.pool_operator() is not None
        if max_cache_positions is not None and settings.cache != "none":
            self._pool = CachePool(model.config, max_cache_positions, model.dtype, model.device)
        self._clock = clock
        self._on_pass = on_pass
        self._queue: deque[_Submitted] = deque()
        self._active: list[_Active] = []
        self._next_handle = 0

    @property
    def strategy(self) -> Strategy:
        """The strategy in use."""
        return self._strategy

    @property
    def n_unfinished(self) -> int:
        """Sequences that run or wait."""
        return len(self._queue) + len(self._active)

    @property
    def n_running(self) -> int:
        """Sequences that share the next pass."""
        return len(self._active)

    @property
    def cache_bytes(self) -> int:
        """Memory of the keys and values: of the pool, and of the sequences that run outside of it."""
        caches = [active.cache for active in self._active if active.cache is not None]
        own = sum(cache.n_bytes for cache in caches if cache.slot is None)
        return own if self._pool is None else own + self._pool.n_bytes

    def submit(self, prompt: Prompt, on_event: Callable[[Event], None] | None = None) -> int:
        """Queue a prompt; it joins at the next ``step`` that has room.

        Args:
            prompt: what to answer.
            on_event: called with every committed text token and audio block, within ``step``.

        Returns:
            A handle for ``cancel`` and ``answers``.

        Raises:
            DecodeError: if the prompt is empty, holds ids outside the vocabulary, forces what cannot be written,
                or can never fit the cache.
        """
        vocab_size = self._model.config.vocab_size
        if not prompt.ids:
            raise DecodeError("a prompt of no tokens can't be answered")
        if min(prompt.ids) < 0 or max(prompt.ids) >= vocab_size:
            raise DecodeError(f"a prompt holds ids outside the vocabulary of {vocab_size}")
        check_forced(prompt.forced, self._model.config)
        need = self._positions(prompt)
        if self._is_bounded and self._pool is not None and need > self._pool.n_positions:
            raise DecodeError(
                f"a prompt of {len(prompt.ids)} tokens may need {need} cache positions, but max_cache_positions="
                f"{self._pool.n_positions}; raise it or lower max_text_tokens and max_audio_tokens"
            )
        handle = self._next_handle
        self._next_handle += 1
        self._queue.append(_Submitted(handle, prompt, on_event, self._clock()))
        return handle

    def cancel(self, handle: int) -> None:
        """Stop a sequence; what it has written becomes its answer. Unknown and finished handles are ignored."""
        for waiting in self._queue:
            if waiting.handle == handle:
                self._queue.remove(waiting)
                decoding = self._decoding(waiting, None)
                decoding.cancel()
                self.answers[handle] = decoding.answer()
                return
        for active in self._active:
            if active.handle == handle:
                active.running.close()
                active.decoding.cancel()
                self._end(active)
                self._active.remove(active)
                return

    def _end(self, active: _Active) -> None:
        """Keep the answer of a sequence that runs no more, and free its cache."""
        self.answers[active.handle] = active.decoding.answer()
        if self._pool is not None and active.cache is not None and active.cache.slot is not None:
            self._pool.give_back(active.cache)

    @torch.inference_mode()
    def step(self) -> bool:
        """Admit what fits and run one pass of everything that runs; returns whether anything is left to do."""
        self._admit()
        if self._active:
            replies = self._run([active.waiting_for for active in self._active])
            still = []
            for active, reply in zip(self._active, replies, strict=True):
                try:
                    active.waiting_for = active.running.send(reply)
                    still.append(active)
                except StopIteration:
                    self._end(active)
            self._active = still
        return self.n_unfinished > 0

    def _admit(self) -> None:
        while self._queue and len(self._active) < self._max_batch:
            cache: KeyValueCache | None = None
            if self._settings.cache != "none":
                cache = self._new_cache(self._queue[0].prompt)
                if cache is None:
                    return
            submitted = self._queue.popleft()
            decoding = self._decoding(submitted, cache)
            decoding.wait_s = self._clock() - submitted.at_s
            running = decoding.run()
            self._active.append(_Active(submitted.handle, decoding, running, next(running), cache))

    def _new_cache(self, prompt: Prompt) -> KeyValueCache | None:
        """A cache for a sequence that begins now; None while it has to wait for room in the pool."""
        config, dtype, device = self._model.config, self._model.dtype, self._model.device
        need = self._positions(prompt)
        if self._pool is None and self._shares_calls:
            wanted = CachePool.n_positions_for(config, self._max_batch * need, dtype, device)
            self._pool = CachePool(config, wanted, dtype, device)
        taken = None if self._pool is None else self._pool.take(need)
        if taken is not None or self._is_bounded:
            return taken
        return KeyValueCache(config, len(prompt.ids) + 256, dtype, device)

    def _decoding(self, submitted: _Submitted, cache: KeyValueCache | None) -> Decoding:
        model, settings = self._model, self._settings
        every = settings.refresh_every
        context = Context(submitted.prompt.ids, model.config, settings.cache, cache, model.device, every)
        return Decoding(
            context,
            submitted.prompt,
            settings,
            self._strategy,
            model.config,
            model.device,
            model,
            self._clock,
            submitted.on_event,
        )

    def _positions(self, prompt: Prompt) -> int:
        """The most positions the prompt and its answer can take."""
        settings = self._settings
        return len(prompt.ids) + settings.max_text_tokens + settings.max_audio_tokens + settings.longest_block

    def _run(self, passes: Sequence[Pass]) -> list[Reply]:
        """One pass of the network for all; the head runs once for each range of ids that is asked for."""
        before_s = self._clock()
        groups = [group for one in passes for group in one.groups]
        hidden = self._model.step(groups)
        places: dict[tuple[int, int | None], list[tuple[int, int]]] = {}
        picked: dict[tuple[int, int | None], list[Tensor]] = {}
        first_row = 0
        for number, one in enumerate(passes):
            begins = []
            for group in one.groups:
                begins.append(first_row)
                first_row += len(group.limit)
            for index, wanted in enumerate(one.wanted):
                columns = (wanted.low, wanted.high)
                places.setdefault(columns, []).append((number, index))
                n_rows = len(one.groups[wanted.group].limit)
                picked.setdefault(columns, []).append(_rows(hidden, begins[wanted.group], n_rows, wanted))
        logits: dict[tuple[int, int], Tensor] = {}
        states: dict[tuple[int, int], Tensor] = {}
        heads: list[HeadRows] = []
        for columns, rows in picked.items():
            together = self._model.logits(rows[0] if len(rows) == 1 else torch.cat(rows), *columns)
            logits.update(zip(places[columns], torch.split(together, [len(r) for r in rows]), strict=True))
            states.update(zip(places[columns], rows, strict=True))
            heads.append(HeadRows(*together.shape))
        if hidden.is_cuda:
            # What was asked of the device is not done yet, and these seconds are told as the pass's.
            torch.cuda.synchronize(hidden.device)
        seconds = self._clock() - before_s
        n_rows_of = [sum(len(group.limit) for group in one.groups) for one in passes]
        if self._on_pass is not None:
            prefill = any(not active.decoding.prefilled for active in self._active)
            self._on_pass(PassShape(rows_of(groups), tuple(heads), prefill))
        return [
            Reply(
                tuple(logits[number, index] for index in range(len(one.wanted))),
                tuple(states[number, index] for index in range(len(one.wanted))),
                seconds * n_rows_of[number] / sum(n_rows_of),
            )
            for number, one in enumerate(passes)
        ]


def _rows(hidden: Tensor, begin: int, n_rows: int, wanted: Wanted) -> Tensor:
    if wanted.rows is None:
        return hidden[begin : begin + n_rows]
    at = wanted.rows
    if at and at[-1] - at[0] + 1 == len(at):
        return hidden[begin + at[0] : begin + at[-1] + 1]
    return hidden[[begin + row for row in at]]


def strategy_for(model: TtTModel, settings: DecodeConfig) -> Strategy:
    """The strategy the settings name, if it fits the model.

    Raises:
        DecodeError: if it doesn't, guidance or a schedule of block lengths is asked of next-token decoding, or a block
            of the schedule is longer than the model's positions.
    """
    objective, asked = model.config.objective, settings.strategy
    if asked == "auto":
        asked = "ar" if objective == "ar" else "topk"
    strategy = make_strategy(asked) if isinstance(asked, str) else asked
    if strategy.next_token != (objective == "ar"):
        fitting = "strategy='ar'" if objective == "ar" else "one that fills masks, e.g. strategy='topk'"
        raise DecodeError(
            f"strategy {strategy.name!r} doesn't fit a model trained with objective {objective!r}; use {fitting}"
        )
    if settings.block_lengths:
        _check_schedule(settings, strategy, model.config.max_position_embeddings)
    if isinstance(strategy, Mtp):
        strategy = _with_heads(strategy, len(model.draft_heads))
    if isinstance(strategy, Speculate):
        _refuse_counting(settings)
    if strategy.next_token and settings.cfg > 0:
        raise DecodeError("decode setting cfg: guidance is defined for masked blocks only; use cfg=0 with 'ar'")
    return strategy


def _refuse_counting(settings: DecodeConfig) -> None:
    """What counts passes gives other tokens where there are fewer of them."""
    reuses = settings.cfg and settings.cfg_approximate_reuse
    setting = "cfg_approximate_reuse" if reuses else "cache='refresh'" if settings.cache == "refresh" else ""
    if setting:
        raise DecodeError(
            f"decode setting {setting}: counts passes, which 'speculate' changes; leave out one of the two"
        )


def _check_schedule(settings: DecodeConfig, strategy: Strategy, n_positions: int) -> None:
    if strategy.next_token:
        raise DecodeError(f"decode setting block_lengths: strategy {strategy.name!r} has no blocks; leave it out")
    if settings.longest_block > n_positions:
        raise DecodeError(
            f"decode setting block_lengths: a block of {settings.longest_block} masks doesn't fit the model, which has "
            f"{n_positions} positions; shorten it"
        )


def _with_heads(strategy: Mtp, n_heads: int) -> Mtp:
    """``mtp`` with the number of heads that it uses."""
    if not n_heads:
        raise DecodeError(
            f"strategy 'mtp' needs draft heads, and the checkpoint has none ({FILE}); train some by a training config "
            "with a section [mtp], or use strategy='ar'"
        )
    if strategy.heads > n_heads:
        raise DecodeError(f"strategy 'mtp': option heads={strategy.heads}: the checkpoint has {n_heads} draft heads")
    return replace(strategy, heads=strategy.heads or n_heads)
