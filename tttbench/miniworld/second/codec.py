"""The second world's codec: the shipped one trained on, first its encoder and then its decoder.

The shipped encoder knows the first edition's words: through its codes the spectrum of new words comes back worse. So it
is trained on with the new prompts, to spell them, and the renditions, to rebuild their spectrum; the decoder then
learns renditions that begin anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tttbench.miniworld.pitch import pitch_hz
from tttbench.miniworld.second.speech import PIECE, Speech

if TYPE_CHECKING:
    from reference_model.speech.mini import MiniCodec
    from reference_model.training.codec_encoder import EncoderTraining
    from reference_model.training.codec_starts import StartsTraining, VoiceRecording
    from tttbench.core.exchange import Waveform

FRAME = 160
"""Samples of a frame of pitch, at 16 kHz."""


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


def voice_recordings(speech: Speech, n_pieces: int) -> list[VoiceRecording]:
    """The recordings of the first pieces with their pitch."""
    from reference_model.training.codec_starts import VoiceRecording

    found = []
    for piece in range(n_pieces):
        for i, f0_hz in zip(_of_piece(speech, piece), pitches(speech, piece), strict=True):
            samples = np.asarray(np.round(_whole_frames(speech.wave(i)) * 32767), np.int16)
            found.append(VoiceRecording(samples, f0_hz))
    return found


def train_encoder_on(
    prompts: Sequence[tuple[Waveform, str]],
    voice: Sequence[tuple[Waveform, str]],
    folder: Path,
    settings: EncoderTraining,
) -> MiniCodec:
    """Train the shipped codec's encoder on; goes on from ``folder``.

    Args:
        prompts: recordings of anybody, and what is said.
        voice: likewise of the answering voice.
        folder: of the training.
        settings: of the training.

    Returns:
        The shipped codec with that encoder; its decoder doesn't fit it yet.
    """
    from reference_model.training.codec_encoder import Utterance, train_encoder

    codec = _shipped()
    utterances = [Utterance.of(wave, text) for wave, text in (*voice, *prompts)]
    print(f"{len(voice)} renditions, {len(prompts)} prompts", flush=True)
    encoder = train_encoder(
        utterances,
        range(len(voice)),
        folder,
        codec.config,
        settings,
        lambda line: print(line, flush=True),
        codec.encoder,
    )
    codec.encoder.load_state_dict(encoder.state_dict())
    return codec


def train_decoder_on(
    begin: Path | None, speech: Speech, n_pieces: int, folder: Path, settings: StartsTraining
) -> MiniCodec:
    """Train the decoder of the codec in ``begin`` (None: of the shipped one) on the first pieces of ``speech``."""
    from reference_model.speech.mini import MiniCodec
    from reference_model.training.codec_starts import train_on_starts

    codec = _shipped() if begin is None else MiniCodec.load(begin)
    recordings = voice_recordings(speech, n_pieces)
    print(f"{len(recordings)} renditions, {sum(len(r.f0_hz) for r in recordings) / 360_000:.1f} hours", flush=True)
    return train_on_starts(codec, recordings, folder, settings, lambda line: print(line, flush=True))


def so_far(begin: Path | None, folder: Path) -> MiniCodec:
    """The codec as far as the decoder's training in ``folder`` has come.

    Raises:
        CheckpointError: there is no training.
    """
    import torch

    from reference_model.speech.mini import MiniCodec
    from reference_model.training.resumable import weights

    codec = _shipped() if begin is None else MiniCodec.load(begin)
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
