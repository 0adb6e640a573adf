"""Filters that turn Madang's short variables into what the amazon.aws modules take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def tag_filters(tags: Mapping[str, str]) -> dict[str, str]:
    """``{"Project": "x"}`` as the EC2 API's filter ``{"tag:Project": "x"}``."""
    return {f"tag:{key}": value for key, value in tags.items()}


def by_name(resources: Sequence[Mapping[str, Any]], prefix: str, id_key: str) -> dict[str, str]:
    """Ids of the project's resources by their Name tag without the project's prefix; others are left out."""
    named = {resource.get("tags", {}).get("Name", ""): resource[id_key] for resource in resources}
    return {name.removeprefix(f"{prefix}-"): value for name, value in named.items() if name.startswith(f"{prefix}-")}


def without_prefix(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The entries whose key begins with ``prefix``, under the rest of the key."""
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def private_zone_names(
    instances: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Each name in the private zone with its ``address``: instances' own, and the ``aliases`` that are wanted."""
    aliases = {record["name"]: record.get("aliases", []) for record in wanted}
    return [
        {"name": name, "address": instance["private_ip_address"]}
        for instance in instances
        for name in [instance["tags"]["Name"], *aliases.get(instance["tags"]["Name"], [])]
    ]


def root_volumes(
    instances: Sequence[Mapping[str, Any]],
    volumes: Sequence[Mapping[str, Any]],
    wanted: Sequence[Mapping[str, Any]],
    default_size: int,
) -> list[dict[str, Any]]:
    """Each wanted instance's root volume, from ec2_instance_info's and ec2_vol_info's results.

    A volume is ``name`` (its instance's), ``id``, ``zone``, ``size`` and ``wanted`` (GiB), and ``grows``.
    """
    sizes = {record["name"]: int(record.get("volume_size", default_size)) for record in wanted}
    by_id = {volume["id"]: volume for volume in volumes}
    roots = []
    for instance in instances:
        name = instance["tags"]["Name"]
        for mapping in instance.get("block_device_mappings", []):
            volume = by_id.get(mapping["ebs"]["volume_id"])
            if name in sizes and volume and mapping["device_name"] == instance["root_device_name"]:
                found = {"name": name, "id": volume["id"], "zone": volume["zone"], "size": volume["size"]}
                roots.append({**found, "wanted": sizes[name], "grows": sizes[name] > volume["size"]})
    return roots


def security_group_rules(
    rules: Sequence[Mapping[str, Any]], group_ids: Mapping[str, str], cloudfront: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Rules as amazon.aws.ec2_security_group takes them.

    A rule has ``port`` (a number, ``"from-to"`` or ``all``), optionally ``protocol``
    (tcp), and one of ``group``, ``cidr`` and ``cloudfront``; ``cloudfront`` is replaced
    by the argument of that name.
    """
    return [_ports(rule) | _peer(rule, group_ids, cloudfront) for rule in rules]


def _ports(rule: Mapping[str, Any]) -> dict[str, Any]:
    port = str(rule["port"])
    if port == "all":
        return {"proto": "all"}
    first, _, last = port.partition("-")
    return {"proto": rule.get("protocol", "tcp"), "from_port": int(first), "to_port": int(last or first)}


def _peer(rule: Mapping[str, Any], group_ids: Mapping[str, str], cloudfront: Mapping[str, str]) -> dict[str, Any]:
    if "group" in rule:
        return {"group_id": group_ids[rule["group"]]}
    if "cloudfront" in rule:
        return dict(cloudfront)
    return {"cidr_ip": rule["cidr"]}


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "tag_filters": tag_filters,
            "by_name": by_name,
            "without_prefix": without_prefix,
            "private_zone_names": private_zone_names,
            "root_volumes": root_volumes,
            "security_group_rules": security_group_rules,
        }
