"""The example product: its compose file, its locks, and that roles and compose agree on what it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((EXAMPLES / "compose.yaml").read_text()))


def test_compose_has_the_five_services_and_builds_only_what_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"frontend", "backend", "collector", "db1", "db2"}
    for service in compose["services"].values():
        if "build" in service:
            assert (EXAMPLES / service["build"] / "Dockerfile").is_file()


def test_compose_mounts_only_files_that_are_there(compose: dict[str, Any]) -> None:
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    paths = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert paths
    assert all((EXAMPLES / path).is_file() for path in paths)


def test_compose_keeps_passwords_out_of_the_environment(compose: dict[str, Any]) -> None:
    names = [name for service in compose["services"].values() for name in service.get("environment", {})]
    assert [name for name in names if "PASSWORD" in name and not name.endswith("_FILE")] == []


@pytest.mark.parametrize("name", ["backend", "collector"])
def test_a_service_is_told_the_same_in_compose_and_by_its_role(compose: dict[str, Any], name: str) -> None:
    variables = yaml.safe_load((ROOT / f"roles/{name}/vars/main.yml").read_text())
    by_role = {*variables[f"{name}__own_environment"], *variables[f"{name}__database_environment"]}
    by_role.add(variables[f"{name}__password"]["variable"])
    by_compose = set(compose["services"][name]["environment"]) - {"RUNTIME_DIRECTORY"}  # systemd's, for the collector
    assert by_compose == by_role - {"DATABASE_PORT"}  # the usual one


@pytest.mark.parametrize("name", ["backend", "collector"])
def test_every_python_dependency_is_pinned_with_its_hash_and_no_host(name: str) -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        text = (EXAMPLES / name / lock).read_text()
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#", "-"))]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
        assert "://" not in text


def test_the_frontends_lock_names_checksums_and_no_host() -> None:
    lock = json.loads((EXAMPLES / "frontend/package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry] == []


def test_the_lambda_handler_is_where_lambda_would_look_for_it() -> None:
    assert "def handler(event: Any, context: Any)" in (EXAMPLES / "collector/readings_collector/handler.py").read_text()
