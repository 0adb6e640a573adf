"""Imports the packages that stand beside the plugins, which Ansible knows nothing of.

A plugin cannot import this file either: ``runpy.run_path(…/packages.py)["load"]``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load(package: str) -> ModuleType:
    """The package of this name under plugins/, imported when it is first asked for, as ``madang_NAME``."""
    name = f"madang_{package}"
    if name not in sys.modules:
        path = Path(__file__).parent / package / "__init__.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None  # noqa: S101 — the file is ours
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
