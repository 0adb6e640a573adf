"""Which service is the frontend, the backend, a database, the collector: by evidence, or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import commands, places
from .ledger import Service
from .sources import LANGUAGES, Sources, image_name
from .words import HOST_SUFFIX, Answers, listed, names_host

PARTS = ("frontend", "backend", "collector", "databases")
MOST_DATABASES = 2


@dataclass
class Parts:
    """What each service is. ``asks`` is what has to be answered first; ``absent`` says what has no place, and why."""

    frontend: str = ""
    backend: str = ""
    collector: str = ""
    migrate: str = ""
    databases: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    asks: list[str] = field(default_factory=list)

    @property
    def services(self) -> list[str]:
        """The two that run as services on hosts."""
        return [name for name in (self.backend, self.collector) if name]


@dataclass(frozen=True)
class Evidence:
    """A compose file, and what its services' sources say."""

    services: Mapping[str, Service]
    sources: Mapping[str, Sources]
    answers: Answers


def classify(services: Mapping[str, Service], sources: Mapping[str, Sources], answers: Answers) -> Parts:
    """Decide each part where the evidence suffices, and ask for one variable where it does not."""
    parts = Parts()
    profiles = answers.words("profiles")
    evidence = Evidence({}, sources, answers)
    active: dict[str, Service] = {}
    for name, service in services.items():
        of = [str(profile) for profile in service.get("profiles") or []]
        if of and "*" not in profiles and not set(of) & set(profiles):
            profile = f"the profile {of[0]}" if len(of) == 1 else f"the profiles {listed(of, 'and')}"
            parts.absent[name] = (
                f"it belongs to {profile}, which nobody has asked for; -e compose_profiles={of[0]} takes it along"
            )
        else:
            active[name] = service
    evidence = Evidence(active, sources, answers)
    for part in PARTS:
        for name in answers.words(part):
            if name not in active and name != "none":
                parts.asks.append(f"compose_{part} is {name}, which is no service of the file; write {listed(active)}.")
    if parts.asks:
        return parts
    _databases(evidence, parts)
    applications = [
        name for name in active if name not in parts.databases and name not in parts.absent and _is_ours(evidence, name)
    ]
    _frontend(evidence, parts, applications)
    _backend(evidence, parts, [name for name in applications if name != parts.frontend])
    _migrate(evidence, parts, applications)
    taken = {parts.frontend, parts.backend, parts.migrate}
    _collector(evidence, parts, [name for name in applications if name not in taken])
    for name, service in active.items():
        if name not in parts.reasons and name not in parts.absent:
            parts.absent[name] = places.image_sentence(str(service.get("image", "")), name in applications)
    return parts


def _is_ours(evidence: Evidence, name: str) -> bool:
    """Whether it has sources of its own, which can be built."""
    service = evidence.services[name]
    return "build" in service or evidence.sources[name].directory is not None


def _databases(evidence: Evidence, parts: Parts) -> None:
    found = [
        name
        for name, service in evidence.services.items()
        if image_name(str(service.get("image", ""))) in places.DATABASES
    ]
    asked = evidence.answers.words("databases")
    chosen = asked or found
    if not asked and len(found) > MOST_DATABASES:
        chosen = [name for name in found if _clients(evidence, name, found)]
        if len(chosen) not in (1, MOST_DATABASES):
            parts.asks.append(
                f"{listed(found, 'and')} are databases, and there is room for two; write "
                f"-e compose_databases={found[0]},{found[1]}, or the two that you mean."
            )
            return
    if not chosen:
        parts.asks.append(
            "No service has a mysql or mariadb image; write -e compose_databases=NAME for the one that is a database, "
            f"of {listed(evidence.services)}."
        )
        return
    for name in chosen:
        parts.databases.append(name)
        image = evidence.services[name].get("image") or "built from sources"
        parts.reasons[name] = (
            f"a database, because compose_databases says so ({image})"
            if asked
            else f"a database, because its image is {image}"
        )
    for name in found:
        if name not in chosen:
            clients = listed(chosen, "and")
            parts.absent[name] = f"there is room for two databases, which are {clients}; run an RDS of your own for it"


def _clients(evidence: Evidence, database: str, databases: list[str]) -> list[str]:
    """The services whose settings name it."""
    return [
        name
        for name, service in evidence.services.items()
        if name not in databases and _is_ours(evidence, name) and database in _named_in(service, databases)
    ]


def _named_in(service: Service, names: list[str]) -> list[str]:
    """The hosts of these that its settings name: by an address, or in a variable that is called after a host."""
    settings = (service.get("environment") or {}).items()
    hosts = [
        str(value) for variable, value in settings if HOST_SUFFIX.search(variable) or re.search("[:/@]", str(value))
    ]
    return [name for name in names if any(names_host(value, name) for value in hosts)]


def _answered(evidence: Evidence, parts: Parts, part: str) -> str | None:
    """The service that the user has named for it; empty for none."""
    answer = evidence.answers.get(part)
    if not answer:
        return None
    if answer == "none":
        return ""
    parts.reasons[answer] = f"the {part}, because compose_{part} says so"
    return answer


def _frontend(evidence: Evidence, parts: Parts, applications: list[str]) -> None:
    answer = _answered(evidence, parts, "frontend")
    if answer is not None:
        parts.frontend = answer
        return
    found = []
    for name in applications:
        sources = evidence.sources[name]
        if sources.pages and sources.built_script and not sources.web_framework:
            found.append(name)
    if len(found) == 1:
        parts.frontend = found[0]
        pages = evidence.sources[found[0]].pages
        parts.reasons[found[0]] = f"the frontend, because its package.json has {pages} and a build script"
        return
    if found:
        why = f"{listed(found, 'and')} both have a package.json with a browser framework and a build script"
    else:
        why = "No service has a package.json with a browser framework (React, Vue, …) and a build script"
    parts.asks.append(f"{why}; write -e compose_frontend=NAME, of {listed(found or applications)}.")


def _web_evidence(evidence: Evidence, name: str) -> list[str]:
    """What says that a service answers HTTP."""
    service, sources = evidence.services[name], evidence.sources[name]
    found = []
    published = [str(port.get("target")) for port in service.get("ports") or []]
    if published:
        found.append(f"it publishes port {listed(published, 'and')}")
    if service.get("expose"):
        found.append(f"it exposes port {listed(map(str, service['expose']), 'and')}")
    health = commands.health(service, "")
    if health and health.path:
        found.append(f"its health check asks {health.path.partition('?')[0]}")
    if "PORT" in (service.get("environment") or {}):
        found.append(f"PORT is {service['environment']['PORT']} in its environment")
    if sources.web_framework:
        found.append(f"its sources have {sources.web_framework}")
    if sources.dockerfile.ports:
        found.append(f"its Dockerfile exposes port {sources.dockerfile.ports[0]}")
    asks = [other for other, one in evidence.services.items() if other != name and _named_in(one, [name])]
    if asks:
        found.append(f"{listed(asks, 'and')} asks it" if len(asks) == 1 else f"{listed(asks, 'and')} ask it")
    return found


def _backend(evidence: Evidence, parts: Parts, applications: list[str]) -> None:
    answer = _answered(evidence, parts, "backend")
    if answer is not None:
        parts.backend = answer
        if not answer:
            parts.asks.append(
                "compose_backend is none; write a service, since CloudFront sends cdn_backend_path to one."
            )
        return
    lasting = [name for name in applications if not _ends(evidence, name)]
    found = {name: said for name in lasting if (said := _web_evidence(evidence, name))}
    passed = [name for name in found if _frontend_names(evidence, parts.frontend, name)]
    if len(passed) == 1:
        found = {passed[0]: ["the frontend passes requests on to it", *found[passed[0]]]}
    if len(found) == 1:
        [(parts.backend, said)] = found.items()
        parts.reasons[parts.backend] = f"the backend, because {listed(said, 'and')}"
        return
    if found:
        each = "; ".join(f"{name}: {listed(why, 'and')}" for name, why in found.items())
        why = f"{listed(found, 'and')} could each be the backend ({each})"
    else:
        why = "No service publishes a port, has an HTTP health check, or has a web framework in its sources"
    parts.asks.append(f"{why}; write -e compose_backend=NAME, of {listed(found or applications)}.")


def _ends(evidence: Evidence, name: str) -> bool:
    """Whether somebody waits until it has ended, so that it serves nobody."""
    waits = [(service.get("depends_on") or {}).get(name) or {} for service in evidence.services.values()]
    return any(wait.get("condition") == "service_completed_successfully" for wait in waits)


def _frontend_names(evidence: Evidence, frontend: str, name: str) -> bool:
    """Whether the frontend's web server passes requests on to it, or its settings name it."""
    if frontend not in evidence.services:
        return False
    service = evidence.services[frontend]
    values = [
        *(service.get("environment") or {}).values(),
        *((service.get("build") or {}).get("args") or {}).values(),
    ]
    passed = any(host == name for _, host, _ in evidence.sources[frontend].proxies)
    return passed or any(names_host(str(value), name) for value in values)


def _migrate(evidence: Evidence, parts: Parts, applications: list[str]) -> None:
    """A service that runs once, from the backend's sources, before it starts."""
    if not parts.backend:
        return
    directory = evidence.sources[parts.backend].directory
    waits = evidence.services[parts.backend].get("depends_on") or {}
    for name in applications:
        service = evidence.services[name]
        once = (waits.get(name) or {}).get("condition") == "service_completed_successfully"
        same = directory is not None and evidence.sources[name].directory == directory
        started = service.get("command") or service.get("entrypoint")
        if once and same and started and name not in parts.reasons:
            parts.migrate = name
            parts.reasons[name] = "what is run before each release of the backend, which waits until it has ended"
            return


def _collector(evidence: Evidence, parts: Parts, applications: list[str]) -> None:
    answer = _answered(evidence, parts, "collector")
    if answer is not None:
        parts.collector = answer
        return
    if not parts.backend:
        return  # asked for already, and what is left depends on the answer
    found = [name for name in applications if not _reached(evidence, name)]
    if len(found) > 1:
        parts.asks.append(
            f"{listed(found, 'and')} could each be the collector, since nobody connects to them; "
            f"write -e compose_collector=NAME, of {listed([*found, 'none'])}."
        )
    elif found:
        parts.collector = found[0]
        parts.reasons[found[0]] = (
            "the collector, because it publishes no port, nobody connects to it, and it is built from sources"
        )


def _reached(evidence: Evidence, name: str) -> bool:
    """Whether anybody connects to it."""
    return bool(_web_evidence(evidence, name))


def language(sources: Sources, answer: str) -> tuple[str, str]:
    """The runtime and what says so; both empty where the evidence is not enough."""
    if answer:
        return answer, "the variable says so"
    found = dict(sources.runtimes)
    if len(found) == 1:
        [(runtime, file)] = found.items()
        return runtime, f"its sources have {file}"
    image = LANGUAGES.get(image_name(sources.dockerfile.image), "")
    if image and (image in found or not found):
        return image, f"its Dockerfile begins with {sources.dockerfile.image}"
    return "", ""


def describe(parts: Parts) -> list[str]:
    """A line for each service: what it is, and why."""
    order: list[Any] = [parts.frontend, parts.backend, parts.migrate, *parts.databases, parts.collector]
    return [f"{name} is {parts.reasons[name]}." for name in order if name in parts.reasons]
