"""``ttt:NAME``: the reference model as a system: speech or text in, text and speech out, streamed.

NAME is a shipped checkpoint or the path of a checkpoint folder; ``ttt_folder`` says what else a folder holds. The
speech is made while codes are committed, on the same thread and clock, so the times are those of a real stream, and
the vocoder's share of them is in everything that comes later. Task instructions are not sent: the system prompt of the
request's family, which the weights were trained with, stands for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import AudioCommit, Chunk, Request, Response, Trace
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import Decoding, register_system
from tttbench.core.sample import Sample
from tttbench.core.system import AnswerNats, Capability, Lengths, PassRun, SystemCard, SystemOptions
from tttbench.core.tables import Document
from tttbench.data.audio import resample
from tttbench.systems.ttt.checks import check, effective, given_settings, ready
from tttbench.systems.ttt.folder import (
    SHIPPED,
    Assistant,
    checkpoint_folder,
    identity,
    installed_names,
    lacks,
    read_assistant,
    weights_sha256,
)
from tttbench.systems.ttt.likelihood import nats_of
from tttbench.systems.ttt.limits import Limits
from tttbench.systems.ttt.pair import strategies_against
from tttbench.systems.ttt.settings import decode_settings, dtype_of, in_force, in_full, prompt_audio_of, strategies
from tttbench.systems.ttt.speech import Speech, load_codec
from tttbench.systems.ttt.synthetic import bound_for, synthetic_prompt
from tttbench.systems.ttt.trained import Trained, read_trained

if TYPE_CHECKING:
    from reference_model.checkpoint import Loaded
    from reference_model.config import PromptAudio
    from reference_model.decoding import DecodeConfig, Engine, Prompt
    from reference_model.roofline import Ceilings, PassShape
    from reference_model.speech.codec import Codec


@dataclass(frozen=True)
class _Prepared:
    """A request as the decoder takes it, and the seconds that encoding took."""

    prompt: Prompt
    settings: DecodeConfig
    encode_s: float


@dataclass(frozen=True)
class _Running:
    """A request that was submitted: its place in the batch, where its answer will be, and its speech on the way."""

    index: int
    prepared: _Prepared
    engine: Engine
    handle: int
    submitted_s: float
    speech: Speech


@dataclass(frozen=True)
class MadeOf:
    """What a system was made of.

    Attributes:
        weights_sha256: of its weights; ``identity``: of the rest, by name (``folder.identity``).
        prompt_audio: how its weights were shown the prompt's audio.
        trained: by which training, where the folder says so.
    """

    weights_sha256: str
    identity: Mapping[str, str]
    prompt_audio: PromptAudio = "bidirectional"
    trained: Trained | None = None


class TtTSystem:
    """A checkpoint, its codec, and one way of decoding."""

    def __init__(
        self,
        name: str,
        loaded: Loaded,
        codec: Codec,
        assistant: Assistant,
        settings: DecodeConfig,
        batch_size: int,
        made_of: MadeOf,
        on_pass: Callable[[PassRun], None] | None = None,
    ) -> None:
        """Answer with ``loaded`` and ``codec``.

        Args:
            name: full name, e.g. ``"ttt:mini"``.
            loaded: the checkpoint in memory.
            codec: of as many codes as the model knows.
            assistant: prompts.
            settings: how to decode; the lengths in it are lowered where a request or the positions allow less.
            batch_size: requests that run at once; it doesn't change the answers.
            made_of: hashes for the model card, and how the weights were trained.
            on_pass: called with every pass.

        Raises:
            UserError: model, codec and strategy don't fit together.
        """
        from reference_model.decoding.engine import strategy_for
        from reference_model.decoding.lossless import oracle_of
        from reference_model.decoding.strategy import UNTRAINED, canonical, is_untrained
        from reference_model.errors import DecodeError

        config = loaded.model.config
        if codec.n_codes != config.n_audio_codes:
            raise UserError(
                f"{assistant.where}: field 'codec': that codec has {codec.n_codes} codes, but the model was made for "
                f"{config.n_audio_codes}. Name the codec that the model was trained with."
            )
        try:
            strategy = strategy_for(loaded.model, settings)
        except DecodeError as error:
            raise UserError(f"{name}: {error}") from error
        self.name = name
        self._strategy = strategy.name if settings.strategy == "auto" else canonical(str(settings.strategy))
        self._oracle = oracle_of(settings, strategy)
        self._remark = {"untrained": UNTRAINED} if is_untrained(strategy) else {}
        self._loaded = loaded
        self._codec = codec
        self._assistant = assistant
        self._settings = settings
        self._limits = Limits(config.max_position_embeddings, codec.codes_per_s)
        self._batch_size = batch_size
        self._made_of = made_of
        self._on_pass = on_pass

    @property
    def card(self) -> SystemCard:
        """The model card. Prompts, settings, weights, codec, tokenizer and configurations can change an answer."""
        from reference_model.speech.codec import speaks

        model = self._loaded.model
        dtype = str(model.dtype).removeprefix("torch.")
        # Cards of before there was a choice go on being equal.
        chosen: dict[str, JsonValue] = {} if dtype == "float32" else {"dtype": dtype}
        if model.config.prompt_audio != self._made_of.prompt_audio:
            chosen["prompt_audio"] = model.config.prompt_audio
        return SystemCard(
            name=self.name,
            capability=Capability(
                accepts=frozenset({"audio", "text"}),
                produces=frozenset({"audio", "text"} if speaks(self._codec) else {"text"}),
                streams=True,
                families=frozenset(self._assistant.prompts),
                instruction=False,
                concurrency=self._batch_size,
            ),
            strategy=self._strategy,
            weights_sha256=self._made_of.weights_sha256,
            codec=self._codec.fingerprint,
            prompts=dict(self._assistant.prompts),
            settings={**in_force(self._settings), "strategy": self._strategy, **chosen},
            identity=self._made_of.identity,
            details={
                "parameters": model.n_parameters(),
                "objective": model.config.objective,
                "dtype": dtype,
                "device": str(model.device),
                "attention": model.attention_name(),
                "positions": model.config.max_position_embeddings,
                "prompts": self._assistant.whose_prompts,
                **({} if speaks(self._codec) else {"speech": "none: its codec has no decoder; text and codes only"}),
                **({"training": str(self._made_of.trained)} if self._made_of.trained is not None else {}),
                **({"lossless": self.lossless} if self.lossless else {}),
                **self._remark,
            },
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Respond to a batch; a request that can't be answered gets an ``InputError``.

        Times count from this call, so with several requests they hold the wait for the others' encoding and for a
        free place in the batch; the stages hold each request's own part of the passes.
        """
        return self._generate([partial(self._prepare, request) for request in requests])

    @property
    def axes(self) -> frozenset[str]:
        """See ``Sweepable``: models that write token by token have no blocks, steps and guidance."""
        common = frozenset({"prompt_codes", "span_codes", "cache", "batch_size", "strategy"})
        in_blocks = self._loaded.model.config.objective != "ar"
        return (
            common | {"block_length", "block_lengths", "steps_per_block", "cfg", "refresh_every"}
            if in_blocks
            else common
        )

    def tuned(self, options: SystemOptions, on_pass: Callable[[PassRun], None]) -> TtTSystem:
        """See ``Sweepable``."""
        own, spec = Document(in_full(self._settings), self.name, at="own settings"), self.name.partition(":")[2]
        settings = decode_settings([own, *given_settings(spec, options)])
        parts = (self._loaded, self._codec, self._assistant, settings)
        return TtTSystem(self.name, *parts, options.batch_size, self._made_of, on_pass)

    def scheduled(self, lengths: Sequence[Lengths]) -> Callable[[], Sequence[Response | Exception]]:
        """See ``Sweepable``."""
        prepared = [partial(_Prepared, *self._synthetic(one), encode_s=0.0) for one in lengths]
        return lambda: self._generate(prepared)

    def ceilings(self) -> Ceilings:
        """See ``Sweepable``."""
        from reference_model.roofline import measure_ceilings

        model = self._loaded.model
        return measure_ceilings(str(model.device), model.dtype)

    @property
    def lossless(self) -> str:
        """See ``Lossless``; in half precision passes of other shapes round to other tokens, so nothing is declared."""
        is_exact = str(self._loaded.model.dtype) in ("torch.float32", "torch.float64")
        return self._oracle.declared if self._oracle is not None and is_exact else ""

    def oracle(self) -> TtTSystem | None:
        """See ``Lossless``."""
        if self._oracle is None or not self.lossless:
            return None
        parts = (self._loaded, self._codec, self._assistant, self._oracle.settings)
        return TtTSystem(self.name, *parts, 1, self._made_of)

    def more_exact(self) -> TtTSystem | None:
        """See ``Lossless``: the weights once more, in float64."""
        import reference_model

        model = self._loaded.model
        if str(model.dtype) == "torch.float64":
            return None
        loaded = reference_model.load(self._loaded.folder, device=str(model.device), dtype="float64")
        loaded.model.config = model.config
        return TtTSystem(self.name, loaded, self._codec, self._assistant, self._settings, 1, self._made_of)

    @property
    def objective(self) -> str:
        """See ``Scorable``."""
        return self._loaded.model.config.objective

    def likelihoods(self, samples: Sequence[Sample], family: str, *, n_draws: int, seed: int) -> Sequence[AnswerNats]:
        """See ``Scorable``; a draw is a masking of each span."""
        prompt = self._assistant.prompts[family]
        return nats_of(self._loaded, self._codec, prompt, samples, n_draws, seed)

    def _synthetic(self, lengths: Lengths) -> tuple[Prompt, DecodeConfig]:
        prompt = synthetic_prompt(self._loaded, self._assistant.prompts["qa"], lengths)
        self._limits.check_lengths(self.name, lengths, len(prompt.ids) + len(prompt.forced))
        return prompt, bound_for(self._settings, prompt)

    def _generate(self, requested: Sequence[Callable[[], _Prepared]]) -> Sequence[Response | Exception]:
        from reference_model.decoding import Engine

        began_s = time.perf_counter()
        outcomes: dict[int, Response | Exception] = {}
        engines: dict[DecodeConfig, Engine] = {}
        running: list[_Running] = []
        passes: list[PassShape] = []
        for index, prepare in enumerate(requested):
            try:
                prepared = prepare()
            except InputError as error:
                outcomes[index] = error
                continue
            if prepared.settings not in engines:
                engines[prepared.settings] = Engine(
                    self._loaded.model, prepared.settings, max_batch=self._batch_size, on_pass=passes.append
                )
            engine, speech = engines[prepared.settings], Speech(self._codec)
            submitted_s = time.perf_counter()
            handle = engine.submit(prepared.prompt, speech.take)
            running.append(_Running(index, prepared, engine, handle, submitted_s, speech))
        while running:
            for engine in engines.values():
                spoken_s, before_s = sum(entry.speech.vocode_s for entry in running), time.perf_counter()
                engine.step()
                taken_s = time.perf_counter() - before_s
                self._report(passes, taken_s - (sum(entry.speech.vocode_s for entry in running) - spoken_s))
            done = [entry for entry in running if entry.handle in entry.engine.answers]
            running = [entry for entry in running if entry.handle not in entry.engine.answers]
            for entry in done:
                outcomes[entry.index] = self._response(entry, began_s)
        return [outcomes[index] for index in range(len(requested))]

    def _report(self, passes: list[PassShape], seconds: float) -> None:
        """Hand on the pass that a step of an engine ran, if it ran one."""
        if self._on_pass is not None and passes:
            from reference_model.roofline import work_of_pass

            model = self._loaded.model
            work = work_of_pass(model.config, model.dtype.itemsize, passes[-1])
            self._on_pass(PassRun(work, seconds, passes[-1].prefill))
        passes.clear()

    def _prepare(self, request: Request) -> _Prepared:
        """Encode the audio and lay out the prompt; raises ``InputError`` for what can't be answered."""
        from reference_model.decoding import Prompt

        before_s = time.perf_counter()
        prompt, codec = self._loaded.tokenizer.prompt, self._codec
        system = self._assistant.prompts[request.family]
        codes = None
        if request.audio is not None and len(request.audio):
            # Ten minutes of audio are refused before they cost anything.
            seconds = len(request.audio) / request.sample_rate
            self._limits.check(request, seconds, len(prompt(system, (), request.text)))
            (codes,) = codec.encode([resample(request.audio, request.sample_rate, codec.sample_rate_hz)])
        elif request.family == "asr":
            raise InputError(f"{request.id}: has no audio to transcribe. Give the sample an audio file.")
        elif not request.text.strip():
            raise InputError(f"{request.id}: has neither audio nor text. Give the sample one of them.")
        else:
            self._limits.check(request, 0.0, len(prompt(system, None, request.text)))
        ids = tuple(prompt(system, codes, request.text))
        settings = self._limits.bound(self._settings, request, len(ids))
        return _Prepared(Prompt(ids, request.seed), settings, time.perf_counter() - before_s)

    def _response(self, entry: _Running, began_s: float) -> Response:
        """The finished answer: the rest of its speech, and every time counted from ``began_s``."""
        answer, speech = entry.engine.answers[entry.handle], entry.speech
        waveform = speech.finish()
        trace, tokenizer = answer.trace, self._loaded.tokenizer
        delay_s = entry.submitted_s - began_s + trace.wait_s
        chunks = zip(speech.times_s, speech.chunks, strict=True)
        return Response(
            text=tokenizer.decode(answer.text_ids),
            audio_codes=answer.codes,
            waveform=waveform if speech.speaks else None,
            sample_rate=self._codec.sample_rate_hz if speech.speaks else 0,
            finish_reason=answer.finish_reason,
            trace=Trace(
                stages_s={"encode": entry.prepared.encode_s, **trace.stages_s, "vocode": speech.vocode_s},
                prefill_end_s=delay_s + trace.prefill_end_s,
                text_times_s=tuple(delay_s + time_s for time_s in trace.text_times_s),
                text_tokens=tuple(tokenizer.decode([token_id]) for token_id in answer.text_ids),
                audio_commits=tuple(AudioCommit(delay_s + c.time_s, c.n_codes) for c in trace.audio_commits),
                chunks=tuple(Chunk(time_s - began_s, len(chunk)) for time_s, chunk in chunks),
                end_s=time.perf_counter() - began_s,
                nfe=trace.nfe,
                nfe_audio=trace.nfe_audio,
                commit_step=trace.commit_step,
                commit_confidence=trace.commit_confidence,
                spans=trace.spans,
            ),
        )


@register_system(
    "ttt",
    specs=installed_names(),
    summary="the reference model, or any checkpoint folder of its kind",
    check=check,
    decoding=Decoding(decode_settings, strategies, effective, strategies_against),
    ready=ready,
    lacks=lacks,
)
def build(spec: str, options: SystemOptions) -> TtTSystem:
    """Build ``ttt:spec``; raises ``UserError`` naming the file that is missing, damaged or doesn't fit."""
    import reference_model
    from reference_model.errors import ReferenceModelError

    folder = checkpoint_folder(spec)
    assistant = read_assistant(folder)
    layers = [assistant.decode, *given_settings(spec, options)]
    settings = decode_settings(layers)
    try:
        codec = load_codec(assistant.codec_folder(), options.device)
        loaded = reference_model.load(folder, device=options.device, dtype=dtype_of(layers))
        trained_with = loaded.model.config.prompt_audio
        loaded.model.config = replace(loaded.model.config, prompt_audio=prompt_audio_of(layers) or trained_with)
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    name = f"ttt:{spec or SHIPPED[0]}"
    made_of = MadeOf(
        weights_sha256(folder), identity(folder, assistant.codec_folder()), trained_with, read_trained(folder)
    )
    return TtTSystem(name, loaded, codec, assistant, settings, options.batch_size, made_of)
