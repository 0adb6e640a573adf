"""A compose file as Madang's variables: every part's decision, put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import account, account_database, classify, databases, hidden, hosts, pages, schema, settings
from . import resolve as resolving
from . import services as services_of
from .ledger import Service
from .sources import read as read_sources
from .words import Answers, listed, names_host
from .work import Plan, Work

OVERRIDES = [f"{name}.override.{end}" for name in ("compose", "docker-compose") for end in ("yaml", "yml")]
PROJECT = re.compile(r"(?!sg-|xn--|sthree-|amzn-)(?!sg$)[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


def plan(model: Mapping[str, Any], file: Path, root: Path, answers: Answers, now: Mapping[str, Any]) -> Plan:
    """What a resolved compose file becomes. ``root`` is the checkout, ``now`` its group_vars' present values.

    Where ``asks`` is not empty, nothing else is worth reading.
    """
    services: Mapping[str, Service] = model.get("services") or {}
    profiles = resolving.dotenv(file).get("COMPOSE_PROFILES", "")
    if profiles and not answers.get("profiles"):
        answers = Answers({**answers.values, "profiles": profiles})
    sources = {name: read_sources(service) for name, service in services.items()}
    parts = classify.classify(services, sources, answers)
    made = Plan(asks=[*answers.mistakes(), *parts.asks], decisions=classify.describe(parts))
    if made.asks:
        return made
    work = Work(model, services, sources, parts, answers, root, now, made, known=hidden.known(model, file))
    _project(work, file)
    _beside(work, file, profiles)
    _databases(work)
    pages.frontend(work)
    for part in ("backend", "collector"):
        if work.name_of(part):
            services_of.service(work, part)
    if not parts.collector:
        work.set(project_collector="")
        work.decide("There is no collector: no service is left that nobody connects to.")
    schema.users(work)
    _network(work)
    for name in parts.absent:
        work.plan.ledger.say("services", name, sentence=parts.absent[name])
    for name in [parts.frontend, parts.backend, parts.collector, *parts.databases]:
        if name:
            account.every_service(made.ledger, name, services[name], parts)
    if parts.migrate:
        name, backend = parts.migrate, services[parts.backend]
        account.migrate(made.ledger, name, services[name], parts, backend, sources[name])
    asked = {
        secret["compose"]: secret["name"]
        for part in work.settings.values()
        for secret in part.secrets
        if "compose" in secret
    }
    account.the_rest(made.ledger, model, parts, asked)
    return made


def _project(work: Work, file: Path) -> None:
    said = str(work.model.get("name") or file.parent.name)
    name = work.answers.get("project_name") or re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")
    if not PROJECT.fullmatch(name):
        work.ask(
            f"The compose project is called {said}, which AWS would not take everywhere; write "
            "-e compose_project_name=NAME, of 1 to 20 lower-case letters, digits and hyphens."
        )
    work.set(project_name=name, project_compose=work.path(file))
    work.plan.ledger.carry("name", to="project_name")
    work.decide(f"The project is called {name}.")


def _beside(work: Work, file: Path, profiles: str) -> None:
    """What else `docker compose up` would have read in the file's directory."""
    ledger, said = work.plan.ledger, work.answers.get("profiles")
    if profiles and profiles == said:
        work.decide(f"The profiles are {profiles}: COMPOSE_PROFILES in .env says so.")
    elif profiles:
        ledger.say(".env", "COMPOSE_PROFILES", sentence=f"it is {profiles}, and compose_profiles says {said} instead")
    for name in OVERRIDES:
        if (file.parent / name).is_file():
            ledger.say(name, sentence=f"compose reads it too, and nothing of it is imported; {file.name} alone counts")
    if resolving.dotenv(file).get("COMPOSE_FILE"):
        ledger.say(
            ".env", "COMPOSE_FILE", sentence=f"no other file that it names is imported; {file.name} alone counts"
        )


def _databases(work: Work) -> None:
    names = work.parts.databases
    work.servers = {name: databases.read(name, work.services[name]) for name in names}
    followed = databases.source_of(work.servers)
    work.source = followed or names[0]
    if followed:
        work.set(mysql_topology="replication")
        work.decide(
            f"The databases replicate: {listed([n for n in names if n != followed], 'and')} follows {followed}."
        )
    else:
        work.set(mysql_topology="independent")
        why = "there is one" if len(names) == 1 else "nothing in the file makes one follow the other"
        work.decide(f"The databases are independent: {why}.")
    for name in names:
        account_database.database(work.plan.ledger, name, work.services[name], work.known)
        for user, part in work.servers[name].partial:
            sentence = "mysql_users gives privileges on whole schemas; give this one in backend_migrate_command"
            work.plan.ledger.say("services", name, "grants", f"{user} on {part}", sentence=sentence)


def _network(work: Work) -> None:
    parts, services = work.parts, work.services
    clients = {
        database: tuple(name for name in parts.services if hosts.share(services, [name, database]))
        for database in parts.databases
    }
    asked = bool(parts.collector) and any(
        names_host(str(value), parts.backend)
        for value in work.settings.get("collector", settings.Settings()).environment.values()
    )
    reach = hosts.Reach(clients, asked and hosts.share(services, [parts.collector, parts.backend]))
    replicates = work.plan.variables["mysql_topology"] == "replication"
    for database, names in clients.items():
        work.decide(
            f"{listed(names, 'and')} may use {database}: they share a network."
            if names
            else f"Nobody may use {database}: nobody shares a network with it."
        )
    if parts.collector and not reach.collector_to_backend:
        work.decide(
            f"{parts.collector} may not reach {parts.backend}: none of its settings names it, or no network is shared."
        )
    now = work.now
    work.set(
        instances_list=hosts.instances(parts, services, hosts.groups_of(parts, reach), now.get("instances_list")),
        security_groups_list=hosts.security_groups(parts, reach, replicates, now["security_groups_list"]),
        cdn_backend_instance=hosts.host_name(parts.backend),
        verify_paths=_paths(work),
    )


def _paths(work: Work) -> list[dict[str, Any]]:
    """What CloudFront must answer: pages, the backend's health where visitors may ask for it, and its own 404."""
    prefix = str(work.plan.variables.get("cdn_backend_path", "/api/*")).removesuffix("*")
    health = str(work.plan.variables.get("backend_health_path", ""))
    paths = [{"path": "/", "status": 200}, {"path": "/any/page/of/the/product", "status": 200}]
    paths += [{"path": health, "status": 200}] if health.startswith(prefix) else []
    return [*paths, {"path": f"{prefix}nonsense", "status": 404}]
