"""Instances as lab.machines.model has them."""

from __future__ import annotations

import base64
from typing import Any

from lab.api import ec2
from lab.api.images import IMAGES
from lab.api.world import world
from lab.machines.model import DesiredState, Machine

_DESIRED: dict[str, DesiredState] = {
    "pending": "running",
    "running": "running",
    "stopping": "stopped",
    "stopped": "stopped",
    "shutting-down": "terminated",
}


def machines() -> tuple[Machine, ...]:
    """Every instance that is not terminated yet. Hold the lock."""
    backend = ec2.backend(world.settings.region)
    return tuple(_machine(backend, instance) for instance in backend.all_instances() if instance.state in _DESIRED)


def _machine(backend: Any, instance: Any) -> Machine:
    interface = instance.nics[0]
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    key = backend.key_pairs.get(instance.key_name)
    profile = instance.iam_instance_profile
    users = {image.id(backend.region_name): image.user for image in IMAGES}
    return Machine(
        id=instance.id,
        name=tags.get("Name") or instance.id,
        hostname=instance.private_dns_name,
        image_id=instance.image_id,
        instance_type=instance.instance_type,
        interface_id=interface.id,
        vpc_id=interface.vpc_id,
        subnet_id=interface.subnet.id,
        availability_zone=interface.availability_zone,
        region=backend.region_name,
        private_ip=interface.private_ip_address,
        mac=interface.mac_address,
        public_ip=interface.public_ip,
        desired=_DESIRED[instance.state],
        reboots=instance.reboots,
        user_data=base64.b64decode(str(instance.user_data)) if instance.user_data else b"",
        public_keys=((key.key_name, _public_key(key)),) if key else (),
        tags=tuple(sorted(tags.items())),
        security_groups=tuple(group.name for group in interface.group_set),
        instance_profile_arn=profile.get("Arn") if isinstance(profile, dict) else None,
        metadata_tokens_required=instance.metadata_options.http_tokens == "required",
        domain_name=_domain_name(backend.vpcs.get(interface.vpc_id)),
        user=users.get(instance.image_id, "admin"),
    )


def _domain_name(vpc: Any) -> str:
    """The domain-name of a VPC's DHCP options, empty where it has none of its own."""
    options = vpc.dhcp_options if vpc else None
    given = {item["Key"]: item["Values"] for item in options.dhcp_configurations} if options else {}
    values = [value if isinstance(value, str) else value.get("Value", "") for value in given.get("domain-name", [])]
    return " ".join(values)


def _public_key(key: Any) -> str:
    material = key.material_public
    return (material.decode() if isinstance(material, bytes) else str(material)).strip()
