"""Says which packages are installed, and where they stand here; everything else stands in ``pyproject.toml``.

``tasks/`` and ``reports/`` are too general as names of installed packages: in the wheel they live in ``tttbench``.
"""

import shutil

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

INSIDE_TTTBENCH = ("tasks", "reports")


class FreshBuild(build_py):
    """Forgets what an earlier build copied, so that no file that was removed since gets into a wheel."""

    def run(self) -> None:
        """Build."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    packages=[
        *find_packages(include=["tttbench", "tttbench.*", "reference_model", "reference_model.*"]),
        *(f"tttbench.{name}" for top in INSIDE_TTTBENCH for name in find_packages(include=[top, f"{top}.*"])),
    ],
    package_dir={f"tttbench.{top}": top for top in INSIDE_TTTBENCH},
    cmdclass={"build_py": FreshBuild},
)
