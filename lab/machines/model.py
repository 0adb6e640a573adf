"""What the machine runner reads: the instances that should exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DesiredState = Literal["running", "stopped", "terminated"]


@dataclass(frozen=True)
class Machine:
    """One EC2 instance.

    ``name`` is the Name tag or the instance id; ``hostname`` is the private DNS
    name (``ip-10-0-1-5.REGION.compute.internal``); ``user_data`` is decoded;
    ``public_keys`` maps key pair names to OpenSSH public keys; ``domain_name`` is what
    the VPC's DHCP options give for searching, empty for EC2's own; ``reboots`` counts how often
    it was asked to reboot; ``user`` is the image's default user.
    """

    id: str
    name: str
    hostname: str
    image_id: str
    instance_type: str
    interface_id: str
    vpc_id: str
    subnet_id: str
    availability_zone: str
    region: str
    private_ip: str
    mac: str
    public_ip: str | None
    desired: DesiredState
    user_data: bytes = b""
    public_keys: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    security_groups: tuple[str, ...] = ()
    instance_profile_arn: str | None = None
    metadata_tokens_required: bool = True
    domain_name: str = ""
    reboots: int = 0
    user: str = "admin"
