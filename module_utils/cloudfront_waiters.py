"""Waiters as data, in botocore's own form, for what botocore 1.44 has none or only slow ones."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.waiter import BaseWaiterFactory

with suppress(ImportError):  # AnsibleAWSModule says that boto3 is missing, and how to install it
    from botocore.exceptions import WaiterError

# (seconds between two looks, number of looks): quick at first, for what is ready already or almost.
PACE = ((0.5, 6), (2.0, 10), (5.0, 20), (15.0, None))


def _state(argument: str, expected: str, state: str) -> dict[str, Any]:
    return {"matcher": "path", "argument": argument, "expected": expected, "state": state}


def _error(code: str, state: str) -> dict[str, Any]:
    return {"matcher": "error", "expected": code, "state": state}


def _waiter(operation: str, *acceptors: dict[str, Any]) -> dict[str, Any]:
    return {"operation": operation, "delay": 5, "maxAttempts": 120, "acceptors": list(acceptors)}


WAITERS: dict[str, dict[str, Any]] = {
    "vpc_origin_deployed": _waiter(
        "GetVpcOrigin",
        _state("VpcOrigin.Status", "Deployed", "success"),
        _state("VpcOrigin.Status", "Failed", "failure"),
        _error("EntityNotFound", "retry"),
    ),
    "vpc_origin_deleted": _waiter(
        "GetVpcOrigin",
        _error("EntityNotFound", "success"),
    ),
    "distribution_deployed": _waiter(
        "GetDistribution",
        _state("Distribution.Status", "Deployed", "success"),
        _error("NoSuchDistribution", "retry"),
    ),
    "invalidation_completed": _waiter(
        "GetInvalidation",
        _state("Invalidation.Status", "Completed", "success"),
        _error("NoSuchInvalidation", "retry"),
    ),
    "instance_connect_endpoint_ready": _waiter(
        "DescribeInstanceConnectEndpoints",
        _state("InstanceConnectEndpoints[0].State", "create-complete", "success"),
        _state("InstanceConnectEndpoints[0].State", "update-complete", "success"),
        _state("InstanceConnectEndpoints[0].State", "create-failed", "failure"),
        _state("InstanceConnectEndpoints[0].State", "update-failed", "failure"),
        _error("InvalidInstanceConnectEndpointId.NotFound", "retry"),
    ),
    "instance_connect_endpoint_deleted": _waiter(
        "DescribeInstanceConnectEndpoints",
        _error("InvalidInstanceConnectEndpointId.NotFound", "success"),
        {
            "matcher": "path",
            "argument": "length(InstanceConnectEndpoints) == `0`",
            "expected": True,
            "state": "success",
        },
        _state("InstanceConnectEndpoints[0].State", "delete-complete", "success"),
        _state("InstanceConnectEndpoints[0].State", "delete-failed", "failure"),
    ),
}


class _Waiters(BaseWaiterFactory):  # type: ignore[misc]  # the base has no types
    @property
    def _waiter_model_data(self) -> dict[str, dict[str, Any]]:
        return WAITERS


def paces(timeout: float) -> list[tuple[float, int]]:
    """``PACE`` cut to a timeout in seconds: (delay, attempts) pairs whose sleeps add up to it or a step more."""
    result = []
    left = timeout
    for delay, looks in PACE:
        needed = int(left // delay) + 1
        attempts = needed if looks is None else min(looks, needed)
        result.append((delay, attempts + 1))  # botocore sleeps between attempts, so one more than there are sleeps
        left -= attempts * delay
        if left <= 0:
            break
    return result


def wait_until(client: Any, waiter: str, timeout: float, **parameters: Any) -> None:
    """Wait until the named waiter of ``WAITERS`` succeeds.

    Raises botocore's WaiterError on a failed state, and after ``timeout`` seconds.
    """
    # The waiter retries by itself, so it takes the client inside amazon.aws's retrying wrapper.
    patience = _Waiters().get_waiter(getattr(client, "client", client), waiter)
    steps = paces(timeout)
    for step, (delay, attempts) in enumerate(steps, start=1):
        try:
            patience.wait(WaiterConfig={"Delay": delay, "MaxAttempts": attempts}, **parameters)
        except WaiterError as error:
            if step == len(steps) or "Max attempts exceeded" not in str(error):
                raise
        else:
            return
