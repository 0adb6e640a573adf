"""EC2 Instance Connect Endpoints."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.core import TaggedEC2Resource

from lab.api.ec2.interfaces import create_service_interface
from lab.api.settling import Settling


@dataclass
class ConnectEndpoint(Settling, TaggedEC2Resource):  # type: ignore[misc]  # moto has no types here
    """States: create-in-progress, create-complete, delete-in-progress, delete-complete."""

    ec2_backend: Any
    subnet: Any
    groups: list[str]
    preserve_client_ip: bool
    token: str | None
    id: str = ""
    state: str = "create-in-progress"
    interface: Any = None
    created: datetime.datetime = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    @property
    def unsettled(self) -> bool:
        return self.state in ("create-in-progress", "delete-in-progress")

    def settle(self) -> None:
        if self.state == "create-in-progress":
            self.state = "create-complete"
        elif self.state == "delete-in-progress":
            self.state = "delete-complete"
            self.ec2_backend.enis.pop(self.interface.id, None)

    def answer(self) -> dict[str, Any]:
        """As AWS describes it."""
        backend = self.ec2_backend
        name = f"{self.id}.{secrets_of(self.id)}.ec2-instance-connect-endpoint.{backend.region_name}.amazonaws.com"
        return {
            "OwnerId": backend.account_id,
            "InstanceConnectEndpointId": self.id,
            "InstanceConnectEndpointArn": (
                f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:instance-connect-endpoint/{self.id}"
            ),
            "State": self.state,
            "StateMessage": "",
            "DnsName": name,
            "NetworkInterfaceIds": [self.interface.id],
            "VpcId": self.subnet.vpc_id,
            "AvailabilityZone": self.subnet.availability_zone,
            "AvailabilityZoneId": self.subnet.availability_zone_id,
            "CreatedAt": self.created,
            "SubnetId": self.subnet.id,
            "PreserveClientIp": self.preserve_client_ip,
            "SecurityGroupIds": self.groups,
            "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in self.get_tags()],
            "IpAddressType": "ipv4",
        }


def secrets_of(identifier: str) -> str:
    """The middle label of the DNS name: eight characters that stay the same for an endpoint."""
    return identifier.rpartition("-")[2][:8]


_FILTERS = {
    "instance-connect-endpoint-id": "InstanceConnectEndpointId",
    "state": "State",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


def _matches(answer: dict[str, Any], name: str, values: list[str]) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in answer["Tags"]}
    if name.startswith("tag:"):
        return tags.get(name.removeprefix("tag:")) in values
    if name == "tag-key":
        return any(value in tags for value in values)
    if name not in _FILTERS:
        raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return answer[_FILTERS[name]] in values


class ConnectEndpointCalls:
    """CreateInstanceConnectEndpoint, Describe…, Modify… and Delete…."""

    ec2_backend: Any
    _get_param: Any
    _filters_from_querystring: Any
    _parse_tag_specification: Any

    def create_instance_connect_endpoint(self) -> ActionResult:
        backend = self.ec2_backend
        token = self._get_param("ClientToken")
        for endpoint in backend.connect_endpoints.values():
            if token and endpoint.token == token:
                return ActionResult({"InstanceConnectEndpoint": endpoint.answer(), "ClientToken": token})
        subnet = backend.get_subnet(self._get_param("SubnetId"))
        for endpoint in backend.connect_endpoints.values():
            if endpoint.subnet.vpc_id == subnet.vpc_id and endpoint.state != "delete-complete":
                raise EC2ClientError(
                    "InstanceConnectEndpointLimitExceeded",
                    f"The maximum number of instance connect endpoints for vpc '{subnet.vpc_id}' has been reached.",
                )
        groups = self._get_param("SecurityGroupIds") or [backend.get_default_security_group(subnet.vpc_id).id]
        for group in groups:
            if not backend.get_security_group_from_id(group):
                raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        preserve = str(self._get_param("PreserveClientIp", False)).lower() == "true"
        endpoint = ConnectEndpoint(backend, subnet, groups, preserve, token)
        endpoint.id = f"eice-0{secrets.token_hex(8)}"
        endpoint.interface = create_service_interface(
            backend,
            subnet.id,
            "instance_connect_endpoint",
            endpoint.id,
            f"EC2 Instance Connect Endpoint managed network interface {endpoint.id}",
            groups,
        )
        backend.connect_endpoints[endpoint.id] = endpoint
        tags = self._parse_tag_specification("instance-connect-endpoint").get("instance-connect-endpoint", {})
        endpoint.add_tags(tags)
        return ActionResult({"InstanceConnectEndpoint": endpoint.answer(), "ClientToken": token})

    def describe_instance_connect_endpoints(self) -> ActionResult:
        wanted = self._get_param("InstanceConnectEndpointIds", []) or []
        for identifier in wanted:
            self._endpoint(identifier)
        answers = []
        for endpoint in list(self.ec2_backend.connect_endpoints.values()):
            if wanted and endpoint.id not in wanted:
                continue
            endpoint.look()
            if endpoint.state == "delete-complete":
                # Shown once more, then gone.
                del self.ec2_backend.connect_endpoints[endpoint.id]
            answers.append(endpoint.answer())
        filters = self._filters_from_querystring()
        answers = [a for a in answers if all(_matches(a, name, values) for name, values in filters.items())]
        return ActionResult({"InstanceConnectEndpoints": answers})

    def modify_instance_connect_endpoint(self) -> ActionResult:
        endpoint = self._endpoint(self._get_param("InstanceConnectEndpointId"))
        groups = self._get_param("SecurityGroupIds")
        if groups:
            self.ec2_backend.modify_network_interface_attribute(endpoint.interface.id, groups)
            endpoint.groups = groups
        preserve = self._get_param("PreserveClientIp")
        if preserve is not None:
            endpoint.preserve_client_ip = str(preserve).lower() == "true"
        return ActionResult({"Return": True})

    def delete_instance_connect_endpoint(self) -> ActionResult:
        endpoint = self._endpoint(self._get_param("InstanceConnectEndpointId"))
        if endpoint.state != "delete-in-progress":
            endpoint.state = "delete-in-progress"
            endpoint.unsettle()
        return ActionResult({"InstanceConnectEndpoint": endpoint.answer()})

    def _endpoint(self, identifier: str) -> ConnectEndpoint:
        endpoint: ConnectEndpoint | None = self.ec2_backend.connect_endpoints.get(identifier)
        if endpoint is None:
            raise EC2ClientError(
                "InvalidInstanceConnectEndpointId.NotFound",
                f"The instance connect endpoint ID '{identifier}' does not exist",
            )
        return endpoint
