"""Private zones, and the names that AWS gives to private addresses, as lab.dns.model has them."""

from __future__ import annotations

from typing import Any

from moto.route53.models import route53_backends

from lab.api import ec2
from lab.api.world import world
from lab.dns.model import Record, Zone
from lab.settings import ACCOUNT_ID

_TTL_OF_AWS = 60


def zones() -> tuple[Zone, ...]:
    """Every private zone, and one of ``REGION.compute.internal`` a VPC. Hold the lock."""
    backend = route53_backends[ACCOUNT_ID]["aws"]
    private = [_zone(zone) for zone in backend.zones.values() if zone.private_zone]
    return (*private, *_private_names())


def _zone(zone: Any) -> Zone:
    records = {(record.name.rstrip(".").lower(), record.type): record for record in zone.rrsets}
    return Zone(
        name=zone.name.rstrip(".").lower(),
        vpc_ids=frozenset(vpc["vpc_id"] for vpc in zone.vpcs),
        records=tuple(
            Record(name, kind, int(record.ttl or _TTL_OF_AWS), values)
            for (name, kind), record in records.items()
            if (values := _values(records, record, kind))
        ),
    )


def _values(records: dict[tuple[str, str], Any], record: Any, kind: str) -> tuple[str, ...]:
    """Its values; an alias has those of the record in the same zone that it names."""
    if record.alias_target:
        target = records.get((record.alias_target["DNSName"].rstrip(".").lower(), kind))
        return tuple(target.records) if target is not None and target.records else ()
    # moto wraps the value of the SOA that it makes with a zone.
    return tuple(value["Value"] if isinstance(value, dict) else value for value in record.records or ())


def _private_names() -> list[Zone]:
    backend = ec2.backend(world.settings.region)
    domain = f"{backend.region_name}.compute.internal"
    names: dict[str, list[Record]] = {}
    for interface in backend.enis.values():
        address = interface.private_ip_address
        name = f"ip-{address.replace('.', '-')}.{domain}"
        names.setdefault(interface.vpc_id, []).append(Record(name, "A", _TTL_OF_AWS, (address,)))
    return [Zone(domain, frozenset({vpc_id}), tuple(records)) for vpc_id, records in names.items()]
