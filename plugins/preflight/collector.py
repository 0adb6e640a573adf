"""The collector, where it is a Lambda function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import security_groups
from .shapes import Key, among, matching, records, within
from .wording import Refusals, nearest

HANDLER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
RUNTIME = re.compile(r"python3\.(1[2-9])")
RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
ONCE = re.compile(r"at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)")
CRON = re.compile(r"cron\((.*)\)")
# What each of cron's fields may hold: signs and names, and the least and the largest number.
CRON_FIELDS = (
    (r"[0-9,*/-]+", 0, 59),
    (r"[0-9,*/-]+", 0, 23),
    (r"[0-9,*/?LW-]+", 1, 31),
    (r"([0-9,*/-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+", 1, 12),
    (r"([0-9,*/?L#-]|SUN|MON|TUE|WED|THU|FRI|SAT)+", 1, 7),
    (r"[0-9,*/-]+", 1970, 2199),
)
NAME = re.compile(r"[A-Za-z0-9_-]{1,55}")
SECRET = {"name": Key("str"), "variable": Key("str")}
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Lambda's quotas.
MEMORY, TIMEOUT = (128, 10240), (1, 900)
MOST_GROUPS, MOST_SUBNETS = 5, 16
# Set by the role itself.
TAKEN = ("HANDLER", "SECRET_FILES")


def check(variables: Mapping[str, Any], refusals: Refusals, root: Path) -> None:
    """Everything that begins with ``collector_function_``, whether it is in use or not, and what lambda excludes."""
    if "collector_function_name" in variables:
        write = "1 to 55 letters, digits, hyphens and underscores: its roles' names begin with it"
        matching(refusals, "collector_function_name", variables["collector_function_name"], NAME, write)
    if "collector_function_runtime" in variables:
        matching(
            refusals, "collector_function_runtime", variables["collector_function_runtime"], RUNTIME,
            "one of Lambda's, from python3.12 on, such as python3.13",
        )  # fmt: skip
    for name, (least, most) in (("memory", MEMORY), ("timeout", TIMEOUT)):
        if f"collector_function_{name}" in variables:
            within(refusals, f"collector_function_{name}", variables[f"collector_function_{name}"], least, most)
    if "collector_function_schedule" in variables:
        _schedule(refusals, str(variables["collector_function_schedule"]))
    _placed(refusals, variables, "collector_function_subnets", _subnets(variables), "network_subnets", MOST_SUBNETS)
    groups = security_groups.names(variables)
    _placed(refusals, variables, "collector_function_groups", groups, "security_groups_list", MOST_GROUPS)
    _secrets(refusals, variables)
    _handler(refusals, variables, root)
    if variables.get("collector_runs_on") == "lambda":
        _excluded(refusals, variables)


def _subnets(variables: Mapping[str, Any]) -> list[Any]:
    subnets = variables.get("network_subnets")
    return [each["name"] for each in subnets if isinstance(each, dict) and "name" in each] if subnets else []


def _placed(
    refusals: Refusals, variables: Mapping[str, Any], name: str, known: list[Any], where: str, most: int
) -> None:
    values = variables.get(name)
    if values is None:
        return
    if not 1 <= len(values) <= most:
        refusals.add(name, values, "", f"one to {most} names of {where}")
    for value in values if known else []:
        among(refusals, name, value, known, f"is not in {where}")


def _schedule(refusals: Refusals, schedule: str) -> None:
    rate = RATE.fullmatch(schedule)
    if rate and int(rate[1]) > 0 and (int(rate[1]) == 1) == (rate[3] == ""):
        return
    if rate and int(rate[1]) > 0:
        write = f"rate({rate[1]} {rate[2]}{'' if int(rate[1]) == 1 else 's'})"
        refusals.add("collector_function_schedule", schedule, "has the wrong number of that word", write)
    elif cron := CRON.fullmatch(schedule):
        if not _is_cron(cron[1].split()):
            write = "cron(MINUTES HOURS DAY MONTH WEEKDAY YEAR) with ? for one of the days, such as cron(0/5 * * * ? *)"
            refusals.add("collector_function_schedule", schedule, "is no schedule", write)
    elif not ONCE.fullmatch(schedule):
        write = "rate(N minutes), rate(N hours), rate(N days), or cron(…)"
        refusals.add("collector_function_schedule", schedule, "is no schedule", write)


def _is_cron(fields: list[str]) -> bool:
    if len(fields) != len(CRON_FIELDS) or (fields[2] == "?") == (fields[4] == "?"):
        return False
    for field, (signs, least, most) in zip(fields, CRON_FIELDS, strict=True):
        numbers = map(int, re.findall("[0-9]+", re.sub("/[0-9]+", "", field)))  # a step may be any
        if not re.fullmatch(signs, field, re.IGNORECASE) or not all(least <= number <= most for number in numbers):
            return False
    return True


def _secrets(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    name = "collector_function_secrets"
    for label, secret in records(refusals, name, variables.get(name), SECRET):
        write = "letters, digits and underscores, no digit first"
        matching(refusals, f"{label}.variable", secret["variable"], VARIABLE, write)
        if secret["name"] == "mysql-ca":
            why = "holds the authority's private key, which no client may have"
            refusals.add(f"{label}.name", secret["name"], why, "another: the function has the certificate anyway")


def _handler(refusals: Refusals, variables: Mapping[str, Any], root: Path) -> None:
    name, handler = "collector_function_handler", variables.get("collector_function_handler")
    if handler is None or not matching(
        refusals, name, handler, HANDLER, "package.module.function, such as app.collector.handler"
    ):
        return
    source = root / str(variables.get("collector_source", variables.get("project_collector", "")))
    if variables.get("collector_runs_on") != "lambda" or not source.is_dir():
        return
    module = str(handler).rpartition(".")[0].replace(".", "/")
    if not (source / f"{module}.py").is_file() and not (source / module / "__init__.py").is_file():
        modules = [path.relative_to(source).with_suffix("").as_posix() for path in source.glob("*/*.py")]
        near = nearest(module, modules)
        write = f"the module of {source.name} that has the function Lambda calls"
        refusals.add(name, handler, f"names {module}.py, which is not there", f"{write}{f' ({near})' if near else ''}")


def _excluded(refusals: Refusals, variables: Mapping[str, Any]) -> None:
    runtime = variables.get("collector_runtime", "python")
    if runtime != "python":
        refusals.add("collector_runs_on", "lambda", f"takes Python alone, and collector_runtime is {runtime}", "ec2")
    why = "goes to a host, and collector_runs_on is lambda"
    if variables.get("collector_credentials"):
        names = ", ".join(str(each.get("name")) for each in variables["collector_credentials"])
        refusals.add(
            "collector_credentials", names, why, "it into Secrets Manager and its name into collector_function_secrets"
        )
    if variables.get("collector_secrets"):
        names = ", ".join(str(each.get("name")) for each in variables["collector_secrets"])
        refusals.add("collector_secrets", names, why, "its name and variable into collector_function_secrets")
    for name in variables.get("collector_environment") or {}:
        if name in TAKEN or str(name).startswith(("AWS_", "LAMBDA_")):
            refusals.add("collector_environment", name, "is Lambda's or the role's own", "another name")
