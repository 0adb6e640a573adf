"""Four ways out, and the ways between them, on the running product: briefly interrupted at most, and never open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment
from tests.e2e.nat_watch import watching

pytestmark = pytest.mark.namespaces

TAGS = "network,security_groups,instances,verify"
DEFAULT = ("gateway", False)
# The choice, and how many ways out it has by gateways and by instances.
SWITCHES = [(("instance", True), (0, 2)), (("gateway", True), (2, 0)), (DEFAULT, (1, 0))]
# Seconds without an answer from outside, once at most; the measured ones stand in docs/nat.md.
BRIEFLY = 3.0


def switch(choice: tuple[str, bool], tags: str = TAGS) -> story.Done:
    kind, per_az = choice
    chosen = ("-e", f"network_nat={kind}", "-e", f"network_nat_per_az={per_az}")
    done = story.run("ansible-playbook", "site.yml", "--tags", tags, *chosen)
    assert done.status == 0, done.output[-6000:]
    return done


def gateways() -> list[dict[str, Any]]:
    found = story.client("ec2").describe_nat_gateways(Filters=[{"Name": "state", "Values": ["pending", "available"]}])
    return list(found["NatGateways"])


def addresses() -> set[str]:
    """The Elastic IPs that the account has."""
    return {each["PublicIp"] for each in story.client("ec2").describe_addresses()["Addresses"]}


@pytest.fixture(scope="module", autouse=True)
def by_a_gateway_again(deployment: Deployment) -> Iterator[None]:
    """Whatever becomes of the tests, the way out ends as by default."""
    yield
    if story.running("nat") or len(gateways()) != 1:
        switch(DEFAULT)


def switched(choice: tuple[str, bool], record: Any) -> None:
    """Switch, watched from both sides, and say how long who was without an answer."""
    before = story.readings()
    with watching("backend", "collector") as watched:
        switch(choice)
    name = f"network_nat={choice[0]}, network_nat_per_az={choice[1]}"
    for host, gaps in watched.gaps.items():
        said = f"without an answer for {gaps or 0} s, {watched.lost[host]} connections lost"
        record(f"{name}: {host}", f"{said}, seen as {', then '.join(watched.seen[host])}")
    for gaps in watched.gaps.values():
        assert len(gaps) <= 1, watched.gaps
        assert sum(gaps) <= BRIEFLY, watched.gaps
    assert watched.answered == []
    assert addresses() <= watched.tried
    assert before <= story.readings()
    # Each host's last address is one that is there; what nobody uses any more has been given back.
    assert {seen[-1] for seen in watched.seen.values()} == addresses()
    assert all(len(seen) <= 2 for seen in watched.seen.values()), watched.seen


def test_a_nat_instance_takes_a_gateways_place(deployment: Deployment, record_property: Any) -> None:
    switched(("instance", False), record_property)
    assert (len(gateways()), len(story.running("nat"))) == (0, 1)
    again = switch(("instance", False))
    assert set(story.changes(again.output).values()) == {0}, again.output[-6000:]


def test_a_nat_instance_that_died_is_replaced_under_the_same_address(deployment: Deployment) -> None:
    before, outside = story.running("nat")[0]["InstanceId"], addresses()
    ec2 = story.client("ec2")
    ec2.terminate_instances(InstanceIds=[before])
    story.eventually(lambda: story.running("nat"), [].__eq__)
    switch(("instance", False))
    assert story.running("nat")[0]["InstanceId"] != before
    assert addresses() == outside


@pytest.mark.parametrize(("choice", "ways"), SWITCHES)
def test_each_choice_takes_the_place_of_another(
    choice: tuple[str, bool], ways: tuple[int, int], deployment: Deployment, record_property: Any
) -> None:
    switched(choice, record_property)
    assert (len(gateways()), len(story.running("nat"))) == ways


def test_nothing_of_the_other_choices_is_left(deployment: Deployment) -> None:
    ec2 = story.client("ec2")
    assert len(addresses()) == 1
    tables = ec2.describe_route_tables(Filters=[{"Name": "tag:Project", "Values": ["madang"]}])["RouteTables"]
    assert len(tables) == 2
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["madang-lab-nat"]}])
    assert groups["SecurityGroups"] == []
    assert story.inside("backend", "getent hosts nat").status != 0
