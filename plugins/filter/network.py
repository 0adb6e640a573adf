"""Filters that derive the network's layout: the ways out, and the route tables that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# What a table's route names as its target; the layout replaces it by the name of one way out.
NAT = "nat"


def network_layout(
    subnets: Sequence[Mapping[str, Any]],
    tables: Sequence[Mapping[str, Any]],
    home: str,
    kind: str = "gateway",
    per_zone: bool = False,
) -> dict[str, list[dict[str, Any]]]:
    """The network as it is built: ``subnets`` and ``tables`` in the user's shape, and the ``ways`` out.

    A way is a NAT: its ``name``, its ``zone``, the public ``subnet`` that it stands in, and the name of its Elastic IP
    (``address``). There is one, in ``home``; or one in each zone that has subnets behind a NAT. Then each such zone has
    its own copy of their table. The zone of ``home`` keeps the names as they are, so that switching touches the other
    zones alone. ``kind`` is gateway or instance. What is there at once during a switch has an Elastic IP each: the two
    kinds, and gateways in two subnets. An instance does not move.
    """
    behind = [table["name"] for table in tables if _routes_to_nat(table)]
    users = [subnet for subnet in subnets if subnet["route_table"] in behind]
    home_zone = next((subnet["zone"] for subnet in subnets if subnet["name"] == home), "")
    zones = sorted({subnet["zone"] for subnet in users}) if per_zone else [home_zone] if users else []

    def suffixed(name: str, zone: str) -> str:
        return name if not per_zone or zone == home_zone else f"{name}-{zone}"

    def placed(subnet: Mapping[str, Any]) -> dict[str, Any]:
        table = subnet["route_table"]
        return {**subnet, "route_table": suffixed(table, subnet["zone"]) if table in behind else table}

    def copies(table: Mapping[str, Any]) -> list[dict[str, Any]]:
        if table["name"] not in behind:
            return [dict(table)]
        of = {subnet["zone"] for subnet in users if subnet["route_table"] == table["name"]}
        # The one that keeps its name comes last: subnets that get a copy leave it before its route leads elsewhere.
        return [
            {"name": suffixed(table["name"], zone), "routes": _by_way(table["routes"], suffixed(NAT, zone))}
            for zone in sorted(zones, key=lambda zone: zone == home_zone)
            if zone in of or not per_zone
        ]

    def way(zone: str) -> dict[str, Any]:
        subnet = nat_subnet(subnets, tables, home, zone)
        address = f"{NAT}-{kind}-{subnet}" if kind == "gateway" else suffixed(f"{NAT}-{kind}", zone)
        return {"name": suffixed(NAT, zone), "zone": zone, "subnet": subnet, "address": address}

    return {
        "ways": [way(zone) for zone in zones],
        "subnets": [placed(subnet) for subnet in subnets],
        "tables": [copy for table in tables for copy in copies(table)],
    }


def nat_subnet(subnets: Sequence[Mapping[str, Any]], tables: Sequence[Mapping[str, Any]], home: str, zone: str) -> str:
    """The public subnet of a zone that its NAT stands in: ``home`` in its own zone, else the zone's first one."""
    public = [
        table["name"] for table in tables if any(route["target"] == "internet_gateway" for route in table["routes"])
    ]
    there = [subnet["name"] for subnet in subnets if subnet["zone"] == zone and subnet["route_table"] in public]
    return home if home in there else next(iter(there), "")


def _routes_to_nat(table: Mapping[str, Any]) -> bool:
    return any(route["target"] == NAT for route in table["routes"])


def _by_way(routes: Sequence[Mapping[str, str]], way: str) -> list[dict[str, str]]:
    return [{**route, "target": way if route["target"] == NAT else route["target"]} for route in routes]


def routes_to(routes: Sequence[Mapping[str, str]], targets: Mapping[str, str]) -> list[dict[str, str]]:
    """Routes with AWS's identifiers as their targets; those whose target is not there yet are left out."""
    return [{**route, "target": targets[route["target"]]} for route in routes if targets.get(route["target"])]


def nat_instances(ways: Sequence[Mapping[str, str]], kind: str, instance_type: str) -> list[dict[str, Any]]:
    """The NAT instances in the shape of instances_list; none where the ways out are gateways."""
    if kind != "instance":
        return []
    return [
        {
            "name": way["name"], "role": "nat", "subnet": way["subnet"], "groups": ["nat"], "type": instance_type,
            "volume_size": 8, "forwards": True,
        }
        for way in ways
    ]  # fmt: skip


def with_nat_group(groups: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The groups, and with NAT instances theirs: it lets through what the others may send out of the VPC, and no more.

    A rule to a group stays inside; a rule to addresses may lead outside.
    """
    if kind != "instance":
        return [dict(group) for group in groups]
    outward = [(group["name"], rule) for group in groups for rule in group["egress"] if "cidr" in rule]
    enters = [{**_ports(rule), "group": name} for name, rule in outward]
    # Itself it installs one package, over HTTP or HTTPS.
    leaves = [{"port": 80, "cidr": "0.0.0.0/0"}, {"port": 443, "cidr": "0.0.0.0/0"}]
    leaves += [{**_ports(rule), "cidr": rule["cidr"]} for _, rule in outward]
    nat = {
        "name": "nat",
        "description": "NAT instance, lets hosts out and nobody in",
        "ingress": _once([{"port": 22, "group": "connect"}, *enters]),
        "egress": _once(leaves),
    }
    return [
        {**group, "egress": [*group["egress"], {"port": 22, "group": "nat"}]}
        if group["name"] == "connect"
        else dict(group)
        for group in groups
    ] + [nat]


def _ports(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {key: rule[key] for key in ("port", "protocol") if key in rule}


def _once(rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each rule once: AWS refuses the same one twice."""
    return [rule for index, rule in enumerate(rules) if _said(rule) not in map(_said, rules[:index])]


def _said(rule: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(rule["port"]), rule.get("protocol", "tcp"), rule.get("group", ""), rule.get("cidr", ""))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "network_layout": network_layout,
            "routes_to": routes_to,
            "nat_instances": nat_instances,
            "with_nat_group": with_nat_group,
        }
