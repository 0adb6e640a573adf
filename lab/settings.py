"""Where the lab keeps its state, and the addresses it uses."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "ap-northeast-2"

# Any key is let in; only the tunnel checks a signature, by this one. No common word: Ansible hides a
# secret key's value wherever it appears in a result.
ACCESS_KEY_ID = "LABLABLABLABLABLABLA"
SECRET_ACCESS_KEY = "no-secret-of-anything-outside-this-lab"  # noqa: S105 — opens the lab alone

# Reserved for benchmarks and documentation (RFC 2544, RFC 5737): no real host has one.
_INTERNET_CANDIDATES = ("198.18.0.0/16", "198.19.0.0/16")


@dataclass(frozen=True)
class Internet:
    """The simulated internet's addresses, all inside ``network`` (a /16)."""

    network: str

    def _address(self, last: int) -> str:
        return str(ipaddress.IPv4Network(self.network)[last])

    @property
    def resolver(self) -> str:
        return self._address(53)

    @property
    def packages(self) -> str:
        """The package front: every mirror's name resolves to it."""
        return self._address(80)

    @property
    def readings(self) -> str:
        """The outside API that the example's collector fetches from."""
        return self._address(90)

    @property
    def edge(self) -> str:
        """Every distribution's name resolves to it."""
        return self._address(100)

    @property
    def api(self) -> str:
        """S3, as seen from inside the lab."""
        return self._address(110)

    @property
    def aws(self) -> str:
        """The AWS API without S3, as seen from inside the lab: an S3 gateway endpoint does not lead here."""
        return self._address(111)

    @property
    def visitor(self) -> str:
        """The address that ``lab exec internet`` speaks from."""
        return self._address(200)

    @property
    def elastic(self) -> str:
        """The pool of Elastic and public addresses (a /18)."""
        return f"{self._address(64 * 256)}/18"


@dataclass(frozen=True)
class Settings:
    """One lab. Ports are on the machine's loopback."""

    root: Path
    cache: Path
    internet: Internet
    api_port: int = 8566
    connect_port: int = 8567
    edge_port: int = 8080
    region: str = DEFAULT_REGION
    api_only: bool = False

    @property
    def state(self) -> Path:
        return self.root / ".lab"

    @property
    def control_socket(self) -> Path:
        return self.state / "control.sock"

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"


def choose_internet(used: Iterable[str]) -> Internet:
    """Return a simulated internet that overlaps none of the machine's networks (CIDRs in ``used``)."""
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in used]
    for candidate in _INTERNET_CANDIDATES:
        if not any(ipaddress.IPv4Network(candidate).overlaps(n) for n in networks if n.version == 4):
            return Internet(candidate)
    raise ValueError(
        f"This machine uses all of {', '.join(_INTERNET_CANDIDATES)}; free one of them for the lab's internet."
    )


def from_environment(root: Path, environ: Mapping[str, str] = os.environ, used: Iterable[str] = ()) -> Settings:
    """Settings of the lab whose project stands at ``root``; LAB_API_PORT, LAB_CONNECT_PORT, LAB_EDGE_PORT override."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "madang"
    return Settings(
        root=root,
        cache=cache,
        internet=choose_internet(used),
        api_port=int(environ.get("LAB_API_PORT", "8566")),
        connect_port=int(environ.get("LAB_CONNECT_PORT", "8567")),
        edge_port=int(environ.get("LAB_EDGE_PORT", "8080")),
    )
