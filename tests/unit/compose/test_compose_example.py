"""The example's own compose file, which group_vars as they stand deploy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[3]
EXAMPLE = str(ROOT / "examples/compose.yaml")


def test_importing_the_example_deploys_it_unchanged(
    compose: ModuleType, effective: Callable[..., dict[str, Any]]
) -> None:
    made = compose.import_compose({"compose": EXAMPLE, "compose_project_name": "madang"}, ROOT)
    before, after = effective([]), effective(made["files"])
    assert after.pop("project_compose") == "examples/compose.yaml"
    assert after == before


def test_its_own_name_is_all_that_it_brings(compose: ModuleType, effective: Callable[..., dict[str, Any]]) -> None:
    made = compose.import_compose({"compose": EXAMPLE}, ROOT)
    after = effective(made["files"])
    assert after.pop("project_compose") == "examples/compose.yaml"
    assert after.pop("project_name") == "nalssi"
    before = effective([])
    before.pop("project_name")
    assert json.loads(json.dumps(after).replace("nalssi", "madang")) == json.loads(json.dumps(before))


def test_nothing_of_it_counts_as_somebodys(compose: ModuleType) -> None:
    assert compose.import_compose({"compose": EXAMPLE}, ROOT)["replaced"] == []
