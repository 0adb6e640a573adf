#!/usr/bin/python
"""Manage a VPC's gateway endpoint, and the route tables that lead to it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_gateway_endpoint
short_description: Manage a VPC's gateway endpoint and the route tables that lead to it
description:
  - The stock module knows an endpoint by its tables, so it cannot give one another table.
  - The endpoint is found by its VPC, its service and its tags, and created with them in the same call.
author: The Madang authors
options:
  vpc_id:
    description: The VPC.
    type: str
    required: true
  service:
    description: The service's name, such as V(com.amazonaws.ap-northeast-2.s3).
    type: str
    required: true
  route_table_ids:
    description: The tables that have a route to it, all of them.
    type: list
    elements: str
    required: true
  tags:
    description: Tags that identify the endpoint, all of them, and that it is created with.
    type: dict
    required: true
    aliases: [resource_tags]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep traffic to S3 off the NAT gateway
  ec2_gateway_endpoint:
    vpc_id: vpc-0123456789abcdef0
    service: com.amazonaws.ap-northeast-2.s3
    route_table_ids: [rtb-0123456789abcdef0]
    tags: {Name: shop-s3, Project: shop}
"""

RETURN = r"""
vpc_endpoint_id:
  description: The endpoint's identifier; in check mode V((known after creation)) for a new one.
  returned: always
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.aws_outcome import UNKNOWN, Outcome, doing, finish, patient, refusal
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_specifications
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

ARGUMENTS: dict[str, Any] = {
    "vpc_id": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "route_table_ids": {"type": "list", "elements": "str", "required": True},
    "tags": {"type": "dict", "required": True, "aliases": ["resource_tags"]},
}
REMEDIES = {
    "RouteAlreadyExists": "Another endpoint of the same service has one of the tables: delete it",
    "UnauthorizedOperation": "The credentials need ec2:DescribeVpcEndpoints, ec2:CreateVpcEndpoint, ec2:CreateTags and "
    "ec2:ModifyVpcEndpoint",
}
ALIVE = ["pendingAcceptance", "pending", "available"]


def find(client: Any, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The endpoint with the tags."""
    tags = {f"tag:{key}": value for key, value in asked["tags"].items()}
    filters = {"vpc-id": asked["vpc_id"], "service-name": asked["service"], **tags}
    with doing(f"look for the gateway endpoint of {asked['service']}", REMEDIES):
        answer = client.describe_vpc_endpoints(Filters=ansible_dict_to_boto3_filter_list(filters), aws_retry=True)
    found = [each for each in answer["VpcEndpoints"] if each.get("State", "available") in ALIVE]
    if len(found) > 1:
        identifiers = ", ".join(each["VpcEndpointId"] for each in found)
        raise refusal(f"Endpoints {identifiers} all have the tags {asked['tags']}: delete or retag all but one.")
    return next(iter(found), None)


def ensure(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Create it, or give it the tables that it lacks and take from it those that it should not have."""
    found = find(client, asked)
    before = sorted(found["RouteTableIds"]) if found else []
    after = sorted(asked["route_table_ids"])
    identifier = str(found["VpcEndpointId"]) if found else UNKNOWN
    changed = found is None or before != after
    if changed and not check_mode:
        with doing(f"set the route tables of the gateway endpoint of {asked['service']}", REMEDIES):
            if found:
                client.modify_vpc_endpoint(VpcEndpointId=identifier, aws_retry=True, **differences(before, after))
            else:
                identifier = _create(client, asked, after)
    return Outcome(
        changed,
        {"route_table_ids": before} if found else {},
        {"route_table_ids": after},
        {"vpc_endpoint_id": identifier},
    )


def differences(before: list[str], after: list[str]) -> dict[str, list[str]]:
    """The arguments that lead from one set of tables to the other."""
    ways = {
        "AddRouteTableIds": [each for each in after if each not in before],
        "RemoveRouteTableIds": [each for each in before if each not in after],
    }
    return {key: value for key, value in ways.items() if value}


def _create(client: Any, asked: Mapping[str, Any], tables: list[str]) -> str:
    answer = client.create_vpc_endpoint(
        VpcId=asked["vpc_id"],
        ServiceName=asked["service"],
        VpcEndpointType="Gateway",
        RouteTableIds=tables,
        TagSpecifications=boto3_tag_specifications(asked["tags"], "vpc-endpoint"),
        aws_retry=True,
    )
    return str(answer["VpcEndpoint"]["VpcEndpointId"])


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    client = module.client("ec2", retry_decorator=patient("InvalidRouteTableId.NotFound"))
    finish(module, lambda: ensure(client, module.params, module.check_mode))


if __name__ == "__main__":
    main()
