#!/usr/bin/python
"""Find everything that a deployment has in an account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_resources_info
short_description: Find everything that a deployment has in an account, by kind
description:
  - Finds whatever carries the given tags, all of them, in the services that Madang deploys to; the calls run side by
    side.
  - Two kinds have no tags in AWS. An origin access control is known by its name and its description; a schedule by its
    name and by its role, which carries the tags.
  - Tells also what stands in the deployment's VPCs without its tags. A VPC cannot be deleted around it.
author: The Madang authors
options:
  tags:
    description: Tags that the deployment's resources carry.
    type: dict
    required: true
  prefix:
    description: What the names of its resources begin with, before a hyphen.
    type: str
    required: true
  secrets_prefix:
    description: What the names of its secrets begin with.
    type: str
    required: true
  kinds:
    description: The kinds to look for. All, and what others put into the VPCs, when not given.
    type: list
    elements: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find what the shop has
  deployment_resources_info:
    tags: {Project: shop, Environment: production}
    prefix: shop-production
    secrets_prefix: shop/production/
  register: shop

- name: Wait until its instances are gone
  deployment_resources_info:
    tags: {Project: shop, Environment: production}
    prefix: shop-production
    secrets_prefix: shop/production/
    kinds: [instance]
  register: left
  until: left.resources.instance | length == 0
  retries: 30
"""

RETURN = r"""
resources:
  description:
    - What was found, a list by kind. Each has at least V(id) and V(name).
    - Kinds are V(bucket), V(cloudfront_function), V(connect_endpoint), V(dhcp_options), V(distribution),
      V(elastic_ip), V(function), V(iam_role), V(instance), V(internet_gateway), V(key_pair), V(log_group),
      V(nat_gateway), V(network_acl), V(network_interface) (those that services manage), V(origin_access_control),
      V(private_zone), V(route_table), V(schedule), V(secret), V(security_group), V(service_group) (CloudFront's own),
      V(subnet), V(volume), V(vpc), V(vpc_endpoint) and V(vpc_origin).
  returned: always
  type: dict
strangers:
  description: What stands in the VPCs without the tags, each with V(kind), V(id) and V(name).
  returned: always
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ansible.module_utils import deployment_network, deployment_services
from ansible.module_utils.aws_outcome import Outcome, doing, finish, patient
from ansible.module_utils.deployment_services import READERS, Deployment
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

ARGUMENTS: dict[str, Any] = {
    "tags": {"type": "dict", "required": True},
    "prefix": {"type": "str", "required": True},
    "secrets_prefix": {"type": "str", "required": True, "no_log": False},
    "kinds": {"type": "list", "elements": "str"},
}
KINDS = (*deployment_network.KINDS, *deployment_services.KINDS)
_LISTS = (
    "The credentials need to list and describe what EC2, S3, CloudFront, Route 53, Lambda, EventBridge Scheduler, "
    "CloudWatch Logs, IAM and Secrets Manager have, and its tags"
)
REMEDIES = dict.fromkeys(("UnauthorizedOperation", "AccessDenied", "AccessDeniedException"), _LISTS)
# Calls at once; more would only be throttled.
SIDE_BY_SIDE = 8


def read_all(
    read: Callable[[Any, Deployment], Iterator[dict[str, Any]]], client: Any, deployment: Deployment
) -> list[dict[str, Any]]:
    """What a service has of a kind."""
    return list(read(client, deployment))


def find(client: Callable[[str], Any], deployment: Deployment, kinds: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What there is of each kind."""
    calls: dict[str, Callable[[], list[dict[str, Any]]]] = {}
    for kind in kinds:
        if kind in deployment_network.KINDS:
            calls[kind] = partial(deployment_network.ours, client("ec2"), kind, deployment.tags)
        elif kind in READERS:
            service, read = READERS[kind]
            calls[kind] = partial(read_all, read, client(service), deployment)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        running = {kind: pool.submit(call) for kind, call in calls.items()}
        result = {kind: future.result() for kind, future in running.items()}
    if "schedule" in kinds:
        roles = result.get("iam_role") or list(deployment_services.iam_roles(client("iam"), deployment))
        arns = [role["arn"] for role in roles]
        result["schedule"] = list(deployment_services.schedules(client("scheduler"), deployment, arns))
    return result


def look(client: Callable[[str], Any], asked: Mapping[str, Any]) -> Outcome:
    """What the task asks for."""
    tags = {key: str(value) for key, value in asked["tags"].items()}
    deployment = Deployment(tags, asked["prefix"], asked["secrets_prefix"])
    with doing("find what the deployment has", REMEDIES):
        found = find(client, deployment, asked["kinds"] or list(KINDS))
        others = [] if asked["kinds"] else deployment_network.strangers(client("ec2"), tags, found)
    return Outcome(False, values={"resources": found, "strangers": others})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        # CloudFront's helpers retry by themselves; botocore retries the rest.
        retry = {"retry_decorator": patient()} if service == "cloudfront" else {}
        if service not in clients:
            clients[service] = module.client(service, **retry)
        return clients[service]

    finish(module, lambda: look(client, module.params))


if __name__ == "__main__":
    main()
