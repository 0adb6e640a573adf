"""The package front: what every mirror's name leads to inside the lab.

Guests install with plain apt from ``http://MIRROR/…``; this answers from the
store or through the fetcher. It stands in the simulated internet and has no
uplink itself.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from pathlib import Path

from lab.internet.download import Body, Library, http_date
from lab.internet.fetcher import Fetcher, FetchError
from lab.internet.sources import Base, configured, resolve
from lab.internet.store import BOUND, Store
from lab.internet.web import Handler, Server

_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def mirror_names() -> tuple[str, ...]:
    """The host names of the machine's own package mirrors; in the lab they resolve to this front."""
    return tuple(sorted({base.host for base in configured()}))


def byte_range(header: str | None, length: int) -> tuple[int, int] | None:
    """First and last byte asked for (both inclusive); None when the whole file is. First > last: not satisfiable."""
    match = _RANGE.fullmatch(header or "")
    if not match:
        return None
    last = min(int(match[2]), length - 1) if match[2] else length - 1
    return int(match[1]), last


def unchanged(since: str | None, modified: float | None) -> bool:
    """Whether a file modified then is no newer than the If-Modified-Since header says."""
    if not since or modified is None:
        return False
    try:
        return int(modified) <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False


class Packages:
    """Serves ``bases`` (default: the machine's own) from ``directory``, and the rest by ``fetcher``'s socket."""

    def __init__(self, directory: Path, fetcher: Path, bases: Iterable[Base] | None = None, bound: int = BOUND) -> None:
        library = Library(Store(directory, bound), Fetcher(fetcher))
        known = configured() if bases is None else tuple(bases)
        self._handler = type("PackageHandler", (_Handler,), {"library": library, "bases": known})
        self._servers: list[Server] = []

    def serve(self, listener: socket.socket) -> None:
        """Answer on a socket that listens already; returns at once."""
        server = Server(listener, self._handler)
        server.start()
        self._servers.append(server)

    def stop(self) -> None:
        for server in self._servers:
            server.stop()


class _Handler(Handler):
    library: Library
    bases: tuple[Base, ...]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        asked = self.path if "://" in self.path else f"http://{self.headers.get('Host', '')}{self.path}"
        url = resolve(asked, self.bases)
        if url is None:
            self._refuse(403, f"{asked} belongs to no package mirror that this machine's apt configuration names")
            return
        found = self.library.get(url)
        if not isinstance(found, Body):
            self._refuse(found.status, found.reason)
            return
        try:
            self._send(found)
        except (FetchError, ConnectionError, TimeoutError):
            self.close_connection = True  # the length promised was not sent: the guest sees that and asks again
        finally:
            found.close()

    def _refuse(self, status: int, reason: str) -> None:
        self.send_whole(status, "text/plain; charset=utf-8", f"{reason}\n".encode())

    def _send(self, body: Body) -> None:
        modified = body.modified_at
        stamp = http_date(modified) if modified is not None else ""
        if unchanged(self.headers.get("If-Modified-Since"), modified):
            self.send_response(304)
            self.end_headers()
            return
        length = body.length
        wanted = None
        if self.headers.get("If-Range") in (None, stamp):
            wanted = byte_range(self.headers.get("Range"), length)
        first, last = wanted or (0, length - 1)
        if wanted and first > last:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{length}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{length}")
        if stamp:
            self.send_header("Last-Modified", stamp)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command == "HEAD":
            return
        while first <= last:
            piece = body.read(first, min(_PIECE, last - first + 1))
            if not piece:
                raise FetchError("the mirror sent less than it said")
            self.wfile.write(piece)
            first += len(piece)
