"""The package that reads compose files, the files written for the tests, and what an import of them gives."""

from __future__ import annotations

import importlib.util
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jinja2 import Undefined

ROOT = Path(__file__).parents[3]
FILES = Path(__file__).parent / "files"
GROUP_VARS = ROOT / "group_vars/all"
NOW = yaml.safe_load((Path(__file__).parent / "now.yml").read_text())


LOAD: Callable[[str], ModuleType] = runpy.run_path(str(ROOT / "plugins/packages.py"))["load"]


@pytest.fixture(scope="session")
def compose() -> ModuleType:
    return LOAD("compose")


@pytest.fixture(scope="session")
def preflight() -> ModuleType:
    return LOAD("preflight")


@pytest.fixture(scope="session")
def templates() -> ModuleType:
    """How the preflight's tests fill in templates; a module, of which one function is replaced below."""
    spec = importlib.util.spec_from_file_location("preflight_conftest", ROOT / "tests/unit/preflight/conftest.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def planned(compose: ModuleType) -> Callable[..., Any]:
    """The plan for a file, and its resolved model."""
    models: dict[Path, Any] = {}

    def plan(path: Path, **answers: str) -> tuple[Any, Any]:
        if path not in models:
            models[path], _ = sys.modules["madang_compose.resolve"].resolve(path)
        return compose.plan(models[path], path, ROOT, compose.Answers(answers), NOW), models[path]

    return plan


def known(value: Any) -> Any:
    """The value, with nothing where only Ansible can look something up."""
    if isinstance(value, dict):
        return {key: known(element) for key, element in value.items()}
    if isinstance(value, list):
        return [known(element) for element in value]
    return None if isinstance(value, Undefined) else value


@pytest.fixture(scope="session")
def effective(templates: ModuleType) -> Callable[..., dict[str, Any]]:
    """What the roles' defaults, group_vars and the lab's inventory give together, with files of group_vars replaced."""

    def values(replaced: list[dict[str, str]], *, defaults: bool = True) -> dict[str, Any]:
        raw: dict[str, Any] = {}
        for path in sorted((ROOT / "roles").glob("*/defaults/main.yml")) if defaults else []:
            raw |= yaml.safe_load(path.read_text()) or {}
        texts = {str(path): path.read_text() for path in sorted(GROUP_VARS.glob("*.yml"))}
        texts |= {file["path"]: file["after"] for file in replaced}
        for text in texts.values():
            raw |= sys.modules["madang_compose.write"].load(text)
        for path in sorted((ROOT / "inventories/lab/group_vars/all").glob("*.yml")):
            raw |= yaml.safe_load(path.read_text())
        templates.written = lambda inventory: raw
        found: dict[str, Any] = templates.variables_of("lab")
        return {name: known(value) for name, value in found.items()}

    return values
