"""What the metadata service says about an instance, as data: a tree of directories and documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from lab.machines.model import Machine
from lab.settings import ACCOUNT_ID

type Tree = dict[str, "Tree | str | bytes"]

# The versions that clients ask for by name; all are answered alike.
VERSIONS = ("1.0", "2009-04-04", "2014-11-05", "2016-09-02", "2018-09-24", "2021-01-03", "2021-03-23", "latest")

_CREDENTIALS_VALID = timedelta(hours=6)


def tree(machine: Machine, now: datetime | None = None) -> Tree:
    """Return what stands below ``/latest/`` for this instance; tags are left out, as they are by default on AWS."""
    found: Tree = {
        "dynamic": {"instance-identity": {"document": _identity_document(machine)}},
        "meta-data": _meta_data(machine, now or datetime.now(UTC)),
    }
    if machine.user_data:
        found["user-data"] = machine.user_data
    return found


def _meta_data(machine: Machine, now: datetime) -> Tree:
    found: Tree = {
        "ami-id": machine.image_id,
        "ami-launch-index": "0",
        "hostname": machine.hostname,
        "instance-action": "none",
        "instance-id": machine.id,
        "instance-life-cycle": "on-demand",
        "instance-type": machine.instance_type,
        "local-hostname": machine.hostname,
        "local-ipv4": machine.private_ip,
        "mac": machine.mac,
        "network": {"interfaces": {"macs": {machine.mac: _interface(machine)}}},
        "placement": {"availability-zone": machine.availability_zone, "region": machine.region},
        "security-groups": "\n".join(machine.security_groups),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if machine.public_keys:
        found["public-keys"] = {
            f"{index}={name}": {"openssh-key": key} for index, (name, key) in enumerate(machine.public_keys)
        }
    if machine.public_ip:
        found["public-hostname"] = _public_hostname(machine.public_ip, machine.region)
        found["public-ipv4"] = machine.public_ip
    if machine.instance_profile_arn:
        found["iam"] = _iam(machine.instance_profile_arn, now)
    return found


def _interface(machine: Machine) -> Tree:
    found: Tree = {
        "device-number": "0",
        "interface-id": machine.interface_id,
        "local-hostname": machine.hostname,
        "local-ipv4s": machine.private_ip,
        "mac": machine.mac,
        "owner-id": ACCOUNT_ID,
        "security-groups": "\n".join(machine.security_groups),
        "subnet-id": machine.subnet_id,
        "vpc-id": machine.vpc_id,
    }
    if machine.public_ip:
        found["public-hostname"] = _public_hostname(machine.public_ip, machine.region)
        found["public-ipv4s"] = machine.public_ip
    return found


def _public_hostname(address: str, region: str) -> str:
    return f"ec2-{address.replace('.', '-')}.{region}.compute.amazonaws.com"


def _iam(profile_arn: str, now: datetime) -> Tree:
    """Credentials of the instance's role; the lab's API takes any key whose secret is ``lab``."""
    name = profile_arn.rpartition("/")[2]
    updated = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    info = {"Code": "Success", "LastUpdated": updated, "InstanceProfileArn": profile_arn, "InstanceProfileId": name}
    credentials = {
        "Code": "Success",
        "LastUpdated": updated,
        "Type": "AWS-HMAC",
        "AccessKeyId": "LABLABLABLABLABLABLA",
        "SecretAccessKey": "lab",
        "Token": "lab",
        "Expiration": (now + _CREDENTIALS_VALID).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {
        "info": json.dumps(info, indent=2),
        "security-credentials": {name: json.dumps(credentials, indent=2)},
    }


def _identity_document(machine: Machine) -> str:
    return json.dumps(
        {
            "accountId": ACCOUNT_ID,
            "architecture": "x86_64",
            "availabilityZone": machine.availability_zone,
            "imageId": machine.image_id,
            "instanceId": machine.id,
            "instanceType": machine.instance_type,
            "privateIp": machine.private_ip,
            "region": machine.region,
            "version": "2017-09-30",
        },
        indent=2,
    )


def look_up(root: Tree, path: str) -> bytes | None:
    """Return the document or the listing at ``path`` (``/latest/meta-data/…``); None where nothing is.

    A listing has a slash after each directory, except below ``public-keys``,
    where an entry reads ``0=NAME`` and is asked for as ``0``.
    """
    version, *names = [part for part in path.split("/") if part] or [""]
    if not version:
        return "\n".join(VERSIONS).encode()
    if version not in VERSIONS:
        return None
    node: Tree | str | bytes | None = root
    for name in names:
        if not isinstance(node, dict):
            return None
        key = name if name in node else next((key for key in node if key.startswith(f"{name}=")), "")
        node = node.get(key)
    if isinstance(node, dict):
        return "\n".join(_entry(name, value) for name, value in sorted(node.items())).encode()
    return node.encode() if isinstance(node, str) else node


def _entry(name: str, value: Tree | str | bytes) -> str:
    return f"{name}/" if isinstance(value, dict) and "=" not in name else name
