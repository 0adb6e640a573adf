"""What a task against an AWS API did or would do, and how its failures are told.

Everything here raises; only a module's ``main()`` ends the process, through ``finish()``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with suppress(ImportError):  # AnsibleAWSModule says that boto3 is missing, and how to install it
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError

# What check mode answers for a value that only AWS can choose.
UNKNOWN = "(known after creation)"

# Beyond what AWSRetry knows already. PriorRequestNotComplete is CloudFront's and Route 53's word for "too fast".
THROTTLED = ("ThrottlingException", "RequestThrottled", "PriorRequestNotComplete", "SlowDown")


def patient(*error_codes: str) -> Any:
    """The retry for a client: throttling, and the given codes of eventual consistency, with jittered backoff."""
    return AWSRetry.jittered_backoff(
        retries=10, delay=1, backoff=2, max_delay=20, catch_extra_error_codes=[*THROTTLED, *error_codes]
    )


def patient_with(operation: Callable[..., Any], *error_codes: str) -> Callable[..., Any]:
    """A client's operation, retried for half a minute on errors that a mistake can cause as well as a slow start."""
    retried = AWSRetry.jittered_backoff(
        retries=6, delay=1, backoff=2, max_delay=10, catch_extra_error_codes=[*THROTTLED, *error_codes]
    )
    call: Callable[..., Any] = retried(operation)
    return call


@dataclass(frozen=True)
class Outcome:
    """One task's result. ``before`` and ``after`` speak the API's own terms; ``values`` are what the module returns."""

    changed: bool
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_result(self) -> dict[str, Any]:
        """The arguments of ``exit_json``."""
        return {"changed": self.changed, "diff": {"before": self.before, "after": self.after}, **self.values}


def error_code(error: BaseException) -> str:
    """The API's code of a botocore ClientError, or of an AnsibleAWSError that wraps one; else an empty string."""
    cause = getattr(error, "exception", None) or error
    response = getattr(cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def unless(codes: Sequence[str], read: Callable[[], Any]) -> Any:
    """What a read answers, or None where the API answers with one of the codes, which say that there is nothing."""
    try:
        return read()
    except ClientError as error:
        if error_code(error) in codes:
            return None
        raise


def refusal(message: str) -> AnsibleAWSError:
    """An error that the module itself raises: one message that says what was found and what to do."""
    return AnsibleAWSError(message=message)


@contextmanager
def doing(what: str, remedies: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn botocore's exceptions into "Could not <what>", with what to do about it where ``remedies`` has the code."""
    try:
        yield
    except WaiterError as error:
        too_long = "Max attempts exceeded" in str(error)
        advice = "it took longer than wait_timeout: raise that, or run the task again" if too_long else "it failed"
        raise AnsibleAWSError(message=f"Could not {what}: {advice}", exception=error) from error
    except (ClientError, BotoCoreError) as error:
        remedy = (remedies or {}).get(error_code(error))
        raise AnsibleAWSError(message=f"Could not {what}{f'. {remedy}' if remedy else ''}", exception=error) from error


STALE = ("PreconditionFailed", "InvalidIfMatchVersion")


def looking_again(attempt: Callable[[], Outcome], codes: Sequence[str], *, acting: bool) -> Outcome:
    """Do idempotent work again, from the look at what is there, when it meets one of the error codes.

    Such a code tells that someone else was faster, or that the answer to our own request was lost and the request sent
    twice; either way what is left to do has to be seen anew. ``acting`` is whether the work changes anything: then its
    first try may have, and the outcome is a change. Gives up at the third such error.
    """
    conflicts = 0
    while True:
        try:
            outcome = attempt()
        except AnsibleAWSError as error:
            conflicts += 1
            if conflicts == 3 or error_code(error) not in codes:
                raise
        else:
            return replace(outcome, changed=True) if conflicts and acting else outcome


def finish(module: Any, decide_and_act: Callable[[], Outcome]) -> None:
    """Run a module's work and end the process: the one place that exits or fails."""
    try:
        outcome = decide_and_act()
    except AnsibleAWSError as error:
        module.fail_json_aws_error(error)
    else:
        module.exit_json(**outcome.as_result())
