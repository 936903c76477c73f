"""Damage at any place of a shipped file ends as a message or as a value, never as a defect of the program."""

from __future__ import annotations

import copy
import datetime
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench import published
from tttbench.config import suite, training
from tttbench.core.errors import UserError
from tttbench.core.tables import Document
from tttbench.data.documents import read_toml
from tttbench.gate import rules
from tttbench.systems.ttt import folder
from tttbench.systems.ttt.settings import decode_settings

SUITE = {
    "transcriber": "whisper:tiny.en",
    "add": ["wer:recipe=raw"],
    "systems": [{"name": "ttt:mini", "decode": {"cache": "exact"}, "grid": {"steps_per_block": [1, 2]}}],
    "tasks": [{"name": "mini_qa", "limit": 3, "scores": ["wer", {"scorer": "wer", "id": "x", "normalizer": "raw"}]}],
}
RULES = {
    "alpha": 0.1,
    "valid": {"max_errors": 0.1},
    "quality": {"gates": True, "wer": {"must_be_ok": True}, "mini_qa": {"wer": {"worse_by_more_than": 0.1}}},
    "speed": {"mode": "off", "factor": 1.5, "rtf": {"gates": True}},
}
ASSISTANT = {"codec": "mini-codec", "prompts": {"asr": "x"}, "decode": {"steps_per_block": 2, "cache": "exact"}}
SHIPPED_TRAINING = training.shipped_training_configs()["paper/ttt_3b"]


ODD: list[Any] = [
    *(None, True, -1, 0, 2**70, 16**5000, 1.5, float("nan"), float("-inf"), datetime.date(2026, 12, 1)),
    *("", "x", "\ud800", "a\0b", "\x1b[31m", "../x", [], [None], [[[1]]], {}, {"x": [1]}, {"\n": {}}),
]


def spoilt(values: Any, rng: random.Random) -> Any:
    """``values`` with something else at one place."""
    if isinstance(values, dict | list) and values and rng.random() < 0.9:
        copied = copy.copy(values)
        key = rng.choice(list(values)) if isinstance(values, dict) else rng.randrange(len(values))
        copied[key] = spoilt(values[key], rng)
        return copied
    odd: list[Any] = [None, True, -1, 0, 2**70, 16**5000, 1.5, float("nan"), float("-inf"), "", "x", "\ud800", "a\0b"]
    return rng.choice(
        [*odd, "\x1b[31m", "../x", [], [None], [[[1]]], {}, {"x": [1]}, {"\n": {}}, datetime.date.today()]
    )


def read_assistant(path: Path) -> None:
    decode_settings([folder.read_assistant(path).decode])


@pytest.mark.parametrize(
    ("module", "name", "read", "values"),
    [
        (suite, "read_toml", lambda path: suite.load_suite(f"{path}.toml"), SUITE),
        (training, "read_toml", training.read, read_toml(SHIPPED_TRAINING).values),
        (rules, "read_toml", rules.read_rules, RULES),
        (published, "read_toml", published.load_tables, read_toml(published.SHIPPED).values),
        (folder, "read_json", read_assistant, ASSISTANT),
    ],
    ids=["suite", "training", "rules", "published", "assistant"],
)
def test_damage_is_a_message_or_a_value(
    module: Any,
    name: str,
    read: Callable[[Path], object],
    values: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "assistant.json").write_text(json.dumps(ASSISTANT))
    rng, messages = random.Random(0), []
    for _ in range(400):
        document = Document(spoilt(values, rng), "a file")
        monkeypatch.setattr(module, name, lambda path, document=document, **_: document)
        try:
            read(tmp_path)
        except UserError as error:
            messages.append(str(error))
    assert len(messages) > 200
    # What is in a file reaches no terminal as it is.
    assert not [message for message in messages if "\x1b" in message]
