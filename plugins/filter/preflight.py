"""The filter that finds what is wrong with the variables; plugins/preflight decides."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

load: Callable[[str], ModuleType] = runpy.run_path(str(Path(__file__).resolve().parents[1] / "packages.py"))["load"]


@pass_context
def configuration_problems(context: Context, root: str) -> list[str]:
    """What is wrong with this host's variables, a sentence each; ``root`` is the checkout's directory.

    A variable whose template cannot be resolved yet is left to the play that needs it, unless everything needs it.
    """
    preflight = load("preflight")
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


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"configuration_problems": configuration_problems}
