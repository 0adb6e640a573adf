"""The account of a database server's keys: each goes into the ledger, as carried over or with a sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from . import account, hidden
from .databases import DATA, INIT
from .ledger import Ledger, Service

# The mysql image's settings that are read; the others mean something to the image alone.
READ_SETTINGS = ("DATABASE", "USER", "PASSWORD", "PASSWORD_FILE", "MASTER_HOST")
REPLICATION_SETTINGS = "REPLICATION_"
ROOT_SETTINGS = ("ROOT_", "MASTER_ROOT", "RANDOM_ROOT", "ALLOW_EMPTY")
REPLICATION_OPTIONS = tuple(
    spelling
    for option in (
        "server-id", "gtid", "enforce-gtid", "log-bin", "binlog", "relay", "read-only", "super-read-only",
        "log-replica", "log-slave",
    )
    for spelling in (option, option.replace("-", "_"))
)  # fmt: skip


def database(ledger: Ledger, name: str, service: Service, known: Collection[str]) -> None:
    """A MySQL server."""
    at = ("services", name)
    image = str(service.get("image", ""))
    if image.split("@")[0].rsplit("/", 1)[-1] in ("mysql:8.4", "mysql:8", "mysql:lts", "mysql"):
        ledger.carry(*at, "image", to="the hosts' own MySQL 8.4, installed by apt")
    elif "image" in service:
        kind = (
            "MariaDB becomes MySQL, which differs in places"
            if "maria" in image
            else "the version is the distribution's"
        )
        ledger.say(*at, "image", sentence=f"{image} becomes the hosts' own MySQL 8.4, installed by apt; {kind}")
    if "build" in service:
        ledger.say(*at, "build", sentence="no image is built; the hosts' own MySQL 8.4 takes its place")
    if service.get("entrypoint") is not None:
        ledger.say(*at, "entrypoint", sentence="the hosts' own MySQL is started by systemd")
    for variable in service.get("environment") or {}:
        _setting(ledger, (*at, "environment", variable), variable)
    _options(ledger, (*at, "command"), service.get("command"), known)
    account.health(ledger, name, service.get("healthcheck") or {}, "Madang's own checks", ("timeout", "start_interval"))
    for index, port in enumerate(service.get("ports") or []):
        published = port.get("published", port.get("target"))
        sentence = (
            f"nothing outside of the VPC reaches a database, so {published} is not published; `lab ssh` "
            "or the connect endpoint leads to the host"
        )
        ledger.say(*at, "ports", str(index), sentence=sentence)
    for index, number in enumerate(service.get("expose") or []):
        if str(number).removesuffix("/tcp") == "3306":
            ledger.carry(*at, "expose", str(index), to="mysql_port")
        else:
            sentence = f"it is {number}; no rule admits it, since MySQL's clients ask mysql_port alone"
            ledger.say(*at, "expose", str(index), sentence=sentence)
    for index, secret in enumerate(service.get("secrets") or []):
        to = f"Secrets Manager, which generates it ({secret['source']})"
        ledger.carry_keys(*at, "secrets", str(index), of=secret, keys=("source", "target"), to=to)
    for index, volume in enumerate(service.get("volumes") or []):
        place = (*at, "volumes", str(index))
        target = str(volume.get("target", ""))
        if target.startswith(INIT):
            ledger.say(
                *place,
                sentence=(
                    "it is not run; the schema, users and privileges are read from it, and the rest "
                    "belongs to backend_migrate_command"
                ),
            )
        elif target.startswith(DATA):
            ledger.say(
                *place,
                sentence=(
                    "the host's encrypted volume takes its place (instances_volume_size), and its data is not moved; "
                    "dump it with mysqldump here, and load the dump with mysql on the host"
                ),
            )
        else:
            ledger.say(*place, sentence=f"{target} is not put on the host; MySQL's configuration is the role mysql's")
    if "configs" in service:
        ledger.say(*at, "configs", sentence="it is not put on the host; MySQL's configuration is the role mysql's")


def _setting(ledger: Ledger, at: tuple[str, ...], variable: str) -> None:
    bare = variable.removeprefix("MYSQL_").removeprefix("MARIADB_")
    if bare == variable:
        ledger.say(*at, sentence="it is the image's; the hosts' MySQL has no such setting")
    elif bare in READ_SETTINGS:
        to = "Secrets Manager, which generates a password" if "PASSWORD" in bare else "mysql_database and mysql_users"
        ledger.carry(*at, to=to)
    elif bare.startswith(REPLICATION_SETTINGS):
        ledger.carry(*at, to="the role mysql, which sets up replication with a user of its own")
    elif bare.startswith(ROOT_SETTINGS):
        ledger.say(
            *at,
            sentence="root has no password: the host's own root is known at the server's socket, and nobody else is",
        )
    else:
        ledger.say(*at, sentence="it is the image's; the hosts' MySQL has no such setting")


def _options(ledger: Ledger, at: tuple[str, ...], command: Any, known: Collection[str]) -> None:
    if command is None:
        return
    words = [str(word) for word in command if str(word) not in ("mysqld", "mariadbd")]
    others = [word for word in words if not word.lstrip("-").startswith(REPLICATION_OPTIONS)]
    others = [word for word in others if "utf8mb4" not in word or "collat" in word]
    if others:
        if hidden.found(others, known):
            others = [word.partition("=")[0] for word in others if word.startswith("-")]
        ledger.say(
            *at,
            sentence=f"{' '.join(others) or 'it'} is not set on the hosts; MySQL's configuration is the role mysql's",
        )
    else:
        ledger.carry(*at, to="the role mysql, which sets replication and utf8mb4 itself")
