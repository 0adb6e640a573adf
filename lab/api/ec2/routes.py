"""Routes that turn black when their target goes, and what must be gone before a VPC's parts may go."""

from __future__ import annotations

import ipaddress
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.route_tables import Route as MotoRoute

from lab.api.world import world


class Route(MotoRoute):  # type: ignore[misc]  # moto has no types here
    """A route whose state tells whether its target is still there."""

    @property
    def state(self) -> str:
        backend = self.route_table.ec2_backend
        gone = (
            (self.nat_gateway is not None and self.nat_gateway.state in ("deleting", "deleted"))
            or (self.interface is not None and self.interface.id not in backend.enis)
            or (self.instance is not None and self.instance.state in ("shutting-down", "terminated"))
            or (self.gateway is not None and self.gateway.id not in (*backend.internet_gateways, *backend.vpn_gateways))
        )
        return "blackhole" if gone else "active"


class RouteBackend:
    """Refusals of deletions, and AWS's prefix lists with the simulated internet's addresses."""

    region_name: str

    def create_default_pls(self) -> None:
        super().create_default_pls()  # type: ignore[misc]  # moto's
        internet = world.settings.internet
        addresses = {
            f"com.amazonaws.{self.region_name}.s3": internet.api,
            "com.amazonaws.global.cloudfront.origin-facing": internet.edge,
        }
        for known in self.managed_prefix_lists.values():  # type: ignore[attr-defined]  # moto's
            if address := addresses.get(known.prefix_list_name):
                known.entries = {known.version: [{"Cidr": f"{address}/32", "Description": "the lab's"}]}

    def create_route(self, route_table_id: str, destination_cidr_block: Any, *rest: Any, **named: Any) -> Any:
        local = named.get("local") or (rest and rest[-1] is True)
        if destination_cidr_block and not local:
            table = self.get_route_table(route_table_id)  # type: ignore[attr-defined]  # moto's
            vpc = self.get_vpc(table.vpc_id)  # type: ignore[attr-defined]  # moto's
            if ipaddress.ip_network(destination_cidr_block, strict=False) == ipaddress.ip_network(vpc.cidr_block):
                raise EC2ClientError(
                    "RouteAlreadyExists", f"The route identified by {destination_cidr_block} already exists."
                )
        return super().create_route(route_table_id, destination_cidr_block, *rest, **named)  # type: ignore[misc]

    def create_vpc_endpoint(
        self, vpc_id: str, service_name: str, endpoint_type: str | None, *rest: Any, **named: Any
    ) -> Any:
        return super().create_vpc_endpoint(  # type: ignore[misc]  # moto's
            vpc_id, service_name, endpoint_type or "Gateway", *rest, **named
        )

    def modify_vpc_endpoint(self, *given: Any, **named: Any) -> None:
        """A gateway endpoint's tables have a route to it, and no others."""
        super().modify_vpc_endpoint(*given, **named)  # type: ignore[misc]  # moto's
        endpoint = self.vpc_end_points[named.get("vpc_id") or given[0]]  # type: ignore[attr-defined]  # moto's
        destination = endpoint.destination_prefix_list_id
        for table_id in named.get("add_route_tables") or []:
            self.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=destination)
        for table_id in named.get("remove_route_tables") or []:
            self.delete_route(table_id, destination)  # type: ignore[attr-defined]  # moto's

    def detach_internet_gateway(self, internet_gateway_id: str, vpc_id: str) -> None:
        interfaces = self.enis.values()  # type: ignore[attr-defined]  # moto's
        if any(interface.vpc_id == vpc_id and interface.public_ip for interface in interfaces):
            raise EC2ClientError(
                "DependencyViolation",
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway.",
            )
        super().detach_internet_gateway(internet_gateway_id, vpc_id)  # type: ignore[misc]  # moto's

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        found = self.address_by_allocation([allocation_id]) if allocation_id else self.address_by_ip([address])  # type: ignore[attr-defined]  # moto's
        if found[0].association_id:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
        super().release_address(address, allocation_id)  # type: ignore[misc]  # moto's

    def delete_vpc(self, vpc_id: str) -> Any:
        groups = self.groups.get(vpc_id, {}).values()  # type: ignore[attr-defined]  # moto's
        attached = self.describe_internet_gateways(  # type: ignore[attr-defined]  # moto's
            filters={"attachment.vpc-id": [vpc_id]}
        )
        endpoints = [
            endpoint
            for endpoint in self.vpc_end_points.values()  # type: ignore[attr-defined]  # moto's
            if endpoint.vpc_id == vpc_id and endpoint.state != "deleted"
        ]
        acls = [acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id]  # type: ignore[attr-defined]  # moto's
        others = [*groups, *acls]
        if attached or endpoints or not all(_is_default(each) for each in others):
            raise EC2ClientError("DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        # AWS keeps the DHCP options; moto would delete them along.
        vpc = self.get_vpc(vpc_id)  # type: ignore[attr-defined]  # moto's
        options, vpc.dhcp_options = vpc.dhcp_options, None
        try:
            gone = super().delete_vpc(vpc_id)  # type: ignore[misc]  # moto's
        except EC2ClientError:
            vpc.dhcp_options = options
            raise
        if options:
            options.vpc = None
        for acl in acls:
            self.network_acls.pop(acl.id)  # type: ignore[attr-defined]  # moto's
        return gone


def _is_default(each: Any) -> bool:
    """Whether a group or a network ACL came with its VPC, and so goes with it."""
    return bool(each.is_default if hasattr(each, "is_default") else str(each.default).lower() == "true")
