"""What AWS says there is: the answers of ec2_deployment_info, by the configuration's short names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .wanted import CLOUDFRONT, EVERYWHERE, Rule

CLOUDFRONT_GROUP = "CloudFront-VPCOrigins-Service-SG"


@dataclass(frozen=True)
class Table:
    """The route table that a subnet follows, and where it sends what is for nobody inside.

    ``target`` is an identifier (igw-…, nat-…, eni-…), empty without a default route. ``sees`` are the public addresses
    that the outside sees behind it.
    """

    name: str
    table_id: str
    explicit: bool
    target: str
    blackhole: bool
    sees: tuple[str, ...]

    @property
    def nature(self) -> str:
        if not self.target:
            return "isolated"
        return "public" if self.target.startswith("igw-") else "private"


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

    def _table(self, table: Mapping[str, Any], *, explicit: bool) -> Table:
        default: Mapping[str, Any] = next(
            (route for route in table["routes"] if route.get("destination_cidr_block") == EVERYWHERE), {}
        )  # fmt: skip
        keys = ("gateway_id", "nat_gateway_id", "network_interface_id", "instance_id")
        target = next((str(default[key]) for key in keys if default.get(key)), "")
        name = self.short(table) or ("the VPC's main table" if not explicit else table["route_table_id"])
        return Table(
            name, table["route_table_id"], explicit, target, default.get("state") == "blackhole", self._sees(target)
        )

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
        targets = [
            self._table(table, explicit=True).target for table in self.state["route_tables"] if table.get("tags")
        ]  # fmt: skip
        return tuple(sorted({address for target in targets for address in self._sees(target)}))

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
