"""A mirror on loopback, an apt configuration that names it, and the lab's fetcher and front between them and apt."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab import kernel
from lab.internet import fetcher as fetching
from lab.internet.packages import Packages
from lab.internet.sources import Base

GUEST_NAME = "http://mirror.test/debian"  # what the guests call the mirror


@dataclass
class Mirror:
    """``root`` is served at ``url``; ``asked`` counts requests by path, ``agents`` who made them."""

    root: Path
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    proxied: list[str] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)


class _MirrorHandler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, mirror, *args):
        self.mirror = mirror
        super().__init__(*args, directory=str(mirror.root))

    def do_GET(self):
        if "://" in self.path:  # asked as a proxy
            self.mirror.proxied.append(self.path)
            self.path = "/" + self.path.split("/", 3)[3]
        self.mirror.asked[self.path] += 1
        if self.path in self.mirror.redirects:
            self.send_response(302)
            self.send_header("Location", self.mirror.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(tmp_path):
    """An HTTP server for tmp_path/mirror; put files under mirror.root / "debian"."""
    found = Mirror(tmp_path / "mirror")
    (found.root / "debian").mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_MirrorHandler, found))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def apt(tmp_path, mirror, monkeypatch):
    """Let apt know ``mirror`` alone, in a one-line source; returns the file for more configuration."""
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] {mirror.url}/debian ./\n")
    (tmp_path / "lists").mkdir()
    configuration = tmp_path / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list"; Dir::Etc::sourceparts "{tmp_path}/sources.d";\n'
        f'Dir::State::lists "{tmp_path}/lists"; Acquire::Retries "0";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    return configuration


@pytest.fixture
def fetcher(short_path, apt):
    """The fetcher's process, and the asking side to it."""
    with fetching.start(short_path / "fetch.sock"):
        yield fetching.Fetcher(short_path / "fetch.sock")


@pytest.fixture
def front(tmp_path, fetcher, mirror):
    """The URL of a package front that maps GUEST_NAME to the mirror."""
    listener = kernel.listening(None, "127.0.0.1", 0)
    packages = Packages(tmp_path / "packages", fetcher.path, [Base(f"{mirror.url}/debian")])
    packages.serve(listener)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    packages.stop()


@pytest.fixture
def publish(tmp_path, mirror):
    """Make the mirror a flat repository with one package, lab-test, that carries the given content."""
    return partial(_publish, mirror.root / "debian", tmp_path / "build")


def _publish(root: Path, work: Path, content: bytes) -> None:
    """A flat repository with one package, lab-test, that carries ``content``."""
    tree = work / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: lab-test\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@example.com>\nDescription: a test\n"
    )
    (tree / "data").write_bytes(content)
    deb = root / "pool" / "lab-test_1.0_all.deb"
    deb.parent.mkdir(parents=True)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, deb], check=True, capture_output=True)
    control = (tree / "DEBIAN" / "control").read_text()
    raw = deb.read_bytes()
    index = (
        f"{control}Filename: pool/{deb.name}\nSize: {len(raw)}\nSHA256: {hashlib.sha256(raw).hexdigest()}\n".encode()
    )
    packed = gzip.compress(index)
    (root / "Packages").write_bytes(index)
    (root / "Packages.gz").write_bytes(packed)
    lines = "".join(
        f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
        for name, data in (("Packages", index), ("Packages.gz", packed))
    )
    (root / "Release").write_text(f"Date: {formatdate(usegmt=True)}\nAcquire-By-Hash: no\nSHA256:\n{lines}")
