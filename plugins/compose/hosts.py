"""Hosts and their names in the private zone, and who may talk to whom."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .classify import Parts
from .ledger import Service

LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
KEPT = ("localhost", "all", "ungrouped")
MYSQL = "{{ mysql_port }}"
BACKEND = "{{ backend_port }}"
SUBNETS = {"backend": ["app-a"], "database": ["database-a", "database-c"], "collector": ["app-c"]}

Record = dict[str, Any]


@dataclass(frozen=True)
class Reach:
    """Who may talk to whom, by service: each database's clients, and whether the collector may ask the backend."""

    clients: Mapping[str, tuple[str, ...]]
    collector_to_backend: bool = False

    @property
    def alike(self) -> bool:
        """Whether every database has the same clients, so that one group is enough."""
        return len(set(self.clients.values())) <= 1


def host_name(service: str) -> str:
    """The service's name as a host may have it."""
    if LABEL.fullmatch(service) and service not in KEPT:
        return service
    name = re.sub(r"[^a-z0-9]+", "-", service.lower()).strip("-")[:63].rstrip("-")
    return name if LABEL.fullmatch(name) and name not in KEPT else f"host-{name}".rstrip("-")


def networks(service: Service) -> set[str]:
    return set(service.get("networks") or {})


def aliases(name: str, services: Mapping[str, Service]) -> list[str]:
    """Every other name that the containers of the file know a service by, in lower case, as DNS has it."""
    service = services[name]
    found = [name, str(service.get("container_name") or ""), str(service.get("hostname") or "")]
    for network in (service.get("networks") or {}).values():
        found += (network or {}).get("aliases") or []
    for other in services.values():
        found += [link.split(":")[1] for link in other.get("links") or [] if link.split(":")[0] == name and ":" in link]
    lowered = dict.fromkeys(alias.lower() for alias in found if alias)
    return [alias for alias in lowered if alias != host_name(name)]


def instances(parts: Parts, services: Mapping[str, Service], groups: Mapping[str, list[str]], now: Any) -> list[Record]:
    """instances_list: what stands there now keeps its subnet, type and size, role by role; others' roles stay."""
    now = [record for record in now if isinstance(record, dict)] if isinstance(now, list) else []
    made: list[Record] = []
    for role, names in (
        ("backend", [parts.backend]),
        ("database", parts.databases),
        ("collector", [parts.collector] if parts.collector else []),
    ):
        before = [record for record in now if record.get("role") == role]
        for index, name in enumerate(names):
            subnet = SUBNETS[role][index % len(SUBNETS[role])]
            base = before[index] if index < len(before) else {"subnet": subnet}
            kept = {
                key: value for key, value in base.items() if key not in ("name", "role", "subnet", "groups", "aliases")
            }
            record = {
                "name": host_name(name),
                "role": role,
                "subnet": base.get("subnet", subnet),
                "groups": groups[name],
            }
            also = aliases(name, services)
            made.append(record | ({"aliases": also} if also else {}) | kept)
    return made + [record for record in now if record.get("role") not in ("backend", "database", "collector")]


def groups_of(parts: Parts, reach: Reach) -> dict[str, list[str]]:
    """The security groups of each service's host."""
    groups = {name: ["database"] for name in parts.databases}
    if not reach.alike:
        groups = {name: ["database", f"database-{host_name(name)}"] for name in parts.databases}
    groups |= {parts.backend: ["backend"]}
    return groups | ({parts.collector: ["collector"]} if parts.collector else {})


def security_groups(parts: Parts, reach: Reach, replicates: bool, now: Sequence[Record]) -> list[Record]:
    """security_groups_list: what stands there now, with the rules that the file's networks ask for, and no others'.

    Without a collector its group stays, with nobody in it.
    """
    groups: list[Record] = copy.deepcopy([dict(group) for group in now])
    by_name = {str(group["name"]): group for group in groups}
    part_of = {parts.backend: "backend"} | ({parts.collector: "collector"} if parts.collector else {})
    own = groups_of(parts, reach)
    for place, database in enumerate(parts.databases, start=1):
        name = own[database][-1]
        if name not in by_name:
            description = f"MySQL on {host_name(database)}, reached by its own clients"
            by_name[name] = {"name": name, "description": description, "ingress": [], "egress": []}
            groups.insert(groups.index(by_name["database"]) + place, by_name[name])
    _rule(by_name["database"], "ingress", MYSQL, "database", replicates)
    _rule(by_name["database"], "egress", MYSQL, "database", replicates)
    for service, part in part_of.items():
        _rule(by_name["database"], "ingress", MYSQL, part, reach.alike and _asks(reach, service))
        _rule(by_name[part], "egress", MYSQL, "database", reach.alike and _asks(reach, service))
        for database in parts.databases if not reach.alike else []:
            name = own[database][-1]
            _rule(by_name[name], "ingress", MYSQL, part, service in reach.clients[database])
            _rule(by_name[part], "egress", MYSQL, name, service in reach.clients[database])
    if parts.collector:
        _rule(by_name["backend"], "ingress", BACKEND, "collector", reach.collector_to_backend)
        _rule(by_name["collector"], "egress", BACKEND, "backend", reach.collector_to_backend)
    return groups


def _asks(reach: Reach, service: str) -> bool:
    return any(service in clients for clients in reach.clients.values())


def _rule(group: Record, way: str, port: str, other: str, wanted: bool) -> None:
    rule = {"port": port, "group": other}
    if not wanted:
        group[way] = [one for one in group[way] if one != rule]
    elif rule not in group[way]:
        # Before the first rule for addresses, where there is one: hosts first, the outside last.
        at = next((index for index, one in enumerate(group[way]) if "cidr" in one), len(group[way]))
        group[way].insert(at, rule)


def share(services: Mapping[str, Service], names: Iterable[str]) -> bool:
    """Whether all of them are on one network together."""
    sets = [networks(services[name]) for name in names]
    return bool(set.intersection(*sets)) if sets else False
