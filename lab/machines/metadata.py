"""The instance metadata service (IMDSv2), which knows each instance by the address that it speaks from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.machines import imds
from lab.machines.model import Machine

ADDRESS = "169.254.169.254"
PORT = 80

TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 — a header's name, no secret
TOKEN_TTL = "X-aws-ec2-metadata-token-ttl-seconds"  # noqa: S105 — a header's name, no secret
_TTL_LIMIT = 21600

type Lookup = Callable[[str], Machine | None]
"""Gives the instance that has a private address; None for any other address."""


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Metadata:
    """Answers requests of instances of one VPC."""

    def __init__(self, lookup: Lookup, *, clock: Callable[[], float] = time.time) -> None:
        self._lookup = lookup
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def answer(self, method: str, path: str, headers: Mapping[str, str], source: str) -> Response:
        """Answer one request; ``headers`` has lower-case names, ``source`` is the caller's address."""
        machine = self._lookup(source)
        if machine is None:
            return Response(404)
        path = path.partition("?")[0]
        if method == "PUT":
            return self._issue(machine, path, headers)
        token = headers.get(TOKEN.lower())
        if token is None and machine.metadata_tokens_required:
            return Response(401)
        if token is not None and not self._valid(token, machine):
            return Response(401)
        found = imds.look_up(imds.tree(machine), path)
        return Response(404) if found is None else Response(200, found)

    def _issue(self, machine: Machine, path: str, headers: Mapping[str, str]) -> Response:
        if path.rstrip("/") != "/latest/api/token":
            return Response(405)
        if "x-forwarded-for" in headers:  # an open proxy must not hand out an instance's credentials
            return Response(403)
        ttl = headers.get(TOKEN_TTL.lower(), "")
        if not ttl.isdecimal() or not 1 <= int(ttl) <= _TTL_LIMIT:
            return Response(400)
        token = self._token(machine, int(self._clock()) + int(ttl))
        return Response(200, token.encode(), {TOKEN_TTL: ttl})

    def _token(self, machine: Machine, expires: int) -> str:
        text = f"{expires}:{machine.id}".encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, text, hashlib.sha256) + text).decode()

    def _valid(self, token: str, machine: Machine) -> bool:
        try:
            expires = int(base64.urlsafe_b64decode(token)[32:].partition(b":")[0])
        except (binascii.Error, ValueError):
            return False
        genuine = hmac.compare_digest(token.encode(), self._token(machine, expires).encode())
        return genuine and self._clock() < expires


class Server(ThreadingHTTPServer):
    """A metadata service on a socket that listens already; close() it."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, metadata: Metadata) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.metadata = metadata
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True, name="metadata")
        self._thread.start()

    def close(self) -> None:
        """Stop answering and close the socket."""
        self.shutdown()
        self.server_close()
        self._thread.join()


def serve(listener: socket.socket, lookup: Lookup) -> Server:
    """Serve the instances of one VPC on a TCP socket that listens at 169.254.169.254:80 of its router."""
    return Server(listener, Metadata(lookup))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = 30

    def _reply(self) -> None:
        assert isinstance(self.server, Server)  # noqa: S101 — for the type checker: only Server uses this handler
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(headers.get("content-length") or 0))
        response = self.server.metadata.answer(self.command, self.path, headers, self.client_address[0])
        self.send_response(response.status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = _reply
    do_PUT = _reply

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: every boot makes some forty requests."""
