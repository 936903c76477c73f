"""How many nats a checkpoint needs for reference answers: samples laid out as the conversations it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef, Sample
from tttbench.core.system import AnswerNats, Nats
from tttbench.data.audio import read_audio, resample

if TYPE_CHECKING:
    from reference_model.checkpoint import Loaded
    from reference_model.layout import Example
    from reference_model.speech.codec import Codec


def nats_of(
    loaded: Loaded,
    codec: Codec,
    prompt: str,
    samples: Sequence[Sample],
    n_maskings: int,
    seed: int,
) -> list[AnswerNats]:
    """Measure the reference answer of each sample.

    Args:
        loaded: the checkpoint.
        codec: the one that it was trained with.
        prompt: the system prompt of the samples' family.
        samples: with spoken input.
        n_maskings: of each span, see ``reference_model.likelihood``.
        seed: of the maskings.

    Raises:
        UserError: a sample without spoken input, or one that the model can't take.
    """
    from reference_model.errors import ReferenceModelError
    from reference_model.likelihood import likelihood

    found = []
    for number, sample in enumerate(samples):
        example = example_of(sample, loaded, codec, prompt)
        # A seed for each, or the maskings of all samples would err in the same direction.
        own_seed = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
        try:
            one = likelihood(loaded.model, example, n_samples=n_maskings, seed=own_seed)
        except ReferenceModelError as error:
            raise UserError(f"{sample.id}: {error}") from error
        text_is_exact = loaded.model.config.objective != "nar"
        text = Nats(one.text, one.n_text, one.text_se, exact=text_is_exact)
        found.append(AnswerNats(text, Nats(one.audio, one.n_audio, one.audio_se, exact=one.exact)))
    return found


def example_of(sample: Sample, loaded: Loaded, codec: Codec, system_prompt: str) -> Example:
    """The sample as a conversation with its reference answer, in the layout that the checkpoint was trained on.

    Raises:
        UserError: the sample has no spoken input.
    """
    from reference_model.layout import Example, interleave

    def codes_of(reference: AudioRef) -> list[int]:
        audio = read_audio(reference)
        return codec.encode([resample(audio.samples, audio.sample_rate, codec.sample_rate_hz)])[0]

    if sample.audio is None:
        raise UserError(f"{sample.id}: has no spoken input; likelihoods are measured on spoken questions and speech")
    tokenizer, config = loaded.tokenizer, loaded.model.config
    prompt = tokenizer.prompt(system_prompt, codes_of(sample.audio), sample.text)
    text = tokenizer.encode_plain(sample.reference if sample.answer is None else sample.answer.text)
    recording = None if sample.answer is None else sample.answer.audio
    if recording is None:
        return Example(tuple(prompt), (*text, config.im_end_token_id))
    return Example(tuple(prompt), tuple(interleave(text, tokenizer.code_ids(codes_of(recording)), config)))
