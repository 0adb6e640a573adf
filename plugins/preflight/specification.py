"""What variables there are: the roles' argument specifications, and every name that something reads."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from .shapes import of_kind
from .wording import Refusals, listed, nearest

PREFIXES = (
    "project_", "network_", "security_groups_", "instances_", "mysql_", "backend_", "collector_", "cdn_", "frontend_",
    "verify_", "service_", "lock_", "nat_instance_", "destroy_", "secrets_",
)  # fmt: skip
# What is certainly not a mistyped name of ours.
FOREIGN = ("ansible_", "inventory_", "group")
# Namespaces that others use too: the inventory has each instance's attributes in the first.
SHARED = {
    "aws_": ("aws_region", "aws_environment", "aws_lookup", "aws_endpoint_url"),
    "ssh_": (
        "ssh_key_file", "ssh_arguments", "ssh_proxy_command", "ssh_proxy_arguments", "ssh_proxy_environment",
    ),
}  # fmt: skip
NAME = re.compile(r"\b(?:" + "|".join(PREFIXES) + r")[a-z0-9_]+\b")
EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# Variables that no role specifies; each must have a value.
REQUIRED = (
    "project_name", "project_environment", "project_prefix", "project_tags", "project_frontend", "project_backend",
    "project_collector", "backend_port", "cdn_price_class", "cdn_backend_path", "mysql_secrets", "aws_region",
)  # fmt: skip
BUCKETS = ("cdn_bucket", "lock_bucket")
OTHERS = (*BUCKETS, "project_directory", "project_state_directory", "ssh_key_file", "project_compose")
# Known only when something has been created, but for buckets that somebody has named.
LATER = ("cdn_bucket", "lock_bucket", "verify_site_url", "verify_bucket_url", "verify_address_url", "mysql_passwords")

Options = dict[str, dict[str, Any]]


@functools.cache
def _document(path: Path) -> Any:
    # The C loader where there is one; both are safe.
    return yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def options(root: Path) -> Options:
    """Every role's options, by the variable's name."""
    found: Options = {}
    for path in sorted(root.glob("roles/*/meta/argument_specs.yml")):
        for entry_point in _document(path)["argument_specs"].values():
            found |= entry_point.get("options") or {}
    return found


def required(specified: Options) -> set[str]:
    """What must have a value before anything begins: what group_vars holds, and no play sets by itself."""
    from_plays = (
        "service_",
        "secrets_",
        "mysql_ca",
        "mysql_passwords",
        "verify_",
        "backend_database",
        "collector_database",
    )
    theirs = {name for name, option in specified.items() if option.get("required") and not name.startswith(from_plays)}
    return (theirs | set(REQUIRED)) - set(LATER)


def looked_at(specified: Options) -> list[str]:
    """The variables whose values are checked. Secrets are not: no message may show one."""
    open_ones = {name for name, option in specified.items() if not option.get("no_log")}
    return sorted((open_ones | set(REQUIRED) | set(OTHERS)) - set(LATER) | set(BUCKETS))


@functools.cache
def read_names(root: Path) -> frozenset[str]:
    """Every name in Madang's own namespaces that a role, a playbook or another variable's template reads."""
    names: set[str] = set()
    for path in _files(root):
        names.update(NAME.findall(path.read_text(errors="replace")))
    for path in _variable_files(root):
        for expression in EXPRESSION.findall(path.read_text(errors="replace")):
            names.update(NAME.findall(expression))
    return frozenset(names)


def _files(root: Path) -> Iterator[Path]:
    for part in ("tasks", "defaults", "vars", "meta", "handlers", "templates"):
        yield from (path for path in root.glob(f"roles/*/{part}/**/*") if path.is_file())
    yield from root.glob("playbooks/*.yml")


def _variable_files(root: Path) -> Iterator[Path]:
    for directory in (root / "group_vars", *root.glob("inventories/*")):
        yield from directory.rglob("*.yml")


def check_names(present: Iterable[str], specified: Options, root: Path, refusals: Refusals) -> None:
    """Refuse what nobody reads: a typing error, in the name itself or in its namespace."""
    known = set(specified) | set(REQUIRED) | set(OTHERS)
    read = read_names(root) | known
    for name in sorted(set(present) - read):
        if name.startswith(PREFIXES):
            meant = nearest(name, known)
        elif name.startswith(tuple(SHARED)):
            ours = SHARED[name[:4]]
            meant = nearest(name, ours, cutoff=0.85)
            if name in ours or meant not in ours or _is_read(name, root):
                continue
        elif name.startswith(FOREIGN) or not _resembles(name):
            continue
        else:
            meant = nearest(name, known, cutoff=0.9)
            if meant not in known or _is_read(name, root):
                continue
        refusals.add("The variable's name", name, "nothing reads", meant or "no such variable")


def _resembles(name: str) -> bool:
    """Whether the part before the first underscore might be one of ours, mistyped."""
    return bool(get_close_matches(name.split("_")[0], [prefix.split("_")[0] for prefix in PREFIXES], n=1, cutoff=0.75))


def _is_read(name: str, root: Path) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    texts = [path.read_text(errors="replace") for path in (*_files(root), *_variable_files(root))]
    return any(word.search(expression) for text in texts for expression in EXPRESSION.findall(text))


def check_types(values: dict[str, Any], specified: Options, refusals: Refusals) -> dict[str, Any]:
    """The values that are of their specified type; the others are refused."""
    good = dict(values)
    for name, value in values.items():
        option = specified.get(name)
        if option is None:
            continue
        if not of_kind(refusals, name, value, str(option.get("type", "str"))):
            del good[name]
        elif "choices" in option and value not in option["choices"]:
            refusals.add(name, value, "", listed(map(str, option["choices"])))
        elif option.get("elements", "dict") != "dict":
            for element in value:
                of_kind(refusals, name, element, str(option["elements"]))
    return good
