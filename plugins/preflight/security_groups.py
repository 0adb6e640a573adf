"""The security groups and their rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .network import cidr
from .shapes import DNS_LABEL, LABEL_WORDS, Key, Record, among, is_whole, matching, records, unique
from .wording import Refusals

GROUP = {"name": Key("str"), "description": Key("str"), "ingress": Key("list"), "egress": Key("list")}
RULE = {
    "port": Key("port"),
    "protocol": Key("str", required=False),
    "group": Key("str", required=False),
    "cidr": Key("str", required=False),
    "cloudfront": Key("str", required=False),
}
PEERS = ("group", "cidr", "cloudfront")
# AWS's default quota, in each direction.
MOST_RULES = 60
DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def names(variables: Mapping[str, Any]) -> list[Any]:
    """The groups that there will be."""
    groups = variables.get("security_groups_list")
    return [group.get("name") for group in groups if isinstance(group, dict)] if isinstance(groups, list) else []


def check(variables: Mapping[str, Any], refusals: Refusals) -> None:
    """``security_groups_list``."""
    if "security_groups_list" not in variables:
        return
    known = names(variables)
    unique(refusals, "security_groups_list: name", known)
    if "connect" not in known:
        write = "a group of that name: the EC2 Instance Connect Endpoint, the way in for SSH, stands in it"
        refusals.missing("security_groups_list[connect]", write)
    for label, group in records(refusals, "security_groups_list", variables["security_groups_list"], GROUP):
        name = group["name"]
        if name == "default" or str(name).startswith("sg-"):
            refusals.add(f"{label}.name", name, "AWS keeps for itself", "another name")
        if name == "nat" and variables.get("network_nat") == "instance":
            refusals.add(f"{label}.name", name, "is the NAT instances' own (network_nat)", "another name")
        matching(refusals, f"{label}.name", name, DNS_LABEL, LABEL_WORDS)
        allowed = "1 to 255 of letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
        matching(refusals, f"{label}.description", group["description"], DESCRIPTION, allowed)
        for direction in ("ingress", "egress"):
            if len(group[direction]) > MOST_RULES:
                count = f"{len(group[direction])} rules"
                refusals.add(f"{label}.{direction}", count, "AWS does not allow", f"at most {MOST_RULES}")
            for rule_label, rule in records(refusals, f"{label}.{direction}", group[direction], RULE):
                _rule(refusals, rule_label, rule, known)


def _rule(refusals: Refusals, label: str, rule: Record, known: list[Any]) -> None:
    _ports(refusals, f"{label}.port", rule["port"])
    if "protocol" in rule:
        among(refusals, f"{label}.protocol", rule["protocol"], ("tcp", "udp"), "is no protocol with ports")
    peers = {key: rule[key] for key in PEERS if key in rule}
    if len(peers) != 1:
        refusals.add(label, rule, f"has {'two peers' if peers else 'no peer'}", "one of group, cidr and cloudfront")
    elif "group" in peers:
        among(refusals, f"{label}.group", peers["group"], known, "is not in security_groups_list")
    elif "cidr" in peers:
        cidr(refusals, f"{label}.cidr", peers["cidr"])
    else:
        among(refusals, f"{label}.cloudfront", peers["cloudfront"], ["vpc_origins"], "is nothing of CloudFront's")


def _ports(refusals: Refusals, variable: str, port: Any) -> None:
    if port == "all" or refusals.knows(port):
        return
    parts = str(port).split("-")
    if len(parts) > 2 or not all(is_whole(part) and 1 <= int(part) <= 65535 for part in parts):
        refusals.add(variable, port, "", "a port from 1 to 65535, two with a hyphen such as 8000-8010, or all")
    elif len(parts) == 2 and int(parts[0]) > int(parts[1]):
        refusals.add(variable, port, "ends before it begins", f"{parts[1]}-{parts[0]}")
