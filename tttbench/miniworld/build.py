"""``tttbench data build mini``: speaks the corpus, trains the codec, and writes the token set and the test set.

The stages build on one another and each keeps what it has done, so that a killed build goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tttbench.core.errors import UserError
from tttbench.core.extras import require
from tttbench.miniworld import corpus, testset

if TYPE_CHECKING:
    import torch

    from reference_model.speech.mini import MiniCodec
    from tttbench.core.exchange import Waveform

STAGES = ("speech", "encoder", "tokens", "decoder", "test")
N_ASR_LINES = 9000
N_WORDINGS = 34  # recordings of each question
N_MANY_VOICES = 36  # recordings of each voice of the slow engine
N_ANSWER_VOICE_LINES = 3000
N_TIMES = 3  # encodings of each training recording, with different noise and sizes of the speaker
N_TEST = 200  # sentences, and as many questions
_SILENCE_CODES = 4
_MANY_VOICES_TIMES = 8  # how often a recording of the slow engine is used for one of the others


def main(arguments: Sequence[str]) -> int:
    """Run the stages asked for (all by default), in order."""
    parser = argparse.ArgumentParser(prog="tttbench data build mini", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/mini"), help="working folder (default: %(default)s)")
    parser.add_argument("--stages", default=",".join(STAGES), help="some of %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="threads of the codec's training (default: %(default)s)")
    args = parser.parse_args(arguments)
    stages = args.stages.split(",")
    if unknown := set(stages) - set(STAGES):
        raise UserError(f"--stages: unknown stage {sorted(unknown)[0]!r}; stages are {', '.join(STAGES)}")
    if networks := [stage for stage in ("encoder", "tokens", "decoder") if stage in stages]:
        require("model", f"stage {networks[0]}")
    build = _Build(args.out, args.threads)
    for stage in STAGES:
        if stage in stages:
            print(f"stage {stage}", flush=True)
            getattr(build, stage)()
    print(f"The mini world is in {args.out}: codec/, train/codes.safetensors, test/")
    return 0


class _Build:
    def __init__(self, out: Path, threads: int) -> None:
        self.out = out
        self.threads = threads

    def _lines(self) -> dict[str, tuple[corpus.Line, ...]]:
        """What is said in training, by the folder that its recordings are kept in."""
        return {
            "answers": corpus.answer_lines(),
            "answer_voice": corpus.answer_voice_lines(N_ANSWER_VOICE_LINES, seed=3),
            "train": corpus.training_lines(N_ASR_LINES, N_WORDINGS, seed=1),
            "many_voices": corpus.many_voices_lines(N_MANY_VOICES, seed=2),
        }

    def _spoken(self, *names: str) -> list[corpus.Speech]:
        lines = self._lines()
        return [corpus.synthesise(lines[name], self.out / "speech" / name) for name in names]

    def speech(self) -> None:
        spoken = self._spoken(*self._lines())
        print(f"{sum(corpus.seconds(part) for part in spoken) / 3600:.1f} hours of speech")

    def encoder(self) -> None:
        import torch

        from reference_model.speech.networks import CodecConfig
        from reference_model.training.codec_encoder import EncoderTraining, Utterance, VoiceRecording, train_encoder

        torch.set_num_threads(self.threads)
        answers, answer_voice, training, many_voices = (
            [Utterance.of(part.wave(i), line.text) for i, line in enumerate(part.lines)]
            for part in self._spoken("answers", "answer_voice", "train", "many_voices")
        )
        train_encoder(
            answers + answer_voice + training + many_voices * _MANY_VOICES_TIMES,
            [VoiceRecording(utterance.mel) for utterance in answers + answer_voice],
            self.out / "encoder",
            CodecConfig(),
            EncoderTraining(),
            lambda line: print(line, flush=True),
        )
        self._codec().save(self.out / "codec")

    def _codec(self) -> MiniCodec:
        """The codec with the encoder, and the decoder as far as it is trained."""
        import torch

        from reference_model.speech.mini import MiniCodec
        from reference_model.speech.networks import CodecConfig
        from reference_model.training.resumable import weights

        codec = MiniCodec(CodecConfig()).eval()
        with torch.no_grad():
            codec.encoder.load_state_dict(weights(self.out / "encoder", "encoder."))
            if (self.out / "decoder").exists():
                codec.decoder.load_state_dict(weights(self.out / "decoder"))
        return codec

    def tokens(self) -> None:
        import torch

        from reference_model.speech.features import log_mel, warp
        from tttbench.miniworld.testset import add_noise
        from tttbench.miniworld.tokens import TokenSet

        torch.set_num_threads(self.threads)
        codec = self._codec()
        training, many_voices, answers = self._spoken("train", "many_voices", "answers")
        rng = np.random.default_rng(5)
        encoded: list[tuple[corpus.Line, npt.NDArray[np.uint16]]] = []
        for part, times in ((training, N_TIMES), (many_voices, _MANY_VOICES_TIMES)):
            for n in range(times * len(part.lines)):
                i = n % len(part.lines)
                wave = part.wave(i)
                if rng.random() < 1 / 3:
                    others = [training.wave(int(j)) for j in rng.integers(len(training.lines), size=3)]
                    wave = add_noise(wave, others if rng.random() < 0.5 else [], rng.uniform(5, 20), rng)
                # After the first time by a speaker of another size, so that voices differ more than the engines do.
                size = 1.0 if n < len(part.lines) else rng.uniform(0.87, 1.15)
                mel = warp(log_mel(_whole_codes(wave)), torch.tensor([size]))
                encoded.append((part.lines[i], np.array(codec.encode_frames(mel)[0], np.uint16)))
        TokenSet(
            tuple(line.text for line, _ in encoded),
            tuple(line.question for line, _ in encoded),
            tuple(codes for _, codes in encoded),
            tuple(np.array(codec.encode([answers.wave(i)])[0], np.uint16) for i in range(len(answers.lines))),
        ).save(self.out / "train" / "codes.safetensors")

    def decoder(self) -> None:
        import torch

        from reference_model.speech.networks import SAMPLES_PER_CODE, CodecConfig
        from reference_model.training.codec_decoder import DecoderTraining, Recording, train_decoder
        from tttbench.miniworld.pitch import pitch_hz

        torch.set_num_threads(self.threads)
        codec, recordings = self._codec(), []
        answers, answer_voice = self._spoken("answers", "answer_voice")
        for part in (answers, answer_voice):
            for i in range(len(part.lines)):
                wave = part.wave(i)
                silence = -len(wave) % SAMPLES_PER_CODE + _SILENCE_CODES * SAMPLES_PER_CODE
                wave = np.concatenate([wave, np.zeros(silence, np.float32)])
                recordings.append(Recording(np.array(codec.encode([wave])[0]), wave, pitch_hz(wave)))
        train_decoder(
            recordings,
            range(len(answers.lines)),  # what is spoken in the end
            self.out / "decoder",
            CodecConfig(),
            DecoderTraining(),
            lambda line: print(line, flush=True),
        )
        self._codec().save(self.out / "codec")

    def test(self) -> None:
        training = frozenset(line.text for part in self._lines().values() for line in part)
        lines = corpus.test_lines(N_TEST, N_TEST, seed=11, training_texts=training)
        test = corpus.synthesise(lines, self.out / "speech" / "test")
        testset.write(self.out / "test", test, self._spoken("answers")[0], seed=12)


def _whole_codes(wave: Waveform) -> torch.Tensor:
    """(n,) samples as (1, m), m the next multiple of a code's length."""
    import torch

    from reference_model.speech.networks import SAMPLES_PER_CODE

    return torch.nn.functional.pad(torch.from_numpy(wave)[None], (0, -len(wave) % SAMPLES_PER_CODE))
