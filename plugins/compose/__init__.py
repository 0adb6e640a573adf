"""A compose file as Madang's variables. Pure but for reading: the compose file, its sources, and group_vars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from . import resolve as resolving
from . import write
from .ledger import dotted
from .resolve import ComposeError
from .sources import read
from .variables import plan
from .words import Answers
from .work import Plan

__all__ = ["Answers", "ComposeError", "Plan", "defaults", "import_compose", "plan", "secret"]

EXAMPLE = "examples/compose.yaml"


def import_compose(answers: Mapping[str, str], root: Path) -> dict[str, Any]:
    """What importing a file would do, as plain data, secrets left out.

    ``answers`` are the values of the variables compose and compose_…, by name; ``root`` is the checkout.
    Returns ``asks`` (what has to be answered first), ``decisions``, ``listed`` (what has no place), ``files`` (each
    ``path``, ``before``, ``after``) and ``replaced`` (the variables that somebody has changed, and this would replace).
    """
    given = Answers({name.removeprefix("compose_"): value for name, value in answers.items() if name != "compose"})
    file = Path(answers["compose"]).expanduser().absolute() if answers.get("compose") else None
    if file is None:
        return _outcome(asks=["compose is not there; write -e compose=PATH, the path of a compose file."])
    directory = root / "group_vars/all"
    now = write.present(directory)
    try:
        model, unset = resolving.resolve(file)
    except ComposeError as error:
        return _outcome(asks=[str(error)])
    made = plan(model, file, root, given, now)
    if made.asks:
        return _outcome(asks=made.asks, decisions=made.decisions)
    listed = [f"{dotted(path)}: {sentence}." for path, sentence in made.ledger.listed.items()]
    listed += [f"{name}: no value is set for it, here or in .env; it is empty." for name in unset]
    changes = write.edits(directory, made.variables, defaults(root), _shipped(root, now))
    return _outcome(
        decisions=made.decisions,
        listed=listed,
        files=[{"path": str(edit.path), "before": edit.before, "after": edit.after} for edit in changes],
        replaced=[name for edit in changes for name in edit.replaced],
    )


def _outcome(**parts: list[Any]) -> dict[str, Any]:
    return {"asks": [], "decisions": [], "listed": [], "files": [], "replaced": []} | parts


def defaults(root: Path) -> dict[str, Any]:
    """The roles' defaults of what is written, templates unresolved."""
    found: dict[str, Any] = {}
    for role in ("backend", "collector", "frontend_build", "cdn"):
        found |= yaml.safe_load((root / "roles" / role / "defaults/main.yml").read_text()) or {}
    for part in ("backend", "collector"):
        # The templates' values, as far as the file can mean them.
        found[f"{part}_database_port"] = 3306
    found["mysql_databases"] = [{"name": "{{ mysql_database }}"}]
    return found


def _shipped(root: Path, now: Mapping[str, Any]) -> dict[str, Any]:
    """What the checkout came with: the example's import, which a test holds against the files."""
    try:
        model, _ = resolving.resolve(root / EXAMPLE)
    except ComposeError:
        return {}
    return {**plan(model, root / EXAMPLE, root, Answers({}), now).variables, "project_name": "madang"}


def secret(file: Path, path: str) -> str:
    """The value that a compose file has at ``services.NAME.environment.VARIABLE`` or ``secrets.NAME``.

    A service's Dockerfile counts as well, as it does for compose.
    Raises ComposeError where there is none.
    """
    model, _ = resolving.resolve(file)
    kind, _, rest = path.partition(".")
    if kind == "secrets":
        return _secret_file(file, rest, (model.get("secrets") or {}).get(rest) or {})
    service, _, variable = rest.rpartition(".environment.")
    found = (model.get("services") or {}).get(service) or {}
    value = (found.get("environment") or {}).get(variable) or read(found).dockerfile.environment.get(variable)
    if not value:
        raise ComposeError(f"{file} has no value for {variable} of {service}.")
    return str(value)


def _secret_file(file: Path, name: str, definition: Mapping[str, Any]) -> str:
    if definition.get("content"):
        return str(definition["content"])
    if definition.get("environment"):
        raise ComposeError(
            f"{file} takes the secret {name} from the variable {definition['environment']}, which is not set."
        )
    path = Path(str(definition.get("file", "")))
    if not path.is_file():
        raise ComposeError(f"{file} takes the secret {name} from the file {path}, which is not there.")
    return path.read_text().rstrip("\r\n")
