"""Lambda: moto's backend and answers, with states, network interfaces, and functions that really run."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import moto.awslambda.models as moto_models
import moto.awslambda.urls as moto_urls
from moto.awslambda.exceptions import LambdaClientError, UnknownFunctionException
from moto.awslambda.responses import LambdaResponse
from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends

from lab.api.awslambda.function import Function
from lab.api.calls import Call
from lab.api.world import lock, world
from lab.functions import package
from lab.functions.model import Outcome
from lab.settings import ACCOUNT_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_INVOCATION = re.compile(r"/\d{4}-\d\d-\d\d/functions/(.+)/invocations/?")
# Lambda's quota for a zip file that is sent with the call.
LARGEST_ZIP = 50 * 1024 * 1024


class Calls(LambdaResponse):  # type: ignore[misc]  # moto has no types here
    """What answers Lambda's actions, Invoke aside."""

    def create_function(self) -> Any:
        _check_code(self.json_body.get("Code", {}))
        return super().create_function()

    def update_function_code(self) -> Any:
        _check_code(self.json_body)
        return super().update_function_code()

    def get_function(self) -> Any:
        self._look()
        return super().get_function()

    def get_function_configuration(self) -> Any:
        self._look()
        return super().get_function_configuration()

    def delete_function(self) -> Any:
        function = self._named(unquote(self.path.rsplit("/", 1)[-1]))
        answer = super().delete_function()
        if function is not None and not self._get_param("Qualifier", None):
            function.release_interfaces()
        return answer

    def _look(self) -> None:
        if function := self._named(unquote(self.path.partition("/functions/")[2].split("/")[0])):
            function.look()

    def _named(self, name: str) -> Function | None:
        return named(name)


def backend() -> Any:
    """The lab's account in its region."""
    return moto_models.lambda_backends[ACCOUNT_ID][world.settings.region]


def named(name_or_arn: str) -> Function | None:
    """A function's newest version, by its name or ARN; None when there is none. Hold the lock."""
    try:
        found: Function = backend().get_function(name_or_arn.removesuffix(":$LATEST"))
    except (UnknownFunctionException, ValueError, KeyError):
        return None
    return found


def functions() -> tuple[Function, ...]:
    """The newest version of every function. Hold the lock."""
    return tuple(backend().list_functions())


def is_invocation(call: Call) -> bool:
    """Whether it is Invoke, which takes as long as the function does, and so must not hold the lock."""
    return call.service == "lambda" and call.method == "POST" and _INVOCATION.fullmatch(call.path) is not None


def invoke(call: Call, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    """Answer Invoke: run the function, or have it run later, and say what became of it."""
    found = _INVOCATION.fullmatch(call.path)
    name = unquote(found[1]) if found else ""
    kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
    payload = environ["wsgi.input"].read() or b"{}"
    with lock:
        function = named(name)
        arn, state = (function.function_arn, function.state) if function else ("", "")
    if not arn:
        return _error("404 Not Found", "ResourceNotFoundException", f"Function not found: {name}")
    if state != "Active":
        text = (
            f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
        )
        return _error("409 Conflict", "ResourceConflictException", text)
    if kind == "DryRun":
        return "204 No Content", [], b""
    if world.functions is None:
        return _error("502 Bad Gateway", "EC2UnexpectedException", "This lab has no hosts, and so runs no functions.")
    if kind == "Event":
        world.functions.later(arn, payload)
        return "202 Accepted", [], b""
    return _answer(world.functions.now(arn, payload), environ.get("HTTP_X_AMZ_LOG_TYPE") == "Tail")


def _answer(outcome: Outcome, with_log: bool) -> tuple[str, list[tuple[str, str]], bytes]:
    headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
    if outcome.error:
        headers.append(("X-Amz-Function-Error", outcome.error))
    if with_log:
        headers.append(("X-Amz-Log-Result", base64.b64encode(outcome.log.encode()).decode()))
    return "200 OK", headers, outcome.payload


def _error(status: str, code: str, message: str) -> tuple[str, list[tuple[str, str]], bytes]:
    body = json.dumps({"Type": "User", "Message": message, "message": message}).encode()
    return status, [("Content-Type", "application/json"), ("X-Amzn-ErrorType", code)], body


def keep_log(group: str, stream: str, lines: Sequence[str]) -> None:
    """Keep lines of a function's output where CloudWatch Logs shows them."""
    with lock:
        logs = logs_backends[ACCOUNT_ID][world.settings.region]
        logs.ensure_log_group(group)
        logs.ensure_log_stream(group, stream)
        now = int(unix_time_millis())
        logs.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines if line])


def _check_code(code: Any) -> None:
    """Refuse what Lambda refuses: too large, or no zip file."""
    if "ZipFile" not in code:
        return
    content = base64.b64decode(code["ZipFile"])
    if len(content) > LARGEST_ZIP:
        raise LambdaClientError("RequestEntityTooLargeException", f"Request must be smaller than {LARGEST_ZIP} bytes")
    try:
        package.check(content)
    except package.PackageError as error:
        raise LambdaClientError("InvalidParameterValueException", str(error)) from error


def install() -> None:
    """Put them where moto looks for its own."""
    moto_models.LambdaFunction = Function
    for path in moto_urls.url_paths:
        moto_urls.url_paths[path] = Calls.dispatch
