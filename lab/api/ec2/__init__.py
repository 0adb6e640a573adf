"""EC2: moto's backend and answers with the lab's rooms mixed in."""

from __future__ import annotations

from typing import Any

import moto.ec2.models as moto_models
import moto.ec2.models.instances as moto_instances
import moto.ec2.urls as moto_urls
from moto.ec2.models import (
    amis,
    dhcp_options,
    elastic_ip_addresses,
    elastic_network_interfaces,
    nat_gateways,
    route_tables,
    security_groups,
    subnets,
    vpcs,
)
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, EC2_RESOURCE_TO_PREFIX

from lab.api.ec2 import addresses
from lab.api.ec2.connect import ConnectEndpoint, ConnectEndpointCalls
from lab.api.ec2.dhcp import DhcpCalls, DhcpOptions
from lab.api.ec2.groups import GroupBackend, GroupCalls, SecurityGroup, SecurityGroupRule
from lab.api.ec2.instances import Instance, InstanceBackend, InstanceCalls
from lab.api.ec2.interfaces import InterfaceBackend, InterfaceCalls, NetworkInterface, Subnet
from lab.api.ec2.nat import NatGateway, NatGatewayBackend, NatGatewayCalls
from lab.api.ec2.routes import Route, RouteBackend
from lab.api.images import IMAGES


class Backend(
    RouteBackend,
    InstanceBackend,
    InterfaceBackend,
    NatGatewayBackend,
    GroupBackend,
    moto_models.EC2Backend,  # type: ignore[misc]  # moto has no types here
):
    """One account's EC2 in one region."""

    _url_module = moto_urls

    def __init__(self, region_name: str, account_id: str) -> None:
        self.connect_endpoints: dict[str, ConnectEndpoint] = {}
        InstanceBackend.__init__(self)
        NatGatewayBackend.__init__(self)
        moto_models.EC2Backend.__init__(self, region_name, account_id)

    def _load_amis(self) -> None:
        for image in IMAGES:
            identifier = image.id(self.region_name)
            self.amis[identifier] = amis.Ami(
                self,
                identifier,
                name=image.name,
                description=image.description,
                owner_id=image.owner_id,
                owner_alias=image.owner_alias,
                public=True,
                virtualization_type="hvm",
                architecture=image.architecture,
                image_location=f"amazon/{image.name}",
                hypervisor="xen",
                root_device_type="ebs",
                root_device_name=image.root_device,
                region_name=f"{self.region_name}a",
            )


class Calls(ConnectEndpointCalls, DhcpCalls, InstanceCalls, InterfaceCalls, NatGatewayCalls, GroupCalls, EC2Response):  # type: ignore[misc]  # moto has no types here
    """What answers EC2's actions."""


def backend(region: str) -> Any:
    """The lab's account in a region."""
    from lab.settings import ACCOUNT_ID

    return moto_models.ec2_backends[ACCOUNT_ID][region]


def install() -> None:
    """Put the lab's classes where moto looks for its own: all of the seams, in one place."""
    moto_models.ec2_backends.backend = Backend
    moto_urls.url_paths["{0}/"] = Calls.dispatch
    subnets.Subnet = Subnet
    dhcp_options.DHCPOptionsSet = DhcpOptions
    route_tables.Route = Route
    # Not by its bare name: lab.api.ec2.instances would stand in its place.
    moto_instances.Instance = Instance
    nat_gateways.NatGateway = NatGateway
    for module in (nat_gateways, vpcs):
        module.random_private_ip = lambda *_: None  # the interface finds one inside its subnet
    elastic_network_interfaces.NetworkInterface = NetworkInterface
    elastic_ip_addresses.random_ip = addresses.free_public
    security_groups.SecurityGroup = SecurityGroup
    security_groups.SecurityGroupRule = SecurityGroupRule
    # AWS's own words for these types: stock modules ask for tags by them.
    EC2_PREFIX_TO_RESOURCE.update(
        nat="natgateway", eipalloc="elastic-ip", pl="prefix-list", eice="instance-connect-endpoint"
    )
    EC2_RESOURCE_TO_PREFIX["instance-connect-endpoint"] = "eice"  # else CreateTags and DeleteTags refuse the id
