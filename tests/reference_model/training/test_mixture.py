"""Which examples a step sees: every file as often as its ratio says, and other halves in other epochs."""

from __future__ import annotations

from collections import Counter

import pytest

from reference_model.errors import ConfigError
from reference_model.training.mixture import Mixture, picks


def seen(mixture: Mixture, n_epochs: int, seed: int = 0) -> list[Counter[int]]:
    lengths = [1 + i % 7 for i in range(sum(mixture.sizes))]
    epochs = []
    for epoch in range(n_epochs):
        steps = range(epoch * mixture.epoch_size, (epoch + 1) * mixture.epoch_size)
        epochs.append(Counter(i for step in steps for i in picks(mixture, lengths, 1, 1, seed, step)))
    return epochs


def test_ratios_say_how_often_the_files_are_seen() -> None:
    mixture = Mixture((10, 6, 4), (1.0, 0.5, 2.5))
    assert mixture.epoch_size == 10 + 3 + 10
    for epoch in seen(mixture, 4):
        assert [epoch[i] for i in range(10)] == [1] * 10
        assert sum(epoch[i] for i in range(10, 16)) == 3
        assert sorted(epoch[i] for i in range(16, 20)) == [2, 2, 3, 3]


def test_another_epoch_sees_another_part() -> None:
    parts = [frozenset(epoch) for epoch in seen(Mixture((40,), (0.5,)), 6)]
    assert len(set(parts)) == 6
    assert len(frozenset.union(*parts)) > 35


def test_the_same_seed_sees_the_same() -> None:
    mixture = Mixture((9,), (1.5,))
    assert seen(mixture, 2, seed=3) == seen(mixture, 2, seed=3)
    assert seen(mixture, 2, seed=3) != seen(mixture, 2, seed=4)


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_is_a_number_above_0(ratio: float) -> None:
    with pytest.raises(ConfigError, match="field 'ratio' is"):
        Mixture((3,), (ratio,))


def test_a_file_that_an_epoch_would_never_show_is_refused_and_named_by_its_ratio() -> None:
    with pytest.raises(ConfigError, match=r"'ratio' is 0\.1, which sees none of a file's 4 examples; raise it"):
        Mixture((400, 4), (1.0, 0.1))


def test_an_epoch_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="the files hold no example"):
        Mixture((0,), (1.0,))
