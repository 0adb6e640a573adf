"""What AWS says there is: the answers of ec2_deployment_info, by the configuration's short names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .wanted import CLOUDFRONT, EVERYWHERE, Rule, deciding

CLOUDFRONT_GROUP = "CloudFront-VPCOrigins-Service-SG"
# What a route leads to, by the first of these that it has; an instance's route names its interface too.
TARGETS = (
    "gateway_id", "nat_gateway_id", "network_interface_id", "instance_id", "transit_gateway_id",
    "vpc_peering_connection_id", "egress_only_internet_gateway_id", "local_gateway_id", "carrier_gateway_id",
    "core_network_arn",
)  # fmt: skip
DESTINATIONS = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")


@dataclass(frozen=True)
class Table:
    """The route table that a subnet follows, and where it sends what is for nobody inside.

    ``routes`` are those that somebody made: the target's identifier (igw-…, nat-…, eni-…) by the destination.
    ``blackhole`` is whether the default route's target is gone. ``sees`` are the public addresses that the outside sees
    behind it.
    """

    name: str
    table_id: str
    explicit: bool
    routes: Mapping[str, str]
    blackhole: bool
    sees: tuple[str, ...]

    @property
    def target(self) -> str:
        """Where the default route leads; empty without one."""
        return self.routes.get(EVERYWHERE, "")

    @property
    def decides(self) -> str:
        """The destination of the route that makes its subnets what they are; empty where none does."""
        return deciding(self.routes, "igw-")

    @property
    def nature(self) -> str:
        if not self.decides:
            return "isolated"
        return "public" if self.routes[self.decides].startswith("igw-") else "private"


@dataclass(frozen=True)
class Found:
    """An account, as far as the promises ask about it."""

    state: Mapping[str, Any]
    prefix: str

    def short(self, resource: Mapping[str, Any]) -> str:
        """A resource's name without the project's prefix."""
        name = str((resource.get("tags") or {}).get("Name", ""))
        return name.removeprefix(f"{self.prefix}-")

    @property
    def subnets(self) -> dict[str, Mapping[str, Any]]:
        return {self.short(subnet): subnet for subnet in self.state["subnets"]}

    @property
    def instances(self) -> dict[str, list[Mapping[str, Any]]]:
        """The instances by their names; more than one of a name is a mistake that a promise tells."""
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for instance in self.state["instances"]:
            by_name.setdefault(self.short(instance), []).append(instance)
        return by_name

    def table_of(self, subnet_id: str) -> Table | None:
        """The table that a subnet follows: the one it is associated with, else the VPC's main one."""
        main = None
        for table in self.state["route_tables"]:
            for association in table.get("associations") or []:
                if association.get("subnet_id") == subnet_id:
                    return self._table(table, explicit=True)
                if association.get("main"):
                    main = table
        return self._table(main, explicit=False) if main else None

    @property
    def tables(self) -> dict[str, Table]:
        """The deployment's own route tables, by name."""
        ours = [
            table
            for table in self.state["route_tables"]
            if str((table.get("tags") or {}).get("Name", "")).startswith(f"{self.prefix}-")
        ]
        return {self.short(table): self._table(table, explicit=True) for table in ours}

    def _table(self, table: Mapping[str, Any], *, explicit: bool) -> Table:
        routes = _routes(table)
        default: Mapping[str, Any] = next(
            (each for each in table["routes"] if each.get("destination_cidr_block") == EVERYWHERE), {}
        )
        name = self.short(table) or ("the VPC's main table" if not explicit else table["route_table_id"])
        sees = tuple(address for target in dict.fromkeys(routes.values()) for address in self._sees(target))
        return Table(name, table["route_table_id"], explicit, routes, default.get("state") == "blackhole", sees)

    def _sees(self, target: str) -> tuple[str, ...]:
        for gateway in self.state["nat_gateways"]:
            if gateway["nat_gateway_id"] == target:
                addresses = gateway.get("nat_gateway_addresses") or []
                return tuple(address["public_ip"] for address in addresses if address.get("public_ip"))
        for instance in self.state["instances"]:
            if target in (instance["instance_id"], *interfaces(instance)) and instance.get("public_ip_address"):
                return (instance["public_ip_address"],)
        return ()

    def way_of(self, target: str) -> tuple[str, str]:
        """What a route leads to, gateway or instance, and the short name of the subnet that it stands in."""
        names = {subnet["subnet_id"]: name for name, subnet in self.subnets.items()}
        for gateway in self.state["nat_gateways"]:
            if gateway["nat_gateway_id"] == target:
                return "gateway", names.get(gateway["subnet_id"], gateway["subnet_id"])
        for instance in self.state["instances"]:
            if target in (instance["instance_id"], *interfaces(instance)):
                return "instance", names.get(instance["subnet_id"], instance["subnet_id"])
        return "", ""

    @property
    def group_names(self) -> dict[str, str]:
        """Short names of the VPC's groups, by identifier."""
        names = {}
        for group in self.state["security_groups"]:
            name = group["group_name"]
            short = name.removeprefix(f"{self.prefix}-")
            names[group["group_id"]] = CLOUDFRONT if name == CLOUDFRONT_GROUP else short
        return names

    @property
    def groups(self) -> dict[str, tuple[Rule, ...]]:
        """The rules of every group, by its short name."""
        names = self.group_names
        rules: dict[str, list[Rule]] = {name: [] for name in names.values()}
        for rule in self.state["security_group_rules"]:
            if rule["group_id"] in names:
                rules[names[rule["group_id"]]].append(_rule(rule, names))
        return {name: tuple(found) for name, found in rules.items()}

    def groups_of(self, instance: Mapping[str, Any]) -> list[str]:
        names = self.group_names
        return [names.get(group["group_id"], group["group_id"]) for group in instance.get("security_groups") or []]

    @property
    def nat_addresses(self) -> tuple[str, ...]:
        """What the outside sees behind any table of the deployment."""
        tables = [self._table(table, explicit=True) for table in self.state["route_tables"] if table.get("tags")]
        return tuple(sorted({address for table in tables for address in table.sees}))

    @property
    def public_addresses(self) -> list[str]:
        """Every public address that the deployment has: its NAT's, and those that no host should have."""
        gateways = [
            address["public_ip"]
            for gateway in self.state["nat_gateways"]
            for address in gateway.get("nat_gateway_addresses") or []
            if address.get("public_ip")
        ]
        instances = [each["public_ip_address"] for each in self.state["instances"] if each.get("public_ip_address")]
        return sorted({*gateways, *instances})


def _routes(table: Mapping[str, Any]) -> dict[str, str]:
    """The routes that somebody made, by destination; not those that AWS adds: propagated, local, gateway endpoints'."""
    found = {}
    for route in table["routes"]:
        destination = next((str(route[key]) for key in DESTINATIONS if route.get(key)), "")
        target = next((str(route[key]) for key in TARGETS if route.get(key)), "nothing")
        endpoint = destination.startswith("pl-") and target.startswith("vpce-")
        if route.get("origin", "CreateRoute") == "CreateRoute" and target != "local" and not endpoint:
            found[destination] = target
    return found


def _rule(rule: Mapping[str, Any], names: Mapping[str, str]) -> Rule:
    group = (rule.get("referenced_group_info") or {}).get("group_id")
    if group:
        peer = names.get(group, group)
    elif rule.get("prefix_list_id"):
        peer = f"prefix list {rule['prefix_list_id']}"
    else:
        peer = rule.get("cidr_ipv4") or rule.get("cidr_ipv6") or "nobody"
    everything = str(rule["ip_protocol"]) == "-1"
    first, last = (-1, -1) if everything else (int(rule.get("from_port", -1)), int(rule.get("to_port", -1)))
    name = str(rule["security_group_rule_id"])
    if rule.get("description"):
        name = f"{name} “{rule['description']}”"
    return Rule(bool(rule["is_egress"]), "all" if everything else str(rule["ip_protocol"]), first, last, peer, name)


def interfaces(instance: Mapping[str, Any]) -> Sequence[str]:
    """The network interfaces of an instance."""
    return [each["network_interface_id"] for each in instance.get("network_interfaces") or []]


def block_devices(instance: Mapping[str, Any]) -> Sequence[str]:
    """The volumes of an instance."""
    return [
        device["ebs"]["volume_id"] for device in instance.get("block_device_mappings") or [] if device.get("ebs")
    ]  # fmt: skip
