"""What would be deleted, as a list for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
Resources = Mapping[str, Sequence[Item]]

# Every kind that is shown, in the order that it goes in. Network interfaces are not: each goes with what it serves.
NOUNS = {
    "distribution": "distribution",
    "schedule": "schedule",
    "function": "Lambda function",
    "instance": "instance",
    "volume": "volume",
    "connect_endpoint": "instance connect endpoint",
    "nat_gateway": "NAT gateway",
    "vpc_origin": "VPC origin",
    "cloudfront_function": "CloudFront function",
    "origin_access_control": "origin access control",
    "elastic_ip": "Elastic IP",
    "vpc_endpoint": "S3 endpoint",
    "route_table": "route table",
    "private_zone": "private zone",
    "security_group": "security group",
    "network_acl": "network ACL",
    "subnet": "subnet",
    "internet_gateway": "internet gateway",
    "vpc": "VPC",
    "dhcp_options": "DHCP options",
    "key_pair": "key pair",
    "log_group": "log group",
    "iam_role": "role",
    "secret": "secret",
    "bucket": "bucket",
}


def entries(resources: Resources, recovery_days: int) -> list[dict[str, str]]:
    """What would go: ``kind``, ``name`` and what to know about it."""
    return [
        {"kind": NOUNS[kind], "name": str(item["name"]), "note": _note(kind, item, recovery_days)}
        for kind in NOUNS
        for item in sorted(resources.get(kind, ()), key=lambda item: str(item["name"]))
        if kind != "secret" or going(item, recovery_days)
    ]


def plan(resources: Resources, recovery_days: int) -> list[str]:
    """The same in the words that the callback ``plan`` understands."""
    return [
        f"Would delete {each['kind']}: {each['name']}{each['note'] and f' ({each["note"]})'}"
        for each in entries(resources, recovery_days)
    ]


def going(secret: Item, recovery_days: int) -> bool:
    """Whether there is anything left to do about a secret: its deletion may be scheduled already."""
    return not secret["scheduled"] or recovery_days == 0


def _note(kind: str, item: Item, recovery_days: int) -> str:
    notes = [] if item["id"] == item["name"] else [str(item["id"])]
    if kind == "elastic_ip":
        notes.append(str(item["public_ip"]))
    elif kind == "instance" and item["role"] == "database":
        notes.append("with its databases")
    elif kind == "private_zone" and item["records"]:
        notes.append(f"with {len(item['records'])} names")
    elif kind == "bucket":
        notes.append("empty" if item["empty"] else "with everything in it")
    elif kind == "secret":
        notes.append(f"can be restored for {recovery_days} days" if recovery_days else "at once, for ever")
    return ", ".join(notes)


def rows(resources: Resources, recovery_days: int) -> Iterator[str]:
    """The list, a line a thing."""
    found = entries(resources, recovery_days)
    kinds = max((len(each["kind"]) for each in found), default=0)
    names = max((len(each["name"]) for each in found), default=0)
    for each in found:
        yield f"- {each['kind'].ljust(kinds)}  {each['name'].ljust(names)}  {each['note']}".rstrip()
