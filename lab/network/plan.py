"""The planner: from the API's state to what the kernel should hold. Pure.

A VPC is a router namespace. Each interface is a namespace of its own on a routed
link, so that all traffic, within a subnet too, passes the router's rules. The
subnet's route table chooses the way; see routes.py, and firewall.py for what may pass.
"""

from __future__ import annotations

from lab.network import firewall, links, names, routes
from lab.network.model import Interface, State, Vpc
from lab.network.topology import Topology
from lab.network.wanted import Link, Namespace, Plan
from lab.settings import Internet

Sysctls = tuple[tuple[str, str], ...]

# A new namespace takes some of these from the machine's own settings: so all are written out.
_QUIET: Sysctls = (
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
)
_END: Sysctls = (("net/ipv4/ip_forward", "0"), *_QUIET)
_FORWARDS: Sysctls = (
    ("net/ipv4/ip_forward", "1"),
    *_QUIET,
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
)
# Links made later take the defaults: neighbours in a subnet find each other through the router, at once.
_ROUTES: Sysctls = (
    *_FORWARDS,
    ("net/ipv4/conf/default/proxy_arp", "1"),
    ("net/ipv4/neigh/default/proxy_delay", "0"),
)


def plan(state: State, internet: Internet, prefix: str = names.PREFIX) -> Plan:
    """Return everything that the kernel should hold for ``state``, and nothing else under ``prefix``."""
    topology = Topology(state, internet, prefix)
    namespaces = [_internet(topology)]
    wanted: list[Link] = []
    for vpc in sorted(state.vpcs, key=lambda each: each.id):
        namespaces.append(_router(topology, vpc))
        if vpc.internet_gateway_id:
            namespaces.append(_gateway(topology, vpc))
        wanted += [*links.gateway_links(topology, vpc), *links.endpoint_links(topology, vpc)]
        for interface in topology.interfaces_of(vpc):
            namespaces.append(_interface(topology, vpc, interface))
            wanted.append(links.interface_link(topology, interface))
    return Plan(prefix, tuple(namespaces), tuple(wanted))


def _internet(topology: Topology) -> Namespace:
    return Namespace(
        name=names.internet(topology.prefix),
        sysctls=_FORWARDS,
        addresses=links.internet_addresses(topology),
        routes=routes.internet_routes(topology),
        rules=firewall.internet_rules(topology),
    )


def _gateway(topology: Topology, vpc: Vpc) -> Namespace:
    return Namespace(
        name=names.gateway(vpc.internet_gateway_id or "", topology.prefix),
        sysctls=_FORWARDS,
        addresses=links.gateway_addresses(),
        routes=routes.gateway_routes(vpc),
        rules=firewall.gateway_rules(topology, vpc),
    )


def _router(topology: Topology, vpc: Vpc) -> Namespace:
    return Namespace(
        name=names.router(vpc.id, topology.prefix),
        sysctls=_ROUTES,
        addresses=links.router_addresses(topology, vpc),
        routes=routes.router_routes(topology, vpc),
        policies=routes.router_policies(topology, vpc),
        rules=firewall.router_rules(topology, vpc),
    )


def _interface(topology: Topology, vpc: Vpc, interface: Interface) -> Namespace:
    """Set up wholly from outside. Only a NAT gateway has rules: a machine's namespace is its own."""
    is_nat = interface.kind == "nat_gateway"
    return Namespace(
        name=names.interface(interface.id, topology.prefix),
        sysctls=_FORWARDS if is_nat else _END,
        addresses=links.interface_addresses(topology, interface),
        routes=routes.interface_routes(topology, interface),
        rules=firewall.nat_gateway_rules(vpc, interface) if is_nat else "",
    )
