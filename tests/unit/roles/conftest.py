"""The roles' own modules and plugins, imported as Ansible would."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROLES = Path(__file__).parents[3] / "roles"


def load(path: Path, name: str) -> ModuleType:
    """Import a file that is in no package."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def service_host() -> ModuleType:
    return load(ROLES / "service/module_utils/service_host.py", "ansible.module_utils.service_host")


@pytest.fixture(scope="session")
def service_state(service_host: ModuleType) -> ModuleType:
    return load(ROLES / "service/library/service_state.py", "service_state")


@pytest.fixture(scope="session")
def service_switch(service_host: ModuleType) -> ModuleType:
    return load(ROLES / "service/library/service_switch.py", "service_switch")


@pytest.fixture(scope="session")
def content() -> ModuleType:
    return load(ROLES / "service/lookup_plugins/content.py", "content_lookup")


@pytest.fixture(scope="session")
def pack() -> ModuleType:
    return load(ROLES / "service/files/pack.py", "service_pack")
