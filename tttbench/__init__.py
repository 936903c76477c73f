"""tttbench: evaluation and benchmarking of speaking language models."""

from reference_model.threads import wait_asleep as _wait_asleep

__version__ = "0.1.0"

# Whatever of ours is imported next, it may import torch.
_wait_asleep()
