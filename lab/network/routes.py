"""Routes and routing rules. In a VPC the route table decides, and nothing else does."""

from __future__ import annotations

from lab.network import names
from lab.network.model import Interface, RouteTable, Vpc
from lab.network.topology import (
    GATEWAY_INNER_END,
    GATEWAY_OUTER_END,
    INTERNET_END,
    INTERNET_ENDPOINT_END,
    LINK_LOCAL,
    ROUTER_END,
    Topology,
    addresses_of,
    first_host,
    is_checked,
    is_ipv4,
)
from lab.network.wanted import KernelRoute, Policy

# The router's own table: the ``local`` route of every route table.
LOCAL_TABLE = 100

# What no router on the internet carries (RFC 6890, multicast, and the rest of the reserved space).
NOT_ON_THE_INTERNET = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)


def internet_routes(topology: Topology) -> tuple[KernelRoute, ...]:
    """Only what is simulated is routed: public addresses in use, each by its internet gateway."""
    routes = [KernelRoute(cidr, kind="unreachable") for cidr in (*NOT_ON_THE_INTERNET, "default")]
    source = topology.internet.visitor
    for vpc in topology.state.vpcs:
        if vpc.internet_gateway_id:
            how = f"via {GATEWAY_OUTER_END} dev {names.gateway_device(vpc.internet_gateway_id)} onlink src {source}"
            routes += [KernelRoute(address, how) for address in topology.public_addresses(vpc).values()]
        if vpc.id in topology.endpoint_sources:
            how = f"dev {names.endpoint_device(vpc.id)} src {topology.internet.api}"
            routes.append(KernelRoute(topology.endpoint_sources[vpc.id], how))
    return tuple(routes)


def gateway_routes(vpc: Vpc) -> tuple[KernelRoute, ...]:
    inward = [KernelRoute(cidr, f"via {ROUTER_END} dev {names.TO_VPC} onlink") for cidr in vpc.cidrs]
    return (*inward, KernelRoute("default", f"via {INTERNET_END} dev {names.TO_INTERNET} onlink"))


def interface_routes(topology: Topology, interface: Interface) -> tuple[KernelRoute, ...]:
    gateway = first_host(topology.subnets[interface.subnet_id].cidr)
    return (KernelRoute("default", f"via {gateway} dev {names.ETHERNET}"),)


def router_routes(topology: Topology, vpc: Vpc) -> tuple[KernelRoute, ...]:
    routes = list(_local_routes(topology, vpc))
    for table in sorted(topology.state.route_tables, key=lambda each: each.id):
        if table.vpc_id == vpc.id:
            routes += table_routes(topology, vpc, table)
    return tuple(routes)


def router_policies(topology: Topology, vpc: Vpc) -> tuple[Policy, ...]:
    """After the router's own addresses: first ``local``, then the sender's subnet's table, then nothing.

    An interface without source/destination check may send from any address, so there the device tells the subnet.
    """
    policies = [Policy(100, f"from all lookup {LOCAL_TABLE}")]
    for interface in topology.interfaces_of(vpc):
        if not is_checked(interface):
            table = topology.subnets[interface.subnet_id].route_table_id
            policies.append(Policy(150, f"iif {names.interface_device(interface.id)} {_lookup(topology, table)}"))
    policies += [
        Policy(200, f"from {subnet.cidr} {_lookup(topology, subnet.route_table_id)}")
        for subnet in topology.subnets_of(vpc)
    ]
    return (*policies, Policy(32000, "from all unreachable"))


def table_routes(topology: Topology, vpc: Vpc, table: RouteTable) -> tuple[KernelRoute, ...]:
    """A route table as the kernel's. A target that is not there swallows packets, as AWS's ``blackhole`` state does."""
    number = topology.table_numbers[table.id]
    # Without a default route the lookup must end here, and not go on to the next rule.
    found = {"default": KernelRoute("default", kind="unreachable", table=number)}
    # A destination written out wins over the same one in a prefix list.
    for route in sorted(table.routes, key=lambda each: not each.destination.startswith("pl-")):
        if route.target == "local":
            continue
        for destination in _destinations(topology, route.destination):
            how = _next_hop(topology, vpc, route.target)
            kind = "unicast" if how else "blackhole"
            found[destination] = KernelRoute(destination, how, kind, number)
    return tuple(found.values())


def _local_routes(topology: Topology, vpc: Vpc) -> tuple[KernelRoute, ...]:
    """Each interface's addresses; the VPC's other addresses are not there, nor is anything link-local."""
    routes = [KernelRoute(cidr, kind="unreachable", table=LOCAL_TABLE) for cidr in (*vpc.cidrs, LINK_LOCAL)]
    for interface in topology.interfaces_of(vpc):
        source = first_host(topology.subnets[interface.subnet_id].cidr)
        how = f"dev {names.interface_device(interface.id)} src {source}"
        routes += [KernelRoute(address, how, table=LOCAL_TABLE) for address in addresses_of(interface)]
    return tuple(routes)


def _lookup(topology: Topology, table_id: str) -> str:
    number = topology.table_numbers.get(table_id)
    return f"lookup {number}" if number else "unreachable"


def _destinations(topology: Topology, destination: str) -> tuple[str, ...]:
    if destination.startswith("pl-"):
        return tuple(map(_as_kernel, topology.prefix_lists.get(destination, ())))
    return (_as_kernel(destination),) if is_ipv4(destination) else ()


def _as_kernel(cidr: str) -> str:
    """A destination in the kernel's own words, so that each has one name."""
    return "default" if cidr == "0.0.0.0/0" else cidr.removesuffix("/32")


def _next_hop(topology: Topology, vpc: Vpc, target: str) -> str:
    """The next hop of a target; empty when the target does not exist here."""
    if target.startswith("igw-") and target == vpc.internet_gateway_id:
        return f"via {GATEWAY_INNER_END} dev {names.TO_GATEWAY} onlink"
    if target.startswith("vpce-") and vpc.id in topology.endpoint_sources:
        return f"via {INTERNET_ENDPOINT_END} dev {names.TO_ENDPOINT} onlink"
    interface_id = target
    if target.startswith("nat-"):
        interface_id = next((nat.interface_id for nat in topology.state.nat_gateways if nat.id == target), "")
    interface = topology.interfaces.get(interface_id)
    if interface is None or interface.vpc_id != vpc.id:
        return ""
    return f"via {interface.private_ip} dev {names.interface_device(interface.id)} onlink"
