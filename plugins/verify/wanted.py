"""What the configuration promises: read from the same variables that the deployment is built from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SSH = 22
EVERYWHERE = "0.0.0.0/0"
# What a route names as its target in place of a NAT.
INTERNET_GATEWAY = "internet_gateway"
# The role of an instance that lets others out.
NAT = "nat"
# What a rule names in place of a group or addresses.
CLOUDFRONT = "CloudFront"


@dataclass(frozen=True)
class Rule:
    """A rule of a security group, in the configuration's words. ``first`` to ``last`` are ports; -1 is all of them.

    ``peer`` is a group's short name, addresses (CIDR), ``CloudFront``, or ``prefix list pl-…``.
    ``name`` is what AWS calls the rule; the configuration's rules have none.
    """

    egress: bool
    protocol: str
    first: int
    last: int
    peer: str
    name: str = ""

    @property
    def meaning(self) -> tuple[bool, str, int, int, str]:
        """What the rule says, whatever it is called."""
        return self.egress, self.protocol, self.first, self.last, self.peer

    def __str__(self) -> str:
        ports = (
            "" if self.first == -1 else f" {self.first}" if self.first == self.last else f" {self.first}-{self.last}"
        )
        what = "everything" if self.protocol == "all" else f"{self.protocol}{ports}"
        return f"{what} {'to' if self.egress else 'from'} {self.peer}"

    def covers(self, port: int, peer_groups: Iterable[str], peer_address: str) -> bool:
        """Whether the rule admits TCP on this port with a peer that is in these groups and has this address."""
        if self.protocol not in ("all", "tcp") or not (self.first == -1 or self.first <= port <= self.last):
            return False
        if "/" not in self.peer:
            return self.peer in peer_groups
        return bool(peer_address) and ipaddress.ip_address(peer_address) in ipaddress.ip_network(
            self.peer, strict=False
        )


@dataclass(frozen=True)
class Host:
    """An instance that the configuration names; ``address`` is any of its subnet's, to hold rules against."""

    name: str
    role: str
    subnet: str
    groups: tuple[str, ...]
    address: str


@dataclass(frozen=True)
class Subnet:
    """``gets_out`` is None where the table leads some of the outside to a NAT, and some not."""

    name: str
    cidr: str
    zone: str
    table: str
    nature: str
    gets_out: bool | None
    way: str = ""


@dataclass(frozen=True)
class Way:
    """A NAT: a gateway or an instance (``kind``), in a public subnet."""

    name: str
    kind: str
    subnet: str


@dataclass(frozen=True)
class Function:
    """The collector as a Lambda function, with a schedule of its name; without ``runs`` neither may be there.

    ``schedule`` is when it is fired, as EventBridge Scheduler writes it.
    """

    name: str
    runs: bool
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    schedule: str


@dataclass(frozen=True)
class Connection:
    """Whether ``source`` must reach ``target`` on a port; ``listens`` is whether something must answer there."""

    source: str
    target: str
    port: int
    reaches: bool
    listens: bool = True
    because: str = ""


@dataclass(frozen=True)
class Wanted:
    """Everything that the configuration promises. ``function`` is None in a run that makes and asks nothing of it."""

    prefix: str
    region: str
    cidr: str
    subnets: tuple[Subnet, ...]
    groups: Mapping[str, tuple[Rule, ...]]
    hosts: tuple[Host, ...]
    function: Function | None
    connections: tuple[Connection, ...]
    paths: tuple[Mapping[str, Any], ...]
    backend: str
    backend_port: int
    mysql_port: int
    mysql_source: str
    replicas: tuple[str, ...]
    ways: Mapping[str, Way]
    tables: Mapping[str, Mapping[str, str]]


def read(values: Mapping[str, Any]) -> Wanted:
    """The promises of a configuration: the values of the role's ``verify_configuration``, by short names."""
    tables = {
        table["name"]: {route["destination"]: route["target"] for route in table["routes"]}
        for table in values["route_tables"]
    }
    ways = {each["name"]: Way(each["name"], values["nat"], each["subnet"]) for each in values["ways"]}
    subnets = tuple(
        Subnet(
            item["name"],
            item["cidr"],
            item["zone"],
            item["route_table"],
            nature(routes),
            gets_out(routes),
            routes[EVERYWHERE] if routes.get(EVERYWHERE) in ways else "",
        )
        for item in values["subnets"]
        for routes in [tables.get(item["route_table"], {})]
    )
    cidrs = {subnet.name: subnet.cidr for subnet in subnets}
    hosts = tuple(
        Host(item["name"], item["role"], item["subnet"], tuple(item["groups"]), _any_address(cidrs[item["subnet"]]))
        for item in values["instances"]
    )
    groups = {item["name"]: tuple(_rules(item)) for item in values["groups"]}
    backend_port, mysql_port = int(values["backend_port"]), int(values["mysql_port"])
    services = {"backend": backend_port, "database": mysql_port}
    databases = [host.name for host in hosts if host.role == "database"]
    source = values["mysql_source"] if values["mysql_topology"] == "replication" else ""
    return Wanted(
        prefix=values["prefix"],
        region=values["region"],
        cidr=values["cidr"],
        subnets=subnets,
        groups=groups,
        hosts=hosts,
        function=_function(values["function"]),
        connections=tuple(_connections(hosts, groups, services, values["reach"])),
        paths=tuple(values["paths"]),
        backend=values["backend"],
        backend_port=backend_port,
        mysql_port=mysql_port,
        mysql_source=source,
        replicas=tuple(name for name in databases if source and name != source),
        ways=ways,
        tables=tables,
    )


def nature(routes: Mapping[str, str]) -> str:
    """What a table of these routes makes its subnets: public, private (out, never in) or isolated."""
    decides = deciding(routes, INTERNET_GATEWAY)
    if not decides:
        return "isolated"
    return "public" if routes[decides] == INTERNET_GATEWAY else "private"


def deciding(routes: Mapping[str, str], gateway: str) -> str:
    """The destination that decides: any that leads to the internet gateway, else the default route's; empty for none.

    ``routes`` are targets by destination; the gateway's begins with ``gateway``.
    """
    ordered = sorted(routes, key=lambda destination: destination != EVERYWHERE)
    opens = [destination for destination in ordered if routes[destination].startswith(gateway)]
    return next(iter(opens), EVERYWHERE if EVERYWHERE in routes else "")


def gets_out(routes: Mapping[str, str]) -> bool | None:
    """Whether a host without a public address gets out; None where that depends on whom it speaks to."""
    by_nat = [destination for destination, target in routes.items() if target != INTERNET_GATEWAY]
    if not by_nat:
        return False
    return True if EVERYWHERE in by_nat and len(by_nat) == len(routes) else None


def admission(
    groups: Mapping[str, Sequence[Rule]],
    source: tuple[Iterable[str], str],
    target: tuple[Iterable[str], str],
    port: int,
) -> tuple[Rule, Rule] | None:
    """The rules, out of the source and into the target, that admit a connection; None where one is missing.

    ``source`` and ``target`` are the names of the groups that each is in, and its address.
    """
    leaving = _first(groups, source[0], port, target, egress=True)
    entering = _first(groups, target[0], port, source, egress=False)
    return (leaving, entering) if leaving and entering else None


def _first(
    groups: Mapping[str, Sequence[Rule]],
    of: Iterable[str],
    port: int,
    peer: tuple[Iterable[str], str],
    *,
    egress: bool,
) -> Rule | None:
    rules = (rule for group in of for rule in groups.get(group, ()) if rule.egress == egress)
    return next((rule for rule in rules if rule.covers(port, list(peer[0]), peer[1])), None)


def _connections(
    hosts: Sequence[Host],
    groups: Mapping[str, tuple[Rule, ...]],
    services: Mapping[str, int],
    written: Sequence[Mapping[str, Any]],
) -> Iterable[Connection]:
    """Every pair of hosts on SSH, on the target's own service and on whatever its groups open; then what was written.

    A connection that a user wrote stands for the derived one.
    """
    found: dict[tuple[str, str, int], Connection] = {}
    for target in hosts:
        opened = {rule.first for name in target.groups for rule in groups.get(name, ()) if not rule.egress}
        service = services.get(target.role)
        ports = sorted({SSH, *(port for port in opened if port > 0), *([service] if service else [])})
        if target.role == NAT:  # what its group opens passes through
            ports = [SSH]
        for source in (host for host in hosts if host != target):
            for port in ports:
                admitted = admission(groups, (source.groups, source.address), (target.groups, target.address), port)
                found[source.name, target.name, port] = Connection(
                    source.name, target.name, port, admitted is not None, port in (SSH, service),
                    str(admitted[1]) if admitted else "",
                )  # fmt: skip
        for port in ports:
            found["outside", target.name, port] = Connection("outside", target.name, port, reaches=False)
    for item in written:
        key = (item["from"], item["to"], int(item["port"]))
        found[key] = Connection(*key, reaches=bool(item["reaches"]), because="verify_reach")
    return found.values()


def _function(values: Mapping[str, Any]) -> Function | None:
    if not values["name"]:
        return None
    runs = values["runs_on"] == "lambda"
    subnets, groups = tuple(values["subnets"]), tuple(values["groups"])
    return Function(values["name"], runs, subnets, groups, values["schedule"])


def _rules(group: Mapping[str, Any]) -> Iterable[Rule]:
    for egress, key in ((False, "ingress"), (True, "egress")):
        for rule in group[key]:
            port = str(rule["port"])
            peer = rule.get("group") or rule.get("cidr") or CLOUDFRONT
            if port == "all":
                yield Rule(egress, "all", -1, -1, peer)
            else:
                first, _, last = port.partition("-")
                yield Rule(egress, rule.get("protocol", "tcp"), int(first), int(last or first), peer)


def _any_address(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr, strict=False).network_address + 4)
