"""The hosts, and the way in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import security_groups
from .shapes import DNS_LABEL, LABEL_WORDS, Key, Record, among, matching, records, unique, within
from .wording import Refusals

INSTANCE = {
    "name": Key("str"),
    "role": Key("str"),
    "subnet": Key("str"),
    "groups": Key("list"),
    "aliases": Key("list", required=False),
    "type": Key("str", required=False),
    "volume_size": Key("int", required=False),
}
# As DNS has it, not as a host: compose's names may have underscores, and dots.
ALIAS = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,61}[a-z0-9_])?")
ROLES = ("backend", "database", "collector")
TYPE = re.compile(r"[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|([0-9]{1,3})?xlarge|metal(-[0-9]+xl)?)")
# The letter after the generation's number says Graviton: t4g, m7gd, im4gn, x2gd.
ARM = re.compile(r"(a1|[a-z]+[0-9]+g[a-z]*)\..*")
# What NAT instances are called.
NAT = re.compile(r"nat(-[a-z])?")
DEVICE = re.compile(r"/dev/[a-z0-9/]+")
ROOT_DEVICES = {
    "/aws/service/canonical/": "/dev/sda1",
    "/aws/service/debian/": "/dev/xvda",
    "/aws/service/ami-amazon-linux-latest/": "/dev/xvda",
}
# A certificate and a public key begin alike.
PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----")
# An EC2 instance has at most this many groups by default.
MOST_GROUPS = 5
VOLUME = (8, 65536)


def of(variables: Mapping[str, Any]) -> list[Record]:
    """The hosts that have at least a name."""
    hosts = variables.get("instances_list")
    return [host for host in hosts if isinstance(host, dict) and _named(host)] if isinstance(hosts, list) else []


def _named(host: Record) -> bool:
    return isinstance(host.get("name"), (str, int))


def check(variables: Mapping[str, Any], refusals: Refusals) -> None:
    """Everything that begins with ``instances_``."""
    subnets = _names(variables, "network_subnets")
    image = str(variables.get("instances_image_parameter", ""))
    if "instances_type" in variables:
        _type(refusals, "instances_type", variables["instances_type"], image)
    if "network_nat_instance_type" in variables and variables.get("network_nat") == "instance":
        _type(refusals, "network_nat_instance_type", variables["network_nat_instance_type"], image)
    if "instances_volume_size" in variables:
        within(refusals, "instances_volume_size", variables["instances_volume_size"], *VOLUME)
    if "instances_connect_subnet" in variables and subnets:
        why = "is not in network_subnets"
        among(refusals, "instances_connect_subnet", variables["instances_connect_subnet"], subnets, why)
    _root_device(refusals, variables.get("instances_image_root_device"), image)
    if "instances_list" in variables:
        _list(refusals, variables, subnets, image)
    _key(refusals, variables.get("ssh_key_file"))


def _list(refusals: Refusals, variables: Mapping[str, Any], subnets: list[Any], image: str) -> None:
    hosts = records(refusals, "instances_list", variables["instances_list"], INSTANCE)
    unique(refusals, "instances_list: name", [host["name"] for _, host in hosts])
    aliases = [alias for _, host in hosts for alias in host.get("aliases", [])]
    named = [*aliases, *(host["name"] for _, host in hosts)]
    unique(refusals, "instances_list: aliases", [name for name in named if name in aliases])
    served = str(variables.get("cdn_backend_instance", "backend"))
    by_name = {host["name"]: host for host in of(variables)}
    if served not in by_name:
        refusals.missing(f"instances_list[{served}]", "a host of that name: CloudFront sends cdn_backend_path to it")
    if "database" not in [host.get("role") for host in by_name.values()]:
        refusals.missing("instances_list: role database", "at least one host with that role")
    for label, host in hosts:
        matching(refusals, f"{label}.name", host["name"], DNS_LABEL, LABEL_WORDS)
        if host["name"] in ("localhost", "all", "ungrouped"):
            refusals.add(f"{label}.name", host["name"], "Ansible keeps for itself", "another name")
        if variables.get("network_nat") == "instance" and NAT.fullmatch(str(host["name"])):
            refusals.add(f"{label}.name", host["name"], "is a NAT instance's (network_nat)", "another name")
        among(refusals, f"{label}.role", host["role"], ROLES, "is no role")
        if subnets:
            among(refusals, f"{label}.subnet", host["subnet"], subnets, "is not in network_subnets")
        _groups(refusals, f"{label}.groups", host["groups"], security_groups.names(variables))
        for alias in host.get("aliases", []):
            matching(
                refusals, f"{label}.aliases", alias, ALIAS, "lower-case letters, digits, hyphens, underscores and dots"
            )
        if "type" in host:
            _type(refusals, f"{label}.type", host["type"], image)
        if "volume_size" in host:
            within(refusals, f"{label}.volume_size", host["volume_size"], *VOLUME)


def _groups(refusals: Refusals, variable: str, groups: list[Any], known: list[Any]) -> None:
    if not 1 <= len(groups) <= MOST_GROUPS:
        refusals.add(variable, groups, "", f"one to {MOST_GROUPS} names of security_groups_list")
    for group in groups if known else []:
        among(refusals, variable, group, known, "is not in security_groups_list")


def _type(refusals: Refusals, variable: str, value: Any, image: str) -> None:
    if not matching(refusals, variable, value, TYPE, "an instance type, such as t4g.small"):
        return
    # The other way round passes: the lab boots one image for every type.
    if "arm64" in image and not ARM.fullmatch(str(value)):
        refusals.add(
            variable,
            value,
            "cannot run the arm64 image of instances_image_parameter",
            "one with Graviton, such as t4g.small",
        )


def _root_device(refusals: Refusals, device: Any, image: str) -> None:
    """A volume of another name would come beside the root volume, which would stay small and not encrypted."""
    if device is None or not matching(refusals, "instances_image_root_device", device, DEVICE, "one such as /dev/sda1"):
        return
    known = next((own for begins, own in ROOT_DEVICES.items() if image.startswith(begins)), device)
    if device != known:
        refusals.add("instances_image_root_device", device, "is not that of instances_image_parameter's image", known)


def _key(refusals: Refusals, path: Any) -> None:
    if path is None or not Path(str(path)).expanduser().is_file():
        return  # it is made, or copied from Secrets Manager
    if not PRIVATE_KEY.match(Path(str(path)).expanduser().read_bytes()):
        write = "the path of one, or of a file that does not exist yet"
        refusals.add("ssh_key_file", path, "is not a private key", write)


def _names(variables: Mapping[str, Any], variable: str) -> list[Any]:
    value = variables.get(variable)
    return [record.get("name") for record in value if isinstance(record, dict)] if isinstance(value, list) else []
