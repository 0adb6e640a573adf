"""A small VPC of a few hosts in namespaces of this test process's own, and ways to send packets within it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from dataclasses import replace

from lab.kernel import connected, inside, listening, run
from lab.network import names
from lab.network.apply import converge, sweep
from lab.network.model import (
    Interface,
    NatGateway,
    PrefixList,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
    State,
    Subnet,
    Vpc,
)
from lab.network.plan import plan
from lab.settings import Internet

INTERNET = Internet("198.18.0.0/16")
NAT_PUBLIC, WEB_PUBLIC = "198.18.64.10", "198.18.64.20"
EVERYTHING = (
    Rule("ingress", "-1", cidr="0.0.0.0/0"),
    Rule("egress", "-1", cidr="0.0.0.0/0"),
)
LOCAL = Route("10.0.0.0/16", "local")
TO_GATEWAY, TO_NAT = Route("0.0.0.0/0", "igw-main"), Route("0.0.0.0/0", "nat-main")
SUBNETS = {"subnet-public": "10.0.1.0/24", "subnet-app": "10.0.2.0/24", "subnet-data": "10.0.3.0/24"}


def host(name: str, subnet_id: str, last: int, *groups: str, public_ip: str | None = None) -> Interface:
    base = SUBNETS[subnet_id].removesuffix("0/24")
    return Interface(
        id=f"eni-{name}",
        vpc_id="vpc-main",
        subnet_id=subnet_id,
        private_ip=f"{base}{last}",
        mac=f"06:00:00:00:{int(base.split('.')[2]):02x}:{last:02x}",
        kind="instance",
        owner_id=f"i-{name}",
        groups=frozenset(groups or ("sg-open",)),
        public_ip=public_ip,
    )


def first_state() -> State:
    """A public subnet with a NAT gateway, and two private ones; the group sg-open allows everything."""
    nat = replace(host("nat", "subnet-public", 10), kind="nat_gateway", owner_id="nat-main", groups=frozenset())
    return State(
        vpcs=(Vpc("vpc-main", ("10.0.0.0/16",), "igw-main"),),
        subnets=(
            Subnet("subnet-public", "vpc-main", "10.0.1.0/24", "ap-northeast-2a", "rtb-public"),
            Subnet("subnet-app", "vpc-main", "10.0.2.0/24", "ap-northeast-2a", "rtb-private"),
            Subnet("subnet-data", "vpc-main", "10.0.3.0/24", "ap-northeast-2a", "rtb-private"),
        ),
        route_tables=(
            RouteTable("rtb-public", "vpc-main", (LOCAL, TO_GATEWAY)),
            RouteTable("rtb-private", "vpc-main", (LOCAL, TO_NAT)),
        ),
        interfaces=(
            nat,
            host("web", "subnet-public", 20, public_ip=WEB_PUBLIC),
            host("bare", "subnet-public", 30),
            host("app", "subnet-app", 5),
            host("neighbour", "subnet-app", 6),
            host("db", "subnet-data", 7),
        ),
        nat_gateways=(NatGateway("nat-main", "vpc-main", "subnet-public", "eni-nat", NAT_PUBLIC),),
        security_groups=(SecurityGroup("sg-open", "vpc-main", "open", EVERYTHING),),
        prefix_lists=(PrefixList("pl-s3", "com.amazonaws.ap-northeast-2.s3", ("203.0.113.0/24",)),),
    )


class World:
    """The lab's network as the tests see it: hosts by the name in their id, ``internet`` for the outside."""

    def __init__(self) -> None:
        self.prefix = f"labt{os.getpid()}-"
        self.state = first_state()
        self._open = contextlib.ExitStack()

    def build(self, state: State | None = None) -> None:
        self.state = state or self.state
        converge(plan(self.state, INTERNET, self.prefix))

    def close(self) -> None:
        self._open.close()
        sweep(self.prefix)

    def namespace(self, place: str) -> str:
        return names.internet(self.prefix) if place == "internet" else names.interface(f"eni-{place}", self.prefix)

    def serve(self, place: str, port: int, address: str = "0.0.0.0") -> None:  # noqa: S104 - in the test's namespace
        """Answer each TCP connection with the address that it comes from."""
        server = listening(self.namespace(place), address, port)

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, client = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.sendall(client[0].encode())

        threading.Thread(target=answer, daemon=True).start()
        # Only shutdown wakes a thread that is blocked in accept.
        self._open.callback(server.close)
        self._open.callback(server.shutdown, socket.SHUT_RDWR)

    def seen(self, place: str, address: str, port: int = 80) -> str:
        """The address under which ``place`` is seen by the service at ``address``."""
        with connected(self.namespace(place), address, port, 5) as connection:
            return connection.recv(100).decode()

    def blocked(self, place: str, address: str, port: int = 80) -> bool:
        """Whether a connection fails: no route, no answer. A refusal, which proves a way, does not count."""
        try:
            connected(self.namespace(place), address, port, 0.5).close()
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
        return False

    def watch(self, place: str, match: str) -> None:
        """Count, from now on, the packets that arrive at a place and match an nftables expression."""
        chain = "type filter hook prerouting priority -301; policy accept;"
        rules = f"table ip witness {{ chain seen {{ {chain} {match} counter; }}; }}"
        inside(self.namespace(place), lambda: run(["nft", "-f", "-"], stdin=rules))

    def watched(self, place: str) -> int:
        """How many packets came since ``watch``."""
        rules = inside(self.namespace(place), lambda: run(["nft", "list", "table", "ip", "witness"]))
        return int(rules.partition("counter packets ")[2].split()[0])

    def ip(self, place: str, *words: str) -> str:
        return inside(self.namespace(place), lambda: run(["ip", *words]))


def with_route(state: State, table_id: str, *routes: Route) -> State:
    """The state with a route table's routes, besides local, replaced."""
    return replace(
        state,
        route_tables=tuple(
            replace(table, routes=(LOCAL, *routes)) if table.id == table_id else table for table in state.route_tables
        ),
    )


def with_table(state: State, subnet_id: str, table_id: str) -> State:
    """The state with a subnet associated with another table."""
    return replace(
        state,
        subnets=tuple(
            replace(each, route_table_id=table_id) if each.id == subnet_id else each for each in state.subnets
        ),
    )


def with_interface(state: State, changed: Interface) -> State:
    """The state with one interface changed or added."""
    others = tuple(each for each in state.interfaces if each.id != changed.id)
    return replace(state, interfaces=(*others, changed))


def with_groups(state: State, *groups: SecurityGroup, members: dict[str, str]) -> State:
    """The state with more groups; ``members`` maps host names to the one group that each is in."""
    return replace(
        state,
        security_groups=(*state.security_groups, *groups),
        interfaces=tuple(
            replace(each, groups=frozenset({members[each.id.removeprefix("eni-")]}))
            if each.id.removeprefix("eni-") in members
            else each
            for each in state.interfaces
        ),
    )
