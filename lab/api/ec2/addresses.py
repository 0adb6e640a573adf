"""Private addresses inside their subnet, and public ones from the simulated internet's pool."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends

from lab.api.world import world

# AWS keeps a subnet's first four addresses and its last one.
_RESERVED_FIRST = 4
_cursor = itertools.count(1)


def used_private(backend: Any, subnet: Any) -> set[str]:
    """The addresses that interfaces of a subnet have."""
    return {
        address["PrivateIpAddress"]
        for interface in backend.enis.values()
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }


def free_private(backend: Any, subnet: Any, besides: set[str] | None = None) -> str:
    """The lowest free address of a subnet; raises AWS's error when there is none."""
    network = ipaddress.IPv4Network(subnet.cidr_block)
    used = used_private(backend, subnet) | (besides or set())
    for number in range(_RESERVED_FIRST, network.num_addresses - 1):
        if (address := str(network[number])) not in used:
            return address
    raise EC2ClientError(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of instances.",
    )


def check_private(backend: Any, subnet: Any, address: str) -> None:
    """Refuse an address that its subnet does not have to give."""
    network = ipaddress.IPv4Network(subnet.cidr_block)
    candidate = ipaddress.ip_address(address)
    if candidate not in network:
        raise EC2ClientError(
            "InvalidParameterValue", f"Address {address} does not fall within the subnet's address range"
        )
    if not _RESERVED_FIRST <= int(candidate) - int(network.network_address) < network.num_addresses - 1:
        raise EC2ClientError("InvalidParameterValue", f"Address {address} is in subnet's reserved address range")
    if address in used_private(backend, subnet):
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def free_public(*_: Any) -> str:
    """An address of the simulated internet that nothing has; not one that was just given back."""
    pool = ipaddress.IPv4Network(world.settings.internet.elastic)
    used = {
        public
        for _account, _region, backend in ec2_backends.iter_backends()
        for public in [
            *(interface.public_ip for interface in backend.enis.values()),
            *(elastic.public_ip for elastic in backend.addresses),
        ]
    }
    for _attempt in range(pool.num_addresses):
        address = str(pool[next(_cursor) % pool.num_addresses])
        if address not in used and not address.endswith((".0", ".255")):
            return address
    raise EC2ClientError("InsufficientAddressCapacity", "The simulated internet has no free address.")
