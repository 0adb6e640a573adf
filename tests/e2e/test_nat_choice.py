"""Four ways out, and the ways between them, on the running product: briefly interrupted at most, and never open."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import story
from tests.e2e.conftest import Deployment
from tests.e2e.nat_watch import watching

pytestmark = pytest.mark.namespaces

TAGS = "network,security_groups,instances,verify"
ONE_GATEWAY, GATEWAYS, ONE_INSTANCE, INSTANCES = (
    (kind, per_az) for kind in ("gateway", "instance") for per_az in (False, True)
)
DEFAULT = ONE_GATEWAY
# From the default by every switch, each once, back to it.
CHOICES = [
    DEFAULT, ONE_INSTANCE, INSTANCES, GATEWAYS, ONE_GATEWAY, GATEWAYS, ONE_INSTANCE, ONE_GATEWAY, INSTANCES,
    ONE_INSTANCE, GATEWAYS, INSTANCES, DEFAULT,
]  # fmt: skip
SWITCHES = list(itertools.pairwise(CHOICES))
# How many ways out each choice has, by gateways and by instances.
WAYS = {ONE_GATEWAY: (1, 0), GATEWAYS: (2, 0), ONE_INSTANCE: (0, 1), INSTANCES: (0, 2)}
# Seconds without an answer from outside, once at most; the measured ones stand in docs/nat.md.
BRIEFLY = 3.0


def switch(choice: tuple[str, bool], tags: str = TAGS, subnet: str = "public-a") -> story.Done:
    kind, per_az = choice
    variables = {"network_nat": kind, "network_nat_per_az": per_az, "network_nat_subnet": subnet}
    chosen = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
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


def words(choice: tuple[str, bool]) -> str:
    return f"{choice[0]}{' in each zone' if choice[1] else ''}"


def switched(name: str, choice: tuple[str, bool], record: Any, subnet: str = "public-a") -> None:
    """Switch, watched from both sides, and say how long who was without an answer."""
    before = story.readings()
    with watching("backend", "collector") as watched:
        switch(choice, subnet=subnet)
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


def place() -> str:
    """The name of the subnet that the one gateway stands in."""
    (gateway,) = gateways()
    subnets = story.client("ec2").describe_subnets(SubnetIds=[gateway["SubnetId"]])["Subnets"]
    return next(str(tag["Value"]) for tag in subnets[0]["Tags"] if tag["Key"] == "Name")


def test_the_gateway_moves_to_another_subnet_and_back(deployment: Deployment, record_property: Any) -> None:
    switched("gateway, to another subnet", DEFAULT, record_property, "public-c")
    assert place() == "madang-lab-public-c"
    switched("gateway, back from another subnet", DEFAULT, record_property)
    assert place() == "madang-lab-public-a"


@pytest.mark.parametrize(("before", "after"), SWITCHES, ids=lambda choice: words(choice).replace(" ", "-"))
def test_each_choice_takes_the_place_of_each_other(
    before: tuple[str, bool], after: tuple[str, bool], deployment: Deployment, record_property: Any
) -> None:
    assert (len(gateways()), len(story.running("nat"))) == WAYS[before]
    switched(f"{words(before)} to {words(after)}", after, record_property)
    assert (len(gateways()), len(story.running("nat"))) == WAYS[after]


def test_no_switch_was_left_out() -> None:
    assert set(SWITCHES) == set(itertools.permutations(WAYS, 2))


def test_nothing_of_the_other_choices_is_left(deployment: Deployment) -> None:
    ec2 = story.client("ec2")
    assert len(addresses()) == 1
    tables = ec2.describe_route_tables(Filters=[{"Name": "tag:Project", "Values": ["madang"]}])["RouteTables"]
    assert len(tables) == 2
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["madang-lab-nat"]}])
    assert groups["SecurityGroups"] == []
    assert story.inside("backend", "getent hosts nat").status != 0


def test_a_nat_instance_that_died_is_replaced_under_the_same_address(deployment: Deployment) -> None:
    switch(ONE_INSTANCE)
    again = switch(ONE_INSTANCE)
    assert set(story.changes(again.output).values()) == {0}, again.output[-6000:]
    died, outside = story.running("nat")[0]["InstanceId"], addresses()
    story.client("ec2").terminate_instances(InstanceIds=[died])
    story.eventually(lambda: story.running("nat"), [].__eq__)
    switch(ONE_INSTANCE)
    assert story.running("nat")[0]["InstanceId"] != died
    assert addresses() == outside
