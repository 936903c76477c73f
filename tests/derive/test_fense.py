"""FENSE with small random weights, by the package where it is installed, else by one of the same form."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.extras import is_installed
from tttbench.core.missing import lacking
from tttbench.core.plugins import build_deriver, check_deriver, derivers, make_ready
from tttbench.core.system import SystemOptions
from tttbench.derive import fense

torch = pytest.importorskip("torch", reason="needs the extra fense")
transformers = pytest.importorskip("transformers", reason="needs the extra fense")
safetensors_torch = pytest.importorskip("safetensors.torch", reason="needs the extra fense")

NAME, OPTIONS = "fense:base", SystemOptions()
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"a dog cat barks sleeps loudly rain and the".split()]
SMALL = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 64,
}
PACKAGES = {
    "sentence_transformers/__init__.py": """import torch
from transformers import AutoModel, AutoTokenizer

class SentenceTransformer(torch.nn.Module):
    def __init__(self, folder, device, local_files_only):
        super().__init__()
        self.network = AutoModel.from_pretrained(folder).eval()
        self.tokens = AutoTokenizer.from_pretrained(folder)

    def encode(self, text):
        with torch.no_grad():
            hidden = self.network(**self.tokens(text, return_tensors="pt")).last_hidden_state
        return torch.nn.functional.normalize(hidden.mean(1)[0], dim=0)
""",
    "aac_metrics/__init__.py": "",
    "aac_metrics/functional/__init__.py": "",
    "aac_metrics/functional/fer.py": """import torch

class BERTFlatClassifier(torch.nn.Module):
    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.clf(self.encoder(input_ids, attention_mask, token_type_ids).last_hidden_state[:, 0])
""",
    "aac_metrics/functional/fense.py": """import re
import torch

def fense(candidates, mult_references, sbert_model, echecker, echecker_tokenizer, device):
    (caption,), (references,) = candidates, mult_references
    likeness = sum(sbert_model.encode(caption) @ sbert_model.encode(one) for one in references) / len(references)
    plain = re.sub(r"[^\\\\w\\\\s]", "", caption).lower()
    tokens = echecker_tokenizer([plain], padding="max_length", max_length=64, truncation=True, return_tensors="pt")
    with torch.no_grad():
        error = float(echecker(**tokens)[0, -1].sigmoid() > 0.9)
    found = {"sbert_sim": likeness, "fer": error, "fense": likeness * (1 - 0.9 * error)}
    return {}, {name: torch.tensor([float(value)]) for name, value in found.items()}
""".replace("\\\\", "\\"),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of its files, still empty, beside packages of the same form where they aren't installed."""
    stands_in = not is_installed("aac_metrics")
    for name, content in PACKAGES.items() if stands_in else ():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(content)
    if stands_in:
        (tmp_path / "site/aac_metrics-0.5.4.dist-info").mkdir()
        told = "Metadata-Version: 2.1\nName: aac-metrics\nVersion: 0.5.4\n"
        (tmp_path / "site/aac_metrics-0.5.4.dist-info/METADATA").write_text(told)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/fense").mkdir(parents=True)
    yield tmp_path / "cache/fense"
    for name in [one for one in sys.modules if one.partition(".")[0] in ("aac_metrics", "sentence_transformers")]:
        if stands_in:
            del sys.modules[name]


def saved(folder: Path, monkeypatch: pytest.MonkeyPatch, error: float = 0.0) -> tuple[Any, Any]:
    """Save both networks with random weights; ``error``: what the classifier's last logit has added to it."""
    torch.manual_seed(0)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokens = transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True, model_max_length=64)
    sentences, words = (transformers.BertModel(transformers.BertConfig(**SMALL)).eval() for _ in range(2))
    for name in (fense.SENTENCES, fense.WORDS):
        tokens.save_pretrained(folder / name)
    words.config.save_pretrained(folder / fense.WORDS)
    sentences.save_pretrained(folder / fense.SENTENCES)
    modules = [
        ("0", "", "sentence_transformers.models.Transformer"),
        ("1", "1_Pooling", "sentence_transformers.models.Pooling"),
    ]
    (folder / fense.SENTENCES / "modules.json").write_text(
        json.dumps([{"idx": int(name), "name": name, "path": path, "type": kind} for name, path, kind in modules])
    )
    (folder / fense.SENTENCES / "1_Pooling").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True}
    (folder / fense.SENTENCES / "1_Pooling/config.json").write_text(json.dumps(pooling))
    classifier = torch.nn.Linear(16, 6)
    with torch.no_grad():
        classifier.bias[-1] += error
    state = {f"encoder.{name}": value for name, value in words.state_dict().items()}
    state |= {f"clf.{name}": value for name, value in classifier.state_dict().items()}
    state["encoder.embeddings.position_ids"] = torch.arange(64)[None]  # as files of before transformers 4.31 have it
    torch.save({"model_type": fense.WORDS, "num_classes": 6, "state_dict": state}, folder / fense.CHECKER)
    monkeypatch.setattr(fense, "CHECKER_SHA256", hashlib.sha256((folder / fense.CHECKER).read_bytes()).hexdigest())
    return sentences, tokens


def compared(caption: str, *references: str) -> dict[str, float]:
    need = Need(NAME, fields={"caption": caption, "references": json.dumps(references)})
    (found,) = build_deriver(NAME, OPTIONS).derive([DerivationInput(need)])
    assert isinstance(found, Derived), found
    numbers: dict[str, float] = json.loads(found.content)
    return numbers


def test_a_caption_is_worth_its_likeness_and_a_tenth_of_it_where_it_is_not_fluent(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences, tokens = saved(cache, monkeypatch, error=-20)
    make_ready(NAME, OPTIONS, derivers)
    assert lacking(NAME, OPTIONS, derivers) == ()

    def embedded(text: str) -> Any:
        with torch.no_grad():
            hidden = sentences(**tokens(text, return_tensors="pt")).last_hidden_state[0]
        return torch.nn.functional.normalize(hidden.mean(0), dim=0)

    caption, references = "A dog barks.", ("a cat sleeps", "rain and the dog")
    likeness = sum(float(embedded(caption) @ embedded(one)) for one in references) / 2
    expected = {"sbert_sim": likeness, "fer": 0.0, "fense": likeness}
    assert compared(caption, *references) == pytest.approx(expected, abs=2e-5)
    saved(cache, monkeypatch, error=20)
    expected = {"sbert_sim": likeness, "fer": 1.0, "fense": likeness / 10}
    assert compared(caption, *references) == pytest.approx(expected, abs=2e-5)
    assert compared(caption, caption)["sbert_sim"] == pytest.approx(1, abs=1e-5)
    recipe = fense.recipe_of("base")
    assert re.match(
        r"fense-base@1 \(aac-metrics \S+, echecker\S+ sha256:\w{64}, model\.safetensors sha256:\w{64}\)", recipe
    )


def test_files_that_are_missing_are_named_with_their_size_and_place(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda one: True)
    check_deriver(NAME, OPTIONS)
    says = r"fense:base: its files \(707 MB\) are missing: echecker_clotho_audiocaps_base\.ckpt, bert-base-uncased/con"
    with pytest.raises(UserError, match=rf"{says}.* Fix: get .* of the release V0\.1 .* all into \S*/cache/fense\."):
        make_ready(NAME, OPTIONS, derivers)
    (missing,) = lacking(NAME, OPTIONS, derivers) or ()
    assert (missing.what, missing.n_bytes) == ("weights of FENSE", fense.N_BYTES)
    assert fense.recipe_of("base") == NAME


def test_other_weights_are_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(cache, monkeypatch)
    (cache / fense.CHECKER).write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"base\.ckpt: isn't FENSE's classifier \(sha256 \w{12}…, not \w{12}…\)"):
        build_deriver(NAME, OPTIONS)
    saved(cache, monkeypatch)
    other = transformers.BertConfig(**{**SMALL, "hidden_size": 8})
    other.save_pretrained(cache / fense.WORDS)
    with pytest.raises(UserError, match=r"base\.ckpt: doesn't fit \S*/bert-base-uncased "):
        build_deriver(NAME, OPTIONS)
    saved(cache, monkeypatch)
    kept = cache / fense.SENTENCES / "model.safetensors"
    tensors = safetensors_torch.load_file(kept)
    del tensors["embeddings.word_embeddings.weight"]
    safetensors_torch.save_file(tensors, kept, {"format": "pt"})
    with pytest.raises(UserError, match=r"TinyBERT-L6-v2: isn't a Sentence-BERT: 1 tensors are missing, embeddings\.w"):
        build_deriver(NAME, OPTIONS)
    (cache / fense.SENTENCES / "model.safetensors").write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"TinyBERT-L6-v2: can't be read as a Sentence-BERT"):
        build_deriver(NAME, OPTIONS)


def test_there_is_one_and_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"fense:tiny: no such networks\. Known: base"):
        check_deriver("fense:tiny", OPTIONS)
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda one: one != "aac_metrics")
    with pytest.raises(UserError, match=r"fense:base needs aac-metrics.*tttbench\[fense\]"):
        check_deriver(NAME, OPTIONS)
