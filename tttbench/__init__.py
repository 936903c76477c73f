"""tttbench: evaluation and benchmarking of speaking language models."""

__version__ = "0.1.0"
