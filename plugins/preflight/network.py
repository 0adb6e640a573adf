"""The VPC: its range, its subnets, its route tables, and its private zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

from .shapes import DNS_LABEL, LABEL_WORDS, Key, Record, among, is_true, matching, records, unique
from .wording import Refusals, listed

Labelled = list[tuple[str, Record]]

SUBNET = {"name": Key("str"), "cidr": Key("str"), "zone": Key("str"), "route_table": Key("str")}
TABLE = {"name": Key("str"), "routes": Key("list")}
ROUTE = {"destination": Key("str"), "target": Key("str")}
TARGETS = ("internet_gateway", "nat")

# RFC 1918, and RFC 6598, which AWS also allows.
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
# The letters of regions whose zones are the same for every account; elsewhere any from a to f passes.
ZONES = {"ap-northeast-2": "abcd", "us-east-2": "abc", "eu-central-1": "abc", "eu-west-1": "abc"}


def check(variables: Mapping[str, Any], refusals: Refusals) -> None:
    """Everything that begins with ``network_``, and the region."""
    region = variables.get("aws_region")
    if region is not None:
        matching(refusals, "aws_region", region, REGION, "a region's name, such as ap-northeast-2")
    vpc = _vpc(refusals, variables["network_cidr"]) if "network_cidr" in variables else None
    if variables.get("network_subnets") == []:
        refusals.add(
            "network_subnets", [], "has room for nothing", "a subnet at least: name, cidr, zone and route_table"
        )
    subnets = records(refusals, "network_subnets", variables.get("network_subnets"), SUBNET)
    tables = records(refusals, "network_route_tables", variables.get("network_route_tables"), TABLE)
    _subnets(refusals, subnets, vpc, str(region or ""))
    routes = _tables(refusals, tables, vpc)
    if isinstance(variables.get("network_route_tables"), list):
        names = [record.get("name") for record in variables["network_route_tables"] if isinstance(record, dict)]
        for label, subnet in subnets:
            among(refusals, f"{label}.route_table", subnet["route_table"], names, "is not in network_route_tables")
    _nat(refusals, variables, subnets, routes)
    if not refusals.knows(variables.get("project_name", "")):  # the zone is usually made of it
        _zone(refusals, variables.get("network_zone"))


def cidr(refusals: Refusals, variable: str, value: Any) -> IPv4Network | None:
    """The IPv4 range, without host bits; refused where it is none."""
    text = str(value)
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        refusals.add(variable, value, "is not an IPv4 range", "one with its length, such as 10.20.0.0/16")
        return None
    if "/" not in text:
        refusals.add(variable, value, "has no length", f"it too, such as {text}/32 for one address")
        return None
    if str(network) != text:
        refusals.add(variable, value, "has bits set beyond its length", str(network))
        return None
    return network


def _vpc(refusals: Refusals, value: Any) -> IPv4Network | None:
    network = cidr(refusals, "network_cidr", value)
    if network is None:
        return None
    if not 16 <= network.prefixlen <= 28:
        size = "larger" if network.prefixlen < 16 else "smaller"
        refusals.add("network_cidr", value, f"is {size} than a VPC can be", "a length from /16 to /28")
        return None
    if not any(network.subnet_of(private) for private in PRIVATE):
        refusals.add("network_cidr", value, "is not private", "a range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
        return None
    return network


def _subnets(refusals: Refusals, subnets: Labelled, vpc: IPv4Network | None, region: str) -> None:
    unique(refusals, "network_subnets: name", [subnet["name"] for _, subnet in subnets])
    ranges = []
    for label, subnet in subnets:
        matching(refusals, f"{label}.name", subnet["name"], DNS_LABEL, LABEL_WORDS)
        _availability_zone(refusals, f"{label}.zone", subnet["zone"], region)
        network = cidr(refusals, f"{label}.cidr", subnet["cidr"])
        if network is None:
            continue
        if network.prefixlen > 28:
            refusals.add(f"{label}.cidr", subnet["cidr"], "is smaller than a subnet can be", "/28 or larger")
        elif vpc and not network.subnet_of(vpc):
            refusals.add(f"{label}.cidr", subnet["cidr"], f"is outside network_cidr {vpc}", "a range inside it")
        else:
            ranges.append((label, subnet["name"], network))
    for (_, name, one), (label, _, other) in combinations(ranges, 2):
        if one.overlaps(other):
            refusals.add(f"{label}.cidr", str(other), f"overlaps {one} of {name}", "a range that no other subnet uses")


def _availability_zone(refusals: Refusals, variable: str, zone: Any, region: str) -> None:
    letters = ZONES.get(region, "abcdef")
    if len(str(zone)) == 1 and str(zone) in letters:
        return
    whole = re.fullmatch(r"(.+-[0-9])([a-z])", str(zone))
    if whole and whole[1] != region:
        refusals.add(variable, zone, f"is a zone of another region than {region}", listed(letters))
    elif whole and whole[2] in letters:
        refusals.add(variable, zone, "has the region in it", whole[2])
    else:
        refusals.add(variable, zone, f"is no zone of {region}", f"its letter, {listed(letters)}")


def _tables(refusals: Refusals, tables: Labelled, vpc: IPv4Network | None) -> dict[str, list[str]]:
    """The targets of each table, by its name."""
    unique(refusals, "network_route_tables: name", [table["name"] for _, table in tables])
    targets: dict[str, list[str]] = {}
    for label, table in tables:
        matching(refusals, f"{label}.name", table["name"], DNS_LABEL, LABEL_WORDS)
        routes = records(refusals, f"{label}.routes", table["routes"], ROUTE)
        unique(refusals, f"{label}.routes: destination", [route["destination"] for _, route in routes])
        for route_label, route in routes:
            _target(refusals, f"{route_label}.target", str(route["target"]))
            destination = cidr(refusals, f"{route_label}.destination", route["destination"])
            if destination and vpc and destination.subnet_of(vpc):
                why = f"is inside network_cidr {vpc}, where every table has its local route"
                refusals.add(f"{route_label}.destination", route["destination"], why, "no route for it")
        targets[table["name"]] = [route["target"] for _, route in routes]
    return targets


def _target(refusals: Refusals, variable: str, target: str) -> None:
    # nat_gateway and nat_instance are near to internet_gateway, and not what is meant.
    if target.startswith("nat_"):
        refusals.add(variable, target, "is no target: network_nat says what stands behind it", "nat")
    else:
        among(refusals, variable, target, TARGETS, "is no target")


def _nat(refusals: Refusals, variables: Mapping[str, Any], subnets: Labelled, routes: dict[str, list[str]]) -> None:
    users = [table for table, targets in routes.items() if "nat" in targets]
    if "network_nat_subnet" not in variables or not subnets:
        return
    name = variables["network_nat_subnet"]
    public = [subnet for _, subnet in subnets if "internet_gateway" in routes.get(subnet["route_table"], [])]
    names = [subnet["name"] for subnet in public]
    if name in [subnet["name"] for _, subnet in subnets] and name not in names:
        why = "is not public: its route table has no route to internet_gateway"
        refusals.add("network_nat_subnet", name, why, listed(names) if names else "a subnet that is public")
    elif name not in names:
        need = f", and {listed(users)} routes to its NAT" if users else ""
        among(refusals, "network_nat_subnet", name, names, f"is not in network_subnets{need}")
    if is_true(variables.get("network_nat_per_az", False)):
        _nat_per_az(refusals, [subnet for _, subnet in subnets if subnet["route_table"] in users], public, name, routes)


def _nat_per_az(
    refusals: Refusals, private: list[Record], public: list[Record], home: Any, routes: dict[str, list[str]]
) -> None:
    """Each zone with private subnets has a public one for its NAT, and the names of its tables are free."""
    zones = {subnet["zone"] for subnet in public}
    without = sorted({str(subnet["zone"]) for subnet in private if subnet["zone"] not in zones})
    if without:
        why = f"needs a public subnet in each zone that has private ones, and zone {listed(without)} has none"
        refusals.add("network_nat_per_az", True, why, "false, or such a subnet into network_subnets")
    home_zone = next((subnet["zone"] for subnet in public if subnet["name"] == home), None)
    copies = {f"{each['route_table']}-{each['zone']}" for each in private if each["zone"] != home_zone}
    for name in sorted(copies & set(routes)):
        label = f"network_route_tables[{name}].name"
        refusals.add(label, name, "is what network_nat_per_az calls a zone's own table", "another name")


def _zone(refusals: Refusals, zone: Any) -> None:
    if zone is None:
        return
    labels = str(zone).split(".")
    if len(labels) < 2 or len(str(zone)) > 200 or not all(DNS_LABEL.fullmatch(label) for label in labels):
        refusals.add(
            "network_zone", zone, "is no domain name", "labels with dots between them, such as madang.internal"
        )
    elif labels[-1] == "local":
        refusals.add("network_zone", zone, "is multicast DNS's", "another ending, such as .internal")
