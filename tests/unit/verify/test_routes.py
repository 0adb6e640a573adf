"""Routes beside the default one: what they make of a subnet, who gets out by them, and those that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.unit.verify.conftest import Scene

NETWORK = "ansible-playbook site.yml --tags network puts it right."
PRIVATE = "The table private (rtb-private)"
NOT_ASKED = "and must not: group_vars/all/network.yml has no such route."
OUTSIDE = "198.18.0.0/24"


def private(scene: Scene) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = scene.state["route_tables"][2]["routes"]
    return routes


def by_hand(destination: str, **target: str) -> Callable[[Scene], None]:
    key = (
        "destination_prefix_list_id"
        if destination.startswith("pl-")
        else "destination_ipv6_cidr_block"
        if ":" in destination
        else "destination_cidr_block"
    )
    route = {key: destination, "state": "active", "origin": "CreateRoute", **target}
    return lambda scene: private(scene).append(route)


def opened(destination: str, mends: str = NETWORK) -> list[str]:
    return [
        f"{subnet} is public, and must be private: the table private (rtb-private) sends {destination} to igw-1; "
        f"group_vars/all/network.yml gives it the table private, which makes it private. {mends}"
        for subnet in ("app-a", "database-a")
    ]


def replaced(scene: Scene) -> None:
    """The default route is gone, and another leads to the internet gateway."""
    private(scene)[1] |= {"destination_cidr_block": "198.51.100.0/24", "gateway_id": "igw-1", "nat_gateway_id": None}


EXTRA: list[tuple[Callable[[Scene], None], list[str]]] = [
    (by_hand("198.51.100.0/24", gateway_id="igw-1"), opened("198.51.100.0/24")),
    (by_hand("::/0", gateway_id="igw-1"), opened("::/0", "Delete the route for ::/0 by hand: no run does.")),
    (by_hand("pl-1", gateway_id="igw-1"), opened("pl-1", "Delete the route for pl-1 by hand: no run does.")),
    (replaced, [
        *opened("198.51.100.0/24"),
        f"{PRIVATE} has no route for 0.0.0.0/0, and must send it to a NAT gateway in public-a. {NETWORK}",
        *(f"{host} is seen outside as 198.18.0.9, and must be seen as a NAT's address. {NETWORK}"
          for host in ("backend", "db1", "db2")),
    ]),
    (by_hand(OUTSIDE, nat_gateway_id="nat-1"), [
        f"{PRIVATE} sends {OUTSIDE} to a NAT gateway in public-a, {NOT_ASKED} {NETWORK}",
    ]),
    (by_hand("192.168.0.0/16", vpc_peering_connection_id="pcx-1"), [
        f"{PRIVATE} sends 192.168.0.0/16 to pcx-1, {NOT_ASKED} {NETWORK}",
    ]),
    (by_hand("192.168.0.0/16", gateway_id="vpce-1"), [
        f"{PRIVATE} sends 192.168.0.0/16 to vpce-1, {NOT_ASKED} {NETWORK}",
    ]),
    (by_hand("2001:db8::/32", transit_gateway_id="tgw-1"), [
        f"{PRIVATE} sends 2001:db8::/32 to tgw-1, {NOT_ASKED} Delete the route for 2001:db8::/32 by hand: no run does.",
    ]),
    (by_hand("pl-s3", gateway_id="vpce-1"), []),
    (by_hand("10.1.0.0/16", gateway_id="local"), []),
    (by_hand("192.168.0.0/16", gateway_id="vgw-1", origin="EnableVgwRoutePropagation"), []),
]  # fmt: skip


@pytest.mark.parametrize(("made", "says"), EXTRA, ids=[str(index) for index in range(len(EXTRA))])
def test_a_route_that_nobody_asked_for_is_named(made: Callable[[Scene], None], says: list[str], scene: Scene) -> None:
    made(scene)
    assert scene.sentences == says


def test_the_default_routes_alone_are_promised_by_their_subnets(scene: Scene) -> None:
    assert [each.subject for each in scene.held if each.section == "Subnets"] == ["public-a", "app-a", "database-a"]


@pytest.fixture
def asked(scene: Scene) -> Iterator[Scene]:
    """The private table has a route of its own for the outside service, in the variables and in AWS."""
    scene.configuration["route_tables"][1]["routes"].append({"destination": OUTSIDE, "target": "nat"})
    by_hand(OUTSIDE, nat_gateway_id="nat-1")(scene)
    yield scene


def test_a_route_that_was_asked_for_is_promised_by_its_table(asked: Scene) -> None:
    assert asked.sentences == []
    [told] = [each for each in asked.held if each.subject == "the table private"]
    assert (told.says, told.kept) == (f"sends {OUTSIDE} to a NAT gateway in public-a", True)


def test_a_route_that_is_missing_is_named(asked: Scene) -> None:
    private(asked).pop()
    assert asked.sentences == [
        f"{PRIVATE} has no route for {OUTSIDE}, and must send it to a NAT gateway in public-a. {NETWORK}"
    ]


def test_a_route_that_leads_elsewhere_is_named(asked: Scene) -> None:
    private(asked)[-1]["nat_gateway_id"] = "nat-2"
    assert asked.sentences == [f"{PRIVATE} sends {OUTSIDE} to nat-2, and must to a NAT gateway in public-a. {NETWORK}"]


INTERNET, NAT = "internet_gateway", "nat"


@pytest.mark.parametrize(
    ("routes", "nature", "gets_out"),
    [
        ({}, "isolated", False),
        ({"0.0.0.0/0": NAT}, "private", True),
        ({"0.0.0.0/0": INTERNET}, "public", False),
        ({"198.51.100.0/24": INTERNET}, "public", False),
        ({"0.0.0.0/0": NAT, OUTSIDE: NAT}, "private", True),
        ({"0.0.0.0/0": NAT, OUTSIDE: INTERNET}, "public", None),
        ({"0.0.0.0/0": INTERNET, OUTSIDE: NAT}, "public", None),
        ({OUTSIDE: NAT}, "isolated", None),
    ],
)
def test_the_routes_decide_what_a_subnet_is_and_who_gets_out(
    routes: dict[str, str], nature: str, gets_out: bool | None, verify: ModuleType, scene: Scene
) -> None:
    table = scene.configuration["route_tables"][1]
    table["routes"] = [{"destination": destination, "target": target} for destination, target in routes.items()]
    app = verify.read(scene.configuration).subnets[1]
    assert (app.nature, app.gets_out) == (nature, gets_out)


@pytest.mark.parametrize(("seen", "kept"), [("198.18.0.9", True), (None, True), ("198.18.0.77", False)])
def test_behind_a_table_without_a_default_route_a_host_may_get_out_or_not_but_only_by_its_nat(
    seen: str | None, kept: bool, asked: Scene
) -> None:
    for routes in (private(asked), asked.configuration["route_tables"][1]["routes"]):
        routes[:] = [each for each in routes if "0.0.0.0/0" not in each.values()]
    asked.answers["db1"]["address"] = seen
    [told] = [each for each in asked.held if each.section == "Way out" and each.subject == "db1"]
    assert (told.says, told.kept) == ("is seen outside as 198.18.0.9, or by nobody", kept)
    assert ("db1 is seen outside as 198.18.0.77" in " ".join(asked.sentences)) == (not kept)
