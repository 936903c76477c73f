"""Which systems of a run are ways of decoding: by their cards."""

from __future__ import annotations

import pytest

from tttbench.core.json_values import JsonObject
from tttbench.core.system import SystemCard
from tttbench.pipeline.trade_off import decoding_of
from tttbench.store.manifest import SystemEntry


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"block_length": 27, "cache": "exact"}, "27"), ({"block_lengths": [8, 27], "cache": "exact"}, "8+27")],
)
def test_a_length_of_blocks_or_a_schedule_of_them(settings: JsonObject, name: str) -> None:
    found = decoding_of(SystemEntry("ttt:mini", card=SystemCard("ttt:mini", strategy="topk", settings=settings)))
    assert found is not None
    assert name in found.facts.values()


@pytest.mark.parametrize("card", [None, SystemCard("whisper:tiny"), SystemCard("x", strategy="beam")])
def test_others_are_none(card: SystemCard | None) -> None:
    assert decoding_of(SystemEntry("x", card=card)) is None
