"""Puts ``tasks/`` and ``reports/`` into the package when it is built; everything else stands in ``pyproject.toml``.

They hold data, not packages: in the wheel they lie in ``tttbench/shipped-data``, where ``tttbench.core.shipped`` finds
them.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("tasks", "reports")
LEFT_OUT = Path("tasks", "mini2")  # the second mini world, as long as it has no model


class BuildWithData(build_py):
    """Forgets what an earlier build copied, so that no removed file gets into a wheel, and adds the shipped folders."""

    def run(self) -> None:
        """Build."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for source, target in self._data().items():
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Name all that is built."""
        built: list[str] = super().get_outputs(include_bytecode)
        return built if self.editable_mode else [*built, *self._data().values()]

    def _data(self) -> dict[str, str]:
        target = Path(self.build_lib) / "tttbench" / "shipped-data"
        files = (path for name in SHIPPED for path in sorted(Path(name).rglob("*")) if path.is_file())
        wanted = (path for path in files if "__pycache__" not in path.parts and not path.is_relative_to(LEFT_OUT))
        return {str(path): str(target / path) for path in wanted}


setup(cmdclass={"build_py": BuildWithData})
