#!/usr/bin/python
"""Manage a route table: its routes, and the subnets that follow it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ec2_routing_table
short_description: Manage a route table, its routes and the subnets that follow it
description:
  - A subnet is never without a table, and a destination never without a route. AWS replaces both in one call; the stock
    module takes a subnet out of one table before it stands in the other, and leaves it there.
  - The table is found by its tags, and created with them in the same call.
  - Subnets that are not named stay with the table. Give each to another one, which takes it over.
author: The Madang authors
options:
  vpc_id:
    description: The VPC.
    type: str
    required: true
  routes:
    description: Every route but V(local), and those of gateway endpoints and of VPN gateways, which are not touched.
    type: list
    elements: dict
    default: []
    suboptions:
      destination:
        description: IPv4 range.
        type: str
        required: true
      target:
        description:
          - Identifier of an internet gateway, a NAT gateway, or a network interface.
          - V(internet_gateway) is the one that is attached to the VPC.
        type: str
        required: true
  subnets:
    description: Identifiers of the subnets that follow this table.
    type: list
    elements: str
    default: []
  replace:
    description:
      - With V(false) only what is not there yet is made. A route that leads elsewhere, one that is not named, and a
        subnet that follows another table with the same O(family) are left as they are, and counted in RV(held).
    type: bool
    default: true
  family:
    description: Tags of the tables that may give a subnet up. Those of O(tags) without V(Name) when not given.
    type: dict
  tags:
    description: Tags that identify the table, all of them, and that it is created with.
    type: dict
    required: true
    aliases: [resource_tags]
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make subnets private
  ec2_routing_table:
    vpc_id: vpc-0123456789abcdef0
    routes:
      - {destination: 0.0.0.0/0, target: nat-0123456789abcdef0}
    subnets: [subnet-0123456789abcdef0]
    tags: {Name: shop-private, Project: shop}
"""

RETURN = r"""
route_table_id:
  description: The table's identifier; in check mode V((known after creation\)) for a new one.
  returned: always
  type: str
held:
  description: What O(replace=false) left as it is, a sentence each.
  returned: always
  type: list
  elements: str
others:
  description: Names of the other tables of the VPC with the same O(family), and their identifiers.
  returned: always
  type: dict
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.aws_outcome import UNKNOWN, Outcome, doing, finish, looking_again, patient, refusal
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    boto3_tag_list_to_ansible_dict,
    boto3_tag_specifications,
)

ARGUMENTS: dict[str, Any] = {
    "vpc_id": {"type": "str", "required": True},
    "routes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "destination": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
        },
    },
    "subnets": {"type": "list", "elements": "str", "default": []},
    "replace": {"type": "bool", "default": True},
    "family": {"type": "dict"},
    "tags": {"type": "dict", "required": True, "aliases": ["resource_tags"]},
}
REMEDIES = {
    "InvalidSubnetID.NotFound": "The subnets must be in the VPC",
    "InvalidNatGatewayID.NotFound": "Run the task that makes the NAT gateway first",
    "RouteTableLimitExceeded": "A VPC has room for 200 tables: delete one, or ask AWS for more",
    "UnauthorizedOperation": "The credentials need ec2:DescribeRouteTables, ec2:CreateRouteTable, ec2:CreateTags, "
    "ec2:*Route, ec2:AssociateRouteTable and ec2:ReplaceRouteTableAssociation",
}
# Someone else, or an earlier try of our own, was faster.
CONFLICTS = ("RouteAlreadyExists", "InvalidRoute.NotFound", "InvalidAssociationID.NotFound")
# The argument of CreateRoute for a target, by how its identifier begins.
TARGETS = {"igw": "GatewayId", "nat": "NatGatewayId", "eni": "NetworkInterfaceId"}


def tags_of(table: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = boto3_tag_list_to_ansible_dict(table.get("Tags") or [])
    return found


def choose(tables: Sequence[Mapping[str, Any]], tags: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The table that carries the tags."""
    ours = [table for table in tables if tags.items() <= tags_of(table).items()]
    if len(ours) > 1:
        identifiers = ", ".join(table["RouteTableId"] for table in ours)
        raise refusal(f"Tables {identifiers} all have the tags {dict(tags)}: delete or retag all but one.")
    return next(iter(ours), None)


def routes_of(table: Mapping[str, Any] | None) -> dict[str, str]:
    """The routes that somebody made, by destination: a target's identifier each."""
    found = {}
    for route in (table or {}).get("Routes", []):
        destination = route.get("DestinationCidrBlock")
        if destination and route.get("Origin", "CreateRoute") == "CreateRoute" and route.get("GatewayId") != "local":
            # An instance's route names its interface too, and the interface is what was asked for.
            keys = ("GatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId")
            found[destination] = next((str(route[key]) for key in keys if route.get(key)), "")
    return found


def associations(tables: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Each associated subnet with its association's identifier and its table."""
    return {
        link["SubnetId"]: (link["RouteTableAssociationId"], table)
        for table in tables
        for link in table.get("Associations") or []
        if link.get("SubnetId")
    }


def decide(asked: Mapping[str, Any], tables: Sequence[Mapping[str, Any]], gateway: str) -> dict[str, Any]:
    """What to do, from what is asked and what there is. Pure."""
    table = choose(tables, asked["tags"])
    identifier = table["RouteTableId"] if table else UNKNOWN
    before = routes_of(table)
    wanted = {
        route["destination"]: gateway if route["target"] == "internet_gateway" else route["target"]
        for route in asked["routes"]
    }
    family = asked["family"] or {key: value for key, value in asked["tags"].items() if key != "Name"}
    linked = associations(tables)
    changed = {key: target for key, target in wanted.items() if key in before and before[key] != target}
    extra = [key for key in before if key not in wanted]
    missing = [subnet for subnet in asked["subnets"] if subnet not in linked]
    moving = [subnet for subnet in asked["subnets"] if subnet in linked and linked[subnet][1] is not table]
    held = []
    if not asked["replace"]:
        held += [f"{key} leads to {before[key]}, and will to {target}" for key, target in changed.items()]
        held += [f"{key} leads to {before[key]}, and will lead nowhere" for key in extra]
        staying = [subnet for subnet in moving if family.items() <= tags_of(linked[subnet][1]).items()]
        held += [f"{subnet} follows {linked[subnet][1]['RouteTableId']}" for subnet in staying]
        changed, extra, moving = {}, [], [subnet for subnet in moving if subnet not in staying]
    fresh = {key: target for key, target in wanted.items() if key not in before}
    after = {**{key: value for key, value in before.items() if key not in extra}, **changed, **fresh}
    follow = sorted(subnet for subnet, (_, of) in linked.items() if of is table) if table else []
    return {
        "table": table,
        "identifier": identifier,
        "create": fresh,
        "replace": changed,
        "delete": extra,
        "associate": missing,
        "move": {subnet: linked[subnet][0] for subnet in moving},
        "held": held,
        "before": {"routes": before, "subnets": follow} if table else {},
        "after": {"routes": after, "subnets": sorted({*follow, *missing, *moving})},
        "others": {
            tags_of(other).get("Name", ""): other["RouteTableId"]
            for other in tables
            if other is not table and family.items() <= tags_of(other).items()
        },
    }


def act(client: Any, asked: Mapping[str, Any], todo: Mapping[str, Any]) -> str:
    """Do it: what is new first, then what is replaced, and last what goes."""
    name = asked["tags"].get("Name", "the route table")
    identifier = str(todo["identifier"])
    with doing(f"create {name}", REMEDIES):
        if todo["table"] is None:
            answer = client.create_route_table(
                VpcId=asked["vpc_id"],
                TagSpecifications=boto3_tag_specifications(asked["tags"], "route-table"),
                aws_retry=True,
            )
            identifier = str(answer["RouteTable"]["RouteTableId"])
    with doing(f"set the routes of {name} ({identifier})", REMEDIES):
        for call, destination, target in _route_calls(client, todo):
            call(
                RouteTableId=identifier,
                DestinationCidrBlock=destination,
                aws_retry=True,
                **({TARGETS[target.split("-")[0]]: target} if target else {}),
            )
    with doing(f"associate subnets with {name} ({identifier})", REMEDIES):
        for subnet in todo["associate"]:
            client.associate_route_table(RouteTableId=identifier, SubnetId=subnet, aws_retry=True)
        for association in todo["move"].values():
            client.replace_route_table_association(AssociationId=association, RouteTableId=identifier, aws_retry=True)
    return identifier


def _route_calls(client: Any, todo: Mapping[str, Any]) -> Iterator[tuple[Any, str, str]]:
    yield from ((client.create_route, destination, target) for destination, target in todo["create"].items())
    yield from ((client.replace_route, destination, target) for destination, target in todo["replace"].items())
    yield from ((client.delete_route, destination, "") for destination in todo["delete"])


def ensure(client: Any, asked: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Look, decide, and act where it is no rehearsal."""
    with doing(f"look at the route tables of {asked['vpc_id']}", REMEDIES):
        filters = [{"Name": "vpc-id", "Values": [asked["vpc_id"]]}]
        tables = client.describe_route_tables(Filters=filters, aws_retry=True)["RouteTables"]
        gateway = _internet_gateway(client, asked, check_mode) if _names_gateway(asked) else ""
    todo = decide(asked, tables, gateway)
    changed = todo["before"] != todo["after"]
    identifier = act(client, asked, todo) if changed and not check_mode else str(todo["identifier"])
    values = {"route_table_id": identifier, "held": todo["held"], "others": todo["others"]}
    return Outcome(changed, todo["before"], todo["after"], values)


def _names_gateway(asked: Mapping[str, Any]) -> bool:
    return any(route["target"] == "internet_gateway" for route in asked["routes"])


def _internet_gateway(client: Any, asked: Mapping[str, Any], check_mode: bool) -> str:
    filters = [{"Name": "attachment.vpc-id", "Values": [asked["vpc_id"]]}]
    found = client.describe_internet_gateways(Filters=filters, aws_retry=True)["InternetGateways"]
    if not found and check_mode:
        return UNKNOWN
    if not found:
        raise refusal(f"{asked['vpc_id']} has no internet gateway: attach one first.")
    return str(found[0]["InternetGatewayId"])


def main() -> None:
    """Entry point."""
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    # What has just been made is not seen everywhere at once.
    client = module.client(
        "ec2",
        retry_decorator=patient(
            "InvalidRouteTableID.NotFound", "InvalidSubnetID.NotFound", "InvalidNatGatewayID.NotFound"
        ),
    )
    check = module.check_mode
    finish(module, lambda: looking_again(lambda: ensure(client, module.params, check), CONFLICTS, acting=not check))


if __name__ == "__main__":
    main()
