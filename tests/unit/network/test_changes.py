from __future__ import annotations

from lab.network.changes import Changes, changes, without
from lab.network.wanted import Address, End, KernelRoute, Link, Namespace, Plan, Policy

LINK = Link(End("lab-r", "ea"), End("lab-a", "eth0", "06:00:00:00:00:01"))
ROUTER = Namespace(
    "lab-r",
    (("net/ipv4/ip_forward", "1"),),
    (Address("lo", "10.0.0.1/32"), Address("ea", "10.9.9.9/32")),
    (KernelRoute("10.0.0.5", "dev ea", table=100), KernelRoute("default", kind="unreachable", table=7)),
    (Policy(100, "from all lookup 100"),),
    "table ip lab { }",
)
HOST = Namespace("lab-a", addresses=(Address("eth0", "10.0.0.5/24"),))
PLAN = Plan("lab-", (ROUTER, HOST), (LINK,))
NOTHING = Plan("lab-")


def test_equal_plans_need_nothing() -> None:
    assert changes(PLAN, PLAN) == Changes()


def test_from_nothing_everything_is_made() -> None:
    steps = changes(NOTHING, PLAN)
    assert steps.create == (ROUTER, HOST)
    assert steps.rules == {"lab-r": "table ip lab { }"}
    assert steps.link == {
        "lab-r": (
            "link add ea group 77 type veth peer name eth0 address 06:00:00:00:00:01 netns lab-a",
            "link set ea up",
        )
    }
    assert steps.establish == {
        "lab-r": (
            "link set lo up",
            "rule flush",
            "addr replace 10.0.0.1/32 dev lo",
            "addr replace 10.9.9.9/32 dev ea",
            "route replace unicast 10.0.0.5 dev ea table 100",
            "route replace unreachable default table 7",
            "rule add pref 100 from all lookup 100",
        ),
        "lab-a": ("link set lo up", "link set eth0 up", "addr replace 10.0.0.5/24 dev eth0"),
    }
    assert steps.withdraw == {}


def test_to_nothing_links_are_cut_before_namespaces_go() -> None:
    steps = changes(PLAN, NOTHING)
    assert steps.unlink == (LINK.near,)
    assert steps.remove == ("lab-r", "lab-a")
    assert steps.establish == {}


def test_a_route_that_changes_is_replaced_and_never_missing() -> None:
    led = Namespace("lab-r", routes=(KernelRoute("default", "dev ea", table=7),))
    dead = Namespace("lab-r", routes=(KernelRoute("default", kind="blackhole", table=7),))
    steps = changes(Plan("lab-", (led,)), Plan("lab-", (dead,)))
    assert steps.withdraw == {}
    assert steps.establish == {"lab-r": ("route replace blackhole default table 7",)}


def test_what_is_no_longer_wanted_is_withdrawn() -> None:
    steps = changes(Plan("lab-", (ROUTER,)), Plan("lab-", (Namespace("lab-r", policies=ROUTER.policies),)))
    assert steps.withdraw == {
        "lab-r": (
            "route del unicast 10.0.0.5 dev ea table 100",
            "route del unreachable default table 7",
            "addr del 10.0.0.1/32 dev lo",
            "addr del 10.9.9.9/32 dev ea",
        )
    }


def test_a_namespace_that_vanished_is_made_again_with_its_link_and_what_hung_on_that() -> None:
    steps = changes(without(PLAN, {"lab-a"}), PLAN)
    assert steps.create == (HOST,)
    assert list(steps.link) == ["lab-r"]
    assert steps.establish["lab-r"] == (
        "addr replace 10.9.9.9/32 dev ea",
        "route replace unicast 10.0.0.5 dev ea table 100",
    )
    assert steps.rules == {}
    assert steps.unlink == ()


def test_a_link_that_is_made_anew_gets_its_addresses_and_routes_again() -> None:
    other = Link(LINK.near, End("lab-a", "eth0", "06:00:00:00:00:02"))
    steps = changes(PLAN, Plan("lab-", (ROUTER, HOST), (other,)))
    assert steps.unlink == (LINK.near,)
    assert steps.establish["lab-r"][-1] == "route replace unicast 10.0.0.5 dev ea table 100"
    assert steps.establish["lab-a"] == ("link set eth0 up", "addr replace 10.0.0.5/24 dev eth0")
