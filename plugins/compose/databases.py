"""The databases: schemas and users, by their settings and first-start scripts, and whether one follows another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .ledger import Service

INIT = "/docker-entrypoint-initdb.d"
DATA = ("/var/lib/mysql", "/bitnami/mysql", "/bitnami/mariadb")
CREATE = re.compile(r"CREATE\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+NOT\s+EXISTS\s+)?[`\\]*(\w+)", re.I)
GRANT = re.compile(
    r"GRANT\s+([\w\s,()]+?)\s+ON\s+[`\\]*([\w*]+)[`\\]*\s*\.\s*[`\\]*([\w*]+)[`\\]*\s+TO\s+([^;\n]+)", re.I
)
GRANTED = re.compile(r"(?:^|,)\s*['\"`]?(\w+)['\"`]?(?:@['\"`]?[\w.%-]*['\"`]?)?")
OF_GRANTS = re.compile(r"\s(?:IDENTIFIED|REQUIRE|WITH|AS)\s.*", re.I)
FOLLOWS = re.compile(r"(?:SOURCE|MASTER)_HOST\s*=\s*['\"]([\w.-]+)['\"]", re.I)
REPLICATES = re.compile(r"REPLICATION\s+(?:SLAVE|REPLICA)", re.I)
OWN_USERS = ("root", "mysql")
ALL_SCHEMAS = "*"


@dataclass
class Server:
    """One database: its schemas in the order they were found, users' privileges, and whose passwords secrets are."""

    name: str
    schemas: list[str] = field(default_factory=list)
    # By user and schema: ALL_SCHEMAS, or empty for the first one.
    grants: dict[tuple[str, str], str] = field(default_factory=dict)
    # Who has privileges on a part of a schema, and on which.
    partial: list[tuple[str, str]] = field(default_factory=list)
    # The user whose password a compose secret is, and a password that is written into the file.
    secrets: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    follows: str = ""
    scripts: list[str] = field(default_factory=list)


def setting(environment: Mapping[str, object], name: str) -> str:
    """A setting of the mysql and mariadb images, under either name."""
    return str(environment.get(f"MYSQL_{name}") or environment.get(f"MARIADB_{name}") or "")


def read(name: str, service: Service) -> Server:
    """What one service's settings and scripts say."""
    environment = service.get("environment") or {}
    server = Server(name)
    if setting(environment, "DATABASE"):
        server.schemas.append(setting(environment, "DATABASE"))
    user = setting(environment, "USER")
    if user and user not in OWN_USERS:
        server.grants[user, setting(environment, "DATABASE")] = "ALL"  # as the image's first start gives it
    for owner, key in ((user, "PASSWORD"), ("root", "ROOT_PASSWORD")):
        file = setting(environment, f"{key}_FILE")
        if owner and file:
            server.secrets[Path(file).name] = owner
        if owner and setting(environment, key):
            server.passwords[setting(environment, key)] = owner
    for path in scripts(service):
        server.scripts.append(path.name)
        _script(server, path.read_text(errors="replace"))
    server.follows = server.follows or setting(environment, "MASTER_HOST")
    return server


def scripts(service: Service) -> Iterator[Path]:
    """The scripts of the image's first start that are mounted from this machine."""
    for volume in service.get("volumes") or []:
        source = Path(str(volume.get("source", "")))
        if str(volume.get("target", "")).startswith(INIT) and volume.get("type") == "bind":
            yield from (
                sorted(path for path in source.glob("*") if path.is_file())
                if source.is_dir()
                else [source] * (source.is_file())
            )


def _script(server: Server, text: str) -> None:
    for schema in CREATE.findall(text):
        if schema not in server.schemas:
            server.schemas.append(schema)
    for privileges, schema, table, to in GRANT.findall(text):
        words = [re.sub(r"\s+", " ", word).strip().upper() for word in privileges.split(",")]
        granted = ",".join("ALL" if word == "ALL PRIVILEGES" else word for word in words)
        for user in GRANTED.findall(OF_GRANTS.sub("", to)):
            if REPLICATES.search(privileges) or user in OWN_USERS:
                continue
            if table != "*" or "(" in privileges:
                server.partial.append((user, f"{schema}.{table}"))
            else:
                server.grants[user, schema] = merged(server.grants.get((user, schema), ""), granted)
            if schema != ALL_SCHEMAS and schema not in server.schemas:
                server.schemas.append(schema)
    for user in re.findall(r"CREATE\s+USER\s+(?:IF\s+NOT\s+EXISTS\s+)?['\"`]?(\w+)", text, re.I):
        # compose's own habit: a secret is called after the user whose password it is
        server.secrets.setdefault(f"{user}_password", user)
    followed = FOLLOWS.search(text)
    if followed:
        server.follows = followed[1]


def merged(before: str, more: str) -> str:
    """Privileges that were granted twice, together."""
    words = dict.fromkeys(word for word in [*before.split(","), *more.split(",")] if word)
    return "ALL" if "ALL" in words else ",".join(words)


def source_of(servers: Mapping[str, Server]) -> str:
    """The server that another one follows; empty where none does."""
    return next((server.follows for server in servers.values() if server.follows in servers), "")
