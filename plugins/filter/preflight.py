"""The filter that finds what is wrong with the variables; plugins/preflight decides."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

PACKAGE = Path(__file__).resolve().parent.parent / "preflight"


@pass_context
def configuration_problems(context: Context, root: str) -> list[str]:
    """What is wrong with this host's variables, a sentence each; ``root`` is the checkout's directory.

    A variable whose template cannot be resolved yet is left to the play that needs it, unless everything needs it.
    """
    preflight = _preflight()
    names = set(context.get_all())
    values, unresolved = {}, {}
    for name in preflight.wanted(Path(root)):
        if name not in names:
            continue
        try:
            values[name] = _plain(context[name])
        except Exception as error:  # Ansible has several for a template that fails, none of them public.
            unresolved[name] = str(error).splitlines()[0]
    found: list[str] = preflight.problems(values, names, Path(root), unresolved=unresolved)
    return found


def _plain(value: Any) -> Any:
    """Without Ansible's tags and laziness."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    return (
        str(value)
        if isinstance(value, str)
        else int(value)
        if type(value) is not bool and isinstance(value, int)
        else value
    )


def _preflight() -> ModuleType:
    """The package beside the filters, which Ansible knows nothing of; imported when first needed."""
    name = "madang_preflight"
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
        return {"configuration_problems": configuration_problems}
