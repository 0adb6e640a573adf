from __future__ import annotations

from dataclasses import replace

import pytest

from lab.network import groups
from lab.network.model import Rule, SecurityGroup, State
from lab.network.plan import plan
from lab.settings import Internet

GROUPS, LISTS = frozenset({"sg-app"}), frozenset({"pl-s3"})


def router(state: State) -> str:
    return plan(state, Internet("198.18.0.0/16")).namespace("lab-vpc-1").rules


def statements(text: str, head: str) -> list[str]:
    """The lines of one set, map or chain."""
    lines = text.splitlines()
    start = lines.index(f"  {head} {{")
    return [line.strip() for line in lines[start + 1 : lines.index("  }", start)]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("ingress", "-1", cidr="0.0.0.0/0"), ""),
        (Rule("ingress", "-1", cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8"),
        (Rule("egress", "-1", cidr="10.0.0.0/8"), "ip daddr 10.0.0.0/8"),
        (Rule("ingress", "tcp", 22, 22, cidr="0.0.0.0/0"), "tcp dport 22"),
        (Rule("ingress", "6", 22, 22, cidr="0.0.0.0/0"), "tcp dport 22"),
        (Rule("ingress", "tcp", 8000, 8999, group_id="sg-app"), "ip saddr @sg-app tcp dport 8000-8999"),
        (Rule("egress", "udp", 53, 53, group_id="sg-app"), "ip daddr @sg-app udp dport 53"),
        (Rule("egress", "tcp", 443, 443, prefix_list_id="pl-s3"), "ip daddr @pl-s3 tcp dport 443"),
        (Rule("ingress", "tcp", cidr="0.0.0.0/0"), "meta l4proto tcp"),
        (Rule("ingress", "tcp", 0, 65535, cidr="0.0.0.0/0"), "meta l4proto tcp"),
        (Rule("ingress", "udp", -1, -1, cidr="0.0.0.0/0"), "meta l4proto udp"),
        (Rule("ingress", "icmp", -1, -1, cidr="0.0.0.0/0"), "meta l4proto icmp"),
        (Rule("ingress", "icmp", 8, -1, cidr="0.0.0.0/0"), "icmp type 8"),
        (Rule("ingress", "icmp", 3, 4, cidr="0.0.0.0/0"), "icmp type 3 icmp code 4"),
        (Rule("ingress", "50", cidr="0.0.0.0/0"), "meta l4proto 50"),
        (Rule("ingress", "-1", group_id="sg-deleted"), None),
        (Rule("ingress", "-1", prefix_list_id="pl-deleted"), None),
        (Rule("ingress", "-1", cidr="::/0"), None),
        (Rule("ingress", "icmpv6", cidr="0.0.0.0/0"), None),
        (Rule("ingress", "-1"), None),
    ],
)
def test_a_rule_matches_what_ec2_says_it_does(rule: Rule, expected: str | None) -> None:
    assert groups.match(rule, GROUPS, LISTS) == expected


def test_a_group_is_the_set_of_its_members_addresses(state: State) -> None:
    app = replace(state.interfaces[2], secondary_ips=("10.0.2.6",))
    text = router(replace(state, interfaces=(*state.interfaces[:2], app)))
    assert statements(text, "set sg-app") == ["type ipv4_addr", "elements = { 10.0.2.5, 10.0.2.6 }"]


def test_an_interface_asks_each_of_its_groups_and_drops_what_none_allows(state: State) -> None:
    both = replace(state.interfaces[2], groups=frozenset({"sg-app", "sg-web"}))
    text = router(replace(state, interfaces=(*state.interfaces[:2], both)))
    assert statements(text, "chain in-eapp") == ["jump in-sg-app", "jump in-sg-web", "drop"]
    assert statements(text, "chain out-eapp") == ["jump out-sg-app", "jump out-sg-web", "drop"]


def test_what_egress_allows_goes_on_to_ingress_and_what_ingress_allows_is_accepted(state: State) -> None:
    text = router(state)
    assert statements(text, "chain out-sg-web") == ["goto ingress"]
    assert statements(text, "chain in-sg-app") == ["ip saddr @sg-web tcp dport 8000 accept"]
    assert statements(text, "chain ingress") == ["oifname vmap @receives", "drop"]


def test_a_group_without_rules_allows_nothing(state: State) -> None:
    text = router(replace(state, security_groups=(SecurityGroup("sg-app", "vpc-1", "app"),)))
    assert statements(text, "chain in-sg-app") == []
    assert statements(text, "chain out-sg-app") == []


def test_a_nat_gateway_has_no_groups_and_everybody_else_has(state: State) -> None:
    text = router(state)
    assert '"enat" : goto ingress' in text
    assert '"enat" : accept' in text
    for kind in ("instance", "instance_connect_endpoint", "vpc_origin", "lambda"):
        app = replace(state.interfaces[2], kind=kind)
        changed = router(replace(state, interfaces=(*state.interfaces[:2], app)))
        assert '"eapp" : goto out-eapp' in changed
        assert '"eapp" : goto in-eapp' in changed


def test_groups_of_another_vpc_are_nobody(state: State) -> None:
    elsewhere = replace(state.security_groups[0], vpc_id="vpc-2")
    text = router(replace(state, security_groups=(elsewhere, state.security_groups[1])))
    assert statements(text, "chain in-sg-app") == []


def test_s3s_prefix_list_names_the_labs_s3_and_no_ipv6(state: State) -> None:
    rule = Rule("egress", "tcp", 443, 443, prefix_list_id="pl-s3")
    changed = replace(state, security_groups=(SecurityGroup("sg-app", "vpc-1", "app", (rule,)),))
    assert "elements = { 203.0.113.0/24, 198.18.0.110/32 }" in statements(router(changed), "set pl-s3")


def test_only_an_interface_whose_check_is_off_may_use_other_addresses(state: State) -> None:
    text = router(state)
    assert statements(text, "set unchecked") == ["type ifname", 'elements = { "enat", "igw" }']
    assert '"eapp" . 10.0.2.5' in text
    unchecked = replace(state.interfaces[1], source_dest_check=False)
    text = router(replace(state, interfaces=(*state.interfaces[:1], unchecked, state.interfaces[2])))
    assert statements(text, "set unchecked") == ["type ifname", 'elements = { "enat", "eweb", "igw" }']
