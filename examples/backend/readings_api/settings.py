"""Settings, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
    """One running API: the address that it listens on, and its database."""

    host: str
    port: int
    database: Database


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; the password comes from a file, so that no environment ever holds it."""
    return Settings(
        host=environ.get("LISTEN_HOST", "0.0.0.0"),  # the security group decides who may connect
        port=_port(environ, "PORT", 8000),
        database=database_from_environment(environ),
    )


def database_from_environment(environ: Mapping[str, str] = os.environ) -> Database:
    """Read the DATABASE_… variables."""
    return Database(
        host=_required(environ, "DATABASE_HOST"),
        port=_port(environ, "DATABASE_PORT", 3306),
        name=_required(environ, "DATABASE_NAME"),
        user=_required(environ, "DATABASE_USER"),
        password=_secret(environ, "DATABASE_PASSWORD_FILE"),
        tls_ca_file=environ.get("DATABASE_TLS_CA_FILE") or None,
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set.")
    return value


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
