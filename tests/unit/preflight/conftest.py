"""The package that decides, and the product's own variables as a user finds them."""

from __future__ import annotations

import contextlib
import copy
import functools
import runpy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.nativetypes import NativeEnvironment

ROOT = Path(__file__).parents[3]
ABSENT = "(absent)"
TEMPLATES = NativeEnvironment(undefined=StrictUndefined)


@pytest.fixture(scope="session")
def preflight() -> ModuleType:
    package: ModuleType = runpy.run_path(str(ROOT / "plugins/packages.py"))["load"]("preflight")
    return package


@functools.cache
def compiled(template: str) -> Template:
    return TEMPLATES.from_string(template)


@functools.cache
def written(inventory: str) -> dict[str, Any]:
    """What stands in the files."""
    variables: dict[str, Any] = {}
    for directory in (ROOT / "group_vars/all", ROOT / "inventories" / inventory / "group_vars/all"):
        for path in sorted(directory.glob("*.yml")):
            variables |= yaml.safe_load(path.read_text())
    return variables


def resolved(value: Any, variables: dict[str, Any]) -> Any:
    """The value with its templates filled in, those of other variables included."""
    if isinstance(value, dict):
        return {key: resolved(element, variables) for key, element in value.items()}
    if isinstance(value, list):
        return [resolved(element, variables) for element in value]
    if isinstance(value, str) and "{{" in value:
        return resolved(compiled(value).render(variables), variables)
    return value


def variables_of(inventory: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """What group_vars and one inventory give, changed; what only Ansible itself can look up is left out."""
    raw = copy.deepcopy(written(inventory))
    for path_of_change, value in (changes or {}).items():
        change(raw, path_of_change, value)
    values: dict[str, Any] = {}
    for _ in range(3):  # a template may name a variable that is a template
        for name, value in raw.items():
            with contextlib.suppress(TemplateError):
                values[name] = resolved(value, values)
    return values


def change(variables: dict[str, Any], path: str, value: Any) -> None:
    """Set what ``path`` names (``network_subnets.0.cidr``), or take it away where the value is ``(absent)``."""
    *way, last = path.split(".")
    place: Any = variables
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last) : int(last) + 1] = [value]
    elif value == ABSENT:
        del place[last]
    else:
        place[last] = value


@pytest.fixture(scope="session")
def refused(preflight: ModuleType) -> Callable[..., list[str]]:
    """What is said of an inventory's variables with these changes."""

    def sentences(changes: dict[str, Any], inventory: str = "lab") -> list[str]:
        variables = variables_of(inventory, changes)
        found: list[str] = preflight.problems(variables, variables, ROOT)
        return found

    return sentences


@pytest.fixture(scope="session")
def lab_variables() -> dict[str, Any]:
    return variables_of("lab")


@pytest.fixture(scope="session")
def changed() -> Callable[[dict[str, Any], str, Any], None]:
    """Changes one place of some variables."""
    return change
