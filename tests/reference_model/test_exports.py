"""What a package exports stays what it is, whichever of its modules are imported later."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest


@pytest.mark.parametrize("name", ["reference_model", "reference_model.attention", "reference_model.decoding"])
def test_no_module_takes_the_name_of_an_export(name: str) -> None:
    package = importlib.import_module(name)
    before = {export: getattr(package, export) for export in package.__all__}
    for found in pkgutil.iter_modules(package.__path__, f"{name}."):
        importlib.import_module(found.name)
    assert len(before) > 2
    for export, value in before.items():
        assert not isinstance(value, ModuleType), export
        assert getattr(package, export) is value, export
