"""What each VPC's router answers by itself: the resolver and the metadata service."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab import kernel
from lab.dns.server import Resolver
from lab.machines import metadata
from lab.machines.model import Machine
from lab.network import names
from lab.network.model import Vpc

RESOLVER = "169.254.169.253"


def resolver_addresses(vpc: Vpc) -> tuple[str, ...]:
    """Where a VPC's resolver listens: the link-local address, and its first CIDR's base plus two."""
    return RESOLVER, str(ipaddress.IPv4Network(vpc.cidrs[0])[2])


@dataclass
class _Serving:
    metadata: metadata.Server
    stop_resolvers: list[Callable[[], None]]


class VpcServices:
    """Opens these services in a new VPC's router namespace, and closes a deleted VPC's."""

    def __init__(self, resolver: Resolver, machines: Callable[[], Mapping[tuple[str, str], Machine]]) -> None:
        self._resolver = resolver
        self._machines = machines
        self._serving: dict[str, _Serving] = {}

    def converge(self, vpcs: tuple[Vpc, ...]) -> None:
        wanted = {vpc.id: vpc for vpc in vpcs}
        for vpc_id in self._serving.keys() - wanted.keys():
            self._close(vpc_id)
        for vpc_id in wanted.keys() - self._serving.keys():
            self._open(wanted[vpc_id])

    def close(self) -> None:
        for vpc_id in list(self._serving):
            self._close(vpc_id)

    def _open(self, vpc: Vpc) -> None:
        namespace = names.router(vpc.id)

        def lookup(address: str) -> Machine | None:
            return self._machines().get((vpc.id, address))

        listener = kernel.listening(namespace, metadata.ADDRESS, metadata.PORT)
        stops = [
            self._resolver.serve(
                kernel.bound_udp(namespace, address, 53), kernel.listening(namespace, address, 53), vpc.id
            )
            for address in resolver_addresses(vpc)
        ]
        self._serving[vpc.id] = _Serving(metadata.serve(listener, lookup), stops)

    def _close(self, vpc_id: str) -> None:
        serving = self._serving.pop(vpc_id)
        serving.metadata.close()
        for stop in serving.stop_resolvers:
            stop()
