"""The preflight as Ansible runs it: with real variables, real templates, and nobody to ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def preflight(inventory: str, variables: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run it with only the control machine in the inventory, so that AWS is not asked even what runs there."""
    return subprocess.run(
        [
            Path(sys.executable).parent / "ansible-playbook",
            "-i",
            f"inventories/{inventory}/localhost.yml",
            "playbooks/preflight.yml",
            "-e",
            json.dumps(variables),
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_the_products_own_variables_pass(inventory: str) -> None:
    run = preflight(inventory, {})
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_mistake_is_said_at_once_each_on_a_line_of_its_own() -> None:
    wrong = {"network_cidr": "10.20.0.1/16", "mysql_sorce": "db1", "network_zone": "{{ nothing_has_this_name }}"}
    run = preflight("production", wrong)
    assert run.returncode == 2
    said = {line.strip() for line in run.stdout.splitlines()}
    assert {
        "network_zone has no value ('nothing_has_this_name' is undefined); write one that can be known before anything"
        " is created.",
        "The variable's name is mysql_sorce, which nothing reads; write mysql_source.",
        "network_cidr is 10.20.0.1/16, which has bits set beyond its length; write 10.20.0.0/16.",
    } <= said


def test_a_variable_that_only_later_plays_can_resolve_passes() -> None:
    run = preflight("lab", {"backend_environment": {"ACCOUNT": "{{ discover_account_id }}"}})
    assert run.returncode == 0, run.stdout + run.stderr
