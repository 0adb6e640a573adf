"""What the lab confirms: the slow thing that a client waits for is really there, or really gone.

Every function does nothing when the thing is no longer waiting for that, so that a late confirmation harms nothing.
"""

from __future__ import annotations

from lab.api import awslambda, cloudfront, ec2
from lab.api.cloudfront.origins import remove_if_done
from lab.api.settling import Settling
from lab.api.world import lock, world


def _settle(thing: Settling | None, state: str, waiting_for: tuple[str, ...]) -> None:
    if thing is not None and state in waiting_for:
        thing.settle()


def _instance(instance_id: str, waiting: str) -> None:
    with lock:
        instance = ec2.backend(world.settings.region).get_instance_by_id(instance_id)
        _settle(instance, instance.state if instance else "", (waiting,))


def instance_running(instance_id: str) -> None:
    """Its machine is up: pending becomes running."""
    _instance(instance_id, "pending")


def instance_stopped(instance_id: str) -> None:
    """Its machine is down: stopping becomes stopped."""
    _instance(instance_id, "stopping")


def instance_terminated(instance_id: str) -> None:
    """Its machine is gone: shutting-down becomes terminated, and its interfaces go."""
    _instance(instance_id, "shutting-down")


def _nat_gateway(gateway_id: str, waiting: str) -> None:
    with lock:
        gateway = ec2.backend(world.settings.region).nat_gateways.get(gateway_id)
        _settle(gateway, gateway.state if gateway else "", (waiting,))


def nat_gateway_available(gateway_id: str) -> None:
    """It translates: pending becomes available."""
    _nat_gateway(gateway_id, "pending")


def nat_gateway_deleted(gateway_id: str) -> None:
    """It is gone: deleting becomes deleted, its interface goes, its Elastic address is free."""
    _nat_gateway(gateway_id, "deleting")


def _endpoint(endpoint_id: str, waiting: str) -> None:
    with lock:
        endpoint = ec2.backend(world.settings.region).connect_endpoints.get(endpoint_id)
        _settle(endpoint, endpoint.state if endpoint else "", (waiting,))


def endpoint_ready(endpoint_id: str) -> None:
    """Its tunnel answers: create-in-progress becomes create-complete."""
    _endpoint(endpoint_id, "create-in-progress")


def endpoint_deleted(endpoint_id: str) -> None:
    """It is gone: delete-in-progress becomes delete-complete, and its interface goes."""
    _endpoint(endpoint_id, "delete-in-progress")


def vpc_origin_deployed(origin_id: str) -> None:
    """CloudFront reaches its target's subnet: Deploying becomes Deployed."""
    with lock:
        origin = cloudfront.backend().lab_origins.get(origin_id)
        _settle(origin, origin.status if origin else "", ("Deploying",))


def vpc_origin_deleted(origin_id: str) -> None:
    """It is gone, with its interface, and the service group when it was the VPC's last."""
    with lock:
        backend = cloudfront.backend()
        origin = backend.lab_origins.get(origin_id)
        if origin is not None and origin.status == "Deleting":
            origin.settle()
            remove_if_done(backend, origin)


def distribution_deployed(distribution_id: str, etag: str) -> None:
    """The edge serves the version ``etag``: InProgress becomes Deployed, unless a newer version came meanwhile."""
    with lock:
        distribution = cloudfront.backend().lab_distributions.get(distribution_id)
        if distribution is not None and distribution.etag == etag:
            distribution.settle()


def function_active(name: str) -> None:
    """Its interfaces are there: Pending becomes Active, an update Successful."""
    with lock:
        function = awslambda.named(name)
        if function is not None and function.unsettled:
            function.settle()


def lambda_interface_gone(interface_id: str) -> None:
    """Nothing of the function runs there any more: the interface goes."""
    with lock:
        enis = ec2.backend(world.settings.region).enis
        interface = enis.get(interface_id)
        if interface is not None and interface.lab_kind == "lambda" and not interface.lab_owner:
            del enis[interface_id]


def invalidation_completed(distribution_id: str, invalidation_id: str) -> None:
    """The edge forgot the paths: InProgress becomes Completed."""
    with lock:
        invalidation = cloudfront.backend().lab_invalidations.get(distribution_id, {}).get(invalidation_id)
        if invalidation is not None:
            invalidation.settle()
