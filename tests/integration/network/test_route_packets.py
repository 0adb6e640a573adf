"""The route table decides: shown with packets."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from small_vpc import (
    INTERNET,
    NAT_PUBLIC,
    TO_GATEWAY,
    TO_NAT,
    WEB_PUBLIC,
    World,
    with_interface,
    with_route,
    with_table,
)

from lab.kernel import connected, inside, listening, run
from lab.network.model import PrefixList, Route

pytestmark = pytest.mark.namespaces

OUTSIDE = INTERNET.readings


def test_a_private_host_is_seen_outside_as_the_nat_gateways_elastic_address(world: World) -> None:
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC
    assert world.seen("db", OUTSIDE) == NAT_PUBLIC


def test_a_host_in_a_public_subnet_gets_out_only_with_a_public_address_of_its_own(world: World) -> None:
    assert world.seen("web", OUTSIDE) == WEB_PUBLIC
    assert world.blocked("bare", OUTSIDE)
    bare = next(each for each in world.state.interfaces if each.id == "eni-bare")
    world.build(with_interface(world.state, replace(bare, public_ip="198.18.64.30")))
    assert world.seen("bare", OUTSIDE) == "198.18.64.30"
    world.build(with_interface(world.state, bare))
    assert world.blocked("bare", OUTSIDE)


def test_hosts_of_one_vpc_reach_each_other_as_themselves_across_and_within_subnets(world: World) -> None:
    world.serve("db", 3306)
    world.serve("neighbour", 3306)
    assert world.seen("app", "10.0.3.7", 3306) == "10.0.2.5"
    assert world.seen("app", "10.0.2.6", 3306) == "10.0.2.5"


def test_associating_a_subnet_with_the_other_table_flips_its_nature_and_back(world: World) -> None:
    world.build(with_table(world.state, "subnet-app", "rtb-public"))
    assert world.blocked("app", OUTSIDE)
    world.build(with_table(world.state, "subnet-app", "rtb-private"))
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC
    world.build(with_table(world.state, "subnet-public", "rtb-private"))
    assert world.blocked("web", OUTSIDE)
    world.build(with_table(world.state, "subnet-public", "rtb-public"))
    assert world.seen("web", OUTSIDE) == WEB_PUBLIC


def test_without_the_public_subnets_route_to_the_internet_gateway_nat_fails_for_private_ones(world: World) -> None:
    world.build(with_route(world.state, "rtb-public"))
    assert world.blocked("app", OUTSIDE)
    world.build(with_route(world.state, "rtb-public", TO_GATEWAY))
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC


def test_a_route_to_a_nat_gateway_that_is_gone_is_a_blackhole(world: World) -> None:
    world.build(
        replace(
            world.state,
            nat_gateways=(),
            interfaces=tuple(each for each in world.state.interfaces if each.id != "eni-nat"),
        )
    )
    assert world.blocked("app", OUTSIDE)
    world.serve("db", 3306)
    assert world.seen("app", "10.0.3.7", 3306) == "10.0.2.5"


def test_nothing_outside_opens_a_connection_to_a_private_host_even_with_a_route_forced_in(world: World) -> None:
    world.serve("app", 80)
    world.serve("web", 80)
    world.watch("app", f"ip saddr {INTERNET.visitor}")
    assert world.seen("internet", WEB_PUBLIC) == INTERNET.visitor
    assert world.blocked("internet", NAT_PUBLIC)
    assert world.blocked("internet", "10.0.2.5")
    forced = ["route", "add", "10.0.2.0/24", "via", "169.254.1.2", "dev", "gmain", "onlink"]
    world.ip("internet", *forced, "src", INTERNET.visitor)
    assert world.blocked("internet", "10.0.2.5")
    assert world.watched("app") == 0


def test_a_private_source_address_never_arrives_in_the_internet(world: World) -> None:
    world.watch("internet", "ip saddr 10.0.0.0/8")
    assert world.blocked("bare", OUTSIDE)
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC
    assert world.seen("web", OUTSIDE) == WEB_PUBLIC
    assert world.watched("internet") == 0


def test_a_public_address_that_is_taken_away_stops_at_once_for_connections_too(world: World) -> None:
    server = listening(world.namespace("internet"), OUTSIDE, 8080)
    web = next(each for each in world.state.interfaces if each.id == "eni-web")
    with connected(world.namespace("web"), OUTSIDE, 8080, 5) as client, server.accept()[0] as peer:
        world.build(with_interface(world.state, replace(web, public_ip=None)))
        world.watch("internet", "tcp dport 8080")
        client.sendall(b"lost")
        assert world.blocked("web", OUTSIDE)
        peer.settimeout(0.5)
        with pytest.raises(TimeoutError):
            peer.recv(10)
        assert world.watched("internet") == 0
    server.close()


def test_a_public_address_in_a_private_subnet_lets_nobody_in(world: World) -> None:
    app = next(each for each in world.state.interfaces if each.id == "eni-app")
    world.build(with_interface(world.state, replace(app, public_ip="198.18.64.5")))
    world.serve("app", 80)
    world.watch("app", f"ip saddr {INTERNET.visitor}")
    assert world.blocked("internet", "198.18.64.5")
    assert world.watched("app") > 0, "it comes in, but the answer leaves through NAT and is lost, as on AWS"


def test_the_links_between_gateways_are_reachable_from_nowhere(world: World) -> None:
    for address in ("169.254.1.1", "169.254.1.2", "169.254.2.1", "169.254.2.2"):
        assert world.blocked("app", address)
        assert world.blocked("web", address)


def test_a_source_within_the_vpc_is_not_believed_from_outside(world: World) -> None:
    world.watch("web", "ip saddr 10.0.2.6")
    world.ip("internet", "addr", "add", "10.0.2.6/32", "dev", "lo")
    world.ip("internet", "route", "replace", WEB_PUBLIC, "via", "169.254.1.2", "dev", "gmain", "onlink")

    def knock() -> None:
        with socket.create_connection((WEB_PUBLIC, 80), timeout=0.5, source_address=("10.0.2.6", 0)):
            pass

    with pytest.raises(OSError, match=r"timed out|unreachable|No route"):
        inside(world.namespace("internet"), knock)
    assert world.watched("web") == 0


def test_a_connection_to_a_public_address_passes_the_gateway_and_comes_back_as_that_address(world: World) -> None:
    world.serve("web", 80)
    assert world.seen("app", WEB_PUBLIC) == NAT_PUBLIC
    assert world.seen("web", WEB_PUBLIC) == WEB_PUBLIC


def test_an_address_in_the_vpc_that_nothing_has_is_not_answered(world: World) -> None:
    assert world.blocked("app", "10.0.2.99")
    assert world.blocked("app", "10.0.9.9")
    neighbours = world.ip("app", "neigh", "show", "10.0.2.99")
    assert "FAILED" in neighbours or "INCOMPLETE" in neighbours


def test_two_vpcs_with_the_same_addresses_do_not_see_each_other(world: World) -> None:
    state = world.state
    twin = replace(
        next(each for each in state.interfaces if each.id == "eni-db"), id="eni-twin", vpc_id="vpc-2", subnet_id="sn-2"
    )
    world.build(
        replace(
            state,
            vpcs=(*state.vpcs, replace(state.vpcs[0], id="vpc-2", internet_gateway_id="igw-2")),
            subnets=(*state.subnets, replace(state.subnets[2], id="sn-2", vpc_id="vpc-2", route_table_id="rtb-2")),
            route_tables=(*state.route_tables, replace(state.route_tables[0], id="rtb-2", vpc_id="vpc-2")),
            security_groups=(*state.security_groups, replace(state.security_groups[0], id="sg-2", vpc_id="vpc-2")),
            interfaces=(*state.interfaces, replace(twin, groups=frozenset({"sg-2"}))),
        )
    )
    world.serve("twin", 3306)
    assert world.blocked("twin", "10.0.2.5", 80)
    with pytest.raises(ConnectionRefusedError):
        world.seen("app", "10.0.3.7", 3306)
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC


PRIVATE = ["10.0.2.5", "10.9.9.9", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.1.2", "100.64.0.1"]
BOGON = ["192.0.2.1", "203.0.113.1", "198.51.100.1", "198.18.99.99", "198.19.0.1", "240.0.0.1"]


@pytest.mark.parametrize("address", [*PRIVATE, *BOGON, "8.8.8.8"])
def test_from_the_internet_no_private_bogon_or_unknown_address_has_a_route(world: World, address: str) -> None:
    with pytest.raises(OSError, match=r"No route to host|Network is unreachable|Invalid argument"):
        world.seen("internet", address)


def test_an_s3_endpoint_reaches_s3_with_no_nat_and_nothing_else(world: World) -> None:
    world.build(with_route(world.state, "rtb-private"))
    assert world.blocked("app", INTERNET.api)
    world.build(with_route(world.state, "rtb-private", Route("pl-s3", "vpce-s3")))
    assert world.seen("app", INTERNET.api) == "198.18.128.1"
    assert world.blocked("app", OUTSIDE)
    # With NAT as well, the more specific route wins.
    world.build(with_route(world.state, "rtb-private", Route("pl-s3", "vpce-s3"), TO_NAT))
    assert world.seen("app", INTERNET.api) == "198.18.128.1"
    assert world.seen("app", OUTSIDE) == NAT_PUBLIC


def test_an_s3_endpoint_leads_nowhere_else_whatever_its_prefix_list_says(world: World) -> None:
    lists = (PrefixList("pl-s3", "com.amazonaws.ap-northeast-2.s3", (f"{OUTSIDE}/32", f"{WEB_PUBLIC}/32")),)
    state = with_route(world.state, "rtb-private", Route("pl-s3", "vpce-s3"))
    world.build(replace(state, prefix_lists=lists))
    world.serve("web", 80)
    assert world.seen("app", INTERNET.api) == "198.18.128.1"
    assert world.blocked("app", OUTSIDE)
    assert world.blocked("app", WEB_PUBLIC)


def forwarding(world: World, *, check: bool) -> None:
    """Make web a router, and send the private subnets' traffic to it."""
    inside(world.namespace("web"), lambda: run(["sysctl", "-qw", "net.ipv4.ip_forward=1"]))
    web = next(each for each in world.state.interfaces if each.id == "eni-web")
    state = with_interface(world.state, replace(web, source_dest_check=check))
    world.build(with_route(state, "rtb-private", Route("0.0.0.0/0", "eni-web")))


def test_a_nat_instance_works_with_its_source_and_destination_check_off_and_not_with_it_on(world: World) -> None:
    masquerade = 'table ip nat { chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }; }'
    inside(world.namespace("web"), lambda: run(["nft", "-f", "-"], stdin=masquerade))
    world.watch("web", f"ip daddr {OUTSIDE}")
    forwarding(world, check=True)
    assert world.blocked("app", OUTSIDE)
    assert world.watched("web") == 0
    forwarding(world, check=False)
    assert world.seen("app", OUTSIDE) == WEB_PUBLIC
    assert world.watched("web") > 0


def test_an_instance_that_forwards_without_translating_sends_on_by_its_own_subnets_table(world: World) -> None:
    forwarding(world, check=False)
    assert world.blocked("app", OUTSIDE)
    app = next(each for each in world.state.interfaces if each.id == "eni-app")
    world.build(with_interface(world.state, replace(app, public_ip="198.18.64.5")))
    assert world.seen("app", OUTSIDE) == "198.18.64.5"
