"""What a card says of decode settings: those that make a difference, so that older cards stay equal to newer ones."""

from __future__ import annotations

import dataclasses

import pytest

from reference_model.decoding import DecodeConfig
from tttbench.core.json_values import JsonValue
from tttbench.core.tables import Document
from tttbench.systems.ttt.settings import decode_settings, in_force


def test_settings_without_effect_are_left_out() -> None:
    later = ("block_lengths", "refresh_every", "cfg_approximate_context", "cfg_approximate_reuse")
    without = {name: value for name, value in dataclasses.asdict(DecodeConfig()).items() if name not in later}
    assert in_force(DecodeConfig()) == without
    assert in_force(DecodeConfig(refresh_every=7)) == without


def test_a_refreshing_cache_has_its_period() -> None:
    found = in_force(DecodeConfig(cache="refresh", refresh_every=7))
    assert (found["cache"], found["refresh_every"]) == ("refresh", 7)


def test_a_schedule_stands_in_place_of_the_length() -> None:
    found = in_force(DecodeConfig(block_lengths=(8, 16, 26)))
    assert found["block_lengths"] == [8, 16, 26]
    assert "block_length" not in found


@pytest.mark.parametrize(
    ("layers", "lengths"),
    [
        ([{"block_length": 9}, {"block_lengths": [8, 16]}], [8, 16, 16]),
        ([{"block_lengths": [8, 16]}, {"block_length": 9}], [9, 9, 9]),
        ([{"block_lengths": [8, 16]}, {"cfg": 0.5}], [8, 16, 16]),
        ([{"block_lengths": [8, 16], "block_length": 9}], [8, 16, 16]),
        ([{"block_lengths": [8, 16]}, {"block_lengths": []}], [26, 26, 26]),
    ],
)
def test_the_last_word_on_lengths_counts(layers: list[dict[str, JsonValue]], lengths: list[int]) -> None:
    settings = decode_settings([Document(layer, f"layer {at}") for at, layer in enumerate(layers)])
    assert [settings.length_of_block(at) for at in range(3)] == lengths
