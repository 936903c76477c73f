"""``tttbench data build mini2``: the second mini world, stage by stage; what a stage has done is kept.

Everything is written into a working folder; nothing of it is shipped by itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.core.errors import UserError
from tttbench.miniworld.second import corpus
from tttbench.miniworld.second.corpus import Corpus, CorpusSize, Statement
from tttbench.miniworld.second.questions import Question
from tttbench.miniworld.second.renditions import Rendition, renditions
from tttbench.miniworld.second.speech import PIECE, Speech, synthesize, test_lines, training_lines

if TYPE_CHECKING:
    from reference_model.speech.mini import MiniCodec
    from tttbench.miniworld.second.testset import SpokenAnswer

SEED = 1
N_RENDITIONS = 3
N_TEST_RENDITIONS = 6
"""Renditions of a test answer, two of each manner, that an answer's codes are compared with."""
N_FLOOR = 57
"""Test answers that the floor is measured on: each family equally often."""
N_MANY_VOICES = 800
"""Prompts that the slow engine speaks."""
N_TIMES = 2
N_MANY_VOICES_TIMES = 8
"""Encodings of each prompt, with different noise and sizes of the speaker."""
N_CODEC_PIECES = 16
"""Pieces of renditions that the codec is trained on."""
N_ENCODER_PIECES = 20
"""Pieces of prompts that its encoder is trained on."""
_FAST_ENGINES = ("flite", "pico", "piper", "espeak")


@dataclass(frozen=True)
class Build:
    """A build's settings.

    Attributes:
        out: the working folder.
        processes: that speak at the same time.
        threads: of torch.
        at_most: pieces of speech to make before a stage returns; None: all.
        size: of the corpus.
    """

    out: Path
    processes: int = 1
    threads: int = 1
    at_most: int | None = None
    size: CorpusSize = field(default_factory=CorpusSize)

    def corpus(self) -> Corpus:
        """The corpus of this world."""
        return corpus.make(self.size, SEED)

    def spoken_answers(self) -> tuple[tuple[int, Rendition], ...]:
        """Every rendition of the training answers with the number of its question, question after question."""
        return tuple(
            (i, rendition)
            for i, question in enumerate(self.corpus().questions)
            for rendition in renditions(question.answer, question.gaps, N_RENDITIONS, SEED)
        )

    def said(self) -> tuple[Question | Statement, ...]:
        """The prompts of training: questions and sentences interleaved, so that any first part has both."""
        world = self.corpus()
        n = len(world.questions), len(world.sentences)
        places = sorted(
            [((i + 0.5) / n[0], 0, i) for i in range(n[0])] + [((i + 0.5) / n[1], 1, i) for i in range(n[1])]
        )
        return tuple((world.sentences if kind else world.questions)[i] for _, kind, i in places)

    def codec(self) -> MiniCodec:
        """The codec as far as it is trained: saved once it is finished."""
        from reference_model.speech.mini import MiniCodec

        return MiniCodec.load(self.out / "codec")

    def speak_answers(self, at_most: int | None = 0) -> Speech:
        """The renditions of the training answers, as far as they are made."""
        spoken = [rendition for _, rendition in self.spoken_answers()]
        return synthesize(spoken, self.out / "speech" / "answers", self.processes, at_most)

    def speak_prompts(self, at_most: int | None = 0) -> Speech:
        """Questions and sentences in training voices, as far as they are made."""
        lines = training_lines(self.said(), SEED, _FAST_ENGINES)
        return synthesize(lines, self.out / "speech" / "prompts", self.processes, at_most)

    def speak_many_voices(self, at_most: int | None = 0) -> Speech:
        """The first questions and sentences in the many voices of the slow engine, as far as they are made."""
        lines = training_lines(self.said()[:N_MANY_VOICES], SEED, ("kokoro",))
        return synthesize(lines, self.out / "speech" / "many_voices", self.processes, at_most)


def _answers(build: Build) -> None:
    build.speak_answers(build.at_most)


def _prompts(build: Build) -> None:
    build.speak_prompts(build.at_most)


def _many_voices(build: Build) -> None:
    build.speak_many_voices(build.at_most)


def _encoder(build: Build) -> None:
    import torch

    from reference_model.training.codec_encoder import EncoderTraining
    from tttbench.miniworld.second.codec import train_encoder_on

    torch.set_num_threads(build.threads)
    answers, prompts = build.speak_answers(), build.speak_prompts()
    spoken = build.spoken_answers()
    _need("answers", answers, N_CODEC_PIECES)
    _need("prompts", prompts, N_ENCODER_PIECES)
    said = build.said()
    codec = train_encoder_on(
        [(prompts.wave(i), said[i].text) for i in range(N_ENCODER_PIECES * PIECE)],
        [(answers.wave(i), spoken[i][1]) for i in range(N_CODEC_PIECES * PIECE)],
        build.out / "encoder",
        EncoderTraining(steps=6000, unit_weight=0.5, save_every=100),
    )
    codec.save(build.out / "codec_begin")


def _codec(build: Build) -> None:
    """Train the decoder behind the encoder that the stage before has trained."""
    import torch

    from reference_model.training.codec_decoder import DecoderTraining
    from tttbench.miniworld.second.codec import train_decoder_on

    torch.set_num_threads(build.threads)
    speech = build.speak_answers()
    _need("answers", speech, N_CODEC_PIECES)
    settings = DecoderTraining(
        steps=7200,
        batch_size=6,
        often=0,
        window=48,
        learning_rate=1.5e-3,
        warm_up_steps=50,
        mel_weight=2.0,
        save_every=50,
    )
    begin, folder = build.out / "codec_begin", build.out / "decoder"
    train_decoder_on(begin, speech, N_CODEC_PIECES, folder, settings).save(build.out / "codec")


def _need(name: str, speech: Speech, pieces: int) -> None:
    if len(speech.paths) < pieces:
        raise UserError(f"{len(speech.paths)} pieces of {name} are spoken, {pieces} are needed: run stage {name} first")


def _floor(build: Build) -> None:
    """Print what a transcriber mishears of test answers, recorded and through the codec as far as it is trained."""
    import torch

    from tttbench.miniworld.second.codec import so_far
    from tttbench.miniworld.second.floor import measure
    from tttbench.systems.whisper.transcriber import WhisperTranscriber

    torch.set_num_threads(build.threads)
    codec = so_far(build.out / "codec_begin", build.out / "decoder")
    asked = build.corpus().test_questions[:N_FLOOR]
    transcriber = WhisperTranscriber.load()
    for name, through in (("recorded", None), ("through the codec", codec)):
        floor = measure(asked, transcriber, through, seed=SEED)
        print(
            f"{name}: {floor.errors} of {floor.units} words transcribed wrongly, {floor.rate:.1%}; "
            f"by manner {floor.by_manner}"
        )
        print(f"  by family {floor.by_family}", flush=True)


def _tokens(build: Build) -> None:
    """Encode what is spoken so far; a prompt counts if its answer's renditions are there too.

    It needs the encoder alone.
    """
    import torch

    from reference_model.speech.mini import MiniCodec
    from tttbench.miniworld.second.encode import encode_prompts, encode_renditions
    from tttbench.miniworld.second.tokens import RenderedTokens

    torch.set_num_threads(build.threads)
    codec = MiniCodec.load(build.out / "codec_begin")
    world, said = build.corpus(), build.said()
    spoken = build.speak_answers()
    n_answers = spoken.n // N_RENDITIONS
    renditions = encode_renditions(codec, spoken, N_RENDITIONS, build.out / "codes")
    place = {question.text: i for i, question in enumerate(world.questions)}
    texts, answers, prompts = [], [], []
    for part, times in ((build.speak_prompts(), N_TIMES), (build.speak_many_voices(), N_MANY_VOICES_TIMES)):
        for i, codes in encode_prompts(codec, part, times, SEED, build.out / "codes"):
            answer = place[said[i].text] if isinstance(said[i], Question) else -1
            if answer < n_answers:
                texts.append(said[i].text)
                answers.append(answer)
                prompts.append(codes)
    RenderedTokens(
        tuple(texts),
        tuple(answers),
        tuple(prompts),
        tuple(question.answer for question in world.questions[:n_answers]),
        renditions[:n_answers],
    ).save(build.out / "codes.safetensors")
    print(f"{len(texts)} prompts, {n_answers} answers in {N_RENDITIONS} renditions", flush=True)


def _test(build: Build) -> None:
    from tttbench.miniworld.second import testset

    codec, world = build.codec(), build.corpus()
    kept: Mapping[str, Sequence[Question | Statement]] = {"qa": world.test_questions, "asr": world.test_sentences}
    for name, said in kept.items():
        lines = test_lines(said, SEED)
        speech = synthesize(lines, build.out / "speech" / f"test_{name}", build.processes)
        prompts = [testset.Prompt(one, lines[i].voice, speech.wave(i)) for i, one in enumerate(said)]
        answers = _test_answers(build, codec, world.test_questions) if name == "qa" else []
        testset.write(build.out / "test" / f"{name}.tar", prompts, answers, codec.fingerprint, SEED)


def _test_answers(build: Build, codec: MiniCodec, asked: Sequence[Question]) -> list[SpokenAnswer]:
    """Reference audio and renditions' codes of the test's answers; the first rendition is the reference audio."""
    from tttbench.miniworld.second.testset import SpokenAnswer

    n = N_TEST_RENDITIONS
    spoken = [one for question in asked for one in renditions(question.answer, question.gaps, n, SEED)]
    speech = synthesize(spoken, build.out / "speech" / "test_answers", build.processes)
    codes = [tuple(codec.encode([speech.wave(i)])[0]) for i in range(speech.n)]
    return [SpokenAnswer(speech.wave(i), tuple(codes[i : i + n])) for i in range(0, speech.n, n)]


STAGES: Mapping[str, Callable[[Build], None]] = {
    "answers": _answers,
    "prompts": _prompts,
    "many_voices": _many_voices,
    "encoder": _encoder,
    "codec": _codec,
    "floor": _floor,
    "tokens": _tokens,
    "test": _test,
}


def main(arguments: Sequence[str]) -> int:
    """Run the stages asked for, in order."""
    parser = argparse.ArgumentParser(prog="tttbench data build mini2", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/mini2"), help="working folder (default: %(default)s)")
    parser.add_argument("--stage", default=",".join(STAGES), help="some of %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="processes that speak (default: %(default)s)")
    parser.add_argument("--at-most", type=int, help="pieces of speech to make before a stage ends (default: all)")
    args = parser.parse_args(arguments)
    asked = args.stage.split(",")
    if unknown := set(asked) - set(STAGES):
        raise UserError(f"--stage: unknown stage {sorted(unknown)[0]!r}; stages are {', '.join(STAGES)}")
    build = Build(args.out, args.processes, args.threads, args.at_most)
    for name, stage in STAGES.items():
        if name in asked:
            print(f"stage {name}", flush=True)
            stage(build)
    return 0
