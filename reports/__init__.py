"""The report of a run: one HTML file that needs no network, beside the run's recordings.

``render`` is all that other parts use. ``load`` reads the run into the values of ``view``; the rest fills the page.
"""

from __future__ import annotations

from pathlib import Path


def render(run_dir: Path) -> Path:
    """Write ``report.html`` into a run directory and return its path.

    Raises:
        UserError: there is no run in ``run_dir``, or it has no summary yet.
        StorageError: the file can't be written.
    """
    from tttbench.atomic import write_atomic

    from .load import load
    from .page import page

    target = run_dir / "report.html"
    write_atomic(target, page(load(run_dir)).encode())
    return target
