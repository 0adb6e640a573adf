"""A small S3 in this process, spoken to by HTTP: what a publish needs of it, with faults to order and a log."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass
class Object:
    content: bytes
    headers: dict[str, str]
    etag: str
    modified: float


@dataclass
class Faults:
    """What goes wrong: ``kind`` at the ``at``-th request from now (counted from 1), and, if ``on``, at later ones until
    it has been ``times`` in all.

    error: 500, nothing done. slow: 503 Slow Down, nothing done. lost: done, but the answer never comes. kill before,
    kill after: the next of ``victims`` (process numbers) is killed before or after the request is done.
    """

    kind: str = ""
    at: int = 0
    on: bool = False
    times: int = 1_000_000
    victims: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)


@dataclass
class FakeS3:
    """One bucket. ``log`` has (method, key) of every request; ``watch`` is called after each change."""

    objects: dict[str, Object] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    watch: Callable[[], None] = lambda: None
    page: int = 1000
    kms: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    begun: dict[str, dict[str, str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> FakeS3:
        fake = self

        class Handler(_Handler):
            s3 = fake

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def put(
        self, key: str, content: bytes, headers: dict[str, str] | None = None, modified: float | None = None
    ) -> str:
        etag = hashlib.md5(content + (b"kms" if self.kms else b"")).hexdigest()  # noqa: S324 - that is what an ETag is
        self.objects[key] = Object(content, headers or {}, etag, time.time() if modified is None else modified)
        return etag

    def age(self, seconds: float) -> None:
        """Let time pass for what is in the bucket."""
        for there in self.objects.values():
            there.modified -= seconds

    def site(self) -> dict[str, bytes]:
        """What visitors can get."""
        return {key: there.content for key, there in self.objects.items() if not key.startswith(".releases/")}

    def requests(self) -> list[tuple[str, str]]:
        """The log since this was asked the last time."""
        with self.lock:
            taken, self.log = self.log, []
        return taken


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    s3: FakeS3

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        key = unquote(path).split("/", 2)[2] if path.count("/") > 1 else ""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        s3 = self.s3
        with s3.lock:
            s3.log.append((self._verb(key, query), key))
            faults = s3.faults
            faults.at -= 1
            kind = faults.kind if faults.at == 0 or (faults.on and -faults.times < faults.at < 0) else ""
            if kind == "kill before":
                self._kill()
                return
            answer = {"error": (500, b"<Error><Code>InternalError</Code></Error>"), "slow": _SLOW}.get(kind)
            if answer is None:
                answer = self._answer(key, parse_qs(query, keep_blank_values=True), body)
                if self.command != "GET":
                    s3.watch()
            if kind == "kill after":
                self._kill()
                return
            if kind == "lost":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
        self._reply(*answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _kill(self) -> None:
        os.kill(self.s3.faults.victims.get(timeout=10), signal.SIGKILL)
        self.close_connection = True

    def _verb(self, key: str, query: str) -> str:
        if self.command == "GET" and not key:
            return "LIST" if "list-type" in query else "TAGS"
        if self.command == "PUT" and self.headers.get("x-amz-copy-source"):
            return "COPY"
        return "DELETE" if self.command == "POST" and "delete" in query else self.command

    def _answer(self, key: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        objects = self.s3.objects
        if self.command == "GET" and not key:
            return self._list(query) if "list-type" in query else self._tags()
        if self.command == "POST" and "delete" in query:
            gone = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for name in gone:
                objects.pop(name, None)
            rows = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in gone)
            return 200, f"<DeleteResult>{rows}</DeleteResult>".encode(), {}
        if self.command == "POST" and "uploads" in query:
            upload = str(len(self.s3.begun) + 1)
            self.s3.parts[upload] = {}
            self.s3.begun[upload] = self._kept_headers()
            text = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            return 200, text.encode(), {}
        if self.command == "POST" and query["uploadId"][0] not in self.s3.parts:
            return 404, b"<Error><Code>NoSuchUpload</Code></Error>", {}
        if self.command == "POST":
            parts = self.s3.parts.pop(query["uploadId"][0])
            content = b"".join(parts[number] for number in sorted(parts))
            etag = self.s3.put(key, content, self.s3.begun[query["uploadId"][0]])
            objects[key].etag = f"{etag}-{len(parts)}"
            text = f'<CompleteMultipartUploadResult><ETag>"{objects[key].etag}"</ETag></CompleteMultipartUploadResult>'
            return 200, text.encode(), {}
        if self.command == "PUT" and "partNumber" in query:
            self.s3.parts[query["uploadId"][0]][int(query["partNumber"][0])] = body
            return 200, b"", {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}  # noqa: S324 - an ETag
        if self.command == "PUT":
            return self._put(key, body)
        if key not in objects:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>", {}
        there = objects[key]
        headers = {
            **there.headers,
            "ETag": f'"{there.etag}"',
            "Last-Modified": self.date_time_string(int(there.modified)),
        }
        return 200, there.content, headers

    def _put(self, key: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        source = self.headers.get("x-amz-copy-source")
        if source:
            from_key = unquote(source).lstrip("/").split("/", 1)[1]
            if from_key not in self.s3.objects:
                return 404, b"<Error><Code>NoSuchKey</Code></Error>", {}
            original = self.s3.objects[from_key]
            etag = self.s3.put(key, original.content, original.headers)
            return 200, f'<CopyObjectResult><ETag>"{etag}"</ETag></CopyObjectResult>'.encode(), {}
        there = self.s3.objects.get(key)
        if self.headers.get("If-None-Match") == "*" and there:
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>", {}
        if self.headers.get("If-Match") not in (None, f'"{there.etag}"' if there else ""):
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>", {}
        return 200, b"", {"ETag": f'"{self.s3.put(key, body, self._kept_headers())}"'}

    def _kept_headers(self) -> dict[str, str]:
        names = ("Content-Type", "Cache-Control", "Content-Encoding")
        return {name: self.headers[name] for name in names if name in self.headers}

    def _list(self, query: dict[str, list[str]]) -> tuple[int, bytes, dict[str, str]]:
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", [""])[0]
        keys = sorted(key for key in self.s3.objects if key > after and key.startswith(prefix))
        page, more = keys[: self.s3.page], len(keys) > self.s3.page
        rows = ""
        for key in page:
            there = self.s3.objects[key]
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(there.modified))
            rows += (
                f"<Contents><Key>{escape(key)}</Key><LastModified>{stamp}</LastModified>"
                f"<ETag>&quot;{there.etag}&quot;</ETag><Size>{len(there.content)}</Size></Contents>"
            )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return (
            200,
            f"<ListBucketResult><Name>bucket</Name><Prefix></Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>1000"
            f"</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>".encode(),
            {"Content-Type": "application/xml"},
        )

    def _tags(self) -> tuple[int, bytes, dict[str, str]]:
        rows = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in self.s3.tags.items())
        return 200, f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode(), {}

    def _reply(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The log is in FakeS3."""


_SLOW = (503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")


Get = Callable[[str], tuple[int, bytes]]


def visit(get: Get, page: str = "index.html") -> str:
    """Load a page as a visitor's browser does, and return the build that it comes from, or '' when there is no site.

    Raises AssertionError when something that the page needs is missing or comes from another build.
    """
    status, content = get(page)
    if status == 404:
        return ""
    text = content.decode()
    build = re.findall(r"build (\w+)", text)[0]
    assets = re.findall(r'src="/([^"]+)"', text)
    assert assets, f"{page} of build {build} refers to nothing"
    for asset in assets:
        status, content = get(asset)
        assert status == 200, f"{page} of build {build} refers to {asset}, which answers {status}"
        assert f"build {build}" in content.decode(), f"{page} of build {build} got {content!r} as {asset}"
    return build


def over_http(url: str) -> Get:
    """How a visitor reaches the site."""
    parts = urlsplit(url)

    def get(key: str) -> tuple[int, bytes]:
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as line:
            line.sendall(f"GET /bucket/{key} HTTP/1.0\r\n\r\n".encode())
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), content

    return get


def inside(s3: FakeS3) -> Get:
    """The same look from inside the server, for ``watch``, while it serves another request."""
    return lambda key: (200, s3.objects[key].content) if key in s3.objects else (404, b"")
