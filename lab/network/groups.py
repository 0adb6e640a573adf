"""Security groups as nftables sets and chains, for the router's table.

A group's rules only allow. Each group has a chain a direction: what an egress
rule matches goes on to the receiver's ingress rules, what an ingress rule matches
is accepted, and what nothing matches is dropped by the interface's own chain.
"""

from __future__ import annotations

from collections.abc import Iterable

from lab.network import names
from lab.network.model import Direction, Interface, Rule, SecurityGroup, Vpc
from lab.network.topology import Topology, addresses_of, is_ipv4
from lab.network.wanted import block, elements

INGRESS = "ingress"
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "all": "-1"}
_WITH_PORTS = ("tcp", "udp")
_DONE = {"egress": f"goto {INGRESS}", "ingress": "accept"}
_PREFIX = {"egress": "out", "ingress": "in"}


def blocks(topology: Topology, vpc: Vpc) -> tuple[str, ...]:
    """The sets and chains of a VPC's groups and interfaces; ``maps`` leads into them."""
    interfaces = [each for each in topology.interfaces_of(vpc) if is_filtered(each)]
    groups = sorted((g for g in topology.state.security_groups if g.vpc_id == vpc.id), key=lambda each: each.id)
    return (
        *(_members(group, topology.interfaces_of(vpc)) for group in groups),
        *_prefix_lists(topology, groups),
        *(_group_chain(topology, group, direction, groups) for group in groups for direction in directions()),
        *(_interface_chain(each, direction, groups) for each in interfaces for direction in directions()),
    )


def maps(topology: Topology, vpc: Vpc, outward: Iterable[str]) -> tuple[str, ...]:
    """Verdicts by device: senders' egress, receivers' ingress. What is in no map is dropped.

    ``outward`` are the devices that lead out of the VPC. Nothing new comes in by the S3 endpoint's.
    """
    sends: list[str] = []
    receives: list[str] = [f'"{device}" : accept' for device in outward]
    if names.TO_GATEWAY in outward:
        sends.append(f'"{names.TO_GATEWAY}" : goto {INGRESS}')
    for interface in topology.interfaces_of(vpc):
        device = names.interface_device(interface.id)
        filtered = is_filtered(interface)
        sends.append(f'"{device}" : goto {f"out-{device}" if filtered else INGRESS}')
        receives.append(f'"{device}" : {f"goto in-{device}" if filtered else "accept"}')
    return (
        block("map sends", "type ifname : verdict", *elements(tuple(sends))),
        block("map receives", "type ifname : verdict", *elements(tuple(receives))),
    )


def is_filtered(interface: Interface) -> bool:
    """Whether groups apply. A NAT gateway has none; network ACLs, which AWS has there, are not simulated."""
    return interface.kind != "nat_gateway"


def directions() -> tuple[Direction, ...]:
    return ("ingress", "egress")


def match(rule: Rule, known: frozenset[str], prefix_lists: frozenset[str]) -> str | None:
    """What a packet must look like for a rule to allow it; None when the rule can match none.

    ``known`` are the ids of the VPC's groups, ``prefix_lists`` those of the lists there are.
    """
    peer = _peer(rule, known, prefix_lists)
    protocol = _protocol(rule)
    if peer is None or protocol is None:
        return None
    return " ".join(f"{peer} {protocol}".split())


def _peer(rule: Rule, known: frozenset[str], prefix_lists: frozenset[str]) -> str | None:
    field = "ip saddr" if rule.direction == "ingress" else "ip daddr"
    if rule.group_id is not None:
        return f"{field} @{rule.group_id}" if rule.group_id in known else None
    if rule.prefix_list_id is not None:
        return f"{field} @{rule.prefix_list_id}" if rule.prefix_list_id in prefix_lists else None
    if rule.cidr is None or not is_ipv4(rule.cidr):
        return None
    return "" if rule.cidr == "0.0.0.0/0" else f"{field} {rule.cidr}"


def _protocol(rule: Rule) -> str | None:
    protocol = _PROTOCOLS.get(rule.protocol, rule.protocol)
    if protocol == "-1":
        return ""
    if protocol in _WITH_PORTS:
        low, high = rule.from_port, rule.to_port
        if low is None or high is None or low < 0 or (low, high) == (0, 65535):
            return f"meta l4proto {protocol}"
        return f"{protocol} dport {low}" if low == high else f"{protocol} dport {low}-{high}"
    if protocol == "icmp":
        # For ICMP the ports are type and code, -1 meaning any.
        if rule.from_port is None or rule.from_port < 0:
            return "meta l4proto icmp"
        code = f" icmp code {rule.to_port}" if rule.to_port is not None and rule.to_port >= 0 else ""
        return f"icmp type {rule.from_port}{code}"
    return f"meta l4proto {protocol}" if protocol.isdigit() else None


def _members(group: SecurityGroup, interfaces: Iterable[Interface]) -> str:
    members = tuple(address for each in interfaces if group.id in each.groups for address in addresses_of(each))
    return block(f"set {group.id}", "type ipv4_addr", *elements(members))


def _prefix_lists(topology: Topology, groups: Iterable[SecurityGroup]) -> tuple[str, ...]:
    used = {rule.prefix_list_id for group in groups for rule in group.rules if rule.prefix_list_id}
    return tuple(
        block(f"set {name}", "type ipv4_addr", "flags interval", "auto-merge", *elements(cidrs))
        for name, cidrs in sorted(topology.prefix_lists.items())
        if name in used
    )


def _group_chain(
    topology: Topology, group: SecurityGroup, direction: Direction, groups: Iterable[SecurityGroup]
) -> str:
    known = frozenset(each.id for each in groups)
    matches = [
        match(rule, known, frozenset(topology.prefix_lists)) for rule in group.rules if rule.direction == direction
    ]
    allowed = dict.fromkeys(each for each in matches if each is not None)
    return block(f"chain {_PREFIX[direction]}-{group.id}", *(f"{each} {_DONE[direction]}".strip() for each in allowed))


def _interface_chain(interface: Interface, direction: Direction, groups: Iterable[SecurityGroup]) -> str:
    name = _PREFIX[direction]
    jumps = [f"jump {name}-{group.id}" for group in groups if group.id in interface.groups]
    return block(f"chain {name}-{names.interface_device(interface.id)}", *jumps, "drop")
