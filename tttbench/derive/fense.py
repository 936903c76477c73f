"""``fense:base``: FENSE of a caption beside its references, by the package ``aac-metrics`` (Zhou et al. 2022).

The mean cosine of Sentence-BERT's embeddings of the caption and each reference, times 0.1 where a classifier finds an
error of fluency. The package would fetch its weights while it runs; here they are got by hand, into the cache. The
content is a JSON object with ``fense`` and its parts, ``sbert_sim`` and ``fer`` (1: an error).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import AbsentError, UserError
from tttbench.core.extras import is_installed, require
from tttbench.core.missing import Missing
from tttbench.core.normalizer import package_version
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.cache import cache_folder
from tttbench.derive.weights import quiet_transformers, sha256_of

VERSION = 1
"""Raised whenever the same caption may be given another number, for a reason that lies in our code."""

SPEC = "base"
CHECKER = "echecker_clotho_audiocaps_base.ckpt"
CHECKER_SHA256 = "1a719f090af70614bbdb9f9437530b7e133c48cfa4a58d964de0d47fc974a2fa"
"""As ``aac-metrics`` and the original code have it."""
WORDS, SENTENCES = "bert-base-uncased", "paraphrase-TinyBERT-L6-v2"
"""Folders of the classifier's own network, of which its shape and tokens are needed, and of Sentence-BERT."""
N_BYTES = 707_000_000
"""Of both networks, about: 110 and 67 million parameters of 4 bytes."""

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class Fense:
    """Compares captions; a ``Deriver``."""

    name = f"fense:{SPEC}"
    batch_size = 1  # padding would change the last digits

    def __init__(self, folder: Path) -> None:
        """Load the networks, on the CPU; raises ``UserError`` if the files aren't theirs."""
        self.recipe = recipe_of(SPEC)
        self.details = {"weights": f"{CHECKER}, {SENTENCES}"}
        self._checker, self._tokens = _checker(folder)
        self._sentences = _sentences(folder / SENTENCES)

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Compare captions with their references, one JSON object each."""
        return [self._one(given) for given in inputs]

    def _one(self, given: DerivationInput) -> Derived | Exception:
        from aac_metrics.functional.fense import fense

        fields = given.need.fields
        try:
            _, found = fense(
                [fields["caption"]],
                [json.loads(fields["references"])],
                sbert_model=self._sentences,
                echecker=self._checker,
                echecker_tokenizer=self._tokens,
                device="cpu",
            )
            numbers = {name: round(float(found[name][0]), 6) for name in ("fense", "sbert_sim", "fer")}
        except Exception as error:  # what a network makes of an odd text concerns that one alone
            return error
        return Derived("ok", json.dumps(numbers))


def weights() -> Path:
    """The folder in which its files are looked for."""
    return cache_folder() / "fense"


def _lacking() -> list[str]:
    folder = weights()
    wanted = [CHECKER, *(f"{WORDS}/{one}" for one in ("config.json", "tokenizer_config.json"))]
    wanted += [f"{SENTENCES}/{one}" for one in ("modules.json", "config.json")]
    found = [name for name in wanted if not (folder / name).is_file()]
    if not any((folder / SENTENCES / one).is_file() for one in _WEIGHTS):
        found.append(f"{SENTENCES}/{' or '.join(_WEIGHTS)}")
    return found


def _how_to_get() -> str:
    return (
        f"get {CHECKER} of the release V0.1 of github.com/blmoistawinde/fense, and from the Hugging Face hub "
        f"sentence-transformers/{SENTENCES} and, without its weights, {WORDS}, each as a folder, all into {weights()}"
    )


def _checker(folder: Path) -> tuple[Any, Any]:
    """The classifier of errors and what makes its tokens; raises ``UserError`` for other weights."""
    import torch
    from aac_metrics.functional.fer import BERTFlatClassifier
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    path = folder / CHECKER
    if (found := sha256_of(path)) != CHECKER_SHA256:
        raise UserError(
            f"{path}: isn't FENSE's classifier (sha256 {found:.12}…, not {CHECKER_SHA256:.12}…). Get it again."
        )
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        state = {name: one for name, one in kept["state_dict"].items() if not name.endswith("embeddings.position_ids")}
        config = AutoConfig.from_pretrained(folder / WORDS, local_files_only=True)
        # Its own constructor reads the weights of the network, which the classifier's take the place of.
        made = BERTFlatClassifier.__new__(BERTFlatClassifier)
        torch.nn.Module.__init__(made)
        made.model_type, made.num_classes = str(kept["model_type"]), int(kept["num_classes"])
        made.encoder = AutoModel.from_config(config)
        made.dropout = torch.nn.Dropout(config.hidden_dropout_prob)
        made.clf = torch.nn.Linear(config.hidden_size, made.num_classes)
        made.load_state_dict(state)
        tokens = AutoTokenizer.from_pretrained(folder / WORDS, local_files_only=True)
    except Exception as error:  # torch and transformers raise whatever their readers do
        why = str(error).partition("\n")[0]
        raise UserError(f"{path}: doesn't fit {folder / WORDS} ({why:.200}). Get both again.") from error
    return made.eval(), tokens


def _sentences(folder: Path) -> Any:
    """Sentence-BERT; raises ``UserError`` for a folder that lacks a tensor, which would be left at random."""
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModel

    try:
        with quiet_transformers():  # what is missing is said below
            _, told = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
            made = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except Exception as error:  # safetensors, torch and transformers raise whatever their readers do
        why = str(error).partition("\n")[0]
        raise UserError(
            f"{folder}: can't be read as a Sentence-BERT ({why:.200}). Download its files again."
        ) from error
    lacking = sorted(name for name in told["missing_keys"] if not name.startswith("pooler."))
    if lacking:
        raise UserError(
            f"{folder}: isn't a Sentence-BERT: {len(lacking)} tensors are missing, {lacking[0]} for one. Get "
            f"sentence-transformers/{SENTENCES} again."
        )
    return made


def check(spec: str, options: SystemOptions) -> None:
    """Refuse others than the published one, and what isn't installed."""
    if spec != SPEC:
        raise UserError(f"fense:{spec!s:.60}: no such networks. Known: {SPEC}.")
    require("fense", f"fense:{spec}")


def ready(spec: str, options: SystemOptions) -> None:
    """Raise ``AbsentError`` naming the files that are missing, their size and where to get them."""
    if lacking := _lacking():
        what = f"fense:{spec}: its files ({N_BYTES / 1e6:.0f} MB) are missing: {', '.join(lacking)}."
        raise AbsentError(what, f"Fix: {_how_to_get()}.")


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing]:
    """The weights, if they aren't there."""
    return [Missing("weights of FENSE", _how_to_get(), N_BYTES)] if _lacking() else []


def recipe_of(spec: str) -> str:
    """What compares, with the package's version and the hashes of the weights, where both are here."""
    if not is_installed("aac_metrics") or _lacking():
        return f"fense:{spec}"
    folder = weights() / SENTENCES
    paths = [weights() / CHECKER, next(folder / one for one in _WEIGHTS if (folder / one).is_file())]
    made = ", ".join(f"{one.name} sha256:{sha256_of(one)}" for one in paths)
    return f"fense-{spec}@{VERSION} (aac-metrics {package_version('aac-metrics')}, {made})"


@register_deriver(
    "fense",
    check=check,
    ready=ready,
    lacks=lacks,
    recipe_of=recipe_of,
    summary="captions beside their references, and their fluency: base",
)
def build(spec: str, options: SystemOptions) -> Fense:
    """Build ``fense:base``."""
    ready(spec, options)
    return Fense(weights())
