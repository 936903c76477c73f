"""What a card says of decode settings: those that make a difference, so that older cards stay equal to newer ones."""

from __future__ import annotations

import dataclasses

from reference_model.decoding import DecodeConfig
from tttbench.systems.ttt.settings import in_force


def test_settings_without_effect_are_left_out() -> None:
    without = {name: value for name, value in dataclasses.asdict(DecodeConfig()).items() if name != "refresh_every"}
    assert in_force(DecodeConfig()) == without
    assert in_force(DecodeConfig(refresh_every=7)) == without


def test_a_refreshing_cache_has_its_period() -> None:
    found = in_force(DecodeConfig(cache="refresh", refresh_every=7))
    assert (found["cache"], found["refresh_every"]) == ("refresh", 7)
