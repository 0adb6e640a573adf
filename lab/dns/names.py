"""The names that exist besides private zones, gathered from the lab's settings and the API's state."""

from __future__ import annotations

from collections.abc import Iterable

from lab.dns.answer import Names
from lab.network.model import State
from lab.settings import DEFAULT_REGION, Internet

READINGS = "readings.example.com"


def gather(internet: Internet, mirrors: Iterable[str], state: State, region: str = DEFAULT_REGION) -> Names:
    """The simulated internet's names, and EC2's for what ``state`` holds. ``mirrors`` lead to the package front."""
    public: dict[str, dict[str, str]] = {}
    for interface in state.interfaces:
        if interface.public_ip:
            public.setdefault(interface.vpc_id, {})[interface.public_ip] = interface.private_ip
    s3 = f"s3.{region}.amazonaws.com"
    return Names(
        region=region,
        vpcs={vpc.id: vpc.cidrs for vpc in state.vpcs},
        public=public,
        exact=dict.fromkeys(mirrors, internet.packages) | {READINGS: internet.readings, s3: internet.api},
        suffixes={"cloudfront.net": internet.edge, "amazonaws.com": internet.aws, s3: internet.api},
    )
