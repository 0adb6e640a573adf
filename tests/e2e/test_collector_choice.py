"""The collector moves from its host into Lambda and back, on a running product, and no row is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment
from tests.e2e.test_verify import promises

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


def hold() -> None:
    """Disable the schedule, as whoever has the console open."""
    scheduler = story.client("scheduler")
    found = scheduler.get_schedule(Name=NAME)
    kept = {key: found[key] for key in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**kept, State="DISABLED")


def held() -> dict[tuple[str, str], str]:
    """What was promised of the function, and what became of it."""
    return {(each["subject"], each["says"]): each["state"] for each in promises() if each["section"] == "Function"}


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
    kept = {
        (NAME, "is Active"): "kept",
        (NAME, "in the subnets app-a and app-c"): "kept",
        (NAME, "in the group collector"): "kept",
        (f"the schedule {NAME}", "is ENABLED"): "kept",
        (f"the schedule {NAME}", "fires the function"): "kept",
        (f"the schedule {NAME}", "fires at rate(1 minute)"): "kept",
    }
    assert held() == kept

    # A schedule that somebody disabled is a broken promise, and the only one; a run enables it.
    hold()
    told = story.run("ansible-playbook", "site.yml", "--tags", "verify", "-e", "collector_runs_on=lambda")
    assert told.status != 0
    broken = f"The schedule {NAME} is DISABLED, and must be ENABLED: nothing fires the function. "
    said = [line for line in told.output.splitlines() if line.endswith("puts it right.")]
    assert said == [f"  ✗ {broken}ansible-playbook site.yml --tags collector puts it right."], told.output[-6000:]
    deploy("lambda", "collector,verify")
    assert held() == kept

    last = story.readings()
    deploy("ec2", "instances,collector,verify")
    assert held() == {(NAME, "is not there"): "kept"}
    assert hosts() == {"backend", "collector", "db1", "db2"}
    assert interfaces() == []
    assert story.client("lambda").list_functions()["Functions"] == []
    assert story.client("scheduler").list_schedules()["Schedules"] == []
    assert [role for role in story.client("iam").list_roles()["Roles"] if role["RoleName"].startswith(NAME)] == []
    assert last <= story.readings()
    story.eventually(story.readings, lambda found: found > last, 30)
    assert not (story.ROOT / ".lab/functions" / NAME).exists()
