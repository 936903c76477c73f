"""tttbench: evaluation and benchmarking of speaking language models."""

from pathlib import Path

__version__ = "0.1.0"

# In a source checkout `tasks/` and `reports/` stand beside this package; installed, they live inside it.
# Either way they are imported as `tttbench.tasks` and `tttbench.reports`.
if not (Path(__file__).parent / "tasks").is_dir():
    __path__.append(str(Path(__file__).parent.parent))
