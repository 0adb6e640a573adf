from __future__ import annotations

from dataclasses import replace

from lab.network.changes import changes
from lab.network.model import NatGateway, PrefixList, Route, RouteTable, State, Subnet
from lab.network.plan import plan
from lab.network.topology import Topology
from lab.network.wanted import Address, End, KernelRoute, Link, Plan
from lab.settings import Internet

INTERNET = Internet("198.18.0.0/16")


def planned(state: State) -> Plan:
    return plan(state, INTERNET)


def number(state: State, table_id: str) -> int:
    return Topology(state, INTERNET).table_numbers[table_id]


def router_routes(state: State, table_id: str) -> dict[str, KernelRoute]:
    routes = planned(state).namespace("lab-vpc-1").routes
    return {route.destination: route for route in routes if route.table == number(state, table_id)}


def private_routes(state: State, *routes: Route) -> dict[str, KernelRoute]:
    changed = replace(state, route_tables=(state.route_tables[0], RouteTable("rtb-private", "vpc-1", routes)))
    return router_routes(changed, "rtb-private")


def test_an_empty_account_is_the_internet_alone_and_nothing_leads_out_of_it() -> None:
    empty = planned(State())
    assert [each.name for each in empty.namespaces] == ["lab-internet"]
    assert empty.links == ()
    (internet,) = empty.namespaces
    assert {route.kind for route in internet.routes} == {"unreachable"}
    assert "default" in {route.destination for route in internet.routes}
    assert Address("lo", "198.18.0.90/32") in internet.addresses


def test_each_vpc_gateway_and_interface_is_a_namespace(state: State) -> None:
    assert {each.name for each in planned(state).namespaces} == {
        "lab-internet",
        "lab-igw-1",
        "lab-vpc-1",
        "lab-eni-nat",
        "lab-eni-web",
        "lab-eni-app",
    }


def test_every_link_stays_within_the_plans_namespaces(state: State) -> None:
    made = planned(state)
    known = {each.name for each in made.namespaces}
    assert {end.namespace for link in made.links for end in (link.near, link.far)} <= known
    assert Link(End("lab-vpc-1", "eapp"), End("lab-eni-app", "eth0", "06:00:00:00:02:05")) in made.links


def test_no_device_name_is_longer_than_the_kernel_allows(state: State) -> None:
    long = replace(state.interfaces[1], id="eni-0123456789abcdef0")
    devices = {
        end.device for link in planned(replace(state, interfaces=(long,))).links for end in (link.near, link.far)
    }
    assert "e3456789abcdef0" in devices
    assert all(len(device) <= 15 for device in devices)


def test_a_machine_sees_its_address_with_its_subnets_prefix_and_the_subnets_first_address_as_gateway(
    state: State,
) -> None:
    machine = planned(state).namespace("lab-eni-app")
    assert machine.addresses == (Address("eth0", "10.0.2.5/24"),)
    assert [route.words for route in machine.routes] == ["unicast default via 10.0.2.1 dev eth0 table 254"]
    assert machine.rules == ""


def test_ipv6_is_off_in_every_namespace(state: State) -> None:
    for namespace in planned(state).namespaces:
        assert ("net/ipv6/conf/default/disable_ipv6", "1") in namespace.sysctls
        assert ("net/ipv6/conf/all/disable_ipv6", "1") in namespace.sysctls


def test_only_routers_gateways_and_the_internet_forward(state: State) -> None:
    forwarding = {each.name for each in planned(state).namespaces if ("net/ipv4/ip_forward", "1") in each.sysctls}
    assert forwarding == {"lab-internet", "lab-igw-1", "lab-vpc-1", "lab-eni-nat"}


def test_each_subnet_looks_up_the_table_that_it_is_associated_with_after_local_and_before_unreachable(
    state: State,
) -> None:
    policies = planned(state).namespace("lab-vpc-1").policies
    assert [(each.preference, each.words) for each in policies] == [
        (100, "from all lookup 100"),
        (150, f"iif enat lookup {number(state, 'rtb-public')}"),
        (200, f"from 10.0.2.0/24 lookup {number(state, 'rtb-private')}"),
        (200, f"from 10.0.1.0/24 lookup {number(state, 'rtb-public')}"),
        (32000, "from all unreachable"),
    ]


def test_the_local_table_has_each_interface_and_no_other_address_of_the_vpc(state: State) -> None:
    routes = [each.words for each in planned(state).namespace("lab-vpc-1").routes if each.table == 100]
    assert routes == [
        "unreachable 10.0.0.0/16 table 100",
        "unreachable 169.254.0.0/16 table 100",
        "unicast 10.0.2.5 dev eapp src 10.0.2.1 table 100",
        "unicast 10.0.1.10 dev enat src 10.0.1.1 table 100",
        "unicast 10.0.1.20 dev eweb src 10.0.1.1 table 100",
    ]


def test_the_public_table_leads_to_the_internet_gateway_and_the_private_one_to_nat(state: State) -> None:
    assert router_routes(state, "rtb-public")["default"].how == "via 169.254.2.1 dev igw onlink"
    assert router_routes(state, "rtb-private")["default"].how == "via 10.0.1.10 dev enat onlink"


def test_a_private_subnet_gets_no_route_to_the_internet_gateway(state: State) -> None:
    assert not any("igw" in route.how for route in router_routes(state, "rtb-private").values())


def test_a_table_without_a_default_route_ends_the_lookup(state: State) -> None:
    assert private_routes(state)["default"].kind == "unreachable"


def test_a_route_whose_target_is_not_there_is_a_blackhole(state: State) -> None:
    for target in ("nat-gone", "eni-gone", "igw-other"):
        found = private_routes(state, Route("192.168.0.0/16", target))["192.168.0.0/16"]
        assert (found.kind, found.how) == ("blackhole", "")


def test_a_route_to_an_instances_interface_leads_there(state: State) -> None:
    assert private_routes(state, Route("0.0.0.0/0", "eni-web"))["default"].how == "via 10.0.1.20 dev eweb onlink"


def test_a_nat_gateway_of_another_vpc_is_no_target(state: State) -> None:
    other = NatGateway("nat-2", "vpc-2", "subnet-public", "eni-elsewhere", None)
    changed = replace(state, nat_gateways=(other,))
    assert private_routes(changed, Route("0.0.0.0/0", "nat-2"))["default"].kind == "blackhole"


def test_a_prefix_list_is_a_route_for_each_of_its_ipv4_blocks_and_a_written_route_wins(state: State) -> None:
    lists = (PrefixList("pl-x", "x", ("192.168.0.0/16", "172.16.0.0/12", "fd00::/8")),)
    routes = private_routes(
        replace(state, prefix_lists=lists), Route("192.168.0.0/16", "nat-1"), Route("pl-x", "eni-web")
    )
    assert routes["192.168.0.0/16"].how == "via 10.0.1.10 dev enat onlink"
    assert routes["172.16.0.0/12"].how == "via 10.0.1.20 dev eweb onlink"
    assert len(routes) == 3


def test_an_s3_endpoint_leads_to_the_labs_s3_and_not_through_nat(state: State) -> None:
    routes = private_routes(state, Route("0.0.0.0/0", "nat-1"), Route("pl-s3", "vpce-1"))
    assert routes[INTERNET.api].how == "via 169.254.3.1 dev endpoint onlink"
    assert routes["default"].how == "via 10.0.1.10 dev enat onlink"


def test_the_internet_knows_only_the_public_addresses_in_use(state: State) -> None:
    routes = [each for each in planned(state).namespace("lab-internet").routes if each.kind == "unicast"]
    assert {each.destination for each in routes} == {"198.18.64.10", "198.18.64.20"}
    detached = replace(state, vpcs=(replace(state.vpcs[0], internet_gateway_id=None),))
    assert all(each.kind == "unreachable" for each in planned(detached).namespace("lab-internet").routes)


def test_the_gateway_maps_only_interfaces_with_a_public_address(state: State) -> None:
    rules = planned(state).namespace("lab-igw-1").rules
    assert "elements = { 10.0.1.10 : 198.18.64.10, 10.0.1.20 : 198.18.64.20 }" in rules
    assert "elements = { 198.18.64.10 : 10.0.1.10, 198.18.64.20 : 10.0.1.20 }" in rules
    assert "10.0.2.5" not in rules


def test_a_table_keeps_its_number_when_others_come_and_go(state: State) -> None:
    more = replace(state, route_tables=(RouteTable("rtb-a", "vpc-1"), *state.route_tables))
    assert number(more, "rtb-private") == number(state, "rtb-private")
    assert len({number(more, each.id) for each in more.route_tables}) == 3


def test_an_interface_of_a_vanished_subnet_is_left_out(state: State) -> None:
    gone = replace(state, subnets=state.subnets[:1])
    assert "lab-eni-app" not in {each.name for each in planned(gone).namespaces}


def test_the_order_in_which_the_state_lists_things_changes_nothing(state: State) -> None:
    turned = replace(
        state,
        subnets=state.subnets[::-1],
        interfaces=state.interfaces[::-1],
        security_groups=state.security_groups[::-1],
        route_tables=state.route_tables[::-1],
    )
    assert planned(turned) == planned(state)


def test_associating_a_subnet_with_another_table_is_one_rule_for_another(state: State) -> None:
    moved = tuple(
        Subnet(each.id, each.vpc_id, each.cidr, each.availability_zone, "rtb-public") for each in state.subnets
    )
    steps = changes(planned(state), planned(replace(state, subnets=moved)))
    assert steps.establish == {
        "lab-vpc-1": (
            f"rule add pref 200 from 10.0.2.0/24 lookup {number(state, 'rtb-public')}",
            f"rule del pref 200 from 10.0.2.0/24 lookup {number(state, 'rtb-private')}",
        )
    }
    assert not (steps.withdraw or steps.unlink or steps.remove or steps.create or steps.rules or steps.link)


def test_the_internet_passes_packets_between_internet_gateways_alone(state: State) -> None:
    rules = planned(state).namespace("lab-internet").rules
    forward = rules[rules.index("chain forward") :].splitlines()
    assert [line.strip() for line in forward[1:3]] == [
        "type filter hook forward priority filter; policy drop;",
        'iifname "g*" oifname "g*" accept',
    ]
    assert forward[3].strip() == "}"
