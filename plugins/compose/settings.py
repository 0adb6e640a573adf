"""A service's environment: what is plain, what is secret, and what says how it reaches its database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .databases import Server
from .ledger import Ledger, Service
from .words import HOST_SUFFIX

URL = re.compile(
    r"(?P<scheme>(?:jdbc:)?(?:mysql|mariadb)[\w+]*://)(?:(?P<user>[^:@/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>[\w.-]+)(?::(?P<port>\d+))?(?:/(?P<name>\w*))?"
)
USERS = ("USER", "USERNAME", "LOGIN")
NAMES = ("NAME", "DATABASE", "DB", "SCHEMA", "DBNAME")
PASSWORDS = ("PASSWORD", "PASS", "PWD", "PASSWD")

CERTAIN = re.compile(r"PASS(WD|WORD|PHRASE)?(_|$)|(^|_)PWD(_|$)|SECRET|CREDENTIAL|PRIVATE", re.I)
LIKELY = re.compile(
    r"(^|_)(\w*KEY|\w*TOKEN|SALT|PEPPER|DSN|WEBHOOK\w*|JWT\w*|AUTH|SIGNATURE|CERT|COOKIE|SESSION)(_|$)", re.I
)
TRIVIAL = re.compile(r"|true|false|yes|no|on|off|none|\d{1,6}[smhd]?", re.I)
RANDOM = re.compile(r"(?=.*[A-Za-z])(?=.*\d)[A-Za-z0-9+/=_-]{20,}")
# An address with a password in it, as URLs have it and as Go's driver does; or with a key among its parameters.
WITH_PASSWORD = re.compile(r"\w+://[^/@\s:]*:[^/@\s]+@|\w+:[^/@\s]+@\w*\(")
WITH_KEY = re.compile(r"[?&][\w.-]*(?:key|token|secret|password|passwd|pwd|signature|sig)=(?![$/])[^&\s]", re.I)
# A setting of several, as JSON has them and as drivers' connection strings do.
WITHIN = re.compile(
    r"(?:^|[\"'\s{,;])[\w.-]*(?:password|passwd|pwd|secret|token|key)[\"']?\s*[:=]\s*[\"']?(?![$/])[^\s\"',;}]", re.I
)

# What the roles give every service under these names.
OWN = {
    "DATABASE_HOST": "database_host",
    "DATABASE_PORT": "database_port",
    "DATABASE_NAME": "database_name",
    "DATABASE_USER": "database_user",
}
SYSTEMD = ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY")
# What the unit, or the host, sets by itself.
IMAGES_OWN = ("PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "LANG", "HOME")


@dataclass(frozen=True)
class Connection:
    """How a service reaches a database; ``password`` is the variable that holds, or names the file of, its password."""

    host: str
    user: str = ""
    name: str = ""
    port: str = ""
    password: str = ""


@dataclass
class Settings:
    """What becomes of one service's environment and secrets."""

    environment: dict[str, Any] = field(default_factory=dict)
    secrets: list[dict[str, Any]] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)


def is_secret(name: str, value: str) -> bool:
    """Whether a setting has to be kept secret, by its name or by its looks; in doubt it has."""
    if CERTAIN.search(name) and value:
        return True
    if TRIVIAL.fullmatch(value):
        return False
    part = WITH_PASSWORD.search(value) or WITH_KEY.search(value) or WITHIN.search(value)
    return bool(LIKELY.search(name) or part or RANDOM.fullmatch(value) or value.startswith("-----BEGIN "))


def connections(environment: Mapping[str, Any], hosts: Mapping[str, str]) -> list[Connection]:
    """The connections that a service's settings describe; ``hosts`` gives each name of a database its service."""
    found: list[Connection] = []
    for variable, value in sorted(environment.items(), key=lambda item: not item[0].startswith("DATABASE_")):
        url = URL.search(str(value or ""))
        host = url["host"] if url else str(value or "").split(":")[0]
        if host not in hosts or not (url or HOST_SUFFIX.search(variable)):
            continue
        prefix = HOST_SUFFIX.sub("", variable)
        password = _beside(environment, prefix, [f"{name}{end}" for name in PASSWORDS for end in ("_FILE", "")])
        found.append(
            Connection(
                hosts[host],
                (url and url["user"]) or str(environment.get(_beside(environment, prefix, USERS)) or ""),
                (url and url["name"]) or str(environment.get(_beside(environment, prefix, NAMES)) or ""),
                (url and url["port"]) or str(environment.get(_beside(environment, prefix, ["PORT"])) or ""),
                variable if url and url["password"] else password,
            )
        )
    told = [one for one in found if one.user or one.name or one.password]
    bare = [one for one in found if one not in told and one.host not in {other.host for other in told}]
    return list(dict.fromkeys([*told, *bare]))


def _beside(environment: Mapping[str, Any], prefix: str, endings: list[str] | tuple[str, ...]) -> str:
    """The variable with the same beginning and one of these endings."""
    return next((name for end in endings if (name := f"{prefix}_{end}" if prefix else end) in environment), "")


@dataclass(frozen=True)
class Context:
    """What the settings of one service are read with. ``part`` is backend or collector; ``user`` gives a database's
    user the name that it has on the hosts: root, whom no service may be, becomes one of its own."""

    part: str
    service: str
    hosts: Mapping[str, str]
    servers: Mapping[str, Server]
    ledger: Ledger
    # values that are secret elsewhere in the file
    known: frozenset[str] = frozenset()

    def user(self, name: str) -> str:
        return self.part if name in ("", "root") else name


def read(context: Context, service: Service, defaults: Mapping[str, str]) -> Settings:
    """Sort a service's environment and secrets; ``defaults`` is what its image sets."""
    inherited = {name: value for name, value in defaults.items() if name not in IMAGES_OWN}
    environment = {**inherited, **(service.get("environment") or {})}
    settings = Settings(connections=connections(environment, context.hosts))
    files = {_target(secret): str(secret["source"]) for secret in service.get("secrets") or []}
    named: set[str] = set()
    for variable, value in environment.items():
        source = files.get(str(value))
        if source is not None:
            named.add(source)
            _secret_file(context, settings, variable, source)
        else:
            _setting(context, settings, variable, value)
    for index, secret in enumerate(service.get("secrets") or []):
        source = str(secret["source"])
        at = ("services", context.service, "secrets", str(index))
        if source not in named:
            _secret_file(context, settings, f"{re.sub(r'[^A-Za-z0-9]', '_', source).upper()}_FILE", source)
            context.ledger.say(
                *at,
                sentence=f"it is no file in /run/secrets: {settings.secrets[-1]['variable']} names the file instead, "
                "and code that opens the old path must ask that variable",
            )
        else:
            to = f"{context.part}_secrets"
            context.ledger.carry_keys(*at, of=secret, keys=("source", "target"), to=to)
    return settings


def _target(secret: Mapping[str, Any]) -> str:
    target = str(secret.get("target") or secret["source"])
    return target if target.startswith("/") else f"/run/secrets/{target}"


def _secret_file(context: Context, settings: Settings, variable: str, source: str) -> None:
    """A secret that compose mounts as a file, and a variable names."""
    at = ("services", context.service, "environment", variable)
    owners = [server.secrets[source] for server in context.servers.values() if source in server.secrets]
    owners += [connection.user for connection in settings.connections if connection.password == variable]
    if owners and variable == "DATABASE_PASSWORD_FILE":
        context.ledger.carry(*at, to=f"{context.part}_database_password")
        return
    context.ledger.carry(*at, to=f"{context.part}_secrets")
    if owners:
        settings.secrets.append({"name": f"mysql-user-{context.user(owners[0])}", "variable": variable})
    else:
        name = f"secret-{re.sub(r'[^a-z0-9]', '-', source.lower())}"
        settings.secrets.append({"name": name, "variable": variable, "compose": f"secrets.{source}"})


def _setting(context: Context, settings: Settings, variable: str, value: Any) -> None:
    at = ("services", context.service, "environment", variable)
    part, ledger = context.part, context.ledger
    if value is None:
        ledger.say(*at, sentence=f"it has no value here, as in compose; write it in {part}_environment if it needs one")
        return
    value = str(value)
    url = URL.search(value)
    if url and url["host"] in context.hosts:
        _connection_string(context, settings, variable, value, url)
    elif variable in SYSTEMD:
        ledger.say(*at, sentence="systemd gives the service a directory of its own under this name")
    elif variable in OWN and (variable != "DATABASE_HOST" or value in context.hosts):
        owned: Any = context.user(value) if variable == "DATABASE_USER" else value
        owned = context.hosts[value] if variable == "DATABASE_HOST" else owned
        settings.own[OWN[variable]] = int(owned) if variable == "DATABASE_PORT" and owned.isdigit() else owned
        ledger.carry(*at, to=f"{part}_{OWN[variable]}")
        _root(context, at, value if variable == "DATABASE_USER" else "")
    elif part == "backend" and variable == "PORT" and value.isdigit():
        ledger.carry(*at, to="backend_port")
    elif (
        part == "collector" and variable == "SOURCE_URL" and re.match(r"https?://", value) and not is_secret("", value)
    ):
        settings.own["source_url"] = value
        ledger.carry(*at, to="collector_source_url")
    elif part == "collector" and variable == "INTERVAL_SECONDS" and re.fullmatch(r"\d+(\.\d+)?", value):
        settings.own["interval_seconds"] = int(value) if value.isdigit() else float(value)
        ledger.carry(*at, to="collector_interval_seconds")
    else:
        _plain_or_secret(context, settings, variable, value)


def _root(context: Context, at: tuple[str, ...], user: str) -> None:
    if user == "root":
        sentence = f"root has no password and no way in by the network; the {context.part} is a user of its own"
        context.ledger.say(*at, sentence=sentence)


def _plain_or_secret(context: Context, settings: Settings, variable: str, value: str) -> None:
    at = ("services", context.service, "environment", variable)
    part = context.part
    owner = _owner(context, settings, variable, value)
    if owner:
        settings.secrets.append(
            {"name": f"mysql-user-{context.user(owner)}", "variable": variable, "environment": True}
        )
        context.ledger.carry(*at, to=f"{part}_secrets")
    elif is_secret(variable, value) or value in context.known:
        name = f"{part}-{variable.lower().replace('_', '-')}"
        compose = f"services.{context.service}.environment.{variable}"
        settings.secrets.append({"name": name, "variable": variable, "environment": True, "compose": compose})
        context.ledger.carry(*at, to=f"{part}_secrets")
    elif value == "root" and re.search(r"USER", variable, re.I):
        settings.environment[variable] = context.user(value)
        _root(context, at, value)
    else:
        settings.environment[variable] = value
        context.ledger.carry(*at, to=f"{part}_environment")


def _owner(context: Context, settings: Settings, variable: str, value: str) -> str:
    """The database's user whose password this is; empty where it is none."""
    for connection in settings.connections:
        if connection.password == variable:
            return connection.user or "root"
    if not CERTAIN.search(variable) and value not in context.known:
        return ""
    return next((server.passwords[value] for server in context.servers.values() if value in server.passwords), "")


def _connection_string(context: Context, settings: Settings, variable: str, value: str, url: re.Match[str]) -> None:
    """A connection string: kept as it is, but for the password, whose place Secrets Manager's takes."""
    at = ("services", context.service, "environment", variable)
    user = context.user(url["user"] or "")
    if not url["password"]:
        query = re.search(r"[?&]password=([^&]*)", value)
        if query is None:
            settings.environment[variable] = value.replace("//root@", f"//{user}@")
            context.ledger.carry(*at, to=f"{context.part}_environment")
            return
        template = value.replace(query[1], "{secret}")
    else:
        start, end = url.span("password")
        template = f"{value[:start]}{{secret}}{value[end:]}".replace("//root:", f"//{user}:")
    record = {"name": f"mysql-user-{user}", "variable": variable, "environment": True, "value": template}
    settings.secrets.append(record)
    context.ledger.carry(*at, to=f"{context.part}_secrets")
    _root(context, at, url["user"] or "")
