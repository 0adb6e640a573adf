"""What the reconciler reads: consistent snapshots of the API's state, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.api import awslambda, cloudfront, ec2
from lab.api.views import dns, edge, functions, network
from lab.api.views import machines as machine_view
from lab.api.world import lock, world
from lab.dns.model import Zone
from lab.edge.model import Distribution, Invalidation
from lab.functions.model import Function, Schedule
from lab.machines.model import Machine
from lab.network.model import State


def network_state() -> State:
    """Everything that decides where packets go."""
    with lock:
        return network.state()


def machines() -> tuple[Machine, ...]:
    """The instances that should exist, or should be taken down."""
    with lock:
        return machine_view.machines()


def distributions() -> tuple[Distribution, ...]:
    """Every distribution with what it refers to resolved."""
    with lock:
        return edge.distributions()


def pending_invalidations() -> tuple[Invalidation, ...]:
    """Invalidations that wait for the edge, oldest first of each distribution."""
    with lock:
        return edge.pending_invalidations()


def zones() -> tuple[Zone, ...]:
    """Private zones, and the names of private addresses."""
    with lock:
        return dns.zones()


def lambda_functions() -> tuple[Function, ...]:
    """Every Lambda function, with its newest code and configuration."""
    with lock:
        return functions.functions()


def lambda_function(name_or_arn: str) -> Function | None:
    """One of them; None when it is gone."""
    with lock:
        return functions.function(name_or_arn)


def lambda_code(name: str) -> bytes:
    """A function's zip file."""
    with lock:
        found = awslambda.named(name)
        return bytes(found.code_bytes) if found is not None else b""


def schedules() -> tuple[Schedule, ...]:
    """Every schedule of EventBridge Scheduler's."""
    with lock:
        return functions.schedules()


Kind = Literal[
    "instance", "nat_gateway", "connect_endpoint", "vpc_origin", "distribution", "function", "lambda_interface"
]


@dataclass(frozen=True)
class Waiting:
    """Something that waits for lab.api.ready; ``etag`` only for distributions."""

    kind: Kind
    id: str
    state: str
    etag: str = ""


def waiting() -> tuple[Waiting, ...]:
    """All that is pending, being changed or being deleted; invalidations are in pending_invalidations."""
    with lock:
        backend, front = ec2.backend(world.settings.region), cloudfront.backend()
        return (
            *(Waiting("instance", item.id, item.state) for item in backend.all_instances() if item.unsettled),
            *(Waiting("nat_gateway", item.id, item.state) for item in backend.nat_gateways.values() if item.unsettled),
            *(
                Waiting("connect_endpoint", item.id, item.state)
                for item in backend.connect_endpoints.values()
                if item.unsettled
            ),
            *(Waiting("vpc_origin", item.id, item.status) for item in front.lab_origins.values() if item.unsettled),
            *(
                Waiting("distribution", item.id, item.status, item.etag)
                for item in front.lab_distributions.values()
                if item.unsettled
            ),
            *(Waiting("function", item.function_name, item.state) for item in awslambda.functions() if item.unsettled),
            *(
                Waiting("lambda_interface", item.id, "releasing")
                for item in backend.enis.values()
                if item.lab_kind == "lambda" and not item.lab_owner
            ),
        )
