"""Damage at any place of a file that is written by hand ends as a message or as a value, never as a defect."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_model.config import TtTConfig
from reference_model.errors import ReferenceModelError
from tttbench import published
from tttbench.config import suite, training
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_system
from tttbench.core.system import SystemOptions
from tttbench.gate import rules
from tttbench.pages.paper_tables import render_all
from tttbench.published.known_tasks import KnownTask
from tttbench.published.measured import fill
from tttbench.systems.ttt import folder
from tttbench.systems.ttt.settings import decode_settings

from ..damage import RAW_JSON, RAW_TOML, as_json, as_toml, damaged, fuzzed, refusal

SUITE = {
    "title": "Two",
    "transcriber": "whisper:tiny.en",
    "oracle": "careful",
    "timeout_s": 30.0,
    "add": ["wer:recipe=raw"],
    "systems": [
        {"name": "ttt:mini", "decode": {"cache": "exact"}, "grid": {"steps_per_block": [1, 2], "cache": ["block"]}},
        {"name": "ttt:mini", "label": "careful", "strategy": "topk", "batch_size": 1},
    ],
    "tasks": [
        {"name": "mini_qa", "limit": 3, "scores": ["wer", {"scorer": "wer", "id": "x", "normalizer": "raw"}]},
        {"name": "asr_folder", "data": "recordings"},
    ],
}
RULES = {
    "alpha": 0.1,
    "valid": {"max_errors": 0.1},
    "quality": {"gates": True, "wer": {"must_be_ok": True}, "mini_qa": {"wer": {"worse_by_more_than": 0.1}}},
    "speed": {"mode": "off", "factor": 1.5, "rtf": {"gates": True}},
}
TABLES = {
    "sources": {"paper": {"citation": "A paper", "url": "https://example.org/paper", "note": "its table 1"}},
    "tables": [
        {
            "id": "main",
            "title": "Main",
            "note": "All of it.",
            "blocks": [
                {
                    "title": "Block",
                    "source": "paper",
                    "columns": [
                        {"id": "a", "title": "A", "better": "lower", "task": "mini_asr", "metric": "wer", "via": "b"},
                        {"id": "b", "title": "B", "better": "higher", "task": "t", "metric": "m", "instead": ["x"]},
                    ],
                    "rows": [{"id": "x", "title": "X", "system": "ttt:mini", "needs": "", "published": [1.5, ""]}],
                }
            ],
        }
    ],
}
ASSISTANT = {
    "codec": "mini-codec",
    "prompts": {"asr": "x", "qa": "y"},
    "decode": {"steps_per_block": 2, "cache": "exact", "strategy": "par:refinements=1", "text_top_p": 0.5},
}
IDS = (
    *("im_start", "im_end", "begin_of_audio", "begin_of_quad", "end_of_audio", "end_of_audio_new"),
    *("end_of_audio_span_last", "mask"),
)
CONFIG = {
    "vocab_size": 120,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "rope_theta": 1e4,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "tie_word_embeddings": True,
    "objective": "hybrid",
    "max_position_embeddings": 128,
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "audio_token_id_start": 95,
    "n_audio_codes": 16,
    **{f"{name}_token_id": (80 if at < 5 else 107) + at for at, name in enumerate(IDS)},
}
TRAINING = tomllib.loads(training.shipped_training_configs()["paper/ttt_3b"].read_text())
RECORDED = {"id": "a", "task": "t", "text": "yes", "codes": [1, 2], "error": "", "audio": "a.wav"}


def read_tables(path: Path) -> None:
    render_all(fill(published.load_tables(path), {}, {"mini_asr": KnownTask(200)}))


def read_assistant(path: Path) -> None:
    found = folder.read_assistant(path.parent)
    decode_settings([found.decode])
    refusal(found.codec_folder, UserError)


def read_recorded(path: Path) -> None:
    build_system(f"recorded:{path}", SystemOptions())


FILES: dict[str, tuple[str, Any, Callable[[Path], object]]] = {
    "suite": ("suite.toml", SUITE, lambda path: suite.load_suite(str(path))),
    "rules": ("rules.toml", RULES, rules.read_rules),
    "published tables": ("tables.toml", TABLES, read_tables),
    "training config": ("training.toml", TRAINING, training.read),
    "assistant": ("assistant.json", ASSISTANT, read_assistant),
    "checkpoint's config": ("config.json", CONFIG, TtTConfig.from_file),
    "recorded answers": ("recorded.jsonl", RECORDED, read_recorded),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@pytest.mark.parametrize("what", FILES)
def test_what_is_whole_is_read(place: Path, what: str) -> None:
    name, values, read = FILES[what]
    path = place / name
    path.write_bytes((as_toml if name.endswith(".toml") else as_json)(values))
    assert refusal(lambda: read(path), (UserError, ReferenceModelError)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("what", FILES)
@fuzzed
@given(data=st.data())
def test_what_is_damaged_is_refused_by_the_name_of_the_file(place: Path, what: str, data: st.DataObject) -> None:
    name, values, read = FILES[what]
    path, is_toml = place / name, name.endswith(".toml")
    path.write_bytes(damaged(values, data, as_toml if is_toml else as_json, RAW_TOML if is_toml else RAW_JSON))
    message = refusal(lambda: read(path), (UserError, ReferenceModelError))
    assert not message or name in message or "strategy" in message, message


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "tsv"])
@fuzzed
@given(data=st.data())
def test_so_are_tables_of_recorded_answers(place: Path, ending: str, data: st.DataObject) -> None:
    separator = {"csv": ",", "tsv": "\t"}[ending]
    cell = st.text(max_size=6) | st.sampled_from(
        ['"', '""', "a,b", "a\tb", "\r", "\n", "\0", "x" * 200_000, "id", "text"]
    )
    rows = data.draw(st.lists(st.lists(cell, max_size=4), max_size=4))
    head = data.draw(
        st.sampled_from([["id", "text"], ["id"], ["id", "text", "error"], ["id", "id"], ["text"], [], [""]])
    )
    path = place / f"recorded.{ending}"
    text = "\n".join(separator.join(row) for row in [head, *rows])
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    message = refusal(lambda: read_recorded(path), UserError)
    assert not message or path.name in message, message


@pytest.mark.parametrize("n_values", [10_000, 100_000])
def test_a_grid_of_ten_thousand_is_refused_before_any_of_it_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, n_values: int
) -> None:
    monkeypatch.setattr(itertools, "product", lambda *lists: pytest.fail("made"))
    grids = (
        {"steps_per_block": list(range(1, n_values + 1))},
        {"a": list(range(100)), "b": list(range(n_values // 100))},
    )
    for grid in grids:
        path = tmp_path / "grid.toml"
        path.write_bytes(as_toml({"systems": [{"name": "x", "grid": grid}], "tasks": [{"name": "mini_qa"}]}))
        with pytest.raises(
            UserError, match=rf"grid\.toml: systems\[0\]\.grid: makes {n_values:,} systems, at most 1,000"
        ):
            suite.load_suite(str(path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("quality.worse_by_more_than = inf", "worse_by_more_than: must be a finite number, not inf"),
        ("quality.wer.worse_by_more_than = nan", "worse_by_more_than: must be a finite number, not nan"),
        ("speed.factor = inf", "factor: must be a finite number, not inf"),
        ("alpha = nan", "alpha: must be a finite number, not nan"),
        ("valid.max_errors = inf", "max_errors: must be a finite number, not inf"),
    ],
)
def test_thresholds_are_finite(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        rules.read_rules(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert says in str(raised.value)
