"""oneDNN keeps the products of all lengths that a training meets, unless the user said how many it keeps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from reference_model.onednn import CAPACITY

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available() or not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="oneDNN isn't asked for products in bfloat16 here",
)

_PRODUCTS = """
import torch{later}
torch.set_num_threads(1)
for _ in range(2):
    print("again", flush=True)
    for n in range(33, 33 + 1100):
        torch.ones(n, 8, dtype=torch.bfloat16) @ torch.ones(8, 16, dtype=torch.bfloat16)
"""


def found_again(later: str, **environment: str) -> tuple[int, int]:
    """Of 1,100 products, each made twice: how many oneDNN had and hadn't kept when they came again."""
    mine = {name: value for name, value in os.environ.items() if name != CAPACITY}
    done = subprocess.run(
        [sys.executable, "-c", _PRODUCTS.format(later=later)],
        env={**mine, **environment, "ONEDNN_VERBOSE": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    second = done.stdout.split("again")[2]
    return second.count("create:cache_hit"), second.count("create:cache_miss")


@pytest.mark.slow
def test_products_of_many_lengths_are_kept() -> None:
    assert found_again(", reference_model") == (1100, 0)


@pytest.mark.slow
def test_it_is_the_package_that_keeps_them() -> None:
    hits, misses = found_again("")
    assert misses == 1100 - hits > 0


@pytest.mark.slow
def test_the_environment_chooses() -> None:
    hits, misses = found_again(", reference_model", **{CAPACITY: "100"})
    assert (hits, misses) == (0, 1100)
