"""The project, its three applications, and how the two services run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .shapes import Key, matching, of_kind, records, unique, within
from .wording import Refusals, nearest

# S3 refuses capitals, DNS a hyphen at the end, and a security group's name may not begin with sg-.
PROJECT_NAME = re.compile(r"(?!sg-|xn--|sthree-|amzn-)(?!sg$)[a-z]([a-z0-9-]{0,18}[a-z0-9])?")
PREFIX = re.compile(r"[a-z][a-z0-9-]{0,41}[a-z0-9]")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
MEMORY = re.compile(r"([0-9]+[KMGT]?|[0-9]{1,3}%|infinity)?")
CREDENTIAL = {
    "name": Key("str"),
    "variable": Key("str"),
    "content": Key("str"),
    "environment": Key("bool", required=False),
}
SECRET = {
    "name": Key("str"),
    "variable": Key("str"),
    "environment": Key("bool", required=False),
    "value": Key("str", required=False),
    "compose": Key("str", required=False),
    "description": Key("str", required=False),
}
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,400}")
# The database's password and its authority, which the roles add (vars/main.yml).
OWN_CREDENTIALS = ("database_password", "database_ca.pem")
# Where nothing is written (the backend role's defaults).
HEALTH_PATH = "/api/health"
PLACE = re.compile(r"secrets\..+|services\..+\.environment\..+")
OWN_TAGS = ("Name", "Role")
SHORT_ENOUGH = {"key": 128, "value": 256}


def check(variables: Mapping[str, Any], refusals: Refusals, root: Path) -> None:
    """Everything that begins with ``project_``, ``backend_`` and ``collector_``. Relative paths are below ``root``."""
    _project(refusals, variables)
    _frontend(refusals, variables, root)
    for service in ("backend", "collector"):
        if service == "collector" and not _has_collector(variables):
            continue
        _sources(refusals, variables, root, service)
        _settings(refusals, variables, service)
    if "backend_port" in variables:
        _backend_port(refusals, variables["backend_port"])
    path = variables.get("backend_health_path")
    if path and not str(path).startswith("/"):
        refusals.add("backend_health_path", path, "does not begin with a slash", f"/{path}")
    command, path = variables.get("backend_health_command"), variables.get("backend_health_path", HEALTH_PATH)
    if command and path:
        why = f"cannot be beside backend_health_path, which is {path}"
        refusals.add("backend_health_command", command, why, '"" for one of them')
    url = variables.get("collector_source_url")
    if url is not None:
        matching(
            refusals, "collector_source_url", url, re.compile(r"https?://[^\s/]+\S*"), "an http:// or https:// address"
        )
    interval = variables.get("collector_interval_seconds")
    if interval is not None and float(interval) <= 0:
        refusals.add("collector_interval_seconds", interval, "is no time", "more than 0, such as 5")


def _has_collector(variables: Mapping[str, Any]) -> bool:
    """A product without one says so: it names no sources, and no host has that role."""
    hosts = variables.get("instances_list")
    roles = [host.get("role") for host in hosts if isinstance(host, dict)] if isinstance(hosts, list) else ["collector"]
    return variables.get("project_collector") != "" or "collector" in roles


def _project(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    name = variables.get("project_name")
    if name is not None and of_kind(refusals, "project_name", name, "str"):
        write = (
            "1 to 20 lower-case letters, digits and hyphens, a letter first, no hyphen last, and not sg- or xn-- first"
        )
        matching(refusals, "project_name", name, PROJECT_NAME, write)
    prefix = variables.get("project_prefix")
    if prefix is not None and (name is None or PROJECT_NAME.fullmatch(str(name))):
        write = "2 to 43 lower-case letters, digits and hyphens: bucket names begin with it"
        matching(refusals, "project_prefix", prefix, PREFIX, write)
    tags = variables.get("project_tags")
    if tags is None or not of_kind(refusals, "project_tags", tags, "dict"):
        return
    for tag, variable in (("Project", "project_name"), ("Environment", "project_environment")):
        if variable in variables and tags.get(tag) != variables[variable]:
            found, why = tags.get(tag), f"is not {variable}, by which hosts are found"
            refusals.add(f"project_tags.{tag}", found, why, f'"{{{{ {variable} }}}}"')
    for tag, value in tags.items():
        if str(tag).lower().startswith("aws:") or tag in OWN_TAGS:
            refusals.add("A key of project_tags", tag, "is not yours to set", "another key")
        elif refusals.knows(value) or not of_kind(refusals, f"project_tags.{tag}", value, "str"):
            continue
        elif len(str(tag)) > SHORT_ENOUGH["key"] or len(str(value)) > SHORT_ENOUGH["value"]:
            refusals.add(f"project_tags.{tag}", value, "is too long", "at most 128 characters of key and 256 of value")


def _directory(refusals: Refusals, variable: str, value: Any, root: Path) -> Path | None:
    if not of_kind(refusals, variable, value, "path"):
        return None
    path = root / str(value) if str(value) else Path("/nonexistent")
    if path.is_dir():
        return path
    near = nearest(path.name, [entry.name for entry in path.parent.iterdir()]) if path.parent.is_dir() else ""
    hint = f", such as {Path(str(value)).parent / near}" if near and " or " not in near else ""
    refusals.add(
        variable, value, "is not a directory on this machine", f"the path of one, absolute or below this checkout{hint}"
    )
    return None


def _first(variables: Mapping[str, Any], *names: str) -> str | None:
    return next((name for name in names if name in variables), None)


def _frontend(refusals: Refusals, variables: Mapping[str, Any], root: Path) -> None:
    variable = _first(variables, "frontend_build_source", "project_frontend")
    path = _directory(refusals, variable, variables[variable], root) if variable else None
    if variable is None or path is None:
        return
    value = variables[variable]
    if not (path / "package.json").is_file():
        refusals.add(variable, value, "has no package.json", "the path of the React (or other) application")
        return
    if not (path / "package-lock.json").is_file():
        why = "has no package-lock.json, without which two builds may differ"
        refusals.add(variable, value, why, "that file with `npm install` there, and commit it")
    script = str(variables.get("frontend_build_script", "build"))
    try:
        scripts = json.loads((path / "package.json").read_text()).get("scripts", {})
    except (ValueError, AttributeError):
        refusals.add(
            variable, value, "has a package.json that is not JSON", "the path of the React (or other) application"
        )
        return
    if script not in scripts:
        refusals.add(
            "frontend_build_script",
            script,
            f"{value}/package.json does not have",
            nearest(script, scripts) or "one it has",
        )


def _sources(refusals: Refusals, variables: Mapping[str, Any], root: Path, service: str) -> None:
    variable = _first(variables, f"{service}_source", f"project_{service}")
    path = _directory(refusals, variable, variables[variable], root) if variable else None
    if variable is None or path is None:
        return
    runtime = str(variables.get(f"{service}_runtime", "python"))
    is_function = service == "collector" and variables.get("collector_runs_on") == "lambda"
    if is_function and runtime != "python":
        return  # that has its own sentence
    missing = next((each for each in _locked(variables, runtime) if not (path / each[0]).is_file()), None)
    if missing:
        name, purpose, write = missing
        refusals.add(variable, variables[variable], f"has no {name}, which {purpose}", write)
    # A function is called by its handler.
    for command in () if is_function else ("command", "migrate_command", "health_command"):
        value = variables.get(f"{service}_{command}")
        file = _file_of(str(value or ""), runtime)
        if file and not (path / file).is_file():
            why = f"names {file}, and {variables[variable]} has no such file"
            refusals.add(f"{service}_{command}", value, why, "the path of one that is there (no run builds it)")


def _locked(variables: Mapping[str, Any], runtime: str) -> list[tuple[str, str, str]]:
    """The files that say what to build with, each with what it does, and what to write where it is not there."""
    if runtime == "python":
        requirements = str(variables.get("service_requirements", "requirements.txt"))
        return [(requirements, "pins every dependency", "that file with `uv pip compile --generate-hashes`")]
    if runtime == "nodejs":
        return [
            ("package.json", "names its packages", "the path of the Node.js application"),
            ("package-lock.json", "pins every dependency", "that file with `npm install` there"),
        ]
    return []


def _file_of(command: str, runtime: str) -> str:
    """The file of the sources that a command names: its program after ``./``, or Java's jar; empty for none."""
    words = command.split()
    if words and words[0].startswith("./"):
        return words[0]
    jar = words[words.index("-jar") + 1 :][:1] if runtime == "java" and "-jar" in words else []
    # An absolute one may be the host's, and what a shell fills in nobody knows yet.
    return jar[0] if jar and re.fullmatch(r"[\w.][\w./-]*", jar[0]) else ""


def _settings(refusals: Refusals, variables: Mapping[str, Any], service: str) -> None:
    variable = f"{service}_environment"
    for name, value in (variables.get(variable) or {}).items():
        matching(refusals, variable, name, VARIABLE, "names of letters, digits and underscores, no digit first")
        if isinstance(value, (dict, list)):
            refusals.add(f"{variable}.{name}", value, "is not text", "text, a number, or true or false")
    variable = f"{service}_credentials"
    credentials = records(refusals, variable, variables.get(variable), CREDENTIAL)
    unique(refusals, f"{variable}: name", [credential["name"] for _, credential in credentials])
    for label, credential in credentials:
        if credential["name"] in OWN_CREDENTIALS:
            refusals.add(f"{label}.name", credential["name"], f"is what {service}'s role calls its own", "another name")
        matching(
            refusals, f"{label}.name", credential["name"], FILE_NAME, "letters, digits, underscores, dots and hyphens"
        )
        write = "letters, digits and underscores, no digit first"
        matching(refusals, f"{label}.variable", credential["variable"], VARIABLE, write)
    _secrets(refusals, variables, f"{service}_secrets", [*OWN_CREDENTIALS, *(each["name"] for _, each in credentials)])
    if f"{service}_memory_max" in variables:
        value = variables[f"{service}_memory_max"]
        matching(refusals, f"{service}_memory_max", value, MEMORY, "a size as systemd has it, such as 512M")
    if f"{service}_database_port" in variables:
        within(refusals, f"{service}_database_port", variables[f"{service}_database_port"], 1, 65535)
    if f"{service}_keep_releases" in variables and int(variables[f"{service}_keep_releases"]) < 2:
        value = variables[f"{service}_keep_releases"]
        refusals.add(f"{service}_keep_releases", value, "leaves none to return to", "2 or more")


def _secrets(refusals: Refusals, variables: Mapping[str, Any], variable: str, files: list[str]) -> None:
    """``files`` are the names that the service's other secrets have on the host."""
    for index, (_, secret) in enumerate(records(refusals, variable, variables.get(variable), SECRET)):
        label = f"{variable}[{index}]"
        matching(refusals, f"{label}.name", secret["name"], SECRET_NAME, "letters, digits and /_+=.@-")
        write = "letters, digits and underscores, no digit first"
        matching(refusals, f"{label}.variable", secret["variable"], VARIABLE, write)
        file = str(secret["variable"]).lower()
        if file in files:
            why = f"makes a file {file} on the host, where another secret has it"
            refusals.add(f"{label}.variable", secret["variable"], why, "another name")
        files.append(file)
        if "{secret}" not in str(secret.get("value", "{secret}")):
            why = "does not say where the secret stands"
            refusals.add(f"{label}.value", secret["value"], why, "the text around it, with {secret} in its place")
        if "compose" in secret:
            write = "secrets.NAME, or services.NAME.environment.VARIABLE"
            matching(refusals, f"{label}.compose", secret["compose"], PLACE, write)
            if not variables.get("project_compose"):
                refusals.missing(
                    "project_compose", f"the path of the compose file, from which {variable} takes secrets"
                )


def _backend_port(refusals: Refusals, port: Any) -> None:
    write = "a port from 1024 to 65535, such as 8000"
    if 1 <= int(port) < 1024:
        why = "is SSH's" if int(port) == 22 else "an unprivileged service cannot listen on"
        refusals.add("backend_port", port, why, write)
    elif not 1 <= int(port) <= 65535:
        refusals.add("backend_port", port, "is no port", write)
