"""The shortest way to call a strategy: options at their defaults are left out, whatever their order and spelling."""

from __future__ import annotations

import pytest

from reference_model.decoding.strategy import canonical, make_strategy, strategy_names


@pytest.mark.parametrize(
    ("given", "shortest"),
    [
        ("topk", "topk"),
        ("threshold:tau=0.90", "threshold"),
        ("threshold:tau=0.80", "threshold:tau=0.8"),
        ("klass:history=1,tau=0.8", "klass:tau=0.8,history=1"),
        ("speculate:depth=3,of=topk", "speculate"),
        ("speculate:depth=2,of=threshold:tau=0.9", "speculate:depth=2,of=threshold"),
        ("speculate:of=threshold:tau=0.7", "speculate:of=threshold:tau=0.7"),
    ],
)
def test_the_shortest_call(given: str, shortest: str) -> None:
    assert canonical(given) == shortest
    assert make_strategy(canonical(given)) == make_strategy(shortest)


def test_it_makes_the_same_strategy() -> None:
    for name in strategy_names():
        assert make_strategy(canonical(name)) == make_strategy(name)
        assert canonical(canonical(name)) == canonical(name) == name
