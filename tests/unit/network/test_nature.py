from __future__ import annotations

from dataclasses import replace

import pytest

from lab.network.model import Route, RouteTable, State
from lab.network.nature import describe, explain, nature


def with_routes(state: State, *routes: Route) -> State:
    """The private subnet's table holding only these."""
    tables = (state.route_tables[0], RouteTable("rtb-private", "vpc-1", routes))
    return replace(state, route_tables=tables)


def test_a_route_to_the_internet_gateway_makes_a_subnet_public_and_one_to_nat_private(state: State) -> None:
    assert [nature(subnet, state) for subnet in state.subnets] == ["public", "private"]


def test_the_reason_names_the_route_that_decides(state: State) -> None:
    assert explain(state.subnets[0], state).reason == "rtb-public routes 0.0.0.0/0 to igw-1"
    assert explain(state.subnets[1], state).reason == "rtb-private routes 0.0.0.0/0 to nat-1"


@pytest.mark.parametrize(
    ("routes", "expected", "reason"),
    [
        ([], "isolated", "rtb-private has no route out"),
        ([Route("0.0.0.0/0", "eni-web")], "private", "rtb-private routes 0.0.0.0/0 to eni-web"),
        ([Route("192.168.0.0/16", "eni-web")], "isolated", "rtb-private has no route out"),
        ([Route("pl-s3", "vpce-1")], "isolated", "rtb-private has no route out"),
        ([Route("198.51.100.0/24", "igw-1")], "public", "rtb-private routes 198.51.100.0/24 to igw-1"),
        (
            [Route("0.0.0.0/0", "nat-gone")],
            "isolated",
            "rtb-private routes 0.0.0.0/0 to nat-gone, which is not there",
        ),
        (
            [Route("0.0.0.0/0", "igw-detached")],
            "isolated",
            "rtb-private routes 0.0.0.0/0 to igw-detached, which is not there",
        ),
        (
            [Route("0.0.0.0/0", "nat-1"), Route("198.51.100.0/24", "igw-1")],
            "public",
            "rtb-private routes 198.51.100.0/24 to igw-1",
        ),
    ],
)
def test_the_table_decides(state: State, routes: list[Route], expected: str, reason: str) -> None:
    described = explain(state.subnets[1], with_routes(state, *routes))
    assert (described.nature, described.reason) == (expected, reason)


def test_a_subnet_without_a_table_is_isolated(state: State) -> None:
    assert nature(replace(state.subnets[0], route_table_id="rtb-gone"), state) == "isolated"


def test_subnets_are_described_by_zone_and_then_address(state: State) -> None:
    swapped = replace(state, subnets=state.subnets[::-1])
    assert [each.subnet.id for each in describe(swapped)] == ["subnet-public", "subnet-private"]
