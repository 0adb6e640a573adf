"""The API as one object: what the daemon starts, and what answers every call.

Besides AWS's API it has, on loopback alone: ``GET/DELETE /_lab/requests`` (counts by service and action),
``GET /_lab/calls`` (the same by who called, and with tags for what it creates or without), ``POST/DELETE
/_lab/faults`` (see lab.api.faults), and ``POST /_lab/reset`` (an empty account).
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lab.api import (
    autoscaling,
    awslambda,
    cloudfront,
    ec2,
    faults,
    iam,
    parameters,
    permissions,
    route53,
    s3,
    scheduler,
    secretsmanager,
)
from lab.api.calls import Call, identify
from lab.api.http import ConnectionDropped, Server
from lab.api.s3 import access
from lab.api.world import lock, world
from lab.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LOOPBACK = ("127.0.0.1", "localhost")


class Api:
    """moto and the lab's additions behind one WSGI application; one per process, as moto's state is global."""

    def __init__(
        self,
        settings: Settings,
        on_change: Callable[[], None],
        *,
        confirmed_by_lab: bool,
        log_calls: bool = False,
    ) -> None:
        world.settings, world.confirmed_by_lab = settings, confirmed_by_lab
        services = (
            autoscaling,
            awslambda,
            cloudfront,
            ec2,
            iam,
            parameters,
            permissions,
            route53,
            s3,
            scheduler,
            secretsmanager,
        )
        for service in services:
            service.install()
        self._on_change = on_change
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._servers: list[Server] = []
        self._faults = faults.Faults()
        self._counts: Counter[tuple[str, str, str, bool]] = Counter()
        self._counting = threading.Lock()
        self._log = None
        if log_calls:
            settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._log = (settings.state / "api.log").open("a", buffering=1)

    def serve(self, listening: socket.socket) -> None:
        """Serve on a socket that listens already; may be called for several."""
        self._servers.append(Server(self.wsgi, listening))

    def close(self) -> None:
        """Stop serving everywhere."""
        while self._servers:
            self._servers.pop().close()
        if self._log:
            self._log.close()

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request: count it, strike it with a fault or let moto do it, tell of changes, log it."""
        if environ["PATH_INFO"].startswith("/_lab/") and _on_loopback(environ):
            return self._control(environ, start_response)
        call = identify(environ, _peek(environ))
        with self._counting:
            self._counts[call.service, call.action, call.caller, call.tagged] += 1
        fault = self._faults.hit(call)
        status, headers, body = self._act(call, fault, environ)
        if self._log:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self._log.write(f"{now} {call.service} {call.action or call.method} {call.caller} {status[:3]}\n")
        start_response(status, headers)
        return [body]

    def _act(
        self, call: Call, fault: faults.Fault | None, environ: WSGIEnvironment
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        if fault and fault.kind == "latency":
            time.sleep(fault.seconds)
        elif fault and fault.kind in ("throttle", "error"):
            return faults.answer(call, fault)
        if awslambda.is_invocation(call):  # not under the lock: the function may ask the API itself
            return awslambda.invoke(call, environ)
        started: list[Any] = []

        def collect(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return lambda _: None

        with lock:
            # Whatever is not signed can only be a read of a bucket.
            if (refused := access.refusal(call, environ)) is not None:
                return faults.error_answer(call, refused.status, refused.code, refused.message)
            if denied := permissions.refusal(call, environ):
                return faults.error_answer(call, 400, "AccessDeniedException", denied)
            if not access.is_signed(call):
                access.sign_for_owner(environ)
            answer = self._moto(environ, collect)
            body = b"".join(answer)
        if call.mutating and started[0][0] in "23":
            self._on_change()
        if fault and fault.kind == "drop_after":
            raise ConnectionDropped
        return started[0], started[1], body

    def _control(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        answer: Any = {}
        status = "200 OK"
        match method, path:
            case "POST", "/_lab/faults":
                try:
                    self._faults.add(json.load(environ["wsgi.input"]))
                except (TypeError, ValueError) as error:
                    status, answer = "400 Bad Request", {"error": str(error)}
            case "DELETE", "/_lab/faults":
                self._faults.clear()
            case "GET", "/_lab/requests":
                with self._counting:
                    for (service, action, _, _), count in sorted(self._counts.items()):
                        actions = answer.setdefault(service, {})
                        actions[action] = actions.get(action, 0) + count
            case "GET", "/_lab/calls":
                with self._counting:
                    names = ("service", "action", "caller", "tagged", "count")
                    answer = [dict(zip(names, (*key, n), strict=True)) for key, n in sorted(self._counts.items())]
            case "DELETE", "/_lab/requests":
                with self._counting:
                    self._counts.clear()
            case "POST", "/_lab/reset":
                self._reset()
            case _:
                status, answer = "404 Not Found", {"error": f"The lab has no {method} {path}."}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _reset(self) -> None:
        with lock:
            BackendDict.reset()
        self._faults.clear()
        with self._counting:
            self._counts.clear()
        self._on_change()


def _peek(environ: WSGIEnvironment) -> bytes:
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return b""
    start: bytes = environ["wsgi.input"].read(65536)
    environ["wsgi.input"].seek(0)
    return start


def _on_loopback(environ: WSGIEnvironment) -> bool:
    # The host name too: the edge passes visitors' paths on under a bucket's name.
    host = environ.get("HTTP_HOST", "").partition(":")[0]
    return str(environ.get("REMOTE_ADDR", "")).startswith("127.") and host in _LOOPBACK
