"""Security groups, source checks and what the router answers: shown with packets."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from small_vpc import INTERNET, NAT_PUBLIC, World, with_groups

from lab.kernel import connected, inside, listening, run
from lab.network import names
from lab.network.model import PrefixList, Rule, SecurityGroup

pytestmark = pytest.mark.namespaces

ALL_OUT = Rule("egress", "-1", cidr="0.0.0.0/0")


def group(name: str, *rules: Rule) -> SecurityGroup:
    return SecurityGroup(f"sg-{name}", "vpc-main", name, rules)


def from_group(name: str, port: int) -> Rule:
    return Rule("ingress", "tcp", port, port, group_id=f"sg-{name}")


def database(world: World, *rules: Rule) -> None:
    """db admits what ``rules`` say, app is in the group backend, neighbour in the group collector."""
    world.build(
        with_groups(
            world.state,
            group("backend", ALL_OUT),
            group("collector", ALL_OUT),
            group("database", ALL_OUT, *rules),
            members={"app": "sg-backend", "neighbour": "sg-collector", "db": "sg-database"},
        )
    )
    world.serve("db", 3306)


def test_a_group_reference_admits_its_members_on_the_port_and_nobody_else(world: World) -> None:
    database(world, from_group("backend", 3306))
    world.serve("db", 3307)
    assert world.seen("app", "10.0.3.7", 3306) == "10.0.2.5"
    assert world.blocked("app", "10.0.3.7", 3307)
    assert world.blocked("neighbour", "10.0.3.7", 3306)
    assert world.blocked("web", "10.0.3.7", 3306)


def test_joining_a_group_admits_and_leaving_it_shuts_out(world: World) -> None:
    database(world, from_group("backend", 3306))
    before = world.state
    world.build(with_groups(before, members={"neighbour": "sg-backend"}))
    assert world.seen("neighbour", "10.0.3.7", 3306) == "10.0.2.6"
    world.build(before)
    assert world.blocked("neighbour", "10.0.3.7", 3306)


def test_neighbours_in_a_subnet_are_apart_until_their_group_names_itself(world: World) -> None:
    members = {"app": "sg-peers", "neighbour": "sg-peers"}
    world.build(with_groups(world.state, group("peers", ALL_OUT), members=members))
    world.serve("neighbour", 3306)
    assert world.blocked("app", "10.0.2.6", 3306)
    groups = tuple(
        replace(each, rules=(*each.rules, from_group("peers", 3306))) if each.id == "sg-peers" else each
        for each in world.state.security_groups
    )
    world.build(replace(world.state, security_groups=groups))
    assert world.seen("app", "10.0.2.6", 3306) == "10.0.2.5"


def test_egress_rules_hold_back_what_they_do_not_name(world: World) -> None:
    only = Rule("egress", "tcp", 3306, 3306, cidr="10.0.3.0/24")
    world.build(with_groups(world.state, group("narrow", only), members={"app": "sg-narrow"}))
    world.serve("db", 3306)
    world.serve("db", 3307)
    assert world.seen("app", "10.0.3.7", 3306) == "10.0.2.5"
    assert world.blocked("app", "10.0.3.7", 3307)
    assert world.blocked("app", INTERNET.readings)


def test_a_prefix_list_in_a_rule_admits_its_addresses(world: World) -> None:
    listed = Rule("ingress", "tcp", 80, 80, prefix_list_id="pl-visitors")
    lists = (PrefixList("pl-visitors", "visitors", ("198.18.0.200/32", "203.0.113.0/24", "203.0.113.0/28")),)
    state = with_groups(world.state, group("listed", ALL_OUT, listed), members={"web": "sg-listed"})
    world.build(replace(state, prefix_lists=lists))
    world.serve("web", 80)
    assert world.seen("internet", "198.18.64.20") == INTERNET.visitor
    assert world.blocked("bare", "10.0.1.20")


def test_answers_pass_without_a_rule_of_their_own(world: World) -> None:
    opened = Rule("ingress", "tcp", 3306, 3306, cidr="10.0.0.0/16")
    world.build(with_groups(world.state, group("shut", opened), group("out", ALL_OUT), members={"db": "sg-shut"}))
    world.serve("db", 3306)
    world.serve("app", 3306)
    assert world.seen("app", "10.0.3.7", 3306) == "10.0.2.5"
    assert world.blocked("db", "10.0.2.5", 3306)


def test_a_connection_outlives_a_change_of_rules_and_a_new_one_meets_the_new_rules(world: World) -> None:
    database(world, from_group("backend", 3306))
    before = world.state
    server = listening(world.namespace("db"), "10.0.3.7", 3310)
    everyone = with_groups(before, members={"db": "sg-open"})
    world.build(everyone)
    with connected(world.namespace("app"), "10.0.3.7", 3310, 5) as client, server.accept()[0] as peer:
        world.build(before)
        client.sendall(b"still here")
        assert peer.recv(20) == b"still here"
        assert world.blocked("app", "10.0.3.7", 3310)
    server.close()


def test_a_spoofed_source_is_dropped(world: World) -> None:
    world.serve("db", 3306)
    world.ip("app", "addr", "add", "10.0.2.77/32", "dev", "lo")

    def as_somebody_else(source: str) -> None:
        with socket.create_connection(("10.0.3.7", 3306), timeout=0.5, source_address=(source, 0)):
            pass

    inside(world.namespace("app"), lambda: as_somebody_else("10.0.2.5"))
    with pytest.raises(TimeoutError):
        inside(world.namespace("app"), lambda: as_somebody_else("10.0.2.77"))
    # Not even as a neighbour that exists, and whose answers would go elsewhere.
    router = names.router("vpc-main", world.prefix)
    inside(router, lambda: run(["nft", "insert", "rule", "ip", "lab", "forward", "ip saddr 10.0.2.6 counter"]))
    world.ip("app", "addr", "add", "10.0.2.6/32", "dev", "lo")
    with pytest.raises(TimeoutError):
        inside(world.namespace("app"), lambda: as_somebody_else("10.0.2.6"))
    assert "packets 0" in inside(router, lambda: run(["nft", "list", "chain", "ip", "lab", "forward"]))


def test_metadata_and_dns_answer_whatever_the_groups_say_and_the_router_nothing_else(world: World) -> None:
    world.build(with_groups(world.state, group("nothing"), members={"app": "sg-nothing"}))
    router = names.router("vpc-main", world.prefix)
    servers = [
        listening(router, "169.254.169.254", 80),
        listening(router, "10.0.0.2", 53),
        listening(router, "169.254.169.253", 53),
        listening(router, "0.0.0.0", 8080),  # noqa: S104 - in the test's namespace
    ]
    for address, port in (("169.254.169.254", 80), ("10.0.0.2", 53), ("169.254.169.253", 53)):
        connected(world.namespace("app"), address, port, 5).close()
    for address in ("169.254.169.254", "10.0.2.1", "10.0.0.2"):
        assert world.blocked("app", address, 8080)
    for server in servers:
        server.close()


def test_a_nat_gateway_answers_nothing_and_relays_nothing_between_hosts(world: World) -> None:
    assert world.seen("app", INTERNET.readings) == NAT_PUBLIC
    assert world.blocked("app", "10.0.1.10", 22)
    assert world.blocked("internet", NAT_PUBLIC, 22)
