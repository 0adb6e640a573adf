"""A state to plan from."""

from __future__ import annotations

import pytest

from lab.network.model import (
    Interface,
    NatGateway,
    PrefixList,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
    State,
    Subnet,
    Vpc,
)


@pytest.fixture
def state() -> State:
    """A VPC with a public and a private subnet, a NAT gateway, and a host in each."""
    local = Route("10.0.0.0/16", "local")
    return State(
        vpcs=(Vpc("vpc-1", ("10.0.0.0/16",), "igw-1"),),
        subnets=(
            Subnet("subnet-public", "vpc-1", "10.0.1.0/24", "ap-northeast-2a", "rtb-public"),
            Subnet("subnet-private", "vpc-1", "10.0.2.0/24", "ap-northeast-2a", "rtb-private"),
        ),
        route_tables=(
            RouteTable("rtb-public", "vpc-1", (local, Route("0.0.0.0/0", "igw-1"))),
            RouteTable("rtb-private", "vpc-1", (local, Route("0.0.0.0/0", "nat-1"))),
        ),
        interfaces=(
            Interface("eni-nat", "vpc-1", "subnet-public", "10.0.1.10", "06:00:00:00:01:0a", "nat_gateway", "nat-1"),
            Interface(
                "eni-web",
                "vpc-1",
                "subnet-public",
                "10.0.1.20",
                "06:00:00:00:01:14",
                "instance",
                "i-1",
                frozenset({"sg-web"}),
                "198.18.64.20",
            ),
            Interface(
                "eni-app",
                "vpc-1",
                "subnet-private",
                "10.0.2.5",
                "06:00:00:00:02:05",
                "instance",
                "i-2",
                frozenset({"sg-app"}),
            ),
        ),
        nat_gateways=(NatGateway("nat-1", "vpc-1", "subnet-public", "eni-nat", "198.18.64.10"),),
        security_groups=(
            SecurityGroup("sg-web", "vpc-1", "web", (Rule("egress", "-1", cidr="0.0.0.0/0"),)),
            SecurityGroup("sg-app", "vpc-1", "app", (Rule("ingress", "tcp", 8000, 8000, group_id="sg-web"),)),
        ),
        prefix_lists=(PrefixList("pl-s3", "com.amazonaws.ap-northeast-2.s3", ("203.0.113.0/24", "2001:db8::/32")),),
    )
