"""The nftables table of each kind of namespace."""

from __future__ import annotations

from lab.network import groups, names
from lab.network.model import Interface, Vpc
from lab.network.topology import DNS, METADATA, Topology, addresses_of, is_checked, resolver_address
from lab.network.wanted import block, elements, table

_FORWARD = "type filter hook forward priority filter; policy drop;"
_INPUT = "type filter hook input priority filter; policy drop;"
_RAW = "type filter hook prerouting priority raw; policy accept;"
_KNOWN = "ct state established,related accept"


def internet_rules(topology: Topology) -> str:
    """One public address reaches another; an S3 endpoint reaches nothing but the API and S3."""
    return table(
        block(
            "chain input",
            "type filter hook input priority filter; policy accept;",
            f'iifname "s*" ip daddr != {topology.internet.api} drop',
        ),
        block("chain forward", _FORWARD, 'iifname "g*" oifname "g*" accept'),
    )


def gateway_rules(topology: Topology, vpc: Vpc) -> str:
    """One public address for one private address, both ways; what has none does not pass."""
    public = topology.public_addresses(vpc)
    return table(
        block("set private", "type ipv4_addr", *elements(tuple(public))),
        block(
            "map outward",
            "type ipv4_addr : ipv4_addr",
            *elements(tuple(f"{private} : {address}" for private, address in public.items())),
        ),
        block(
            "map inward",
            "type ipv4_addr : ipv4_addr",
            *elements(tuple(f"{address} : {private}" for private, address in public.items())),
        ),
        block(
            "chain prerouting",
            "type nat hook prerouting priority dstnat; policy accept;",
            f'iifname "{names.TO_INTERNET}" dnat to ip daddr map @inward',
        ),
        block("chain input", _INPUT),
        # Established connections are held to the current map too: an address that was taken away stops at once.
        block(
            "chain forward",
            _FORWARD,
            f'iifname "{names.TO_VPC}" oifname "{names.TO_INTERNET}" ip saddr @private accept',
            f'iifname "{names.TO_INTERNET}" oifname "{names.TO_VPC}" ip daddr @private {_KNOWN}',
            f'iifname "{names.TO_INTERNET}" oifname "{names.TO_VPC}" ip daddr @private ct status dnat accept',
        ),
        block(
            "chain postrouting",
            "type nat hook postrouting priority srcnat; policy accept;",
            f'oifname "{names.TO_INTERNET}" snat to ip saddr map @outward',
        ),
    )


def nat_gateway_rules(vpc: Vpc, interface: Interface) -> str:
    """What comes from the VPC goes on under the gateway's own address; nothing is let in, and nothing answers."""
    cidrs = ", ".join(vpc.cidrs)
    return table(
        block("chain input", _INPUT),
        block(
            "chain forward",
            _FORWARD,
            _KNOWN,
            # The second half of a conversation that began elsewhere, which could not be translated.
            "ct state invalid drop",
            f"ip saddr {{ {cidrs} }} accept",
        ),
        block(
            "chain postrouting",
            "type nat hook postrouting priority srcnat; policy accept;",
            f'oifname "{names.ETHERNET}" snat to {interface.private_ip}',
        ),
    )


def router_rules(topology: Topology, vpc: Vpc) -> str:
    """Source and destination checks, security groups, and what the router itself answers."""
    interfaces = topology.interfaces_of(vpc)
    outward = tuple(
        device
        for device, exists in (
            (names.TO_GATEWAY, vpc.internet_gateway_id is not None),
            (names.TO_ENDPOINT, vpc.id in topology.endpoint_sources),
        )
        if exists
    )
    own = tuple(f'"{names.interface_device(i.id)}" . {address}' for i in interfaces for address in addresses_of(i))
    unchecked = tuple(f'"{names.interface_device(i.id)}"' for i in interfaces if not is_checked(i))
    sources = topology.endpoint_sources
    return table(
        block("set own", "type ifname . ipv4_addr", *elements(own)),
        block("set unchecked", "type ifname", *elements((*unchecked, *(f'"{device}"' for device in outward)))),
        block(
            "chain raw",
            _RAW,
            *(f'iifname "{device}" ip saddr {{ {", ".join(vpc.cidrs)} }} drop' for device in outward),
            "iifname @unchecked accept",
            'iifname != "lo" iifname . ip saddr != @own drop',
        ),
        block("chain input", _INPUT, 'iifname "lo" accept', *_control(vpc)),
        *groups.blocks(topology, vpc),
        *groups.maps(topology, vpc, outward),
        block(f"chain {groups.INGRESS}", "oifname vmap @receives", "drop"),
        block(
            "chain forward",
            _FORWARD,
            "oifname != @unchecked oifname . ip daddr != @own drop",
            _KNOWN,
            "iifname vmap @sends",
        ),
        *(
            [
                block(
                    "chain postrouting",
                    "type nat hook postrouting priority srcnat; policy accept;",
                    f'oifname "{names.TO_ENDPOINT}" snat to {sources[vpc.id]}',
                )
            ]
            if vpc.id in sources
            else []
        ),
    )


def _control(vpc: Vpc) -> tuple[str, ...]:
    """Metadata and DNS answer to every interface, whatever its groups: AWS does not filter them either."""
    resolvers = ", ".join((DNS, resolver_address(vpc)))
    return (
        f'iifname "e*" ip daddr {METADATA} tcp dport 80 accept',
        f'iifname "e*" ip daddr {{ {resolvers} }} udp dport 53 accept',
        f'iifname "e*" ip daddr {{ {resolvers} }} tcp dport 53 accept',
    )
