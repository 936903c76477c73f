"""What an audio codec must offer to a language model of audio tokens, and where codecs are found by name.

A codec's folder says in ``config.json`` which kind it is: ``{"kind": "mini", …}``. Kinds are built in, registered by
code that was imported before (``register_codec``), or named by entry points of the group ``tttbench.codecs``. Folders
as their makers released them name no kind; those that are known here are told by their architecture.
Knows no codec but the names of those that are built in.
"""

from __future__ import annotations

import difflib
import importlib
import json
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from reference_model.errors import CheckpointError, ReferenceModelError
from reference_model.json_values import JsonObject, JsonValue

Waveform = npt.NDArray[np.float32]
"""(n,) mono samples in [-1, 1]."""


class Speaker(Protocol):
    """One waveform on its way out. What ``push`` and ``finish`` return, joined, is the waveform of all codes."""

    def push(self, codes: Sequence[int]) -> Waveform:
        """Take the next codes; returns the samples that are final now, possibly none."""
        ...

    def finish(self) -> Waveform:
        """Return the rest of the samples; nothing is pushed afterwards."""
        ...


@runtime_checkable
class Codec(Protocol):
    """Speech to one stream of codes, and codes to speech.

    A code is an index of the codebook, in ``[0, n_codes)``; its id in a vocabulary is the model's business.
    One that only encodes says so with an attribute ``speaks = False``, see ``speaks``.
    """

    @property
    def sample_rate_hz(self) -> int:
        """Of waveforms in and out, in Hz."""
        ...

    @property
    def codes_per_s(self) -> float:
        """Codes for a second of speech."""
        ...

    @property
    def n_codes(self) -> int:
        """Size of the codebook."""
        ...

    @property
    def lookahead_codes(self) -> int:
        """How many codes behind a code a speaker must know before that code's samples are final."""
        ...

    @property
    def fingerprint(self) -> str:
        """Sha256 of all that codes and waveforms depend on besides the code, such as weights, in hexadecimal."""
        ...

    def encode(self, batch: Sequence[Waveform]) -> list[list[int]]:
        """Codes of each waveform; those of one don't depend on the others."""
        ...

    def speaker(self) -> Speaker:
        """Begin a waveform; several may be under way at once."""
        ...


Loader = Callable[[Path, str], Codec]
"""Makes a codec of its folder and a device (``"cpu"``, ``"cuda"`` …).

Raises:
    CheckpointError: naming the file that is missing or damaged.
"""

GROUP = "tttbench.codecs"
"""Entry points of other packages: the name of a kind, and a ``Loader``."""

_BUILT_IN = ("glm4_voice", "mimi", "mini")
_RELEASED = {
    "WhisperVQEncoder": "glm4_voice",
    "WhisperVQForConditionalGeneration": "glm4_voice",
    "MimiModel": "mimi",
}
"""Kinds by the architecture that a released ``config.json`` names."""

_registry: dict[str, Loader] = {}
_Loader = TypeVar("_Loader", bound=Loader)


def register_codec(kind: str) -> Callable[[_Loader], _Loader]:
    """Function decorator: make a loader known under a kind; the last one registered counts."""

    def register(loader: _Loader) -> _Loader:
        _registry[kind] = loader
        return loader

    return register


def codec_kinds() -> tuple[str, ...]:
    """Kinds of codec that a folder can name; packages that offer some are not imported."""
    return tuple(sorted({*_BUILT_IN, *_registry, *(point.name for point in entry_points(group=GROUP))}))


def load_codec(folder: Path, device: str = "cpu") -> Codec:
    """Load a codec's folder with the loader of its kind (without kind and architecture: ``mini``).

    Args:
        folder: the folder.
        device: where a codec that can choose runs.

    Raises:
        CheckpointError: naming the file that is missing or damaged, an unknown kind, or the package that should have
            brought it.
    """
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not the configuration of a codec ({error})") from error
    kind = _kind(raw, path) if isinstance(raw, dict) else raw
    if not isinstance(kind, str):
        raise CheckpointError(f"{path}: not the configuration of a codec (a JSON object with a text as 'kind')")
    load = _loader(kind, path)
    try:
        codec = load(folder, device)
    except ReferenceModelError:
        raise
    except Exception as error:  # whatever a loader from elsewhere raises is this folder's problem
        raise CheckpointError(
            f"{path}: the codec of kind {kind!r} failed to load ({type(error).__name__}: {error})"
        ) from error
    lacking = [name for name in sorted(_MEMBERS) if not hasattr(codec, name)]
    if lacking:
        raise CheckpointError(f"{path}: the codec of kind {kind!r} lacks {', '.join(lacking)}; see Codec's docstring")
    return codec


_MEMBERS = {name for name in vars(Codec) if not name.startswith("_")}


def _kind(raw: JsonObject, path: Path) -> JsonValue:
    architectures = raw.get("architectures")
    if "kind" in raw or not architectures:
        return raw.get("kind", "mini")
    named = architectures if isinstance(architectures, list) else [architectures]
    for architecture in named:
        if isinstance(architecture, str) and architecture in _RELEASED:
            return _RELEASED[architecture]
    raise CheckpointError(
        f"{path}: field 'architectures' is {architectures!r}, which is no codec known here (known: "
        f"{', '.join(_RELEASED)}). Name a codec's folder, or the codec's kind in a field 'kind'"
    )


def _loader(kind: str, path: Path) -> Loader:
    if kind in _BUILT_IN and kind not in _registry:
        importlib.import_module(f"reference_model.speech.{kind}")
    if kind in _registry:
        return _registry[kind]
    for point in entry_points(group=GROUP, name=kind):
        try:
            loaded: Loader = point.load()
        except Exception as error:  # whatever another's package raises when it is imported
            raise CheckpointError(
                f"{path}: the codec kind {kind!r} is {point.value}'s, which can't be imported "
                f"({type(error).__name__}: {error}); fix or reinstall that package"
            ) from error
        return loaded
    near = difflib.get_close_matches(kind, codec_kinds(), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise CheckpointError(
        f"{path}: unknown codec kind {kind!r}.{hint} Known: {', '.join(codec_kinds())}. "
        "Import the module that registers it first (in tttbench: --include FOLDER), or install its package"
    )


def speaks(codec: Codec) -> bool:
    """Whether codes can become speech with it; ``speaker`` of one that can't raises ``CheckpointError``."""
    return bool(getattr(codec, "speaks", True))


def speak(codec: Codec, codes: Sequence[int]) -> Waveform:
    """The waveform of all codes at once."""
    speaker = codec.speaker()
    return np.concatenate([speaker.push(codes), speaker.finish()])
