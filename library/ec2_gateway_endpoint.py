#!/usr/bin/python
"""Manage a VPC's gateway endpoint, and the route tables that lead to it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_gateway_endpoint
short_description: Manage a VPC's gateway endpoint and the route tables that lead to it
description:
  - The stock module knows an endpoint by its tables, so it cannot give one another table, and it looks at no policy.
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
    description: Tags that identify the endpoint, all of them, and that it is created with. Others are removed.
    type: dict
    required: true
    aliases: [resource_tags]
  policy:
    description: Its policy. Without it, AWS's own, by which it forbids nothing.
    type: dict
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
  description: The endpoint's identifier; in check mode V((known after creation\)) for a new one.
  returned: always
  type: str
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.aws_outcome import UNKNOWN, Outcome, doing, finish, patient, refusal
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    boto3_tag_list_to_ansible_dict,
    boto3_tag_specifications,
)
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list

ARGUMENTS: dict[str, Any] = {
    "vpc_id": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "route_table_ids": {"type": "list", "elements": "str", "required": True},
    "tags": {"type": "dict", "required": True, "aliases": ["resource_tags"]},
    "policy": {"type": "dict"},
}
# What AWS gives an endpoint that is created without a policy.
EVERYTHING = {
    "Version": "2008-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
REMEDIES = {
    "RouteAlreadyExists": "Another endpoint of the same service has one of the tables: delete it",
    "UnauthorizedOperation": "The credentials need ec2:DescribeVpcEndpoints, ec2:CreateVpcEndpoint, ec2:CreateTags, "
    "ec2:DeleteTags and ec2:ModifyVpcEndpoint",
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
    """Create it, or give it what it lacks and take from it what it should not have."""
    found = find(client, asked)
    before = settings_of(found) if found else {}
    after = {
        "route_table_ids": sorted(asked["route_table_ids"]),
        "policy": asked["policy"] or EVERYTHING,
        "tags": {key: str(value) for key, value in asked["tags"].items()},
    }
    identifier = str(found["VpcEndpointId"]) if found else UNKNOWN
    changed = before != after
    if changed and not check_mode:
        with doing(f"set up the gateway endpoint of {asked['service']}", REMEDIES):
            if found:
                change(client, identifier, before, after)
            else:
                identifier = _create(client, asked, after)
    return Outcome(changed, before, after, {"vpc_endpoint_id": identifier})


def settings_of(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Its settings, comparable."""
    return {
        "route_table_ids": sorted(endpoint["RouteTableIds"]),
        "policy": json.loads(endpoint["PolicyDocument"]) if endpoint.get("PolicyDocument") else EVERYTHING,
        "tags": boto3_tag_list_to_ansible_dict(endpoint.get("Tags") or []),
    }


def change(client: Any, identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Change what differs. The tags that identify it are there; others go."""
    changes: dict[str, Any] = differences(before["route_table_ids"], after["route_table_ids"])
    if before["policy"] != after["policy"]:
        changes["PolicyDocument"] = json.dumps(after["policy"])
    if changes:
        client.modify_vpc_endpoint(VpcEndpointId=identifier, aws_retry=True, **changes)
    others = [{"Key": key} for key in before["tags"] if key not in after["tags"]]
    if others:
        client.delete_tags(Resources=[identifier], Tags=others, aws_retry=True)


def differences(before: list[str], after: list[str]) -> dict[str, list[str]]:
    """The arguments that lead from one set of tables to the other."""
    ways = {
        "AddRouteTableIds": [each for each in after if each not in before],
        "RemoveRouteTableIds": [each for each in before if each not in after],
    }
    return {key: value for key, value in ways.items() if value}


def _create(client: Any, asked: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    answer = client.create_vpc_endpoint(
        VpcId=asked["vpc_id"],
        ServiceName=asked["service"],
        VpcEndpointType="Gateway",
        RouteTableIds=settings["route_table_ids"],
        **({"PolicyDocument": json.dumps(asked["policy"])} if asked["policy"] else {}),
        TagSpecifications=boto3_tag_specifications(asked["tags"], "vpc-endpoint"),
        ClientToken=str(uuid.uuid4()),  # boto3 makes none here, and a request whose answer is lost is sent again
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
