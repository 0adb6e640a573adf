"""Lambda's functions and the scheduler's schedules, as lab.functions.model has them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lab.api import awslambda, scheduler
from lab.functions.model import Function, Schedule


def functions() -> tuple[Function, ...]:
    """Every function's newest version. Hold the lock."""
    return tuple(_function(function) for function in awslambda.functions() if function.package_type == "Zip")


def function(name_or_arn: str) -> Function | None:
    """One of them. Hold the lock."""
    found = awslambda.named(name_or_arn)
    return _function(found) if found is not None else None


def schedules() -> tuple[Schedule, ...]:
    """Every schedule. Hold the lock."""
    return tuple(_schedule(schedule) for schedule in scheduler.schedules())


def _function(function: Any) -> Function:
    return Function(
        name=function.function_name,
        arn=function.function_arn,
        handler=function.handler,
        runtime=function.run_time,
        role=function.role,
        timeout=int(function.timeout),
        memory=int(function.memory_size),
        storage=int(function.ephemeral_storage),
        environment=tuple(sorted(function.environment_vars.items())),
        interfaces=function.interface_ids,
        code_sha256=_hexadecimal(function.code_sha_256),
        revision=function.revision,
        state=function.state,
        region=function.region,
    )


def _hexadecimal(digest: str) -> str:
    try:
        return base64.b64decode(digest).hex()
    except binascii.Error:
        return ""


def _schedule(schedule: Any) -> Schedule:
    target = schedule.target
    return Schedule(
        arn=schedule.arn,
        expression=schedule.schedule_expression,
        enabled=schedule.state == "ENABLED",
        target=target["Arn"],
        role=target["RoleArn"],
        payload=str(target.get("Input", "")).encode(),
        retries=min(2, int(target.get("RetryPolicy", {}).get("MaximumRetryAttempts", 2))),
        created=float(schedule.creation_date),
    )
