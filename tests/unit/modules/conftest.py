"""Makes module_utils importable by the name that it has inside a module, and the modules importable at all."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import ansible.module_utils
import pytest

ROOT = Path(__file__).parents[3]

# As ansible.cfg's module_utils setting does for a module that Ansible runs.
if str(ROOT / "module_utils") not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(str(ROOT / "module_utils"))


@functools.cache
def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"library.{name}", ROOT / "library" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def loaded() -> Callable[[str], ModuleType]:
    """Imports a module of library/ by its name."""
    return _loaded
