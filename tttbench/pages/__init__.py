"""The report of a run: one HTML file that needs no network, beside the run's recordings; and an index of runs.

``render`` and ``render_index`` are all that other parts use. ``load`` and ``runs`` read; the rest fills the pages.
"""

from __future__ import annotations

from pathlib import Path


def render(run_dir: Path) -> Path:
    """Write ``report.html`` into a run directory and return its path.

    Raises:
        UserError: there is no run in ``run_dir``, or it can't be read.
        StorageError: the file can't be written.
    """
    from tttbench.data.atomic import write_atomic

    from .load import load
    from .page import page

    target = run_dir / "report.html"
    write_atomic(target, page(load(run_dir)).encode(errors="replace"))
    return target


def render_index(folder: Path) -> Path:
    """Write ``index.html`` into a folder that holds run directories at any depth, and return its path.

    Raises:
        UserError: there is no such folder, no run in it, or an ``index.html`` that isn't ours.
        StorageError: the file can't be written.
    """
    from tttbench.core.errors import UserError
    from tttbench.data.atomic import write_atomic

    from .index import GENERATOR, index_page
    from .runs import read_runs

    if not folder.is_dir():
        raise UserError(f"--index {folder}: no such folder; give one that holds run directories.")
    target = folder / "index.html"
    if target.exists() and f'content="{GENERATOR}"' not in target.read_text(encoding="utf-8", errors="replace"):
        raise UserError(f"{target}: was not written by tttbench; move it away, or give another folder.")
    runs = read_runs(folder)
    if not runs:
        raise UserError(f"--index {folder}: holds no run at any depth; give a folder that 'tttbench run' wrote to.")
    write_atomic(target, index_page(runs, folder.resolve().name).encode())
    return target
