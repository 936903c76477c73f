"""Speech that is made of a text when it is first read, and kept in the cache by the hash of all that makes it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from tttbench.core.errors import InputError, StorageError, UserError, kind_and_message
from tttbench.core.exchange import Waveform
from tttbench.core.sample import AudioRef, MadeSpeech, SpeechRecipe
from tttbench.data.atomic import storage_error, write_atomic
from tttbench.data.cache import cache_folder
from tttbench.data.flac import decode_flac, encode_flac
from tttbench.data.voices.conditions import apply
from tttbench.data.voices.engines import SAMPLE_RATE_HZ, synthesize, trimmed
from tttbench.data.voices.named import speaker_of, voice_recipe

log = logging.getLogger("tttbench")

_making = threading.Lock()
"""Engines say one sentence at a time."""

_SILENT = 1e-4
"""A peak below this is no sound."""


def speech_of(text: str, recipe: SpeechRecipe) -> AudioRef:
    """Return the speech of ``text``, which is made when it is first read."""
    digest = speech_sha256(text, recipe)
    return AudioRef(cache_folder() / "speech" / digest[:2] / f"{digest}.flac", made=MadeSpeech(text, recipe))


def speech_sha256(text: str, recipe: SpeechRecipe) -> str:
    """Return the hash of the text and of all that makes its sound: voice, package, weights, condition, version."""
    parts = [text, recipe.voice, recipe.package, recipe.sha256, recipe.condition, recipe.version]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode(errors="surrogatepass")).hexdigest()


def read_speech(reference: AudioRef) -> tuple[Waveform, int]:
    """Return the samples (float32, mono) and their rate in Hz, from the cache or made anew.

    Raises:
        InputError: the voice can't say the text, or isn't there any longer.
        StorageError: the cache can't be written.
    """
    assert reference.made is not None
    with _making:
        with suppress(InputError):  # not there yet, or damaged
            return decode_flac(reference.path)
        wave, rate = _make(reference.made)
        _keep(reference.path, encode_flac(wave, rate))
        return decode_flac(reference.path)


def is_kept(reference: AudioRef) -> bool:
    """Whether it needn't be made; a file that is damaged shows when it is read."""
    return reference.made is None or reference.path.is_file()


def _make(made: MadeSpeech) -> tuple[Waveform, int]:
    recipe = made.recipe
    if recipe.condition != "clean":
        clean, _ = _clean(made)
        seed = int(speech_sha256(made.text, recipe)[:16], 16)
        return apply(recipe.condition, clean, np.random.default_rng(seed))
    engine = recipe.voice.partition(":")[0]
    try:
        speaker = speaker_of(recipe)
        if voice_recipe(f"{engine}:{speaker}", recipe.condition) != recipe:
            raise InputError(f"{recipe.voice} is not the voice that was listed ({recipe.package}); list it again.")
        wave = synthesize(engine, speaker, made.text)
    except UserError as error:
        raise InputError(str(error)) from error
    except Exception as error:
        raise InputError(f"{recipe.voice} can't say {made.text!a:.80}: {kind_and_message(error)}") from error
    if not len(wave) or not float(np.abs(wave).max()) > _SILENT:
        raise InputError(f"{recipe.voice} makes no sound of {made.text!a:.80}; take another voice, or another text.")
    return trimmed(wave), SAMPLE_RATE_HZ


def _clean(made: MadeSpeech) -> tuple[Waveform, int]:
    """The speech before anything is done to it, which the cache keeps, too."""
    reference = speech_of(made.text, replace(made.recipe, condition="clean"))
    assert reference.made is not None
    with suppress(InputError):
        return decode_flac(reference.path)
    wave, rate = _make(reference.made)
    _keep(reference.path, encode_flac(wave, rate))
    return decode_flac(reference.path)


def _keep(path: Path, content: bytes) -> None:
    """Write a file of the cache; several processes may make the same one."""
    own = path.with_name(f"{path.stem}.{os.getpid()}.flac")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(own, content)
        own.replace(path)
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(path, error) from error
