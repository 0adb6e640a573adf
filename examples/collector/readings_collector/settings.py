"""Settings, read once from the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which and what to write."""


@dataclass(frozen=True)
class Database:
    """Where MySQL is. ``tls_ca_file`` makes TLS required and the server's certificate checked."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    tls_ca_file: str | None = None


@dataclass(frozen=True)
class Settings:
    """One collector: what it fetches, how often (seconds), where it stores.

    ``success_file`` is touched after each round that worked; a health check looks at its age.
    """

    source_url: str
    interval: float
    database: Database
    success_file: Path | None = None


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; the password comes from a file, so that no environment ever holds it."""
    return Settings(
        source_url=_url(environ, "SOURCE_URL"),
        interval=_seconds(environ, "INTERVAL_SECONDS", 5),
        database=Database(
            host=_required(environ, "DATABASE_HOST"),
            port=_port(environ, "DATABASE_PORT", 3306),
            name=_required(environ, "DATABASE_NAME"),
            user=_required(environ, "DATABASE_USER"),
            password=_secret(environ, "DATABASE_PASSWORD_FILE"),
            tls_ca_file=environ.get("DATABASE_TLS_CA_FILE") or None,
        ),
        success_file=success_file(environ),
    )


def success_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file whose age tells how long ago a round worked: in systemd's RuntimeDirectory, if there is one."""
    directory = environ.get("RUNTIME_DIRECTORY")
    return Path(directory) / "last-success" if directory else None


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set.")
    return value


def _url(environ: Mapping[str, str], name: str) -> str:
    url = _required(environ, name)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name} is {url!r}; it must start with http:// or https:// and name a host.")
    return url


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= 86400:
        raise SettingsError(f"{name} is {text!r}; it must be a number of seconds from 1 to 86400.")
    return seconds


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError(f"{name} is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


def _secret(environ: Mapping[str, str], name: str) -> str:
    path = Path(_required(environ, name))
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingsError(f"{name} names {path}, which cannot be read: {error.strerror}.") from error
