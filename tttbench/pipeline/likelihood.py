"""Likelihoods of true answers: a checkpoint, the samples of a task, and the bits that it needs for each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import UserError
from tttbench.core.records import Sample
from tttbench.stats.bootstrap import ratio_interval
from tttbench.stats.interval import Interval
from tttbench.systems.ttt.folder import Assistant, checkpoint_folder, read_assistant

if TYPE_CHECKING:
    from reference_model.checkpoint import Loaded
    from reference_model.likelihood import Likelihood
    from reference_model.objective import Example
    from reference_model.speech.mini import MiniCodec


@dataclass(frozen=True)
class Bits:
    """Bits a token of one kind.

    Attributes:
        value: with its 95 % interval over the samples (by cluster).
        se: standard error of the estimate by random masking, 0 where the value is exact.
        n_tokens: tokens, ends of spans included.
        exact: whether it is the likelihood, or a bound from above.
    """

    value: Interval
    se: float
    n_tokens: int
    exact: bool


@dataclass(frozen=True)
class NllResult:
    """What a checkpoint needs for the true answers of a task; ``audio`` is None where none is spoken."""

    system: str
    task: str
    objective: str
    n: int
    text: Bits
    audio: Bits | None


def measure(
    name: str,
    task: str,
    samples: Sequence[Sample],
    *,
    device: str,
    n_maskings: int,
    seed: int,
) -> NllResult:
    """Measure one ``ttt:`` checkpoint on the true answers of ``samples``.

    Args:
        name: ``ttt:mini``, ``ttt:FOLDER`` …
        task: name of the task, for the result.
        samples: at least one; a spoken question needs a recording of its true answer to give bits of audio.
        device: where the network runs.
        n_maskings: of each span, see ``reference_model.likelihood``.
        seed: of maskings and resampling.

    Raises:
        UserError: no such checkpoint, it doesn't fit its codec, or a sample can't be heard.
    """
    import reference_model
    from reference_model.errors import ReferenceModelError
    from reference_model.likelihood import likelihood
    from tttbench.systems.ttt.speech import load_codec

    if not name.startswith("ttt:"):
        raise UserError(f"{name}: only checkpoints of the reference model tell likelihoods; give ttt:FOLDER")
    folder = checkpoint_folder(name.removeprefix("ttt:"))
    assistant = read_assistant(folder)
    found: list[Likelihood] = []
    try:
        loaded, codec = reference_model.load(folder, device=device), load_codec(assistant.codec_folder())
        for number, sample in enumerate(samples):
            example = example_of(sample, loaded, codec, assistant)
            # A seed for each, or the maskings of all samples would err in the same direction.
            own_seed = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
            found.append(likelihood(loaded.model, example, n_samples=n_maskings, seed=own_seed))
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    clusters = [sample.cluster or sample.id for sample in samples]
    objective = loaded.model.config.objective
    text = _bits([(one.text, one.text_se, one.n_text) for one in found], objective != "nar", clusters, seed)
    audio = _bits([(one.audio, one.audio_se, one.n_audio) for one in found], objective == "ar", clusters, seed)
    return NllResult(name, task, objective, len(samples), text, audio if audio.n_tokens else None)


def example_of(sample: Sample, loaded: Loaded, codec: MiniCodec, assistant: Assistant) -> Example:
    """The sample as a conversation with its true answer, in the layout that the checkpoint was trained on.

    Raises:
        UserError: the sample has no spoken input.
    """
    from reference_model.interleave import interleave
    from reference_model.objective import Example
    from tttbench.data.audio import load_audio, resample

    def codes_of(path: object) -> list[int]:
        audio = load_audio(str(path))
        return list(codec.encode(resample(audio.samples, audio.sample_rate, codec.sample_rate)))

    if sample.audio is None:
        raise UserError(f"{sample.id}: has no spoken input; likelihoods are measured on spoken questions and speech")
    tokenizer, config = loaded.tokenizer, loaded.model.config
    prompt = tokenizer.prompt(assistant.prompts[sample.kind], codes_of(sample.audio), sample.text)
    text = tokenizer.encode_plain(sample.answer_text or sample.reference)
    if sample.answer_audio is None:
        return Example(tuple(prompt), (*text, config.im_end_token_id))
    return Example(tuple(prompt), tuple(interleave(text, tokenizer.code_ids(codes_of(sample.answer_audio)), config)))


def _bits(found: Sequence[tuple[float, float, int]], exact: bool, clusters: Sequence[str], seed: int) -> Bits:
    """From nats, their standard error and the number of tokens, sample by sample."""
    bits, tokens = [nats / math.log(2) for nats, _, _ in found], [n for _, _, n in found]
    n_tokens = sum(tokens)
    se = math.sqrt(sum(error**2 for _, error, _ in found)) / math.log(2) / max(n_tokens, 1)
    return Bits(ratio_interval(bits, tokens, seed=seed, clusters=clusters), se, n_tokens, exact)
