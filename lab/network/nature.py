"""What makes a subnet public or private: its route table, and nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.network.model import Route, State, Subnet

Nature = Literal["public", "private", "isolated"]

# What stands between a private subnet and the internet: a gateway, or an instance's interface.
_NAT = ("nat-", "eni-")


@dataclass(frozen=True)
class Described:
    """A subnet for people: ``reason`` is a clause, to stand after the nature."""

    subnet: Subnet
    nature: Nature
    reason: str


def nature(subnet: Subnet, state: State) -> Nature:
    """Public: a route to the VPC's internet gateway. Private: a default route to a NAT gateway or instance."""
    return explain(subnet, state).nature


def explain(subnet: Subnet, state: State) -> Described:
    """The subnet's nature, and the route that decides it."""
    table = next((each for each in state.route_tables if each.id == subnet.route_table_id), None)
    if table is None:
        return Described(subnet, "isolated", "it has no route table")
    ways: list[tuple[Nature, Route]] = [
        *(("public", route) for route in table.routes if route.target.startswith("igw-")),
        *(("private", route) for route in table.routes if _is_default(route) and route.target.startswith(_NAT)),
    ]
    for found, route in ways:
        words = f"{table.id} routes {route.destination} to {route.target}"
        if _is_there(subnet, route, state):
            return Described(subnet, found, words)
    if ways:
        return Described(subnet, "isolated", f"{words}, which is not there")
    return Described(subnet, "isolated", f"{table.id} has no route out")


def describe(state: State) -> tuple[Described, ...]:
    """Every subnet with its nature, in the order of VPC, zone and addresses."""
    ordered = sorted(state.subnets, key=lambda each: (each.vpc_id, each.availability_zone, each.cidr))
    return tuple(explain(subnet, state) for subnet in ordered)


def _is_there(subnet: Subnet, route: Route, state: State) -> bool:
    """Whether a route's target exists in the subnet's VPC; a route to what is gone is a blackhole."""
    if route.target.startswith("igw-"):
        return any(vpc.id == subnet.vpc_id and vpc.internet_gateway_id == route.target for vpc in state.vpcs)
    if route.target.startswith("nat-"):
        return any(nat.id == route.target and nat.vpc_id == subnet.vpc_id for nat in state.nat_gateways)
    return any(each.id == route.target and each.vpc_id == subnet.vpc_id for each in state.interfaces)


def _is_default(route: Route) -> bool:
    return route.destination == "0.0.0.0/0"
