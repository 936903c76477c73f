"""Optional packages: which extra of tttbench installs each, and what is said where one is missing. Imports none."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Literal

from tttbench.core.errors import AbsentError

Extra = Literal[
    "model", "whisper", "train", "cuda",
    "chinese", "parquet", "wetext", "captions", "hub", "judge", "speech", "speaker", "utmos", "wavlm",
    "fense", "paraformer", "transformers",
]  # fmt: skip

NEEDED: Mapping[Extra, tuple[str, ...]] = {
    "model": ("torch", "safetensors", "tokenizers"),
    "whisper": ("whisper", "torch", "safetensors"),
    "train": ("torch", "safetensors", "tokenizers", "accelerate"),
    "cuda": ("xformers",),
    "chinese": ("opencc_purepy",),
    "parquet": ("pyarrow",),
    "wetext": ("wetext",),
    "captions": ("yaml",),
    "hub": ("huggingface_hub", "requests"),
    "judge": ("openai",),
    "speech": ("speechmos", "librosa", "onnxruntime"),
    "speaker": ("resemblyzer", "webrtcvad", "pkg_resources", "librosa", "torch"),
    "utmos": ("utmos_pytorch", "huggingface_hub", "torch"),
    "wavlm": ("transformers", "torch"),
    "fense": ("aac_metrics", "sentence_transformers", "transformers", "torch"),
    "paraformer": ("sherpa_onnx",),
    "transformers": ("transformers", "torch"),
}
"""Modules that a feature with this extra can't do without."""

BROUGHT_BY: Mapping[str, Extra] = {module: extra for extra in reversed(tuple(NEEDED)) for module in NEEDED[extra]}
"""Optional modules, and the smallest extra that installs each."""

DISTRIBUTIONS: Mapping[str, str] = {
    "whisper": "openai-whisper",
    "opencc_purepy": "opencc-purepy",
    "yaml": "pyyaml",
    "huggingface_hub": "huggingface-hub",
    "resemblyzer": "Resemblyzer",
    "sherpa_onnx": "sherpa-onnx",
    "utmos_pytorch": "utmos-pytorch",
    "aac_metrics": "aac-metrics",
    "sentence_transformers": "sentence-transformers",
    "pkg_resources": "setuptools",
}
"""Modules that the package registry knows by another name."""


def is_installed(module: str) -> bool:
    """Whether ``module``, a top-level one, could be imported; it isn't."""
    return importlib.util.find_spec(module) is not None


def require(extra: Extra, what: str) -> None:
    """Raise ``AbsentError`` naming the extra unless what ``what`` needs of it is installed."""
    missing = [DISTRIBUTIONS.get(module, module) for module in NEEDED[extra] if not is_installed(module)]
    if missing:
        raise AbsentError(_message(what, missing, extra))


def explained(error: ImportError) -> str | None:
    """Return what to tell the user about an import that failed; None if it isn't that of an optional package."""
    module = (error.name or "").partition(".")[0]
    if module not in BROUGHT_BY:
        return None
    name, extra = DISTRIBUTIONS.get(module, module), BROUGHT_BY[module]
    if not is_installed(module):
        return _message("this command", [name], extra)
    return (
        f"{name} is installed but cannot be imported ({error}). Install it again: pip install --force-reinstall {name}"
    )


def _message(what: str, missing: list[str], extra: Extra) -> str:
    names = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
    be = "is" if len(missing) == 1 else "are"
    all_of_it = " (all that the default suite needs: 'tttbench[offline]')" if extra in ("model", "whisper") else ""
    return f"{what} needs {names}, which {be} not installed: pip install 'tttbench[{extra}]'{all_of_it}"
