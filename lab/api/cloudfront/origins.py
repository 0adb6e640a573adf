"""VPC origins: how CloudFront reaches a host that has no public address.

With a VPC's first origin CloudFront makes the group ``CloudFront-VPCOrigins-Service-SG`` in it, and removes it with
the last one; each origin has a service-managed interface in its target's subnet. (The interface's description is the
lab's own wording: AWS's is not documented.)
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult

from lab.api import ec2
from lab.api.cloudfront import config
from lab.api.cloudfront.calls import Base
from lab.api.cloudfront.errors import fail
from lab.api.cloudfront.store import LOCATION, Backend, Json, VpcOrigin, check_match, listing
from lab.api.ec2.interfaces import create_service_interface

SERVICE_GROUP = "CloudFront-VPCOrigins-Service-SG"
_MARK = {"aws.cloudfront.vpcorigin": "enabled"}
_MOST_ORIGINS = 25
_TARGET = re.compile(
    r"arn:aws:(?P<service>ec2|elasticloadbalancing):(?P<region>[^:]+):(?P<account>\d+):(?P<resource>.+)"
)


class VpcOriginCalls(Base):
    """CreateVpcOrigin, Get…, List…, Update…, Delete…."""

    def create_vpc_origin(self) -> ActionResult:
        wanted = self._get_param("VpcOriginEndpointConfig")
        self._check(wanted)
        if any(known.config["Name"] == wanted["Name"] for known in self._known()):
            fail("EntityAlreadyExists", f"A VPC origin named {wanted['Name']} exists already.")
        if len(self._known()) >= _MOST_ORIGINS:
            fail("EntityLimitExceeded", f"The maximum of {_MOST_ORIGINS} VPC origins has been reached.")
        region, vpc_id, subnet_id, target_ip = find_target(wanted["Arn"])
        origin = VpcOrigin(
            config=wanted, account_id=self.current_account, region=region, vpc_id=vpc_id, target_ip=target_ip
        )
        origin.id = f"vo_{origin.id[1:].lower()}"
        origin.arn = f"arn:aws:cloudfront::{self.current_account}:vpcorigin/{origin.id}"
        origin.interface_id = _place_interface(origin, subnet_id)
        self.backend.lab_origins[origin.id] = origin
        self._tags_at_creation(origin.arn, self._get_param("Tags"))
        return self._origin_answer(origin, location=True)

    def get_vpc_origin(self) -> ActionResult:
        return self._origin_answer(self._origin(self._get_param("Id")))

    def list_vpc_origins(self) -> ActionResult:
        items = []
        for origin in self._known():
            origin.look()
            remove_if_done(self.backend, origin)
            if not origin.removed:
                items.append(_summary(origin))
        return ActionResult({"VpcOriginList": listing(items)})

    def update_vpc_origin(self) -> ActionResult:
        origin = self._origin(self._get_param("Id"), look=False)
        check_match(origin.etag, self._get_param("IfMatch"))
        wanted = self._get_param("VpcOriginEndpointConfig")
        self._check(wanted)
        if self.backend.users_of_origin(origin.id):
            fail("CannotUpdateEntityWhileInUse", "The entity cannot be updated while it is in use.")
        if wanted["Arn"] != origin.config["Arn"]:
            fail("IllegalUpdate", "The ARN of a VPC origin cannot change.")
        if origin.status != "Deployed":
            fail("IllegalUpdate", f"The VPC origin cannot change while its status is {origin.status}.")
        origin.config, origin.status = wanted, "Deploying"
        origin.touch()
        origin.unsettle()
        return self._origin_answer(origin)

    def delete_vpc_origin(self) -> ActionResult:
        origin = self._origin(self._get_param("Id"), look=False)
        check_match(origin.etag, self._get_param("IfMatch"))
        if self.backend.users_of_origin(origin.id):
            fail("CannotDeleteEntityWhileInUse", "The entity cannot be deleted while it is in use.")
        if origin.status != "Deployed":
            fail("IllegalDelete", f"The VPC origin cannot be deleted while its status is {origin.status}.")
        origin.status = "Deleting"
        origin.touch()
        origin.unsettle()
        return self._origin_answer(origin)

    def _known(self) -> list[VpcOrigin]:
        return list(self.backend.lab_origins.values())

    def _check(self, wanted: Json) -> None:
        config.check_quantities(wanted)
        wanted.setdefault("OriginSslProtocols", {"Quantity": 1, "Items": ["TLSv1.2"]})
        wanted.setdefault("IpAddressType", "ipv4")
        for name in ("HTTPPort", "HTTPSPort"):
            port = wanted[name]
            if port not in (80, 443) and not 1024 <= port <= 65535:
                fail("InvalidArgument", f"The parameter {name} must be 80, 443 or from 1024 to 65535.")
        if wanted["OriginProtocolPolicy"] not in ("http-only", "match-viewer", "https-only"):
            fail("InvalidArgument", "The parameter OriginProtocolPolicy is not valid.")

    def _origin(self, identifier: str, *, look: bool = True) -> VpcOrigin:
        origin = self.backend.lab_origins.get(identifier)
        if origin is not None and look:
            origin.look()
            remove_if_done(self.backend, origin)
        if origin is None or origin.removed:
            fail("EntityNotFound", "The specified VPC origin does not exist.")
        return origin

    def _origin_answer(self, origin: VpcOrigin, *, location: bool = False) -> ActionResult:
        answer: Json = {
            "ETag": origin.etag,
            "VpcOrigin": {
                "Id": origin.id,
                "Arn": origin.arn,
                "AccountId": origin.account_id,
                "Status": origin.status,
                "CreatedTime": origin.created,
                "LastModifiedTime": origin.modified,
                "VpcOriginEndpointConfig": origin.config,
            },
        }
        if location:
            answer["Location"] = f"{LOCATION}/vpc-origin/{origin.id}"
        return ActionResult(answer)


def _summary(origin: VpcOrigin) -> Json:
    return {
        "Id": origin.id,
        "Name": origin.config["Name"],
        "Status": origin.status,
        "CreatedTime": origin.created,
        "LastModifiedTime": origin.modified,
        "Arn": origin.arn,
        "AccountId": origin.account_id,
        "OriginEndpointArn": origin.config["Arn"],
        "IpAddressType": origin.config["IpAddressType"],
    }


def find_target(arn: str) -> tuple[str, str, str, str | None]:
    """Region, VPC, subnet and address of an origin's target; AWS's error when it cannot be one."""
    found = _TARGET.fullmatch(arn)
    if not found:
        fail("InvalidArgument", f"{arn} is no ARN of an EC2 instance or a load balancer.")
    region = found["region"]
    backend = ec2.backend(region)
    target_ip: str | None = None
    if found["service"] == "ec2":
        instance = backend.get_instance_by_id(found["resource"].removeprefix("instance/"))
        if instance is None or instance.state in ("shutting-down", "terminated"):
            fail("InvalidArgument", f"The instance of {arn} does not exist.")
        vpc_id, subnet_id, target_ip = instance.vpc_id, instance.subnet_id, instance.private_ip
    else:
        balancer = _load_balancer(region, arn)
        subnet_id = balancer.subnets[0].id
        vpc_id = balancer.vpc_id
    if not backend.describe_internet_gateways(filters={"attachment.vpc-id": [vpc_id]}):
        fail("InvalidArgument", f"The VPC {vpc_id} has no internet gateway; a VPC origin needs one to be attached.")
    return region, vpc_id, subnet_id, target_ip


def _load_balancer(region: str, arn: str) -> Any:
    from moto.elbv2 import elbv2_backends

    from lab.settings import ACCOUNT_ID

    balancer = elbv2_backends[ACCOUNT_ID][region].load_balancers.get(arn)
    if balancer is None:
        fail("InvalidArgument", f"The load balancer {arn} does not exist.")
    return balancer


def _place_interface(origin: VpcOrigin, subnet_id: str) -> str:
    backend = ec2.backend(origin.region)
    group = backend.get_security_group_from_name(SERVICE_GROUP, origin.vpc_id)
    if group is None:
        group = backend.create_security_group(
            SERVICE_GROUP, "The group of CloudFront's interfaces for VPC origins", vpc_id=origin.vpc_id, tags=_MARK
        )
        group.lab_service_managed = True
    interface = create_service_interface(
        backend, subnet_id, "vpc_origin", origin.id, f"CloudFront VPC origin {origin.id}", [group.id]
    )
    interface.add_tags(_MARK)
    return str(interface.id)


def remove_if_done(backend: Backend, origin: VpcOrigin) -> None:
    """Forget an origin whose deletion is done, its interface, and the group with the VPC's last origin."""
    if not origin.removed:
        return
    backend.lab_origins.pop(origin.id, None)
    backend.lab_tags.pop(origin.arn, None)
    network = ec2.backend(origin.region)
    network.enis.pop(origin.interface_id, None)
    if any(other.vpc_id == origin.vpc_id for other in backend.lab_origins.values()):
        return
    group = network.get_security_group_from_name(SERVICE_GROUP, origin.vpc_id)
    # Nobody deletes a group that a rule of another one names, AWS's own services neither (?).
    if group is not None and not network.referring(group):
        network.groups[origin.vpc_id].pop(group.id, None)
