"""The guard: nothing that the lab sends ever leaves by the machine's own uplink.

It rests on three things. No lab namespace has a link into the machine's own
namespace; the simulated internet has no default route; and, should somebody add
a link by hand, an nftables table in the machine's own namespace drops what would
be forwarded. Every function here acts on the caller's namespace as "the machine's
own": call them there, before the daemon moves.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import struct
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lab.kernel import KernelError, inside, run
from lab.network import names

TABLE = "lab_guard"
_OWN_NAMESPACE = Path("/proc/thread-self/ns/net")
_DROPPED_KINDS = ("unreachable", "blackhole", "prohibit")

# From linux/rtnetlink.h and linux/net_namespace.h.
_RTM_GETNSID, _RTM_NEWNSID, _NETNSA_NSID, _NETNSA_FD, _NLM_F_REQUEST = 90, 88, 1, 3, 1


def rules(networks: Sequence[str] = ()) -> str:
    """The guard's nftables text; ``networks`` are the simulated internet's CIDRs, which no real host has."""
    forward = ['iifname "lab*" counter drop', 'oifname "lab*" counter drop']
    output = ['oifname "lo" accept']
    if networks:
        simulated = "{ " + ", ".join(networks) + " }"
        forward += [f"ip saddr {simulated} counter drop", f"ip daddr {simulated} counter drop"]
        # Refused, not dropped: a mistaken command on the machine should hear at once that nothing is there.
        output += [f"ip daddr {simulated} reject with icmp host-unreachable"]
    return "\n".join(
        [
            f"table inet {TABLE}",
            f"delete table inet {TABLE}",
            f"table inet {TABLE} {{",
            "  chain forward {",
            "    type filter hook forward priority -300; policy accept;",
            *(f"    {rule}" for rule in forward),
            "  }",
            "  chain output {",
            "    type filter hook output priority -300; policy accept;",
            *(f"    {rule}" for rule in output),
            "  }",
            "}",
            "",
        ]
    )


def install(networks: Sequence[str] = ()) -> None:
    """Install the guard's table, or replace it, in one transaction. Raises KernelError."""
    run(["nft", "-f", "-"], stdin=rules(networks))


def remove() -> None:
    """Remove the guard's table; no error when there is none."""
    run(["nft", "-f", "-"], stdin=f"table inet {TABLE}\ndelete table inet {TABLE}\n")


def check(prefix: str = names.PREFIX) -> list[str]:
    """Return the promises that do not hold now, a sentence each; an empty list when all do."""
    problems = _table_problems() + _own_link_problems(prefix)
    with _OWN_NAMESPACE.open("rb") as machine:
        for name in sorted(names.existing(prefix)):
            with contextlib.suppress(FileNotFoundError):  # it went while the others were looked at
                problems += inside(name, partial(_link_problems, name, machine.fileno()))
    if names.internet(prefix) in names.existing(prefix):
        problems += inside(names.internet(prefix), partial(_way_out_problems, names.internet(prefix)))
    return problems


def _table_problems() -> list[str]:
    try:
        text = run(["nft", "list", "table", "inet", TABLE])
    except KernelError:
        return [f"The nftables table inet {TABLE} is missing from the machine's own namespace; start the lab again."]
    expected = (r'iifname "lab\*" counter .* drop', r'oifname "lab\*" counter .* drop', "hook forward")
    if not all(re.search(rule, text) for rule in expected):
        return [f"The nftables table inet {TABLE} was changed and no longer drops what comes from lab links."]
    dropped = sum(int(number) for number in re.findall(r"counter packets (\d+) .* drop", text))
    if dropped:
        return [f"The guard had to drop {dropped} packets that the machine would have forwarded out of the lab."]
    return []


def _own_link_problems(prefix: str) -> list[str]:
    start = prefix.rstrip("-")
    return [
        f"The machine's own namespace has a link named {link['ifname']}; remove it: ip link del {link['ifname']}."
        for link in _links()
        if link["ifname"].startswith(start)
    ]


def _link_problems(namespace: str, machine: int) -> list[str]:
    """What is wrong with the links of ``namespace``, in which the calling thread stands."""
    if os.fstat(machine).st_ino == _OWN_NAMESPACE.stat().st_ino:
        return [f"Namespace {namespace} is the machine's own namespace under another name."]
    problems = []
    # Listing the links makes the kernel number the namespaces that they lead to: so list first, ask after.
    links = _links()
    machine_id = _namespace_id(machine)
    for link in links:
        device = link["ifname"]
        kind = link.get("linkinfo", {}).get("info_kind")
        if machine_id is not None and link.get("link_netnsid") == machine_id:
            problems.append(f"Namespace {namespace} has a link, {device}, whose other end is in the machine's own.")
        elif kind is None and link.get("link_type") != "loopback":
            problems.append(f"Namespace {namespace} holds a device of the machine itself, {device}.")
    return problems


def _way_out_problems(namespace: str) -> list[str]:
    routes: list[dict[str, Any]] = json.loads(run(["ip", "-j", "route", "show", "table", "all"]) or "[]")
    return [
        f"Namespace {namespace} has a default route by {route.get('dev', 'a gateway')}; nothing may lead out of it."
        for route in routes
        if route["dst"] in ("default", "0.0.0.0/0") and route.get("type") not in _DROPPED_KINDS
    ]


def _links() -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = json.loads(run(["ip", "-j", "-d", "link", "show"]) or "[]")
    return [link for link in links if link]


def _namespace_id(descriptor: int) -> int | None:
    """The number under which the calling thread's namespace knows another one; None when nothing links the two.

    iproute2 tells it only for namespaces that have a name, and the machine's own has none.
    """
    attribute = struct.pack("=HHI", 8, _NETNSA_FD, descriptor)
    body = struct.pack("=B3x", socket.AF_UNSPEC) + attribute
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(body), _RTM_GETNSID, _NLM_F_REQUEST, 1, 0) + body)
        answer = netlink.recv(4096)
    kind = struct.unpack_from("=H", answer, 4)[0]
    if kind != _RTM_NEWNSID:
        raise KernelError("The kernel does not say how namespaces are linked (RTM_GETNSID failed).")
    offset = 20
    while offset + 4 <= len(answer):
        length, name = struct.unpack_from("=HH", answer, offset)
        if name == _NETNSA_NSID:
            number: int = struct.unpack_from("=i", answer, offset + 4)[0]
            return number if number >= 0 else None
        offset += (length + 3) & ~3
    return None
