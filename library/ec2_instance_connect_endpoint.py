#!/usr/bin/python
"""Manage EC2 Instance Connect Endpoints."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_instance_connect_endpoint
short_description: Manage EC2 Instance Connect Endpoints
description:
  - Creates, updates and deletes an EC2 Instance Connect Endpoint, through which SSH reaches instances that have no
    public address.
  - An endpoint is found by its tags, those that O(lookup_tags) names, and never adopted without them.
  - AWS allows one endpoint a VPC, and moves none to another subnet.
author: The Madang authors
options:
  subnet_id:
    description: The subnet in which the endpoint stands. Required with O(state=present).
    type: str
  security_group_ids:
    description:
      - The endpoint's security groups; the VPC's default one when not given at creation.
      - Their egress, and the instances' ingress from them, decide what it reaches. Their own ingress is ignored.
    type: list
    elements: str
  preserve_client_ip:
    description: Whether instances see the client's address instead of the endpoint's. AWS's default is V(false).
    type: bool
  lookup_tags:
    description: Keys of O(tags), whose values together identify the endpoint.
    type: list
    elements: str
    default: [Name]
  tags:
    description: Tags, set in the call that creates.
    type: dict
    required: true
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that O(tags) does not have are removed.
    type: bool
    default: true
  wait:
    description: Whether to wait until the endpoint is there, or gone.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait in seconds. AWS takes about five minutes.
    type: int
    default: 900
  state:
    description: Whether the endpoint is to be there.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Begin an endpoint, which takes minutes, and do other work meanwhile
  ec2_instance_connect_endpoint:
    subnet_id: subnet-0123456789abcdef0
    security_group_ids: [sg-0123456789abcdef0]
    tags: {Name: shop, Project: shop, Environment: production}
    lookup_tags: [Project, Environment, Name]
    wait: false

- name: Wait for it
  ec2_instance_connect_endpoint:
    subnet_id: subnet-0123456789abcdef0
    security_group_ids: [sg-0123456789abcdef0]
    tags: {Name: shop, Project: shop, Environment: production}
    lookup_tags: [Project, Environment, Name]
  register: way_in

- name: Delete it
  ec2_instance_connect_endpoint:
    tags: {Name: shop, Project: shop, Environment: production}
    lookup_tags: [Project, Environment, Name]
    state: absent
"""

RETURN = r"""
instance_connect_endpoint:
  description:
    - The endpoint. Empty after V(absent).
    - In check mode what only AWS can choose of a new one is V((known after creation\)).
  returned: always
  type: dict
  contains:
    instance_connect_endpoint_id: {description: Its identifier., type: str, sample: eice-0123456789abcdef0}
    dns_name: {description: The host to which clients open tunnels., type: str}
    state: {description: V(create-in-progress) or V(create-complete)., type: str}
    subnet_id: {description: Its subnet., type: str}
    vpc_id: {description: Its VPC., type: str}
    security_group_ids: {description: Its security groups., type: list, elements: str}
    network_interface_ids: {description: Its interfaces., type: list, elements: str}
    preserve_client_ip: {description: Whether instances see the client's address., type: bool}
    tags: {description: Its tags., type: dict}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.aws_outcome import UNKNOWN, Outcome, doing, finish, patient, refusal
from ansible.module_utils.aws_pages import pages
from ansible.module_utils.cloudfront_api import carries, identifying, wanted_tags
from ansible.module_utils.cloudfront_waiters import wait_until
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    boto3_tag_specifications,
    compare_aws_tags,
)
from ansible_collections.amazon.aws.plugins.module_utils.transformation import (
    ansible_dict_to_boto3_filter_list,
    boto3_resource_to_ansible_dict,
)

ARGUMENTS: dict[str, Any] = {
    "subnet_id": {"type": "str"},
    "security_group_ids": {"type": "list", "elements": "str"},
    "preserve_client_ip": {"type": "bool"},
    "lookup_tags": {"type": "list", "elements": "str", "default": ["Name"]},
    "tags": {"type": "dict", "required": True, "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 900},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

REMEDIES = {
    "InstanceConnectEndpointLimitExceeded": "A VPC has room for one endpoint and a region for five: delete one",
    "InvalidSecurityGroupId.NotFound": "The groups must be in the subnet's VPC",
    "InvalidSubnetID.NotFound": "Check subnet_id and the region",
    "UnauthorizedOperation": "The credentials need ec2:*InstanceConnectEndpoint*, ec2:CreateNetworkInterface, "
    "ec2:CreateTags, ec2:DeleteTags and, for an account's first endpoint, iam:CreateServiceLinkedRole",
}


def settings_of(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an endpoint, comparable."""
    return {
        "SubnetId": endpoint["SubnetId"],
        "SecurityGroupIds": sorted(endpoint.get("SecurityGroupIds") or []),
        "PreserveClientIp": bool(endpoint.get("PreserveClientIp")),
    }


def wanted_settings(asked: Mapping[str, Any], current: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings that the options ask for, over what there is."""
    wanted = {"SubnetId": asked["subnet_id"]}
    if asked["security_group_ids"] is not None:
        wanted["SecurityGroupIds"] = sorted(asked["security_group_ids"])
    if asked["preserve_client_ip"] is not None:
        wanted["PreserveClientIp"] = asked["preserve_client_ip"]
    return {**(current or {}), **wanted}


def choose(endpoints: Sequence[Mapping[str, Any]], required: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The endpoint that carries the tags; one that is being deleted only when there is no other."""
    ours = [
        endpoint
        for endpoint in endpoints
        if endpoint["State"] != "delete-complete"
        and carries(boto3_tag_list_to_ansible_dict(endpoint.get("Tags") or []), required)
    ]
    staying = [endpoint for endpoint in ours if not endpoint["State"].startswith("delete")]
    if len(staying) > 1:
        identifiers = ", ".join(endpoint["InstanceConnectEndpointId"] for endpoint in staying)
        raise refusal(f"Endpoints {identifiers} all have the tags {dict(required)}: give more lookup_tags.")
    return next(iter(staying or ours), None)


def find(client: Any, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The endpoint that the task means."""
    try:
        required = identifying(asked["tags"], asked["lookup_tags"])
    except KeyError as missing:
        raise refusal(f"lookup_tags names {missing}, which tags does not have: add it to tags.") from missing
    # Not by subnet or VPC: one that stands elsewhere is to be refused, and absent names neither.
    filters = ansible_dict_to_boto3_filter_list({f"tag:{key}": value for key, value in required.items()})
    with doing("list the instance connect endpoints", REMEDIES):
        found = pages(client.describe_instance_connect_endpoints, "InstanceConnectEndpoints", Filters=filters)
        return choose(found, required)


def create(client: Any, settings: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Create an endpoint, tagged at once, and return its identifier."""
    with doing(f"create an instance connect endpoint in {settings['SubnetId']}", REMEDIES):
        answer = client.create_instance_connect_endpoint(
            **settings, TagSpecifications=boto3_tag_specifications(tags, "instance-connect-endpoint"), aws_retry=True
        )
        return str(answer["InstanceConnectEndpoint"]["InstanceConnectEndpointId"])


def modify(client: Any, identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Change the settings that differ."""
    changes = {key: value for key, value in after.items() if before.get(key) != value}
    with doing(f"modify instance connect endpoint {identifier}", REMEDIES):
        client.modify_instance_connect_endpoint(InstanceConnectEndpointId=identifier, **changes, aws_retry=True)


def retag(client: Any, identifier: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Make the tags those of ``after``."""
    to_set, to_unset = compare_aws_tags(before, after, purge_tags=True)
    with doing(f"tag instance connect endpoint {identifier}", REMEDIES):
        if to_unset:
            client.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in to_unset], aws_retry=True)
        if to_set:
            client.create_tags(Resources=[identifier], Tags=ansible_dict_to_boto3_tag_list(to_set), aws_retry=True)


def wait(client: Any, waiter: str, identifier: str, asked: Mapping[str, Any]) -> None:
    """Wait for the endpoint."""
    with doing(f"see {waiter.replace('_', ' ')} ({identifier})", REMEDIES):
        wait_until(client, waiter, asked["wait_timeout"], InstanceConnectEndpointIds=[identifier])


def ensure_present(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Create or update."""
    found = find(client, asked)
    leaving = found if found and found["State"].startswith("delete") else None
    if leaving:
        found = None
    elif found and found["State"] == "create-failed":
        raise refusal(
            f"Endpoint {found['InstanceConnectEndpointId']} could not be created ({found.get('StateMessage')}): "
            "mend that, delete the endpoint with state absent, and run this again."
        )
    elif found and found["SubnetId"] != asked["subnet_id"]:
        raise refusal(
            f"Endpoint {found['InstanceConnectEndpointId']} stands in {found['SubnetId']}, and AWS moves none: "
            f"delete it with state absent, and run this again to have it in {asked['subnet_id']}."
        )
    before = settings_of(found) if found else {}
    old_tags = boto3_tag_list_to_ansible_dict(found.get("Tags") or []) if found else {}
    after, new_tags = wanted_settings(asked, before), wanted_tags(old_tags, asked["tags"], asked["purge_tags"])
    if check_mode:
        new = {"InstanceConnectEndpointId": UNKNOWN, "DnsName": UNKNOWN, "State": "create-in-progress"}
        result = {**(found or new), **after, "Tags": ansible_dict_to_boto3_tag_list(new_tags)}
    else:
        if leaving:  # a VPC has room for one
            wait(client, "instance_connect_endpoint_deleted", leaving["InstanceConnectEndpointId"], asked)
        identifier = found["InstanceConnectEndpointId"] if found else create(client, after, new_tags)
        if found and before != after:
            modify(client, identifier, before, after)
        if found and old_tags != new_tags:
            retag(client, identifier, old_tags, new_tags)
        if asked["wait"]:
            wait(client, "instance_connect_endpoint_ready", identifier, asked)
        with doing(f"read instance connect endpoint {identifier}", REMEDIES):
            answer = client.describe_instance_connect_endpoints(InstanceConnectEndpointIds=[identifier], aws_retry=True)
            result = answer["InstanceConnectEndpoints"][0]
    return Outcome(
        (before, old_tags) != (after, new_tags),
        before={**before, "Tags": old_tags} if found else {},
        after={**after, "Tags": new_tags},
        values={"instance_connect_endpoint": boto3_resource_to_ansible_dict(result)},
    )


def ensure_absent(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Delete."""
    found = find(client, asked)
    if found is None:
        return Outcome(False, values={"instance_connect_endpoint": {}})
    identifier = found["InstanceConnectEndpointId"]
    leaving = found["State"] == "delete-in-progress"
    if not check_mode:
        if not leaving:
            with doing(f"delete instance connect endpoint {identifier}", REMEDIES):
                client.delete_instance_connect_endpoint(InstanceConnectEndpointId=identifier, aws_retry=True)
        if asked["wait"]:
            wait(client, "instance_connect_endpoint_deleted", identifier, asked)
    tags = boto3_tag_list_to_ansible_dict(found.get("Tags") or [])
    before = {} if leaving else {**settings_of(found), "Tags": tags}
    return Outcome(not leaving, before, {}, {"instance_connect_endpoint": {}})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "present", ["subnet_id"])]
    )
    # A new endpoint is not seen everywhere at once, and one that is being created takes no changes.
    client = module.client(
        "ec2", retry_decorator=patient("InvalidInstanceConnectEndpointId.NotFound", "IncorrectState")
    )
    ensure = ensure_present if module.params["state"] == "present" else ensure_absent
    finish(module, lambda: ensure(client, module.params, module.check_mode))


if __name__ == "__main__":
    main()
