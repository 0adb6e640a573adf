"""Choices that meet, made in one run: a function that gets out by a NAT instance, and writes to one of two servers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

CHOSEN = {"network_nat": "instance", "collector_runs_on": "lambda", "mysql_topology": "independent"}
TAGS = "network,security_groups,instances,database,collector,verify"


def deploy(**variables: str) -> story.Done:
    done = story.run("ansible-playbook", "site.yml", "--tags", TAGS, "-e", json.dumps(variables))
    assert done.status == 0, done.output[-6000:]
    return done


def fetched() -> int | None:
    """How many readings one round of the function fetched; None where it failed."""
    answer = story.client("lambda").invoke(FunctionName="madang-lab-collector")
    said = json.loads(answer["Payload"].read())
    return None if "FunctionError" in answer else int(said["fetched"])


def check(on: bool) -> None:
    """Switch the source/destination check of the NAT instance."""
    instance = story.running("nat")[0]["InstanceId"]
    story.client("ec2").modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": on})
    story.settle()


def come_back() -> None:
    back = story.run("ansible-playbook", "playbooks/reseed_replica.yml", "-e", "host=db2", "-e", "confirm=db2")
    assert back.status == 0, back.output[-6000:]
    deploy()


@pytest.fixture
def as_by_default(deployment: Deployment) -> Iterator[None]:
    """Whatever becomes of the test, the choices end as by default."""
    yield
    if story.client("lambda").list_functions()["Functions"]:
        come_back()


def test_a_function_behind_a_nat_instance_writes_to_an_independent_server_and_all_comes_back(
    as_by_default: None,
) -> None:
    before = story.readings()
    deploy(**CHOSEN)
    assert fetched()
    assert before <= story.readings("db1")

    # That instance is its way out, and there is no other.
    check(on=True)
    assert fetched() is None
    check(on=False)
    assert fetched()

    # Only its own server has what comes now.
    written = story.readings("db1")
    assert written > before
    assert not story.readings("db2") >= written
    again = deploy(**CHOSEN)
    assert set(story.changes(again.output).values()) == {0}, again.output[-6000:]

    come_back()
    assert written <= story.readings("db1")
    assert written <= story.readings("db2")
