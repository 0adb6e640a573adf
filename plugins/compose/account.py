"""The account of a compose file's keys: each goes into the ledger, as carried over or with a sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from . import places
from .classify import Parts
from .ledger import Ledger, Service
from .sources import Sources
from .words import listed

NAMES = "security_groups_list, and names in the private zone"
KEPT = "Secrets Manager"
MOUNTED = "the service's sources"
BIND = ("create_host_path", "propagation", "recursive", "selinux")
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 — compared with

BUILD_READ = ("context", "dockerfile", "dockerfile_inline", "target")


def every_service(ledger: Ledger, name: str, service: Service, parts: Parts) -> None:
    """What holds for whatever is carried over."""
    at = ("services", name)
    for key in service:
        if key == "links":
            ledger.carry(*at, key, to=NAMES)
        elif key == "networks":
            for network, attached in service[key].items():
                if not attached:
                    ledger.carry(*at, key, network, to=NAMES)
                ledger.carry_keys(*at, key, network, of=attached or {}, keys=("aliases",), to=NAMES)
        elif key == "depends_on":
            for other, wait in service[key].items():
                _wait(ledger, name, other, wait, parts)
        elif key in ("container_name", "hostname"):
            ledger.carry(*at, key, to="the host's names in the private zone")
        elif key == "profiles":
            ledger.carry(*at, key, to="compose_profiles")
        elif key == "deploy":
            _deploy(ledger, name, service["deploy"] or {})
        elif key == "scale":
            _replicas(ledger, (*at, "scale"), service["scale"])
    if "restart" in service and not ledger.knows((*at, "restart")):
        if str(service["restart"]) in ("always", "unless-stopped"):
            ledger.carry(*at, "restart", to="systemd, which starts it again, always")
        else:
            ledger.say(*at, "restart", sentence=f"it is {service['restart']}; systemd starts it again, always")


def _wait(ledger: Ledger, name: str, other: str, wait: Mapping[str, Any], parts: Parts) -> None:
    """One service waits for another: site.yml's order says who really does."""
    at = ("services", name, "depends_on", other)
    order = [parts.databases, [parts.backend, parts.migrate], [parts.collector], [parts.frontend]]
    ranks = {service: rank for rank, services in enumerate(order) for service in services}
    if other not in ranks:
        ledger.say(*at, sentence=f"{other} has no place, so {name} does not wait for it")
    elif ranks[other] > ranks[name]:
        sentence = f"site.yml makes databases, backend, collector and frontend in this order, so {name} does not wait"
        ledger.say(*at, sentence=sentence)
    else:
        if wait.get("restart"):
            ledger.say(*at, "restart", sentence=f"{name} is not started again when {other} is")
        keys = ("condition", "required")
        ledger.carry_keys(*at, of=wait, keys=keys, to="site.yml's order: databases, backend, collector, frontend")


def _deploy(ledger: Ledger, name: str, deploy: Mapping[str, Any]) -> None:
    at = ("services", name, "deploy")
    for key, value in deploy.items():
        if key == "replicas":
            _replicas(ledger, (*at, key), value)
        elif key == "resources":
            for kind, limits in (value or {}).items():
                for limit in limits or {}:
                    if not ledger.knows((*at, key, kind, limit)):
                        ledger.say(*at, key, kind, limit, sentence=places.DEPLOY["resources"])
        else:
            if value not in (None, {}):
                ledger.say(*at, key, sentence=places.DEPLOY.get(key, places.UNKNOWN))
            else:
                ledger.carry(*at, key, to="nothing: it is empty")


def _replicas(ledger: Ledger, at: tuple[str, ...], value: Any) -> None:
    if int(value) == 1:
        ledger.carry(*at, to="one host")
    else:
        ledger.say(*at, sentence=f"it is {value}; each service has one host, and a second one is not deployed")


def frontend(ledger: Ledger, name: str, service: Service) -> None:
    """The frontend is files in a bucket: what needs a process has no place."""
    at = ("services", name)
    _build(ledger, name, service, "project_frontend")
    for key, value in service.items():
        if key == "ports":
            for index, port in enumerate(value):
                _published(ledger, (*at, key, str(index)), port, "CloudFront, on ports 80 and 443", "the pages")
        elif key in ("command", "entrypoint", "image") and value is not None:
            ledger.say(*at, key, sentence="no process serves the pages: CloudFront reads the built files from a bucket")
        elif key == "healthcheck":
            ledger.say(*at, key, sentence="no process serves the pages; verify asks CloudFront for them (verify_paths)")
        elif key == "expose":
            ledger.carry(*at, key, to="CloudFront, on ports 80 and 443")
        elif key in ("secrets", "configs"):
            ledger.say(*at, key, sentence="pages are public, and can hold no secret; no file is handed to them")
        elif key == "volumes":
            ledger.say(*at, key, sentence="no process serves the pages; they are built from project_frontend")


def _published(ledger: Ledger, at: tuple[str, ...], port: Mapping[str, Any], to: str, what: str) -> None:
    """A port that CloudFront takes the place of."""
    if port.get("protocol", "tcp") != "tcp":
        ledger.say(*at, sentence="CloudFront speaks HTTP alone; no rule admits it")
        return
    keys = ["target", "published", "protocol", "mode", "name"]
    keys += ["app_protocol"] if port.get("app_protocol") == "http" else []
    address = str(port.get("host_ip") or "")
    if address in EVERYWHERE:
        keys.append("host_ip")
    else:
        sentence = f"it is published on {address} alone, and CloudFront is public: everybody reaches {what}"
        ledger.say(*at, "host_ip", sentence=sentence)
    ledger.carry_keys(*at, of=port, keys=keys, to=to)


def _own_ports(ledger: Ledger, name: str, service: Service, part: str, used: Collection[int]) -> None:
    """The ports of a service: one of the backend's is used, and none of the collector's."""
    if part == "collector":
        why = "nobody connects to a collector; no rule admits it"
    else:
        why = f"no rule admits it, since CloudFront asks backend_port alone, which is {listed(map(str, used), 'and')}"
    for index, port in enumerate(service.get("ports") or []):
        at = ("services", name, "ports", str(index))
        if int(port["target"]) in used or (part == "backend" and port.get("protocol", "tcp") != "tcp"):
            _published(ledger, at, port, "backend_port, behind CloudFront", "what cdn_backend_path passes on")
        else:
            ledger.say(*at, sentence=why)
    for index, number in enumerate(service.get("expose") or []):
        at = ("services", name, "expose", str(index))
        if str(number).removesuffix("/tcp") in map(str, used):
            ledger.carry(*at, to="backend_port")
        else:
            ledger.say(*at, sentence=f"it is {number}; {why}")


def health(ledger: Ledger, name: str, check: Mapping[str, Any], to: str, more: Collection[str] = ()) -> None:
    """A health check that Madang reads, or has its own for."""
    keys = ("test", "disable", "interval", "retries", "start_period", *more)
    ledger.carry_keys("services", name, "healthcheck", of=check, keys=keys, to=to)


def service(ledger: Ledger, name: str, service: Service, part: str, sources: Sources, used: Collection[int]) -> None:
    """The backend, or the collector; ``used`` is the port that is asked."""
    at = ("services", name)
    _build(ledger, name, service, f"project_{part}")
    for key in ("command", "entrypoint"):
        if service.get(key) is not None:
            ledger.carry(*at, key, to=f"{part}_command")
    if "image" in service:
        ledger.say(*at, "image", sentence=f"no image is run; the host runs what project_{part} is built into")
    _own_ports(ledger, name, service, part, used)
    for index, volume in enumerate(service.get("volumes") or []):
        _volume(ledger, (*at, "volumes", str(index)), volume, sources)
    for index, config in enumerate(service.get("configs") or []):
        ledger.say(
            *at, "configs", str(index),
            sentence=(
                f"no file is put at {config.get('target', '/' + str(config.get('source')))}; keep it "
                "among the sources"
            ),
        )  # fmt: skip


def migrate(ledger: Ledger, name: str, service: Service, parts: Parts, backend: Service, sources: Sources) -> None:
    """What is run before each release of the backend: it has the backend's settings, and none of its own."""
    at = ("services", name)
    _build(ledger, name, service, "project_backend")
    for key in ("command", "entrypoint"):
        if service.get(key) is not None:
            ledger.carry(*at, key, to="backend_migrate_command")
    if "restart" in service:
        ledger.carry(*at, "restart", to="nothing: it is run once for each release")
    why = f"backend_migrate_command runs with the backend's settings alone; give {parts.backend} what it needs of this"
    theirs = backend.get("environment") or {}
    for variable, value in (service.get("environment") or {}).items():
        if variable in theirs and theirs[variable] == value:
            ledger.carry(*at, "environment", variable, to="the backend's settings, which it runs with")
        else:
            ledger.say(*at, "environment", variable, sentence=why)
    same = [(secret["source"], secret.get("target")) for secret in backend.get("secrets") or []]
    for index, secret in enumerate(service.get("secrets") or []):
        if (secret["source"], secret.get("target")) in same:
            to = "the backend's secrets, which it runs with"
            ledger.carry_keys(*at, "secrets", str(index), of=secret, keys=("source", "target"), to=to)
        else:
            ledger.say(*at, "secrets", str(index), sentence=why)
    for key in ("image", "ports", "expose", "healthcheck", "configs"):
        if key in service:
            ledger.say(*at, key, sentence="it is a command of the backend's host; it has none of its own")
    for index, volume in enumerate(service.get("volumes") or []):
        _volume(ledger, (*at, "volumes", str(index)), volume, sources)
    every_service(ledger, name, service, parts)


def _volume(ledger: Ledger, at: tuple[str, ...], volume: Mapping[str, Any], sources: Sources) -> None:
    target = volume.get("target")
    if volume.get("type") == "bind" and sources.mounted and str(volume.get("source")) == str(sources.directory):
        ledger.carry_keys(*at, of=volume, keys=("type", "source", "target"), to=MOUNTED)
        ledger.carry_keys(*at, "bind", of=volume.get("bind") or {}, keys=BIND, to=MOUNTED)
    elif volume.get("type") == "bind":
        sentence = f"{target} is mounted from this machine, as for development; the host has the sources as released"
        ledger.say(*at, sentence=sentence)
    elif volume.get("type") == "tmpfs":
        ledger.say(*at, sentence="the service's unit has a /tmp of its own")
    else:
        sentence = (
            f"{target} would be kept; a service's system is read-only but for /tmp and /run, so keep data "
            "in MySQL or S3"
        )
        ledger.say(*at, sentence=sentence)


def _build(ledger: Ledger, name: str, service: Service, variable: str) -> None:
    build = service.get("build") or {}
    at = ("services", name, "build")
    for key in build:
        if key in BUILD_READ:
            ledger.carry(
                *at, key, to=variable if key == "context" else "read for its command and ports; no image is built"
            )
        elif not ledger.knows((*at, key)) and key != "args":
            ledger.say(*at, key, sentence="no image is built, so it has no effect")
    for argument in build.get("args") or {}:
        if not ledger.knows((*at, "args", argument)):
            ledger.say(*at, "args", argument, sentence="no image is built, so it has no effect")


def the_rest(ledger: Ledger, model: Mapping[str, Any], parts: Parts, asked: Mapping[str, str]) -> None:
    """What nobody has accounted for so far: first by its key, then whatever it is.

    ``asked`` has the secrets that are taken from the file, by where they stand in it, with their names on AWS.
    """
    for name, sentence in parts.absent.items():
        ledger.say("services", name, sentence=sentence)
    for name, service in (model.get("services") or {}).items():
        for key in service:
            if key in places.KEYS and not ledger.knows(("services", name, key)) and service[key] is not None:
                ledger.say("services", name, key, sentence=places.KEYS[key])
    _top(ledger, model, parts, asked)
    for path in ledger.missing(model):
        ledger.say(*path, sentence=places.below(path))


def _top(ledger: Ledger, model: Mapping[str, Any], parts: Parts, asked: Mapping[str, str]) -> None:
    carried = {parts.frontend, parts.backend, parts.collector, *parts.databases}
    services = {name: one for name, one in (model.get("services") or {}).items() if name in carried}
    used = {str(secret["source"]) for one in services.values() for secret in one.get("secrets") or []}
    mounted = {str(volume.get("source")) for one in services.values() for volume in one.get("volumes") or []}
    for network, value in (model.get("networks") or {}).items():
        _network(ledger, network, value or {})
    for secret, definition in (model.get("secrets") or {}).items():
        if secret in used:
            _secret(ledger, secret, definition, asked.get(f"secrets.{secret}", ""))
        else:
            ledger.say("secrets", secret, sentence="nothing that is carried over uses it")
    for volume, definition in (model.get("volumes") or {}).items():
        if volume in mounted:
            to = "what is said of the services that mount it"
            ledger.carry_keys("volumes", volume, of=definition or {}, keys=("name",), to=to)
            if not definition:
                ledger.carry("volumes", volume, to=to)
        else:
            ledger.say("volumes", volume, sentence="nothing that is carried over mounts it")
    for config in model.get("configs") or {}:
        ledger.say("configs", config, sentence="no such file is put on a host; keep it among the sources")


def _secret(ledger: Ledger, secret: str, definition: Mapping[str, Any], name: str) -> None:
    """A secret's definition; ``name`` is the one that it gets on AWS, where its value is taken from here."""
    if definition.get("external") and name:
        sentence = (
            f"its value is not in the file; before the first deployment, create {name} in Secrets Manager, with "
            "project_name/project_environment/ in front of its name"
        )
        ledger.say("secrets", secret, "external", sentence=sentence)
    elif definition.get("external"):
        ledger.say(
            "secrets", secret, "external", sentence="its value is not taken; Secrets Manager generates a new one"
        )
    ledger.carry_keys("secrets", secret, of=definition, keys=("name", "file", "environment", "content"), to=KEPT)


def _network(ledger: Ledger, network: str, value: Mapping[str, Any]) -> None:
    at = ("networks", network)
    for key, setting in value.items():
        if key == "name" or setting in (None, {}, False):
            ledger.carry(*at, key, to="security_groups_list")
        elif key == "internal":
            ledger.say(
                *at, key,
                sentence="hosts keep their way out on ports 80 and 443, by which packages are installed; "
                "take those egress rules out of security_groups_list to close it",
            )  # fmt: skip
        else:
            ledger.say(
                *at, key, sentence="the VPC has one network, and network_cidr and network_subnets say its addresses"
            )
    if not value:
        ledger.carry(*at, to="security_groups_list")
