"""A function as whoever runs it needs it, and what became of an invocation."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "$LATEST"


@dataclass(frozen=True)
class Function:
    """``timeout`` is in seconds, ``memory`` and ``storage`` (of /tmp) in MiB.

    ``interfaces`` are the ids of its network interfaces, one a subnet; ``revision`` changes with its code and its
    configuration; ``code_sha256`` is hexadecimal.
    """

    name: str
    arn: str
    handler: str
    runtime: str
    role: str
    timeout: int
    memory: int
    storage: int
    environment: tuple[tuple[str, str], ...]
    interfaces: tuple[str, ...]
    code_sha256: str
    revision: str
    state: str
    region: str

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"


@dataclass(frozen=True)
class Outcome:
    """What Invoke answers: ``error`` is empty, or ``Unhandled``, and then ``payload`` says what went wrong."""

    payload: bytes
    error: str = ""
    log: str = ""


@dataclass(frozen=True)
class Schedule:
    """One of EventBridge Scheduler's: ``created`` in seconds since the epoch, ``target`` and ``role`` as ARNs."""

    arn: str
    expression: str
    enabled: bool
    target: str
    role: str
    payload: bytes
    retries: int
    created: float
