"""Network interfaces and the subnets that they stand in."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidNetworkInterfaceIdError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface as MotoInterface
from moto.ec2.models.subnets import Subnet as MotoSubnet

from lab.api.ec2 import addresses
from lab.network.model import InterfaceKind


class Subnet(MotoSubnet):  # type: ignore[misc]  # moto has no types here
    """A subnet whose addresses are given out by lab.api.ec2.addresses."""

    def get_available_subnet_ip(self, instance: Any) -> str:  # noqa: ARG002 - moto's signature
        return addresses.free_private(self.ec2_backend, self)

    def request_ip(self, ip: str, instance: Any) -> None:  # noqa: ARG002 - moto's signature
        addresses.check_private(self.ec2_backend, self, ip)

    def del_subnet_ip(self, ip: str) -> None:
        """Nothing to give back: an address is in use while an interface has it."""


class NetworkInterface(MotoInterface):  # type: ignore[misc]  # moto has no types here
    """An interface; ``kind`` and ``owner_id_of_lab`` say whom it serves (see lab.network.model.Interface)."""

    def __init__(self, ec2_backend: Any, subnet: Any, private_ip_address: Any, *rest: Any, **named: Any) -> None:
        self.lab_kind: InterfaceKind = "instance"
        self.lab_owner = ""
        self.public_ip: str | None = None
        secondary = int(named.pop("secondary_ips_count", None) or 0)
        subnet = ec2_backend.get_subnet(subnet) if isinstance(subnet, str) else subnet
        given = rest[0] if rest else named.get("private_ip_addresses")
        if not private_ip_address and not given:
            private_ip_address = addresses.free_private(ec2_backend, subnet)
        super().__init__(ec2_backend, subnet, private_ip_address, *rest, **named)
        while secondary:
            own = {address["PrivateIpAddress"] for address in self.private_ip_addresses}
            address = addresses.free_private(ec2_backend, subnet, own)
            self.private_ip_addresses.append({"Primary": False, "PrivateIpAddress": address})
            secondary -= 1
        domain = f"{ec2_backend.region_name}.compute.internal"
        self.private_dns_name = f"ip-{str(self.private_ip_address).replace('.', '-')}.{domain}"
        for address in self.private_ip_addresses:
            if address.get("Primary"):
                address["PrivateDnsName"] = self.private_dns_name

    @property
    def elastic(self) -> Any:
        """The Elastic address that is associated with it, if any."""
        return next((item for item in self.ec2_backend.addresses if item.eni is self), None)

    @property
    def group_set(self) -> list[Any]:
        """Its own groups; moto mixes an instance's groups into all of its interfaces."""
        return list(self._group_set)

    def check_auto_public_ip(self) -> None:
        if str(self.public_ip_auto_assign).lower() == "true" and not self.public_ip:
            self.public_ip = addresses.free_public()

    def stop(self) -> None:
        if not self.elastic:
            super().stop()


def create_service_interface(
    backend: Any, subnet_id: str, kind: InterfaceKind, owner: str, description: str, groups: list[str] | None
) -> NetworkInterface:
    """An interface that a service manages; customers see it and cannot delete it."""
    interface: NetworkInterface = backend.create_network_interface(
        backend.get_subnet(subnet_id), None, group_ids=groups, description=description
    )
    interface.lab_kind, interface.lab_owner = kind, owner
    interface.requester_managed = True
    interface.status = "in-use"
    return interface


class InterfaceBackend:
    """What moto's backend for interfaces and subnets leaves out: the refusals."""

    enis: dict[str, Any]

    def create_network_interface(self, subnet: Any, private_ip_address: Any, *rest: Any, **named: Any) -> Any:
        known = self.get_subnet(subnet) if isinstance(subnet, str) else subnet  # type: ignore[attr-defined]  # moto's
        given = private_ip_address[:1] if isinstance(private_ip_address, list) else [private_ip_address]
        for address in filter(None, given):
            addresses.check_private(self, known, address)
        for group_id in named.get("group_ids") or []:
            group = self.get_security_group_from_id(group_id)  # type: ignore[attr-defined]  # moto's
            if group is None or group.vpc_id != known.vpc_id:
                raise EC2ClientError(
                    "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist in VPC '{known.vpc_id}'"
                )
        return super().create_network_interface(known, private_ip_address, *rest, **named)  # type: ignore[misc]  # moto's

    def assign_private_ip_addresses(
        self, eni_id: str, private_ip_addresses: list[str] | None = None, secondary_ips_count: int | None = None
    ) -> Any:
        interface = self.get_network_interface(eni_id)  # type: ignore[attr-defined]  # moto's
        wanted = list(private_ip_addresses or [])
        while len(wanted) < (secondary_ips_count or 0):
            wanted.append(addresses.free_private(self, interface.subnet, set(wanted)))
        return super().assign_private_ip_addresses(eni_id, wanted, None)  # type: ignore[misc]  # moto's

    def modify_network_interface_attribute(
        self, eni_id: str, group_ids: list[str], source_dest_check: bool | None = None, description: str | None = None
    ) -> None:
        super().modify_network_interface_attribute(  # type: ignore[misc]  # moto's
            eni_id, group_ids, source_dest_check, description
        )
        interface = self.get_network_interface(eni_id)  # type: ignore[attr-defined]  # moto's
        if group_ids and interface.instance and interface.instance.nics.get(0) is interface:
            interface.instance.security_groups = list(interface._group_set)
        if source_dest_check is not None and interface.instance:
            interface.instance.source_dest_check = source_dest_check

    def delete_subnet(self, subnet_id: str) -> Any:
        if any(interface.subnet.id == subnet_id for interface in self.enis.values()):
            raise EC2ClientError(
                "DependencyViolation", f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            )
        return super().delete_subnet(subnet_id)  # type: ignore[misc]  # moto's


class InterfaceCalls:
    """Calls on interfaces that customers may not make."""

    def delete_network_interface(self) -> ActionResult:
        interface_id = self._get_param("NetworkInterfaceId")  # type: ignore[attr-defined]  # moto's
        interface = self.ec2_backend.enis.get(interface_id)  # type: ignore[attr-defined]  # moto's
        if interface is None:
            raise InvalidNetworkInterfaceIdError(interface_id)
        if interface.requester_managed:
            raise EC2ClientError(
                "OperationNotPermitted", "You do not have permission to access the specified resource."
            )
        if interface.instance or interface.status == "in-use":
            raise EC2ClientError("InvalidParameterValue", f"Network interface '{interface_id}' is currently in use.")
        result: ActionResult = super().delete_network_interface()  # type: ignore[misc]  # moto's
        return result
