"""One request from prompt to answer, as a generator of network passes. Knows no batch and runs no network.

It yields a ``Pass`` (rows to run, logits wanted) and is sent a ``Reply``; whoever drives it may merge the passes of
many sequences into one. Its clock is the one handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.decoding.answer import (
    Answer,
    AudioCommit,
    AudioCommitted,
    DecodeTrace,
    Event,
    FinishReason,
    TextCommitted,
    is_spoken_text,
    spans_of,
)
from reference_model.decoding.context import Context
from reference_model.decoding.drafting import Drafter
from reference_model.decoding.forced import next_forced
from reference_model.decoding.guidance import Guidance
from reference_model.decoding.sampling import draw_text
from reference_model.decoding.settings import DecodeConfig, Prompt
from reference_model.decoding.strategy import Block, Look, Strategy, ahead_of
from reference_model.errors import DecodeError
from reference_model.transformer import RowGroup, TtTModel


@dataclass(frozen=True)
class Wanted:
    """Logits asked of a pass: ids ``[low, high)`` at some rows of one group (None: all rows; the whole vocabulary)."""

    group: int
    rows: tuple[int, ...] | None
    low: int = 0
    high: int | None = None


@dataclass(frozen=True)
class Pass:
    """One pass of the network: rows of this sequence, and the logits wanted of them."""

    groups: tuple[RowGroup, ...]
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True)
class Reply:
    """Per ``Wanted`` (rows, columns) logits and the (rows, d) states that made them; and how long the pass took."""

    logits: tuple[Tensor, ...]
    hidden: tuple[Tensor, ...]
    seconds: float


Running = Generator[Pass, Reply, None]


class Decoding:
    """One request on its way.

    Attributes:
        context: the tokens so far and their cache.
        on_event: called with every committed text token and audio block.
        finish_reason: None while it runs.
    """

    def __init__(
        self,
        context: Context,
        prompt: Prompt,
        settings: DecodeConfig,
        strategy: Strategy,
        config: TtTConfig,
        device: torch.device,
        model: TtTModel,
        clock: Callable[[], float],
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        """Take what ``Engine`` prepared; nothing is run yet. Of ``model`` only what passes needn't run is asked."""
        self.context = context
        self.on_event = on_event
        self.finish_reason: FinishReason | None = None
        self.wait_s = 0.0
        self._settings = settings
        self._strategy = strategy
        self._config = config
        self._device = device
        self._mask_logits = model.mask_logits
        self._guidance = Guidance(context, settings, config.mask_token_id, model.mask_logits)
        self._ahead = ahead_of(strategy) if strategy.next_token else 0
        self._drafter = Drafter(model, *self._candidates, self._forbid, settings.audio_temperature)
        self._predicted_by: Tensor | None = None
        self._clock = clock
        self._began_s: float | None = None
        self._generator = torch.Generator(device=device).manual_seed(prompt.seed)
        self._forced = prompt.forced
        self._nfe = 0
        self._n_text = 0
        self._n_audio = 0
        self._n_blocks = 0
        self._n_revised = 0
        self._text_owed = 0
        self._stages_s = {"prefill": 0.0, "text": 0.0, "audio": 0.0}
        self._prefill_end_s: float | None = None
        self._times_s: list[float] = []
        self._steps: list[int] = []
        self._confidence: list[float] = []
        self._audio_commits: list[AudioCommit] = []
        self._end_s = 0.0
        self._nfe_audio = 0
        self._nfe_unconditional = 0
        self._kept: dict[str, Tensor] = {}

    @property
    def prefilled(self) -> bool:
        """Whether the first pass, the prompt's, was run."""
        return self._prefill_end_s is not None

    def run(self) -> Running:
        """Yield passes until the answer is complete; ``answer`` has it then."""
        self._began_s = self._clock()
        inside = False
        while self.finish_reason is None:
            if self._config.objective == "nar":
                yield from self._span()
            elif inside:
                yield from self._span()
                inside = False
            else:
                inside = yield from self._text_token()
        self._end_s = self._now()

    def cancel(self) -> None:
        """Note that nobody wants the rest; what is there is the answer."""
        self.finish_reason = "cancelled"
        self._end_s = self._now()

    def answer(self) -> Answer:
        """The answer so far."""
        context, config = self.context, self._config
        ids = tuple(context.ids[context.n_prompt :])
        spans = [span for span in spans_of(ids, config) if span]
        text = [i for i, token_id in enumerate(ids) if is_spoken_text(token_id, config)]
        codes = [i for span in spans for i in span]
        trace = DecodeTrace(
            stages_s=dict(self._stages_s),
            wait_s=self.wait_s,
            prefill_end_s=self._prefill_end_s or 0.0,
            text_times_s=tuple(self._times_s[i] for i in text),
            audio_commits=tuple(self._audio_commits),
            end_s=self._end_s,
            nfe=self._nfe,
            nfe_audio=self._nfe_audio,
            nfe_unconditional=self._nfe_unconditional,
            n_revised=self._n_revised,
            commit_step=tuple(self._steps[i] for i in codes),
            commit_confidence=tuple(self._confidence[i] for i in codes),
            spans=tuple(len(span) for span in spans),
        )
        return Answer(
            ids=ids,
            text_ids=tuple(ids[i] for i in text),
            spans=tuple(tuple(ids[i] - config.code_id_start for i in span) for span in spans),
            finish_reason=self.finish_reason or "cancelled",
            trace=trace,
        )

    def _now(self) -> float:
        return 0.0 if self._began_s is None else self._clock() - self._began_s

    def _coming(self, most: int, end_ids: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The forced ids that come next."""
        return next_forced(self._forced, len(self.context.ids) - self.context.n_prompt, most, end_ids)

    def _text_token(self) -> Generator[Pass, Reply, bool]:
        """Write one text token; returns whether it opens a span."""
        settings, config = self._settings, self._config
        group = self.context.group()
        high = config.audio_token_id_start if settings.forbid_audio_in_text else config.vocab_size
        logits = (yield from self._pass((group,), [(len(group.limit) - 1,)], 0, high, "text"))[0][0]
        self.context.ran(0)
        if self._text_owed > 0:
            logits[config.im_end_token_id] = float("-inf")
        token_id, confidence = draw_text(
            logits, settings.text_temperature, settings.text_top_k, settings.text_top_p, self._generator
        )
        for forced in self._coming(1):
            token_id = forced
        self._append([token_id], [self._nfe - 1], [confidence])
        self._predicted_by = self._rows[-1]
        if token_id == config.im_end_token_id:
            self.finish_reason = "stop"
            return False
        self._n_text += 1
        if self._n_text >= settings.max_text_tokens:
            self.finish_reason = "length"
            return False
        if token_id in config.span_begin_ids:
            self._text_owed = 0
            return True
        self._text_owed = max(0, self._text_owed - 1)
        return False

    def _span(self) -> Running:
        """Write audio blocks until one ends the span (or, for a NAR model, the answer)."""
        settings, config = self._settings, self._config
        whole_answer = config.objective == "nar"
        end_ids = (config.im_end_token_id,) if whole_answer else config.span_end_ids
        budget = settings.max_audio_tokens + (settings.max_text_tokens if whole_answer else 0)
        while self.finish_reason is None:
            room = budget - self._n_audio
            if room <= 0:
                self.finish_reason = "length"
                return
            next_token = self._strategy.next_token
            length = min(1 + self._ahead if next_token else settings.length_of_block(self._n_blocks), room)
            self._n_blocks += 1
            block = Block(
                length,
                steps=settings.steps_per_block,
                mask_id=config.mask_token_id,
                end_ids=end_ids,
                first_candidate=self._candidates[0],
                temperature=settings.audio_temperature,
                generator=self._generator,
                device=self._device,
                kept=self._kept,
                forced=self._coming(length, end_ids),
                drafts=self._drafts(length - 1),
            )
            block.looks = self._nfe
            self._guidance.begin_block()
            yield from self._fill(block)
            self._n_revised += block.n_revised
            end, size = block.end, block.n_leading if self._strategy.next_token else block.size
            self._append(block.ids[:size], block.committed_at[:size], block.confidence[:size])
            self._n_audio += size
            if self._strategy.next_token:
                self.context.verified(size - 1)
                self._predicted_by = self._rows[size - 1]
            if end is not None:
                if whole_answer:
                    self.finish_reason = "stop"
                self._text_owed = settings.min_text_after_audio
                return

    def _drafts(self, most: int) -> tuple[int, ...]:
        """Guesses of what comes behind the tokens there are."""
        if not self._ahead or most < 1 or self._predicted_by is None:
            return ()
        before_s = self._clock()
        drafts = self._drafter.draft(self._predicted_by, self.context.ids[-1], most, self._generator)
        self._stages_s["audio"] += self._clock() - before_s
        return drafts

    def _fill(self, block: Block) -> Running:
        """Drive the strategy over one block."""
        filling = self._strategy.fill(block)
        try:
            look = next(filling)
            while True:
                logits = yield from self._look(block, look)
                block.looks = self._nfe
                look = filling.send(logits)
        except StopIteration:
            pass
        if not block.settled and self._settings.forbid_non_audio and not self._strategy.next_token:
            raise DecodeError(f"strategy {self._strategy.name!r} left masks in the block: it returned too early")

    @property
    def _candidates(self) -> tuple[int, int]:
        """The range of ids that can be drawn inside audio."""
        config = self._config
        if config.objective == "nar" or not self._settings.forbid_non_audio:
            return 0, config.vocab_size
        last = max(config.code_id_start + config.n_audio_codes - 1, *config.span_end_ids)
        return config.audio_token_id_start, last + 1

    def _forbid(self, logits: Tensor) -> Tensor:
        """Forbidden candidates at -inf, in place."""
        config, (low, high) = self._config, self._candidates
        if config.objective == "nar":
            logits[..., config.mask_token_id] = float("-inf")
        elif not self._settings.forbid_non_audio:
            logits[..., config.im_end_token_id] = float("-inf")
        else:
            logits[..., 0] = float("-inf")
            first_after = config.code_id_start + config.n_audio_codes
            for token_id in range(first_after, high):
                if token_id not in config.span_end_ids:
                    logits[..., token_id - low] = float("-inf")
        return logits

    def _look(self, block: Block, look: Look) -> Generator[Pass, Reply, Tensor]:
        """Run one look: (variants, rows, candidates)."""
        config, (low, high) = self._config, self._candidates
        if look.shifted:
            group = self.context.group(look.drafts)
            last = len(group.limit) - 1
            rows = tuple(range(last - len(look.drafts), last + 1))
            replies = yield from self._pass((group,), [rows], low, high, "audio")
            self.context.ran(0)
            return self._forbid(replies[0].unsqueeze(0))
        contents = [variant.tolist() for variant in look.variants] if look.variants else [block.ids]
        rows = tuple(block.open) if look.rows is None else look.rows
        if look.alone and all(token == config.mask_token_id for content in contents for token in content):
            logits = self._mask_logits(low, high).expand(len(contents), len(rows), -1)
            return self._forbid(logits.clone() if logits.dtype == torch.float64 else logits.float().clone())
        # Several contents of one block cannot share the scratch rows of the cache.
        write = look.variants is None
        if look.alone:
            groups = [self.context.alone(content) for content in contents]
        else:
            groups = [self.context.group(content, write) for content in contents]
        side = None
        if self._settings.cfg > 0 and not look.alone:
            side = self._guidance.side(contents, rows, block.open, low, high)
        rows_of = [rows] * len(groups)
        if side is not None and side.groups:
            groups += side.groups
            rows_of += [side.rows] * len(side.groups)
            self._nfe_unconditional += 1
        wanted = [
            tuple(len(group.limit) - len(block) + row for row in at) for group, at in zip(groups, rows_of, strict=True)
        ]
        replies = yield from self._pass(tuple(groups), wanted, low, high, "audio")
        if not look.alone:
            self.context.ran(len(block), write)
        logits = torch.stack(replies[: len(contents)])
        if side is not None:
            logits = self._guidance.applied(logits, rows, side, replies[len(contents) :])
        return self._forbid(logits)

    def _pass(
        self, groups: tuple[RowGroup, ...], rows: Sequence[tuple[int, ...]], low: int, high: int, stage: str
    ) -> Generator[Pass, Reply, list[Tensor]]:
        """Run rows; for each group the logits of its ``rows`` and ids ``[low, high)``, at least in fp32."""
        if self._settings.cache == "none":
            # The oracle is the published loop: the whole head on the whole sequence, every time.
            reply = yield Pass(groups, tuple(Wanted(i, None) for i in range(len(groups))))
            logits = [x[list(at), low:high] for x, at in zip(reply.logits, rows, strict=True)]
            self._rows = reply.hidden[0][list(rows[0])]
        else:
            reply = yield Pass(groups, tuple(Wanted(i, at, low, high) for i, at in enumerate(rows)))
            logits = list(reply.logits)
            self._rows = reply.hidden[0]
        self._nfe += 1
        self._nfe_audio += stage == "audio"
        if self._prefill_end_s is None:
            self._prefill_end_s = self._now()
            stage = "prefill"
        self._stages_s[stage] += reply.seconds
        return [x if x.dtype == torch.float64 else x.float() for x in logits]

    def _append(self, ids: list[int], steps: list[int], confidence: list[float]) -> None:
        """Make tokens final and tell them."""
        config, now = self._config, self._now()
        self.context.append(ids)
        self._times_s += [now] * len(ids)
        self._steps += steps
        self._confidence += confidence
        codes = tuple(token_id - config.code_id_start for token_id in ids if config.is_code(token_id))
        ends = any(token_id in config.span_end_ids for token_id in ids)
        if codes:
            self._audio_commits.append(AudioCommit(now, len(codes)))
        if self.on_event is None:
            return
        for token_id in ids:
            if is_spoken_text(token_id, config):
                self.on_event(TextCommitted(now, token_id))
        if codes or ends:
            self.on_event(AudioCommitted(now, codes, ends))
