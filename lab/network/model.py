"""What the network planner reads: the API's state as plain, frozen data.

Ids are AWS's own (``eni-…``, ``subnet-…``); addresses and CIDRs are strings in
the usual notation, validated by the API before they get here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

InterfaceKind = Literal["instance", "nat_gateway", "instance_connect_endpoint", "vpc_origin", "lambda"]
Direction = Literal["ingress", "egress"]


@dataclass(frozen=True)
class Interface:
    """A network interface; ``owner_id`` is the instance, gateway or endpoint it serves."""

    id: str
    vpc_id: str
    subnet_id: str
    private_ip: str
    mac: str
    kind: InterfaceKind
    owner_id: str
    groups: frozenset[str] = frozenset()
    public_ip: str | None = None
    source_dest_check: bool = True
    secondary_ips: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """``destination`` is a CIDR or ``pl-…``; ``target`` is ``local``, ``igw-…``, ``nat-…``, ``eni-…``, ``vpce-…``."""

    destination: str
    target: str


@dataclass(frozen=True)
class RouteTable:
    id: str
    vpc_id: str
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Subnet:
    """``route_table_id`` is the associated table, or the VPC's main one."""

    id: str
    vpc_id: str
    cidr: str
    availability_zone: str
    route_table_id: str


@dataclass(frozen=True)
class NatGateway:
    """``public_ip`` is its Elastic IP; ``interface_id`` stands in its subnet."""

    id: str
    vpc_id: str
    subnet_id: str
    interface_id: str
    public_ip: str | None


@dataclass(frozen=True)
class Rule:
    """One security group rule.

    ``protocol`` is ``tcp``, ``udp``, ``icmp`` or ``-1`` (all); ports are None for
    all. Exactly one of ``cidr``, ``group_id``, ``prefix_list_id`` is set.
    """

    direction: Direction
    protocol: str
    from_port: int | None = None
    to_port: int | None = None
    cidr: str | None = None
    group_id: str | None = None
    prefix_list_id: str | None = None


@dataclass(frozen=True)
class SecurityGroup:
    id: str
    vpc_id: str
    name: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class PrefixList:
    id: str
    name: str
    cidrs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vpc:
    id: str
    cidrs: tuple[str, ...]
    internet_gateway_id: str | None = None


@dataclass(frozen=True)
class State:
    """Everything of one account and region that decides where packets go."""

    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    nat_gateways: tuple[NatGateway, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    prefix_lists: tuple[PrefixList, ...] = field(default=())
