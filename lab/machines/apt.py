"""Which Debian mirror this machine uses, read from its own apt configuration."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

APT = Path("/etc/apt")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_SUITES = re.compile(
    r"^(oldoldstable|oldstable|stable|testing|unstable|sid|buster|bullseye|bookworm|trixie|forky|duke)(-updates)?$"
)
_MIRROR_LIST = re.compile(r"^mirror\+file:(//)?(?P<path>/.*)$")


class NoMirrorError(RuntimeError):
    """The machine's apt configuration names no Debian mirror."""


@dataclass(frozen=True)
class Source:
    """One binary package source: every URI serves every suite and component."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def parse_one_line(text: str) -> tuple[Source, ...]:
    """Read the one-line format (``deb [options] URI SUITE COMPONENT…``)."""
    found = []
    for line in text.splitlines():
        match = re.match(r"^\s*deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<rest>[^#]+)", line)
        if not match:
            continue
        options = dict(part.split("=", 1) for part in (match["options"] or "").split() if "=" in part)
        uri, suite, *components = match["rest"].split()
        found.append(Source((uri,), (suite,), tuple(components), options.get("signed-by", "")))
    return tuple(found)


def parse_deb822(text: str) -> tuple[Source, ...]:
    """Read the deb822 format (stanzas of ``Field: value``); disabled stanzas and source packages are left out."""
    found = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        found.append(
            Source(
                tuple(fields.get("uris", "").split()),
                tuple(fields.get("suites", "").split()),
                tuple(fields.get("components", "").split()),
                fields.get("signed-by", "").strip(),
            )
        )
    return tuple(found)


def read_sources(directory: Path = APT) -> tuple[Source, ...]:
    """Read every source that apt itself would read from its configuration directory."""
    found: list[Source] = []
    main = directory / "sources.list"
    parts = sorted((directory / "sources.list.d").glob("*"))
    for path in [main, *parts]:
        if path.suffix == ".sources":
            found += parse_deb822(path.read_text())
        elif path.suffix == ".list" and path.exists():
            found += parse_one_line(path.read_text())
    return tuple(found)


def _score(source: Source, uri: str) -> int:
    named_debian = uri.rstrip("/").endswith("/debian")
    return 2 * named_debian + 2 * ("debian-archive" in source.signed_by)


def choose_mirror(sources: Iterable[Source]) -> str:
    """Return the URL of the Debian archive among ``sources``; raise NoMirrorError when there is none.

    Other vendors use Debian's suite names too, so an archive called ``debian``
    or signed by Debian's own keyring is preferred to one that is neither.
    """
    candidates = [
        (_score(source, uri), uri)
        for source in sources
        if "main" in source.components and any(_SUITES.match(suite) for suite in source.suites)
        for uri in source.uris
    ]
    best = max(candidates, key=lambda scored: scored[0], default=None)  # max keeps the first of equals
    if best is None:
        raise NoMirrorError(
            f"No Debian mirror found in {APT}/sources.list or {APT}/sources.list.d; add one that serves main "
            "(the machine image is built from it)."
        )
    return best[1]


def follow_mirror_list(url: str) -> str:
    """Follow apt's ``mirror+file:`` method, which Debian's cloud images use, to the first mirror it lists."""
    match = _MIRROR_LIST.match(url)
    if not match:
        return url
    lines = (line.split("#")[0].split() for line in Path(match["path"]).read_text().splitlines())
    first = next((words[0] for words in lines if words), None)
    if first is None:
        raise NoMirrorError(f"{match['path']} lists no mirror; add one, the machine image is built from it.")
    return first


def machine_mirror() -> str:
    """Return the URL of this machine's Debian mirror, without a trailing slash."""
    return follow_mirror_list(choose_mirror(read_sources())).rstrip("/")


def guest_url(url: str) -> str:
    """Return ``url`` as guests use it: plain HTTP, which the lab's package front answers, and no credentials."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.port and parts.scheme == "http":
        host += f":{parts.port}"
    return urlunsplit(("http", host, parts.path, "", ""))


def transport_options(dump: str) -> tuple[str, ...]:
    """Pick from ``apt-config dump`` what reaches the mirror: proxies, certificates, retries, validity of dates."""
    wanted = re.compile(r"^Acquire::(https?|Retries|Check-Valid-Until|Check-Date)(::\S+)? \"[^\"]+\";$", re.IGNORECASE)
    return tuple(line for line in _lines(dump) if wanted.match(line))


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines())


def machine_transport_options() -> tuple[str, ...]:
    """``transport_options`` of this machine."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return transport_options(dump)
