"""Points are the product of the values; what they differ in is what was swept over."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tttbench.probes.axes import AXES, BY_NAME, Value, in_words, product, shown, swept


def test_every_combination_is_a_point_the_last_axis_fastest() -> None:
    assert product({"steps_per_block": [1, 2], "cache": ["none", "exact"]}) == [
        {"steps_per_block": 1, "cache": "none"},
        {"steps_per_block": 1, "cache": "exact"},
        {"steps_per_block": 2, "cache": "none"},
        {"steps_per_block": 2, "cache": "exact"},
    ]


def test_nothing_chosen_is_one_point() -> None:
    assert product({}) == [{}]


@given(
    st.dictionaries(
        st.sampled_from([axis.name for axis in AXES]), st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True)
    )
)
def test_points_are_all_different_and_swept_axes_are_those_of_several_values(chosen: dict[str, list[Value]]) -> None:
    points = product(chosen)
    assert len(points) == math.prod(len(values) for values in chosen.values())
    assert len({tuple(point.items()) for point in points}) == len(points)
    assert {axis.name for axis in swept(points)} == {name for name, values in chosen.items() if len(values) > 1}


def test_a_point_is_named_by_its_options() -> None:
    assert in_words({"steps_per_block": 2, "cfg": 0.1, "strategy": "pmi"}) == "--steps 2 --cfg 0.1 --strategy pmi"


def test_a_schedule_is_a_list_to_the_system() -> None:
    assert BY_NAME["block_lengths"].setting("8+16+26") == [8, 16, 26]
    assert BY_NAME["block_length"].setting(8) == 8
    assert in_words({"block_lengths": "8+16+26"}) == "--block-lengths 8+16+26"


def test_values_are_shown_as_they_are_written() -> None:
    assert [shown(value) for value in (0.0, 0.25, 8, "exact", None)] == ["0", "0.25", "8", "exact", "-"]
