"""What a deployment has in EC2: what carries its tags, and what others put into its VPCs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

Item = Mapping[str, Any]

# CloudFront makes this group with a VPC's first origin, and removes it with the last.
CLOUDFRONT_GROUP = "CloudFront-VPCOrigins-Service-SG"
# How services call the interfaces that they manage; each goes with what it serves.
SERVED = ("nat_gateway", "natGateway", "lambda")
SERVED_WORDS = ("NAT Gateway", "AWS Lambda VPC ENI", "EC2 Instance Connect Endpoint", "CloudFront")


def _all(_item: Item) -> bool:
    return True


def _nothing(_item: Item) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Listing:
    """How EC2 lists a kind. ``inside`` is the filter by VPC; ``counts`` leaves out what is gone or AWS's own."""

    call: str
    member: str
    identifier: str
    inside: str = ""
    counts: Callable[[Item], bool] = _all
    more: Callable[[Item], dict[str, Any]] = _nothing
    argument: str = "Filters"

    def items(self, ec2: Any, filters: Mapping[str, Any]) -> Iterator[Item]:
        """What the filters let through."""
        given = {self.argument: ansible_dict_to_boto3_filter_list(dict(filters))}
        pages = ec2.get_paginator(self.call).paginate(**given) if ec2.can_paginate(self.call) else None
        for page in pages or [getattr(ec2, self.call)(**given)]:
            for item in page[self.member]:
                yield from (each for each in item.get("Instances", [item]) if self.counts(each))

    def resource(self, item: Item) -> dict[str, Any]:
        """One as the module returns it."""
        tags = boto3_tag_list_to_ansible_dict(item.get("Tags") or [])
        identifier = str(item[self.identifier])
        return {"id": identifier, "name": tags.get("Name", identifier), "tags": tags, **self.more(item)}


def _vpc(item: Item) -> dict[str, Any]:
    return {"vpc_id": item["VpcId"]}


def _instance(item: Item) -> dict[str, Any]:
    tags = boto3_tag_list_to_ansible_dict(item.get("Tags") or [])
    return {"vpc_id": item.get("VpcId", ""), "role": tags.get("Role", "")}


def _group(item: Item) -> dict[str, Any]:
    return {"vpc_id": item["VpcId"], "name": item["GroupName"], "description": item["Description"]}


def _volume(item: Item) -> dict[str, Any]:
    return {"size": item["Size"], "instance_ids": [each["InstanceId"] for each in item["Attachments"]]}


LISTINGS: dict[str, Listing] = {
    "instance": Listing(
        "describe_instances", "Reservations", "InstanceId", "vpc-id",
        lambda item: item["State"]["Name"] != "terminated", _instance,
    ),
    "volume": Listing("describe_volumes", "Volumes", "VolumeId", "", lambda item: item["State"] != "deleting", _volume),
    "connect_endpoint": Listing(
        "describe_instance_connect_endpoints", "InstanceConnectEndpoints", "InstanceConnectEndpointId", "vpc-id",
        lambda item: item["State"] != "delete-complete",
        lambda item: {"interface_ids": item["NetworkInterfaceIds"]},
    ),
    "nat_gateway": Listing(
        "describe_nat_gateways", "NatGateways", "NatGatewayId", "vpc-id",
        lambda item: item["State"] not in ("deleted", "failed"), argument="Filter",
    ),
    "elastic_ip": Listing(
        "describe_addresses", "Addresses", "AllocationId", more=lambda item: {"public_ip": item["PublicIp"]}
    ),
    "vpc_endpoint": Listing(
        "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-id",
        lambda item: item["State"].lower() != "deleted",
    ),
    "route_table": Listing(
        "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id",
        lambda item: not any(each.get("Main") for each in item["Associations"]), _vpc,
    ),
    "security_group": Listing(
        "describe_security_groups", "SecurityGroups", "GroupId", "vpc-id",
        lambda item: item["GroupName"] not in ("default", CLOUDFRONT_GROUP), _group,
    ),
    "subnet": Listing(
        "describe_subnets", "Subnets", "SubnetId", "vpc-id",
        more=lambda item: {"vpc_id": item["VpcId"], "cidr": item["CidrBlock"]},
    ),
    "internet_gateway": Listing(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId", "attachment.vpc-id"
    ),
    "network_acl": Listing(
        "describe_network_acls", "NetworkAcls", "NetworkAclId", "vpc-id", lambda item: not item["IsDefault"]
    ),
    "vpc": Listing("describe_vpcs", "Vpcs", "VpcId"),
    "dhcp_options": Listing("describe_dhcp_options", "DhcpOptions", "DhcpOptionsId"),
    "key_pair": Listing("describe_key_pairs", "KeyPairs", "KeyPairId", more=lambda item: {"name": item["KeyName"]}),
}  # fmt: skip
# What AWS makes and removes by itself: to be waited for.
KINDS = (*LISTINGS, "network_interface", "service_group")


def ours(ec2: Any, kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """What carries the tags; of interfaces and service groups, what AWS keeps in the VPCs that carry them."""
    tagged = {f"tag:{key}": value for key, value in tags.items()}
    if kind == "service_group":
        return service_groups(ec2, vpc_ids(ec2, tags))
    if kind == "network_interface":
        return [_shown(item) for item in interfaces(ec2, vpc_ids(ec2, tags)) if served(item)]
    listing = LISTINGS[kind]
    return [listing.resource(item) for item in listing.items(ec2, tagged)]


def vpc_ids(ec2: Any, tags: Mapping[str, str]) -> list[str]:
    """The VPCs that carry the tags."""
    return [found["id"] for found in ours(ec2, "vpc", tags)]


def service_groups(ec2: Any, vpcs: Sequence[str]) -> list[dict[str, Any]]:
    """CloudFront's own security groups in the VPCs."""
    listing = replace(LISTINGS["security_group"], counts=_all)
    wanted = {"vpc-id": list(vpcs), "group-name": CLOUDFRONT_GROUP}
    return [listing.resource(item) for item in listing.items(ec2, wanted)] if vpcs else []


def interfaces(ec2: Any, vpcs: Sequence[str]) -> list[Item]:
    """The interfaces in the VPCs."""
    listing = Listing("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId")
    return list(listing.items(ec2, {"vpc-id": list(vpcs)})) if vpcs else []


def served(interface: Item) -> bool:
    """Whether a service manages it for something that a deployment has."""
    return (
        interface.get("InterfaceType") in SERVED
        or any(word in (interface.get("Description") or "") for word in SERVED_WORDS)
        # AWS documents no description of CloudFront's.
        or any(group["GroupName"] == CLOUDFRONT_GROUP for group in interface["Groups"])
    )


def strangers(ec2: Any, tags: Mapping[str, str], found: Mapping[str, Sequence[Item]]) -> list[dict[str, Any]]:
    """What stands in the VPCs without their tags, and would be in the way of their deletion."""
    vpcs = vpc_ids(ec2, tags)
    if not vpcs:
        return []
    known = {item["id"] for items in found.values() for item in items}
    result = []
    for kind, listing in LISTINGS.items():
        if listing.inside:
            inside = (listing.resource(item) for item in listing.items(ec2, {listing.inside: vpcs}))
            result += [{"kind": kind, **each} for each in inside if each["id"] not in known]
    endpoints = {each for endpoint in found.get("connect_endpoint", ()) for each in endpoint["interface_ids"]}
    for item in interfaces(ec2, vpcs):
        attached = (item.get("Attachment") or {}).get("InstanceId") or item["NetworkInterfaceId"] in endpoints
        if not attached and not served(item):
            result.append({"kind": "network_interface", **_shown(item)})
    return result


def _shown(item: Item) -> dict[str, Any]:
    tags = boto3_tag_list_to_ansible_dict(item.get("TagSet") or [])
    identifier = str(item["NetworkInterfaceId"])
    return {"id": identifier, "name": item.get("Description") or identifier, "tags": tags}
