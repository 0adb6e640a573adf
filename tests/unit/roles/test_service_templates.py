"""The units and settings that a release is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible.plugins.filter.core import FilterModule

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "roles/service/templates"

SERVICE: dict[str, Any] = {
    "service_name": "web",
    "service_description": "The web",
    "service_command": "python3 -m web",
    "service_migrate_command": "",
    "service_runtime": "python",
    "service_environment": {},
    "service_credentials": [],
    "service_memory_max": "",
    "service_allow_jit": False,
    "service__release": "abc",
}


def render(name: str, **changes: Any) -> str:
    environment = jinja2.Environment(  # noqa: S701 - units are not HTML
        loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= FilterModule().filters()
    return environment.get_template(name).render(SERVICE | changes)


def settings(unit: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{name}=")]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        (8000, '"8000"'),
        ('a "word"', r'"a \"word\""'),
        ("$HOME", r'"\$HOME"'),
        ("`id`", r'"\`id\`"'),
        ("back\\slash", r'"back\\slash"'),
        ("it's 100 %", '"it\'s 100 %"'),
    ],
)
def test_a_setting_is_quoted_as_systemd_reads_it(value: object, written: str) -> None:
    assert f"NAME={written}" in render("environment.j2", service_environment={"NAME": value}).splitlines()


def test_settings_stand_in_an_order_of_their_own_so_that_the_users_order_makes_no_release() -> None:
    assert render("environment.j2", service_environment={"B": 1, "A": 2}) == render(
        "environment.j2", service_environment={"A": 2, "B": 1}
    )


def test_a_unit_names_its_own_release_and_never_the_link_to_the_current_one() -> None:
    unit = render("service.service.j2")
    assert settings(unit, "WorkingDirectory") == ["/opt/web/releases/abc/app"]
    assert settings(unit, "EnvironmentFile") == ["/opt/web/releases/abc/environment"]
    assert "/current" not in unit


def test_a_secret_is_handed_over_as_a_file_and_is_not_in_the_unit() -> None:
    secret = {"name": "password", "variable": "PASSWORD_FILE", "content": "not to be seen"}
    unit = render("service.service.j2", service_credentials=[secret])
    assert settings(unit, "LoadCredential") == ["password:/etc/web/credentials/password"]
    assert "PASSWORD_FILE=%d/password" in settings(unit, "Environment")
    assert "not to be seen" not in unit


def test_only_a_runtime_that_compiles_as_it_runs_may_make_memory_executable() -> None:
    assert settings(render("service.service.j2"), "MemoryDenyWriteExecute") == ["yes"]
    assert settings(render("service.service.j2", service_allow_jit=True), "MemoryDenyWriteExecute") == []


def test_a_migration_runs_in_the_same_sandbox_as_the_service() -> None:
    service, migration = (
        render(name, service_migrate_command="python3 -m web.migrate")
        for name in ("service.service.j2", "migrate.service.j2")
    )
    sandbox = service[service.index("User=") : service.index("[Install]")].strip()
    assert sandbox in migration
    assert settings(migration, "Type") == ["oneshot"]


def test_without_a_migration_there_is_no_unit_for_one() -> None:
    assert render("migrate.service.j2").strip() == ""


def test_a_secret_for_the_environment_is_read_by_systemd_and_is_not_in_the_unit() -> None:
    secret = {"name": "token", "variable": "TOKEN", "content": "hidden", "environment": True}
    unit = render("service.service.j2", service_credentials=[secret])
    assert "/etc/web/credentials/token" in settings(unit, "EnvironmentFile")
    assert settings(unit, "LoadCredential") == []
    assert "hidden" not in unit
