"""The second world's codec: the shipped one trained on, first its encoder and then its decoder.

The shipped encoder knows the first edition's words: through its codes the spectrum of new words comes back worse. So it
is trained on with the new prompts, to spell them, and the renditions, to rebuild their spectrum and to give a word the
same codes in every sentence; the decoder then learns to speak from those codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tttbench.miniworld.pitch import pitch_hz
from tttbench.miniworld.second.renditions import Rendition, Unit, units_of
from tttbench.miniworld.second.speech import PIECE, Speech

if TYPE_CHECKING:
    from reference_model.speech.mini import MiniCodec
    from reference_model.training.codec_decoder import DecoderTraining, Recording
    from reference_model.training.codec_encoder import EncoderTraining
    from tttbench.core.exchange import Waveform

FRAME = 160
"""Samples of a frame of pitch, at 16 kHz."""
_SILENCE_CODES = 2
"""Codes of silence behind a recording that the decoder learns to keep silent."""


def pitches(speech: Speech, piece: int) -> list[npt.NDArray[np.float32]]:
    """Pitch in Hz of every recording of a piece, kept in a file beside it."""
    path = speech.paths[piece].with_suffix(".pitch.npz")
    if not path.exists():
        found = [pitch_hz(_whole_frames(speech.wave(i))) for i in _of_piece(speech, piece)]
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, pitch=np.concatenate(found), lengths=np.array([len(one) for one in found]))
        temporary.rename(path)
    with np.load(path, allow_pickle=False) as stored:
        return np.split(stored["pitch"], np.cumsum(stored["lengths"])[:-1])


def voice_recordings(codec: MiniCodec, speech: Speech, n_pieces: int) -> list[Recording]:
    """The recordings of the first pieces with their codes and their pitch, and two codes of silence behind each."""
    from reference_model.speech.networks import SAMPLES_PER_CODE
    from reference_model.training.codec_decoder import Recording

    found = []
    for piece in range(n_pieces):
        for i, f0_hz in zip(_of_piece(speech, piece), pitches(speech, piece), strict=True):
            wave = speech.wave(i)
            wave = np.pad(wave, (0, -len(wave) % SAMPLES_PER_CODE + _SILENCE_CODES * SAMPLES_PER_CODE))
            codes = np.array(codec.encode([wave])[0], np.int64)
            found.append(Recording(codes, wave, np.pad(f0_hz, (0, len(wave) // FRAME - len(f0_hz)))))
    return found


def train_encoder_on(
    prompts: Sequence[tuple[Waveform, str]],
    voice: Sequence[tuple[Waveform, Rendition]],
    folder: Path,
    settings: EncoderTraining,
) -> MiniCodec:
    """Train the shipped codec's encoder on; goes on from ``folder``.

    Args:
        prompts: recordings of anybody, and what is said.
        voice: recordings of the answering voice, and which rendition each is.
        folder: of the training.
        settings: of the training.

    Returns:
        The shipped codec with that encoder; its decoder doesn't fit it yet.
    """
    from reference_model.training.codec_encoder import Utterance, VoiceRecording, frames_of, train_encoder

    codec = _shipped()
    print(f"{len(voice)} renditions, {len(prompts)} prompts", flush=True)
    encoder = train_encoder(
        [Utterance.of(wave, text) for wave, text in prompts],
        [
            VoiceRecording(frames_of(wave), units)
            for (wave, _), units in zip(voice, numbered([units_of(one) for _, one in voice]), strict=True)
        ],
        folder,
        codec.config,
        settings,
        lambda line: print(line, flush=True),
        codec.encoder,
    )
    codec.encoder.load_state_dict(encoder.state_dict())
    return codec


def numbered(recordings: Sequence[Sequence[Unit | None]]) -> list[npt.NDArray[np.int64]]:
    """Units as numbers from 0, the same for the same unit; -1 where there is none."""
    numbers: dict[Unit, int] = {}
    return [
        np.array([-1 if unit is None else numbers.setdefault(unit, len(numbers)) for unit in units], np.int64)
        for units in recordings
    ]


def train_decoder_on(begin: Path, speech: Speech, n_pieces: int, folder: Path, settings: DecoderTraining) -> MiniCodec:
    """Train the decoder of the codec in ``begin`` on the first pieces of ``speech``; goes on from ``folder``."""
    from reference_model.speech.mini import MiniCodec
    from reference_model.training.codec_decoder import train_decoder

    codec = MiniCodec.load(begin)
    recordings = voice_recordings(codec, speech, n_pieces)
    print(f"{len(recordings)} renditions, {sum(len(r.f0_hz) for r in recordings) / 360_000:.1f} hours", flush=True)
    decoder = train_decoder(
        recordings, (), folder, codec.config, settings, lambda line: print(line, flush=True), codec.decoder
    )
    codec.decoder.load_state_dict(decoder.state_dict())
    return codec


def so_far(begin: Path, folder: Path) -> MiniCodec:
    """The codec as far as the decoder's training in ``folder`` has come.

    Raises:
        CheckpointError: there is no training.
    """
    import torch

    from reference_model.speech.mini import MiniCodec
    from reference_model.training.resumable import weights

    codec = MiniCodec.load(begin)
    with torch.no_grad():
        codec.decoder.load_state_dict(weights(folder))
    return codec.eval()


def _shipped() -> MiniCodec:
    import reference_model
    from reference_model.speech.mini import MiniCodec

    return MiniCodec.load(Path(reference_model.__file__).parent / "weights" / "mini-codec")


def _of_piece(speech: Speech, piece: int) -> range:
    return range(piece * PIECE, min((piece + 1) * PIECE, speech.n))


def _whole_frames(wave: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.pad(wave, (0, -len(wave) % FRAME))
