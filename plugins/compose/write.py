"""Variables into group_vars: only what changes is replaced, in its place; comments and everything else stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILES = {
    "project_": "project.yml",
    "backend_": "services.yml",
    "collector_": "services.yml",
    "frontend_build_": "services.yml",
    "instances_": "instances.yml",
    "mysql_": "mysql.yml",
    "security_groups_": "security_groups.yml",
    "cdn_": "cdn.yml",
    "verify_": "verify.yml",
}
# Where a variable is not in a file yet, what is written above it; and in which order.
_SERVICE = {
    "runtime": "How it is built: python, nodejs, java or binary.",
    "command": "What runs it, in the directory of its sources.",
    "migrate_command": "What is run before each release.",
    "health_path": "The path that answers 200 when it is healthy; empty: none does.",
    "health_command": "The command that exits 0 when it is healthy; empty: it is healthy when it runs.",
    "health_timeout": "Seconds to wait until it is healthy.",
    "database_user": "Whom it is in MySQL.",
    "database_host": "Where its database is, which is not where its user's first record is.",
    "database_name": "The schema there.",
    "environment": "Its plain settings.",
    "secrets": "Its secrets, by their names in Secrets Manager, and the variable that each is given by.",
    "memory_max": "The most memory that it may take.",
    "source_url": "What it fetches.",
    "interval_seconds": "How often.",
}
COMMENTS = {
    "project_compose": (
        "The compose file that this was read from. Secrets that Secrets Manager does not have yet are taken from it."
    ),
    "mysql_databases": "All schemas, each with its host where that is not mysql_source.",
    "cdn_backend_instance": "The host that answers there.",
    **{
        f"{part}_{name}": f"The {part}. {comment}"
        for part in ("backend", "collector")
        for name, comment in _SERVICE.items()
    },
    "frontend_build_output": "The frontend. The directory that it is built into.",
    "frontend_build_environment": "The frontend. Settings of its build; they are public.",
}
WIDTH = 150


@dataclass(frozen=True)
class Edit:
    """One file of group_vars: its text before and after, and the variables whose present values others have written."""

    path: Path
    before: str
    after: str
    replaced: list[str]


class _Loader(yaml.SafeLoader):
    """YAML as Ansible has it."""


def _unsafe_text(_: yaml.SafeLoader, node: yaml.Node) -> str:
    return str(node.value)


_Loader.add_constructor("!unsafe", _unsafe_text)


def present(directory: Path) -> dict[str, Any]:
    """The values that stand in a directory's files, templates unresolved."""
    values: dict[str, Any] = {}
    for path in sorted(directory.glob("*.yml")):
        values |= load(path.read_text())
    return values


def load(text: str) -> dict[str, Any]:
    """A file of variables."""
    return yaml.load(text, _Loader) or {}  # noqa: S506 — a SafeLoader


def edits(
    directory: Path, wanted: Mapping[str, Any], defaults: Mapping[str, Any], shipped: Mapping[str, Any]
) -> list[Edit]:
    """What to write where. What is a role's default, and stands nowhere, is not written.

    ``shipped`` is what the checkout came with: any other value is somebody's, and is named in ``replaced``.
    """
    texts = {path: path.read_text() for path in sorted(directory.glob("*.yml"))}
    home = {name: path for path, text in texts.items() for name in load(text)}
    found: list[Edit] = []
    per_file: dict[Path, dict[str, Any]] = {}
    order = list(COMMENTS)
    for name, value in sorted(wanted.items(), key=lambda item: order.index(item[0]) if item[0] in order else -1):
        if name in home or name not in defaults or defaults[name] != value:
            prefix = next(prefix for prefix in FILES if name.startswith(prefix))
            per_file.setdefault(home.get(name, directory / FILES[prefix]), {})[name] = value
    for path, values in per_file.items():
        before = texts.get(path, "---\n")
        now = load(before)
        changed = {name: value for name, value in values.items() if name not in now or now[name] != value}
        replaced = [name for name in changed if name in now and now[name] != shipped.get(name)]
        after = _changed(before, changed)
        if changed:
            found.append(Edit(path, texts.get(path, ""), after, replaced))
    return found


def _changed(text: str, values: Mapping[str, Any]) -> str:
    """The text with these variables' values, those that it does not have at its end."""
    node = yaml.compose(text, _Loader)
    places = {key.value: (key.start_mark.index, value.end_mark.index) for key, value in node.value} if node else {}
    for name, (start, end) in sorted(places.items(), key=lambda place: -place[1][0]):
        if name in values:
            rest = text[start:end]
            # a block's end is the next line's beginning; its last comments belong to what follows
            kept = rest[len(rest.rstrip()) :]
            trailing = _trailing_comments(rest.rstrip())
            text = text[:start] + rendered(name, values[name]).rstrip("\n") + trailing + kept + text[end:]
    for name, value in values.items():
        if name not in places:
            comment = f"# {COMMENTS[name]}\n" if name in COMMENTS else ""
            gap = "\n" if comment or not text.endswith("\n") else ""
            text = f"{text.rstrip()}\n{gap}{comment}{rendered(name, value)}"
    return text


def _trailing_comments(block: str) -> str:
    """Comments and blank lines at a value's end, which the parser counts to it."""
    lines = block.split("\n")
    end = len(lines)
    while end > 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return "".join(f"\n{line}" for line in lines[end:])


class _Dumper(yaml.SafeDumper):
    """Flow style for what fits a line, lists below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the base calls it with both
        super().increase_indent(flow, False)  # never indentless


class _Unsafe(str):
    """Text that holds braces of its own, which are no template."""


_Dumper.add_representer(_Unsafe, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data), style="'"))

# Double quotes, as the files have them.
_Dumper.add_representer(
    str,
    lambda dumper, data: dumper.represent_scalar(
        "tag:yaml.org,2002:str", data, style='"' if not data or "{{" in data else None
    ),
)

# The values of users are text; the others have templates on purpose.
FOREIGN = ("backend_environment", "collector_environment", "backend_secrets", "collector_secrets",
           "frontend_build_environment", "backend_command", "collector_command", "backend_migrate_command",
           "backend_health_command", "collector_health_command")  # fmt: skip


def rendered(name: str, value: Any) -> str:
    """A variable as group_vars has it: records on a line each, where they fit."""
    if name in FOREIGN:
        value = _unsafe(value)
    if isinstance(value, list) and value and all(isinstance(record, dict) for record in value):
        records = [_record(record) for record in value]
        gap = "\n\n" if any(_nested(record) for record in value) else "\n"
        return f"{name}:\n{gap.join(records)}\n"
    if isinstance(value, dict) and value:
        return f"{name}:\n" + "".join(f"  {line}\n" for line in _block(value).splitlines())
    return f"{name}: {_flow(value)}\n"


def _record(record: Mapping[str, Any]) -> str:
    line = f"  - {_flow(record)}"
    if len(line) <= WIDTH and not any(
        isinstance(value, list) and value and isinstance(value[0], dict) for value in record.values()
    ):
        return line
    lines = []
    for key, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *(f"  - {_flow(one)}" for one in value)]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "  - " + "\n    ".join(lines)


def _nested(record: Mapping[str, Any]) -> bool:
    """Whether it has records of its own, such as a group's rules."""
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in record.values())


def _flow(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return str(text).removesuffix("\n").removesuffix("...").rstrip("\n")


def _block(value: Any) -> str:
    return str(
        yaml.dump(value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, width=10**6, allow_unicode=True)
    )


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unsafe(element) for key, element in value.items()}
    if isinstance(value, list):
        return [_unsafe(element) for element in value]
    return _Unsafe(value) if isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value) else value
