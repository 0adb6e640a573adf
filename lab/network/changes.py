"""What takes the kernel from one plan to another, as data. Pure.

The steps stand in the order in which they are safe: what goes is withdrawn first,
a firewall is in place before the links that it guards, and a route or rule that
changes is replaced, so that nothing is without a way in between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from lab.network import names
from lab.network.wanted import Address, End, KernelRoute, Link, Namespace, Plan

Lines = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Changes:
    """Steps in order. ``Lines`` are ``ip -batch`` lines by namespace; ``rules`` nftables texts by namespace."""

    withdraw: Lines = field(default_factory=dict)
    unlink: tuple[End, ...] = ()
    remove: tuple[str, ...] = ()
    create: tuple[Namespace, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    link: Lines = field(default_factory=dict)
    establish: Lines = field(default_factory=dict)


def changes(old: Plan, new: Plan) -> Changes:
    """Return what makes a kernel that holds ``old`` hold ``new``; empty when they are equal."""
    before = {each.name: each for each in old.namespaces}
    after = {each.name: each for each in new.namespaces}
    held, wanted = set(old.links), set(new.links)
    gone = [link for link in old.links if link not in wanted]
    fresh = [link for link in new.links if link not in held]
    staying = [(before[name], each) for name, each in after.items() if name in before]
    return Changes(
        withdraw=_filled({each.name: _withdrawn(was, each) for was, each in staying}),
        # Deleting one end deletes the other; the namespace itself may live on in a machine that still runs there.
        unlink=tuple(link.near for link in gone),
        remove=tuple(name for name in before if name not in after),
        create=tuple(each for name, each in after.items() if name not in before),
        rules={
            name: each.rules
            for name, each in after.items()
            if each.rules and (name not in before or before[name].rules != each.rules)
        },
        link=_filled({end: _linking(end, fresh) for end in dict.fromkeys(link.near.namespace for link in fresh)}),
        establish=_filled({name: _established(before.get(name), each, fresh) for name, each in after.items()}),
    )


def without(plan: Plan, namespaces: Collection[str]) -> Plan:
    """The plan as the kernel holds it after some namespaces vanished: their links, and routes by these, went too."""
    lost = lost_links(plan, namespaces)
    ends = {(end.namespace, end.device) for link in lost for end in (link.near, link.far)}

    def kept(namespace: Namespace) -> Namespace:
        return replace(
            namespace,
            addresses=tuple(each for each in namespace.addresses if (namespace.name, each.device) not in ends),
            routes=tuple(each for each in namespace.routes if (namespace.name, _device(each)) not in ends),
        )

    return replace(
        plan,
        namespaces=tuple(kept(each) for each in plan.namespaces if each.name not in namespaces),
        links=tuple(link for link in plan.links if link not in lost),
    )


def lost_links(plan: Plan, namespaces: Collection[str]) -> tuple[Link, ...]:
    """The plan's links with an end in any of the namespaces."""
    return tuple(link for link in plan.links if {link.near.namespace, link.far.namespace} & set(namespaces))


def _withdrawn(old: Namespace, new: Namespace) -> tuple[str, ...]:
    keys = {route.key for route in new.routes}
    return (
        *(f"route del {route.words}" for route in old.routes if route.key not in keys),
        *(f"addr del {each.address} dev {each.device}" for each in old.addresses if each not in new.addresses),
    )


def _linking(namespace: str, links: Collection[Link]) -> tuple[str, ...]:
    lines = []
    for link in links:
        if link.near.namespace == namespace:
            near, far = link.near, link.far
            lines.append(
                f"link add {near.device} group {names.LINK_GROUP}{_mac(near)}"
                f" type veth peer name {far.device}{_mac(far)} netns {far.namespace}"
            )
            lines.append(f"link set {near.device} up")
    return tuple(lines)


def _established(old: Namespace | None, new: Namespace, fresh: Collection[Link]) -> tuple[str, ...]:
    ups = [link.far.device for link in fresh if link.far.namespace == new.name]
    devices = {end.device for link in fresh for end in (link.near, link.far) if end.namespace == new.name}
    addresses: Collection[Address] = old.addresses if old else ()
    routes: Collection[KernelRoute] = old.routes if old else ()
    policies = old.policies if old else ()
    lines = []
    if old is None:
        lines.append("link set lo up")
        if new.policies:
            lines.append("rule flush")
    lines += [f"link set {device} up" for device in ups]
    # A device that is made anew has lost its addresses and routes, though the plan says the same as before.
    lines += [
        f"addr replace {each.address} dev {each.device}"
        for each in new.addresses
        if each not in addresses or each.device in devices
    ]
    lines += [f"route replace {each.words}" for each in new.routes if each not in routes or _device(each) in devices]
    lines += [f"rule add pref {each.preference} {each.words}" for each in new.policies if each not in policies]
    lines += [f"rule del pref {each.preference} {each.words}" for each in policies if each not in new.policies]
    return tuple(lines)


def _device(route: KernelRoute) -> str:
    words = route.how.split()
    return words[words.index("dev") + 1] if "dev" in words else ""


def _mac(end: End) -> str:
    return f" address {end.mac}" if end.mac else ""


def _filled(lines: Mapping[str, tuple[str, ...]]) -> Lines:
    return {name: each for name, each in lines.items() if each}
