"""The collector's function and its schedule: what is promised, and the sentence that names each broken promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.verify.conftest import Scene

NAME = "shop-lab-collector"
ARN = f"arn:aws:lambda:ap-northeast-2:123456789012:function:{NAME}"
RUN = "ansible-playbook site.yml --tags collector puts it right."
BY_HAND = f"It looks for the role {NAME}-schedule: where that is gone, delete them by hand."
FUNCTION: dict[str, Any] = {
    "function_name": NAME,
    "function_arn": ARN,
    "runtime": "python3.13",
    "state": "Active",
    "vpc_config": {"subnet_ids": ["subnet-app-a"], "security_group_ids": ["sg-backend"], "vpc_id": "vpc-1"},
}
SCHEDULE: dict[str, Any] = {
    "name": NAME,
    "schedule_expression": "rate(1 minute)",
    "state": "ENABLED",
    "target": {"arn": ARN},
}


def on(where: str, function: dict[str, Any] | None, schedule: dict[str, Any] | None, scene: Scene) -> Scene:
    scene.configuration["function"]["runs_on"] = where
    scene.state |= {"function": function, "schedule": schedule}
    return scene


def promised(scene: Scene) -> list[tuple[str, str]]:
    return [(each.subject, each.says) for each in scene.held if each.section == "Function"]


def test_a_function_is_active_in_its_place_and_its_schedule_fires_it(scene: Scene) -> None:
    on("lambda", FUNCTION, SCHEDULE, scene)
    assert scene.sentences == []
    assert promised(scene) == [
        (NAME, "is Active"),
        (NAME, "in the subnet app-a"),
        (NAME, "in the group backend"),
        (f"the schedule {NAME}", "is ENABLED"),
        (f"the schedule {NAME}", "fires the function"),
        (f"the schedule {NAME}", "fires at rate(1 minute)"),
    ]
    assert f"  ✓ {NAME}               in the subnet app-a  (subnet-app-a)" in scene.verify.terminal.render(scene.held)


def test_the_order_of_subnets_and_groups_is_nobodys_matter(scene: Scene) -> None:
    place = {"subnet_ids": ["subnet-database-a", "subnet-app-a"], "security_group_ids": ["sg-database", "sg-backend"]}
    on("lambda", FUNCTION | {"vpc_config": place}, SCHEDULE, scene)
    scene.configuration["function"] |= {"subnets": ["app-a", "database-a"], "groups": ["backend", "database"]}
    assert scene.sentences == []
    assert (NAME, "in the subnets app-a and database-a") in promised(scene)


def test_a_collector_on_a_host_leaves_no_function(scene: Scene) -> None:
    assert promised(scene) == [(NAME, "is not there")]
    assert scene.sentences == []


def test_a_run_without_hosts_promises_nothing_of_it(scene: Scene) -> None:
    on("lambda", None, None, scene).configuration["function"]["name"] = ""
    assert promised(scene) == []


Broken = Callable[[Scene], Any]


def function(**values: Any) -> Broken:
    return lambda scene: on("lambda", FUNCTION | values, SCHEDULE, scene)


def placed(**values: Any) -> Broken:
    return function(vpc_config=FUNCTION["vpc_config"] | values)


def schedule(**values: Any) -> Broken:
    return lambda scene: on("lambda", FUNCTION, SCHEDULE | values, scene)


def left(function: dict[str, Any] | None, schedule: dict[str, Any] | None) -> Broken:
    return lambda scene: on("ec2", function, schedule, scene)


BROKEN: list[tuple[str, Broken, list[str]]] = [
    ("no function", lambda scene: on("lambda", None, SCHEDULE, scene), [
        f"There is no function {NAME}, and must be one: collector_runs_on is lambda. {RUN}",
    ]),
    ("failed", function(state="Failed", state_reason="The subnet has no room."), [
        f"The function {NAME} is Failed (The subnet has no room), and must be Active. Delete it, and ansible-playbook "
        "site.yml --tags collector makes it anew.",
    ]),
    ("pending", function(state="Pending"), [
        f"The function {NAME} is Pending, and must be Active. Lambda is still making it: verify again in a minute.",
    ]),
    ("inactive", function(state="Inactive", state_reason="The function is idle."), [
        f"The function {NAME} is Inactive (The function is idle), and must be Active. Nobody called it for weeks, so "
        "Lambda took its interfaces: invoke it, which fails once, and verify again in a minute.",
    ]),
    ("another subnet", placed(subnet_ids=["subnet-database-a"]), [
        f"The function {NAME} is in the subnet database-a, and must be in the subnet app-a. {RUN}",
    ]),
    ("a subnet too many", placed(subnet_ids=["subnet-elsewhere", "subnet-app-a"]), [
        f"The function {NAME} is in the subnets app-a and subnet-elsewhere, and must be in the subnet app-a. {RUN}",
    ]),
    ("another group", placed(security_group_ids=["sg-database"]), [
        f"The function {NAME} is in the group database, and must be in the group backend. {RUN}",
    ]),
    ("outside the VPC", function(vpc_config=None), [
        f"The function {NAME} is in no subnet, and must be in the subnet app-a. {RUN}",
        f"The function {NAME} is in no group, and must be in the group backend. {RUN}",
    ]),
    ("no schedule", lambda scene: on("lambda", FUNCTION, None, scene), [
        f"There is no schedule {NAME}, so nothing fires the function. {RUN}",
    ]),
    ("disabled", schedule(state="DISABLED"), [
        f"The schedule {NAME} is DISABLED, and must be ENABLED: nothing fires the function. {RUN}",
    ]),
    ("another target", schedule(target={"arn": f"{ARN}-old"}), [
        f"The schedule {NAME} fires {ARN}-old, and must fire the function {NAME}. {RUN}",
    ]),
    ("another time", schedule(schedule_expression="rate(5 minutes)"), [
        f"The schedule {NAME} fires at rate(5 minutes), and must at rate(1 minute). {RUN}",
    ]),
    ("a function left", left(FUNCTION, None), [
        f"There is a function {NAME}, and must not be: collector_runs_on is ec2. {RUN} {BY_HAND}",
    ]),
    ("a schedule left", left(None, SCHEDULE), [
        f"There is a schedule {NAME}, and must not be: collector_runs_on is ec2. {RUN} {BY_HAND}",
    ]),
    ("both left", left(FUNCTION, SCHEDULE), [
        f"There are a function and a schedule {NAME}, and must not be: collector_runs_on is ec2. {RUN} {BY_HAND}",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "says"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_promise_is_one_sentence_that_names_it(broken: Broken, says: list[str], scene: Scene) -> None:
    broken(scene)
    assert scene.sentences == says
