"""Which package mirrors the machine's own apt configuration names: the only places the lab may fetch from."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What apt itself writes into a URL; above all no space or newline, which would end a message to apt's transport.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._~+%:=@,!()/-]*")
# What apt reads as this code does; of `http://a?@b/` each would see another host.
_PLAIN_HOST = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:/.*)?")


@dataclass(frozen=True)
class Base:
    """One repository: ``url`` without a trailing slash, as configured (credentials and port included)."""

    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


def configured() -> tuple[Base, ...]:
    """The repositories of this machine, as apt itself reads them (every format, options and all); () without apt."""
    if not shutil.which("apt-get"):
        return ()
    done = subprocess.run(["apt-get", "update", "--print-uris"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"apt cannot read this machine's package sources: {done.stderr.strip()}")
    return parse(done.stdout, lambda path: Path(path).read_text())


def parse(printed: str, read: Callable[[str], str]) -> tuple[Base, ...]:
    """The repositories in the output of ``apt-get update --print-uris``; ``read`` reads a mirror list's file.

    >>> parse("'https://mirror.example/debian/dists/sid/InRelease' lists_name 0 ", str)
    (Base(url='https://mirror.example/debian'),)
    """
    found: dict[str, None] = {}
    for line in printed.splitlines():
        if not line.startswith("'"):
            continue
        url = line[1:].partition("'")[0]
        root = url.partition("/dists/")[0] if "/dists/" in url else url.rpartition("/")[0].removesuffix("/.")
        for base in _mirrors(root, read):
            if urlsplit(base).scheme in ("http", "https"):
                found[base.rstrip("/")] = None
    return tuple(Base(url) for url in found)


def _mirrors(root: str, read: Callable[[str], str]) -> Iterable[str]:
    """``root`` itself, or what the list of a ``mirror+file:`` source names (Debian's cloud images have one)."""
    if not root.startswith("mirror+file:"):
        return [root]
    lines = read(urlsplit(root).path).splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def resolve(url: str, bases: Iterable[Base]) -> str | None:
    """The URL to fetch when a guest asks for ``url``; None when no configured repository holds it.

    A guest always says plain ``http`` and no port; the scheme, port and credentials are the configuration's.
    """
    asked = urlsplit(url)
    plain = _PLAIN_PATH.fullmatch(asked.path) and asked.scheme in ("http", "https")
    if not plain or asked.query or asked.fragment or ".." in unquote(asked.path).split("/"):
        return None
    for base in bases:
        if asked.hostname == base.host and asked.path.startswith(base.path + "/"):
            return base.url + asked.path.removeprefix(base.path)
    return None


def may_lead_to(url: str, bases: Iterable[Base]) -> bool:
    """Whether a mirror may redirect to ``url``: on a configured repository's host, or at public addresses alone.

    >>> may_lead_to("http://169.254.169.254/latest/meta-data/", ())
    False
    """
    if not _PLAIN_HOST.fullmatch(url):
        return False
    host = urlsplit(url).hostname or ""
    return host in {base.host for base in bases} or all(address.is_global for address in _addresses(host))


def _addresses(host: str) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """What a name stands for; none where only a proxy of apt's can know it, or nobody."""
    found = []
    with contextlib.suppress(socket.gaierror, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = {ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found}
    return {getattr(address, "ipv4_mapped", None) or address for address in addresses}
