"""Filters for compose files; plugins/compose decides."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.errors import AnsibleFilterError
from jinja2 import pass_context
from jinja2.runtime import Context

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


@pass_context
def compose_import(context: Context, root: str) -> dict[str, Any]:
    """What importing the file that the variable ``compose`` names would do; ``root`` is the checkout's directory."""
    names = [name for name in context.get_all() if name == "compose" or name.startswith("compose_")]
    answers = {name: str(context[name]) for name in names}
    found: dict[str, Any] = load("compose").import_compose(answers, Path(root))
    return found


def compose_secret(file: str, path: str) -> str:
    """The value at ``path`` of a compose file: ``secrets.NAME``, or ``services.NAME.environment.VARIABLE``."""
    package = load("compose")
    try:
        return str(package.secret(Path(file), path))
    except package.ComposeError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"compose_import": compose_import, "compose_secret": compose_secret}
