"""A Paraformer, run by sherpa-onnx, as a system (``paraformer:FOLDER``), and so as what transcribes Chinese speech."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np

from tttbench.core.errors import AbsentError, InputError, UserError
from tttbench.core.exchange import Request, Response, Trace, Waveform
from tttbench.core.extras import is_installed, require
from tttbench.core.language import primary_language
from tttbench.core.missing import Missing
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_system
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.data.audio import resample
from tttbench.systems.paraformer.folder import (
    CHINESE,
    TOKENS,
    ParaformerFiles,
    check_files,
    chinese_folder,
    find_files,
    how_to_get,
    n_bytes_of,
)

VERSION = 1
"""Raised whenever the same recording may get another text, for a reason that lies in our code."""

SAMPLE_RATE_HZ = 16_000
_LANGUAGES = frozenset({"zh", "en"})
"""Those of the model for Chinese: its vocabulary has characters, and pieces of English words."""
_CHINESE = {"cmn": "zh"}


class ParaformerSystem:
    """``paraformer:FOLDER``: transcribes speech; no spoken answers."""

    def __init__(self, files: ParaformerFiles) -> None:
        """Load the model. It runs on the CPU: the packages of sherpa-onnx that registries have know nothing else."""
        import sherpa_onnx

        threads = os.environ.get("OMP_NUM_THREADS", "")
        self._files = files
        self._sha256 = files.sha256()
        self._recognizer = sherpa_onnx.OfflineRecognizer.from_paraformer(
            paraformer=str(files.model),
            tokens=str(files.tokens),
            num_threads=int(threads) if threads.isdecimal() and int(threads) else os.cpu_count() or 1,
        )
        self.name = f"paraformer:{files.name}"

    @property
    def recipe(self) -> str:
        """What makes the text: model, hash of its weights and tokens, version of sherpa-onnx, way of decoding."""
        return (
            f"paraformer {self._files.name}@{self._sha256[:12]} sherpa-onnx {package_version('sherpa-onnx')} "
            f"greedy@{VERSION} ({self._files.model.name}, whole recordings, no punctuation)"
        )

    @property
    def card(self) -> SystemCard:
        """The model card."""
        return SystemCard(
            name=self.name,
            capability=Capability(
                accepts=frozenset({"audio"}),
                produces=frozenset({"text"}),
                families=frozenset({"asr"}),
                languages=_LANGUAGES if self._files.name == CHINESE else None,
                instruction=False,
            ),
            weights_sha256=self._sha256,
            settings={"decode": "greedy, one recording at a time, as a whole"},
            identity={"recipe": self.recipe},
            details={"model": self._files.model.name, "device": "cpu"},
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Transcribe the requests' audio, one after the other: in a batch, a text would depend on the others' lengths.

        A request without audio or of another family gets an ``InputError``.
        """
        start = time.perf_counter()
        return [self._one(request, start) for request in requests]

    def _one(self, request: Request, start: float) -> Response | Exception:
        if request.family not in ("asr", ""):
            return InputError(
                f"{request.id}: Paraformer transcribes speech and answers no questions. Give it an asr task."
            )
        if request.audio is None:
            return InputError(f"{request.id}: has no audio to transcribe. Give the sample an audio file.")
        if self._files.name == CHINESE and not _is_known(request.language):
            return InputError(f"{request.id}: {_refusal(request.language)}")
        before = time.perf_counter()
        waveform = resample(request.audio, request.sample_rate, SAMPLE_RATE_HZ)
        between = time.perf_counter()
        text = self._transcribe(waveform)
        end = time.perf_counter()
        stages_s = {"resample": between - before, "decode": end - between}
        return Response(text, trace=Trace(stages_s=stages_s, end_s=end - start, compute_s=end - before, nfe=1))

    def _transcribe(self, waveform: Waveform) -> str:
        if not np.any(waveform):  # where nothing at all was recorded there is nothing to transcribe
            return ""
        stream = self._recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, np.ascontiguousarray(waveform, dtype=np.float32))
        self._recognizer.decode_stream(stream)
        return str(stream.result.text).strip()


def is_here() -> bool:
    """Whether ``paraformer:zh`` could be built: the package is installed and the model in its place."""
    try:
        find_files(CHINESE)
    except AbsentError:
        return False
    return is_installed("sherpa_onnx")


def check(spec: str, options: SystemOptions) -> None:
    """Raise ``UserError`` for what isn't installed, for options, and for languages that ``zh`` doesn't know."""
    require("paraformer", f"paraformer:{spec}")
    if options.strategy:
        raise UserError(
            f"paraformer: has no decoding strategies, so {options.strategy!r} cannot be used; leave it out."
        )
    if options.settings:
        raise UserError(f"paraformer: unknown decode settings {', '.join(sorted(options.settings))}; it has none.")
    if spec in ("", CHINESE) and options.languages and not any(map(_is_known, options.languages)):
        raise InputError(_refusal(sorted(options.languages)[0]))


def _is_known(tag: str) -> bool:
    primary = primary_language(tag)
    return not primary or _CHINESE.get(primary, primary) in _LANGUAGES


def _refusal(tag: str) -> str:
    return f"paraformer:{CHINESE} transcribes Chinese and English, not {tag!r}; use a multilingual model: whisper:base."


def ready(spec: str, options: SystemOptions) -> None:
    """Raise ``UserError`` naming a file that is missing or isn't what it should be."""
    check_files(find_files(spec))


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing]:
    """The files that aren't there."""
    try:
        find_files(spec)
    except AbsentError as error:
        if spec in ("", CHINESE) and not chinese_folder().is_dir():
            size = n_bytes_of("model.onnx", TOKENS)
            return [Missing("weights of Paraformer zh", how_to_get(), size)]
        return [Missing(error.what, error.get)]
    return []


@register_system(
    "paraformer",
    specs=(CHINESE,),
    summary="Paraformer by sherpa-onnx; zh, or a folder with model.onnx and tokens.txt",
    check=check,
    ready=ready,
    lacks=lacks,
)
def build(spec: str, options: SystemOptions) -> ParaformerSystem:
    """Build ``paraformer:spec``; an empty spec is ``zh``."""
    files = find_files(spec)
    check_files(files)
    return ParaformerSystem(files)
