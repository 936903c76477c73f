"""Makes ``shapes`` importable: tests are no packages, and importlib mode adds no paths. What must be installed."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def needs_xformers() -> None:
    """Skip where xformers is not installed, except in CI, where its absence is an error."""
    if importlib.util.find_spec("xformers") is not None:
        return
    message = "xformers is not installed; its biases can be written out without a GPU: pip install '.[test]'"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
