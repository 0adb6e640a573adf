"""The end of the deployment: all that site.yml made goes, and nothing else. It stands after what needs it."""

from __future__ import annotations

import functools

import pytest

from tests import kill
from tests.account import everything, others
from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

PLAYBOOK = str(story.ROOT / ".venv/bin/ansible-playbook")
DESTROY = (PLAYBOOK, "playbooks/destroy.yml", "-e", "confirm=madang", "-e", "destroy_data=madang-lab")


def machines() -> set[str]:
    return {each["name"] for each in story.status()["instances"].values() if each["state"] == "running"}


def test_destroy_takes_the_deployment_away_and_leaves_what_others_have(
    deployment: Deployment, another_environment: set[str]
) -> None:
    lab = story.status()
    client = functools.cache(story.client)
    ours = everything(client) - another_environment
    others(client, "madang-lab", {}, "untagged", "10.30.0.0/24")
    theirs = everything(client) - ours
    assert theirs - another_environment

    refused = story.run(*DESTROY[:-2])
    assert refused.status != 0
    assert "This would lose data: the databases on db1 and db2" in " ".join(refused.output.split())
    assert ours <= everything(client)

    # Hosts and gateways are going, and CloudFront's part is half done.
    kill.kill_at(lab["endpoint_url"], "cloudfront", "DeleteDistribution", DESTROY, {})
    done = story.run(*DESTROY)
    assert done.status == 0, done.output[-6000:]
    assert everything(client) == theirs
    assert machines() == {"db1"}, "somebody else's"
    assert not (story.ROOT / ".lab/deployment/id_ed25519").exists()
