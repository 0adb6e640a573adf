"""Indexes over the state, and the few questions that every part of the planner asks."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lab.network import names
from lab.network.model import Interface, PrefixList, RouteTable, State, Subnet, Vpc
from lab.settings import Internet

# Link-local next hops: each end of a link between gateways. They are the same on every link, and routed nowhere.
INTERNET_END, GATEWAY_OUTER_END = "169.254.1.1", "169.254.1.2"
GATEWAY_INNER_END, ROUTER_END = "169.254.2.1", "169.254.2.2"
INTERNET_ENDPOINT_END = "169.254.3.1"

METADATA, DNS, LINK_LOCAL = "169.254.169.254", "169.254.169.253", "169.254.0.0/16"

# Route tables get numbers above those that the kernel and people use.
_FIRST_TABLE, _TABLES = 10_000, 2_000_000_000


@dataclass(frozen=True)
class Topology:
    """A state with its simulated internet and the prefix of its names."""

    state: State
    internet: Internet
    prefix: str = names.PREFIX

    @cached_property
    def subnets(self) -> dict[str, Subnet]:
        return {subnet.id: subnet for subnet in self.state.subnets}

    @cached_property
    def tables(self) -> dict[str, RouteTable]:
        return {table.id: table for table in self.state.route_tables}

    @cached_property
    def interfaces(self) -> dict[str, Interface]:
        """Interfaces by id, sorted; those of a subnet or VPC that no longer exists are left out."""
        known = {vpc.id for vpc in self.state.vpcs}
        return {
            interface.id: interface
            for interface in sorted(self.state.interfaces, key=lambda each: each.id)
            if interface.vpc_id in known and interface.subnet_id in self.subnets
        }

    @cached_property
    def prefix_lists(self) -> dict[str, tuple[str, ...]]:
        """IPv4 CIDRs by prefix list id; S3's list also has the address where the lab's S3 answers."""
        return {each.id: self._cidrs(each) for each in self.state.prefix_lists}

    @cached_property
    def table_numbers(self) -> dict[str, int]:
        """The kernel's number of each route table: from its id, so that it stays the same when others come and go."""
        taken: dict[int, str] = {}
        for table_id in sorted(self.tables):
            number = zlib.crc32(table_id.encode()) % _TABLES
            while number in taken:
                number = (number + 1) % _TABLES
            taken[number] = table_id
        return {table_id: _FIRST_TABLE + number for number, table_id in taken.items()}

    @cached_property
    def endpoint_sources(self) -> dict[str, str]:
        """The address from which each VPC with an S3 gateway endpoint is seen at S3, by VPC id."""
        network = ipaddress.IPv4Network(self.internet.network)
        used = [vpc.id for vpc in self.state.vpcs if any(True for _ in self._endpoint_routes(vpc))]
        return {vpc_id: str(network[128 * 256 + 1 + index]) for index, vpc_id in enumerate(sorted(used))}

    def interfaces_of(self, vpc: Vpc) -> tuple[Interface, ...]:
        return tuple(interface for interface in self.interfaces.values() if interface.vpc_id == vpc.id)

    def subnets_of(self, vpc: Vpc) -> tuple[Subnet, ...]:
        return tuple(sorted((s for s in self.state.subnets if s.vpc_id == vpc.id), key=lambda each: each.id))

    def public_addresses(self, vpc: Vpc) -> dict[str, str]:
        """Public by private address, for what has one: Elastic or assigned at launch."""
        mapped = {each.private_ip: each.public_ip for each in self.interfaces_of(vpc) if each.public_ip}
        for nat in self.state.nat_gateways:
            interface = self.interfaces.get(nat.interface_id)
            if interface and interface.vpc_id == vpc.id and nat.public_ip:
                mapped[interface.private_ip] = nat.public_ip
        return dict(sorted(mapped.items()))

    def _cidrs(self, prefix_list: PrefixList) -> tuple[str, ...]:
        cidrs = tuple(cidr for cidr in prefix_list.cidrs if is_ipv4(cidr))
        return (*cidrs, f"{self.internet.api}/32") if prefix_list.name.endswith(".s3") else cidrs

    def _endpoint_routes(self, vpc: Vpc) -> Iterable[str]:
        for table in self.state.route_tables:
            if table.vpc_id == vpc.id:
                yield from (route.target for route in table.routes if route.target.startswith("vpce-"))


def is_ipv4(cidr: str) -> bool:
    """Whether a CIDR is IPv4: the lab has no IPv6 anywhere."""
    return ":" not in cidr


def first_host(cidr: str) -> str:
    """The subnet's .1, its router's address."""
    return str(ipaddress.IPv4Network(cidr)[1])


def resolver_address(vpc: Vpc) -> str:
    """The VPC's base plus two, where its DNS answers."""
    return str(ipaddress.IPv4Network(vpc.cidrs[0])[2])


def addresses_of(interface: Interface) -> tuple[str, ...]:
    return (interface.private_ip, *interface.secondary_ips)


def is_checked(interface: Interface) -> bool:
    """Whether an interface may send and receive only as itself. A NAT gateway's is never checked."""
    return interface.source_dest_check and interface.kind != "nat_gateway"
