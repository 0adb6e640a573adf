"""Lambda's runtime API (2018-06-01): what the runtime client asks for its next event, and tells the result."""

from __future__ import annotations

import queue
import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ROOT = "/2018-06-01/runtime"
_RESULT = re.compile(_ROOT + r"/invocation/([0-9a-f-]+)/(response|error)")


@dataclass
class Invocation:
    """One event on its way: ``deadline`` in milliseconds since the epoch; ``done`` is set with ``payload``."""

    id: str
    payload: bytes
    function_arn: str
    deadline: int
    result: bytes = b""
    failed: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class RuntimeApi:
    """One environment's. ``ready`` is set once the client asked for its first event, or said why it cannot."""

    def __init__(self, listening: socket.socket) -> None:
        self.ready = threading.Event()
        self.init_error = b""
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current: Invocation | None = None
        api = self

        class Handler(_Handler):
            runtime = api

        self._server = _Server(listening.getsockname(), Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listening
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def give(self, invocation: Invocation) -> None:
        """Hand over an event; one at a time, as Lambda does."""
        self._current = invocation
        self._waiting.put(invocation)

    def close(self) -> None:
        """End; a client that waits for an event hears that the connection is gone."""
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> Invocation | None:
        self.ready.set()
        return self._waiting.get()

    def finish(self, identifier: str, payload: bytes, *, failed: bool) -> bool:
        """Whether that was the event that is under way."""
        current = self._current
        if current is None or current.id != identifier:
            return False
        current.result, current.failed = payload, failed
        current.done.set()
        return True

    def fail_init(self, payload: bytes) -> None:
        self.init_error = payload
        self.ready.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    runtime: RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{_ROOT}/invocation/next":
            self._answer(404)
        elif (invocation := self.runtime.take()) is None:
            self.close_connection = True
        else:
            self._answer(
                200,
                invocation.payload,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": invocation.id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                },
            )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == f"{_ROOT}/init/error":
            self.runtime.fail_init(body)
            self._answer(202)
        elif found := _RESULT.fullmatch(self.path):
            known = self.runtime.finish(found[1], body, failed=found[2] == "error")
            self._answer(202 if known else 400)
        else:
            self._answer(404)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: Any) -> None:
        """The lab's log has no use for it."""
