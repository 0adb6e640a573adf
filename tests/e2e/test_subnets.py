"""A subnet is what its table makes it: moved in the variables it changes its nature, and back."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

SUBNETS = yaml.safe_load((story.ROOT / "group_vars/all/network.yml").read_text())["network_subnets"]


def promised(*arguments: str) -> dict[tuple[str, str], str]:
    """The state of what a run of the network and its verification promises."""
    done = story.run("ansible-playbook", "site.yml", "--tags", "network,verify", *arguments)
    assert done.status == 0, done.output[-6000:]
    found = json.loads((story.ROOT / ".lab/deployment/verify.json").read_text())["promises"]
    return {(each["subject"], each["says"]): each["state"] for each in found}


def test_a_subnet_whose_table_changes_in_the_variables_changes_its_nature(deployment: Deployment) -> None:
    moved = [{**each, "route_table": "public"} if each["name"] == "database-c" else each for each in SUBNETS]
    try:
        said = promised("-e", json.dumps({"network_subnets": moved}))
        assert said["database-c", "is public"] == "kept"
        # Without a public address a host there gets nowhere.
        assert said["db2", "does not get out"] == "kept"
        assert said["database-a", "is private"] == "kept"
    finally:
        back = promised()
    assert back["database-c", "is private"] == "kept"
    assert ("db2", "does not get out") not in back
