"""Which links there are, and who has which address."""

from __future__ import annotations

import ipaddress

from lab.network import names
from lab.network.model import Interface, Vpc
from lab.network.topology import (
    DNS,
    GATEWAY_INNER_END,
    GATEWAY_OUTER_END,
    INTERNET_END,
    INTERNET_ENDPOINT_END,
    METADATA,
    ROUTER_END,
    Topology,
    addresses_of,
    first_host,
    resolver_address,
)
from lab.network.wanted import Address, End, Link
from lab.settings import Internet


def interface_link(topology: Topology, interface: Interface) -> Link:
    """A routed veth from the router to an interface, whose end has the interface's own MAC address."""
    return Link(
        End(names.router(interface.vpc_id, topology.prefix), names.interface_device(interface.id)),
        End(names.interface(interface.id, topology.prefix), names.ETHERNET, interface.mac),
    )


def gateway_links(topology: Topology, vpc: Vpc) -> tuple[Link, ...]:
    """Router to internet gateway to internet; none for a VPC without a gateway."""
    if vpc.internet_gateway_id is None:
        return ()
    gateway = names.gateway(vpc.internet_gateway_id, topology.prefix)
    return (
        Link(End(names.router(vpc.id, topology.prefix), names.TO_GATEWAY), End(gateway, names.TO_VPC)),
        Link(
            End(names.internet(topology.prefix), names.gateway_device(vpc.internet_gateway_id)),
            End(gateway, names.TO_INTERNET),
        ),
    )


def endpoint_links(topology: Topology, vpc: Vpc) -> tuple[Link, ...]:
    """The way of an S3 gateway endpoint: it needs neither internet gateway nor NAT."""
    if vpc.id not in topology.endpoint_sources:
        return ()
    return (
        Link(
            End(names.internet(topology.prefix), names.endpoint_device(vpc.id)),
            End(names.router(vpc.id, topology.prefix), names.TO_ENDPOINT),
        ),
    )


def services(internet: Internet) -> tuple[str, ...]:
    """The addresses at which something answers in the simulated internet."""
    return (
        internet.resolver,
        internet.packages,
        internet.readings,
        internet.edge,
        internet.api,
        internet.aws,
        internet.visitor,
    )


def internet_addresses(topology: Topology) -> tuple[Address, ...]:
    addresses = [Address("lo", f"{address}/32") for address in services(topology.internet)]
    for vpc in topology.state.vpcs:
        if vpc.internet_gateway_id:
            addresses.append(Address(names.gateway_device(vpc.internet_gateway_id), f"{INTERNET_END}/32"))
        if vpc.id in topology.endpoint_sources:
            addresses.append(Address(names.endpoint_device(vpc.id), f"{INTERNET_ENDPOINT_END}/32"))
    return tuple(addresses)


def gateway_addresses() -> tuple[Address, ...]:
    return (
        Address(names.TO_INTERNET, f"{GATEWAY_OUTER_END}/32"),
        Address(names.TO_VPC, f"{GATEWAY_INNER_END}/32"),
    )


def router_addresses(topology: Topology, vpc: Vpc) -> tuple[Address, ...]:
    """The router's own: each subnet's .1, metadata and DNS, all on its loopback; and its ends of the links outward."""
    own = dict.fromkeys(
        [
            *(first_host(subnet.cidr) for subnet in topology.subnets_of(vpc)),
            METADATA,
            DNS,
            resolver_address(vpc),
        ]
    )
    addresses = [Address("lo", f"{address}/32") for address in own]
    if vpc.internet_gateway_id:
        addresses.append(Address(names.TO_GATEWAY, f"{ROUTER_END}/32"))
    if vpc.id in topology.endpoint_sources:
        addresses.append(Address(names.TO_ENDPOINT, f"{topology.endpoint_sources[vpc.id]}/32"))
    return tuple(addresses)


def interface_addresses(topology: Topology, interface: Interface) -> tuple[Address, ...]:
    """What the machine sees on eth0: its addresses, with its subnet's prefix length, as on AWS."""
    length = ipaddress.IPv4Network(topology.subnets[interface.subnet_id].cidr).prefixlen
    return tuple(Address(names.ETHERNET, f"{address}/{length}") for address in addresses_of(interface))
