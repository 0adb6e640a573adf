"""NAT gateways that are pending first, whose interface says what it is, and that take it along when deleted."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway

from lab.api.settling import Settling


class NatGateway(Settling, MotoNatGateway):  # type: ignore[misc]  # moto has no types here
    """States: pending, available, deleting, deleted."""

    def __init__(self, backend: Any, subnet_id: str, allocation_id: str, tags: Any, connectivity_type: Any) -> None:
        super().__init__(backend, subnet_id, allocation_id, tags, connectivity_type or "public")
        self.state = "pending"
        interface = self._eni
        interface.lab_kind, interface.lab_owner = "nat_gateway", self.id
        interface.requester_managed = True
        interface.interface_type = "nat_gateway"
        interface.description = f"Interface for NAT Gateway {self.id}"
        interface.status = "in-use"
        interface.source_dest_check = False
        self.private_ip = interface.private_ip_address

    @property
    def unsettled(self) -> bool:
        return self.state in ("pending", "deleting")

    def settle(self) -> None:
        if self.state == "pending":
            self.state = "available"
        elif self.state == "deleting":
            self.state = "deleted"
            if elastic := self._eni.elastic:
                self.ec2_backend.disassociate_address(address=elastic.public_ip)
            self.ec2_backend.enis.pop(self._eni.id, None)

    def delete(self) -> None:
        """Begin the deletion; the interface and the Elastic address stay until it is done."""
        if self.state in ("pending", "available"):
            self.state = "deleting"
            self.unsettle()


class NatGatewayBackend:
    """Refusals, ``ClientToken`` and tag filters."""

    nat_gateways: dict[str, NatGateway]

    def __init__(self) -> None:
        self.nat_gateway_tokens: dict[str, str] = {}

    def create_nat_gateway(
        self, subnet_id: str, allocation_id: str, tags: Any = None, connectivity_type: Any = None
    ) -> Any:
        subnet = self.get_subnet(subnet_id)  # type: ignore[attr-defined]  # moto's
        if connectivity_type != "private":
            gateways = self.describe_internet_gateways(  # type: ignore[attr-defined]  # moto's
                filters={"attachment.vpc-id": [subnet.vpc_id]}
            )
            if not gateways:
                raise EC2ClientError("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")
            if not allocation_id:
                raise EC2ClientError("MissingParameter", "The request must include the AllocationId parameter.")
            elastic = self.address_by_allocation([allocation_id])[0]  # type: ignore[attr-defined]  # moto's
            if elastic.association_id:
                raise EC2ClientError(
                    "Resource.AlreadyAssociated", f"Elastic IP address [{allocation_id}] is already associated"
                )
        return super().create_nat_gateway(  # type: ignore[misc]  # moto's
            subnet_id, allocation_id, tags, connectivity_type
        )

    def describe_nat_gateways(self, filters: Any, nat_gateway_ids: list[str] | None) -> list[Any]:
        for identifier in nat_gateway_ids or []:
            self._nat_gateway(identifier)
        for gateway in self.nat_gateways.values():
            gateway.look()
        matching: list[Any] = super().describe_nat_gateways(filters, nat_gateway_ids)  # type: ignore[misc]  # moto's
        tag_filters = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
        return [
            gateway
            for gateway in matching
            if all(_tag_matches(gateway, name, values) for name, values in tag_filters.items())
        ]

    def delete_nat_gateway(self, nat_gateway_id: str) -> Any:
        gateway = self._nat_gateway(nat_gateway_id)
        gateway.delete()
        return gateway

    def _nat_gateway(self, identifier: str) -> NatGateway:
        if identifier not in self.nat_gateways:
            raise EC2ClientError("NatGatewayNotFound", f"NatGateway {identifier} was not found")
        return self.nat_gateways[identifier]


def _tag_matches(gateway: Any, name: str, values: list[str]) -> bool:
    tags = {tag["key"]: tag["value"] for tag in gateway.get_tags()}
    if name == "tag-key":
        return any(value in tags for value in values)
    return tags.get(name.removeprefix("tag:")) in values


class NatGatewayCalls:
    """``ClientToken``: the same request again makes no second gateway."""

    def create_nat_gateway(self) -> ActionResult:
        if self._get_param("AvailabilityMode") == "regional":  # type: ignore[attr-defined]  # moto's
            raise EC2ClientError("UnsupportedOperation", "The lab has zonal NAT gateways only.")
        token = self._get_param("ClientToken")  # type: ignore[attr-defined]  # moto's
        backend = self.ec2_backend  # type: ignore[attr-defined]  # moto's
        if token in backend.nat_gateway_tokens:
            gateway = backend.nat_gateways[backend.nat_gateway_tokens[token]]
            return ActionResult({"NatGateway": gateway, "ClientToken": token})
        result: ActionResult = super().create_nat_gateway()  # type: ignore[misc]  # moto's
        if token:
            backend.nat_gateway_tokens[token] = next(reversed(backend.nat_gateways))
        return result
