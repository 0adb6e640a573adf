"""Scenery for the edge's tests: an origin that does as it is told, and distributions to put before it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from lab.edge.model import (
    Behaviour,
    CachePolicy,
    CustomError,
    Distribution,
    Function,
    Origin,
    OriginRequestPolicy,
    S3Origin,
    VpcOrigin,
)

OPTIMIZED = CachePolicy("optimized", 1, 86400, 31536000)
DISABLED = CachePolicy("disabled", 0, 0, 0, gzip=False, brotli=False)
ALL_VIEWER = OriginRequestPolicy("all-viewer", headers="allViewer", query_strings="all", cookies="all")
EXCEPT_HOST = OriginRequestPolicy("except-host", "allExcept", ("host",), query_strings="all", cookies="all")
EVERY_METHOD = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
SPA = Function(
    "spa",
    "arn:aws:cloudfront::123456789012:function/spa",
    """function handler(event) {
    var request = event.request;
    var last = request.uri.split('/').pop();
    if (last.indexOf('.') < 0) { request.uri = '/index.html'; }
    return request;
}""",
    "cloudfront-js-2.0",
)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: str

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class ScratchOrigin:
    """An HTTP server at ``address``; ``answers`` maps a path (with its query) to an answer or a function making one."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {}
        self.asked: list[Asked] = []
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version: ClassVar[str] = "ScratchOrigin"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, tuple(self.headers.items()), body, self.client_address[0])
                origin.asked.append(asked)
                answer = origin.answers.get(self.path) or origin.answers.get(self.path.split("?")[0]) or Answer(404)
                if callable(answer):
                    answer = answer(asked)
                self.send_response(answer.status)
                if "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer((address, port), Handler)
        self.port: int = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@dataclass(frozen=True)
class Seen:
    """What a viewer got."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def cache(self) -> str | None:
        return self.header("X-Cache")


def visit(
    port: int,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    address: str = "127.0.0.1",
) -> Seen:
    connection = http.client.HTTPConnection(address, port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Seen(answer.status, tuple(answer.getheaders()), answer.read())
    finally:
        connection.close()


def bucket(name: str = "site", *, signed: bool = True, **more: object) -> Origin:
    domain = f"{name}.s3.ap-northeast-2.amazonaws.com"
    return Origin(f"s3-{name}", domain, "", S3Origin(name, "ap-northeast-2", signed), **more)  # type: ignore[arg-type]


def host(target_ip: str, port: int, interface_id: str | None, **more: object) -> Origin:
    target = VpcOrigin("vo_1", interface_id, target_ip, port, 443, "http-only")
    return Origin("backend", "ip-10-0-0-1.internal", "", target, **more)  # type: ignore[arg-type]


def behaviour(origin: Origin, pattern: str = "*", **more: object) -> Behaviour:
    settings: dict[str, object] = {
        "viewer_protocol_policy": "redirect-to-https",
        "allowed_methods": ("GET", "HEAD"),
        "cached_methods": ("GET", "HEAD"),
        "cache_policy": OPTIMIZED,
        "compress": True,
    }
    return Behaviour(pattern, origin.id, **(settings | more))  # type: ignore[arg-type]


def distribution(
    *behaviours: Behaviour,
    origins: tuple[Origin, ...],
    number: int = 1,
    errors: tuple[CustomError, ...] = (),
    **more: object,
) -> Distribution:
    settings: dict[str, object] = {"enabled": True, "etag": "E", "default_root_object": "index.html"}
    return Distribution(
        id=f"EDIST{number}",
        arn=f"arn:aws:cloudfront::123456789012:distribution/EDIST{number}",
        domain_name=f"d{number}.cloudfront.net",
        origins=origins,
        behaviours=behaviours,
        custom_errors=errors,
        **(settings | more),  # type: ignore[arg-type]
    )
