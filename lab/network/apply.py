"""The applier: makes the kernel hold a plan, with as few commands as that takes."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.kernel import KernelError, inside, run
from lab.network import names
from lab.network.changes import Changes, changes, lost_links, without
from lab.network.wanted import Address, End, Namespace, Plan

_SYSCTLS = Path("/proc/sys")

# What this process has applied, by prefix: the kernel is slow to ask. A plan is taken out before
# it is changed, so that after an error the next converge asks the kernel instead of trusting it.
_applied: dict[str, Plan] = {}


def converge(plan: Plan) -> None:
    """Make the kernel hold ``plan``, and nothing else under its prefix. Raises KernelError.

    What stays equal is not touched. Rules change in one transaction a namespace; connections that
    are established stay allowed when a security group's rules change, as tracked ones do on AWS.
    """
    existing = names.existing(plan.prefix)
    held = _applied.pop(plan.prefix, None)
    if held is None:
        held = _adopt(plan, existing)
    else:
        vanished = {each.name for each in held.namespaces} - existing
        for link in lost_links(held, vanished):
            # The kernel takes its time over it, and the name is needed now.
            for end in (end for end in (link.near, link.far) if end.namespace in existing):
                _attempt(end.namespace, (f"link del {end.device}",))
        held = without(held, vanished)
        strangers = existing - {each.name for each in held.namespaces}
        held = replace(held, namespaces=(*held.namespaces, *(Namespace(name) for name in sorted(strangers))))
    _apply(changes(held, plan))
    _applied[plan.prefix] = plan


def sweep(prefix: str = names.PREFIX) -> None:
    """Remove every namespace with the prefix and its links, whoever made them. Ends no process."""
    _applied.pop(prefix, None)
    existing = sorted(names.existing(prefix))
    # What still runs in a namespace would keep it, and its links, alive. An interface's ends at its router.
    for name in existing:
        if not names.is_interface(name, prefix):
            _attempt(name, (f"link del group {names.LINK_GROUP}",))
    _batch(None, tuple(f"netns del {name}" for name in existing))


def _apply(steps: Changes) -> None:
    for name, lines in steps.withdraw.items():
        _batch(name, lines)
    for end in steps.unlink:
        _batch(end.namespace, (f"link del {end.device}",))
    _batch(None, tuple(f"netns del {name}" for name in steps.remove))
    _batch(None, tuple(f"netns add {each.name}" for each in steps.create))
    for namespace in steps.create:
        _set_sysctls(namespace)
    for name, rules in steps.rules.items():
        _load(name, rules)
    for name, lines in (*steps.link.items(), *steps.establish.items()):
        _batch(name, lines)


def _batch(namespace: str | None, lines: tuple[str, ...], *options: str) -> None:
    if lines:
        text = "\n".join((*lines, ""))
        inside(namespace, lambda: run(["ip", *options, "-batch", "-"], stdin=text))


def _attempt(namespace: str, lines: tuple[str, ...]) -> None:
    """Run all the lines, for what may be gone already: a link takes its other end and its routes with it."""
    with contextlib.suppress(KernelError):
        _batch(namespace, lines, "-force")


def _load(namespace: str, rules: str) -> None:
    inside(namespace, lambda: run(["nft", "-f", "-"], stdin=rules))


def _set_sysctls(namespace: Namespace) -> None:
    def write() -> None:
        for name, value in namespace.sysctls:
            path = _SYSCTLS / name
            # A kernel without IPv6 has nothing to disable.
            if path.exists():
                path.write_text(value)

    inside(namespace.name, write)


def _adopt(plan: Plan, existing: frozenset[str]) -> Plan:
    """What the kernel holds already, of a lab that this process did not build, or after an error.

    Links that are there stay, and with them the machines, whose own namespaces get back what they should
    have and keep what else they hold. Everywhere else routes and rules are withdrawn, to be set again.
    """
    devices = {name: set(inside(name, _veths)) for name in existing}
    links = tuple(link for link in plan.links if _exists(link.near, devices) and _exists(link.far, devices))
    held: list[Namespace] = [Namespace(name) for name in sorted(existing - {each.name for each in plan.namespaces})]
    for wanted in plan.namespaces:
        if wanted.name in existing:
            ends = {end.device for link in links for end in (link.near, link.far) if end.namespace == wanted.name}
            extra = devices[wanted.name] - ends
            machine = names.ETHERNET in ends
            if not machine:
                _set_sysctls(wanted)
                _attempt(wanted.name, tuple(f"link del {device}" for device in sorted(extra)))
                _attempt(wanted.name, inside(wanted.name, _withdrawals))
                _batch(wanted.name, ("rule flush",) if wanted.policies else ())
            _batch(wanted.name, tuple(f"link set {device} up" for device in ("lo", *sorted(ends))))
            held.append(Namespace(wanted.name, addresses=() if machine else inside(wanted.name, _addresses)))
    return Plan(plan.prefix, tuple(held), links)


def _exists(end: End, devices: dict[str, set[str]]) -> bool:
    return end.device in devices.get(end.namespace, ())


def _veths() -> tuple[str, ...]:
    return tuple(link["ifname"] for link in _ask("link", "show", "type", "veth"))


def _addresses() -> tuple[Address, ...]:
    return tuple(
        Address(link["ifname"], f"{each['local']}/{each['prefixlen']}")
        for link in _ask("address", "show")
        for each in link.get("addr_info", ())
        if each["family"] == "inet" and each["local"] != "127.0.0.1"
    )


def _withdrawals() -> tuple[str, ...]:
    """The commands that take away all routes but the kernel's own local ones."""
    routes = (route for route in _ask("route", "show", "table", "all") if route.get("table") != "local")
    return tuple(
        f"route del {route.get('type', 'unicast')} {route['dst']} table {route.get('table', 'main')}"
        for route in routes
    )


def _ask(*words: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(run(["ip", "-j", *words]) or "[]")
    return [each for each in answer if each]
