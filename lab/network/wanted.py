"""What the kernel should hold, as data: namespaces, links, addresses, routes, rules."""

from __future__ import annotations

from dataclasses import dataclass

MAIN_TABLE = 254


@dataclass(frozen=True)
class End:
    """One end of a veth link."""

    namespace: str
    device: str
    mac: str | None = None


@dataclass(frozen=True)
class Link:
    """A veth pair. It is created from the near end, so neither end is ever in the machine's own namespace."""

    near: End
    far: End


@dataclass(frozen=True)
class Address:
    """``address`` with its prefix length, ``10.0.1.5/24``."""

    device: str
    address: str


@dataclass(frozen=True)
class KernelRoute:
    """``how`` is what ``ip route`` takes after the destination; ``kind`` is unicast, unreachable or blackhole."""

    destination: str
    how: str = ""
    kind: str = "unicast"
    table: int = MAIN_TABLE

    @property
    def key(self) -> tuple[int, str]:
        """One route a table and destination: a second one replaces the first."""
        return self.table, self.destination

    @property
    def words(self) -> str:
        return " ".join(f"{self.kind} {self.destination} {self.how} table {self.table}".split())


@dataclass(frozen=True)
class Policy:
    """A routing rule: ``words`` is ``from 10.0.1.0/24 lookup 1234``, ``unreachable``, …"""

    preference: int
    words: str


@dataclass(frozen=True)
class Namespace:
    """A network namespace. ``sysctls`` are set once, when it is made, before it has links.

    ``policies`` replace the kernel's own rules (main, default) when there are any.
    ``rules`` is a whole nftables table, or empty.
    """

    name: str
    sysctls: tuple[tuple[str, str], ...] = ()
    addresses: tuple[Address, ...] = ()
    routes: tuple[KernelRoute, ...] = ()
    policies: tuple[Policy, ...] = ()
    rules: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything under one prefix. What has the prefix and is not in the plan is to be removed."""

    prefix: str
    namespaces: tuple[Namespace, ...] = ()
    links: tuple[Link, ...] = ()

    def namespace(self, name: str) -> Namespace:
        """The namespace of that name; KeyError when the plan has none."""
        for namespace in self.namespaces:
            if namespace.name == name:
                return namespace
        raise KeyError(name)


def table(*chains: str) -> str:
    """The text that replaces, in one transaction, a namespace's table by these sets, maps and chains."""
    return "\n".join(["table ip lab", "delete table ip lab", "table ip lab {", *chains, "}", ""])


def block(head: str, *lines: str) -> str:
    """A set, map or chain: its head, and its statements a line each."""
    return "\n".join([f"  {head} {{", *(f"    {line}" for line in lines), "  }"])


def elements(values: tuple[str, ...]) -> tuple[str, ...]:
    """The ``elements`` statement of a set or map, or nothing for an empty one, which nft refuses to parse."""
    return (f"elements = {{ {', '.join(values)} }}",) if values else ()
