"""The names of the lab's kernel objects.

A namespace's name is a prefix and an AWS id. The prefix tells one lab's objects
from everything else on the machine; tests give their own. Devices are named only
within their namespace, and 15 characters at most.
"""

from __future__ import annotations

from pathlib import Path

from lab.kernel import NETNS

PREFIX = "lab-"
INTERNET = "lab-internet"

# The one device of an interface's namespace.
ETHERNET = "eth0"
# A VPC's router has one device towards its internet gateway, and one towards its S3 gateway endpoint.
TO_GATEWAY = "igw"
TO_ENDPOINT = "endpoint"
# An internet gateway stands between the two.
TO_VPC = "vpc"
TO_INTERNET = "internet"

# Links are in one group, so that the kernel removes a hundred in the time of one.
LINK_GROUP = 77

_DEVICE_LENGTH = 15


def internet(prefix: str = PREFIX) -> str:
    """The namespace of everything that stands outside the VPCs."""
    return f"{prefix}internet"


def router(vpc_id: str, prefix: str = PREFIX) -> str:
    """The namespace of a VPC's router."""
    return f"{prefix}{vpc_id}"


def gateway(igw_id: str, prefix: str = PREFIX) -> str:
    """The namespace of an internet gateway."""
    return f"{prefix}{igw_id}"


def interface(eni_id: str, prefix: str = PREFIX) -> str:
    """The namespace of a network interface: an instance's, a NAT gateway's, an endpoint's."""
    return f"{prefix}{eni_id}"


def is_interface(namespace: str, prefix: str = PREFIX) -> bool:
    """Whether the namespace is a network interface's."""
    return namespace.startswith(f"{prefix}eni-")


def interface_device(eni_id: str) -> str:
    """The router's device towards an interface: ``e`` and the end of its id."""
    return _device("e", eni_id)


def gateway_device(igw_id: str) -> str:
    """The internet's device towards an internet gateway: ``g`` and the end of its id."""
    return _device("g", igw_id)


def endpoint_device(vpc_id: str) -> str:
    """The internet's device towards a VPC's S3 gateway endpoint: ``s`` and the end of the VPC's id."""
    return _device("s", vpc_id)


def existing(prefix: str = PREFIX, directory: Path = NETNS) -> frozenset[str]:
    """The names of the namespaces with this prefix that exist now."""
    if not directory.is_dir():
        return frozenset()
    return frozenset(entry.name for entry in directory.iterdir() if entry.name.startswith(prefix))


def _device(letter: str, resource_id: str) -> str:
    return letter + resource_id.partition("-")[2][1 - _DEVICE_LENGTH :]
