"""Every variable of a role is documented, specified and given a default, under one name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"
OWN = ("service", "backend", "collector", "frontend_build")


@pytest.mark.parametrize("role", OWN)
def test_defaults_specification_and_readme_name_the_same_variables(role: str) -> None:
    directory = ROLES / role
    entry_points = yaml.safe_load((directory / "meta/argument_specs.yml").read_text())["argument_specs"].values()
    options = {name: option for each in entry_points for name, option in each["options"].items()}
    required = {name for name, option in options.items() if option.get("required")}
    defaults = set(yaml.safe_load((directory / "defaults/main.yml").read_text()))
    documented = set(re.findall(rf"^\| `({role}_\w+)`", (directory / "README.md").read_text(), re.MULTILINE))
    assert defaults | required == set(options)
    assert documented == set(options)


@pytest.mark.parametrize("role", OWN)
def test_a_default_that_the_specification_repeats_is_the_same(role: str) -> None:
    directory = ROLES / role
    options = yaml.safe_load((directory / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((directory / "defaults/main.yml").read_text())
    repeated = {name: option["default"] for name, option in options.items() if "default" in option}
    assert {name: defaults[name] for name in repeated} == repeated
