"""The collector moves from its host into Lambda and back, on a running product, and no row is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.namespaces

NAME = "madang-lab-collector"


def deploy(where: str, tags: str) -> story.Done:
    done = story.run("ansible-playbook", "site.yml", "--tags", tags, "-e", f"collector_runs_on={where}")
    assert done.status == 0, done.output[-6000:]
    return done


def interfaces() -> list[dict[str, Any]]:
    filters = [{"Name": "description", "Values": [f"AWS Lambda VPC ENI-{NAME}-*"]}]
    found: list[dict[str, Any]] = story.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return found


def hosts() -> set[str]:
    return {each["name"] for each in story.status()["instances"].values() if each["state"] == "running"}


@pytest.fixture
def on_a_host_again(deployment: Deployment) -> Iterator[None]:
    """Whatever becomes of the test, the collector ends on its host, as by default."""
    yield
    if story.client("scheduler").list_schedules()["Schedules"] or "collector" not in hosts():
        deploy("ec2", "instances,collector")


def test_the_collector_moves_into_lambda_and_back_without_losing_a_row(on_a_host_again: None) -> None:
    before = story.readings()
    assert before

    deploy("lambda", "collector")
    assert hosts() == {"backend", "db1", "db2"}
    assert len(interfaces()) == 2
    assert before <= story.readings()

    # What runs now is the function alone, and what it writes arrives: by hand, and then by the schedule.
    answer = story.client("lambda").invoke(FunctionName=NAME)
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read())["fetched"] > 0
    invoked = story.readings()
    assert invoked > before
    story.eventually(story.readings, lambda found: found > invoked, 90)

    again = deploy("lambda", "instances,collector,verify")
    assert set(story.changes(again.output).values()) == {0}, again.output[-6000:]

    last = story.readings()
    deploy("ec2", "instances,collector")
    assert hosts() == {"backend", "collector", "db1", "db2"}
    assert interfaces() == []
    assert story.client("lambda").list_functions()["Functions"] == []
    assert story.client("scheduler").list_schedules()["Schedules"] == []
    assert [role for role in story.client("iam").list_roles()["Roles"] if role["RoleName"].startswith(NAME)] == []
    assert last <= story.readings()
    story.eventually(story.readings, lambda found: found > last, 30)
    assert not (story.ROOT / ".lab/functions" / NAME).exists()
