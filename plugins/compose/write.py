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
# Where a variable is not in a file yet, what is written above it.
COMMENTS = {
    "project_compose": "The compose file that this was read from. Secrets that Secrets Manager does not have yet are taken from it.",
    "backend_runtime": "The backend: how it is built, started, and known to be healthy.",
    "backend_environment": "Its plain settings.",
    "backend_secrets": "Its secrets, by their names in Secrets Manager, and the variable that each is given by.",
    "backend_database_user": "Whom it is in MySQL.",
    "collector_runtime": "The collector: how it is built, started, and known to be healthy.",
    "collector_environment": "Its plain settings.",
    "collector_secrets": "Its secrets, by their names in Secrets Manager, and the variable that each is given by.",
    "collector_database_user": "Whom it is in MySQL.",
    "frontend_build_output": "The directory that the frontend is built into.",
    "frontend_build_environment": "Settings of the frontend's build; they are public.",
    "cdn_backend_instance": "The host that answers there.",
}
WIDTH = 118


@dataclass(frozen=True)
class Edit:
    """One file of group_vars: its text before and after, and the variables whose present values others have written."""

    path: Path
    before: str
    after: str
    replaced: list[str]


class _Loader(yaml.SafeLoader):
    """YAML as Ansible has it."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def present(directory: Path) -> dict[str, Any]:
    """The values that stand in a directory's files, templates unresolved."""
    values: dict[str, Any] = {}
    for path in sorted(directory.glob("*.yml")):
        values |= load(path.read_text())
    return values


def load(text: str) -> dict[str, Any]:
    """A file of variables."""
    return yaml.load(text, _Loader) or {}  # noqa: S506 — a SafeLoader


def edits(directory: Path, wanted: Mapping[str, Any], defaults: Mapping[str, Any], shipped: Mapping[str, Any]) -> list[Edit]:
    """What to write where. What is a role's default, and stands nowhere, is not written.

    ``shipped`` is what the checkout came with: any other value is somebody's, and is named in ``replaced``.
    """
    texts = {path: path.read_text() for path in sorted(directory.glob("*.yml"))}
    home = {name: path for path, text in texts.items() for name in load(text)}
    found: list[Edit] = []
    per_file: dict[Path, dict[str, Any]] = {}
    for name, value in wanted.items():
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

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class _Unsafe(str):
    """Text that holds braces of its own, which are no template."""


_Dumper.add_representer(_Unsafe, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data), style="'"))

# The values of users are text; the others have templates on purpose.
FOREIGN = ("backend_environment", "collector_environment", "backend_secrets", "collector_secrets",
           "frontend_build_environment", "backend_command", "collector_command", "backend_migrate_command",
           "backend_health_command", "collector_health_command")  # fmt: skip


def rendered(name: str, value: Any) -> str:
    """A variable as group_vars has it: records on a line each, where they fit."""
    if name in FOREIGN:
        value = _unsafe(value)
    if isinstance(value, list) and value and all(isinstance(record, dict) for record in value):
        return f"{name}:\n" + "\n".join(_record(record) for record in value) + "\n"
    if isinstance(value, dict) and value:
        return f"{name}:\n" + "".join(f"  {line}\n" for line in _block(value).splitlines())
    return f"{name}: {_flow(value)}\n"


def _record(record: Mapping[str, Any]) -> str:
    line = f"  - {_flow(record)}"
    if len(line) <= WIDTH and not any(isinstance(value, list) and value and isinstance(value[0], dict) for value in record.values()):
        return line
    lines = []
    for key, value in record.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *(f"  - {_flow(one)}" for one in value)]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "  - " + "\n    ".join(lines)


def _flow(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return str(text).removesuffix("\n").removesuffix("...").rstrip("\n")


def _block(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, default_flow_style=False, sort_keys=False, width=10**6, allow_unicode=True))


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unsafe(element) for key, element in value.items()}
    if isinstance(value, list):
        return [_unsafe(element) for element in value]
    return _Unsafe(value) if isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value) else value
