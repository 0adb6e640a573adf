"""What the VPC's resolver answers: decided here, from data alone.

The order is AWS's: private zones associated with the VPC (the longest matching
one decides, also that a name does not exist), then EC2's own names, then the
rest of the world, which here is the simulated internet.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.dns.model import Record, Zone

_CHAIN = 8  # CNAMEs followed before the answer is an error
_SOA = "ns.lab. hostmaster.lab. 1 7200 900 1209600 60"
_AUTHORITY_TTL = 60  # seconds for which a guest may remember that a name does not exist
_TTL = 60
_PRIVATE_NAME = re.compile(r"ip-(\d+)-(\d+)-(\d+)-(\d+)")
_PUBLIC_NAME = re.compile(r"ec2-(\d+)-(\d+)-(\d+)-(\d+)")


@dataclass(frozen=True)
class Question:
    """``name`` is lower case, absolute, without the trailing dot."""

    name: str
    type: str


@dataclass(frozen=True)
class Answer:
    """``rcode`` is NOERROR, NXDOMAIN or SERVFAIL; ``authority`` holds the SOA of a negative answer."""

    records: tuple[Record, ...] = ()
    rcode: str = "NOERROR"
    authority: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Names:
    """What exists besides private zones.

    ``vpcs`` maps a VPC's id to its CIDRs; ``public`` a VPC's id to its public
    addresses' private ones (inside the VPC a public DNS name means the private
    address). ``exact`` and ``suffixes`` map names of the outside world to
    addresses; a suffix holds for every name below it, the longest first.
    """

    region: str
    vpcs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    public: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    exact: Mapping[str, str] = field(default_factory=dict)
    suffixes: Mapping[str, str] = field(default_factory=dict)

    @property
    def internal_domain(self) -> str:
        return "ec2.internal" if self.region == "us-east-1" else f"{self.region}.compute.internal"

    @property
    def public_domain(self) -> str:
        return "compute-1.amazonaws.com" if self.region == "us-east-1" else f"{self.region}.compute.amazonaws.com"


def answer(question: Question, zones: tuple[Zone, ...], names: Names, vpc_id: str | None) -> Answer:
    """The answer as seen from ``vpc_id``; None asks from outside, where private names do not exist."""
    chain: list[Record] = []
    name = question.name
    for _ in range(_CHAIN):
        found = _one(Question(name, question.type), zones, names, vpc_id)
        chain += found.records
        if found.records and found.records[0].type == "CNAME" and question.type not in ("CNAME", "ANY"):
            name = normal(found.records[0].values[0])
            continue
        return Answer(tuple(chain), found.rcode, found.authority)
    return Answer(rcode="SERVFAIL")


def normal(name: str) -> str:
    """A name as questions and zones are compared: lower case, no trailing dot."""
    return name.rstrip(".").lower()


def _one(question: Question, zones: tuple[Zone, ...], names: Names, vpc_id: str | None) -> Answer:
    zone = _zone_of(question.name, zones, vpc_id)
    if zone:
        return _from_zone(question, zone)
    if vpc_id in names.vpcs:
        internal = _internal(question, names, vpc_id)
        if internal:
            return internal
    return _outside(question, names, vpc_id)


def _zone_of(name: str, zones: tuple[Zone, ...], vpc_id: str | None) -> Zone | None:
    held = [zone for zone in zones if vpc_id in zone.vpc_ids and _below(name, normal(zone.name))]
    return max(held, key=lambda zone: len(zone.name), default=None)


def _below(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)


def _from_zone(question: Question, zone: Zone) -> Answer:
    apex = normal(zone.name)
    authority = (next((r for r in zone.records if r.type == "SOA"), Record(apex, "SOA", _AUTHORITY_TTL, (_SOA,))),)
    held = [record for record in zone.records if normal(record.name) == question.name]
    exists = question.name == apex or any(_below(normal(record.name), question.name) for record in zone.records)
    if not held and not exists:
        held = _wildcard(question.name, apex, zone)
        if not held:
            return Answer(rcode="NXDOMAIN", authority=authority)
    records = _matching(question, held)
    return Answer(records, authority=() if records else authority)


def _wildcard(name: str, apex: str, zone: Zone) -> list[Record]:
    """The records of the closest ``*.`` above ``name``, under its name; Route 53 writes the asterisk as ``\\052``."""
    while name != apex and "." in name:
        parent = name.partition(".")[2]
        starred = f"*.{parent}"
        held = [record for record in zone.records if normal(record.name).replace("\\052", "*", 1) == starred]
        if held:
            return held
        if any(_below(normal(record.name), parent) for record in zone.records):
            return []  # a name that exists between them hides a wildcard further up
        name = parent
    return []


def _matching(question: Question, held: list[Record]) -> tuple[Record, ...]:
    found = tuple(r for r in held if question.type == "ANY" or r.type == question.type)
    found = found or tuple(r for r in held if r.type == "CNAME")[:1]
    return tuple(Record(question.name, r.type, r.ttl, r.values) for r in found)


def _internal(question: Question, names: Names, vpc_id: str | None) -> Answer | None:
    """EC2's names for the VPC's own addresses, both ways; None for names that are not EC2's."""
    networks = [ipaddress.ip_network(cidr) for cidr in names.vpcs.get(vpc_id or "", ())]

    def held(address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in networks)
        except ValueError:
            return False

    reverse = _reversed(question.name)
    if reverse and held(reverse):
        target = f"ip-{reverse.replace('.', '-')}.{names.internal_domain}."
        return _single(question, "PTR", target, "in-addr.arpa")
    host, _, domain = question.name.partition(".")
    if _below(question.name, names.internal_domain):
        match = _PRIVATE_NAME.fullmatch(host) if domain == names.internal_domain else None
        address = ".".join(match.groups()) if match else ""
        return _single(question, "A", address if held(address) else "", names.internal_domain)
    return None


def _reversed(name: str) -> str | None:
    """The address that a name under in-addr.arpa stands for."""
    labels = name.removesuffix(".in-addr.arpa").split(".")
    return ".".join(reversed(labels)) if name.endswith(".in-addr.arpa") and len(labels) == 4 else None


def _outside(question: Question, names: Names, vpc_id: str | None) -> Answer:
    address = outside_address(question.name, names, vpc_id)
    return _single(question, "A", address, question.name.rpartition(".")[2])


def outside_address(name: str, names: Names, vpc_id: str | None) -> str:
    """The simulated internet's address of a name as seen from a VPC; empty when the name does not exist."""
    if name in names.exact:
        return names.exact[name]
    host, _, domain = name.partition(".")
    if domain == names.public_domain and (match := _PUBLIC_NAME.fullmatch(host)):
        return _public(".".join(match.groups()), names, vpc_id)
    domain = name
    while "." in domain:
        domain = domain.partition(".")[2]
        if domain in names.suffixes:
            return names.suffixes[domain]
    return ""


def _public(address: str, names: Names, vpc_id: str | None) -> str:
    """A public address, or inside its own VPC the private one behind it; empty when nobody has it."""
    if not any(address in held for held in names.public.values()):
        return ""
    return names.public.get(vpc_id or "", {}).get(address, address)


def _single(question: Question, kind: str, value: str, domain: str) -> Answer:
    """One record of one type, nothing of any other, or no such name when ``value`` is empty."""
    authority = (Record(domain, "SOA", _AUTHORITY_TTL, (_SOA,)),)
    if not value:
        return Answer(rcode="NXDOMAIN", authority=authority)
    if question.type not in (kind, "ANY"):
        return Answer(authority=authority)
    return Answer((Record(question.name, kind, _TTL, (value,)),))
