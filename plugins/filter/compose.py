"""Filters for compose files; plugins/compose decides."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.errors import AnsibleFilterError
from jinja2 import pass_context
from jinja2.runtime import Context

PACKAGE = Path(__file__).resolve().parent.parent / "compose"


@pass_context
def compose_import(context: Context, root: str) -> dict[str, Any]:
    """What importing the file that the variable ``compose`` names would do; ``root`` is the checkout's directory."""
    names = [name for name in context.get_all() if name == "compose" or name.startswith("compose_")]
    answers = {name: str(context[name]) for name in names}
    found: dict[str, Any] = _compose().import_compose(answers, Path(root))
    return found


def compose_secret(file: str, path: str) -> str:
    """The value at ``path`` of a compose file: ``secrets.NAME``, or ``services.NAME.environment.VARIABLE``."""
    package = _compose()
    try:
        return str(package.secret(Path(file), path))
    except package.ComposeError as error:
        raise AnsibleFilterError(str(error)) from error


def _compose() -> ModuleType:
    """The package beside the filters, which Ansible knows nothing of; imported when first needed."""
    name = "madang_compose"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, PACKAGE / "__init__.py")
        assert spec is not None and spec.loader is not None  # noqa: S101 — the file is ours
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"compose_import": compose_import, "compose_secret": compose_secret}
