"""The backend and the collector: sources, command, settings, health, port."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import account, classify, commands, hidden, hosts, settings
from .ledger import Ledger, Service
from .sources import Sources, mentions
from .words import listed, names_host
from .work import Work

RUNTIMES = ("python", "nodejs", "java", "binary")
DEFAULT_TIMEOUT = 60
# What curl and wget send besides the path.
OPTIONS = re.compile(r"\s(-H|--header|-u|--user|-X|--request|--method|-d|--data|--post-data|-b|--cookie)\b")


def service(work: Work, part: str) -> None:
    name = work.name_of(part)
    service, sources, ledger = work.services[name], work.sources[name], work.plan.ledger
    if sources.directory is None:
        work.ask(
            f"{name} has no sources on this machine to build; give it a build context, or write "
            f"another -e compose_{part}=NAME."
        )
        return
    runtime, why = classify.language(sources, work.answers.get(f"{part}_runtime"))
    if runtime not in RUNTIMES:
        found = (
            listed([file for _, file in sources.runtimes], "and")
            if sources.runtimes
            else "no file that says its language"
        )
        work.ask(f"{name} has {found}; write -e compose_{part}_runtime=NAME, of {listed(RUNTIMES)}.")
        return
    work.decide(f"{name} runs by {runtime}: {why}.")
    begin = commands.start(service, sources, runtime)
    answer = work.answers.get(f"{part}_command")
    if not answer and not begin.command:
        work.ask(f"Nothing says how {name} is started; write -e compose_{part}_command='COMMAND'.")
    if answer:
        _holds_secret(work, f"compose_{part}_command", [answer], _environment(name), looks=False)
    held = bool(not answer or begin.migrate) and _holds_secret(
        work, f"The command of {name}", begin.words, _environment(name)
    )
    context = settings.Context(part, name, _database_names(work), work.servers, ledger, work.known)
    kept = settings.read(context, service, sources.dockerfile.environment)
    work.runtimes[part], work.settings[part] = runtime, kept
    values: dict[str, Any] = {
        f"project_{part}": work.path(sources.directory),
        f"{part}_runtime": runtime,
        f"{part}_command": answer or begin.command,
        f"{part}_environment": kept.environment,
        f"{part}_secrets": kept.secrets,
        f"{part}_memory_max": _memory(ledger, name, service),
    }
    work.set(**values, **{f"{part}_{key}": value for key, value in kept.own.items()})
    if begin.reason and not answer and not held:
        work.decide(f"{name} is started by `{begin.command}`, as {begin.reason} has it.")
    _health(work, part, begin.command)
    account.service(ledger, name, service, part, sources, _used_ports(work, service) if part == "backend" else [])
    if part == "backend":
        _migrate(work, begin, held)
    elif begin.migrate:
        # a collector has nothing run before it: its own command stays whole
        work.set(collector_command=f'/bin/sh -c "{begin.migrate} && exec {begin.command}"')
    _references(work, part)
    _encryption(work, part)


def _holds_secret(work: Work, where: str, words: Sequence[str], instead: str, looks: bool = True) -> bool:
    """Whether a command says a secret, so that it may neither be written nor shown; then it asks for another."""
    what = hidden.found(words, work.known, looks)
    if what:
        work.ask(f"{where} says a secret ({what}), and commands are written to files; {instead}.")
    return bool(what)


def _environment(service: str) -> str:
    return f"move it into the environment of {service}, where it is kept secret, and let the program read it there"


def _database_names(work: Work) -> dict[str, str]:
    return {
        alias: name
        for name in work.parts.databases
        for alias in [name, *hosts.aliases(name, work.services), hosts.host_name(name)]
    }


def _memory(ledger: Ledger, name: str, service: Service) -> str:
    """The memory limit, as systemd writes it."""
    at = ("services", name)
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    for path, value in (
        ((*at, "deploy", "resources", "limits", "memory"), limits.get("memory")),
        ((*at, "mem_limit"), service.get("mem_limit")),
    ):
        if value:
            ledger.carry(*path, to="its unit's MemoryMax")
            size = int(value)
            return f"{size // 2**20}M" if size % 2**20 == 0 else str(size)
    return ""


def _health(work: Work, part: str, command: str) -> None:
    name = work.name_of(part)
    service, sources = work.services[name], work.sources[name]
    check = commands.health(service, work.runtimes[part])
    path = check.path if check else ""
    timeout = DEFAULT_TIMEOUT if check is None else max(DEFAULT_TIMEOUT, round(check.seconds))
    work.set(**{f"{part}_health_timeout": timeout, f"{part}_health_command": check.command if check else ""})
    held = _holds_secret(
        work,
        f"The health check of {name}",
        check.words if check else (),
        f"write one that needs none, since it is run without the secrets of {name}",
    )
    if part == "backend":
        work.set(backend_health_path=path)
        said = (
            f"when {path} answers 200"
            if path
            else f"when `{check.command}` exits 0"
            if check
            else "when it keeps running: it has no health check"
        )
        if not held:
            work.decide(f"{name} is healthy {said}.")
        _port(work, sources, command, check.port if check else None)
    elif path:
        port = f":{check.port}" if check and check.port else ""
        url = f"http://127.0.0.1{port}{path}"
        work.set(collector_health_command=f"curl --fail --silent --output /dev/null {url}")
    if path and OPTIONS.search(" ".join(map(str, service["healthcheck"]["test"]))):
        sentence = "the path alone is asked for, without what else the command sends"
        work.plan.ledger.say("services", name, "healthcheck", "test", sentence=sentence)
    if "healthcheck" in service and check:
        account.health(work.plan.ledger, name, service["healthcheck"], f"{part}_health_path and {part}_health_command")
    elif "healthcheck" in service:
        off = ("timeout", "start_interval")
        account.health(work.plan.ledger, name, service["healthcheck"], "nothing: it is off", off)


def _port(work: Work, sources: Sources, command: str, checked: int | None) -> None:
    name = work.parts.backend
    answer = work.answers.get("backend_port")
    if answer:
        work.set(backend_port=int(answer) if answer.isdigit() else answer)
        return
    evidence = commands.ports(work.services[name], sources, command, checked)
    if not evidence:
        work.ask(f"Nothing says which port {name} listens on; write -e compose_backend_port=PORT.")
        return
    where, numbers = evidence[0]
    if len(numbers) > 1:
        work.ask(
            f"{name} has the ports {listed(map(str, numbers), 'and')}, by {where}; write -e "
            "compose_backend_port=PORT for the one that CloudFront asks."
        )
    elif numbers[0] < 1024:
        work.ask(
            f"{name} listens on port {numbers[0]}, by {where}, and an unprivileged service cannot; "
            "write -e compose_backend_port=PORT, "
            "1024 or more, which it is told as PORT."
        )
    else:
        work.set(backend_port=numbers[0])
        work.decide(f"{name} listens on port {numbers[0]}, by {where}.")


def _used_ports(work: Work, service: Service) -> list[int]:
    """The backend's port, and the one published port that an answer puts it in the place of."""
    port = work.plan.variables.get("backend_port")
    published = {int(one["target"]) for one in service.get("ports") or [] if one.get("protocol", "tcp") == "tcp"}
    replaced = published if work.answers.get("backend_port") and len(published) == 1 else set()
    return sorted({*([port] if isinstance(port, int) else []), *replaced})


def _migrate(work: Work, begin: commands.Start, held: bool) -> None:
    migrate = begin.migrate
    if work.parts.migrate:
        once = commands.start(
            work.services[work.parts.migrate], work.sources[work.parts.migrate], work.runtimes["backend"]
        )
        migrate = once.command
        if _holds_secret(work, f"The command of {work.parts.migrate}", once.words, _environment(work.parts.backend)):
            return
    work.set(backend_migrate_command=migrate)
    if migrate and not held:
        work.decide(f"Before each release `{migrate}` is run.")


def _references(work: Work, part: str) -> None:
    """Settings that name what is not deployed: they stay, and somebody has to look at them."""
    name = work.name_of(part)
    kept = {*work.settings[part].environment, *(secret["variable"] for secret in work.settings[part].secrets)}
    for variable, value in (work.services[name].get("environment") or {}).items():
        absent = next((other for other in work.parts.absent if names_host(str(value), other)), "")
        if absent and variable in kept:
            sentence = f"it is carried over, but it names {absent}, which has no place; write another address"
            work.plan.ledger.say("services", name, "environment", variable, sentence=sentence)


def _encryption(work: Work, part: str) -> None:
    """MySQL refuses what is not encrypted; a container's network did not ask for it."""
    sources = work.sources[work.name_of(part)]
    if work.settings[part].connections and not mentions(sources, "DATABASE_TLS_CA_FILE"):
        work.decide(
            f"{work.name_of(part)} must speak TLS to MySQL, which refuses anything else; DATABASE_TLS_CA_FILE names "
            "the file of the authority to trust, and nothing in its sources asks for it yet."
        )
