"""Faults to order, for tests: throttling, errors, slowness, and an answer lost after the work was done.

``POST /_lab/faults`` takes a JSON list. Each fault has ``kind`` (``throttle``, ``error``, ``latency``,
``drop_after``), may have any of ``service``, ``action``, ``method``, ``path_contains`` (all must match), and counts
matching requests: the first ``after`` (default 0) pass, the next ``times`` (default 1) are hit. ``seconds`` is for
``latency``; ``status`` and ``code`` are for ``error``. ``DELETE /_lab/faults`` forgets them all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from lab.api.calls import Call

_KINDS = ("throttle", "error", "latency", "drop_after")


@dataclass
class Fault:
    """One fault and how many requests have matched it."""

    kind: str
    service: str | None = None
    action: str | None = None
    method: str | None = None
    path_contains: str | None = None
    after: int = 0
    times: int = 1
    seconds: float = 1.0
    status: int = 500
    code: str = "InternalError"
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"A fault's kind is one of {', '.join(_KINDS)}; {self.kind!r} is none.")

    def matches(self, call: Call) -> bool:
        """Whether it speaks of this call at all."""
        return (
            self.service in (None, call.service)
            and self.action in (None, call.action)
            and self.method in (None, call.method)
            and (self.path_contains is None or self.path_contains in call.path)
        )


class Faults:
    """The ordered faults; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, orders: list[dict[str, Any]]) -> None:
        """Add faults; raises TypeError or ValueError for what it does not understand."""
        faults = [Fault(**order) for order in orders]
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def hit(self, call: Call) -> Fault | None:
        """Count the call against every fault that it matches; return the first that strikes now."""
        struck = None
        with self._lock:
            for fault in self._faults:
                if not fault.matches(call):
                    continue
                fault.seen += 1
                if struck is None and fault.after < fault.seen <= fault.after + fault.times:
                    struck = fault
        return struck


def answer(call: Call, fault: Fault) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body of a throttled or failed call, in its service's own protocol."""
    if fault.kind == "throttle":
        status, code = (400, "Throttling")
        if call.service == "s3":
            status, code = 503, "SlowDown"
        elif call.service == "ec2":
            status, code = 503, "RequestLimitExceeded"
    else:
        status, code = fault.status, fault.code
    return error_answer(call, status, code, "A fault that a test ordered.")


def error_answer(call: Call, status: int, code: str, message: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """An AWS error in the protocol of the call's service."""
    request_id = "00000000-0000-4000-8000-000000000000"
    content_type = "text/xml"
    if call.service in ("secretsmanager", "ssm", "events", "logs", "kms", "lambda", "scheduler", "dynamodb"):
        body = f'{{"__type": "{code}", "message": "{message}", "Message": "{message}"}}'
        content_type = "application/x-amz-json-1.1"
    elif call.service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    elif call.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    headers = [("Content-Type", content_type), ("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", code)]
    return f"{status} {'Error'}", headers, body.encode()
