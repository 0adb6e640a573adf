"""Commands, health checks and ports, as a host without containers has them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from .ledger import Service
from .sources import Sources

# Programs that come with a Python package; on a host they are run as modules.
MODULES = [
    "alembic",
    "celery",
    "daphne",
    "fastapi",
    "flask",
    "gunicorn",
    "granian",
    "hypercorn",
    "uvicorn",
    "waitress-serve",
]
MIGRATES = re.compile(r"migrat|alembic|flyway|liquibase|prisma|sequelize|knex|db[:_-]?(push|setup|prepare)", re.I)
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
ADDRESS = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(/[^\s'\"|;)]*)?")
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|h|m|s)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PORT_OPTION = re.compile(
    r"(?:--port|--http-port|-p|-Dserver\.port|--server\.port)[ =](\d+)|(?:--bind|-b)[ =]\S*?:(\d+)"
)


@dataclass(frozen=True)
class Start:
    """How a service starts: what is run before each release, and what runs."""

    command: str
    migrate: str = ""
    reason: str = ""
    words: tuple[str, ...] = ()


def start(service: Service, sources: Sources, runtime: str) -> Start:
    """The command that compose runs, from the file or else from the image's Dockerfile; empty where nothing says."""
    entrypoint, command = service.get("entrypoint"), service.get("command")
    if entrypoint is not None:
        words = [*entrypoint, *(command or [])]
        where = "entrypoint and command" if command else "entrypoint"
    else:
        words = [*sources.dockerfile.entrypoint, *(command if command is not None else sources.dockerfile.command)]
        where = "command" if command is not None else "its Dockerfile"
    words = [str(word) for word in words]
    if not words and runtime == "nodejs" and "start" in (sources.package.get("scripts") or {}):
        words, where = ["npm", "start"], "package.json's start script"
    if not words:
        return Start("")
    said = tuple(words)
    if _shell(words) is None:
        return Start(_command(words, runtime), reason=where, words=said)
    script = str(_shell(words)).strip()
    before, _, last = script.rpartition("&&")
    if before and MIGRATES.search(before) and not MIGRATES.search(last) and "&&" not in before:
        return Start(_script(last.strip(), runtime), _script(before.strip(), runtime), where, said)
    return Start(_script(script, runtime), reason=where, words=said)


def _shell(words: Sequence[str]) -> str | None:
    shells = ("sh", "/bin/sh", "bash", "/bin/bash")
    return words[2] if len(words) == 3 and words[0] in shells and words[1] in ("-c", "-lc", "-ec") else None


def _script(script: str, runtime: str) -> str:
    """A shell's script as the one command that it is, or else as the shell's."""
    script = re.sub(r"^exec\s+", "", script)
    if not re.search(r"[|&;<>()$`*?\n]", script):
        try:
            return _command(shlex.split(script), runtime)
        except ValueError:
            pass
    return f"/bin/sh -c {quoted(script)}"


def _command(words: Sequence[str], runtime: str) -> str:
    first, *others = words
    if runtime == "python" and first in MODULES:
        first, others = "python3", ["-m", first.replace("waitress-serve", "waitress"), *others]
    elif first == "python":
        first = "python3"
    return " ".join(quoted(word) for word in [first, *others])


def quoted(word: str) -> str:
    """A word as systemd reads it: quoted where it must be, with ``$`` and ``%`` standing for themselves."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    if PLAIN.fullmatch(word):
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(frozen=True)
class Health:
    """A path to ask for, or a command to run; seconds that it may take. ``words`` is what of the check is written."""

    path: str = ""
    command: str = ""
    words: tuple[str, ...] = ()
    port: int | None = None
    seconds: float = 0


def health(service: Service, runtime: str) -> Health | None:
    """The health check as the service role has it; None where there is none."""
    check = service.get("healthcheck") or {}
    test = [str(word) for word in check.get("test") or []]
    if not test or check.get("disable") or test[0] == "NONE":
        return None
    words = test[1:] if test[0] in ("CMD", "CMD-SHELL") else test
    seconds = duration(check.get("start_period", "0s")) + int(check.get("retries") or 3) * duration(
        check.get("interval", "30s")
    )
    asked = ADDRESS.search(" ".join(words))
    if asked:
        path = asked[2] or "/"
        return Health(path, words=(path,), port=int(asked[1]) if asked[1] else None, seconds=seconds)
    if test[0] == "CMD-SHELL":
        command = _script(re.sub(r"\s*\|\|\s*exit\s+1\s*$", "", words[0]), runtime)
    else:
        command = _command(words, runtime)
    return Health(command=command, words=tuple(words), seconds=seconds)


def duration(text: object) -> float:
    """Compose's ``1m30s`` in seconds."""
    return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(str(text)))


def ports(service: Service, sources: Sources, command: str, checked: int | None) -> list[tuple[str, list[int]]]:
    """Where the port that it listens on is said, the strongest first, each with what it says."""
    environment = service.get("environment") or {}
    given = str(environment.get("PORT") or sources.dockerfile.environment.get("PORT") or "")
    options = [int(first or second) for first, second in PORT_OPTION.findall(command)]
    published = [int(port["target"]) for port in service.get("ports") or [] if port.get("protocol", "tcp") == "tcp"]
    exposed = [
        int(port.removesuffix("/tcp"))
        for port in map(str, service.get("expose") or [])
        if port.removesuffix("/tcp").isdigit()
    ]
    evidence = [
        ("PORT in its environment", [int(given)] if given.isdigit() else []),
        ("its command", options),
        ("its health check", [checked] if checked else []),
        ("its published port", published),
        ("expose", exposed),
        ("EXPOSE in its Dockerfile", sources.dockerfile.ports),
    ]
    return [(where, sorted(set(numbers))) for where, numbers in evidence if numbers]
