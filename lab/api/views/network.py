"""EC2's state as lab.network.model has it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from lab.api import ec2
from lab.api.cloudfront import backend as cloudfront_backend
from lab.api.world import world
from lab.network.model import (
    Direction,
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

_ORIGIN_FACING = "com.amazonaws.global.cloudfront.origin-facing"


def state() -> State:
    """Everything that decides where packets go; what is being deleted is left out. Hold the lock."""
    backend = ec2.backend(world.settings.region)
    interfaces = tuple(_interface(eni) for eni in backend.enis.values() if _wanted(backend, eni))
    # The default VPC is there on AWS too; a lab builds it only when something stands in it.
    used = {interface.vpc_id for interface in interfaces}
    vpcs = [vpc for vpc in backend.vpcs.values() if str(vpc.is_default).lower() != "true" or vpc.id in used]
    ids = {vpc.id for vpc in vpcs}
    subnets = [subnet for zone in backend.subnets.values() for subnet in zone.values() if subnet.vpc_id in ids]
    return State(
        vpcs=tuple(_vpc(backend, vpc) for vpc in vpcs),
        subnets=tuple(_subnet(backend, subnet) for subnet in subnets),
        route_tables=tuple(_table(table) for table in backend.route_tables.values() if table.vpc_id in ids),
        interfaces=interfaces,
        nat_gateways=tuple(
            NatGateway(gateway.id, gateway.vpc_id, gateway.subnet_id, gateway._eni.id, gateway._eni.public_ip)
            for gateway in backend.nat_gateways.values()
            if gateway.state in ("pending", "available")
        ),
        security_groups=tuple(
            _group(group) for groups in backend.groups.values() for group in groups.values() if group.vpc_id in ids
        ),
        prefix_lists=tuple(
            PrefixList(known.id, known.prefix_list_name, tuple(_cidrs(known, interfaces)))
            for known in backend.managed_prefix_lists.values()
        ),
    )


def _wanted(backend: Any, eni: Any) -> bool:
    match eni.lab_kind:
        case "instance":
            return eni.instance is not None and eni.instance.state != "terminated"
        case "nat_gateway":
            gateway = backend.nat_gateways.get(eni.lab_owner)
            return gateway is not None and gateway.state in ("pending", "available")
        case "instance_connect_endpoint":
            endpoint = backend.connect_endpoints.get(eni.lab_owner)
            return endpoint is not None and endpoint.state in ("create-in-progress", "create-complete")
        case "vpc_origin":
            origin = cloudfront_backend().lab_origins.get(eni.lab_owner)
            return origin is not None and origin.status != "Deleting"
    return bool(eni.lab_owner)


def _interface(eni: Any) -> Interface:
    return Interface(
        id=eni.id,
        vpc_id=eni.vpc_id,
        subnet_id=eni.subnet.id,
        private_ip=eni.private_ip_address,
        mac=eni.mac_address,
        kind=eni.lab_kind,
        owner_id=eni.instance.id if eni.instance else eni.lab_owner,
        groups=frozenset(group.id for group in eni.group_set),
        public_ip=eni.public_ip,
        source_dest_check=eni.source_dest_check,
        secondary_ips=tuple(
            address["PrivateIpAddress"]
            for address in eni.private_ip_addresses
            if address["PrivateIpAddress"] != eni.private_ip_address
        ),
    )


def _vpc(backend: Any, vpc: Any) -> Vpc:
    cidrs = tuple(item["cidr_block"] for item in vpc.cidr_block_association_set)
    attached = (gateway.id for gateway in backend.internet_gateways.values() if gateway.vpc is vpc)
    return Vpc(vpc.id, cidrs, next(attached, None))


def _subnet(backend: Any, subnet: Any) -> Subnet:
    tables = [table for table in backend.route_tables.values() if table.vpc_id == subnet.vpc_id]
    associated = [table.id for table in tables if subnet.id in table._associations.values()]
    main = [table.id for table in tables if table.main_association_id]
    return Subnet(subnet.id, subnet.vpc_id, subnet.cidr_block, subnet.availability_zone, (*associated, *main)[0])


def _table(table: Any) -> RouteTable:
    routes = []
    for route in table.routes:
        destination = route.destination_cidr_block or route.destination_prefix_list_id
        target = (
            route.gateway_id
            or route.nat_gateway_id
            or route.network_interface_id
            or (route.instance.nics[0].id if route.instance and route.instance.nics else None)
        )
        if destination and target:
            routes.append(Route(destination, target))
    return RouteTable(table.id, table.vpc_id, tuple(routes))


def _group(group: Any) -> SecurityGroup:
    rules = (
        *(rule for item in group.ingress_rules for rule in _rules(item, "ingress")),
        *(rule for item in group.egress_rules for rule in _rules(item, "egress")),
    )
    return SecurityGroup(group.id, group.vpc_id, group.name, rules)


def _rules(item: Any, direction: Direction) -> Iterator[Rule]:
    protocol = item.ip_protocol
    from_port, to_port = item.from_port, item.to_port
    if protocol == "-1" or from_port == -1:
        from_port = to_port = None
    peers = {
        "cidr": item.ip_range.get("CidrIp"),
        "group_id": item.source_group.get("GroupId"),
        "prefix_list_id": item.prefix_list_id,
    }
    for name, peer in peers.items():
        if peer:
            yield Rule(direction, protocol, from_port, to_port, **{name: peer})


def _cidrs(known: Any, interfaces: tuple[Interface, ...]) -> Iterator[str]:
    version = known.version if known.version in known.entries else next(iter(known.entries), None)
    for entry in known.entries.get(version) or []:
        if ipaddress.ip_network(entry["Cidr"], strict=False).version == 4:
            yield entry["Cidr"]
    if known.prefix_list_name == _ORIGIN_FACING:
        # A VPC origin's traffic comes from CloudFront's interface in the subnet, and the list admits it.
        yield from sorted(f"{item.private_ip}/32" for item in interfaces if item.kind == "vpc_origin")
