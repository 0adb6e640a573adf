"""What the resolver reads: private zones and the names that exist besides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """``name`` is absolute without the trailing dot; ``values`` as in a zone file; ``ttl`` in seconds."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Zone:
    """A private hosted zone and the VPCs it is associated with."""

    name: str
    vpc_ids: frozenset[str]
    records: tuple[Record, ...] = ()
