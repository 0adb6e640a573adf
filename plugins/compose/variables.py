"""A compose file as Madang's variables: every part's decision, put together."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import account, classify, commands, databases, hosts, settings
from .databases import Server
from .ledger import Ledger, Service
from .sources import Sources
from .sources import read as read_sources
from .words import Answers, listed, names_host

RUNTIMES = ("python", "nodejs", "java", "binary")
PROJECT = re.compile(r"(?!sg-|xn--|sthree-|amzn-)(?!sg$)[a-z]([a-z0-9-]{0,18}[a-z0-9])?")
PUBLIC = re.compile(r"(VITE_|REACT_APP_|VUE_APP_|PUBLIC_|NG_APP_|NEXT_PUBLIC_|NUXT_PUBLIC_|NODE_ENV)")
LOCAL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?")
DEFAULT_TIMEOUT = 60


@dataclass
class Plan:
    """``variables`` is what to write, by name; ``decisions`` and ``listed`` are for people; ``asks`` stops everything."""

    variables: dict[str, Any] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)


@dataclass
class _Work:
    """What the steps below share."""

    model: Mapping[str, Any]
    services: Mapping[str, Service]
    sources: Mapping[str, Sources]
    parts: classify.Parts
    answers: Answers
    root: Path
    now: Mapping[str, Any]
    plan: Plan
    servers: dict[str, Server] = field(default_factory=dict)
    source: str = ""
    runtimes: dict[str, str] = field(default_factory=dict)
    settings: dict[str, settings.Settings] = field(default_factory=dict)

    def set(self, **variables: Any) -> None:
        self.plan.variables |= variables

    def decide(self, sentence: str) -> None:
        self.plan.decisions.append(sentence)

    def ask(self, sentence: str) -> None:
        self.plan.asks.append(sentence)

    def name_of(self, part: str) -> str:
        return self.parts.backend if part == "backend" else self.parts.collector


def plan(model: Mapping[str, Any], file: Path, root: Path, answers: Answers, now: Mapping[str, Any]) -> Plan:
    """What a resolved compose file becomes. ``root`` is the checkout, ``now`` its group_vars' present values.

    Where ``asks`` is not empty, nothing else is worth reading.
    """
    services: Mapping[str, Service] = model.get("services") or {}
    sources = {name: read_sources(service) for name, service in services.items()}
    parts = classify.classify(services, sources, answers)
    made = Plan(asks=[*answers.mistakes(), *parts.asks], decisions=classify.describe(parts))
    if made.asks:
        return made
    work = _Work(model, services, sources, parts, answers, root, now, made)
    _project(work, file)
    _databases(work)
    _frontend(work)
    for part in ("backend", "collector"):
        if work.name_of(part):
            _service(work, part)
    if not parts.collector:
        work.set(project_collector="")
        work.decide("There is no collector: no service is left that nobody connects to.")
    _users(work)
    _network(work)
    for name in parts.absent:
        work.plan.ledger.say("services", name, sentence=parts.absent[name])
    for name in [parts.frontend, parts.backend, parts.collector, *parts.databases]:
        if name:
            account.every_service(made.ledger, name, services[name])
    if parts.migrate:
        made.ledger.carry("services", parts.migrate, to="backend_migrate_command")
    account.the_rest(made.ledger, model, parts)
    return made


def _project(work: _Work, file: Path) -> None:
    name = work.answers.get("project_name") or str(work.model.get("name") or file.parent.name)
    if not PROJECT.fullmatch(name):
        work.ask(
            f"The compose project is called {name}, which AWS would not take everywhere; write -e compose_project_name=NAME, "
            "of 1 to 20 lower-case letters, digits and hyphens."
        )
    work.set(project_name=name, project_compose=_path(work, file))
    work.plan.ledger.carry("name", to="project_name")
    work.decide(f"The project is called {name}.")


def _path(work: _Work, path: Path) -> str:
    """A path below the checkout as relative to it, any other as absolute."""
    path = Path(os.path.normpath(path.absolute()))
    return str(path.relative_to(work.root)) if path.is_relative_to(work.root) else str(path)


def _databases(work: _Work) -> None:
    names = work.parts.databases
    work.servers = {name: databases.read(name, work.services[name]) for name in names}
    followed = databases.source_of(work.servers)
    work.source = followed or names[0]
    if followed:
        work.set(mysql_topology="replication")
        work.decide(f"The databases replicate: {listed([n for n in names if n != followed], 'and')} follows {followed}.")
    else:
        work.set(mysql_topology="independent")
        why = "there is one" if len(names) == 1 else "nothing in the file makes one follow the other"
        work.decide(f"The databases are independent: {why}.")
    for name in names:
        account.database(work.plan.ledger, name, work.services[name], work.servers[name])


def _frontend(work: _Work) -> None:
    name = work.parts.frontend
    service, sources, ledger = work.services[name], work.sources[name], work.plan.ledger
    if sources.directory is None:
        work.ask(f"{name} has no sources on this machine to build; give it a build context, or write another -e compose_frontend=NAME.")
        return
    work.set(project_frontend=_path(work, sources.directory))
    output, why = _output(work, sources)
    work.set(frontend_build_output=output)
    work.decide(f"The frontend is built into {output}: {why}.")
    public: dict[str, str] = {}
    arguments = (service.get("build") or {}).get("args") or {}
    for at, given in ((("build", "args"), arguments), (("environment",), service.get("environment") or {})):
        for variable, value in given.items():
            path = ("services", name, *at, variable)
            if value is None or (at == ("environment",) and not PUBLIC.match(variable)):
                ledger.say(*path, sentence="no process serves the pages; what a build needs begins with VITE_, REACT_APP_ or the like")
            elif settings.is_secret(variable, str(value)) and settings.CERTAIN.search(variable):
                ledger.say(*path, sentence="it looks like a secret, and what a bundler puts into pages is public; it stays behind")
            else:
                public[variable] = _own_address(work, path, variable, str(value))
    work.set(frontend_build_environment=public)
    account.frontend(ledger, name, service)
    _backend_path(work, sources)


def _own_address(work: _Work, path: tuple[str, ...], variable: str, value: str) -> str:
    """A setting that names the backend's own address as a browser on this machine sees it, as the path alone."""
    local = LOCAL.match(value)
    passed = next((f"http://{name}" for name in [work.parts.backend] if names_host(value, name)), "")
    if not local and not passed:
        work.plan.ledger.carry(*path, to="frontend_build_environment")
        return value
    rest = re.sub(r"^https?://[^/]+", "", value)
    sentence = f"it is {value}, which means this machine; it becomes {rest or 'empty'}, since pages and backend share one name"
    work.plan.ledger.say(*path, sentence=sentence)
    return rest


def _output(work: _Work, sources: Sources) -> tuple[str, str]:
    answer = work.answers.get("frontend_output")
    if answer:
        return answer, "compose_frontend_output says so"
    built = [path.rstrip("/").rsplit("/", 1)[-1] for path in sources.dockerfile.copied]
    for word in built:
        if word in ("dist", "build", "out", "public", "www"):
            return word, "its Dockerfile copies it from there"
    if "react-scripts" in sources.dependencies:
        return "build", "Create React App builds there"
    if "next" in sources.dependencies:
        return "out", "Next.js exports there"
    if "@angular/core" in sources.dependencies:
        work.ask("Angular builds below dist, in a directory of the project's name; write -e compose_frontend_output=dist/NAME/browser.")
    return "dist", "Vite, and most others, build there"


def _backend_path(work: _Work, sources: Sources) -> None:
    """What CloudFront passes on: what the frontend's nginx did, or the default."""
    passed = [proxy for proxy in sources.proxies if proxy[1] in (work.parts.backend, *hosts.aliases(work.parts.backend, work.services))]
    if not passed:
        work.decide("CloudFront passes /api/* on to the backend, which is the default (cdn_backend_path): no nginx here says another.")
        return
    location, _, rest = passed[0]
    if len(passed) > 1 or location == "/":
        work.decide(f"nginx passes {listed([one[0] for one in passed], 'and')} on; CloudFront has one path, so look at cdn_backend_path.")
    if location != "/":
        path = f"{location.rstrip('/')}/*"
        work.set(cdn_backend_path=path)
        work.decide(f"CloudFront passes {path} on to the backend, as the frontend's nginx did.")
    if rest and rest != location:
        work.decide(f"nginx passes {location} on as {rest}; CloudFront leaves paths as they are, so the backend must answer under {location}.")


def _service(work: _Work, part: str) -> None:
    name = work.name_of(part)
    service, sources, ledger = work.services[name], work.sources[name], work.plan.ledger
    if sources.directory is None:
        work.ask(f"{name} has no sources on this machine to build; give it a build context, or write another -e compose_{part}=NAME.")
        return
    runtime, why = classify.language(sources, work.answers.get(f"{part}_runtime"))
    if runtime not in RUNTIMES:
        found = listed([file for _, file in sources.runtimes], "and") if sources.runtimes else "no file that says its language"
        work.ask(f"{name} has {found}; write -e compose_{part}_runtime=NAME, of {listed(RUNTIMES)}.")
        return
    work.decide(f"{name} runs by {runtime}: {why}.")
    begin = commands.start(service, sources, runtime)
    answer = work.answers.get(f"{part}_command")
    if not answer and not begin.command:
        work.ask(f"Nothing says how {name} is started; write -e compose_{part}_command='COMMAND'.")
    context = settings.Context(part, name, _database_names(work), work.servers, ledger)
    found = settings.read(context, service, sources.dockerfile.environment)
    work.runtimes[part], work.settings[part] = runtime, found
    values: dict[str, Any] = {
        f"project_{part}": _path(work, sources.directory),
        f"{part}_runtime": runtime,
        f"{part}_command": answer or begin.command,
        f"{part}_environment": found.environment,
        f"{part}_secrets": found.secrets,
        f"{part}_memory_max": _memory(ledger, name, service),
    }
    work.set(**values, **{f"{part}_{key}": value for key, value in found.own.items()})
    if begin.reason and not answer:
        work.decide(f"{name} is started by `{begin.command}`, as {begin.reason} has it.")
    _health(work, part, begin.command)
    account.service(ledger, name, service, part, sources)
    if part == "backend":
        _migrate(work, begin)
    elif begin.migrate:
        # a collector has nothing run before it: its own command stays whole
        work.set(collector_command=f'/bin/sh -c "{begin.migrate} && exec {begin.command}"')
    _references(work, part)


def _database_names(work: _Work) -> dict[str, str]:
    return {
        alias: name for name in work.parts.databases for alias in [name, *hosts.aliases(name, work.services), hosts.host_name(name)]
    }


def _memory(ledger: Ledger, name: str, service: Service) -> str:
    """The memory limit, as systemd writes it."""
    at = ("services", name)
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    for path, value in (((*at, "deploy", "resources", "limits", "memory"), limits.get("memory")), ((*at, "mem_limit"), service.get("mem_limit"))):
        if value:
            ledger.carry(*path, to="its unit's MemoryMax")
            size = int(value)
            return f"{size // 2**20}M" if size % 2**20 == 0 else str(size)
    return ""


def _health(work: _Work, part: str, command: str) -> None:
    name = work.name_of(part)
    service, sources = work.services[name], work.sources[name]
    check = commands.health(service, work.runtimes[part])
    path = check.path if check else ""
    timeout = DEFAULT_TIMEOUT if check is None else max(DEFAULT_TIMEOUT, round(check.seconds))
    work.set(**{f"{part}_health_timeout": timeout, f"{part}_health_command": check.command if check else ""})
    if part == "backend":
        work.set(backend_health_path=path)
        said = f"when {path} answers 200" if path else f"when `{check.command}` exits 0" if check else "when it keeps running: it has no health check"
        work.decide(f"{name} is healthy {said}.")
        _port(work, sources, command, check.port if check else None)
    elif path:
        port = f":{check.port}" if check and check.port else ""
        url = f"http://127.0.0.1{port}{path}"
        work.set(collector_health_command=f"curl --fail --silent --output /dev/null {url}")
    if "healthcheck" in service and check:
        work.plan.ledger.carry("services", name, "healthcheck", to=f"{part}_health_path and {part}_health_command")
    elif "healthcheck" in service:
        work.plan.ledger.carry("services", name, "healthcheck", to="nothing: it is off")


def _port(work: _Work, sources: Sources, command: str, checked: int | None) -> None:
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
        work.ask(f"{name} has the ports {listed(map(str, numbers), 'and')}, by {where}; write -e compose_backend_port=PORT for the one that CloudFront asks.")
    elif numbers[0] < 1024:
        work.ask(
            f"{name} listens on port {numbers[0]}, by {where}, and an unprivileged service cannot; write -e compose_backend_port=PORT, "
            "1024 or more, which it is told as PORT."
        )
    else:
        work.set(backend_port=numbers[0])
        work.decide(f"{name} listens on port {numbers[0]}, by {where}.")


def _migrate(work: _Work, begin: commands.Start) -> None:
    migrate = begin.migrate
    if work.parts.migrate:
        once = commands.start(work.services[work.parts.migrate], work.sources[work.parts.migrate], work.runtimes["backend"])
        migrate = once.command
    work.set(backend_migrate_command=migrate)
    if migrate:
        work.decide(f"Before each release `{migrate}` is run.")


def _references(work: _Work, part: str) -> None:
    """Settings that name what is not deployed: they stay, and somebody has to look at them."""
    name = work.name_of(part)
    for variable, value in work.settings[part].environment.items():
        for absent in work.parts.absent:
            if names_host(str(value), absent):
                path = ("services", name, "environment", variable)
                work.plan.ledger.say(*path, sentence=f"it is carried over, but it names {absent}, which has no place; write another address in {part}_environment")


def _users(work: _Work) -> None:
    """The schema, its users, and the secrets of both."""
    servers = work.servers
    schemas = list(dict.fromkeys(schema for server in servers.values() for schema in server.schemas))
    schemas += [one.name for part in work.settings.values() for one in part.connections if one.name and one.name not in schemas]
    answer = work.answers.get("database_name")
    used = [one.name for part in work.settings.values() for one in part.connections if one.name]
    name = answer or next(iter([*used, *schemas]), "")
    if not name:
        work.ask("Nothing says what the schema is called; write -e compose_database_name=NAME.")
    users = {user: privileges for server in servers.values() for user, privileges in server.users.items()}
    for part, found in work.settings.items():
        user = next((one.user for one in found.connections), "")
        known = part if user in ("", "root") else user
        if known not in users:
            users[known] = "ALL"
            work.decide(f"MySQL's user {known} may do everything in {name}: nothing in the file says less.")
        work.set(**{f"{part}_database_user": known})
        host = next((one.host for one in found.connections), work.source)
        work.set(**{f"{part}_database_host": hosts.host_name(host)})
        if len(dict.fromkeys(schemas)) > 1 and found.connections and found.connections[0].name not in ("", name):
            work.set(**{f"{part}_database_name": found.connections[0].name})
    work.set(
        mysql_source=hosts.host_name(work.source),
        mysql_database=name,
        mysql_users=[{"name": user, "privileges": privileges} for user, privileges in users.items()],
        mysql_secrets=_mysql_secrets(list(users)),
    )
    work.decide(f"The schema is {name}, and its users are {listed(users, 'and')}, with passwords that Secrets Manager generates.")


def _mysql_secrets(users: list[str]) -> list[dict[str, str]]:
    prefix = "{{ project_prefix }}"
    authority = {
        "name": "mysql-ca",
        "generate": "certificate_authority",
        "description": f"Certificate authority of {prefix}'s MySQL servers",
    }
    return [authority] + [
        {"name": f"mysql-user-{user}", "description": f"MySQL user {user} of {prefix}"} for user in ["replication", *users]
    ]


def _network(work: _Work) -> None:
    parts, services = work.parts, work.services
    clients = {
        database: tuple(name for name in parts.services if hosts.share(services, [name, database])) for database in parts.databases
    }
    asked = bool(parts.collector) and any(
        names_host(str(value), parts.backend) for value in work.settings.get("collector", settings.Settings()).environment.values()
    )
    reach = hosts.Reach(clients, asked and hosts.share(services, [parts.collector, parts.backend]))
    replicates = work.plan.variables["mysql_topology"] == "replication"
    for database, names in clients.items():
        work.decide(f"{listed(names, 'and')} may use {database}: they share a network." if names else f"Nobody may use {database}: nobody shares a network with it.")
    if parts.collector and not reach.collector_to_backend:
        work.decide(f"{parts.collector} may not reach {parts.backend}: none of its settings names it, or no network is shared.")
    now = work.now
    work.set(
        instances_list=hosts.instances(parts, services, hosts.groups_of(parts, reach), now.get("instances_list")),
        security_groups_list=hosts.security_groups(parts, reach, replicates, now["security_groups_list"]),
        verify_reach=hosts.expectations(parts, reach, work.source, replicates),
        cdn_backend_instance=hosts.host_name(parts.backend),
        verify_paths=_paths(work),
    )


def _paths(work: _Work) -> list[dict[str, Any]]:
    """What CloudFront must answer: pages, the backend's health where visitors may ask for it, and its own 404."""
    prefix = str(work.plan.variables.get("cdn_backend_path", "/api/*")).removesuffix("*")
    health = str(work.plan.variables.get("backend_health_path", ""))
    paths = [{"path": "/", "status": 200}, {"path": "/any/page/of/the/product", "status": 200}]
    paths += [{"path": health, "status": 200}] if health.startswith(prefix) else []
    return [*paths, {"path": f"{prefix}nonsense", "status": 404}]
