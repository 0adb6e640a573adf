"""The network as it is built, from what the user wrote: ways out, tables, and what NAT instances need."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FILTERS: dict[str, Callable[..., Any]] = runpy.run_path(str(ROOT / "plugins/filter/network.py"))[
    "FilterModule"
]().filters()
layout, with_nat_group = FILTERS["network_layout"], FILTERS["with_nat_group"]

OUT = [{"destination": "0.0.0.0/0", "target": "internet_gateway"}]
NAT = [{"destination": "0.0.0.0/0", "target": "nat"}]
TABLES = [{"name": "public", "routes": OUT}, {"name": "private", "routes": NAT}]


def subnets(*written: str) -> list[dict[str, str]]:
    """``public-a`` is a subnet in zone a with the table public."""
    return [
        {"name": name, "cidr": f"10.0.{index}.0/24", "zone": name[-1], "route_table": name.rpartition("-")[0]}
        for index, name in enumerate(written)
    ]


TWO = subnets("public-a", "public-c", "private-a", "private-c")
SIX = subnets(*(f"{table}-{zone}" for table in ("public", "private") for zone in "abcdef"))


def ways(built: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str, str]]:
    return [(way["name"], way["subnet"], way["address"]) for way in built["ways"]]


def follows(built: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    return {subnet["name"]: subnet["route_table"] for subnet in built["subnets"]}


def leads(built: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {table["name"]: [route["target"] for route in table["routes"]] for table in built["tables"]}


@pytest.mark.parametrize(
    ("kind", "per_zone", "expected"),
    [
        ("gateway", False, [("nat", "public-a", "nat-gateway-public-a")]),
        ("instance", False, [("nat", "public-a", "nat-instance")]),
        ("gateway", True, [("nat", "public-a", "nat-gateway-public-a"), ("nat-c", "public-c", "nat-gateway-public-c")]),
        ("instance", True, [("nat", "public-a", "nat-instance"), ("nat-c", "public-c", "nat-instance-c")]),
    ],
)
def test_each_choice_has_its_ways_out(kind: str, per_zone: bool, expected: list[tuple[str, str, str]]) -> None:
    assert ways(layout(TWO, TABLES, "public-a", kind, per_zone)) == expected


def test_one_way_out_leaves_subnets_and_tables_as_they_were_written() -> None:
    built = layout(TWO, TABLES, "public-a")
    assert built["subnets"] == TWO
    assert built["tables"] == TABLES


def test_with_one_a_zone_each_other_zone_has_its_own_copy_of_the_table() -> None:
    built = layout(TWO, TABLES, "public-a", per_zone=True)
    assert follows(built) == {
        "public-a": "public", "public-c": "public", "private-a": "private", "private-c": "private-c",
    }  # fmt: skip
    assert leads(built) == {"public": ["internet_gateway"], "private": ["nat"], "private-c": ["nat-c"]}


def test_a_subnet_leaves_a_table_for_its_copy_before_the_tables_route_leads_elsewhere() -> None:
    built = layout(TWO, TABLES, "public-a", per_zone=True)
    assert [table["name"] for table in built["tables"]] == ["public", "private-c", "private"]


def test_six_zones_have_six_ways_out() -> None:
    built = layout(SIX, TABLES, "public-b", per_zone=True)
    assert [way["name"] for way in built["ways"]] == ["nat-a", "nat", "nat-c", "nat-d", "nat-e", "nat-f"]
    assert [way["subnet"] for way in built["ways"]] == [f"public-{zone}" for zone in "abcdef"]
    assert follows(built)["private-b"] == "private"
    assert follows(built)["private-f"] == "private-f"


def test_a_zone_without_private_subnets_has_no_way_out_of_its_own() -> None:
    built = layout(subnets("public-a", "public-c", "private-c"), TABLES, "public-a", per_zone=True)
    assert ways(built) == [("nat-c", "public-c", "nat-gateway-public-c")]
    assert leads(built) == {"public": ["internet_gateway"], "private-c": ["nat-c"]}


def test_where_no_subnet_is_behind_a_nat_there_is_none() -> None:
    built = layout(subnets("public-a"), TABLES[:1], "public-a", "instance", True)
    assert built["ways"] == []
    assert built["tables"] == TABLES[:1]


def test_every_table_with_a_way_out_is_copied_with_its_other_routes() -> None:
    other = {"name": "data", "routes": [*NAT, {"destination": "192.168.0.0/16", "target": "internet_gateway"}]}
    built = layout(subnets("public-a", "public-c", "private-a", "data-c"), [*TABLES, other], "public-a", per_zone=True)
    assert leads(built) == {
        "public": ["internet_gateway"], "private": ["nat"], "data-c": ["nat-c", "internet_gateway"],
    }  # fmt: skip


def test_the_home_subnet_stands_before_others_of_its_zone() -> None:
    both = [*subnets("public-a", "private-a"), {"name": "edge", "cidr": "", "zone": "a", "route_table": "public"}]
    assert ways(layout(both, TABLES, "edge")) == [("nat", "edge", "nat-gateway-edge")]


def test_a_gateway_that_moves_gets_another_elastic_ip_and_those_that_stay_keep_theirs() -> None:
    before, after = (
        dict(way[1:] for way in ways(layout(TWO, TABLES, home, per_zone=True))) for home in ("public-a", "public-c")
    )
    assert before == after
    moved = ways(layout(TWO, TABLES, "public-c"))
    assert moved == [("nat", "public-c", "nat-gateway-public-c")]


def test_routes_to_what_is_not_there_yet_are_left_out() -> None:
    routes = [*OUT, {"destination": "10.9.0.0/16", "target": "nat-c"}]
    assert FILTERS["routes_to"](routes, {"internet_gateway": "igw-1"}) == [
        {"destination": "0.0.0.0/0", "target": "igw-1"}
    ]


GROUPS = [
    {"name": "connect", "description": "", "ingress": [], "egress": [{"port": 22, "group": "app"}]},
    {
        "name": "app",
        "description": "",
        "ingress": [{"port": 22, "group": "connect"}],
        "egress": [
            {"port": 3306, "group": "db"}, {"port": 443, "cidr": "0.0.0.0/0"}, {"port": 25, "cidr": "8.8.8.0/24"},
        ],
    },
    {"name": "db", "description": "", "ingress": [{"port": 3306, "group": "app"}], "egress": []},
]  # fmt: skip


def test_with_a_gateway_the_groups_are_those_that_were_written() -> None:
    assert with_nat_group(GROUPS, "gateway") == GROUPS
    assert FILTERS["nat_instances"](layout(TWO, TABLES, "public-a")["ways"], "gateway", "t4g.nano") == []


def test_a_nat_instances_group_lets_through_what_others_may_send_out_and_no_more() -> None:
    connect, app, db, nat = with_nat_group(GROUPS, "instance")
    assert connect["egress"] == [{"port": 22, "group": "app"}, {"port": 22, "group": "nat"}]
    assert [app, db] == GROUPS[1:]
    assert nat["ingress"] == [
        {"port": 22, "group": "connect"}, {"port": 443, "group": "app"}, {"port": 25, "group": "app"},
    ]  # fmt: skip
    assert nat["egress"] == [
        {"port": 80, "cidr": "0.0.0.0/0"}, {"port": 443, "cidr": "0.0.0.0/0"}, {"port": 25, "cidr": "8.8.8.0/24"},
    ]  # fmt: skip


def test_nat_instances_stand_in_public_subnets_and_forward() -> None:
    made = FILTERS["nat_instances"](layout(TWO, TABLES, "public-a", "instance", True)["ways"], "instance", "t4g.nano")
    assert [(each["name"], each["subnet"]) for each in made] == [("nat", "public-a"), ("nat-c", "public-c")]
    assert all(each["role"] == "nat" and each["groups"] == ["nat"] and each["forwards"] for each in made)
