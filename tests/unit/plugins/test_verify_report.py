"""What a host's probe said, as Ansible remembers it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

ROOT = Path(__file__).parents[3]
answer = runpy.run_path(str(ROOT / "plugins/action/verify_report.py"))["answer"]


def remembered(**probe: Any) -> dict[str, Any]:
    """The variables of an inventory with one host, on which this became of the probe."""
    loader = DataLoader()
    inventory = InventoryManager(loader, sources=["db1,"])
    variables = VariableManager(loader, inventory)
    if probe:
        variables.set_nonpersistent_facts("db1", {"verify_probe": probe})
    return {"hostvars": HostVars(inventory, variables, loader)}


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ({}, None),
        ({"skipped": True}, None),
        ({"unreachable": True}, {"problem": "it cannot be reached by SSH"}),
        ({"stdout": '{"address": null}'}, {"address": None}),
        ({"stdout": "", "stderr": "first\nno python3\n"}, {"problem": "no python3"}),
    ],
)
def test_an_answer_is_what_the_probe_said_or_why_it_said_nothing(
    probe: dict[str, Any], said: dict[str, Any] | None
) -> None:
    assert answer(remembered(**probe), "db1") == said


def test_a_host_that_the_inventory_does_not_have_said_nothing() -> None:
    assert answer(remembered(), "db2") is None
