#!/usr/bin/python
"""Look managed prefix lists up."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_managed_prefix_list_info
short_description: Look managed prefix lists up by name
description:
  - Finds prefix lists, AWS's own and the account's, by name, identifier or filter, with their entries if asked.
  - AWS's own, such as C(com.amazonaws.global.cloudfront.origin-facing), have another identifier in every region.
author: The Madang authors
options:
  names:
    description: Names to look for. Patterns with V(*) and V(?) are understood. The task fails when one matches nothing.
    type: list
    elements: str
    default: []
  prefix_list_ids:
    description: Identifiers to look for.
    type: list
    elements: str
    default: []
  filters:
    description: Filters of C(DescribeManagedPrefixLists), names and values. V(owner-id) is one.
    type: dict
    default: {}
  entries:
    description: Whether to return each list's entries too, which takes a call a list.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find the addresses from which CloudFront reaches origins
  ec2_managed_prefix_list_info:
    names: [com.amazonaws.global.cloudfront.origin-facing]
  register: cloudfront

- name: List the account's own prefix lists with their entries
  ec2_managed_prefix_list_info:
    filters:
      owner-id: "123456789012"
    entries: true
"""

RETURN = r"""
prefix_lists:
  description: The prefix lists, sorted by name.
  returned: always
  type: list
  elements: dict
  contains:
    prefix_list_id:
      description: The identifier, for a security group's rule or a route.
      type: str
      sample: pl-22a6434b
    prefix_list_name:
      description: The name.
      type: str
      sample: com.amazonaws.global.cloudfront.origin-facing
    prefix_list_arn:
      description: The ARN.
      type: str
    address_family:
      description: V(IPv4) or V(IPv6).
      type: str
    max_entries:
      description: How many of a group's rules, or a table's routes, a reference counts as. Not told of AWS's own lists.
      type: int
    owner_id:
      description: The account, V(AWS) for AWS's own.
      type: str
    tags:
      description: The tags.
      type: dict
    entries:
      description: The addresses, with O(entries=true).
      type: list
      elements: dict
      contains:
        cidr: {description: The addresses., type: str}
        description: {description: What they are., type: str}
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ansible.module_utils.aws_outcome import Outcome, doing, finish, patient, refusal
from ansible.module_utils.aws_pages import pages
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.transformation import (
    ansible_dict_to_boto3_filter_list,
    boto3_resource_to_ansible_dict,
)

ARGUMENTS: dict[str, Any] = {
    "names": {"type": "list", "elements": "str", "default": []},
    "prefix_list_ids": {"type": "list", "elements": "str", "default": []},
    "filters": {"type": "dict", "default": {}},
    "entries": {"type": "bool", "default": False},
}

REMEDIES = {
    "UnauthorizedOperation": "The credentials need ec2:DescribeManagedPrefixLists, and for entries "
    "ec2:GetManagedPrefixListEntries",
    "InvalidPrefixListID.NotFound": "Prefix lists belong to a region: look in the right one, or look up by name",
}


def request(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of DescribeManagedPrefixLists."""
    filters = dict(asked["filters"])
    if asked["names"]:
        filters["prefix-list-name"] = asked["names"]
    parameters: dict[str, Any] = {}
    if filters:
        parameters["Filters"] = ansible_dict_to_boto3_filter_list(filters)
    if asked["prefix_list_ids"]:
        parameters["PrefixListIds"] = asked["prefix_list_ids"]
    return parameters


def unmatched(names: Iterable[str], found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names, or patterns, that no list found has."""
    have = [item["PrefixListName"] for item in found]
    return [name for name in names if not any(fnmatchcase(other, name) for other in have)]


def look_up(client: Any, asked: Mapping[str, Any], region: str) -> Outcome:
    """The prefix lists that the task asks for."""
    with doing("list the managed prefix lists", REMEDIES):
        found = pages(client.describe_managed_prefix_lists, "PrefixLists", **request(asked))
        missing = unmatched(asked["names"], found)
        if missing:
            raise refusal(
                f"There is no managed prefix list named {', '.join(missing)} in {region}: check the name, the region "
                "and the filters."
            )
        if asked["entries"]:
            for item in found:
                item["Entries"] = pages(
                    client.get_managed_prefix_list_entries, "Entries", PrefixListId=item["PrefixListId"]
                )
    found.sort(key=lambda item: (item["PrefixListName"], item["PrefixListId"]))
    return Outcome(False, values={"prefix_lists": [boto3_resource_to_ansible_dict(item) for item in found]})


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    client = module.client("ec2", retry_decorator=patient())
    finish(module, lambda: look_up(client, module.params, module.region))


if __name__ == "__main__":
    main()
