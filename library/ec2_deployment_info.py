#!/usr/bin/python
"""Read everything that a deployment has, at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_deployment_info
short_description: Read everything that a deployment has, by its tags, at once
description:
  - Reads a VPC with its subnets, route tables, NAT gateways, instances, volumes, security groups and their rules, the
    bucket, the CloudFront distribution, a Lambda function and a schedule beside it, all in one task whose calls run
    side by side.
  - The collections have an information module for nearly each of these; ten tasks take ten times as long.
author: The Madang authors
options:
  tags:
    description: Tags that the deployment's resources carry.
    type: dict
    required: true
  bucket:
    description: A bucket to look at too.
    type: str
    default: ""
  function:
    description: A Lambda function to look at too, by its name.
    type: str
    default: ""
  schedule:
    description: A schedule of EventBridge Scheduler to look at too, by its name in the group V(default).
    type: str
    default: ""
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read what the shop has
  ec2_deployment_info:
    tags: {Project: shop, Environment: production}
    bucket: shop-production-site
    function: shop-production-collector
    schedule: shop-production-collector
  register: shop
"""

RETURN = r"""
deployment:
  description: What was found, each list in the terms of boto3 in snake_case, with tags as a dictionary.
  returned: always
  type: dict
  contains:
    vpcs: {description: The VPCs with the tags., type: list, elements: dict}
    subnets: {description: The VPCs' subnets., type: list, elements: dict}
    route_tables: {description: The VPCs' route tables., type: list, elements: dict}
    nat_gateways: {description: NAT gateways with the tags that are not deleted., type: list, elements: dict}
    instances: {description: Instances with the tags that are not terminated., type: list, elements: dict}
    volumes: {description: Volumes attached to these instances., type: list, elements: dict}
    security_groups: {description: The VPCs' groups., type: list, elements: dict}
    security_group_rules: {description: Those groups' rules with their identifiers., type: list, elements: dict}
    distributions: {description: CloudFront distributions with the tags., type: list, elements: dict}
    bucket:
      description: The bucket, with V(exists), V(public_access_block) and V(policy), each V(null) where there is none.
      type: dict
    function:
      description: The function's name, ARN, runtime, state with its reason, and VPC; V(null) where there is none.
      type: dict
    schedule: {description: The schedule; V(null) where there is none., type: dict}
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.aws_outcome import Outcome, doing, finish, patient, unless
from ansible.module_utils.cloudfront_distributions import described, with_tags
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.transformation import (
    ansible_dict_to_boto3_filter_list,
    boto3_resource_to_ansible_dict,
)

ARGUMENTS: dict[str, Any] = {
    "tags": {"type": "dict", "required": True},
    "bucket": {"type": "str", "default": ""},
    "function": {"type": "str", "default": ""},
    "schedule": {"type": "str", "default": ""},
}
REMEDIES = {
    "UnauthorizedOperation": "The credentials need ec2:Describe* to verify a deployment",
    "AccessDenied": "The credentials need s3:GetBucketPublicAccessBlock, s3:GetBucketPolicy and cloudfront:List*",
    "AccessDeniedException": "The credentials need lambda:GetFunctionConfiguration and scheduler:GetSchedule",
}
ALIVE = ["pending", "running", "stopping", "stopped", "shutting-down"]
# What a service answers that has none.
MISSING = (
    "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration", "NoSuchBucket", "404", "ResourceNotFoundException",
)  # fmt: skip
# Of a function: not its environment, which is nobody's who only looks.
FUNCTION = ("FunctionName", "FunctionArn", "Runtime", "State", "StateReason", "VpcConfig")
SCHEDULE = ("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target")


def read(clients: Mapping[str, Any], tags: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, Any]:
    """Everything with the tags, what stands in the VPCs that have them, and what is asked for by its name."""
    ec2 = clients["ec2"]

    def listed(call: str, member: str, **filters: Any) -> list[dict[str, Any]]:
        paginator = ec2.get_paginator(call)
        filters_list = ansible_dict_to_boto3_filter_list(
            {key.replace("_", "-"): value for key, value in filters.items()}
        )
        pages = paginator.paginate(Filters=filters_list)
        return [boto3_resource_to_ansible_dict(item) for page in pages for item in page[member]]

    tagged = {f"tag:{key}": value for key, value in tags.items()}
    vpcs = listed("describe_vpcs", "Vpcs", **tagged)
    inside = {"vpc_id": [vpc["vpc_id"] for vpc in vpcs] or ["none"]}
    calls: dict[str, Callable[[], Any]] = {
        "subnets": lambda: listed("describe_subnets", "Subnets", **inside),
        "route_tables": lambda: listed("describe_route_tables", "RouteTables", **inside),
        "nat_gateways": lambda: _nat_gateways(ec2, tagged),
        "instances": lambda: _with_volumes(ec2, tagged),
        "security_groups": lambda: _with_rules(listed, inside),
        "distributions": lambda: [described(item) for item in with_tags(clients["cloudfront"], dict(tags), None)],
        "bucket": lambda: look_at_bucket(clients["s3"], asked["bucket"]) if asked["bucket"] else None,
        "function": lambda: look_at_function(clients["lambda"], asked["function"]) if asked["function"] else None,
        "schedule": lambda: look_at_schedule(clients["scheduler"], asked["schedule"]) if asked["schedule"] else None,
    }
    with ThreadPoolExecutor(len(calls)) as pool:
        running = {name: pool.submit(call) for name, call in calls.items()}
        found = {name: future.result() for name, future in running.items()}
    found["instances"], found["volumes"] = found["instances"]
    found["security_groups"], found["security_group_rules"] = found["security_groups"]
    return {"vpcs": vpcs, **found}


def _nat_gateways(ec2: Any, tagged: Mapping[str, str]) -> list[dict[str, Any]]:
    # The parameter is called Filter here, and Filters everywhere else.
    filters = ansible_dict_to_boto3_filter_list({**tagged, "state": ["pending", "available"]})
    pages = ec2.get_paginator("describe_nat_gateways").paginate(Filter=filters)
    return [boto3_resource_to_ansible_dict(item) for page in pages for item in page["NatGateways"]]


def _with_volumes(ec2: Any, tagged: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    filters = ansible_dict_to_boto3_filter_list({**tagged, "instance-state-name": ALIVE})
    instances = [
        boto3_resource_to_ansible_dict(instance)
        for page in ec2.get_paginator("describe_instances").paginate(Filters=filters)
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]
    ids = [instance["instance_id"] for instance in instances]
    filters = ansible_dict_to_boto3_filter_list({"attachment.instance-id": ids or ["none"]})
    pages = ec2.get_paginator("describe_volumes").paginate(Filters=filters)
    return instances, [boto3_resource_to_ansible_dict(item) for page in pages for item in page["Volumes"]]


def _with_rules(
    listed: Callable[..., list[dict[str, Any]]], inside: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    groups = listed("describe_security_groups", "SecurityGroups", **inside)
    ids = [group["group_id"] for group in groups]
    return groups, listed("describe_security_group_rules", "SecurityGroupRules", group_id=ids) if ids else []


def look_at_bucket(s3: Any, bucket: str) -> dict[str, Any]:
    """A bucket's protection; the members are None where it has none."""
    exists = unless(MISSING, lambda: s3.head_bucket(Bucket=bucket)) is not None
    block = unless(MISSING, lambda: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])
    policy = unless(MISSING, lambda: json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]))
    return {"name": bucket, "exists": exists, "public_access_block": block, "policy": policy}


def look_at_function(client: Any, name: str) -> dict[str, Any] | None:
    """A Lambda function, or None."""
    return _picked(FUNCTION, unless(MISSING, lambda: client.get_function_configuration(FunctionName=name)))


def look_at_schedule(client: Any, name: str) -> dict[str, Any] | None:
    """A schedule of the default group, or None."""
    return _picked(SCHEDULE, unless(MISSING, lambda: client.get_schedule(Name=name)))


def _picked(keys: Sequence[str], answer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    found: dict[str, Any] = boto3_resource_to_ansible_dict({key: answer[key] for key in keys if key in answer})
    return found


def look(clients: Mapping[str, Any], asked: Mapping[str, Any]) -> Outcome:
    """What the task asks for."""
    with doing("read the deployment", REMEDIES):
        tags = {key: str(value) for key, value in asked["tags"].items()}
        return Outcome(False, values={"deployment": read(clients, tags, asked)})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    # CloudFront's helpers retry by themselves; botocore retries the rest.
    clients = {
        "ec2": module.client("ec2"),
        "s3": module.client("s3"),
        "cloudfront": module.client("cloudfront", retry_decorator=patient()),
    }
    # Parsed models of services take time, and one that nobody asks needs none.
    named = {"lambda": "function", "scheduler": "schedule"}
    clients |= {service: module.client(service) for service, option in named.items() if module.params[option]}
    finish(module, lambda: look(clients, module.params))


if __name__ == "__main__":
    main()
